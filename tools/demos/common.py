"""What the demonstrations share: running an app, watching its memory, checking what it said."""

import json
import pathlib
import re
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TIME_MAX_S = 300


class Failed(Exception):
    pass


def check(condition: bool, what: str) -> None:
    if not condition:
        raise Failed(what)


def wait(child: subprocess.Popen) -> int:
    """Waits until the child has ended; gives its peak memory in bytes.

    Looks at the kernel's own high-water mark (VmHWM) all the while: ru_maxrss would count this
    script too, whose memory the child had until its exec.
    """
    peak_kib = 0
    end = time.monotonic() + TIME_MAX_S
    while child.poll() is None:
        status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
        # Absent once the child has ended and waits for us to take its status.
        if found := re.search(r"^VmHWM:\s+(\d+) kB$", status, re.M):
            peak_kib = int(found[1])
        if time.monotonic() > end:
            child.kill()
        time.sleep(0.005)
    return peak_kib * 1024


def run_app(name: str, arguments: list, folder: pathlib.Path,
            status: int) -> tuple[list, dict, int]:
    """Runs an app with --jsonl, which must end with `status`. Gives the objects that it wrote to
    standard output, its summary, and its peak memory in bytes."""
    program = ROOT / f"build/release/apps/{name}/{name}"
    output, messages = folder / f"{name}.jsonl", folder / f"{name}.log"
    with output.open("wb") as stdout, messages.open("wb") as stderr:
        child = subprocess.Popen([program, "--jsonl", *map(str, arguments)],
                                 stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        memory = wait(child)
    words = messages.read_text(errors="replace").splitlines()
    check(child.returncode == status, f"{name}: exit status {child.returncode}, not {status};"
          " its last words:\n" + "\n".join(words[-10:]))
    try:
        summary = json.loads(words[-1])["summary"]
    except (IndexError, KeyError, TypeError, json.JSONDecodeError):
        last = "".join(words[-1:])
        raise Failed(f"{name}: the last line on stderr is no summary: {last}") from None
    return [json.loads(line) for line in output.read_text().splitlines()], summary, memory
