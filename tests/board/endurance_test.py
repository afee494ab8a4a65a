#!/usr/bin/env python3
"""A million records over TCP through the pipeline app, on an emulated board with little memory and
one processor: the app takes no page beyond its static storage that it did not have after a tenth
of them, and nothing is lost that is not counted.

Usage: endurance_test.py TOOLS_BOARD BOARD MEMORY_MIB ENDURANCE PIPELINE
"""

import json
import subprocess
import sys

RECORDS = 1_000_000


def main() -> int:
    tool, board, memory_mib, endurance, pipeline = sys.argv[1:]
    command = [tool, "run", board, "--memory", memory_mib, "--cpus", "1", "--", endurance, pipeline,
               str(RECORDS)]
    ended = subprocess.run(command, capture_output=True, text=True)
    print(ended.stdout, ended.stderr, flush=True)
    if ended.returncode:
        return 1
    measured, summary = ended.stdout.splitlines()
    found = {name: int(value) for name, value in
             (word.split("=") for word in measured.split())}
    summary = json.loads(summary)["summary"]
    assert found["status"] == 1, "some records were bad, and so it says"
    assert summary["records"] == found["sent"] == RECORDS, "each line was read"
    assert summary["good"] + summary["bad"] == RECORDS, "each line is counted"
    assert summary["bad"] == found["bad"], "what was bad is counted as such"
    assert 0 < found["end_kib"] == found["tenth_kib"], "no page more or less"
    return 0


sys.exit(main())
