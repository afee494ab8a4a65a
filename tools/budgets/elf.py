"""Of an ELF file what the budget needs: sections, named pieces of them, and Ringlet's records.

Programs of other machines are read as well as this machine's own; nothing is run.
"""

import dataclasses
import pathlib
import struct

MACHINES = {62: "x86_64", 183: "aarch64", 40: "armv7"}
# A program is EXECUTABLE or SHARED, which position-independent ones are.
OBJECT_FILE, EXECUTABLE, SHARED = 1, 2, 3
SYMBOL_TABLE, ADDENDS, WITHOUT_CONTENT, NO_ADDENDS = 2, 4, 8, 9
WRITABLE, IN_MEMORY, CODE, THREAD_LOCAL = 0x1, 0x2, 0x4, 0x400
OBJECT, FUNCTION, SECTION, THREAD_OBJECT, CHOSEN_AT_START = 1, 2, 3, 6, 10
NAMED = (OBJECT, FUNCTION, THREAD_OBJECT, CHOSEN_AT_START)
UNSTRIPPED, DEBUG = ".symtab", ".debug_info"


class Unreadable(Exception):
    """Not a program that this tool can read; the text says why."""


@dataclasses.dataclass(frozen=True)
class Section:
    index: int
    name: str
    kind: int
    flags: int
    address: int
    offset: int
    bytes: int
    link: int
    info: int

    # As size(1) counts: what is constant is text; data has content in the file, bss has none.
    @property
    def is_text(self) -> bool:
        return bool(self.flags & IN_MEMORY) and bool(self.flags & CODE or not self.flags & WRITABLE)

    @property
    def is_static(self) -> bool:
        return bool(self.flags & IN_MEMORY) and not self.is_text


@dataclasses.dataclass(frozen=True)
class Symbol:
    name: str  # mangled
    section: int
    address: int
    bytes: int


class Elf:
    kinds: tuple[int, ...] = (EXECUTABLE, SHARED)

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        try:
            self._image = path.read_bytes()
        except OSError as error:
            raise Unreadable(f"{path}: {error.strerror}") from error
        if self._image[:4] != b"\x7fELF":
            raise Unreadable(f"{path}: not an ELF file")
        try:
            self._read()
        except (struct.error, IndexError, OverflowError, ValueError) as error:
            raise Unreadable(f"{path}: truncated or damaged") from error

    def _read(self) -> None:
        width, order = self._image[4], self._image[5]
        kind, machine = struct.unpack_from("<HH", self._image, 16)
        if width not in (1, 2) or order != 1 or machine not in MACHINES:
            raise Unreadable(f"{self.path}: neither {', '.join(MACHINES.values())}")
        if kind not in self.kinds:
            raise Unreadable(f"{self.path}: "
                             + ("an object file, not a program" if kind == OBJECT_FILE
                                else "a program, not an object file"))
        self.machine = MACHINES[machine]
        self.address_bytes = 8 if width == 2 else 4
        self.sections = self._read_sections()
        self.by_name = {section.name: section for section in self.sections}
        self.symbols = self._read_symbols()

    def content(self, section: Section) -> bytes:
        if section.kind == WITHOUT_CONTENT:
            return b""
        found = self._image[section.offset:section.offset + section.bytes]
        if len(found) != section.bytes:
            raise ValueError("a section ends behind the file")
        return found

    def _read_sections(self) -> list[Section]:
        wide = self.address_bytes == 8
        table, = struct.unpack_from("<Q" if wide else "<I", self._image, 40 if wide else 32)
        each, count, names_at = struct.unpack_from("<HHH", self._image, 58 if wide else 46)
        if table == 0 or count == 0:
            raise Unreadable(f"{self.path}: no section headers")
        if table + each * count > len(self._image):
            raise ValueError("the section headers end behind the file")
        layout = "<IIQQQQII" if wide else "<IIIIIIII"
        raw = [struct.unpack_from(layout, self._image, table + index * each)
               for index in range(count)]
        sections = [Section(index, "", *fields[1:]) for index, fields in enumerate(raw)]
        for section in sections:
            self.content(section)  # is there
        names = self.content(sections[names_at])
        return [dataclasses.replace(section, name=text_at(names, fields[0]))
                for section, fields in zip(sections, raw)]

    def _read_symbols(self) -> list[Symbol]:
        # Values of thread-local symbols count from the start of the thread's image.
        thread_start = min((each.address for each in self.sections if each.flags & THREAD_LOCAL),
                           default=0)
        found = []
        for kind, _, symbol in self.symbol_table():
            if symbol.bytes == 0 or kind not in NAMED:
                continue
            start = thread_start if kind == THREAD_OBJECT else 0
            found.append(dataclasses.replace(symbol, address=symbol.address + start))
        return found

    def symbol_table(self) -> list[tuple[int, bool, Symbol]]:
        """Each entry, for relocations count them: its kind, whether it is local, and itself."""
        table = next((each for each in self.sections if each.kind == SYMBOL_TABLE), None)
        if table is None:
            return []
        names = self.content(self.sections[table.link])
        found = []
        for fields in struct.iter_unpack("<IBBHQQ" if self.address_bytes == 8 else "<IIIBBH",
                                         self.content(table)):
            if self.address_bytes == 8:
                name, info, _, section, address, size = fields
            else:
                name, address, size, info, _, section = fields
            kind, is_local = info & 0xf, info >> 4 == 0
            if kind == FUNCTION and self.machine == "armv7":
                address &= ~1  # Thumb
            found.append((kind, is_local, Symbol(text_at(names, name), section, address, size)))
        return found

    def frame_records(self) -> list[tuple[int, int]] | None:
        """Of each start of a coroutine the address of its code, and the bytes of its frame. None
        if the program has no records: in a build without optimisation sizes are not known."""
        section = self.by_name.get(".ringlet.frames")
        if section is None:
            return None
        layout = "<QII" if self.address_bytes == 8 else "<II"
        if section.bytes % struct.calcsize(layout) != 0:
            raise Unreadable(f"{self.path}: .ringlet.frames is damaged")
        return [(fields[0] & ~1 if self.machine == "armv7" else fields[0], fields[1])
                for fields in struct.iter_unpack(layout, self.content(section))]

    def build_records(self) -> list[tuple[int, tuple[int, ...]]] | None:
        """Kind and words of each record in .ringlet.limits; None if there is no such section."""
        section = self.by_name.get(".ringlet.limits")
        if section is None:
            return None
        if section.bytes % 4 != 0:
            raise Unreadable(f"{self.path}: .ringlet.limits is damaged")
        words = struct.unpack(f"<{section.bytes // 4}I", self.content(section))
        found, at = [], 0
        while at < len(words):
            end = at + 2 + (words[at + 1] if at + 1 < len(words) else 0)
            if at + 2 > len(words) or end > len(words):
                raise Unreadable(f"{self.path}: .ringlet.limits is damaged")
            found.append((words[at], words[at + 2:end]))
            at = end
        return found


def text_at(strings: bytes, offset: int) -> str:
    return strings[offset:strings.index(b"\0", offset)].decode(errors="replace")
