#!/usr/bin/env python3
"""The cases that run in simulation ask nothing of Linux but memory: strace sees no other call.

Usage: no_io_test.py KERNEL_CASES PROGRAM...    (GoogleTest programs)

KERNEL_CASES are GoogleTest patterns of the cases that need Linux, and are left out here. The others
may print on standard output and error, from the first line that GoogleTest prints to the end of the
process, and do nothing else: no file, socket, ring, thread or process, no sleep.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

KERNEL_CASES, *PROGRAMS = sys.argv[1:]
del sys.argv[1:]
IN_SIMULATION = f"-{KERNEL_CASES}"
SKIPPED = 77
# What a case asks for it asks for with each seed.
FEW_SEEDS = {**os.environ, "RINGLET_SEEDS": "2"}
# Of one program: a hang, or something that waits in real time. On idle cores each of a debug build
# takes seconds; a busy machine is not what this is about.
PATIENCE_S = 300

MEMORY = {"brk", "madvise", "mprotect", "mremap", "munmap"}
HARMLESS = {"exit_group", "getpid", "prlimit64", "rt_sigaction"}
CALL = re.compile(r"(?:\d+ +)?(\w+)\(")
# With poll, the log looks whether standard error has room.
OUTPUT = re.compile(r"(?:\d+ +)?(write\([12],|poll\(\[\{fd=2, events=POLLOUT\}\], 1,)")
CASE = re.compile(r'"\[ RUN      \] (\S+)\\n')
RUNNING = re.compile(r"\[==========\] Running (\d+) tests? from")


def name_of(program):
    return os.path.basename(program)


def is_allowed(call, line):
    if call == "mmap":
        return "MAP_ANONYMOUS" in line
    return call in MEMORY or call in HARMLESS or bool(OUTPUT.match(line))


def breaches(trace):
    """`case: call` for each case of a trace and each kind of call that it may not make."""
    found = {}
    case = None  # before GoogleTest's first line: the loader's and the C library's own start
    for line in trace:
        call = CALL.match(line)
        if OUTPUT.match(line):
            case = case or "before the first case"
            if begun := CASE.search(line):
                case = begun[1]
        elif case and call and not is_allowed(call[1], line):
            found.setdefault(f"{case}: {call[1]}", line.strip())
    return found


def traced(program, cases):
    """What a program does that it may not, by strace."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace")
        done = subprocess.run(["strace", "-f", "-qq", "-s", "200", "-o", path, program,
                               f"--gtest_filter={cases}"], timeout=PATIENCE_S, env=FEW_SEEDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        with open(path, errors="replace") as trace:
            return done, breaches(trace)


class Simulated(unittest.TestCase):
    def test_cases_ask_nothing_of_linux(self):
        cases = 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            traces = [pool.submit(traced, program, IN_SIMULATION) for program in PROGRAMS]
            for program, trace in zip(PROGRAMS, traces):
                with self.subTest(name_of(program)):
                    done, found = trace.result()
                    self.assertFalse(found, "\n" + "\n".join(f"{case}\n    {line}"
                                                             for case, line in found.items()))
                    self.assertEqual(done.returncode, 0, done.stdout)
                    running = RUNNING.search(done.stdout)
                    self.assertTrue(running, done.stdout)
                    cases += int(running[1])
        print(f"{cases} cases in {len(PROGRAMS)} programs", flush=True)
        self.assertGreater(cases, 1000)

    # Or a trace that nobody understood would pass, too.
    def test_a_case_that_asks_is_seen(self):
        asking = [program for program in PROGRAMS if name_of(program) == "sync_queue_test"]
        self.assertTrue(asking)
        _, found = traced(asking[0], "*_kernel")
        self.assertTrue([case for case in found if case.endswith("_kernel: io_uring_setup")], found)


def reason_to_skip():
    if shutil.which("strace") is None:
        return "there is no strace"
    if subprocess.run(["strace", "-o", os.devnull, "true"], stderr=subprocess.DEVNULL).returncode:
        return "strace may not trace here"
    return None


if __name__ == "__main__":
    if reason := reason_to_skip():
        print("skipped:", reason)
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
