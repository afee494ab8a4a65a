#!/usr/bin/env python3
"""The house's rules about where code may stand (CONTRIBUTING.md, "The rules").

Usage: layers_test.py SOURCE_ROOT
"""

import pathlib
import posixpath
import re
import sys

# Lowest first. The two libraries on top know nothing of each other.
LAYERS = ["base", "ring", "task", "time", "sync", "flow", "work", "io", "run"]
TOP = ["app", "testing"]
# On the runtime; each with the others that it uses.
DRIVERS = {"can": [], "gpio": [], "i2c": [], "uart": [], "watchdog": [], "health": ["watchdog"],
           "dns": [], "http": ["dns"]}
# <ringlet/ringlet.hpp> includes every layer, so none of them may include it.
UMBRELLA = "ringlet.hpp"

LINES_MAX = 400
COLUMNS_MAX = 100


def may_include(source: str, target: str) -> bool:
    if source == target:
        return True
    if source in TOP:
        return target in LAYERS or target == UMBRELLA
    if source == UMBRELLA:
        return target in LAYERS
    if source in DRIVERS:
        return (target in [*LAYERS, UMBRELLA]
                or target in DRIVERS[source])
    return target in LAYERS and source in LAYERS and LAYERS.index(target) < LAYERS.index(source)


def blank(text: str) -> str:
    """The text with comments and literals blanked, every other character at its place."""
    comment = r"//[^\n]*|/\*.*?\*/"
    string = r'R"(?P<end>\w*)\(.*?\)(?P=end)"|"(?:\\.|[^"\\\n])*"'
    character = r"(?<!\d)'(?:\\.|[^'\\\n])*'"  # not the ' in 1'000
    pattern = f"{comment}|{string}|{character}"
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)


def parenthesised(text: str, start: int) -> str:
    """What stands between the parenthesis at `start` and the one that closes it."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return text[start + 1 : at]
    return text[start + 1 :]


def included(text: str, folder: str):
    """(line number, path below runtime/ or drivers/) of each include that means one of our headers."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line):
            path = found[2]
            if found[1] == '"' and not path.startswith("ringlet/"):
                path = posixpath.normpath(posixpath.join(folder, path))
            if path.startswith("ringlet/"):
                yield number, path


def check_layers(root: pathlib.Path, path: pathlib.Path, text: str):
    top, *inside = path.relative_to(root).parts
    layer = inside[1]  # "ringlet", layer or umbrella or driver, ...
    if layer not in ([*LAYERS, *TOP, UMBRELLA] if top == "runtime" else DRIVERS):
        yield 1, f"stands in no layer: {layer}"
        return
    for number, target in included(text, posixpath.join(*inside[:-1])):
        if not may_include(layer, target.split("/")[1]):
            yield number, f"{layer} may not include <{target}>"
    above = "drivers|apps" if top == "runtime" else "apps"
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(rf"\b({above})/", line):
            yield number, f"{top}/ knows none of {above}"
    lines = text.count("\n")
    if lines > LINES_MAX:
        yield lines, f"{lines} lines: a file in {top}/ has at most {LINES_MAX}"


def check_text(text: str):
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns: at most {COLUMNS_MAX}"


def condition(statement: str, code: str, start: int) -> str:
    """What `if`, `while` or `switch` has in its parentheses; what `for` has as its second part."""
    inside = parenthesised(code, start)
    if statement == "for":
        parts = inside.split(";")
        return parts[1] if len(parts) == 3 else ""
    return inside


def check_conditions(text: str):
    """GCC 12 miscompiles co_await in a condition: tests/toolchain/condition_without_locals.cpp."""
    code = blank(text)
    for found in re.finditer(r"\b(if|while|switch|for)\s*(?:constexpr\s*)?\(", code):
        if re.search(r"\bco_await\b", condition(found[1], code, found.end() - 1)):
            number = code.count("\n", 0, found.start()) + 1
            yield number, f"co_await in the condition of {found[1]}: bind it to a const first"


def check_conditional_operands(text: str):
    """GCC 12 destroys both operands' calls: tests/toolchain/conditional_operands.cpp."""
    code = blank(text)
    for found in re.finditer(r"\bco_await\b[^;{}]*\?[^;{}]*\([^;{}]*:[^;{}]*\([^;{}]*;", code):
        number = code.count("\n", 0, found.start()) + 1
        yield number, "conditional operator between calls inside a co_await: choose first"


def sources(root: pathlib.Path):
    for top in ["runtime", "drivers", "apps", "tests", "boards", "docs"]:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in {".hpp", ".cpp"}:
                yield path


def main() -> int:
    root = pathlib.Path(sys.argv[1]).resolve()
    count = failures = 0
    for path in sources(root):
        text = path.read_text(encoding="utf-8")
        top = path.relative_to(root).parts[0]
        findings = list(check_text(text))
        if (root / "tests" / "toolchain") not in path.parents:
            findings += check_conditions(text)
            findings += check_conditional_operands(text)
        if top in {"runtime", "drivers"}:
            findings += check_layers(root, path, text)
        for number, message in sorted(findings):
            print(f"{path.relative_to(root)}:{number}: {message}")
        count += 1
        failures += len(findings)
    print(f"{count} files, {failures} findings")
    return 1 if failures or count == 0 else 0


sys.exit(main())
