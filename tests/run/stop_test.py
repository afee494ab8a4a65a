"""P29, P32: real processes that are stopped, and what they leave on standard error.

usage: stop_test.py <stop_helper>    (built from stop_helper.cpp)
"""
import fcntl
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import tty
import unittest

HELPER = sys.argv.pop(1) if len(sys.argv) > 1 else "stop_helper"
EXIT_UNAVAILABLE = 69
SKIPPED = 77
PATIENCE_S = 60  # what a noisy machine may need for anything


class Child:
    """A running helper, its standard output read up to "ready"."""

    def __init__(self, what, wait_until_ready=True, **options):
        options.setdefault("stderr", subprocess.PIPE)
        self.process = subprocess.Popen([HELPER, what], stdout=subprocess.PIPE, **options)
        if wait_until_ready:
            line = self.process.stdout.readline()
            assert line == b"ready\n", line

    def send(self, number):
        self.process.send_signal(number)

    def end(self):
        """Its exit status, standard output and standard error."""
        try:
            out, error = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, out.decode(), (error or b"").decode()

    def wait(self):
        """Its exit status, where a test holds the other end of its standard error."""
        try:
            return self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(what, **options):
    return Child(what, wait_until_ready=False, **options).end()


class ExitStatus(unittest.TestCase):
    def test_is_main_s_value(self):
        self.assertEqual(run("ends"), (0, "", ""))
        self.assertEqual(run("seven"), (7, "", ""))

    def test_is_1_after_an_error_which_is_logged(self):
        self.assertEqual(run("fails"), (1, "", "error: Input/output error\n"))

    def test_the_log_keeps_its_order_up_to_the_last_line(self):
        self.assertEqual(run("logs-and-fails"), (1, "", "info: before\nerror: Input/output error\n"))

    def test_of_a_nested_run_is_70_and_says_so(self):
        status, _, error = run("nests")
        self.assertEqual(status, 0)
        self.assertEqual(error, "error: run() was called inside run() on the same thread\n")

    def test_a_process_may_run_again_after_an_error(self):
        self.assertEqual(run("twice")[0], 0)


