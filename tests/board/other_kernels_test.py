#!/usr/bin/env python3
"""The board's newer kernel runs the ring's conformance tests; the older one is refused in one
sentence; and docs/kernels.md tells the truth about all.

Usage: other_kernels_test.py TOOLS_KERNELS TOOLS_BOARD BOARD KERNEL_CASES HELLO PROGRAM...
"""

import re
import subprocess
import sys

NEWER, OLDER = "6.12", "5.10"
REFUSED = 69
SENTENCE = ("error: io_uring cannot be used: the kernel is older than Linux 6.1; boot a kernel 6.1"
            " or newer (uname -r tells which one runs)\n")


def main() -> int:
    kernels, tool, board, cases, hello, *programs = sys.argv[1:]

    def run(kernel: str, *program: str) -> subprocess.CompletedProcess:
        return subprocess.run([tool, "run", board, "--kernel", kernel, "--", *program],
                              capture_output=True, text=True)

    total = 0
    for program in programs:
        ended = run(NEWER, program, f"--gtest_filter={cases}")
        print(ended.stdout[-3000:], ended.stderr, flush=True)
        passed = re.search(r"^\[  PASSED  \] (\d+) test", ended.stdout, re.M)
        assert ended.returncode == 0 and passed, program
        total += int(passed[1])
    assert total > 50, f"only {total} cases: the filter no longer matches"
    ended = run(OLDER, hello)
    assert (ended.returncode, ended.stdout, ended.stderr) == (REFUSED, "", SENTENCE), ended
    return subprocess.run([kernels, "--compare", board]).returncode


sys.exit(main())
