"""What the functions of an object file call that no object file has.

A compiler leaves a relocation at each place that needs another's address: a call, a table of
functions, a vtable. The symbol whose bytes hold the place is the one that needs it. So nothing is
overlooked but what is reached through an address that a library gave away.

What the C++ library's templates call is their caller's doing: a finding is handed up through them
to functions with a name outside namespace std.
"""

import bisect
import dataclasses
import functools
import pathlib
import re
import struct

from budgets import elf, frames, parts

UNDEFINED = 0  # the section of a symbol that is somebody else's
# Whoever defines these, a program's own allocator or the seal: they allocate.
ALLOCATORS = re.compile(r"_Zn[wa][jm](?:St11align_val_t)?(?:RKSt9nothrow_t)?|malloc|calloc|realloc"
                        r"|aligned_alloc|memalign|posix_memalign|valloc|pvalloc|mmap|mmap64|mremap"
                        r"|sbrk")
# Of GCC and clang: what runs before main.
INITIALISER = re.compile(r"_GLOBAL__sub_I_|_Z41__static_initialization_and_destruction_0"
                         r"|__cxx_global_var_init")


@dataclasses.dataclass(frozen=True)
class Finding:
    object: pathlib.Path
    symbol: str            # what is called, mangled
    path: tuple[str, ...]  # a function of the object, what it reaches through, what is called


def source_of(path: pathlib.Path) -> str:
    """Meson's objects of a target stand in a folder of their own, <target>.p."""
    return "/".join(part for part in path.with_suffix("").parts if not part.endswith(".p"))


@functools.cache
def plain(symbol: str) -> str:
    """`read` for read@GLIBC_2.2, __read_chk, read64 and __isoc99_ or __libc_ spellings, and for
    those of 32-bit systems with 64-bit time."""
    symbol = symbol.split("@")[0]
    symbol = re.sub(r"^__(?:isoc\d+_|libc_)?([a-z]\w+?)(?:_chk|_time64)?$", r"\1", symbol)
    return re.sub(r"(?<=[a-z])64$|(?<=[a-z])64(?=_)", "", symbol)


def is_library(symbol: str) -> bool:
    return parts.owner(symbol) == parts.LIBRARY


class Object(elf.Elf):
    kinds = (elf.OBJECT_FILE,)

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(path)
        if any(each.name.startswith(".gnu.lto_") for each in self.sections):
            raise elf.Unreadable(f"{path}: compiled with LTO; only the linker sees its functions")
        table = self.symbol_table()
        self.exported = {symbol.name for _, is_local, symbol in table
                         if symbol.section != UNDEFINED and not is_local}
        self._holders: dict[int, list[elf.Symbol]] = {}
        for symbol in sorted(self.symbols, key=lambda each: each.address):
            self._holders.setdefault(symbol.section, []).append(symbol)
        self.users: dict[str, set[str]] = {}  # by symbol: who needs it
        self.locals = set()
        for section, offset, number in self._relocations():
            kind, is_local, symbol = table[number]
            needed = self._local_name(kind, symbol) if is_local else symbol.name
            self.users.setdefault(needed, set()).add(self._holder(section, offset))
            if is_local:
                self.locals.add(needed)

    def _relocations(self) -> list[tuple[int, int, int]]:
        """Section, offset in it, index of the symbol; of what is loaded. Not of the tables that
        serve unwinding: they need each function."""
        wide = self.address_bytes == 8
        layout = {elf.ADDENDS: "<QQq" if wide else "<IIi",
                  elf.NO_ADDENDS: "<QQ" if wide else "<II"}
        found = []
        for table in (each for each in self.sections if each.kind in layout):
            target = self.sections[table.info]
            if not target.flags & elf.IN_MEMORY or re.match(r"\.(eh_frame|ARM\.ex)", target.name):
                continue
            for fields in struct.iter_unpack(layout[table.kind], self.content(table)):
                found.append((target.index, fields[0], fields[1] >> (32 if wide else 8)))
        return found

    def _holder(self, section: int, offset: int) -> str:
        symbols = self._holders.get(section, [])
        place = bisect.bisect_right(symbols, offset, key=lambda each: each.address) - 1
        if place >= 0 and offset < symbols[place].address + symbols[place].bytes:
            return frames.plain(symbols[place].name)
        return self.sections[section].name

    def _local_name(self, kind: int, symbol: elf.Symbol) -> str:
        """What is local may be needed by its section alone, which has one function if the compiler
        was told -ffunction-sections. (Else it leaves no relocation.)"""
        inside = self._holders.get(symbol.section, []) if kind == elf.SECTION else []
        return frames.plain(inside[0].name if len(inside) == 1 else symbol.name)

    def paths_to(self, symbol: str) -> list[list[str]]:
        """From each function outside namespace std that needs it: the shortest way."""
        found, waiting, seen = [], [[symbol]], {symbol}
        for path in waiting:  # which grows
            users = sorted(self.users.get(path[0], set()) - seen)
            seen.update(users)
            for user in users:
                to_hand_up = is_library(user) and self.users.get(user, set()) - {user}
                (waiting if to_hand_up else found).append([user, *path])
        return found


def is_checked(symbol: str, defined: set[str]) -> bool:
    """Whether somebody else's. Of who has not all of Ringlet among his objects, Ringlet's tests have
    checked the rest."""
    if ALLOCATORS.fullmatch(symbol):
        return True
    return symbol not in defined and parts.components(symbol)[:1] != ["ringlet"]


def findings(paths: list[pathlib.Path]) -> list[Finding]:
    """All that the objects call and do not have among themselves."""
    objects = [Object(path) for path in paths]
    exported = set().union(*(each.exported for each in objects))
    found, names = [], set()
    for each in objects:
        defined = exported | each.locals
        for symbol in (name for name in each.users if is_checked(name, defined)):
            for path in each.paths_to(symbol):
                if not INITIALISER.match(path[0]):
                    found.append((each.path, symbol, path))
                    names.update(path)
    in_words = dict(zip(sorted(names), frames.demangled(sorted(names))))
    return sorted((Finding(file, symbol, tuple(in_words[name] for name in path))
                   for file, symbol, path in found), key=lambda each: (each.object, each.path))
