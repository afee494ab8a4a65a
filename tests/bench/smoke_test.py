#!/usr/bin/env python3
"""Each benchmark of Ringlet and of the limit, so short that it measures nothing: it must run, and
its result make sense. One line a workload and peer.

Usage: smoke_test.py SOURCE_ROOT BUILD_ROOT
"""

import pathlib
import sys
import tempfile

SKIPPED, UNAVAILABLE = 77, 69
SOURCE, BUILD = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
SMALL = {"ops": 1000, "seconds": 1, "ticks": 20, "sleepers": 100, "starts": 2}
FILE_BYTES = 4 << 20

sys.path.insert(0, str(SOURCE / "tools"))
from benches import peers, processes, results, runs, workloads  # noqa: E402


def fault(bench: runs.Bench, workload: workloads.Workload, peer: peers.Peer) -> str:
    """Empty if it is as it should be."""
    command = peer.command(workload.program)
    if command is None:
        return "there is no such program"
    try:
        runs.measure(bench, workload, command)
    except processes.Missing as problem:
        print(f"left out: {workload.name} of {peer.name}: {problem}")
    except (processes.Failed, results.Nonsense) as problem:
        return str(problem)
    return ""


def main() -> int:
    chosen = peers.chosen(["limit", "ringlet"], BUILD, SOURCE)
    try:
        processes.run(chosen[1].command("hello"), processes.cores()[0])
    except processes.Failed as problem:
        if f"exit status {UNAVAILABLE}" in str(problem):
            print(f"no io_uring here: {problem}")
            return SKIPPED
        print(problem)
        return 1
    faults = []
    with tempfile.TemporaryDirectory(prefix="ringlet-bench-", dir=BUILD) as scratch:
        bench = runs.Bench(BUILD / "tests/bench/load", pathlib.Path(scratch), FILE_BYTES, SMALL)
        for workload in workloads.WORKLOADS:
            for peer in chosen:
                problem = fault(bench, workload, peer)
                print(f"{workload.name} of {peer.name}: {problem or 'ok'}", flush=True)
                if problem:
                    faults.append(problem)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


sys.exit(main())
