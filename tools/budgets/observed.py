"""What runs of a program used at most (RINGLET_REPORT), and tighter limits that would still do."""

import json
import pathlib

from budgets import elf, limits

VERSION = 1  # of a report's form
# What a proposal adds to what was observed, for what the runs did not meet.
MARGIN_PERCENT, MARGIN_LEAST = 25, 1
FRAME_STEP = 16
WORKER_STACK_STEP, WORKER_STACK_LEAST = 4096, 32768  # Limits::worker_stack_bytes

# Of the same name in Limits.
MARKS = ["tasks", "operations", "descriptors", "multishot_buffers", "worker_jobs", "posts"]
# Of the limits that are no marks, what stands in limits.hpp: a proposal leaves it out.
DEFAULTS = {"inline_awaits": 128, "bounded_workers": 2, "unbounded_workers": 4, "workers": 0,
            "worker_stack_bytes": 65536, "worker_jobs": 64, "posts": 0, "post_bytes": 48,
            "stop_limit_ms": 10000, "await_tree_signal": 10, "lock_memory": 0}


def with_margin(number: int) -> int:
    return number + max(MARGIN_LEAST, -(-number * MARGIN_PERCENT // 100))


def rounded_up(number: int, step: int) -> int:
    return -(-number // step) * step


def read(path: pathlib.Path) -> list[dict]:
    """The reports in a file, a line each."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise elf.Unreadable(f"{path}: {getattr(error, 'strerror', None) or 'no text'}") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            report = json.loads(line)
            if report["ringlet_report"] != VERSION:
                raise elf.Unreadable(f"{path}: line {number} is of another version of Ringlet")
            signature(report)
        except (ValueError, KeyError, TypeError) as error:
            raise elf.Unreadable(f"{path}: line {number} is no report") from error
        found.append(report)
    if not found:
        raise elf.Unreadable(f"{path}: no report in it")
    return found


def signature(report: dict) -> tuple:
    """Which Limits the report is of."""
    return (*(report[name]["limit"] for name in MARKS),
            *((each["bytes"], each["count"]) for each in report["frames"]))


def merged(reports: list[dict]) -> dict:
    """Of runs with the same limits, what was used at most."""
    def most(*keys: str) -> int:
        values = []
        for value in reports:
            for key in keys:
                value = value[key]
            values.append(value)
        return max(values)

    found = {"runs": len(reports),
             "marks": {name: most(name, "max") for name in MARKS},
             "timers": most("timers", "max"), "frame_bytes": most("frame_bytes", "max"),
             "stack_bytes": most("stack_bytes", "max"),
             "stack_bytes_seen": most("stack_bytes", "seen"),
             "worker_stack_bytes": most("worker_stack_bytes", "max"),
             "oversized_frames": sum(report["oversized_frames"] for report in reports),
             "frames": []}
    for classes in zip(*(report["frames"] for report in reports)):
        found["frames"].append({
            "bytes": classes[0]["bytes"], "count": classes[0]["count"],
            "live_max": max(each["live_max"] for each in classes),
            "largest": max(each["largest"] for each in classes),
            "refused": sum(each["refused"] for each in classes)})
    return found


def proposed_frames(seen: dict, largest_needed: int) -> list[tuple[int, int]]:
    """A class for each that was used, as large as its largest request; and, for coroutines that the
    runs did not meet, none of them without a class."""
    classes = [(rounded_up(each["largest"], FRAME_STEP),
                min(each["count"], with_margin(each["live_max"])))
               for each in seen["frames"] if each["live_max"] > 0]
    needed = rounded_up(largest_needed, FRAME_STEP)
    if not classes or classes[-1][0] < needed:
        if len(classes) == limits.FRAME_CLASSES_MAX:
            classes[-1] = (needed, classes[-1][1])
        else:
            classes.append((max(needed, FRAME_STEP), MARGIN_LEAST))
    return classes


def proposed(made: limits.Runtime, seen: dict, largest_needed: int) -> dict:
    """Limits that are tighter, nowhere wider."""
    found = dict(made.limits)
    for name in MARKS:
        found[name] = min(found[name], with_margin(seen["marks"][name]))
    if made.limits["workers"] == 0:
        found["worker_jobs"] = made.limits["worker_jobs"]
    if seen["worker_stack_bytes"] > 0:
        stack = rounded_up(with_margin(seen["worker_stack_bytes"]), WORKER_STACK_STEP)
        found["worker_stack_bytes"] = min(found["worker_stack_bytes"],
                                          max(stack, WORKER_STACK_LEAST))
    return {**found, "frames": proposed_frames(seen, largest_needed)}


def reached(seen: dict, made: limits.Runtime) -> list[str]:
    """What was used to its limit, and may be too small."""
    found = [name for name in MARKS if 0 < made.limits[name] == seen["marks"][name]]
    found += [f"frames of {each['bytes']:,}" for each in seen["frames"]
              if each["refused"] > 0 or each["live_max"] == each["count"]]
    if seen["oversized_frames"] > 0:
        found.append("size of the largest frame class")
    return found


def observe(path: pathlib.Path, program: elf.Elf, frames: dict[str, int] | None) -> list[dict]:
    """For each Limits of the program that runs are reported of: the limits, the marks, and the
    proposal."""
    reports = read(path)
    other = next((each["architecture"] for each in reports
                  if each["architecture"] != program.machine), None)
    if other is not None:
        raise elf.Unreadable(f"{path}: a run on {other}, but {program.path} is for"
                             f" {program.machine}")
    runtimes, _ = limits.read(program) or ([], [])
    found = []
    for made in runtimes:
        own = (*(made.limits[name] for name in MARKS), *made.frames)
        of_it = [report for report in reports if signature(report) == own]
        if not of_it:
            continue
        seen = merged(of_it)
        bound = made.derived["frame_bytes_max"]
        needed = max([size for size in (frames or {}).values()
                      if size <= limits.FRAME_CLASS_BYTES_MAX]
                     + ([bound] if bound < limits.FRAME_CLASS_BYTES_MAX else []), default=0)
        better = proposed(made, seen, needed)
        found.append({"limits": {**made.limits, "frames": made.frames}, **seen,
                      "reached": reached(seen, made), "proposed": better,
                      "frame_bytes_proposed": limits.frame_bytes(better["frames"])})
    if not found:
        raise elf.Unreadable(f"{path}: no run with the limits of {program.path}")
    return found


def as_source(proposal: dict) -> list[str]:
    """The proposal as C++, to be pasted."""
    values = {}
    for name in limits.BEFORE_FRAMES:
        values[name] = str(proposal[name])
    values["frames"] = "{" + ", ".join(f"{{{size}, {count}}}"
                                       for size, count in proposal["frames"]) + "}"
    for name in limits.AFTER_FRAMES:
        if proposal[name] != DEFAULTS[name]:
            values[name] = "true" if name == "lock_memory" else str(proposal[name])
    return ["constexpr ringlet::Limits limits{",
            *(f"    .{name} = {value}," for name, value in values.items()), "};"]


def as_text(found: dict) -> list[str]:
    lines = ["", f"observed in {found['runs']} run{'s' if found['runs'] > 1 else ''}",
             f"{'most':>11} {'limit':>9} {'proposed':>9}"]

    def line(most: int, limit: int, proposal: int | str, name: str) -> None:
        shown = proposal if isinstance(proposal, str) else f"{proposal:,}"
        lines.append(f"{most:11,} {limit:9,} {shown:>9}  {name}")

    for name in MARKS:
        line(found["marks"][name], found["limits"][name], found["proposed"][name], name)
    smaller = 0
    for each in found["frames"]:
        instead = next((count for size, count in found["proposed"]["frames"]
                        if smaller < size <= each["bytes"]), "none")
        smaller = each["bytes"]
        line(each["live_max"], each["count"], instead,
             f"frames of {each['bytes']:,}, the largest {each['largest']:,}")
    line(found["frame_bytes"], limits.frame_bytes(found["limits"]["frames"]),
         found["frame_bytes_proposed"], "bytes of frames")
    if found["limits"]["workers"] > 0:
        line(found["worker_stack_bytes"], found["limits"]["worker_stack_bytes"],
             found["proposed"]["worker_stack_bytes"], "worker_stack_bytes")
    lines.append(f"{found['timers']:11,} {'':19}  timers")
    more = found["stack_bytes"] > 0 and found["stack_bytes"] == found["stack_bytes_seen"]
    lines.append(f"{found['stack_bytes']:11,} {'':19}  bytes of the loop's stack"
                 f"{', or more' if more else ''}")
    lines += [f"limit reached, it may be too small: {name}" for name in found["reached"]]
    lines += ["", f"proposed, with {MARGIN_PERCENT} % more than was observed, and at least"
                  f" {MARGIN_LEAST}", *as_source(found["proposed"])]
    return lines
