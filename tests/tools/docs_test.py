#!/usr/bin/env python3
"""Every ```cpp block in README.md and docs/*.md is a whole program: compiles each and, where a
```text block follows it, runs it and compares what it prints, standard output first.

In the expected text, "..." stands for anything within a line. Fragments are ```c++ blocks and are
not compiled. A block that includes <ringlet/testing/...> is linked to ringlet-testing, one that
includes <ringlet/app/...> to ringlet-app, and one that includes <ringlet/i2c/...> or another
driver's to that driver; where app or driver was not built, the block is left out. Without
io_uring, programs that need it are only compiled.

Usage: docs_test.py SOURCE_ROOT BUILD_ROOT [PAGE:LINE...]
"""

import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

FLAGS = ["-std=c++23", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror"]
RUN_LIMIT_S = 20
# Besides the runtime; those that stand on others first.
LIBRARIES = ["http", "dns", "can", "gpio", "i2c", "uart", "health", "watchdog", "app"]
WHOLE_HEADER = "#include <ringlet/ringlet.hpp>\n"
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.S | re.M)
CONDITION = re.compile(r"\b(?:if|while|switch)\s*\(")


class Block:
    def __init__(self, page: str, line: int, code: str, expected: str | None):
        self.name = f"{page}:{line}"
        # Errors name the page's lines. With another file's name, GCC would take it for a header.
        self.code = f"#line {line + 1}\n{code}"
        self.expected = expected
        self.needs_testing = "#include <ringlet/testing/" in code
        # The runtime is linked as what the others stand on.
        self.packages = [f"ringlet-{name}" for name in LIBRARIES
                         if f"#include <ringlet/{name}/" in code] or ["ringlet"]


def blocks_of(path: pathlib.Path, page: str):
    text = path.read_text(encoding="utf-8")
    fences = list(FENCE.finditer(text))
    for fence, following in zip(fences, [*fences[1:], None]):
        if fence[1] != "cpp":
            continue
        is_output = (following is not None and following[1] == "text"
                     and not text[fence.end():following.start()].strip())
        line = text.count("\n", 0, fence.start()) + 1
        yield Block(page, line, fence[2], following[2] if is_output else None)


def pages(root: pathlib.Path) -> list[str]:
    found = sorted(path.relative_to(root).as_posix() for path in (root / "docs").glob("*.md"))
    return ["README.md", *found]


def awaits_in_conditions(code: str):
    """Where they are. GCC 12 miscompiles them; see docs/compilers.md."""
    for begin in CONDITION.finditer(code):
        depth, at = 1, begin.end()
        while depth and at < len(code):
            depth += {"(": 1, ")": -1}.get(code[at], 0)
            at += 1
        if re.search(r"\bco_await\b", code[begin.end():at]):
            yield begin.start()


def bad_fragments(root: pathlib.Path):
    """Of all our C++, fragments included."""
    for page in pages(root):
        text = (root / page).read_text(encoding="utf-8")
        for fence in FENCE.finditer(text):
            if fence[1] not in ("cpp", "c++"):
                continue
            for found in awaits_in_conditions(fence[2]):
                line = text.count("\n", 0, fence.start(2) + found) + 1
                yield f"{page}:{line}: co_await in a condition"


def matches(expected: str, printed: str) -> bool:
    lines = [".*".join(map(re.escape, line.rstrip().split("..."))) for line in
             expected.rstrip().split("\n")]
    return re.fullmatch("\n".join(lines), printed.rstrip()) is not None


class Checker:
    def __init__(self, source: pathlib.Path, built: pathlib.Path, scratch: pathlib.Path):
        # What Meson writes for users of the build tree knows which libraries are from a wrap.
        self.packages = built / "meson-uninstalled"
        self.libraries = built / "runtime"
        self.compiler = [*shlex.split(os.environ.get("CXX", "c++")), *FLAGS, "-pthread",
                         "-I", source / "runtime", "-I", source / "drivers",
                         *self.pkg_config("--cflags", "ringlet")]
        self.rpath = f"-Wl,-rpath,{self.libraries}:{built / 'drivers'}"
        self.scratch = scratch
        # Most of a program's compile time is this header. Both compilers look for the .gch.
        self.header = scratch / "whole.hpp"
        self.header.write_text(WHOLE_HEADER)
        subprocess.run([*self.compiler, "-x", "c++-header", self.header, "-o",
                        f"{self.header}.gch"], check=True)

    def pkg_config(self, *arguments: str) -> list[str]:
        done = subprocess.run(["pkg-config", *arguments], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PKG_CONFIG_PATH": str(self.packages)}, check=True)
        return shlex.split(done.stdout)

    def is_built(self, block: Block) -> bool:
        return all((self.packages / f"{name}-uninstalled.pc").exists() for name in block.packages)

    def check(self, block: Block) -> tuple[str, str]:
        """compiled, run, unavailable, left out or failed; and why it failed."""
        if not self.is_built(block):
            return "left out", ""
        folder = self.scratch / re.sub(r"\W", "_", block.name)
        folder.mkdir()
        (folder / "main.cpp").write_text(block.code, encoding="utf-8")
        header = ["-include", self.header] if WHOLE_HEADER in block.code else []
        libraries = [self.libraries / "libringlet-testing.a"] if block.needs_testing else []
        libraries += [*self.pkg_config("--libs", *block.packages), self.rpath]
        built = subprocess.run([*self.compiler, *header, folder / "main.cpp", *libraries,
                                "-o", folder / "program"], capture_output=True, text=True)
        if built.returncode:
            return "failed", built.stderr
        if block.expected is None:
            return "compiled", ""
        return self.run(block, folder)

    @staticmethod
    def run(block: Block, folder: pathlib.Path) -> tuple[str, str]:
        home = folder / "home"
        home.mkdir()
        try:
            done = subprocess.run([folder / "program"], cwd=home, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=RUN_LIMIT_S)
        except subprocess.TimeoutExpired:
            return "failed", f"does not end within {RUN_LIMIT_S} s"
        printed = done.stdout + done.stderr
        if "io_uring cannot be used" in done.stderr:
            return "unavailable", ""
        if done.returncode < 0:
            return "failed", f"{printed}ended by signal {-done.returncode}"
        if not matches(block.expected, printed):
            return "failed", f"prints\n{printed}instead of\n{block.expected}"
        return "run", ""


def main() -> int:
    source, built = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    wanted = sys.argv[3:]
    begin = time.monotonic()
    findings = list(bad_fragments(source))
    blocks = [block for page in pages(source) for block in blocks_of(source / page, page)]
    if wanted:
        blocks = [block for block in blocks if block.name.startswith(tuple(wanted))]
    count = {"compiled": 0, "run": 0, "unavailable": 0, "left out": 0, "failed": 0}
    with tempfile.TemporaryDirectory(prefix="ringlet-docs-") as scratch:
        checker = Checker(source, built, pathlib.Path(scratch))
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            for block, (outcome, why) in zip(blocks, pool.map(checker.check, blocks)):
                count[outcome] += 1
                print(f"{outcome:<12}{block.name}", flush=True)
                if outcome == "failed":
                    findings.append(f"{block.name}: {why}")
    print(f"{len(blocks)} programs: {count['run']} run, {count['compiled']} only compiled, "
          f"{count['left out']} left out, {count['failed']} failed, {time.monotonic() - begin:.0f} s")
    if findings:
        print("\n".join(findings))
        return 1
    if not blocks:
        print("no programs found")
        return 1
    if count["unavailable"]:
        print(f"skipped: no io_uring here, so {count['unavailable']} programs were not run")
        return 77
    return 0


sys.exit(main())
