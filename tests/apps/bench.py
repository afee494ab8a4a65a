"""What the tests of programs share: a scratch folder with a program in it, and a list of cases.

A case is a function with the decorator @case that takes a Bench and raises Failed, by check(), or
Skipped. main() runs those that the command line names, or all, and prints one line for each; its
exit status is 77 (skipped) where there is no io_uring.
"""

import collections
import contextlib
import ctypes
import dataclasses
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import tty

LIMIT_S = 120  # for anything that must happen
NO_IO_URING = 69


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def check(condition, *what) -> None:
    if not condition:
        raise Failed(" ".join(str(part)[-1500:] for part in what))


def check_equal(found, expected, *what) -> None:
    check(found == expected, *what, f"is {found!r}, not {expected!r}")


def wait_until(condition, what: str):
    end = time.monotonic() + LIMIT_S
    while not (value := condition()):
        check(time.monotonic() < end, "waited in vain:", what)
        time.sleep(0.002)
    return value


def check_few_descriptors(ended: "Ended", words: str) -> None:
    """Well, or failed for want of descriptors: of the program's own, or of the ring."""
    expected = {0: "", 1: "Too many open files", NO_IO_URING: "too few descriptors left for the ring"}
    check(ended.status in expected and expected[ended.status] in words, ended.status, words)


# Running the program.

@dataclasses.dataclass
class Ended:
    status: int
    out: bytes
    err: str

    @property
    def summary(self) -> dict:
        return json.loads(self.err.splitlines()[-1])["summary"]


class Bench:
    """A scratch folder, and the program under test."""

    def __init__(self, program: str, folder: pathlib.Path) -> None:
        self.program, self.folder = program, folder
        self.children: list[subprocess.Popen] = []

    def file(self, name: str, content: bytes | str) -> pathlib.Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def start(self, *arguments, before: list[str] | None = None, **options) -> subprocess.Popen:
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, "cwd": self.folder} | options
        child = subprocess.Popen([*(before or []), self.program, *map(str, arguments)], **options)
        self.children.append(child)
        return child

    def finish(self, child: subprocess.Popen, given: bytes | None = None) -> Ended:
        out, err = child.communicate(given, timeout=LIMIT_S)
        return Ended(child.returncode, out or b"", (err or b"").decode(errors="strict"))

    def run(self, *arguments, given: bytes | None = None, **options) -> Ended:
        if given is not None:
            options["stdin"] = subprocess.PIPE
        return self.finish(self.start(*arguments, **options), given)

    def shell(self, script: str, *arguments) -> Ended:
        """Runs a shell script in which "$0" is the program."""
        child = subprocess.Popen(["sh", "-c", script, self.program, *map(str, arguments)],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, cwd=self.folder)
        self.children.append(child)
        return self.finish(child)

    def temporaries(self) -> list[str]:
        return [path.name for path in self.folder.iterdir() if path.name.endswith(".tmp")]

    def end(self) -> None:
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
            for stream in (child.stdin, child.stdout, child.stderr):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()


def in_background(function, *arguments) -> threading.Thread:
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def stop_by_second_signal(child: subprocess.Popen) -> None:
    """One that comes before the first was read counts as the same, so it sends them to the end. A
    third may find the program where it has let its signals go."""
    sent = 0
    while child.poll() is None:
        child.send_signal(signal.SIGTERM)
        sent += 1
        time.sleep(0.05)
    is_late = sent > 2 and child.returncode == -signal.SIGTERM
    check(is_late or child.returncode == 128 + signal.SIGTERM, child.returncode, "after", sent)


def peak_kib(child: subprocess.Popen) -> int:
    status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.M)[1])


def unread(pipe) -> int:
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]


def wait_until_full(pipe) -> None:
    """Until its writer has written all that it can: a little, and then nothing more."""
    def stands_still() -> bool:
        before = unread(pipe)
        time.sleep(0.3)
        return before == unread(pipe) > 32_000

    wait_until(stands_still, "the pipe to be full")


def drained(pipe) -> bool:
    return unread(pipe) == 0


def in_private_mounts(bench: Bench, script: str, *arguments) -> Ended:
    """Runs a script in which "$0" is the program, and may mount what it likes."""
    if os.geteuid() != 0:
        raise Skipped("needs root for a mount namespace")
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", bench.folder],
                           capture_output=True)
    if probe.returncode:
        raise Skipped("no mount namespace: " + probe.stderr.decode().strip())
    (bench.folder / "disk").mkdir(exist_ok=True)
    return bench.shell(f"""
        exec unshare -m sh -ec '{script}' "$0" "$@" """, *arguments)


def read_terminal(leader: int, child: subprocess.Popen, stop) -> str:
    words = b""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end and not stop(words):
        if not select.select([leader], [], [], 0.05)[0]:
            continue
        try:
            piece = os.read(leader, 65_536)
        except OSError:  # EIO: nobody has it open any more
            break
        if not piece:
            break
        words += piece
    return words.decode()


