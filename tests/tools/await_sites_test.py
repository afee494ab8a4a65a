#!/usr/bin/env python3
"""Without await sites a sleeping task takes 256 bytes of 64-bit memory and 160 of 32-bit; and code
that has none does not link with a library that has them.

Usage: await_sites_test.py BUILD_ROOT, with the compiler in $CXX
"""

import os
import pathlib
import shlex
import struct
import subprocess
import sys
import tempfile

LIBRARY_HAS, NONE = "-DRINGLET_AWAIT_SITES=1", "-DRINGLET_AWAIT_SITES=0"
FLAGS = ["-fno-exceptions", "-fno-rtti", "-O2"]
FRAME_BYTES_MAX = {8: 144, 4: 96}

# The rest of what such a task takes is its block.
PROGRAM = r"""
#include <ringlet/ringlet.hpp>
using namespace ringlet;
Task<void> sleeps() {
    co_await sleep(std::chrono::hours(1));
}
#if !RINGLET_AWAIT_SITES
static_assert(sizeof(SpawnedCall<Task<void> (&)()>) <= (sizeof(void*) == 8 ? 112 : 64));
#endif
#ifdef MAIN
int main() {
    return run(sleeps);
}
#endif
"""


def run(*command) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{shlex.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def largest_frame(built: pathlib.Path, scratch: pathlib.Path) -> tuple[int, int]:
    """Bytes of a pointer, and of the largest frame of an object file's records."""
    pointer = {1: 4, 2: 8}[built.read_bytes()[4]]
    section = scratch / "frames"
    run("objcopy", "-O", "binary", "--only-section=.ringlet.frames",
        "--set-section-flags", ".ringlet.frames=alloc", built, section)
    form = "<QII" if pointer == 8 else "<II"
    return pointer, max(record[1] for record in struct.iter_unpack(form, section.read_bytes()))


def main() -> int:
    os.environ["PKG_CONFIG_PATH"] = str(pathlib.Path(sys.argv[1]) / "meson-uninstalled")
    cflags = shlex.split(run("pkg-config", "--cflags", "ringlet"))
    libs = shlex.split(run("pkg-config", "--libs", "ringlet"))
    assert LIBRARY_HAS in cflags, f"the setting is not handed on: {cflags}"
    cflags.remove(LIBRARY_HAS)
    compiler = [*shlex.split(os.environ.get("CXX", "c++")), *cflags, *FLAGS]
    with tempfile.TemporaryDirectory(prefix="ringlet-sites-") as name:
        scratch = pathlib.Path(name)
        source, built = scratch / "main.cpp", scratch / "main.o"
        source.write_text(PROGRAM, encoding="utf-8")
        run(*compiler, NONE, "-c", source, "-o", built)
        pointer, frame = largest_frame(built, scratch)
        print(f"a sleeping task's frame: {frame} bytes")
        assert frame <= FRAME_BYTES_MAX[pointer], "it is over its bar"

        link = [*compiler, "-DMAIN", source, *libs, "-o", scratch / "program"]
        run(*link, LIBRARY_HAS)
        mixed = subprocess.run([*link, NONE], capture_output=True, text=True)
        assert mixed.returncode and "without_await_sites" in mixed.stderr, mixed.stderr
    return 0


sys.exit(main())
