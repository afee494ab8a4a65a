#!/usr/bin/env python3
"""What the compiler must refuse, and in which words. Each source in tests/compile_fail/ says

    // expect: words that stand in the compiler's answer    (any one of several such lines will do)
    // only: gcc < 14                                       (optional)
    // levels: -O1 -Os    (optional) refused when code is generated, at each of these

and must not compile. One that says "// compiles" must: so that a failure means what it should.

Usage: compile_fail_test.py SOURCE_ROOT, with the compiler in $CXX
"""

import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys

FLAGS = ["-std=c++23", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror",
         "-Wno-missing-field-initializers"]


def identify(compiler: list[str]) -> tuple[str, int]:
    macros = subprocess.run([*compiler, "-E", "-dM", "-x", "c++", "/dev/null"],
                            capture_output=True, text=True, check=True).stdout
    kind, macro = ("clang", "__clang_major__") if "__clang__" in macros else ("gcc", "__GNUC__")
    return kind, int(re.search(rf"#define {macro} (\d+)", macros)[1])


def applies(text: str, kind: str, version: int) -> bool:
    only = re.search(r"^// only: (\w+) < (\d+)$", text, re.M)
    return not only or (kind == only[1] and version < int(only[2]))


def check(compiler: list[str], root: pathlib.Path, source: pathlib.Path) -> str:
    """What is wrong, or nothing."""
    text = source.read_text(encoding="utf-8")
    levels = re.search(r"^// levels: (.+)$", text, re.M)
    if not levels:
        return check_with(compiler, ["-fsyntax-only"], root, source, text)
    for level in levels[1].split():
        finding = check_with(compiler, [level, "-S", "-o", os.devnull], root, source, text)
        if finding:
            return f"{level}: {finding}"
    return ""


def check_with(compiler: list[str], flags: list[str], root: pathlib.Path, source: pathlib.Path,
               text: str) -> str:
    done = subprocess.run([*compiler, *FLAGS, *flags, "-I", root / "runtime", source],
                          capture_output=True, text=True)
    if re.search(r"^// compiles$", text, re.M):
        return f"does not compile:\n{done.stderr}" if done.returncode else ""
    expected = re.findall(r"^// expect: (.+)$", text, re.M)
    if not expected:
        return "says neither what to expect nor that it compiles"
    if done.returncode == 0:
        return "compiles, and must not"
    answer = re.sub(r"[‘’“”]", "'", done.stderr)
    if not any(words in answer for words in expected):
        return f"is refused, but not in the words {expected}:\n{answer}"
    return ""


def main() -> int:
    root = pathlib.Path(sys.argv[1]).resolve()
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    kind, version = identify(compiler)
    sources = []
    for source in sorted((root / "tests/compile_fail").glob("*.cpp")):
        if applies(source.read_text(encoding="utf-8"), kind, version):
            sources.append(source)
        else:
            print(f"{source.stem}: not for {kind} {version}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = list(pool.map(lambda source: check(compiler, root, source), sources))
    failures = 0
    for source, finding in zip(sources, findings):
        print(f"{source.stem}: {finding or 'as expected'}")
        failures += bool(finding)
    print(f"{len(sources)} sources, {failures} failures")
    return 1 if failures or not sources else 0


sys.exit(main())
