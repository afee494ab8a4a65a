"""The pipeline app on 100,000 made records, from a file and over TCP: both runs account for every
record and agree."""

import json
import pathlib
import random
import socket
import threading
import time

from common import TIME_MAX_S, check, run_app

RECORDS = 100_000
BAD_ONE_IN = 200
SEED = 20_260_101
WORKERS = 4
WINDOW = 100

# Longer than any line that a sensor sends, hence than the app's limit for one.
LONG_LINE_BYTES = 200_000
# Of them only a few: each is as big as two thousand good records.
LONG_LINES_MAX = 5


def good_record(rng: random.Random, number: int) -> dict:
    return {"sensor": f"sensor-{rng.randrange(16):02}", "t": 1_760_000_000 + number,
            "value": round(rng.gauss(20.0, 5.0), 3)}


def truncated(rng: random.Random, record: dict) -> str:
    line = json.dumps(record)
    return line[: rng.randrange(1, len(line) - 1)]


def wrong_type(_: random.Random, record: dict) -> str:
    return json.dumps({**record, "value": "warm"})


def missing_key(_: random.Random, record: dict) -> str:
    return json.dumps({"sensor": record["sensor"], "value": record["value"]})


def not_a_number(_: random.Random, record: dict) -> str:
    return json.dumps({**record, "value": float("nan")})  # NaN, which JSON does not have


def too_long(_: random.Random, record: dict) -> str:
    return json.dumps({**record, "sensor": "x" * LONG_LINE_BYTES})


KINDS = [truncated, wrong_type, missing_key, not_a_number, too_long]


def make_records(path: pathlib.Path) -> dict[str, int]:
    """Writes the records; gives how many bad ones of each kind. The same at every run."""
    rng = random.Random(SEED)
    bad = {kind.__name__: 0 for kind in KINDS}
    with path.open("w", encoding="ascii") as file:
        for number in range(RECORDS):
            record = good_record(rng, number)
            if rng.randrange(BAD_ONE_IN):
                line = json.dumps(record)
            else:
                few = bad[too_long.__name__] < LONG_LINES_MAX
                kind = rng.choice(KINDS if few else KINDS[:-1])
                bad[kind.__name__] += 1
                line = kind(rng, record)
            file.write(line + "\n")
    return bad


class Peer(threading.Thread):
    """Sends a file to the first who connects, then closes."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(daemon=True)
        self.path = path
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(TIME_MAX_S)
        self.port = self.listener.getsockname()[1]

    def run(self) -> None:
        with self.listener:
            connection, _ = self.listener.accept()
        with connection, self.path.open("rb") as file:
            connection.sendfile(file)


def check_counts(summary: dict, output: pathlib.Path, bad: int) -> None:
    check(summary["records"] == RECORDS, f"{summary['records']} records, not {RECORDS}")
    check(summary["bad"] == bad, f"{summary['bad']} bad records, not {bad}")
    check(summary["good"] + summary["bad"] == RECORDS, "good and bad do not add up")
    check(summary["windows"] > 0, "no windows")
    with output.open() as file:
        results = [json.loads(line) for line in file]
    check(len(results) > 0, "the output is empty")
    for name, queue in summary["queues"].items():
        check(0 < queue["high_water"] <= queue["capacity"], f"queue {name}: {queue}")


def report(name: str, summary: dict, memory: int, wall: float) -> None:
    print(f"{name}")
    print(f"  records      {summary['records']:,} in {summary['seconds']:.2f} s"
          f" ({wall:.2f} s with start and end): {summary['records_per_second']:,.0f} records/s,"
          f" {summary['bytes'] / 1e6:,.1f} MB")
    print(f"  accounted    {summary['good']:,} good, {summary['bad']:,} rejected,"
          f" {summary['windows']:,} windows")
    marks = ", ".join(f"{queue} {at['high_water']} of {at['capacity']}"
                      for queue, at in summary["queues"].items())
    print(f"  high water   {marks}")
    print(f"  peak memory  {memory / 2**20:.1f} MiB")


def demonstrate(folder: pathlib.Path) -> None:
    records = folder / "records.jsonl"
    bad = make_records(records)
    kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in bad.items())
    print(f"pipeline: {RECORDS:,} records, {sum(bad.values())} of them bad: {kinds}\n")

    outputs = []
    for name in ("file", "TCP"):
        source = str(records)
        if name == "TCP":
            peer = Peer(records)
            peer.start()
            source = f"tcp://127.0.0.1:{peer.port}"
        output = folder / f"{name}.jsonl"
        started = time.monotonic()
        _, summary, memory = run_app(
            "pipeline", ["--workers", WORKERS, "--window", WINDOW, "--output", output, source],
            folder, status=1)  # some records were bad
        report(f"from {name}", summary, memory, time.monotonic() - started)
        check_counts(summary, output, sum(bad.values()))
        outputs.append(output.read_bytes())
    check(outputs[0] == outputs[1], "the results from the file and over TCP differ")
    results = len(outputs[0].splitlines())
    print(f"\nThe same {results:,} results from both; all {RECORDS:,} records accounted for.")
