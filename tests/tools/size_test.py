#!/usr/bin/env python3
"""docs/size.md tells the truth: the table is whole, its bar holds, and what the small build gives
now is what stands there, for the smallest app and a usual one. In a build of its own.

Usage: size_test.py SOURCE_ROOT, with the compiler in $CXX
"""

import os
import pathlib
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
PAGE = ROOT / "docs/size.md"
CXX = shlex.split(os.environ.get("CXX", "c++"))
COMPILER = "12"  # the table's
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (\w+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", re.M)


def rows():
    return {row[:3]: [int(number.replace(",", "")) for number in row[3:]]
            for row in ROW.findall(PAGE.read_text(encoding="utf-8"))}


def check(*arguments):
    return subprocess.run([ROOT / "tools/size", "--check", *arguments], capture_output=True,
                          text=True)


class Page(unittest.TestCase):
    def test_has_each_app_for_each_processor_in_both_ways(self):
        apps = ("hello", "pipeline", "timeout", "fetch", "station")
        self.assertEqual(set(rows()), {(app, processor, linked)
                                       for app in apps
                                       for processor in ("x86_64", "aarch64", "armv7")
                                       for linked in ("dynamic", "static")})

    def test_parts_are_those_of_the_size_in_the_table(self):
        shown = re.search(r"^code: ([\d,]+) bytes$", PAGE.read_text(encoding="utf-8"), re.M)
        self.assertEqual(int(shown[1].replace(",", "")), rows()["hello", "aarch64", "dynamic"][0])

    def test_hello_is_below_its_bar(self):
        for processor in ("x86_64", "aarch64", "armv7"):
            text, data, _ = rows()["hello", processor, "dynamic"]
            self.assertLess(text + data, 64 * 1024, processor)


class Check(unittest.TestCase):
    def setUp(self):
        version = subprocess.run([*CXX, "-dumpversion"], capture_output=True, text=True).stdout
        if version.strip() != COMPILER or platform.machine() != "x86_64":
            self.skipTest(f"the table is of GCC {COMPILER} on x86-64")
        if not list((ROOT / "subprojects").glob("packagecache/cJSON-*")):
            self.skipTest("tools/setup has not packed the archive of subprojects/cjson.wrap")

    def test_finds_what_stands_there(self):
        usual = ["--board", "host", "--app", "hello", "--app", "pipeline", "--linked", "dynamic"]
        done = check(*usual)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # One number that is wrong by more than the tolerance is seen.
        text = rows()["pipeline", "x86_64", "dynamic"][0]
        with tempfile.TemporaryDirectory() as folder:
            wrong = pathlib.Path(folder, "wrong.md")
            larger = f"| {text * 108 // 100:,} |"
            wrong.write_text(PAGE.read_text().replace(f"| {text:,} |", larger))
            done = check(*usual, "--page", wrong)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count("stands there as"), 1)

    def test_finds_the_boards_hello(self):
        done = check("--board", "qemu-aarch64", "--app", "hello", "--linked", "dynamic")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        if "left out" in done.stdout:
            self.skipTest(done.stdout.strip())


if __name__ == "__main__":
    unittest.main(verbosity=2)
