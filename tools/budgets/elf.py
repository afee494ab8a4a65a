"""Of an ELF file what the budget needs: sections, named pieces of them, and the frame records.

Programs of other machines are read as well as this machine's own; nothing is run.
"""

import dataclasses
import pathlib
import struct

MACHINES = {62: "x86_64", 183: "aarch64", 40: "armv7"}
EXECUTABLE, SHARED = 2, 3  # a program is either: position-independent ones are SHARED
SYMBOL_TABLE, WITHOUT_CONTENT = 2, 8
WRITABLE, IN_MEMORY, CODE, THREAD_LOCAL = 0x1, 0x2, 0x4, 0x400
OBJECT, FUNCTION, THREAD_OBJECT, CHOSEN_AT_START = 1, 2, 6, 10
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
        if kind not in (EXECUTABLE, SHARED):
            raise Unreadable(f"{self.path}: an object file, not a program")
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
        layout = "<IIQQQQI" if wide else "<IIIIIII"
        raw = [struct.unpack_from(layout, self._image, table + index * each)
               for index in range(count)]
        sections = [Section(index, "", *fields[1:]) for index, fields in enumerate(raw)]
        for section in sections:
            self.content(section)  # is there
        names = self.content(sections[names_at])
        return [dataclasses.replace(section, name=text_at(names, fields[0]))
                for section, fields in zip(sections, raw)]

    def _read_symbols(self) -> list[Symbol]:
        table = next((each for each in self.sections if each.kind == SYMBOL_TABLE), None)
        if table is None:
            return []
        names = self.content(self.sections[table.link])
        # Values of thread-local symbols count from the start of the thread's image.
        thread_start = min((each.address for each in self.sections if each.flags & THREAD_LOCAL),
                           default=0)
        found = []
        for fields in struct.iter_unpack("<IBBHQQ" if self.address_bytes == 8 else "<IIIBBH",
                                         self.content(table)):
            if self.address_bytes == 8:
                name, info, _, section, address, size = fields
            else:
                name, address, size, info, _, section = fields
            kind = info & 0xf
            if size == 0 or kind not in (OBJECT, FUNCTION, THREAD_OBJECT, CHOSEN_AT_START):
                continue
            if kind == THREAD_OBJECT:
                address += thread_start
            if kind == FUNCTION and self.machine == "armv7":
                address &= ~1  # Thumb
            found.append(Symbol(text_at(names, name), section, address, size))
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


def text_at(strings: bytes, offset: int) -> str:
    return strings[offset:strings.index(b"\0", offset)].decode(errors="replace")
