#!/usr/bin/env python3
"""Ringlet's hot paths have about as many instructions as recorded.txt says. Prints a line a path.
Each compiler's code has counts of its own; without a record of them, it skips.

Usage: instructions_test.py SOURCE_ROOT BUILD_ROOT COMPILER [--record]

With --record, the compiler's part of recorded.txt is written anew.
"""

import argparse
import pathlib
import shlex
import sys

SKIPPED = 77
MORE_MAX, LESS_MAX = 0.03, 0.10
RECORD = pathlib.Path(__file__).resolve().parent / "recorded.txt"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("compiler")
    parser.add_argument("--record", action="store_true")
    return parser.parse_args()


def fault(recorded: float | None, counted: float | None) -> str:
    """Empty if it is as it should be."""
    if recorded is None or counted is None:
        return "not recorded" if recorded is None else "recorded, and not counted any more"
    change = counted / recorded - 1
    if change > MORE_MAX:
        return f"{change:.1%} more than recorded"
    if change < -LESS_MAX:
        return f"{-change:.1%} less: record that, so that it stays so"
    return ""


def compare(recorded: dict[str, float], counted: dict[str, float]) -> int:
    """How many are not as they should be."""
    faults = 0
    for name in sorted(recorded | counted):
        problem = fault(recorded.get(name), counted.get(name))
        faults += bool(problem)
        print(f"{name}: {counted.get(name)}, recorded {recorded.get(name)}: {problem or 'ok'}")
    return faults


def main() -> int:
    arguments = parse_arguments()
    sys.path.insert(0, str(arguments.source / "tools"))
    from benches import instructions, processes

    recorded = instructions.read(RECORD)
    own = recorded.get(arguments.compiler, {})
    if not own and not arguments.record:
        print(f"no counts of {arguments.compiler} are recorded")
        return SKIPPED
    try:
        counted = instructions.count_all(arguments.build)
    except instructions.Impossible as problem:
        print(problem)
        return SKIPPED
    except processes.Failed as problem:
        print(problem)
        return 1
    faults = compare(own, counted)
    if arguments.record:
        instructions.write(RECORD, recorded | {arguments.compiler: counted})
        return 0
    if faults:
        print(f"If that is meant: python3 {shlex.join(sys.argv)} --record")
    return 1 if faults else 0


sys.exit(main())
