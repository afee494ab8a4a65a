"""What a result depends on, beside the programs."""

import os
import pathlib
import platform
import re
import shutil
import subprocess
import time

from benches import builds
from compilers import GCC, ROOT


def _read(path: str) -> str:
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return ""


def cpu_model() -> str:
    found = re.search(r"^model name\s*: (.*)$", _read("/proc/cpuinfo"), re.M)
    return found[1] if found else platform.machine()


def compiler() -> str:
    """As the build uses it, without ccache."""
    program = GCC["CXX"].split()[-1]
    if shutil.which(program) is None:
        return "none"
    return subprocess.run([program, "--version"], capture_output=True,
                          text=True).stdout.splitlines()[0]


def describe() -> dict[str, object]:
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "not told",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "compiler": compiler(),
        "revision": builds.revision(ROOT) + (" with changes" if builds.is_changed(ROOT) else ""),
        "begin": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "load_at_begin": os.getloadavg()[0],
    }


def at_end(described: dict[str, object]) -> dict[str, object]:
    return described | {"end": time.strftime("%Y-%m-%d %H:%M:%S %z"),
                        "load_at_end": os.getloadavg()[0]}
