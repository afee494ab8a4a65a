"""What a station has around it, for its tests: a server that takes its batches, the far end of its
serial line, a service manager, and an eye on its store.

The far end sends the channel "n", whose values count 1, 2, 3, ...: so the values of a batch that
holds all of a span of them are min, min + 1, ... max, and batches can be seen to hold each value
exactly once.
"""

import collections
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import random
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
import tty
import zlib

from bench import LIMIT_S, Bench, check, check_equal, in_background, unread, wait_until

FREEZE, THAW = 0xC0045877, 0xC0045878  # FIFREEZE, FITHAW of linux/fs.h
LOST = {"bad_lines", "line_errors", "bad_frames", "can_frames", "edges", "channels", "batches",
        "refused"}


# The station itself.

class Station:
    """A program that runs; all that it logs is kept."""

    def __init__(self, bench: Bench, *arguments, **options) -> None:
        self.child = bench.start(*arguments, stdout=subprocess.DEVNULL, **options)
        self.log = ""
        self.reader = in_background(self.read)

    def read(self) -> None:
        for line in self.child.stderr:
            self.log += line.decode(errors="replace")

    def wait_for(self, words: str, times: int = 1) -> None:
        wait_until(lambda: self.log.count(words) >= times or self.child.poll() is not None, words)
        check(self.log.count(words) >= times, "never said:", words, "\n" + self.log)

    def stop(self, number: int = signal.SIGTERM) -> str:
        """Ends it as a service manager does, and gives its log."""
        self.child.send_signal(number)
        check_equal(self.child.wait(LIMIT_S), 128 + number, self.log)
        self.reader.join(LIMIT_S)
        return self.log

    def kill(self) -> None:
        self.child.kill()
        self.child.wait(LIMIT_S)
        self.reader.join(LIMIT_S)

    def inside(self, path: pathlib.Path) -> pathlib.Path:
        """A path in its own mounts."""
        return pathlib.Path(f"/proc/{self.child.pid}/root{path}")


