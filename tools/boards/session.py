"""Finds the server of a machine, or starts it: one for each board, kernel, size and checkout."""

import dataclasses
import fcntl
import hashlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import store
from boards.board import ROOT, Board
from boards.image import Start
from boards.machine import BootFailed, Machine
from boards.protocol import HEADER, Kind, frame
from boards.server import Server

HERE = pathlib.Path(__file__).resolve().parent
HANG_S = 30.0


def _servers(board: str) -> pathlib.Path:
    """The folder of a board's servers, of this checkout."""
    base = os.environ.get("XDG_RUNTIME_DIR") or f"{tempfile.gettempdir()}/ringlet-{os.getuid()}"
    return pathlib.Path(base) / hashlib.sha256(str(ROOT).encode()).hexdigest()[:8] / board


@dataclasses.dataclass(frozen=True)
class Wanted:
    board: str
    machine: str | None
    kernel: str
    memory_mib: int
    cpus: int
    hang_s: float = HANG_S

    def arguments(self) -> list[str]:
        machine = ["--machine", self.machine] if self.machine else []
        return [self.board, *machine, "--kernel", self.kernel, "--memory", str(self.memory_mib),
                "--cpus", str(self.cpus), "--hang-after", str(self.hang_s)]

    def folder(self) -> pathlib.Path:
        """Where its socket and logs are. A changed agent or board means another machine."""
        made_of = [HERE / "agent.cpp", HERE / "init", Board(self.board).folder / "board.json"]
        text = "\n".join([*self.arguments(), *map(store.hash_of, made_of)])
        # Short: it holds sockets, whose paths have at most 107 bytes.
        folder = _servers(self.board) / hashlib.sha256(text.encode()).hexdigest()[:12]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder


def _connect(path: pathlib.Path) -> socket.socket | None:
    """None: there is no server, or it is about to end and no longer greets."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
        if connection.recv(HEADER.size, socket.MSG_WAITALL | socket.MSG_PEEK):
            return connection
    except OSError:
        pass
    connection.close()
    return None


def connect(wanted: Wanted) -> socket.socket:
    folder = wanted.folder()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if connection := _connect(folder / "socket"):
            return connection
        # It says "ready" on its standard output, or what is wrong.
        server = subprocess.Popen(
            [sys.executable, ROOT / "tools/board", "serve", *wanted.arguments()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=(folder / "server.log").open("w"), start_new_session=True, text=True)
        said = server.stdout.read()
        if said.strip() != "ready" or not (connection := _connect(folder / "socket")):
            log = (folder / "server.log").read_text(errors="replace").strip()
            raise BootFailed(said.strip() or log or "the server ended")
        return connection


def be_server(wanted: Wanted) -> int:
    """In a process of its own; standard output ends when the machine is ready."""
    board, folder = Board(wanted.board, wanted.machine), wanted.folder()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # For as long as it lives: the client that started another may have gone away meanwhile.
    alone = (folder / "serving").open("w")
    while True:
        try:
            fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if _connect(folder / "socket"):
                print("ready", flush=True)
                return 0
            time.sleep(0.2)
    try:
        start = Start(board, wanted.kernel)
        machine = Machine(board, start, wanted.memory_mib, wanted.cpus, folder)
    except BootFailed as error:
        print(error, flush=True)
        return 1

    try:
        server = Server(machine, folder / "socket", wanted.hang_s)
        print("ready", flush=True)
        os.dup2(2, 1)
        server.serve()
    finally:
        machine.stop()
    return 0


def stop_all(board: str) -> None:
    """All machines of this board and checkout that run."""
    for path in _servers(board).glob("*/socket"):
        if connection := _connect(path):
            with connection:
                connection.sendall(frame(Kind.POWER_OFF))
                while connection.recv(4096):  # ends with the server
                    pass
