"""What the programs for fio share: fio, run with io_uring, and its CPU time."""

import json
import resource
import shutil
import subprocess
import sys

PROGRAM = shutil.which("fio")
SKIPPED = 77

# As fio's users do who care for speed.
FAST = ["--ioengine=io_uring", "--fixedbufs=1", "--registerfiles=1", "--disable_slat=1"]


def children_cpu_ns() -> int:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round((used.ru_utime + used.ru_stime) * 1e9)


def run(*options: str) -> tuple[dict, int]:
    """The job's part of fio's report, and the CPU time of all of fio."""
    if PROGRAM is None:
        print("skipped: there is no fio")
        sys.exit(SKIPPED)
    before = children_cpu_ns()
    command = [PROGRAM, "--name=bench", "--bs=4k", "--output-format=json", *FAST, *options]
    done = subprocess.run(command, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(1)  # it has said why
    return json.loads(done.stdout)["jobs"][0], children_cpu_ns() - before


def latencies(found: dict) -> str:
    nanoseconds = found["percentile"]
    shares = {"p50_us": "50.000000", "p99_us": "99.000000", "p999_us": "99.900000"}
    return " ".join(f"{name}={nanoseconds[share] / 1000:.1f}" for name, share in shares.items())
