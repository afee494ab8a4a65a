#!/usr/bin/env python3
"""The frame ledger: a program's section .ringlet.frames tells the size of each of its coroutines,
and no others, whatever the level, with LTO, --gc-sections and strip.

Usage: ledger_test.py SOURCE_ROOT BUILD_ROOT, with the compiler in $CXX
"""

import os
import pathlib
import re
import shlex
import struct
import subprocess
import sys
import tempfile

SKIPPED = 77
EXIT_UNAVAILABLE = 69
FLAGS = ["-fno-exceptions", "-fno-rtti", "-ffunction-sections", "-fdata-sections"]

# Each coroutine is larger than the one before it, so that the only class's largest request is the
# size of the frame made last.
SHARED = r"""
#pragma once
#include <ringlet/ringlet.hpp>
#include <ringlet/flow/generator.hpp>
void fill(char* buffer);
template <int bytes>
ringlet::Task<int> sized() {
    char buffer[bytes];
    fill(buffer);
    co_await ringlet::yield();
    co_return buffer[bytes - 1];
}
inline ringlet::Task<int> in_both_files() {
    char buffer[2500];
    fill(buffer);
    co_await ringlet::yield();
    co_return buffer[0];
}
ringlet::Task<int> elsewhere();
ringlet::Task<int> dead();
"""
ELSEWHERE = r"""
#include "shared.hpp"
void fill(char* buffer) {
    static volatile char value = 1;
    for (int i = 0; i < 1000; ++i) buffer[i] = value;
}
ringlet::Task<int> elsewhere() {
    char buffer[1000];
    fill(buffer);
    co_await in_both_files();
    co_await sized<3000>();
    co_return buffer[0];
}
ringlet::Task<int> dead() {
    char buffer[7000];
    fill(buffer);
    co_await ringlet::yield();
    co_return buffer[0];
}
"""
MAIN = r"""
#include "shared.hpp"
#include <cstdio>
using namespace ringlet;
static Runtime<Limits{.frames = {{8192, 16}}}> runtime;

void made(const char* name) {
    std::printf("%s %u\n", name, scheduler().frames().use(0).largest);
}
Generator<int> numbers() {
    char buffer[3500];
    fill(buffer);
    for (int i = 0; i < 2; ++i) co_yield buffer[i];
}
Task<void> app() {
    auto first = elsewhere();
    made("elsewhere");
    auto second = sized<2000>();
    made("template");
    auto third = in_both_files();
    made("inline");
    auto fourth = sized<3000>();
    made("template_in_both_files");
    auto fifth = numbers();
    made("generator");
    const auto lambda = [](int number) -> Task<int> {
        char buffer[4000];
        fill(buffer);
        co_await yield();
        co_return buffer[number];
    };
    auto sixth = lambda(6);
    made("lambda");
    auto seventh = lambda(7);
    made("lambda_again");
    co_await std::move(first);
    co_await std::move(second);
    co_await std::move(third);
    co_await std::move(fourth);
    co_await fifth.next();
    co_await std::move(sixth);
    co_await std::move(seventh);
}
int main(int count, char**) {
#ifdef KEEP_DEAD
    if (count > 1) return runtime.run(dead);
#endif
    (void)count;
    return runtime.run(app);
}
"""
COUNT = 7
DEAD_BYTES = 7000


