#!/usr/bin/env python3
"""How many system calls a message costs, a sleep, and a job of a worker: counted by strace, over whole processes,
their start and end included.

The server shares one processor with its client, as on a board with one core, and runs only when
the client waits (it is SCHED_BATCH, and the client SCHED_FIFO where that is allowed): so the
messages of all connections wait for it together. One entry into the kernel takes in about twenty
of them; that bound is the kernel's. Other load on that processor may tear batches apart where the
client is not SCHED_FIFO, so the best of three runs counts.

Usage: syscalls_test.py ECHO_SERVER OFFLOADER SLEEPERS    (built from the .cpp files beside this)
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

ECHO_SERVER, OFFLOADER, SLEEPERS = (sys.argv.pop(1) for _ in range(3))
EXIT_UNAVAILABLE = 69
SKIPPED = 77
PATIENCE_S = 60
MESSAGE = b"a message of 32 bytes, or nearly"

# LeakSanitizer needs ptrace for itself.
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def counts(path):
    """System calls by name, from the table of strace -c."""
    calls = {}
    with open(path) as table:
        for line in table:
            fields = line.split()
            if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
                calls[fields[-1]] = int(fields[3])
    return calls


def traced(path, *command, **options):
    return subprocess.Popen(["strace", "-f", "-c", "-o", path, *command], env=ENVIRONMENT,
                            stdout=subprocess.PIPE, **options)


@contextlib.contextmanager
def on_one_processor(server):
    """Puts the server and this process, its client, where they take turns."""
    everywhere = os.sched_getaffinity(0)
    for process in (server, 0):
        os.sched_setaffinity(process, {min(everywhere)})
        os.sched_setscheduler(process, os.SCHED_BATCH, os.sched_param(0))
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, everywhere)


class Counted(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.table = os.path.join(self.folder.name, "calls")


class Messages(Counted):
    def ping_pong(self, connections, rounds):
        """The system calls of a server that answers on `connections`, `rounds` times on each."""
        strace = traced(self.table, ECHO_SERVER)
        self.addCleanup(strace.stdout.close)
        port, server = map(int, strace.stdout.readline().split())
        try:
            with on_one_processor(server):
                self.talk(port, connections, rounds)
        finally:
            os.kill(server, signal.SIGTERM)
        self.assertEqual(strace.wait(PATIENCE_S), 128 + signal.SIGTERM)
        return counts(self.table)

    def talk(self, port, connections, rounds):
        peers = [socket.create_connection(("127.0.0.1", port), PATIENCE_S)
                 for _ in range(connections)]
        for each in peers:
            self.addCleanup(each.close)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(rounds):
            for each in peers:
                each.sendall(MESSAGE)
            for each in peers:
                self.assertEqual(each.recv(len(MESSAGE), socket.MSG_WAITALL), MESSAGE)
        for each in peers:
            each.close()

    def assert_at_most(self, bar, connections, rounds):
        messages = connections * rounds
        for _ in range(3):
            calls = self.ping_pong(connections, rounds)
            if sum(calls.values()) <= bar * messages:
                break
        each = sum(calls.values()) / messages
        often = {name: count for name, count in calls.items() if count >= 10}
        print(f"{connections} connections, {messages} messages: {each:.4f} system calls a message; "
              f"{sum(calls.values())} in all: {often}", flush=True)
        self.assertLessEqual(each, bar)
        # A table that was not understood would be cheap, too.
        self.assertGreaterEqual(calls["io_uring_enter"], rounds)

    def test_on_64_connections_cost_a_tenth_of_a_call(self):
        self.assert_at_most(0.1, connections=64, rounds=200)

    def test_on_one_connection_cost_two_calls(self):
        self.assert_at_most(2.1, connections=1, rounds=3000)


class Sleep(Counted):
    def calls(self, tasks, span_ms):
        strace = traced(self.table, SLEEPERS, str(tasks), str(span_ms))
        strace.communicate(timeout=PATIENCE_S)
        self.assertEqual(strace.returncode, 0)
        return counts(self.table)

    def test_of_a_thousand_tasks_costs_nothing_while_it_lasts(self):
        short, long = self.calls(1000, 100), self.calls(1000, 1500)
        print(f"1000 sleepers, 0.1 s: {sum(short.values())} system calls; "
              f"1.5 s: {sum(long.values())}; entries: {long['io_uring_enter']}", flush=True)
        self.assertEqual(short, long)

    def test_of_a_thousand_tasks_costs_what_one_costs(self):
        self.assertEqual(self.calls(1, 100)["io_uring_enter"],
                         self.calls(1000, 100)["io_uring_enter"])


class Offload(Counted):
    def calls(self, rounds, jobs):
        strace = traced(self.table, OFFLOADER, str(rounds), str(jobs))
        strace.communicate(timeout=PATIENCE_S)
        self.assertEqual(strace.returncode, 0)
        return counts(self.table)

    # A batch: the loop wakes the worker (futex), which slept (futex); the worker wakes the loop
    # (write), and once more if its last job ends after the loop has looked; the loop waits (enter).
    # Who finds the mutex taken needs a futex more.
    def test_of_a_batch_costs_a_few_calls_however_many_jobs_it_has(self):
        rounds, jobs = 50, 200
        none, calls = self.calls(0, jobs), self.calls(rounds, jobs)
        spent = {name: count - none.get(name, 0) for name, count in calls.items()}
        spent = {name: count for name, count in spent.items() if count > 0}
        print(f"{rounds} batches of {jobs} jobs: {spent}", flush=True)
        self.assertGreaterEqual(spent["write"], rounds)
        self.assertLessEqual(spent["write"], 2 * rounds)
        self.assertLessEqual(spent["futex"], 8 * rounds)
        self.assertLessEqual(spent["io_uring_enter"], 4 * rounds)
        self.assertLessEqual(sum(spent.values()), 12 * rounds)


def reason_to_skip():
    if shutil.which("strace") is None:
        return "there is no strace"
    if subprocess.run(["strace", "-o", os.devnull, "true"], stderr=subprocess.DEVNULL).returncode:
        return "strace may not trace here"
    slept = subprocess.run([SLEEPERS, "1", "1"], stderr=subprocess.DEVNULL)
    if slept.returncode == EXIT_UNAVAILABLE:
        return "io_uring cannot be used here"
    return None


if __name__ == "__main__":
    if reason := reason_to_skip():
        print("skipped:", reason)
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