class GracefulStop(unittest.TestCase):
    def stop(self, what, *signals):
        child = Child(what)
        for number in signals:
            child.send(number)
        return child.end()

    def test_sigint_gives_130_and_sigterm_143(self):
        self.assertEqual(self.stop("waits", signal.SIGINT), (130, "main unwound\n", ""))
        self.assertEqual(self.stop("waits", signal.SIGTERM), (143, "main unwound\n", ""))

    # As `app &` in a script has it: a shell without job control ignores SIGINT for it.
    def test_a_sigint_that_the_parent_has_ignored_stays_ignored(self):
        child = Child("waits", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        child.send(signal.SIGINT)
        time.sleep(0.3)
        self.assertIsNone(child.process.poll())
        child.send(signal.SIGTERM)
        self.assertEqual(child.end(), (143, "main unwound\n", ""))

    def test_all_that_is_in_flight_unwinds(self):
        status, out, _ = self.stop("children", signal.SIGTERM)
        self.assertEqual(status, 143)
        self.assertEqual(sorted(out.split("\n")), sorted(
            ["", "first unwound", "left unwound", "right unwound", "second unwound"]))

    def test_a_clean_up_that_waits_is_finished(self):
        self.assertEqual(self.stop("cleans-up", signal.SIGINT), (130, "closed\n", ""))

    def test_reaches_a_program_that_never_waits(self):
        self.assertEqual(self.stop("busy", signal.SIGTERM)[0], 143)

    def test_reaches_a_program_that_logs_all_the_time(self):
        self.assertEqual(self.stop("logs-for-ever", signal.SIGTERM)[0], 143)

    def test_a_value_that_main_still_gave_comes_first_if_it_is_not_0(self):
        self.assertEqual(self.stop("gives-5", signal.SIGTERM)[0], 5)
        self.assertEqual(self.stop("gives-0", signal.SIGTERM)[0], 143)

    def test_an_error_while_it_stops_is_still_logged(self):
        status, _, error = self.stop("fails-while-stopping", signal.SIGTERM)
        self.assertEqual(status, 143)
        self.assertEqual(error, "error: No space left on device\n")

    def test_a_limit_ends_what_is_stuck_by_force_and_shows_it(self):
        status, _, error = self.stop("stuck-shortly", signal.SIGTERM)
        self.assertEqual(status, 143)
        self.assert_shows_what_is_stuck(error, "the stop limit has passed")

    def test_a_second_signal_ends_what_is_stuck_by_force_and_shows_it(self):
        child = Child("stuck")
        child.send(signal.SIGINT)
        time.sleep(0.2)  # two that are pending together are one
        self.assertIsNone(child.process.poll())
        child.send(signal.SIGINT)
        status, _, error = child.end()
        self.assertEqual(status, 130)
        self.assert_shows_what_is_stuck(error, "a second stop signal came")

    def test_a_second_signal_of_the_other_kind_ends_it_too(self):
        child = Child("stuck")
        child.send(signal.SIGINT)
        time.sleep(0.2)
        child.send(signal.SIGTERM)
        status, _, error = child.end()
        self.assertEqual(status, 130)
        self.assert_shows_what_is_stuck(error, "a second stop signal came")

    def assert_shows_what_is_stuck(self, error, why):
        lines = error.split("\n")
        self.assertEqual(lines[0], f"ringlet: {why}; ended by force with")
        self.assertRegex(lines[1], r"^main: task group, cancelled at stop_helper.cpp:\d+ for ")
        self.assertRegex(error, r"\n  flusher: shield, cancelled at stop_helper.cpp:\d+ for ")
        self.assertRegex(error, r"\n    task: sleep at stop_helper.cpp:\d+ for ")
        self.assertTrue(error.endswith(" s\n"))

    def test_by_force_writes_what_was_logged_until_then(self):
        # A worker of io_uring's writes to a pipe that blocks before Linux 6.4; then what it is about
        # to write comes twice.
        reader, writer = os.pipe2(os.O_NONBLOCK)
        child = Child("logs-and-is-stopped-twice", wait_until_ready=False, stderr=writer)
        self.assertEqual(child.wait(), 143)
        logged, _, rest = os.read(reader, 1 << 16).decode().partition("ringlet: ")
        os.close(reader)
        os.close(writer)
        self.assertEqual(logged, "".join(f"info: line {i:06} abcdefghijklmnopqrstuvwxyz\n"
                                         for i in range(50)))
        self.assertRegex(rest, "^a second stop signal came; ended by force with\nmain: ")

    def test_by_force_does_not_wait_for_a_standard_error_that_nobody_reads(self):
        reader, writer = os.pipe()
        fill(writer)
        child = Child("stuck-shortly", stderr=writer)
        child.send(signal.SIGTERM)
        self.assertEqual(child.wait(), 143)
        os.close(reader)
        os.close(writer)


class AwaitTree(unittest.TestCase):
    def test_is_logged_on_sigusr1_and_the_program_goes_on(self):
        child = Child("stuck")
        child.send(signal.SIGUSR1)
        lines = [child.process.stderr.readline().decode() for _ in range(5)]
        self.assertRegex(lines[0], r"^info: main: task group at stop_helper.cpp:\d+ for \d+\.\d{3} s$")
        self.assertRegex(lines[1], r"^info:   task: join at stop_helper.cpp:\d+ for ")
        self.assertRegex(lines[2], r"^info:   flusher: shield at stop_helper.cpp:\d+ for ")
        self.assertRegex(lines[3], r"^info:     task: sleep at stop_helper.cpp:\d+ for ")
        self.assertRegex(lines[4], r"^info:   task: sleep at stop_helper.cpp:\d+ for ")
        self.assertIsNone(child.process.poll())
        child.process.kill()
        child.end()

    def test_tells_how_long_each_has_waited(self):
        child = Child("stuck")
        time.sleep(0.3)
        child.send(signal.SIGUSR1)
        age = float(re.search(rb"for ([\d.]+) s", child.process.stderr.readline()).group(1))
        self.assertGreaterEqual(age, 0.25)
        child.process.kill()
        child.end()

    def test_needs_no_signal_of_its_own(self):
        child = Child("no-tree-signal")
        child.send(signal.SIGUSR1)  # the default action
        self.assertEqual(child.end()[0], -signal.SIGUSR1)

    def test_is_logged_when_nothing_can_wake_the_program(self):
        child = Child("waits-for-nothing")
        lines = [child.process.stderr.readline().decode() for _ in range(2)]
        self.assertEqual(lines[0],
                         "warning: nothing can wake the program any more but a signal:\n")
        self.assertRegex(lines[1], r"^info: main: sleep at stop_helper.cpp:\d+ for ")
        child.send(signal.SIGTERM)
        self.assertEqual(child.end()[0], 143)


def fill(pipe):
    """Writes to a pipe or terminal until it takes no more; it stays blocking."""
    flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    for size in (4096, 1):
        try:
            while True:
                os.write(pipe, b"." * size)
        except BlockingIOError:
            pass
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags)


