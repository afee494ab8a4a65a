#!/usr/bin/env python3
"""tools/test looks at its arguments before it installs anything, and who is stopped ends what it has
begun.

Usage: run_tests_test.py SOURCE_ROOT
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
PATIENCE_S = 60


def test_tool(*arguments):
    return subprocess.run([ROOT / "tools/test", *arguments], capture_output=True, text=True,
                          timeout=PATIENCE_S)


def needed_boards(*arguments):
    done = subprocess.run([sys.executable, ROOT / "tools/run_tests.py", "--boards", *arguments],
                          capture_output=True, text=True, check=True)
    return done.stdout.split()


class Arguments(unittest.TestCase):
    def test_help_and_mistakes_install_nothing(self):
        for argument, status in (("--help", 0), ("--onyl", 2)):
            done = test_tool(argument)
            self.assertEqual(done.returncode, status)
            self.assertIn("usage: tools/test", done.stdout + done.stderr)
            self.assertNotIn("setup:", done.stdout)

    def test_each_build_needs_its_own_board(self):
        self.assertEqual(needed_boards("--quick"), [])
        self.assertEqual(needed_boards("--only=gcc-debug", "--only", "qemu-armv7-clang"),
                         ["--board", "qemu-armv7"])
        self.assertIn("raspberry-pi-4", needed_boards())


class Stopped(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.tree = pathlib.Path(scratch.name)
        for folder in ("tools", "boards"):
            shutil.copytree(ROOT / folder, self.tree / folder,
                            ignore=shutil.ignore_patterns("__pycache__"))
        self.meson = self.tree / "bin/meson"
        self.meson.parent.mkdir()

    def tool(self, *arguments):
        environment = {**os.environ, "PATH": f"{self.meson.parent}:{os.environ['PATH']}",
                       "XDG_CACHE_HOME": str(self.tree / "cache")}
        return subprocess.Popen([sys.executable, self.tree / "tools/run_tests.py", *arguments],
                                env=environment, stdout=subprocess.PIPE, text=True)

    def test_ends_what_it_has_begun(self):
        noted = self.tree / "pid"
        self.meson.write_text(f"#!/bin/sh\necho $$ > {noted}.new\nmv {noted}.new {noted}\n"
                              "exec sleep 600\n")
        self.meson.chmod(0o755)
        with self.tool("--quick") as tool:
            end = time.monotonic() + PATIENCE_S
            while not noted.exists():
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
            tool.send_signal(signal.SIGTERM)
            self.assertEqual(tool.wait(PATIENCE_S), 128 + signal.SIGTERM)
        with self.assertRaises(ProcessLookupError):
            os.kill(int(noted.read_text()), 0)

    def test_a_build_that_was_asked_for_and_cannot_be_had_is_a_failure(self):
        with self.tool("--only", "qemu-armv7") as tool:
            output, _ = tool.communicate(timeout=PATIENCE_S)
        self.assertIn("FAILED qemu-armv7", output)
        self.assertEqual(output.splitlines()[-1], "0 passed, 1 failed, 0 skipped")
        self.assertEqual(tool.returncode, 1)


unittest.main(verbosity=2)
