#!/usr/bin/env python3
"""What tools/board tells of a program on an emulated board, however it ends; and that the next one
runs.

On a machine of its own, a small one: it is brought down several times.

Usage: verdicts_test.py TOOLS_BOARD BOARD MISBEHAVE
"""

import subprocess
import sys
import time
import unittest

TOOL, BOARD, MISBEHAVE = sys.argv[1:]
del sys.argv[1:]
MACHINE = ["--memory", "256", "--cpus", "1", "--hang-after", "10"]
LIMIT_S = 240  # for one that is told within seconds on an idle host


def command(*program, options=()):
    return [TOOL, "run", BOARD, *MACHINE, *options, "--", *program]


def run(*program, options=(), given=b""):
    return subprocess.run(command(*program, options=options), input=given, capture_output=True,
                          timeout=LIMIT_S)


class Verdicts(unittest.TestCase):
    def expect(self, ended, status, words=b""):
        self.assertEqual(ended.returncode, status, ended)
        self.assertIn(words, ended.stderr)

    def expect_next_runs(self):
        self.expect(run("sh", "-c", "exit 7"), 7)

    def test_exit_status_output_and_errors_come_through(self):
        ended = run("sh", "-c", "echo out; echo err >&2; exit 3")
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (3, b"out\n", b"err\n"))

    def test_arguments_come_through_whole(self):
        words = ["", "two words", "a\nline", "'\"$HOME`*", "grün"]
        ended = run("python3", "-c", "import sys; print(sys.argv[1:])", *words)
        self.assertEqual(ended.stdout.decode().strip(), repr(words))

    def test_input_comes_through_and_ends(self):
        given = b"".join(b"%d\n" % number for number in range(200_000))
        ended = run("sh", "-c", "cat", given=given)
        self.assertEqual(ended.returncode, 0)
        self.assertTrue(ended.stdout == given, "what came back is not what was given")

    def test_output_that_nobody_reads_stops_the_program_and_nothing_else(self):
        child = self.start("sh", "-c", "yes", stdout=subprocess.PIPE)
        self.assertEqual(child.stdout.read(4), b"y\ny\n")
        self.expect_next_runs()

    def test_two_streams_that_are_read_slowly_come_through_whole(self):
        script = ("for i in 1 2 3 4; do head -c 500000 /dev/zero & head -c 500000 /dev/zero >&2 &"
                  " done; wait")
        child = self.start("sh", "-c", script, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(2)
        out, err = child.communicate(timeout=LIMIT_S)
        self.assertEqual((child.returncode, len(out), len(err)), (0, 2_000_000, 2_000_000))

    def test_a_reader_that_leaves_ends_the_program_as_here(self):
        child = self.start("sh", "-c", "yes", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.read(4)
        child.stdout.close()
        self.assertEqual(child.wait(LIMIT_S), 141)
        child.stderr.close()

    def test_a_program_whose_client_is_gone_is_ended(self):
        child = self.start("sleep", "3141")
        self.wait_for_process("3141", True)
        child.kill()
        self.wait_for_process("3141", False)

    def start(self, *program, **streams):
        child = subprocess.Popen(command(*program), stdin=subprocess.DEVNULL, **streams)

        def end():
            child.kill()
            child.wait()
            for stream in (child.stdout, child.stderr):
                if stream:
                    stream.close()

        self.addCleanup(end)
        return child

    def wait_for_process(self, words, there):
        end = time.monotonic() + LIMIT_S
        while (words in run("ps").stdout.decode()) != there:
            self.assertLess(time.monotonic(), end)

    def test_a_crash(self):
        ended = run(MISBEHAVE, "crash")
        self.expect(ended, 139, b"Segmentation fault")
        self.assertEqual(ended.stdout, b"about to crash\n")
        self.expect_next_runs()

    def test_a_program_that_does_not_end_in_time(self):
        self.expect(run(MISBEHAVE, "loop", options=["--limit", "2"]), 124, b"within 2 seconds")
        self.expect_next_runs()

    def test_a_panic(self):
        self.expect(run(MISBEHAVE, "panic"), 120, b"Kernel panic")
        self.expect_next_runs()

    def test_a_machine_that_hangs(self):
        self.expect(run(MISBEHAVE, "hang"), 121, b"no answer for 10 seconds")
        self.expect_next_runs()

    def test_a_machine_that_is_turned_off(self):
        self.expect(run("poweroff", "-f"), 122, b"the machine is gone")
        self.expect_next_runs()

    def test_a_program_that_cannot_be_started(self):
        self.expect(run("no-such-program"), 127, b"No such file or directory")
        self.expect(run("./no-such-program"), 125, b"no program")
        self.expect(run("/etc/passwd"), 125, b"sees only what is below")


if __name__ == "__main__":
    unittest.main(verbosity=2)