def run(*command) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{shlex.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def records(binary: pathlib.Path) -> list[tuple[int, int]]:
    """(address, bytes) of each. Checks the section's form."""
    sections = {}
    for line in run("readelf", "-SW", binary).splitlines():
        found = re.match(r"\s*\[ *\d+\] (\.\S+) +\S+ +(\w+) (\w+) (\w+) \w+ +([A-Z]*) ", line)
        if found:
            address, offset, size = (int(number, 16) for number in found.groups()[1:4])
            sections[found[1]] = (address, offset, size, found[5])
    if ".ringlet.frames" not in sections:
        return []
    address, offset, size, flags = sections[".ringlet.frames"]
    assert address == 0 and "A" not in flags and "W" not in flags, f"it is loaded: {flags}"
    data = binary.read_bytes()
    form = "<QII" if data[4] == 2 else "<II"
    assert size % struct.calcsize(form) == 0, f"{size} bytes are no whole records"
    text = sections[".text"]
    found = []
    for record in struct.iter_unpack(form, data[offset:offset + size]):
        assert text[0] <= record[0] < text[0] + text[2], f"{record[0]:#x} is not in .text"
        assert record[2:] in ((), (0,)), f"no zero at the end: {record}"
        found.append(record[:2])
    assert len({place for place, _ in found}) == len(found), "two records for one place"
    return found


class Program:
    def __init__(self, folder: pathlib.Path, source: pathlib.Path, build: pathlib.Path):
        self.folder = folder
        self.compiler = shlex.split(os.environ.get("CXX", "c++"))
        os.environ["PKG_CONFIG_PATH"] = str(build / "meson-uninstalled")
        self.cflags = shlex.split(run("pkg-config", "--cflags", "ringlet"))
        self.libs = shlex.split(run("pkg-config", "--libs", "ringlet"))
        self.libs.append(f"-Wl,-rpath,{build / 'runtime'}")
        for name, text in (("shared.hpp", SHARED), ("elsewhere.cpp", ELSEWHERE),
                           ("main.cpp", MAIN)):
            folder.joinpath(name).write_text(text, encoding="utf-8")

    def build(self, *flags: str) -> pathlib.Path:
        program = self.folder / "program"
        sources = [self.folder / "main.cpp", self.folder / "elsewhere.cpp"]
        run(*self.compiler, *self.cflags, *FLAGS, *flags, *sources, *self.libs,
            "-Wl,--gc-sections", "-o", program)
        return program

    def links_with_lto(self) -> bool:
        source = self.folder / "nothing.cpp"
        source.write_text("int main() {}\n", encoding="utf-8")
        return subprocess.run([*self.compiler, "-O1", "-flto", source, "-o",
                               self.folder / "nothing"], capture_output=True).returncode == 0


def check(program: pathlib.Path) -> list[str]:
    """What is wrong with the ledger of a program that has no dead coroutine."""
    before = records(program)
    run("strip", program)
    found = records(program)
    problems = [] if found == before else ["strip changes the records"]
    done = subprocess.run([program], capture_output=True, text=True, timeout=60)
    if done.returncode == EXIT_UNAVAILABLE:
        print("skipped: io_uring cannot be used here")
        sys.exit(SKIPPED)
    made = [line.split() for line in done.stdout.splitlines()]
    if done.returncode or len(made) != COUNT:
        return [f"the program ended with {done.returncode}: {done.stdout}{done.stderr}"]
    sizes = {size for _, size in found}
    for name, size in made:
        if int(size) not in sizes:
            problems.append(f"{name}: {size} bytes, which no record says: {sorted(sizes)}")
    if len({size for _, size in made}) != COUNT - 1:
        problems.append(f"sizes that do not rise: {made}")
    if max(sizes, default=0) >= DEAD_BYTES:
        problems.append("a coroutine that the linker discarded has a record")
    return problems


def main() -> int:
    source, build = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    failures = 0
    with tempfile.TemporaryDirectory(prefix="ringlet-ledger-") as scratch:
        program = Program(pathlib.Path(scratch), source, build)
        variants = [["-O1"], ["-O2"], ["-Os"], ["-O2", "-fPIE", "-pie"]]
        if program.links_with_lto():
            variants.append(["-O2", "-flto"])
        else:
            print("-flto: left out, this compiler and linker do not work together")
        for flags in variants:
            problems = check(program.build(*flags))
            print(f"{' '.join(flags)}: {'; '.join(problems) or 'as expected'}")
            failures += bool(problems)
        # That the test would see a dead one, and that debug builds have no ledger.
        kept = records(program.build("-O2", "-DKEEP_DEAD"))
        if not any(size >= DEAD_BYTES for _, size in kept):
            print("a coroutine that is called has no record")
            failures += 1
        if any(size > 1000 for _, size in records(program.build("-O0"))):
            print("-O0 has records")
            failures += 1
    return 1 if failures else 0


sys.exit(main())
