#!/usr/bin/env python3
"""The random programs find faults: each patch in mutants/ puts one into a copy of the sources,
which is built and run from new seeds until it is found. Then the printed command must fail in the
same way.

Usage: mutants_test.py SOURCE_ROOT WORK_FOLDER [MUTANT...]

The copy and its build stay in WORK_FOLDER, so that a second run, or the next mutant, compiles what
differs only. A patch's first line says what it breaks.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

FIND_LIMIT_S = 60
COMPILERS = {"CC": "clang-19", "CXX": "clang++-19"}
# As in tools/simulate_run.py.
OPTIONS = ["-Dtests=enabled", "-Dapps=disabled", "-Doptimization=1", "-Ddebug=true",
           "-Db_lundef=false", "-Db_sanitize=address,undefined"]
TARGET = "tests/simulation/simulate"
LEFT_OUT = shutil.ignore_patterns("build", ".git", "packagecache", "__pycache__", ".ci")


def run(command: list, folder: pathlib.Path) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], cwd=folder,
                          env={**os.environ, **COMPILERS}, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def must(command: list, folder: pathlib.Path) -> str:
    done = run(command, folder)
    if done.returncode:
        sys.exit(f"{shlex.join(str(word) for word in command)} failed\n{done.stdout[-4000:]}")
    return done.stdout


def copy_sources(source: pathlib.Path, copy: pathlib.Path) -> None:
    """Only what differs, so that the rest is not compiled anew."""
    wanted = set()
    for folder, folders, names in os.walk(source):
        left_out = LEFT_OUT(folder, folders)
        folders[:] = [name for name in folders if name not in left_out]
        for name in names:
            path = pathlib.Path(folder, name).relative_to(source)
            wanted.add(path)
            there = copy / path
            if there.exists() and there.read_bytes() == (source / path).read_bytes():
                continue
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / path, there)
    for path in [path for path in copy.rglob("*") if path.is_file()]:
        if path.relative_to(copy) not in wanted:
            path.unlink()


def build(folder: pathlib.Path) -> float:
    start = time.monotonic()
    must(["ninja", "-C", folder, TARGET], folder)
    return time.monotonic() - start


def find(copy: pathlib.Path, folder: pathlib.Path) -> tuple[str, float]:
    """What tools/simulate said, and how long it took."""
    start = time.monotonic()
    done = run(["tools/simulate", "--seconds", FIND_LIMIT_S, "--build", folder, "--no-keep",
                "--no-shrink"], copy)
    return done.stdout if done.returncode == 1 else "", time.monotonic() - start


def check(mutant: pathlib.Path, copy: pathlib.Path, folder: pathlib.Path) -> str:
    """Empty, or why the mutant counts as not found."""
    says = mutant.read_text().splitlines()[0]
    # Not the repository that the copy may lie in.
    patch = ["env", f"GIT_CEILING_DIRECTORIES={copy.parent}", "git", "apply"]
    must([*patch, mutant], copy)
    try:
        built = build(folder)
        said, took = find(copy, folder)
        failed = re.search(r"^simulate: seed (\d+) failed: (.*)$", said, re.M)
        if not failed:
            return f"not found within {FIND_LIMIT_S} s: {says}\n{said[-2000:]}"
        print(f"{mutant.stem}: seed {failed[1]}, after {took:.1f} s: {failed[2]}"
              f" (built in {built:.0f} s)", flush=True)
        return replay(said, failed[2], copy, folder)
    finally:
        must([*patch, "--reverse", mutant], copy)


def replay(said: str, kind: str, copy: pathlib.Path, folder: pathlib.Path) -> str:
    command = re.search(r"^simulate: replay it with: (.*)$", said, re.M)[1]
    again = run([*shlex.split(command), "--no-keep", "--no-shrink"], copy)
    if again.returncode == 1 and f"failed: {kind}\n" in again.stdout:
        return ""
    return f"the printed command does not replay it: {command}\n{again.stdout[-2000:]}"


def main() -> int:
    source = pathlib.Path(sys.argv[1]).resolve()
    work = pathlib.Path(sys.argv[2]).resolve()
    if not shutil.which(COMPILERS["CXX"]):
        print(f"{COMPILERS['CXX']} is missing")
        return 77
    mutants = sorted((source / "tests/simulation/mutants").glob("*.patch"))
    mutants = [each for each in mutants if not sys.argv[3:] or each.stem in sys.argv[3:]]
    start = time.monotonic()
    copy = work / "source"
    folder = work / "build"
    copy_sources(source, copy)
    if not (folder / "build.ninja").exists():
        must(["meson", "setup", folder, *OPTIONS], copy)
    print(f"built in {build(folder):.0f} s", flush=True)
    problems = []
    for mutant in mutants:
        if problem := check(mutant, copy, folder):
            problems.append(f"{mutant.stem}: {problem}")
            print(problems[-1], flush=True)
    print(f"{len(mutants)} mutants, {len(problems)} problems,"
          f" {time.monotonic() - start:.0f} s in all")
    return 1 if problems or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
