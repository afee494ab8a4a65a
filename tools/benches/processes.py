"""Runs programs on a core of their own, within a time limit, and leaves none behind."""

import contextlib
import os
import pathlib
import select
import signal
import subprocess
import time
from collections.abc import Iterator

LIMIT_S = 180  # for one program
STOP_LIMIT_S = 5
LINES_MAX = 10
SKIPPED = 77  # exit status


class Failed(Exception):
    """A program did; the text says how, with its last lines."""


class Missing(Failed):
    """What is not installed."""


def cores() -> tuple[int, int]:
    """Of what is measured, and of what loads it."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def as_arguments(values: dict[str, object]) -> list[str]:
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


def last_lines(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-LINES_MAX:])


def _kill(child: subprocess.Popen) -> None:
    """With all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _check_alive(child: subprocess.Popen, name: str) -> None:
    if child.poll() is not None:
        said = last_lines(child.stdout.read())
        raise Failed(f"{name} ended while it served: status {child.returncode}\n{said}")


@contextlib.contextmanager
def running(command: list[str], core: int, **options) -> Iterator[subprocess.Popen]:
    # A session of its own: it can be killed with its children, and ^C is ours alone.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True, errors="replace",
                             start_new_session=True,
                             preexec_fn=lambda: os.sched_setaffinity(0, {core}), **options)
    with child:  # closes its pipes
        try:
            yield child
        finally:
            _kill(child)


def run(command: list[str], core: int, limit_s: float = LIMIT_S) -> str:
    """What it prints."""
    name = pathlib.Path(command[0]).name
    with running(command, core, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            out, err = child.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{name} did not end within {limit_s:.0f} s") from error
        if child.returncode == SKIPPED:
            raise Missing(last_lines(out + err))
        if child.returncode != 0:
            raise Failed(f"{name}: exit status {child.returncode}\n{last_lines(out + err)}")
    return out


@contextlib.contextmanager
def serving(command: list[str], core: int, limit_s: float = 10) -> Iterator[subprocess.Popen]:
    """A server that prints "listening" when it does, for the time of the context. It must live
    until then, and end well on SIGTERM."""
    name = pathlib.Path(command[0]).name
    with running(command, core, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        if select.select([child.stdout], [], [], limit_s)[0]:
            first = child.stdout.readline()
        else:
            first = "nothing"
        if first.strip() != "listening":
            _kill(child)
            said = last_lines(first + child.stdout.read())
            raise Failed(f"{name} does not listen; it said: {said}")
        try:
            yield child
        except Exception:
            _check_alive(child, name)  # that would be the cause
            raise
        _check_alive(child, name)
        child.send_signal(signal.SIGTERM)
        try:
            status = child.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{name} did not end within {STOP_LIMIT_S} s of SIGTERM") from error
        if status not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
            raise Failed(f"{name} ended badly on SIGTERM: status {status}\n"
                         f"{last_lines(child.stdout.read())}")


def span_s(command: list[str], core: int) -> float:
    """From start to end, by the quickest way to start it, without a time limit."""
    everywhere = os.sched_getaffinity(0)
    nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    os.sched_setaffinity(0, {core})
    try:
        begin = time.monotonic()
        child = os.posix_spawn(command[0], command, os.environ, file_actions=nowhere)
        _, status = os.waitpid(child, 0)
        span = time.monotonic() - begin
    finally:
        os.sched_setaffinity(0, everywhere)
    if status != 0:
        raise Failed(f"{command[0]}: exit status {os.waitstatus_to_exitcode(status)}")
    return span


def wait_until(condition, limit_s: float = 10) -> bool:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
