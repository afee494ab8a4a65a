"""How many instructions an operation has outside the kernel: callgrind counts those of a run and of
one twice as long, so that neither start nor end counts. The same program on the same machine has
the same count each time, whatever else runs there."""

import concurrent.futures
import pathlib
import re
import shutil
import subprocess

from benches import processes, workloads

OPS = 10_000
WARM_UP_SHARE = 0.1  # tests/bench/README.md
LIMIT_S = 120
NO_IO_URING = 69  # exit status
# Of the workloads those whose instructions depend on nothing but the program.
WORKLOADS = ["yield_1", "yield_1000", "spawn_join", "with_timeout_task", "with_timeout_leaf",
             "queue_1_1", "queue_4_4", "semaphore", "mutex", "gather"]

Counts = dict[str, float]


class Impossible(Exception):
    """Nothing can be counted here; the text says why."""


def commands(build: pathlib.Path) -> dict[str, list[str]]:
    """What is run for each hot path."""
    folder = build / "tests/bench"
    found = {}
    for each in workloads.chosen(WORKLOADS):
        if each.name in WORKLOADS:
            found[each.name] = [str(folder / "ringlet" / each.program),
                                *processes.as_arguments(each.arguments)]
    socket = str(folder / "instructions/socket")
    return found | {"socket_receive": [socket, "--pooled", "0"],
                    "socket_receive_pooled": [socket, "--pooled", "1"]}


def _collected(command: list[str], ops: int) -> int:
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run([*valgrind, *command, "--ops", str(ops)], capture_output=True, text=True,
                          errors="replace", timeout=LIMIT_S)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode == NO_IO_URING:
        raise Impossible(f"no io_uring here: {processes.last_lines(done.stderr)}")
    if done.returncode != 0 or found is None:
        said = processes.last_lines(done.stdout + done.stderr)
        raise processes.Failed(f"{command[0]} under valgrind: status {done.returncode}\n{said}")
    return int(found[1])


def count(command: list[str]) -> float:
    """Instructions an operation."""
    short, long = _collected(command, OPS), _collected(command, 2 * OPS)
    return (long - short) / (OPS * (1 + WARM_UP_SHARE))


def count_all(build: pathlib.Path) -> Counts:
    if shutil.which("valgrind") is None:
        raise Impossible("there is no valgrind: tools/setup --tests")
    wanted = commands(build)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return {name: round(found, 1)
                for name, found in zip(wanted, pool.map(count, wanted.values()))}


def read(path: pathlib.Path) -> dict[str, Counts]:
    """By whose code it is: "gcc-12-x86_64"."""
    found: dict[str, Counts] = {}
    for line in path.read_text().splitlines():
        whose, name, counted = line.split()
        found.setdefault(whose, {})[name] = float(counted)
    return found


def write(path: pathlib.Path, counts: dict[str, Counts]) -> None:
    path.write_text("".join(f"{whose} {name} {counted}\n" for whose, own in sorted(counts.items())
                            for name, counted in sorted(own.items())))
