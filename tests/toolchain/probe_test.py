#!/usr/bin/env python3
"""Shows which of the coroutine shapes that our rules forbid (docs/compilers.md) a compiler gets
wrong, for each compiler at hand.

Fails when the outcome is not what is recorded below for that compiler: then a rule can go, or
is missing. Where nothing is recorded, the table is all.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

# Versions that get every shape wrong, and the first that gets every shape right. What lies between
# has not been tried.
WRONG = {"gcc": [12]}
RIGHT_SINCE = {"gcc": 14, "clang": 19}

LEVELS = ["-O0", "-O2"]


def compilers() -> list[list[str]]:
    """The build's own, and the usual ones that are installed; each once."""
    names = [os.environ.get("CXX", "c++"), "g++", "g++-14", "g++-15", "clang++-19", "clang++-20"]
    commands = {}
    for name in names:
        command = shlex.split(name)
        if path := shutil.which(command[-1]):
            commands.setdefault(os.path.realpath(path), command)
    return list(commands.values())


def identify(command: list[str]) -> tuple[str, int]:
    macros = subprocess.run([*command, "-E", "-dM", "-x", "c++", "/dev/null"],
                            capture_output=True, text=True, check=True).stdout
    kind, macro = ("clang", "__clang_major__") if "__clang__" in macros else ("gcc", "__GNUC__")
    return kind, int(re.search(rf"#define {macro} (\d+)", macros)[1])


def expected(kind: str, version: int) -> str | None:
    if version in WRONG.get(kind, []):
        return "wrong"
    return "right" if version >= RIGHT_SINCE[kind] else None


def outcome(command: list[str], source: pathlib.Path, binary: pathlib.Path) -> tuple[str, str]:
    """right or wrong, and at which level what was seen."""
    for level in LEVELS:
        built = subprocess.run([*command, "-std=c++23", "-fno-exceptions", "-fno-rtti", level,
                                "-w", source, "-o", binary], capture_output=True, text=True)
        if built.returncode:
            return "wrong", f"{level}: does not compile"
        try:
            status = subprocess.run([binary], timeout=10).returncode
        except subprocess.TimeoutExpired:
            return "wrong", f"{level}: never ends"
        if status:
            return "wrong", f"{level}: " + (f"signal {-status}" if status < 0 else "wrong result")
    return "right", ""


def main() -> int:
    surprises = []
    print(f"{'compiler':<12}{'shape':<28}outcome")
    with tempfile.TemporaryDirectory(prefix="ringlet-probe-") as scratch:
        for command in compilers():
            kind, version = identify(command)
            for source in sorted(HERE.glob("*.cpp")):
                found, detail = outcome(command, source, pathlib.Path(scratch, "probe"))
                wanted = expected(kind, version)
                mark = f"{found}  {detail}"
                if wanted is None:
                    mark += "  (nothing is recorded for this compiler)"
                elif found != wanted:
                    mark += f"  EXPECTED: {wanted}"
                    surprises.append(f"{kind} {version}: {source.stem}")
                print(f"{kind + ' ' + str(version):<12}{source.stem:<28}{mark.rstrip()}")
    for surprise in surprises:
        print(f"not as recorded: {surprise}")
    return 1 if surprises else 0


sys.exit(main())
