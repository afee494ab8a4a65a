"""One emulated machine: QEMU, its console's log, and the connection to the agent inside."""

import pathlib
import re
import socket
import subprocess
import time

from boards import monitor
from boards.board import ROOT, Board, Unknown
from boards.image import Start
from boards.protocol import Frames, Kind, frame

BOOT_LIMIT_S = 120


class BootFailed(Exception):
    pass


def qemu_command(board: Board, start: Start, memory_mib: int, cpus: int) -> list[str]:
    emulator = board.emulated()
    for path in (str(ROOT), str(start.root)):
        if set(path) & set(" ,'\""):
            raise Unknown(f"{path}: QEMU and the kernel's command line take no such path")
    own = ["-dtb", str(start.device_tree)] if start.device_tree else []
    for device in emulator.get("devices", []):
        own += ["-device", device]
    # It ends with whoever started it, also if that is killed.
    return ["setpriv", "--pdeathsig", "KILL", emulator["qemu"],
            "-machine", emulator["machine"], "-cpu", emulator.get("cpu", board.cpu), *own,
            "-smp", str(cpus), "-m", str(memory_mib), "-display", "none", "-monitor", "none",
            "-no-reboot", "-nic", "none", "-audiodev", "none,id=none", "-kernel", str(start.kernel),
            "-initrd", str(start.initrd),
            # Writes go to a file without a name, and are gone with the machine.
            "-drive", f"file={start.root},format=raw,if=none,id=root,snapshot=on",
            "-device", "virtio-blk-device,drive=root",
            "-fsdev", f"local,id=host,path={ROOT},security_model=none,multidevs=remap",
            "-device", "virtio-9p-device,fsdev=host,mount_tag=host"]


def kernel_arguments(board: Board, agent: str) -> str:
    console = board.emulated()["console"]
    return (f"console={console} panic=-1 quiet loglevel=4 cma=0 host_folder={ROOT} agent={agent}"
            f" now={int(time.time())}")


class Machine:
    """A booted machine. `log` is where its console goes."""

    def __init__(self, board: Board, start: Start, memory_mib: int, cpus: int,
                 folder: pathlib.Path) -> None:
        self.log = folder / "console.log"
        port = folder / "port"
        port.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(port))
            listener.listen(1)
            listener.settimeout(BOOT_LIMIT_S)
            command = qemu_command(board, start, memory_mib, cpus) + [
                "-serial", f"file:{self.log}",
                "-qmp", f"unix:{folder}/{monitor.SOCKET},server=on,wait=off", "-chardev", f"socket,id=port,path={port}",
                "-device", "virtio-serial-device",
                "-device", "virtserialport,chardev=port,name=ringlet",
                "-append", kernel_arguments(board, "/run/agent")]
            self._errors = (folder / "qemu.log").open("w+")
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                            stdout=self._errors, stderr=self._errors)
            try:
                self.port, _ = listener.accept()
            except TimeoutError:
                self.stop()
                raise BootFailed(f"QEMU does not start: {self.said()}") from None
        self.frames = Frames()
        self.greeting = self._await_greeting()

    def _await_greeting(self) -> str:
        end = time.monotonic() + BOOT_LIMIT_S
        while (left := end - time.monotonic()) > 0:
            self.port.settimeout(left)
            try:
                data = self.port.recv(4096)
            except TimeoutError:
                break
            if not data:
                break
            for _, kind, payload in self.frames.feed(data):
                if kind == Kind.HELLO:
                    self.port.settimeout(None)
                    return payload.decode()
        self.stop()
        raise BootFailed(f"the machine does not boot; its console: {self.said()}")

    def said(self) -> str:
        """The last that QEMU and the console had to say."""
        self._errors.seek(0)
        console = self.log.read_text(errors="replace") if self.log.exists() else ""
        return (self._errors.read() + "\n".join(console.splitlines()[-20:])).strip()

    def why_it_ended(self) -> tuple[str, str]:
        """panic, or gone; and what is known. QEMU has closed the port."""
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        console = self.log.read_text(errors="replace")
        found = re.search(r"Kernel panic[^\n]*", console)
        if found:
            return "panic", found[0].strip()
        return "gone", self.said()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def power_off(self) -> None:
        self.port.setblocking(True)
        self.port.settimeout(10)
        try:
            self.port.sendall(frame(Kind.POWER_OFF))
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            pass
        self.stop()
