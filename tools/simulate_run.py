#!/usr/bin/env python3
"""Builds the simulated programs, runs them on all cores, and reports what fails (tools/simulate).

The build has AddressSanitizer, and dead frames are poisoned in it, so that a use after the end is
seen.
"""

import argparse
import array
import dataclasses
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import time

import simulate_shrink

ROOT = pathlib.Path(__file__).resolve().parent.parent
FAILING = ROOT / "tests/simulation/failing_seeds.txt"
OPTIONS = ["-Dtests=enabled", "-Dapps=disabled", "-Doptimization=1", "-Ddebug=true",
           "-Db_lundef=false", "-Db_sanitize=address,undefined"]
COMPILERS = {"CC": "clang-19", "CXX": "clang++-19"}
# Each worker counts its seeds from one of its own.
SEEDS_APART = 1_000_000_000
SHRINK_LIMIT_S = 60


def build(folder: pathlib.Path) -> pathlib.Path:
    """The program's path; ends the process if it cannot be built."""
    commands = [["ninja", "-C", folder, "tests/simulation/simulate"]]
    if not (folder / "build.ninja").exists():
        commands.insert(0, ["meson", "setup", folder, *OPTIONS])
    print(f"simulate: building in {folder}", flush=True)
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **COMPILERS},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(done.stdout + f"simulate: {command[0]} failed")
    return folder / "tests/simulation/simulate"