@contextlib.contextmanager
def frozen(path: pathlib.Path):
    """The file system of this folder takes no writes: who tries waits, and cannot be killed."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.ioctl(folder, FREEZE, 0)
    try:
        yield
    finally:
        fcntl.ioctl(folder, THAW, 0)
        os.close(folder)


# The server.

class Collector:
    """Takes batches as long as its mood is "takes"; keeps all that it took, in that order."""

    MOODS = {
        "takes": lambda self, client, body: self.take(body) or self.say(client, "204 No Content"),
        "chats": lambda self, client, body: self.take(body) or self.say(client, "200 OK", b"x" * 9000),
        "forgets to answer": lambda self, client, body: self.take(body),  # and breaks off
        "is busy": lambda self, client, body: self.say(client, "503 Service Unavailable"),
        "asks for patience": lambda self, client, body: self.say(
            client, "429 Too Many Requests", b"", "Retry-After: 1\r\n"),
        "is lost": lambda self, client, body: self.say(client, "404 Not Found", b"nothing here"),
        "asks to log in": lambda self, client, body: self.say(
            client, "302 Found", b"", "Location: /login\r\n"),
        "resets": lambda self, client, body: None,
        "hangs": lambda self, client, body: self.hang(client),
        "answers garbage": lambda self, client, body: client.sendall(b"\0\xff\r\n\r\n" * 50),
        "breaks off": lambda self, client, body: client.sendall(b"HTTP/1.1 200 O"),
        "answers for ever": lambda self, client, body: self.flood(client),
        "refuses": lambda self, client, body: self.refuse(client, body),
    }
    AWAY = "is away"  # nobody listens
    FAULTS = [AWAY, "is busy", "asks for patience", "is lost", "asks to log in", "resets", "hangs",
              "answers garbage", "breaks off", "answers for ever", "forgets to answer"]

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.refused: list[bytes] = []
        self.refusal = "422 Unprocessable Content"
        self.requests = collections.Counter()  # by mood
        self.listener, self.port, self.clients = None, 0, set()
        self.mood = ""
        self.become("takes")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/batches"

    def become(self, mood: str) -> None:
        assert mood == self.AWAY or mood in self.MOODS, mood
        self.mood = mood
        if mood == self.AWAY:
            self.close()
        elif self.listener is None:
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=16)
            self.port = self.listener.getsockname()[1]
            in_background(self.accept, self.listener)

    def close(self) -> None:
        if self.listener is None:
            return
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.listener = None
        for client in list(self.clients):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.become(self.AWAY)

    def accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                in_background(self.serve, client)

    def serve(self, client: socket.socket) -> None:
        self.clients.add(client)
        with client, contextlib.suppress(OSError, ValueError):
            while body := self.hear(client):
                mood = self.mood
                if mood == self.AWAY:
                    break
                self.requests[mood] += 1
                self.MOODS[mood](self, client, body)
                if mood == "resets":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if mood not in ("takes", "chats", "refuses"):
                    break
        self.clients.discard(client)

    @staticmethod
    def hear(client: socket.socket) -> bytes:
        request = b""
        while b"\r\n\r\n" not in request:
            if not (piece := client.recv(65_536)):
                return b""
            request += piece
        head, _, body = request.partition(b"\r\n\r\n")
        size = int(re.search(rb"(?i)^content-length: (\d+)\r?$", head, re.M)[1])
        while len(body) < size:
            if not (piece := client.recv(65_536)):
                return b""
            body += piece
        assert head.startswith(b"POST /batches HTTP/1.1\r\n") and len(body) == size, head
        return body

    @staticmethod
    def say(client: socket.socket, status: str, body: bytes = b"", more: str = "") -> None:
        length = "" if status.startswith("204") else f"Content-Length: {len(body)}\r\n"
        client.sendall(f"HTTP/1.1 {status}\r\n{length}{more}\r\n".encode() + body)

    def take(self, body: bytes) -> None:
        self.taken.append(body)

    def refuse(self, client: socket.socket, body: bytes) -> None:
        self.refused.append(body)
        self.say(client, self.refusal)

    def hang(self, client: socket.socket) -> None:
        while self.mood == "hangs" and not select.select([client], [], [], 0.05)[0]:
            pass

    def flood(self, client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
        while self.mood == "answers for ever":
            client.sendall(b"x" * 4096)

    def batches(self) -> dict[int, dict]:
        """All that were taken, by their sequence. What came twice came with the same content."""
        return by_sequence(self.taken)


def by_sequence(texts) -> dict[int, dict]:
    found = {}
    for text in list(texts):
        batch = json.loads(text)
        check_equal(found.setdefault(batch["sequence"], batch), batch, "came again, and")
        check_equal(set(batch), {"station", "sequence", "time_ms", "seconds", "condition",
                                 "channels", "lost"})
        check_equal(set(batch["lost"]), LOST)
        for name, channel in batch["channels"].items():
            check(channel["count"] > 0, name, channel)
            low, high = channel["min"], channel["max"]
            slack = 1e-9 * max(abs(low), abs(high))
            check(low <= channel["last"] <= high, name, channel)
            check(low - slack <= channel["mean"] <= high + slack, name, channel)
    return found


def spans(batches: dict[int, dict], name: str = "n") -> list[tuple[int, int]]:
    """Of the values of a channel: first and last of each batch, in the order of their sequences.
    Each batch has all from its first to its last, and none has a value of another."""
    found = []
    for sequence in sorted(batches):
        if not (channel := batches[sequence]["channels"].get(name)):
            continue
        first, last, count = (int(channel[key]) for key in ("min", "max", "count"))
        check_equal(count, last - first + 1, sequence, channel)
        check(abs(channel["mean"] - (first + last) / 2) < 1e-6 * last, sequence, channel)
        check(not found or found[-1][1] < first, sequence, "has values of an earlier batch", channel)
        found.append((first, last))
    return found


def check_none_missing(batches: dict[int, dict]) -> None:
    check_equal(sorted(batches), list(range(1, len(batches) + 1)), "sequences")


def check_all_there(batches: dict[int, dict], sent: int, name: str = "n") -> None:
    """The values 1 to `sent` of a channel, each exactly once, and no sequence is missing."""
    check_none_missing(batches)
    found = spans(batches, name)
    check_equal([first for first, _ in found], [1] + [last + 1 for _, last in found[:-1]], found)
    check_equal(found[-1][1], sent, found)


def wait_for_all(collector: "Collector", line: "SerialLine") -> None:
    wait_until(lambda: count_of(collector) >= line.sent, f"all {line.sent} values")


def count_of(collector: Collector, channel: str = "n") -> int:
    return sum(batch["channels"].get(channel, {}).get("count", 0)
               for batch in collector.batches().values())


# The far end of the serial line.

def with_checksum(text: str) -> bytes:
    value = 0
    for byte in text.encode():
        value ^= byte
    return f"{text}*{value:02x}\n".encode()


class SerialLine:
    """A terminal at a path, which another may take the place of; and who speaks on it."""

    def __init__(self, path: pathlib.Path, far: pathlib.Path | None = None) -> None:
        """`far`: the path of the far end of a line that is there; else one is made."""
        self.path, self.far, self.sent = path, far, 0
        self.leader = self.follower = None
        self.plug_in()

    def plug_in(self) -> None:
        if self.far:
            self.leader = os.open(self.far, os.O_RDWR | os.O_NOCTTY)
            self.follower = os.open(self.path, os.O_RDWR | os.O_NOCTTY)
            for end in (self.leader, self.follower):
                termios.tcflush(end, termios.TCIOFLUSH)  # what nobody has read
        else:
            self.leader, self.follower = pty.openpty()
            tty.setraw(self.follower)
            self.path.unlink(missing_ok=True)
            self.path.symlink_to(os.ttyname(self.follower))
        os.set_blocking(self.leader, False)

    def unplug(self) -> None:
        os.close(self.leader)
        os.close(self.follower)
        self.leader = self.follower = None
        if not self.far:
            self.path.unlink()

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        if self.leader is not None:
            self.unplug()

    def write(self, content: bytes) -> None:
        while content:
            check(select.select([], [self.leader], [], LIMIT_S)[1], "nobody reads the serial line")
            with contextlib.suppress(BlockingIOError):
                content = content[os.write(self.leader, content):]

    def send(self, count: int) -> None:
        """The next values of "n"."""
        for _ in range(count):
            self.sent += 1
            self.write(with_checksum(f"n={self.sent}"))

    def wait_until_read(self) -> None:
        """What was written is out of the kernel's hands: two looks in a row say so."""
        def is_empty() -> bool:
            if unread(self.follower):
                return False
            time.sleep(0.1)
            return not unread(self.follower)

        wait_until(is_empty, "the serial line to be read")

    @contextlib.contextmanager
    def speaking(self, pause_s: float = 0.002):
        """Sends values meanwhile, as fast as they are read."""
        over = threading.Event()

        def speak() -> None:
            while not over.wait(pause_s):
                if select.select([], [self.leader], [], 0.05)[1]:
                    self.send(1)

        thread = in_background(speak)
        try:
            yield
        finally:
            over.set()
            thread.join(LIMIT_S)


