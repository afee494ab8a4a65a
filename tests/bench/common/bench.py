"""What the benchmark programs in Python share: the same as bench.hpp, with the same numbers."""

import argparse
import time

MESSAGE_BYTES = 64
QUEUE_PLACES = 64
READS_UNDER_WAY = 32
BLOCK = 4096
MASK = (1 << 64) - 1


def arguments(**otherwise: int | str) -> argparse.Namespace:
    """`--name value` pairs. One that no program asks for is harmless."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name, value in otherwise.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    return parser.parse_known_args()[0]


class Latencies:
    def __init__(self) -> None:
        self.values: list[int] = []
        self.add = self.values.append  # in nanoseconds

    def clear(self) -> None:
        self.values.clear()

    def text(self) -> str:
        values = sorted(self.values)
        shares = {"p50_us": 0.5, "p99_us": 0.99, "p999_us": 0.999}
        return " ".join(
            f"{name}={values[int(share * (len(values) - 1))] / 1000:.1f}" if values else f"{name}=-"
            for name, share in shares.items())


class Stretch:
    """CPU and wall time from begin() to end(), of this process."""

    def begin(self) -> None:
        self.wall = time.monotonic_ns()
        self.cpu = time.process_time_ns()

    def end(self) -> None:
        self.cpu = time.process_time_ns() - self.cpu
        self.wall = time.monotonic_ns() - self.wall


def print_result(name: str, peer: str, ops: int, cpu_ns: float, wall_ns: float,
                 latencies: str = "p50_us=- p99_us=- p999_us=-") -> None:
    print(f"name={name} peer={peer} ops={ops} cpu_ns_per_op={cpu_ns / ops:.3f}"
          f" wall_ns_per_op={wall_ns / ops:.3f} {latencies}")


def print_bytes(name: str, peer: str, ops: int, grown: int) -> None:
    print(f"name={name} peer={peer} ops={ops} bytes_per_op={grown / ops:.1f}")


def part(ops: int, count: int, index: int) -> int:
    """How many of the operations are those of task `index` out of `count`."""
    return ops // count + (index < ops % count)


def own_bytes() -> int:
    """Memory without pages of files."""
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Anonymous:"))


class Random:
    """splitmix64."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def next(self) -> int:
        self.state = (self.state + 0x9e3779b97f4a7c15) & MASK
        mixed = self.state
        mixed = ((mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94d049bb133111eb) & MASK
        return mixed ^ (mixed >> 31)


class Delays:
    """How long sleeper number `sleeper` sleeps, each time, in nanoseconds."""

    def __init__(self, sleeper: int) -> None:
        self.random = Random(sleeper)

    def next(self) -> int:
        return 1_000_000 + self.random.next() % 99_000_000


class Offsets:
    """Where the next read of 4 KiB begins."""

    def __init__(self, file_bytes: int) -> None:
        self.blocks = file_bytes // BLOCK
        self.random = Random(1)

    def next(self) -> int:
        return self.random.next() % self.blocks * BLOCK
