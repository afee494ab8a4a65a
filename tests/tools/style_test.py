#!/usr/bin/env python3
"""Small promises about the tree: nothing left for later, nothing that belongs to one machine, each
public header compiles on its own, each source is built, each test is listed.

Usage: style_test.py SOURCE_ROOT
"""

import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

TEXT = {".hpp", ".cpp", ".h", ".c", ".py", ".sh", ".md", ".build", ".txt", ".wrap", ".json", ".ini"}
SKIPPED_FOLDERS = {".git", "build", "packagecache", "__pycache__"}
UNPACKED_WRAPS = ("cJSON-", "liburing-", "llhttp-")

# [x] keeps this file from finding itself.
UNWANTED = {
    r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b": "left for later",
    r"(?<![\w.])/(wor[k]|far[m]|roo[t]|home/[a-z]\w*)/": "a path of one machine",
    r"\b(this se[s]sion|is[s]ue #?\d+)\b": "says where it was made, not what it is",
    r"\b(deb\.debia[n]\.org|pypi\.or[g]|registry\.npmj[s])\b": "the name of a registry's host",
}


def texts(root: pathlib.Path):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name for name in folders
            if name not in SKIPPED_FOLDERS and not name.startswith(UNPACKED_WRAPS)
        )
        for name in sorted(names):
            path = pathlib.Path(folder, name)
            # Programs without a suffix are the scripts in tools/ and .ci/.
            if path.suffix in TEXT or path.parent.name in {"tools", ".ci"}:
                yield path


def check_words(root: pathlib.Path):
    for path in texts(root):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for pattern, meaning in UNWANTED.items():
                if found := re.search(pattern, line):
                    yield f"{path.relative_to(root)}:{number}: {meaning}: {found[0]}"


def check_listed(root: pathlib.Path):
    """A file that no meson.build names is neither built nor tested, and nobody would notice."""
    for top in ["runtime", "drivers"]:
        listed = (root / top / "meson.build").read_text()
        for path in sorted((root / top / "ringlet").rglob("*.cpp")):
            name = path.relative_to(root / top / "ringlet").as_posix()
            if f"'{name}'" not in listed:
                yield f"{path.relative_to(root)}: not in {top}/meson.build"
    for path in sorted((root / "apps").glob("*/*.cpp")):
        if f"'{path.name}'" not in (path.parent / "meson.build").read_text():
            yield f"{path.relative_to(root)}: not in its meson.build"
    tests = (root / "tests/meson.build").read_text()
    for path in sorted((root / "tests").glob("*/*_test.cpp")):
        layer, name = path.parent.name, path.name.removesuffix("_test.cpp")
        listed = re.search(rf"'{layer}': \[(.*?)\]", tests, re.S)
        if not listed or f"'{name}'" not in listed[1]:
            yield f"{path.relative_to(root)}: not in tests/meson.build"


def check_headers(root: pathlib.Path):
    """Compiled and not only parsed, so that a compiler cache knows those that are as they were."""
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    flags = ["-std=c++23", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror",
             "-Wno-missing-field-initializers", "-I", root / "runtime", "-I", root / "drivers"]
    headers = sorted(path for top in ["runtime", "drivers"]
                     for path in (root / top / "ringlet").rglob("*.hpp"))

    def compile_alone(header: pathlib.Path) -> str:
        name = header.relative_to(root)
        source = scratch / f"{header.parent.name}_{header.stem}.cpp"
        source.write_text(f"#include <{name.relative_to(name.parts[0])}>\n")
        done = subprocess.run([*compiler, *flags, "-c", source.name, "-o", source.stem + ".o"],
                              cwd=scratch, capture_output=True, text=True)
        return f"{name}: does not compile alone\n{done.stderr}" if done.returncode else ""

    with tempfile.TemporaryDirectory(prefix="ringlet-headers-") as folder:
        scratch = pathlib.Path(folder)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from filter(None, pool.map(compile_alone, headers))
    if not headers:
        yield "no headers found"


def main() -> int:
    root = pathlib.Path(sys.argv[1]).resolve()
    findings = [*check_words(root), *check_listed(root), *check_headers(root)]
    print("\n".join([*findings, f"{len(findings)} findings"]))
    return 1 if findings else 0


sys.exit(main())
