"""What is measured: the rows of the table, with the bar that Ringlet is to meet beside the limit.

What one operation of each is stands in tests/bench/README.md.
"""

import dataclasses

# How a workload is run (runs.py).
PLAIN, SERVER, HTTP, FILE, SIZE, START = "plain", "server", "http", "file", "size", "start"

CPU, LATE, MEMORY = "cpu_ns_per_op", "p99_us", "bytes_per_op"
UNITS = {CPU: "ns", LATE: "µs", MEMORY: "bytes", "bytes": "bytes", "start_us": "µs"}


LIMIT = "limit"  # the peer that all are compared to


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    program: str
    kind: str = PLAIN
    arguments: dict[str, int] = dataclasses.field(default_factory=dict, hash=False)
    metric: str = CPU
    load: str = ""            # SERVER: the program that loads it
    base: str = ""            # the row of the limit that it is compared to, if not this one
    bar: float | None = None  # at most so many times the limit
    bar_absolute: float | None = None  # or at most so much

    @property
    def unit(self) -> str:
        return UNITS[self.metric]


def echo(connections: int) -> Workload:
    return Workload(f"echo_{connections}", "echo", SERVER, {"connections": connections},
                    load="echo_load", bar=1.05)


WORKLOADS = [
    Workload("yield_1", "yield", arguments={"coroutines": 1}, bar=1.6),
    Workload("yield_1000", "yield", arguments={"coroutines": 1000}, bar=1.4),
    Workload("spawn_join", "spawn_join", bar=3.5),
    Workload("sleep_exact", "sleep", arguments={"sleepers": 10_000}, bar=0.8),
    Workload("sleep_slack", "sleep", arguments={"sleepers": 10_000, "slack_us": 1000},
             base="sleep_exact", bar=0.25),
    Workload("tick", "tick", metric=LATE, bar=1.1),
    Workload("with_timeout_task", "with_timeout_task", bar=2.5),
    Workload("with_timeout_leaf", "with_timeout_leaf", bar=1.4),
    Workload("queue_1_1", "queue", arguments={"producers": 1, "consumers": 1}, bar=1.1),
    Workload("queue_4_4", "queue", arguments={"producers": 4, "consumers": 4}, bar=1.1),
    Workload("semaphore", "semaphore", bar=1.6),
    Workload("mutex", "mutex", bar=1.8),
    Workload("gather", "gather"),
    echo(1),
    echo(64),
    echo(1000),
    Workload("udp_echo", "udp_echo", SERVER, load="udp_load"),
    Workload("file_read_cached", "file_read", FILE, {"direct": 0}, bar=1.1),
    Workload("file_read_direct", "file_read", FILE, {"direct": 1}, bar=1.05),
    Workload("append_fsync", "append_fsync", FILE, bar=1.1),
    Workload("http_get_keep_alive", "http_get", HTTP, {"keep_alive": 1}, bar=1.1),
    Workload("http_get_close", "http_get", HTTP, {"keep_alive": 0}, bar=1.1),
    Workload("sleeping_tasks", "sleeping_tasks", metric=MEMORY, bar_absolute=288),
    Workload("hello_size", "hello", SIZE, metric="bytes"),
    Workload("hello_start", "hello", START, metric="start_us"),
]

class Unknown(Exception):
    pass


def chosen(names: list[str]) -> list[Workload]:
    """By name, or by program: "echo" is all three; and the rows that they are compared to. None
    named: all."""
    found = [each for each in WORKLOADS if not names or {each.name, each.program} & set(names)]
    known = {name for each in found for name in (each.name, each.program)}
    if unknown := [name for name in names if name not in known]:
        raise Unknown(f"no such workload: {', '.join(unknown)}")
    bases = {each.base for each in found}
    return [each for each in WORKLOADS if each in found or each.name in bases]
