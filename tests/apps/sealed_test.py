#!/usr/bin/env python3
"""hello says what it shall, also in its sealed build, which ends with status 99 if it allocates
while it runs. A program that does allocate, or map memory, ends so, and with the trap is aborted
where it does; both name the function.

Usage: sealed_test.py HELLO SEALED_HELLO [SEAL_BREAKER TRAP_BREAKER]
"""

import re
import signal
import subprocess
import sys

LIMIT_S = 60
NO_IO_URING = 69
BREACH = 99


def run(*command: str) -> subprocess.CompletedProcess:
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    if done.returncode == NO_IO_URING:
        print("skipped: " + done.stderr.strip())
        sys.exit(77)
    return done


def main() -> None:
    for program in sys.argv[1:3]:
        done = run(program)
        words = "".join(f"info: hello {number}\n" for number in (1, 2, 3))
        if (done.returncode, done.stdout, done.stderr) != (0, "", words):
            sys.exit(f"{program}: status {done.returncode}, stderr:\n{done.stderr}")
    for program, status in zip(sys.argv[3:], (BREACH, -signal.SIGABRT)):
        for arguments, call, function in (([], "operator new", "allocate_late"),
                                          (["map"], "mmap", "map_late")):
            done = run(program, *arguments)
            named = f"seal: {call} while the runtime runs" in done.stderr and re.search(
                rf"^seal:   \S+\(0x[0-9a-f]+\) .*{function}", done.stderr, re.M)
            if done.returncode != status or not named:
                sys.exit(f"{program}: status {done.returncode}, not {status}, or {function} is not"
                         f" named; stderr:\n{done.stderr}")


main()
