#!/usr/bin/env python3
"""tools/budget on programs of a build: it says what size(1) says, what the frame pool saw at run
time, what the program was built with, and what the kernel maps.

Usage: program_budget_test.py SOURCE_ROOT FRAME_SIZES REPORT_HELPER PROGRAM... [-- RUNNER...]
RUNNER runs a board's programs on this machine, without io_uring.
"""

import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

EXIT_UNAVAILABLE = 69
PATIENCE_S = 120

ARGUMENTS, RUNNER = sys.argv[1:], []
if "--" in ARGUMENTS:
    at = ARGUMENTS.index("--")
    ARGUMENTS, RUNNER = ARGUMENTS[:at], ARGUMENTS[at + 1:]
del sys.argv[1:]
ROOT, FRAME_SIZES, REPORT_HELPER, *PROGRAMS = map(pathlib.Path, ARGUMENTS)
PROGRAMS += [FRAME_SIZES, REPORT_HELPER]

sys.path.insert(0, str(ROOT / "tools"))
from budgets import limits  # noqa: E402


@functools.cache
def found(program, *more):
    done = subprocess.run([ROOT / "tools/budget", program, *more, "--json"], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run(*command, **environment):
    return subprocess.run([*RUNNER, *command], capture_output=True, text=True, timeout=PATIENCE_S,
                          env=os.environ | environment)


class ProgramBudget(unittest.TestCase):
    def run_on_kernel(self, *command, **environment):
        if RUNNER:
            self.skipTest("no io_uring under an emulator")
        done = run(REPORT_HELPER, *command, **environment)
        if done.returncode == EXIT_UNAVAILABLE:
            self.skipTest("io_uring cannot be used here")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_totals_are_those_of_size(self):
        for program in PROGRAMS:
            with self.subTest(program.name):
                printed = subprocess.run(["size", program], capture_output=True, text=True,
                                         check=True).stdout.splitlines()[1].split()
                text, data, bss = map(int, printed[:3])
                self.assertEqual(found(program)["code"]["bytes"], text)
                self.assertEqual(found(program)["static"]["bytes"], data + bss)
                for kind in ["code", "static", "kernel"]:
                    self.assertEqual(sum(found(program)[kind]["parts"].values()),
                                     found(program)[kind]["bytes"])

    def test_frames_have_the_sizes_that_the_pool_saw(self):
        done = run(FRAME_SIZES)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        seen = {name: int(size) for size, name in (line.split(" ", 1)
                                                   for line in done.stdout.splitlines())}
        self.assertGreaterEqual(len(seen), 15)
        recorded = found(FRAME_SIZES)["frames"]
        self.assertIsNotNone(recorded, found(FRAME_SIZES)["notes"])
        # In a debug build the program is optimised, but the library is not, and has no records.
        of_library = {name for name in seen if name.startswith("ringlet::")}
        checked = {name: size for name, size in seen.items()
                   if name not in of_library or name in recorded}
        self.assertEqual({name: recorded.get(name) for name in checked}, checked)

    def test_limits_are_those_of_the_source(self):
        made, = found(REPORT_HELPER)["limits"]
        for name, value in {"tasks": 16, "operations": 32, "descriptors": 16, "inline_awaits": 128,
                            "bounded_workers": 2, "unbounded_workers": 4, "workers": 1,
                            "worker_stack_bytes": 65536, "worker_jobs": 8, "posts": 4,
                            "post_bytes": 48, "stop_limit_ms": 10000, "await_tree_signal": 10,
                            "lock_memory": 0}.items():
            self.assertEqual((name, made[name]), (name, value))
        self.assertEqual(made["frames"], [[128, 24], [256, 24], [512, 4]])
        runtime = found(REPORT_HELPER)["static"]["parts"]["Runtime"]
        self.assertEqual(made["runtime_bytes"], runtime)

    def test_a_small_runtime_takes_under_16_kib_besides_frames(self):
        made, = found(REPORT_HELPER)["limits"]
        parts = found(REPORT_HELPER)["static"]["parts"]
        own = sum(size for name, size in parts.items()
                  if name == "Runtime" or name.startswith("ringlet"))
        stack = next(row["bytes"] for row in made["costs"] if row["bound"] == "workers")
        stack -= limits.KERNEL_STACK_BYTES[found(REPORT_HELPER)["architecture"]]
        self.assertLess(own - limits.frame_bytes(made["frames"]) - stack, 16 * 1024, parts)

    def test_the_kernel_maps_what_is_computed(self):
        mappings = []
        for line in self.run_on_kernel("maps"):
            first, last = (int(address, 16) for address in line.split()[0].split("-"))
            mappings.append(last - first)
        submissions, completions = 2 * (32 + 4), 2 * (32 + 4) + 16 + 64
        rings = limits.rings_bytes(submissions, completions)
        # With newer kernels and liburing there are no indexes.
        without_indexes = rings - 4 * limits.power_of_two(submissions)
        self.assertIn(sorted(mappings), [
            sorted([limits.pages(limits.queue_bytes(submissions)), limits.pages(size)])
            for size in (rings, without_indexes)])
        kernel = found(REPORT_HELPER)["kernel"]["parts"]
        self.assertLessEqual(sum(mappings), kernel["submission queue"] + kernel["rings"])

    def test_limits_are_proposed_from_a_run(self):
        with tempfile.TemporaryDirectory() as scratch:
            report = os.path.join(scratch, "report.jsonl")
            self.run_on_kernel(RINGLET_REPORT=report)
            observed, = found(REPORT_HELPER, "--observed", report)["observed"]
        self.assertEqual(observed["runs"], 1)
        self.assertEqual(observed["marks"]["tasks"], 5)
        self.assertEqual(observed["proposed"]["tasks"], 7)
        self.assertLess(observed["frame_bytes_proposed"],
                        limits.frame_bytes(observed["limits"]["frames"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
