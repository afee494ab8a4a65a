"""Runs one program on an emulated machine: its output comes out here, and how it ended is told as
an exit status.

| the program                       | exit status | said on standard error |
| --------------------------------- | ----------- | ---------------------- |
| ended                             | its own     | nothing                |
| was ended by a signal (crashed)   | 128 + signal | which one             |
| did not end in time               | 124         | after how long         |
| could not be started              | 127         | why                    |
| panicked the kernel               | 120         | the panic              |
| hung the machine                  | 121         | since when             |
| lost its machine in another way   | 122         | what QEMU said         |
"""

import os
import selectors
import signal
import socket
import struct
import sys
import time

from boards.protocol import PAYLOAD_MAX, PIECE_MAX, Frames, Kind, frame, strings

TIMED_OUT, NOT_STARTED = 124, 127
LOST = {"panic": (120, "the kernel panicked"), "hang": (121, "the machine hangs"),
        "gone": (122, "the machine is gone")}
CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT,
           signal.SIGTRAP, signal.SIGSYS}
# Handed on to the program; PATH, HOME and the like are the board's own.
ENVIRONMENT_PREFIXES = ("GTEST_", "RINGLET_", "MALLOC_", "MESON_", "LC_", "LANG", "TZ")
ENVIRONMENT = {"PATH": "/usr/bin:/usr/sbin:/bin:/sbin:/run/busybox", "HOME": "/root",
               "PYTHONDONTWRITEBYTECODE": "1"}


def environment() -> list[str]:
    handed_on = {name: value for name, value in os.environ.items()
                 if name.startswith(ENVIRONMENT_PREFIXES)}
    return [f"{name}={value}" for name, value in (ENVIRONMENT | handed_on).items()]


def write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


class Run:
    def __init__(self, connection: socket.socket, board: str, program: str) -> None:
        self.connection = connection
        self.board = board
        self.program = program
        self.frames = Frames()
        self.timed_out = False
        self.input_wanted = False
        self.peak_kib = 0

    def say(self, what: str) -> None:
        print(f"board {self.board}: {self.program}: {what}", file=sys.stderr, flush=True)

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        self.connection.sendall(frame(kind, payload))

    def kill(self, number: int) -> None:
        self.send(Kind.KILL, struct.pack("<I", number))

    def give_input(self) -> None:
        self.input_wanted = False
        try:
            data = os.read(0, PIECE_MAX)
        except OSError:
            data = b""
        self.send(Kind.STDIN_DATA, data) if data else self.send(Kind.STDIN_END)

    def run(self, folder: str, arguments: list[str], limit_s: float | None) -> int:
        start = strings([folder, str(len(arguments)), *arguments, *environment()])
        if len(start) > PAYLOAD_MAX:
            self.say("its arguments and environment are too long")
            return NOT_STARTED
        self.send(Kind.START, start)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _frame: self.kill(number))
        end = None if limit_s is None else time.monotonic() + limit_s
        while True:
            with selectors.DefaultSelector() as selector:
                selector.register(self.connection, selectors.EVENT_READ)
                if self.input_wanted:
                    try:
                        selector.register(0, selectors.EVENT_READ)
                    except (OSError, ValueError):  # a file, or closed: never waits
                        self.give_input()
                left = None if end is None else max(0, end - time.monotonic())
                ready = [key.fd for key, _ in selector.select(left)]
            if end is not None and time.monotonic() >= end and not self.timed_out:
                self.timed_out, end = True, None
                self.kill(signal.SIGKILL)
            if 0 in ready:
                self.give_input()
            if self.connection.fileno() in ready:
                data = self.connection.recv(1 << 18)
                if not data:
                    self.say("the server is gone")
                    return LOST["gone"][0]
                for _, kind, payload in self.frames.feed(data):
                    status = self.take(kind, payload, limit_s)
                    if status is not None:
                        return status

    def take(self, kind: Kind, payload: bytes, limit_s: float | None) -> int | None:
        if kind in (Kind.OUT, Kind.ERR):
            try:
                write_all(1 if kind == Kind.OUT else 2, payload)
            except BrokenPipeError:  # as if the program itself had written there
                self.kill(signal.SIGPIPE)
            self.send(Kind.TOOK, struct.pack("<I", len(payload)))
        elif kind == Kind.WANT:
            self.input_wanted = True
        elif kind == Kind.FAILED:
            self.say(payload.decode(errors="replace"))
            return NOT_STARTED
        elif kind == Kind.LOST:
            word, _, what = payload.decode(errors="replace").partition("\n")
            status, words = LOST[word]
            self.say(f"{words}: {what}")
            return status
        elif kind == Kind.ENDED:
            by_signal, number, self.peak_kib = struct.unpack("<III", payload)
            if self.timed_out:
                self.say(f"it did not end within {limit_s:g} seconds")
                return TIMED_OUT
            if by_signal:
                crashed = "it crashed: " if signal.Signals(number) in CRASHES else "ended by: "
                self.say(f"{crashed}{signal.strsignal(number)} (signal {number})")
                return 128 + number
            return number
        return None