class Worker:
    """A process that runs one program after the other."""

    def __init__(self, program: pathlib.Path, record: pathlib.Path, arguments: list[str]):
        self.record = record
        self.words = open(f"{record}.words", "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            [program, "--record", record, *arguments], stdout=self.words, stderr=self.words)

    def done(self) -> int:
        """Programs so far."""
        return self.record.stat().st_size // 16 if self.record.exists() else 0

    def said(self) -> str:
        self.words.seek(0)
        return self.words.read()

    def seed(self) -> int:
        """The one under way, or the last."""
        return int(pathlib.Path(f"{self.record}.seed").read_text() or 0)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@dataclasses.dataclass
class Summary:
    hashes: set[int] = dataclasses.field(default_factory=set)
    events: list[int] = dataclasses.field(default_factory=list)
    kinds: list[int] = dataclasses.field(default_factory=list)

    def add(self, record: pathlib.Path) -> None:
        if not record.exists():
            return
        words = array.array("Q", record.read_bytes()[: record.stat().st_size // 16 * 16])
        self.hashes.update(words[0::2])
        self.events += [word & 0xFFFFFFFF for word in words[1::2]]
        self.kinds += [word >> 32 for word in words[1::2]]

    def line(self, seconds: float) -> str:
        if not self.events:
            return "simulate: no scenarios"
        events = sorted(self.events)
        return (f"simulate: {len(events)} scenarios in {seconds:.0f} s, {len(self.hashes)} distinct"
                f" traces; events: median {events[len(events) // 2]}, least {events[0]}; kinds of"
                f" task: least {min(self.kinds)}")


class Progress:
    """A line that is written anew each second, or, where there is no terminal, each ten."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.shows = sys.stderr.isatty()
        self.next = self.start + self.pause()

    def pause(self) -> int:
        return 1 if self.shows else 10

    def tell(self, done: int) -> None:
        now = time.monotonic()
        if now < self.next:
            return
        self.next += self.pause()
        words = f"simulate: {now - self.start:.0f} s, {done} scenarios"
        print(f"\r{words}" if self.shows else words, end="" if self.shows else "\n",
              file=sys.stderr, flush=True)

    def end(self) -> float:
        if self.shows:
            print(file=sys.stderr)
        return time.monotonic() - self.start


def run_workers(program: pathlib.Path, arguments: list[list[str]]):
    """The summary's line, and the worker that failed first, or None."""
    with tempfile.TemporaryDirectory() as folder:
        records = [pathlib.Path(folder, f"record{i}") for i in range(len(arguments))]
        workers = [Worker(program, record, each) for record, each in zip(records, arguments)]
        progress = Progress()
        failed = None
        try:
            while failed is None and any(worker.process.poll() is None for worker in workers):
                time.sleep(0.1)
                progress.tell(sum(worker.done() for worker in workers))
                failed = next((worker for worker in workers if worker.process.poll()), None)
            failed = failed or next((worker for worker in workers if worker.process.poll()), None)
        finally:
            for worker in workers:
                worker.stop()
        seconds = progress.end()
        summary = Summary()
        for record in records:
            summary.add(record)
        failure = None
        if failed is not None:
            failure = simulate_shrink.Failure(failed.seed(), failed.said(),
                                              failed.process.returncode)
        return summary.line(seconds), failure


def shares(arguments: argparse.Namespace, first: int) -> list[list[str]]:
    """What each worker is asked for."""
    if arguments.seed is not None:
        return [["--seeds", str(arguments.seed), "1"]]
    jobs = arguments.jobs
    asked = []
    for i in range(jobs):
        count = 0 if arguments.seeds is None else (arguments.seeds + jobs - 1 - i) // jobs
        if arguments.seeds is not None and count == 0:
            continue
        words = ["--seeds", str(first + i * SEEDS_APART), str(count or SEEDS_APART)]
        if arguments.seconds is not None:
            words += ["--seconds", str(arguments.seconds)]
        asked.append(words)
    return asked


def keep(failure: simulate_shrink.Failure) -> None:
    with open(FAILING, "a", encoding="utf-8") as file:
        file.write(f"{failure.seed}  # {failure.kind}\n")
    print(f"simulate: the seed is kept in {FAILING.relative_to(ROOT)}")


def report(program: pathlib.Path, failure: simulate_shrink.Failure, folder: pathlib.Path,
           arguments: argparse.Namespace) -> None:
    print(failure.said.rstrip())
    print(f"simulate: seed {failure.seed} failed: {failure.kind}")
    if not arguments.no_keep:
        keep(failure)
    print(f"simulate: replay it with: tools/simulate --seed {failure.seed}"
          f" --build {arguments.build}")
    if arguments.no_shrink:
        return
    print("simulate: cutting it down", flush=True)
    shrunk = simulate_shrink.shrink(program, failure, SHRINK_LIMIT_S)
    if shrunk is None:
        print("simulate: it did not fail again, so it cannot be cut down")
        return
    path = folder / f"failure_{failure.seed}.program"
    path.write_text(shrunk.text)
    print(f"{shrunk.said.rstrip()}\nsimulate: what is left of it, in {path}:")
    print(shrunk.text.rstrip())
    print(f"simulate: replay it with: tools/simulate --program {path} --build {arguments.build}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/simulate")
    parser.add_argument("--seconds", type=int, help="how long to go on; 60 if nothing is said")
    parser.add_argument("--seeds", type=int, help="how many programs to run")
    parser.add_argument("--seed", type=int, help="run the program of this seed only")
    parser.add_argument("--program", type=pathlib.Path, help="run the program in this file only")
    parser.add_argument("--first-seed", type=int, help="where to begin; drawn if nothing is said")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/simulate"),
                        help="the build's folder")
    parser.add_argument("--executable", type=pathlib.Path, help="build nothing, run this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument("--no-shrink", action="store_true", help="do not cut down what fails")
    parser.add_argument("--no-keep", action="store_true", help="do not keep the seed that fails")
    arguments = parser.parse_args()
    if arguments.seconds is None and arguments.seeds is None:
        arguments.seconds = 60
    return arguments


def main() -> int:
    arguments = parse_arguments()
    folder = (ROOT / arguments.build).resolve()
    program = arguments.executable or build(folder)
    if arguments.program is not None:
        return subprocess.run([program, "--program", arguments.program]).returncode
    first = arguments.first_seed if arguments.first_seed is not None else secrets.randbits(40)
    if arguments.seed is None:
        print(f"simulate: the first seed is {first}", flush=True)
    line, failure = run_workers(program, shares(arguments, first))
    print(line)
    if failure is None:
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    report(program, failure, folder, arguments)
    return 1


if __name__ == "__main__":
    sys.exit(main())
