"""Keeps one emulated machine and lets many clients run programs on it, each a job of its own.

It passes frames between clients and machine, and looks after the machine: one that panics, ends or
no longer answers is told to all that have a job there, and the server ends with it. It ends, too,
when nobody has wanted anything for a while. Its socket goes first: who finds none, or gets no
greeting from it, starts another server."""

import collections
import contextlib
import pathlib
import selectors
import socket
import time

from boards.machine import Machine
from boards.protocol import HEADER, Frames, Kind, frame

PING_EVERY_S = 2
IDLE_S = 60


class Client:
    def __init__(self, connection: socket.socket, job: int) -> None:
        self.connection = connection
        self.job = job
        self.frames = Frames()
        self.left = bytearray()  # bounded: of a job's output only so much is on its way
        self.ended = False
        self.started = False


class Server:
    def __init__(self, machine: Machine, path: pathlib.Path, hang_s: float) -> None:
        self.machine = machine
        self.path = path
        self.hang_s = hang_s
        self.listener = socket.socket(socket.AF_UNIX)
        new = pathlib.Path(f"{path}.new")
        new.unlink(missing_ok=True)
        self.listener.bind(str(new))
        self.listener.listen(64)
        new.rename(path)  # who finds it can connect
        self.clients: dict[int, Client] = {}
        self.next_job = 1
        self.to_machine = collections.deque()
        self.pinged = self.answered = self.wanted = time.monotonic()
        self.selector = selectors.DefaultSelector()
        self.listener.setblocking(False)
        machine.port.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.selector.register(machine.port, selectors.EVENT_READ, self.from_machine)

    def serve(self) -> None:
        while True:
            for key, events in self.selector.select(0.5):
                key.data(events)
            now = time.monotonic()
            if self.clients:
                self.wanted = now
            elif now - self.wanted > IDLE_S:
                self.power_off()
            if now - self.pinged > PING_EVERY_S:
                self.pinged = now
                self.send_machine(frame(Kind.PING))
            if now - self.answered > self.hang_s:
                self.lost("hang", f"no answer for {self.hang_s:g} seconds")

    def accept(self, _events: int) -> None:
        connection, _ = self.listener.accept()
        connection.setblocking(False)
        client = Client(connection, self.next_job)
        self.next_job += 1
        self.clients[client.job] = client
        self.selector.register(connection, selectors.EVENT_READ,
                               lambda events: self.from_client(client, events))
        self.send_client(client, frame(Kind.HELLO, self.machine.greeting.encode()))

    # Machine

    def send_machine(self, data: bytes) -> None:
        self.to_machine.append(memoryview(data))
        self.flush_machine()

    def flush_machine(self) -> None:
        while self.to_machine:
            try:
                sent = self.machine.port.send(self.to_machine[0])
            except BlockingIOError:
                break
            except OSError:
                return  # from_machine sees it, too
            self.to_machine[0] = self.to_machine[0][sent:]
            if not self.to_machine[0]:
                self.to_machine.popleft()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.to_machine else 0)
        self.selector.modify(self.machine.port, events, self.from_machine)

    def from_machine(self, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self.flush_machine()
        if not events & selectors.EVENT_READ:
            return
        try:
            data = self.machine.port.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lost(*self.machine.why_it_ended())
        self.answered = time.monotonic()
        for job, kind, payload in self.machine.frames.feed(data):
            client = self.clients.get(job)
            if client is None:
                continue
            client.ended = kind in (Kind.ENDED, Kind.FAILED)
            self.send_client(client, frame(kind, payload))

    def power_off(self) -> None:
        self.path.unlink(missing_ok=True)
        self.machine.power_off()
        raise SystemExit(0)

    def lost(self, word: str, what: str) -> None:
        self.path.unlink(missing_ok=True)
        self.machine.stop()
        told = frame(Kind.LOST, f"{word}\n{what}\nconsole: {self.machine.log}".encode())
        for client in self.clients.values():
            client.connection.setblocking(True)
            client.connection.settimeout(5)
            with contextlib.suppress(OSError):
                client.connection.sendall(client.left + told)
        raise SystemExit(1)

    # Clients

    def send_client(self, client: Client, data: bytes) -> None:
        client.left += data
        self.flush_client(client)

    def flush_client(self, client: Client) -> None:
        try:
            while client.left:
                del client.left[:client.connection.send(client.left)]
        except BlockingIOError:
            pass
        except OSError:
            return self.drop(client)
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.left else 0)
        self.selector.modify(client.connection, events,
                             lambda events: self.from_client(client, events))

    def from_client(self, client: Client, events: int) -> None:
        if client.job not in self.clients:
            return  # dropped by what came before in the same turn
        if events & selectors.EVENT_WRITE:
            self.flush_client(client)
        if not events & selectors.EVENT_READ or client.job not in self.clients:
            return
        try:
            data = client.connection.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self.drop(client)
        for _, kind, payload in client.frames.feed(data):
            if kind == Kind.POWER_OFF:  # for all
                self.power_off()
            client.started |= kind == Kind.START
            self.send_machine(HEADER.pack(client.job, kind, len(payload)) + payload)

    def drop(self, client: Client) -> None:
        """Nobody waits for this job any more."""
        del self.clients[client.job]
        self.selector.unregister(client.connection)
        client.connection.close()
        if client.started and not client.ended:
            self.send_machine(frame(Kind.ABANDON, job=client.job))
