#!/usr/bin/env python3
"""RINGLET_REPORT: real processes write what their runs have used at most.

Usage: report_test.py REPORT_HELPER    (built from report_helper.cpp)
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import unittest

HELPER = sys.argv.pop(1)
EXIT_UNAVAILABLE = 69
EXIT_NESTED_RUN = 70
SKIPPED = 77
PATIENCE_S = 120
FILE_LIMIT = 1024  # bytes, less than a report


def run(what="", report=None, file_limit=None):
    environment = {name: value for name, value in os.environ.items() if name != "RINGLET_REPORT"}
    if report is not None:
        environment["RINGLET_REPORT"] = str(report)
    hard_limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    def limit_files():
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, hard_limit))

    return subprocess.run([HELPER, what], capture_output=True, text=True, env=environment,
                          timeout=PATIENCE_S, preexec_fn=limit_files)


def printed(done):
    """What the program itself knows."""
    return {name: int(value) for name, value in map(str.split, done.stdout.splitlines())}


class Report(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.file = pathlib.Path(scratch.name) / "report.jsonl"

    def test_it_is_what_the_program_reads(self):
        done = run(report=self.file)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = self.file.read_text()
        self.assertEqual(text.count("\n"), 1)
        found = json.loads(text)
        self.assertEqual({name: found[name]["max"] for name in printed(done)}, printed(done))
        self.assertEqual(found["tasks"], {"limit": 16, "max": 5})
        self.assertEqual(found["operations"]["limit"], 32)
        self.assertEqual(found["descriptors"], {"limit": 16, "max": 0})
        self.assertEqual(found["worker_jobs"]["limit"], 8)
        self.assertGreaterEqual(found["worker_jobs"]["max"], 1)
        self.assertEqual(found["posts"], {"limit": 4, "max": 0})
        self.assertGreaterEqual(found["timers"]["max"], 5)
        self.assertEqual([(each["bytes"], each["count"]) for each in found["frames"]],
                         [(128, 24), (256, 24), (512, 4)])
        self.assertEqual(found["frame_bytes"]["limit"], 128 * 24 + 256 * 24 + 512 * 4)
        self.assertGreaterEqual(sum(each["live_max"] for each in found["frames"]), 10)
        self.assertTrue(0 < found["stack_bytes"]["max"] <= found["stack_bytes"]["seen"])
        self.assertTrue(0 < found["worker_stack_bytes"]["max"])
        self.assertFalse(found["completions_overflowed"])

    def test_each_run_adds_a_line(self):
        self.assertEqual(run("twice", self.file).returncode, 0)
        self.assertEqual(run(report=self.file).returncode, 0)
        lines = self.file.read_text().splitlines()
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertEqual(json.loads(line)["tasks"]["max"], 5)

    def test_a_dash_is_standard_error(self):
        done = run(report="-")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(json.loads(done.stderr)["ringlet_report"], 1)
        self.assertNotIn("ringlet_report", done.stdout)

    def test_unasked_there_is_none_and_stacks_are_not_measured(self):
        done = run()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(printed(done)["stack_bytes"], 0)
        self.assertEqual(printed(done)["worker_stack_bytes"], 0)

    def test_a_file_that_cannot_be_written_is_told_and_no_failure(self):
        place = self.file / "no-folder"
        done = run(report=place)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, rf"\Aerror: {place}: the report cannot be written: .+\n\Z")

    def test_a_full_disk_is_told_and_leaves_no_half_of_a_line(self):
        before = "x" * (FILE_LIMIT - 100) + "\n"
        self.file.write_text(before)
        done = run(report=self.file, file_limit=FILE_LIMIT)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"report cannot be written: No space left")
        self.assertEqual(self.file.read_text(), before)

    def test_a_run_that_did_not_begin_adds_nothing(self):
        done = run("refused", self.file)
        self.assertEqual(done.returncode, EXIT_NESTED_RUN)
        self.assertEqual(self.file.read_text().count("\n"), 1)


if __name__ == "__main__":
    if run().returncode == EXIT_UNAVAILABLE:
        print("skipped: io_uring cannot be used here")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