LINE = re.compile(r"info: line \d{6} abcdefghijklmnopqrstuvwxyz|warning: \d+ messages? lost")


class Log(unittest.TestCase):
    def assert_whole(self, text, at_least):
        self.assertTrue(text.endswith("\n"))
        lines = text.split("\n")[:-1]
        for line in lines:
            self.assertRegex(line, LINE)
        numbers = [int(line.split()[2]) for line in lines if line.startswith("info")]
        self.assertEqual(numbers, sorted(set(numbers)))
        lost = sum(int(line.split()[1]) for line in lines if line.startswith("warning"))
        self.assertGreaterEqual(len(numbers), at_least)
        return len(numbers) + lost

    def test_arrives_whole_on_a_pipe(self):
        status, _, error = run("logs")
        self.assertEqual(status, 0)
        self.assertEqual(self.assert_whole(error, 2), 2000)

    def test_that_is_too_fast_counts_what_it_loses(self):
        status, _, error = run("logs-fast")
        self.assertEqual(status, 0)
        self.assertEqual(self.assert_whole(error, 2), 20000)

    def slow_read(self, child, chunk, rest_s):
        text = b""
        while True:
            time.sleep(rest_s)
            got = os.read(child.process.stderr.fileno(), chunk)
            if not got:
                break
            text += got
        return child.wait(), text.decode()

    def small_pipe(self):
        """A pipe of one page."""
        F_SETPIPE_SZ = 1031
        reader, writer = os.pipe()
        fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
        return reader, writer

    def test_arrives_whole_at_a_slow_reader(self):
        reader, writer = self.small_pipe()
        child = Child("logs", wait_until_ready=False, stderr=writer)
        os.close(writer)
        child.process.stderr = os.fdopen(reader, "rb", buffering=0)
        status, text = self.slow_read(child, 333, 0.002)
        self.assertEqual(status, 0)
        self.assertEqual(self.assert_whole(text, 2), 2000)

    # A serial console of 9600 baud needs 8 s for these lines: that it goes on is enough.
    def test_s_last_lines_wait_for_a_reader_that_is_slow_but_reads(self):
        reader, writer = socket.socketpair()  # unlike a pipe, it takes less than a page at a time
        writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        child = Child("logs-little", wait_until_ready=False, stderr=writer.fileno())
        writer.close()
        child.process.stderr = os.fdopen(reader.detach(), "rb", buffering=0)
        status, text = self.slow_read(child, 400, 0.15)
        self.assertEqual(status, 0)
        self.assertEqual(self.assert_whole(text, 170), 170)

    def test_does_not_make_the_loop_wait_for_a_reader_that_does_not_read(self):
        reader, writer = os.pipe()
        fill(writer)
        child = Child("logs-and-rests", wait_until_ready=False, stderr=writer)
        self.assertEqual(child.process.stdout.readline(), b"rested\n")
        self.assertEqual(child.wait(), 0)
        os.close(reader)
        os.close(writer)

    def test_does_not_keep_a_process_whose_last_line_nobody_reads(self):
        reader, writer = os.pipe()
        fill(writer)
        child = Child("logs-and-fails", wait_until_ready=False, stderr=writer)
        self.assertEqual(child.wait(), 1)
        os.close(reader)
        os.close(writer)

    def test_waits_for_a_non_blocking_standard_error_without_spinning(self):
        reader, writer = os.pipe()
        fill(writer)
        fcntl.fcntl(writer, fcntl.F_SETFL, fcntl.fcntl(writer, fcntl.F_GETFL) | os.O_NONBLOCK)
        child = Child("logs-for-ever", stderr=writer)
        os.close(writer)
        time.sleep(0.2)
        before = child.cpu_seconds()
        time.sleep(1)
        self.assertLess(child.cpu_seconds() - before, 0.5)
        child.send(signal.SIGTERM)
        child.process.stderr = os.fdopen(reader, "rb", buffering=0)
        status, _, text = child.end()
        self.assertEqual(status, 143)
        self.assert_whole(text.lstrip("."), 2)

    # A terminal answers EAGAIN where a pipe lets the ring wait.
    def test_waits_for_a_non_blocking_terminal_without_spinning(self):
        reader, writer = os.openpty()
        tty.setraw(writer)
        fill(writer)
        os.set_blocking(writer, False)
        child = Child("logs-for-ever", stderr=writer)
        time.sleep(0.2)
        before = child.cpu_seconds()
        time.sleep(1)
        self.assertLess(child.cpu_seconds() - before, 0.5)
        child.send(signal.SIGTERM)
        drain = threading.Thread(target=self.read_all, args=(reader,))
        drain.start()
        self.assertEqual(child.wait(), 143)
        os.close(writer)
        drain.join()
        os.close(reader)

    def read_all(self, descriptor):
        try:
            while os.read(descriptor, 4096):
                pass
        except OSError:  # the terminal's last user is gone
            pass

    def test_does_no_harm_if_standard_error_is_closed(self):
        for what, expected in (("seven", 7), ("logs", 0), ("fails", 1)):
            child = Child(what, wait_until_ready=False, stderr=None,
                          preexec_fn=lambda: os.close(2))
            self.assertEqual(child.end()[0], expected)

    def test_does_no_harm_if_its_reader_is_gone(self):
        for what, expected in (("logs", 0), ("fails", 1)):
            reader, writer = os.pipe()
            os.close(reader)
            child = Child(what, wait_until_ready=False, stderr=writer)
            self.assertEqual(child.end()[0], expected)
            os.close(writer)

    def test_does_no_harm_on_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(run("fails", stderr=full)[0], 1)
            self.assertEqual(run("logs", stderr=full)[0], 0)


class LockMemory(unittest.TestCase):
    def test_works_or_is_refused_with_a_sentence(self):
        status, _, error = run("locks-memory")
        if status == SKIPPED:
            self.skipTest("not with an address sanitizer")
        if status == EXIT_UNAVAILABLE:
            self.assert_refused(status, error)
        else:
            self.assertEqual((status, error), (7, ""))

    @unittest.skipIf(os.getuid() != 0, "only root can become nobody")
    def test_is_refused_where_the_limit_is_too_low(self):
        def lower():
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (512 * 1024, 512 * 1024))

        status, _, error = run("locks-memory-as-nobody", preexec_fn=lower)
        if status == SKIPPED:
            self.skipTest("not with an address sanitizer")
        self.assert_refused(status, error)

    def assert_refused(self, status, error):
        self.assertEqual(status, EXIT_UNAVAILABLE)
        self.assertRegex(error, r"^error: memory cannot be locked: [^\n]+; raise the limit "
                                r"\(ulimit -l\)\n$")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, it would not stop a child
    if run("ends")[0] == EXIT_UNAVAILABLE:
        print("skipped: io_uring cannot be used here")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
