#!/usr/bin/env python3
"""kernel_check finds all that Ringlet relies on in the kernel that runs, and asks for each
operation that the sources submit.

Usage: kernel_check_test.py KERNEL_CHECK SOURCE_ROOT
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

KERNEL_CHECK, SOURCE_ROOT = (sys.argv.pop(1) for _ in range(2))
EXIT_UNAVAILABLE = 69
SKIPPED = 77

STEPS = ["nop", "timeout", "wait", "pipe read", "cancel", "poll", "accept"]
# liburing's helpers that are not called as their opcode is.
OPCODES = {"cancel64": "async_cancel", "unlink": "unlinkat", "recv_multishot": "recv"}


def submitted():
    """The opcodes that the runtime and the drivers prepare."""
    for top in ["runtime", "drivers"]:
        for path in pathlib.Path(SOURCE_ROOT, top).rglob("*.[ch]pp"):
            if "testing" in path.parts:
                continue
            for helper in re.findall(r"::io_uring_prep_(\w+)\(", path.read_text(encoding="utf-8")):
                yield OPCODES.get(helper, helper)


class KernelCheck(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        done = subprocess.run([KERNEL_CHECK], capture_output=True, text=True, timeout=60)
        cls.lines = done.stdout.splitlines()
        if done.returncode == EXIT_UNAVAILABLE:
            print("skipped:", cls.lines[-1])
            sys.exit(SKIPPED)
        cls.done = done

    def test_ends_well_and_says_nothing_else(self):
        self.assertEqual((self.done.returncode, self.done.stderr), (0, ""))

    def test_names_the_kernel(self):
        self.assertEqual(self.lines[0], f"kernel {os.uname().release} {os.uname().machine}")

    def test_finds_all_steps_and_facts(self):
        self.assertEqual(self.lines[1 : 1 + len(STEPS)], [f"{step} ok" for step in STEPS])
        self.assertEqual([line for line in self.lines[1:] if not line.endswith(" ok")], [])

    def test_asks_for_each_operation_that_is_submitted(self):
        asked = re.findall(r"^op (\w+) ", "\n".join(self.lines), re.M)
        self.assertEqual(sorted(asked), sorted(set(submitted())))


if __name__ == "__main__":
    unittest.main(verbosity=2)
