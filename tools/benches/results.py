"""What the programs print, and what is made of it."""

import dataclasses
import math
import statistics

from benches.workloads import LIMIT, Workload

Values = dict[str, float]


class Nonsense(Exception):
    """No result; the text says why."""


def parse(output: str) -> Values:
    """The numbers of the result's line, which is the last one. A field without a value, "-", is
    left out."""
    lines = [line for line in output.splitlines() if line.startswith("name=")]
    if not lines:
        raise Nonsense("it printed no result")
    fields = dict(field.partition("=")[::2] for field in lines[-1].split())
    try:
        values = {name: float(text) for name, text in fields.items()
                  if name not in ("name", "peer") and text != "-"}
    except ValueError as error:
        raise Nonsense(f"not a number in its result: {lines[-1]}") from error
    if not values.get("ops", 0) > 0:
        raise Nonsense(f"no operations: {lines[-1]}")
    return values


def check(values: Values, metric: str) -> Values:
    found = values.get(metric)
    if found is None or not math.isfinite(found) or found <= 0:
        raise Nonsense(f"{metric} is {found}")
    return values


@dataclasses.dataclass
class Sample:
    """One run of one program."""

    workload: str
    peer: str
    round: int
    seconds: float
    values: Values = dataclasses.field(default_factory=dict)
    failure: str = ""


@dataclasses.dataclass(frozen=True)
class Ratio:
    middle: float  # ratio of the medians
    least: float   # and of single rounds
    most: float

    @property
    def differs(self) -> bool:
        """All rounds lie on one side."""
        return self.least > 1 or self.most < 1


class Results:
    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples

    def failures(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.failure]

    def of(self, workload: str, peer: str, field: str) -> dict[int, float]:
        """The field in each round that has it. A peer that failed once has none."""
        own = [each for each in self.samples if (each.workload, each.peer) == (workload, peer)]
        if any(each.failure for each in own):
            return {}
        return {each.round: each.values[field] for each in own if field in each.values}

    def median(self, workload: str, peer: str, field: str) -> float | None:
        found = self.of(workload, peer, field)
        return statistics.median(found.values()) if found else None

    def spread(self, workload: str, peer: str, field: str) -> float:
        """From the least to the most, as a share of the median."""
        found = self.of(workload, peer, field).values()
        return (max(found) - min(found)) / statistics.median(found) if found else 0

    def ratio(self, workload: Workload, peer: str, base: str = LIMIT) -> Ratio | None:
        ours = self.of(workload.name, peer, workload.metric)
        row = workload.base if base == LIMIT and workload.base else workload.name
        theirs = self.of(row, base, workload.metric)
        single = [ours[number] / theirs[number] for number in ours.keys() & theirs.keys()]
        if not single:
            return None
        middle = statistics.median(ours.values()) / statistics.median(theirs.values())
        return Ratio(middle, min(single), max(single))

    def meets_bar(self, workload: Workload, peer: str) -> bool | None:
        """None if there is no bar, or nothing to hold to it."""
        if workload.bar_absolute is not None:
            found = self.median(workload.name, peer, workload.metric)
            return None if found is None else found <= workload.bar_absolute
        ratio = self.ratio(workload, peer)
        if workload.bar is None or ratio is None:
            return None
        return round(ratio.middle, 2) <= workload.bar

    def as_json(self, machine: dict[str, object], command: str) -> dict[str, object]:
        return {"command": command, "machine": machine,
                "samples": [dataclasses.asdict(sample) for sample in self.samples]}