class SerialLine:
    """A pty, as a serial line to the program: `path` is its end, the device's is read and written
    here. Ends the line when it is left."""

    def __init__(self) -> None:
        self.device, terminal = pty.openpty()
        tty.setraw(terminal)  # what is sent before the program has it shall not be echoed
        self.path = os.ttyname(terminal)
        self.terminal = terminal

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.hang_up()
        os.close(self.terminal)

    def send(self, content: bytes) -> None:
        while content:
            content = content[os.write(self.device, content):]

    def request(self) -> bytes:
        """What the program sends next."""
        check(select.select([self.device], [], [], LIMIT_S)[0], "nothing was sent")
        return os.read(self.device, 4096)

    def attributes(self) -> list:
        return termios.tcgetattr(self.terminal)

    def baud(self) -> int:
        """Also one that has no name among the termios.B..."""
        tcgets2 = 0x802C_542A
        return struct.unpack_from("=I", fcntl.ioctl(self.terminal, tcgets2, b"\0" * 44), 40)[0]

    def hang_up(self) -> None:
        if self.device >= 0:
            os.close(self.device)
            self.device = -1


def deny_io_uring() -> None:
    """By a seccomp filter, as container run-times do: io_uring_setup gives EPERM.

    For a child, between fork and exec."""
    if sys.byteorder != "little" or struct.calcsize("P") != 8:
        raise Skipped("the filter is written for 64-bit little-endian machines")
    io_uring_setup, eperm = 425, 1
    filter_ = b"".join(struct.pack("HBBI", *instruction) for instruction in [
        (0x20, 0, 0, 0),                   # load the system call's number
        (0x15, 0, 1, io_uring_setup),      # if it is that,
        (0x06, 0, 0, 0x0005_0000 | eperm),  # return the error,
        (0x06, 0, 0, 0x7FFF_0000)])        # else allow
    memory = ctypes.create_string_buffer(filter_)
    program = struct.pack("HxxxxxxP", len(filter_) // 8, ctypes.addressof(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) or libc.prctl(set_seccomp, filter_mode, program):
        raise OSError(ctypes.get_errno(), "prctl")


# What all programs say of their command lines and configurations. NAME is the one they go by.

def check_refused(ended: Ended, name: str, words: str, *what) -> None:
    """It is a usage error, and one line of standard error says so with these words."""
    check_equal((ended.status, ended.out), (2, b""), *what, ended.err)
    check(ended.err.startswith(f"{name}: ") and ended.err.count("\n") == 1, *what, ended.err)
    check(words in ended.err, *what, "no", repr(words), "in", ended.err)


def check_usage_errors(bench: Bench, name: str, cases: list[tuple[list, str]]) -> None:
    """Of each case, the arguments are refused with the words."""
    for arguments, words in cases:
        check_refused(bench.run(*arguments), name, words, arguments)


def check_configuration_errors(bench: Bench, name: str, operand: str,
                               cases: list[tuple[bytes | str, str]]) -> None:
    """Of each case, the content is refused with the words."""
    for content, words in cases:
        path = bench.file("config.json", content)
        check_refused(bench.run("--config", path, operand), name, words, content[:60])


def check_help_and_version(bench: Bench, name: str, words: list[str]) -> None:
    """The words are in the help; and both are on standard output, or it is said by the status."""
    ended = bench.run("--help")
    check_equal((ended.status, ended.err), (0, ""))
    for each in words:
        check(each.encode() in ended.out, "no", each)
    check(max(map(len, ended.out.decode().splitlines())) <= 80, "a line is too long")
    ended = bench.run("--version")
    check_equal((ended.status, ended.err), (0, ""))
    check(re.fullmatch(rb"%s \d+\.\d+\.\d+\n" % name.encode(), ended.out), ended.out)
    with open("/dev/full", "wb") as full:
        check_equal(bench.run("--help", stdout=full).status, 1)


def check_needs_io_uring(bench: Bench, *arguments) -> None:
    ended = bench.run(*arguments, preexec_fn=deny_io_uring)
    check_equal((ended.status, ended.out), (NO_IO_URING, b""), ended.err)
    check(ended.err.startswith("error: io_uring cannot be used: "), ended.err)


# Cases.

CASES = []


def case(function):
    CASES.append(function)
    return function


def run_case(function, program: str) -> str:
    name = function.__name__.replace("_", " ")
    with tempfile.TemporaryDirectory(prefix="ringlet-test-") as folder:
        bench = Bench(program, pathlib.Path(folder))
        began = time.monotonic()
        try:
            function(bench)
        except Skipped as why:
            print(f"skipped  {name}: {why}", flush=True)
            return "skipped"
        except (Failed, OSError, ValueError, LookupError, subprocess.SubprocessError) as failure:
            kind = "" if isinstance(failure, Failed) else f"{type(failure).__name__}: "
            print(f"FAILED   {name}: {kind}{failure}", flush=True)
            return "failed"
        finally:
            bench.end()
        print(f"passed   {name} ({time.monotonic() - began:.1f} s)", flush=True)
        return "passed"


def main() -> int:
    """For scripts that are called with PROGRAM [CASE...]."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, it would not stop a child
    program, wanted = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:]
    probe = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=LIMIT_S)
    if probe.returncode == NO_IO_URING:
        print("skipped: " + probe.stderr.strip())
        return 77
    counts = collections.Counter(run_case(function, program) for function in CASES
                                 if not wanted or function.__name__ in wanted)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0
