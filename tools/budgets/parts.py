"""Whose the bytes of a program are, as far as the names of its symbols tell.

A name says its namespaces; of what stands in namespace ringlet itself, the layer is the folder of
runtime/ringlet in which the source declares it.
"""

import dataclasses
import functools
import pathlib
import re

from budgets import elf, frames

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Of ringlet, and parts of their own.
NAMESPACES = ["http", "dns", "can", "gpio", "i2c", "uart", "watchdog", "health", "log", "testing"]
LAYERS = ["base", "ring", "task", "time", "sync", "flow", "work", "io", "run", "app", "testing"]
RUNTIMES, PROGRAM, LIBRARY, OTHER = "Runtime", "the program", "C++ library", "other"
# Of C libraries, which have no namespaces.
PREFIXES = {"llhttp_": "llhttp", "llparse_": "llhttp", "cJSON_": "cJSON", "ares_": "c-ares",
            "io_uring_": "liburing", "mbedtls_": "mbedtls", "psa_": "mbedtls", "sqlite3": "sqlite"}
# What has no symbol, by its section.
SECTIONS = [
    (r"\.(rodata|srodata)", "constants without a name"),
    (r"\.(eh_frame|gcc_except_table|ARM\.ex)", "unwind tables"),
    (r"\.(interp|hash|gnu\.|dyn|rela?\.|plt|got|note|init|fini|iplt|relr)", "start and linking"),
]
LISTED_BYTES = 1024  # an object of static storage that is as large is listed


@dataclasses.dataclass
class Part:
    bytes: int = 0
    objects: dict[str, int] = dataclasses.field(default_factory=dict)


def components(mangled: str) -> list[str]:
    """The leading plain names of a mangled one: ["ringlet", "http", "Client"]."""
    rest = re.match(r"_Z(?:T[VTISWH]|G[VR]|T[hv]n?\d+_(?:n?\d+_)?)?", mangled)
    if rest is None:
        return []
    rest = mangled[rest.end():]
    # A local name begins with the function that it is local to.
    rest = rest[re.match(r"(?:Z|N[rVKRO]*)*L?", rest).end():]
    found = []
    while place := re.match(r"L?(\d+)|S[tabsiod]", rest):
        if place[1] is None:
            found.append("std")
            rest = rest[2:]
            continue
        end = place.end() + int(place[1])
        found.append(rest[place.end():end])
        rest = re.sub(r"^(B\d+\w*?(?=[\dEI]))", "", rest[end:])
    return found


@functools.cache
def declared() -> dict[str, str]:
    """The layer of each name that runtime/ringlet declares at the beginning of a line."""
    pattern = re.compile(r"^(?:[\w:<>*&,\[\] ]*[ *&])?"
                         r"(?:(?:class|struct|union) (\w+)|(\w+)\()", re.M)
    variable = re.compile(r"^(?:inline|constexpr|thread_local|extern|static|constinit)\b"
                          r"[^;={(]* (\w+)(?:\[\w*\])?[;={]", re.M)
    found: dict[str, str] = {}
    for layer in LAYERS:
        for path in sorted((ROOT / "runtime/ringlet" / layer).rglob("*.?pp")):
            text = path.read_text(encoding="utf-8")
            for names in pattern.findall(text):
                found.setdefault(names[0] or names[1], layer)
            for name in variable.findall(text):
                found.setdefault(name, layer)
    return found


def owner(mangled: str) -> str | None:
    """The part of a symbol; None if its name does not tell."""
    names = [name for name in components(mangled) if not name.startswith("_GLOBAL__N_")]
    if not names:
        if mangled == "main":
            return PROGRAM
        if mangled.startswith("_Z"):  # operator new and the like
            return LIBRARY
        return next((library for prefix, library in PREFIXES.items()
                     if mangled.lstrip("_").startswith(prefix)), None)
    if re.fullmatch(r"(\w+_)?runtime", names[-1]):
        return RUNTIMES
    if names[0] in ("std", "__gnu_cxx", "__cxxabiv1", "__pstl"):
        return LIBRARY
    if names[0] == "ringlet":
        if len(names) > 2 and names[1] in NAMESPACES:
            return f"ringlet {names[1]}"
        layer = declared().get(names[1]) if len(names) > 1 else None
        return f"ringlet {layer}" if layer else "ringlet"
    return names[0] if len(names) > 1 else PROGRAM


def unnamed(section: str) -> str:
    return next((part for pattern, part in SECTIONS if re.match(pattern, section)), OTHER)


def parts(program: elf.Elf, wanted) -> dict[str, Part]:
    """The bytes of the sections for which `wanted` is true, by part, largest first. Their sum is
    that of the sections: what no symbol covers counts, and what several cover counts once."""
    symbols: dict[int, list[elf.Symbol]] = {}
    for symbol in program.symbols:
        symbols.setdefault(symbol.section, []).append(symbol)
    found: dict[str, Part] = {}
    objects: list[tuple[str, str, int]] = []
    for section in filter(wanted, program.sections):
        position, named = section.address, 0
        inside = sorted(symbols.get(section.index, []),
                        key=lambda each: (each.address, -each.bytes))
        for symbol in inside:
            end = min(symbol.address + symbol.bytes, section.address + section.bytes)
            size = end - max(symbol.address, position)
            if size <= 0:
                continue
            position = end
            named += size
            part = owner(symbol.name) or OTHER
            found.setdefault(part, Part()).bytes += size
            if section.is_static and size >= LISTED_BYTES:
                objects.append((part, symbol.name, size))
        found.setdefault(unnamed(section.name), Part()).bytes += section.bytes - named
    names = frames.demangled([name for _, name, _ in objects])
    for (part, _, size), name in sorted(zip(objects, names), key=lambda each: -each[0][2]):
        found[part].objects[name] = found[part].objects.get(name, 0) + size
    rest = {name: part for name, part in found.items() if part.bytes > 0}
    return dict(sorted(rest.items(), key=lambda each: (each[0] == OTHER, -each[1].bytes, each[0])))