# The service manager.

class Manager:
    """Hears what a service tells: NOTIFY_SOCKET and WATCHDOG_USEC of sd_notify(3)."""

    def __init__(self, path: pathlib.Path, watchdog_s: float = 3) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.environment = {**os.environ, "NOTIFY_SOCKET": str(path),
                            "WATCHDOG_USEC": str(int(watchdog_s * 1e6))}
        self.heard: list[tuple[float, str]] = []
        in_background(self.hear)

    def hear(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.heard.append((time.monotonic(), self.socket.recv(4096).decode()))

    def said(self) -> list[str]:
        return [words for _, words in self.heard]

    def last_fed(self) -> float:
        return max((at for at, words in self.heard if words == "WATCHDOG=1"), default=0)

    def wait_for(self, words: str, after: int = 0) -> None:
        wait_until(lambda: words in self.said()[after:], words)

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()


# Faults.

@contextlib.contextmanager
def full(disk: pathlib.Path):
    """A file system without room, after which there is some again."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65_536))
    try:
        yield
    finally:
        filler.unlink()


def kill_at_random(bench: Bench, collector: Collector, line: SerialLine, store: pathlib.Path,
                   arguments: list, kills: int, life_s: float) -> None:
    """Lets stations live for up to so long, one after the other, on one store, with a server of
    changing mood. What was stored, and be it for a moment, is posted in the end, as it was."""
    rng = random.Random(11)
    seen: dict[int, bytes] = {}
    with line.speaking(life_s / 100):
        for turn in range(kills):
            collector.become(rng.choice(["takes", "takes", "forgets to answer", "hangs",
                                         Collector.AWAY]))
            station = Station(bench, *arguments)
            if rng.random() < 0.8:  # else also before it has begun, which may take its time
                station.wait_for("batches wait to be sent")
            time.sleep(rng.uniform(0, life_s))
            station.kill()
            check("error:" not in station.log, turn, station.log)
            for sequence, text in stored(store).items():
                check_equal(seen.setdefault(sequence, text), text, "stored with another content")
    collector.become("takes")
    station = Station(bench, *arguments)
    line.send(1)
    # More are missing: of open windows, and what the killed had read and not yet counted.
    wait_until(lambda: spans(collector.batches())[-1:] and
               spans(collector.batches())[-1][1] == line.sent, "the last value")
    wait_until(lambda: len(collector.batches()) >= max(seen), "all that was stored")
    station.stop()
    batches = collector.batches()
    check_none_missing(batches)
    kept = sum(last - first + 1 for first, last in spans(batches))
    for sequence, text in seen.items():
        check_equal(json.loads(text), batches[sequence], "posted with another content")
    check(len(seen) > kills // 2, "too few batches to tell anything:", len(seen))
    print(f"    {kills} kills, {len(batches)} batches, {len(collector.taken) - len(batches)} of them"
          f" again, {line.sent} values sent, {kept} kept")


# The store: the batches in its slots, as apps/station/store.cpp lays them out.

SLOT, HEADER, MAGIC = 8192, struct.Struct("=IIQII"), 0x54424C52


def stored(path: pathlib.Path) -> dict[int, bytes]:
    """The whole ones, by their sequence."""
    found = {}
    content = path.read_bytes() if path.exists() else b""
    for offset in range(SLOT, len(content), SLOT):
        slot = content[offset:offset + SLOT]
        if len(slot) < HEADER.size:
            break
        magic, checksum, sequence, slots, size = HEADER.unpack_from(slot)
        record = slot[8:HEADER.size + size]
        if magic == MAGIC and len(record) == HEADER.size - 8 + size and \
                checksum == zlib.crc32(record):
            check_equal(offset // SLOT - 1, sequence % slots, "the slot of", sequence)
            found[sequence] = record[HEADER.size - 8:]
    return found
