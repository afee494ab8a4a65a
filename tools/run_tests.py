#!/usr/bin/env python3
"""Builds Ringlet in several ways, runs the tests of each and counts single cases (tools/test)."""

import argparse
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

from boards import session, sysroot
from boards.board import ROOT, Board
from compilers import CCACHE, CLANG, GCC


@dataclasses.dataclass
class Build:
    name: str
    options: list[str]
    compilers: dict[str, str] = dataclasses.field(default_factory=dict)
    # Tests about the tree come out the same in every build: once is enough.
    skipped_suites: list[str] = dataclasses.field(default_factory=lambda: ["tree"])
    # Only these targets are built; none named: all are.
    targets: list[str] = dataclasses.field(default_factory=list)
    # Only these tests are run; none named: all are.
    only: list[str] = dataclasses.field(default_factory=list)
    # Of boards/: its cross files are used, and tools/setup must have fetched what it needs.
    board: str | None = None
    has_tests: bool = True


THREADED = ["work_job_queue", "work_mailbox", "work_worker_pool",
            "conformance_p23_blocking_work", "conformance_p25_sync_and_async"]
# Lines are enough of debug information.
SANITIZED = ["-Doptimization=1", "-Ddebug=false", "-Db_lundef=false", "-Dcpp_args=-g1"]
APPS = [f"apps/{app}/{app}" for app in ("fetch", "hello", "pipeline", "station", "timeout")]


def boards() -> list[Build]:
    """The suite on each emulated board; and with wraps instead of the board's libraries, and with
    clang, everything else, and what stands closest to those libraries as a sample."""
    builds = []
    for name in ("qemu-aarch64", "qemu-armv7"):
        options = sysroot.build_options(Board(name))
        sample = ["ring_ring_conformance", "app_json", "http_response_parser"]
        few = {"board": name, "targets": [*APPS, *(f"tests/{test}_test" for test in sample)],
               "only": [sample[0], *(f"{test}_simulated" for test in sample)]}
        builds += [
            Build(name, options, board=name),
            Build(f"{name}-wraps", [*options, "--wrap-mode=forcefallback"], **few),
            Build(f"{name}-clang",
                  [*options, "--cross-file", str(ROOT / "boards/clang.ini")], **few),
        ]
    # No programs of theirs run here, but they must be had.
    return builds + [Build(name, sysroot.build_options(Board(name)), board=name, has_tests=False,
                           targets=APPS) for name in ("raspberry-pi-4", "beaglebone-black")]


BUILDS = [
    Build("gcc-debug", ["--buildtype=debug"], GCC, skipped_suites=[]),
    # Benchmarks are built so that they do not rot; counts of instructions are this compiler's.
    Build("gcc-release", ["--buildtype=release", "-Dbench=enabled"], GCC),
    Build("clang-asan", [*SANITIZED, "-Db_sanitize=address,undefined"], CLANG),
    # What has more than one thread.
    Build("clang-tsan", [*SANITIZED, "-Db_sanitize=thread"], CLANG, skipped_suites=[],
          targets=[f"tests/{test}_test" for test in THREADED], only=THREADED),
    *boards(),
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


def finished(command: list, **options) -> subprocess.CompletedProcess:
    """As subprocess.run; but who is stopped ends the command, too, and it all that it has begun."""
    with subprocess.Popen(command, **options) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    return subprocess.CompletedProcess(command, process.returncode, output)


def build(which: Build, folder: pathlib.Path) -> str:
    """Empty, or why it could not be built."""
    commands = [["ninja", "-C", folder, *which.targets]]
    if not (folder / "build.ninja").exists():
        cross = sysroot.cross_files(Board(which.board)) if which.board else []
        commands.insert(0, ["meson", "setup", folder, "-Dtests=enabled", *cross, *which.options])
    for command in commands:
        done = finished(command, cwd=ROOT, env={**os.environ, **CCACHE, **which.compilers},
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
    try:
        # Some build something.
        status = finished(command, env={**os.environ, **CCACHE, **SANITIZERS}).returncode
    finally:
        if which.board:
            session.stop_all(which.board)
    try:
        count = read_results(folder)
    except (OSError, xml.ParseError, json.JSONDecodeError) as error:
        return Count(failures=[("meson test", f"no readable results: {error}")])
    if status and not count.failures:
        count.failures.append(("meson test", f"exit status {status}, but no test failed"))
    return count


def stopped(number: int, _) -> None:
    sys.exit(128 + number)


def main() -> int:
    signal.signal(signal.SIGTERM, stopped)
    parser = argparse.ArgumentParser(prog="tools/test")
    parser.add_argument("--quick", action="store_true", help="only the GCC debug build")
    names = [which.name for which in BUILDS]
    parser.add_argument("--only", action="append", metavar="BUILD", choices=names,
                        help=f"only this build; repeatable: {', '.join(names)}")
    parser.add_argument("--boards", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    named = arguments.only or names[:1 if arguments.quick else None]
    chosen = [which for which in BUILDS if which.name in named]
    if arguments.boards:  # for tools/test: what tools/setup must be told
        print(*(f"--board {name}" for name in sorted({each.board for each in chosen} - {None})))
        return 0

    total = Count()
    for which in chosen:
        folder = ROOT / "build" / which.name
        begin = time.monotonic()
        print(f"== {which.name}", flush=True)
        if which.board and not sysroot.is_there(Board(which.board)):
            found = total.failures if arguments.only else total.skips
            found.append((which.name, f"tools/setup --board {which.board} has not been here"))
            continue
        count = Count()
        if problem := build(which, folder):
            count.failures.append(("build", problem))
        built = time.monotonic()
        if which.has_tests and not problem:
            count = run_tests(which, folder)
        elif not problem:
            count.passed += 1
        print(f"{which.name}: {count.passed} passed, {len(count.failures)} failed,"
              f" {len(count.skips)} skipped; built in {built - begin:.0f} s,"
              f" ran {time.monotonic() - built:.0f} s")
        for found in (count.failures, count.skips):
            found[:] = [(f"{which.name}: {name}", text) for name, text in found]
        # At once: who is stopped before the end has seen why.
        for name, message in count.failures:
            print(f"\nFAILED {name}\n{message.strip()}\n")
        sys.stdout.flush()
        total.add(count)

    for name, reason in total.skips:
        print(f"skipped {name}: {reason}")
    for name, _ in total.failures:
        print(f"FAILED {name}")
    print(f"{total.passed} passed, {len(total.failures)} failed, {len(total.skips)} skipped")
    return 1 if total.failures or total.passed == 0 else 0


sys.exit(main())
