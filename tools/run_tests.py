#!/usr/bin/env python3
"""Builds Ringlet in several ways, runs the tests of each and counts single cases (tools/test)."""

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass
class Build:
    name: str
    options: list[str]
    compilers: dict[str, str]
    # Tests about the tree come out the same in every build: once is enough.
    skipped_suites: list[str]
    # Only these tests are built and run; none named: all are.
    only: list[str] = dataclasses.field(default_factory=list)
    apps: bool = True
    # A file that tools/setup makes; without it the build is left out.
    needs: pathlib.Path | None = None


GCC = {"CC": "gcc", "CXX": "g++"}
CLANG = {"CC": "clang-19", "CXX": "clang++-19"}
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ringlet"


def emulated(board: str) -> Build:
    """A board's build, for what runs without io_uring, which qemu-user lacks."""
    sysroot = CACHE / "sysroots" / f"{board}.ini"
    cross = ROOT / "boards" / board / "cross.ini"
    # Little optimised: less would compile faster, but takes the emulator five times as long.
    options = ["--cross-file", str(sysroot), "--cross-file", str(cross),
               "-Doptimization=1", "-Ddebug=false"]
    return Build(board, options, {}, [], apps=False, needs=sysroot)


BUILDS = [
    Build("gcc-debug", ["--buildtype=debug"], GCC, []),
    Build("gcc-release", ["--buildtype=release"], GCC, ["tree"]),
    Build("clang-asan", ["-Doptimization=1", "-Ddebug=true", "-Db_lundef=false",
                         "-Db_sanitize=address,undefined"], CLANG, ["tree"]),
    # What has more than one thread.
    Build("clang-tsan", ["-Doptimization=1", "-Ddebug=true", "-Db_lundef=false",
                         "-Db_sanitize=thread"], CLANG, [],
          only=["work_job_queue", "work_mailbox", "work_worker_pool",
                "conformance_p23_blocking_work", "conformance_p25_sync_and_async"]),
    emulated("qemu-aarch64"),
    emulated("qemu-armv7"),
]

# A finding of a sanitizer ends the test with a failure.
SANITIZERS = {
    "ASAN_OPTIONS": "halt_on_error=1:abort_on_error=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:abort_on_error=1",
}

# Of a program that failed without saying in which case.
OUTPUT_LINES_MAX = 60


@dataclasses.dataclass
class Count:
    passed: int = 0
    failures: list[tuple[str, str]] = dataclasses.field(default_factory=list)  # name, what was said
    skips: list[tuple[str, str]] = dataclasses.field(default_factory=list)     # name, reason

    def add(self, other: "Count") -> None:
        self.passed += other.passed
        self.failures += other.failures
        self.skips += other.skips


def last_lines(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-OUTPUT_LINES_MAX:])


def build(which: Build, folder: pathlib.Path) -> str:
    """Empty, or why it could not be built."""
    commands = [["ninja", "-C", folder, *(f"tests/{test}_test" for test in which.only)]]
    if not (folder / "build.ninja").exists():
        apps = "enabled" if which.apps else "disabled"
        commands.insert(0, ["meson", "setup", folder, "-Dtests=enabled", f"-Dapps={apps}",
                            *which.options])
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **which.compilers},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            return f"{command[0]} failed\n{last_lines(done.stdout)}"
    return ""


def skip_reason(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def cases(suites: list[xml.Element], test: str) -> Count:
    """The single cases of a GoogleTest program."""
    count = Count()
    for case in (case for suite in suites for case in suite.iter("testcase")):
        name = f"{test}: {case.get('classname')}.{case.get('name')}"
        failures = case.findall("failure") + case.findall("error")
        skipped = case.find("skipped")
        if failures:
            message = "\n".join(found.text or found.get("message", "") for found in failures)
            count.failures.append((name, message))
        elif skipped is not None:
            reason = (skipped.text or skipped.get("message", "")).strip().splitlines()
            # GoogleTest puts the place first: file:line, then the reason.
            count.skips.append((name, " ".join(reason[1:] or reason) or "no reason given"))
        elif case.get("status") != "notrun":
            count.passed += 1
    return count


def read_results(folder: pathlib.Path) -> Count:
    """testlog.json tells how each program ended, testlog.junit.xml its cases. Both are needed: a
    program that crashed wrote no cases."""
    count = Count()
    suites = list(xml.parse(folder / "meson-logs/testlog.junit.xml").getroot())
    for line in (folder / "meson-logs/testlog.json").read_text().splitlines():
        run = json.loads(line)
        # "ringlet:base / base_error", and in the report "ringlet.ringlet:base / base_error.Suite".
        test = run["name"].split(" / ")[-1]
        own = [suite for suite in suites
               if suite.get("name", "").split(" / ")[-1].startswith(f"{test}.")]
        output = run.get("stdout", "") + run.get("stderr", "")
        single = cases(own, test)
        count.add(single)
        if run["result"] == "SKIP":
            count.skips.append((test, skip_reason(output)))
        elif run["result"] != "OK":
            if not single.failures:
                message = f"{run['result']}, exit status {run['returncode']}"
                count.failures.append((test, message + "\n" + last_lines(output)))
        elif not own:
            count.passed += 1
    return count


def run_tests(which: Build, folder: pathlib.Path) -> Count:
    for stale in [*folder.glob("*.xml"), *folder.glob("meson-logs/testlog*")]:
        stale.unlink()
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--quiet", *which.only]
    for suite in which.skipped_suites:
        command += ["--no-suite", suite]
    status = subprocess.run(command, env={**os.environ, **SANITIZERS}).returncode
    try:
        count = read_results(folder)
    except (OSError, xml.ParseError, json.JSONDecodeError) as error:
        return Count(failures=[("meson test", f"no readable results: {error}")])
    if status and not count.failures:
        count.failures.append(("meson test", f"exit status {status}, but no test failed"))
    return count


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/test")
    parser.add_argument("--quick", action="store_true", help="only the GCC debug build")
    arguments = parser.parse_args()

    total = Count()
    for which in BUILDS[:1] if arguments.quick else BUILDS:
        folder = ROOT / "build" / which.name
        print(f"== {which.name}", flush=True)
        if which.needs and not which.needs.exists():
            total.skips.append((which.name, f"tools/setup --board {which.name} has not been here"))
            continue
        if problem := build(which, folder):
            total.failures.append((which.name, problem))
            continue
        count = run_tests(which, folder)
        print(f"{which.name}: {count.passed} passed, {len(count.failures)} failed,"
              f" {len(count.skips)} skipped", flush=True)
        for found in (count.failures, count.skips):
            found[:] = [(f"{which.name}: {name}", text) for name, text in found]
        total.add(count)

    for name, message in total.failures:
        print(f"\nFAILED {name}\n{message.strip()}")
    if total.skips:
        print()
    for name, reason in total.skips:
        print(f"skipped {name}: {reason}")
    print(f"{total.passed} passed, {len(total.failures)} failed, {len(total.skips)} skipped")
    return 1 if total.failures or total.passed == 0 else 0


sys.exit(main())
