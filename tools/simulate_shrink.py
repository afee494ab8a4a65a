"""Cuts a failing program down: leaves out what is not needed for the same failure.

A program is a text (tests/simulation/program.hpp): lines about its surroundings, then nodes, each
indented by its depth. A cut is kept if the program still fails, and in the same way. Since a cut
shifts what the world draws, each is tried with a few seeds of the world.
"""

import dataclasses
import pathlib
import re
import subprocess
import tempfile
import time

RUN_LIMIT_S = 20
WORLDS = 4


@dataclasses.dataclass
class Failure:
    seed: int
    said: str
    status: int
    text: str = ""

    @property
    def kind(self) -> str:
        return kind_of(self.said, self.status)


def kind_of(said: str, status: int) -> str:
    """Which failure it is, without what differs between two runs of it."""
    if found := re.search(r"assertion failed at (\S+?:\d+): (.*)", said):
        return f"assertion at {found[1].split('/')[-1]}: {found[2]}"
    if found := re.search(r"ERROR: AddressSanitizer: (\S+)", said):
        return f"AddressSanitizer: {found[1]}"
    if found := re.search(r"(\S+?:\d+):\d+: runtime error: ", said):
        return f"undefined behaviour at {found[1].split('/')[-1]}"
    if found := re.search(r"^FAILED seed \d+: (.*) \(-?\d+\)$", said, re.M):
        return found[1]
    last = said.strip().splitlines()[-1:] or ["nothing was said"]
    return f"exit status {status}: {last[0]}"


@dataclasses.dataclass
class Program:
    surroundings: dict[str, int]
    nodes: list[tuple[int, list[str]]]  # depth; kind and numbers

    @staticmethod
    def parse(text: str) -> "Program":
        program = Program({}, [])
        for line in text.splitlines():
            words = line.split()
            if len(words) == 2:
                program.surroundings[words[0]] = int(words[1])
            elif words:
                program.nodes.append(((len(line) - len(line.lstrip())) // 2, words))
        return program

    def text(self) -> str:
        lines = [f"{name} {value}" for name, value in self.surroundings.items()]
        lines += ["  " * depth + " ".join(words) for depth, words in self.nodes]
        return "\n".join(lines) + "\n"

    def end(self, at: int) -> int:
        """One after the last node below `at`."""
        end = at + 1
        while end < len(self.nodes) and self.nodes[end][0] > self.nodes[at][0]:
            end += 1
        return end

    def without(self, at: int) -> "Program":
        return Program(dict(self.surroundings), self.nodes[:at] + self.nodes[self.end(at):])

    def hoisted(self, at: int) -> "Program":
        """The node goes, its children stay."""
        end = self.end(at)
        children = [(depth - 1, words) for depth, words in self.nodes[at + 1:end]]
        return Program(dict(self.surroundings), self.nodes[:at] + children + self.nodes[end:])

    def with_number(self, at: int, place: int, value: int) -> "Program":
        depth, words = self.nodes[at]
        words = [*words[:place], str(value), *words[place + 1:]]
        return Program(dict(self.surroundings),
                       self.nodes[:at] + [(depth, words)] + self.nodes[at + 1:])

    def with_surrounding(self, name: str, value: int) -> "Program":
        return Program({**self.surroundings, name: value}, self.nodes)


class Shrinker:
    def __init__(self, executable: pathlib.Path, kind: str, folder: pathlib.Path, limit_s: float):
        self.executable = executable
        self.kind = kind
        self.path = folder / "candidate"
        self.end = time.monotonic() + limit_s
        self.said = ""
        self.status = 0

    def is_over(self) -> bool:
        return time.monotonic() > self.end

    def fails(self, program: Program) -> bool:
        """In the same way?"""
        self.path.write_text(program.text())
        try:
            done = subprocess.run([self.executable, "--program", self.path], capture_output=True,
                                  text=True, errors="replace", timeout=RUN_LIMIT_S)
        except subprocess.TimeoutExpired:
            return False
        if done.returncode == 0:
            return False
        said = done.stdout + done.stderr
        if kind_of(said, done.returncode) != self.kind:
            return False
        self.said, self.status = said, done.returncode
        return True

    def keep(self, best: Program, candidate: Program) -> Program | None:
        """The candidate, maybe in another world, if it fails; else None."""
        seed = best.surroundings["seed"]
        for world in range(WORLDS):
            if self.is_over():
                return None
            each = candidate.with_surrounding("seed", seed + world)
            if self.fails(each):
                return each
        return None

    def try_all(self, best: Program, candidates) -> Program:
        """`candidates` gives, for a program and a position, what to try there, or nothing."""
        at = 1
        while at < len(best.nodes) and not self.is_over():
            for candidate in candidates(best, at):
                if kept := self.keep(best, candidate):
                    best = kept
                    break
            else:
                at += 1
        return best

    def simplify_surroundings(self, best: Program) -> Program:
        for name, value in best.surroundings.items():
            for simple in (0, value // 4, value // 2):
                if name == "seed" or simple >= value:
                    continue
                if kept := self.keep(best, best.with_surrounding(name, simple)):
                    best = kept
                    break
        return best

    def shrink(self, best: Program) -> Program:
        def numbers(program: Program, at: int):
            for place in (1, 2, 3):
                value = int(program.nodes[at][1][place])
                if value > 0:
                    yield program.with_number(at, place, 0)
                if value > 1:
                    yield program.with_number(at, place, value // 2)

        size = 0
        while size != len(best.text()) and not self.is_over():
            size = len(best.text())
            best = self.try_all(best, lambda program, at: [program.without(at)])
            best = self.simplify_surroundings(best)
            best = self.try_all(best, lambda program, at: [program.hoisted(at)])
            best = self.try_all(best, numbers)
        return best


def shrink(executable: pathlib.Path, failure: Failure, limit_s: float) -> Failure | None:
    """None if it does not fail a second time."""
    text = subprocess.run([executable, "--seeds", str(failure.seed), "1", "--print"],
                          capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        shrinker = Shrinker(executable, failure.kind, pathlib.Path(folder), limit_s)
        program = Program.parse(text)
        if not shrinker.fails(program):
            return None
        best = shrinker.shrink(program)
        shrinker.end = time.monotonic() + RUN_LIMIT_S
        shrinker.fails(best)
        return Failure(failure.seed, shrinker.said, shrinker.status, best.text())
