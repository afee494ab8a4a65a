#!/usr/bin/env python3
"""hello says what it shall, also in its sealed build, which ends with status 99 if it allocates
while it runs; and a program that does allocate ends so.

Usage: sealed_test.py HELLO SEALED_HELLO [SEAL_BREAKER]
"""

import subprocess
import sys

LIMIT_S = 60
NO_IO_URING = 69


def run(program: str) -> subprocess.CompletedProcess:
    done = subprocess.run([program], capture_output=True, text=True, timeout=LIMIT_S)
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
    for program in sys.argv[3:]:
        done = run(program)
        if done.returncode != 99 or "seal: operator new while the runtime runs" not in done.stderr:
            sys.exit(f"{program}: status {done.returncode}, not 99, stderr:\n{done.stderr}")


main()
