#!/usr/bin/env python3
"""Runs a libFuzzer program for so many seconds, beginning with a copy of its corpus, and prints the
input of what it finds. The seed is fixed; how far a run comes depends on the machine.

To try an input again, write it to a file:  build/.../NAME_fuzz FILE
To make a corpus smaller:                   build/.../NAME_fuzz -merge=1 NEW_FOLDER OLD_FOLDERS...

Usage: fuzz_test.py PROGRAM CORPUS SECONDS
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

SEED = 1
INPUT_BYTES_MAX = 1024
INPUT_SECONDS_MAX = 10   # one input that takes longer is a finding
MEMORY_MAX_MIB = 1024
GRACE_SECONDS = 60       # for start, and for the last input
OUTPUT_LINES_MAX = 60


def last_lines(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-OUTPUT_LINES_MAX:])


def show(path: pathlib.Path) -> None:
    content = path.read_bytes()
    print(f"\n{path.name}: {len(content)} bytes")
    print(f"  hex     {content.hex(' ')}")
    print(f"  escaped {content!r}")


def main() -> int:
    program, corpus, seconds = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    seeds = sorted(path for path in corpus.iterdir() if path.is_file())
    if not seeds:
        print(f"no seeds in {corpus}")
        return 1
    with tempfile.TemporaryDirectory(prefix="ringlet-fuzz-") as scratch:
        inputs, found = pathlib.Path(scratch, "inputs"), pathlib.Path(scratch, "found")
        found.mkdir()
        shutil.copytree(corpus, inputs)  # new inputs go there, not into the tree
        command = [program, f"-seed={SEED}", f"-max_total_time={seconds}",
                   f"-max_len={INPUT_BYTES_MAX}", f"-timeout={INPUT_SECONDS_MAX}",
                   f"-rss_limit_mb={MEMORY_MAX_MIB}", f"-artifact_prefix={found}/",
                   "-print_final_stats=1", inputs]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=seconds + GRACE_SECONDS)
        except subprocess.TimeoutExpired as expired:
            print(last_lines((expired.output or b"").decode(errors="replace")))
            print("does not end")
            return 1
        print(last_lines(done.stdout.decode(errors="replace")))
        artifacts = sorted(found.iterdir())
        for path in artifacts:
            show(path)
        print(f"{len(seeds)} seeds, {len(list(inputs.iterdir()))} inputs in the end, "
              f"exit status {done.returncode}")
        return 1 if done.returncode or artifacts else 0


sys.exit(main())
