"""The coroutines of a program by name, and how large the frame of each is.

A record holds the address of the code that allocates the frame. That is in the coroutine's own
start, or, where the start was inlined, in whoever calls it. Debug information tells which; of an
inlined start GCC's says no more than the plain name and the line on which the coroutine ends. The
body of each coroutine is a function of its own, though, whose symbol says the whole name, and whose
place is where the coroutine begins: so the two are matched like brackets.
"""

import bisect
import dataclasses
import re
import shutil
import subprocess

from budgets import elf

# What names say at length: how it is written in a source.
SHORTER = [
    (r" \[clone [^]]*\]", ""),
    (r"std::basic_string_view<char, std::char_traits<char> ?>", "std::string_view"),
    (r"std::chrono::duration<long(?: long)?, std::ratio<1ll?, 1000000000ll?> ?>", "Nanoseconds"),
    (r", (?:18446744073709551615ul|4294967295u)>", ">"),
    (r"\(anonymous namespace\)::", ""),
    (r"(?<=>) (?=>)", ""),
]
# Symbols of a coroutine's body, of GCC and of clang; and of all that is not its start.
BODY = re.compile(r"\d(_Z\w+)\.Frame\.actor(?:\.lto_priv\.\d+)?$|^(_Z\w+)\.resume$")
INSIDE = re.compile(r"\d(_Z\w+)\.Frame\.|^(_Z\w+)\.(?:resume|destroy|cleanup)")
INLINED = "inlined into "  # before the name of who starts a coroutine whose own is not known


@dataclasses.dataclass(frozen=True)
class Inlined:
    """A function at an address, as debug information has it."""

    name: str
    file: str
    line: int

    @property
    def is_whole(self) -> bool:
        return self.name.endswith((")", "const", "]")) and self.name != "operator()"


def shortened(name: str) -> str:
    for pattern, instead in SHORTER:
        name = re.sub(pattern, instead, name)
    return name


def plain(symbol: str) -> str:
    """The mangled name of the function that the compiler made the symbol's code of."""
    inside = INSIDE.search(symbol)
    return (inside[1] or inside[2]) if inside else symbol.split(".")[0]


def without_result(name: str) -> str:
    """Names of templates begin with what they return."""
    if name.startswith(INLINED):
        return INLINED + without_result(name[len(INLINED):])
    depth = 0
    for place, letter in enumerate(name):
        if depth == 0 and letter in "( ":
            return name[place + 1:] if letter == " " else name
        depth += {"<": 1, "{": 1, ">": -1, "}": -1}.get(letter, 0)
    return name


def tool(command: list[str], lines: list[str]) -> list[str]:
    if not lines:
        return []
    try:
        done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True,
                              text=True, errors="replace", check=True)
    except FileNotFoundError as error:
        raise elf.Unreadable(f"there is no {command[0]}: install binutils") from error
    except subprocess.CalledProcessError as error:
        raise elf.Unreadable(f"{command[0]}: {error.stderr.strip()}") from error
    return done.stdout.splitlines()


def demangled(names: list[str]) -> list[str]:
    return [shortened(name) for name in tool(["c++filt"], names)]


def addr2line(program: elf.Elf) -> str:
    """Debian 12's binutils do not see what clang 19 inlined; LLVM's tool of any version does."""
    comment = program.by_name.get(".comment")
    if comment and b"clang" in program.content(comment):
        for name in ["llvm-addr2line", *(f"llvm-addr2line-{version}" for version in range(14, 24))]:
            if shutil.which(name):
                return name
    return "addr2line"


def chains(program: elf.Elf, addresses: list[int]) -> dict[int, list[Inlined]]:
    """Of each address the functions that were inlined there, innermost first."""
    lines = tool([addr2line(program), "-a", "-i", "-f", "-C", "-e", str(program.path)],
                 [f"{address:#x}" for address in addresses])
    found: dict[int, list[Inlined]] = {}
    functions: list[Inlined] = []
    name = None  # each function has two lines, its name and its place
    for line in lines:
        if line.startswith("0x") and name is None:
            functions = found.setdefault(int(line, 16), [])
        elif name is None:
            name = line
        else:
            file, _, number = line.partition(" (")[0].rpartition(":")
            functions.append(Inlined(name, file, int(number) if number.isdigit() else 0))
            name = None
    return found


class Names:
    def __init__(self, program: elf.Elf, addresses: list[int]) -> None:
        code = {each.index for each in program.sections if each.flags & elf.CODE}
        self._symbols = sorted((each for each in program.symbols if each.section in code),
                               key=lambda each: each.address)
        self._starts = [each.address for each in self._symbols]
        self._bodies = {each.address: plain(each.name) for each in self._symbols
                        if BODY.search(each.name)}
        self._chains = {}
        if elf.DEBUG in program.by_name:
            self._chains = chains(program, sorted({*addresses, *self._bodies}))
        mangled = sorted({plain(each.name) for each in self._symbols})
        self._whole = dict(zip(mangled, demangled(mangled)))
        self.of = {address: name for address in addresses if (name := self._known(address))}
        self._match(addresses)

    def file_of(self, address: int) -> str:
        """Where the coroutine that starts there stands; empty, if that is not known."""
        function, _ = self._coroutine(address)
        return "/".join(function.file.split("/")[-2:]) if function else ""

    def _symbol(self, address: int) -> elf.Symbol | None:
        place = bisect.bisect_right(self._starts, address) - 1
        if place < 0 or address >= self._starts[place] + self._symbols[place].bytes:
            return None
        return self._symbols[place]

    def _coroutine(self, address: int) -> tuple[Inlined | None, bool]:
        """Who called operator new at the address, and whether that was inlined."""
        chain = self._chains.get(address, [])
        news = [place for place, each in enumerate(chain) if "operator new" in each.name]
        if not news or news[0] + 1 == len(chain):
            return None, False
        return chain[news[0] + 1], news[0] + 2 < len(chain)

    def _known(self, address: int) -> str | None:
        """The name, unless only its plain part is known."""
        function, is_inlined = self._coroutine(address)
        if function and function.is_whole:
            return shortened(function.name)
        if function and is_inlined:
            return None
        symbol = self._symbol(address)
        if symbol is None:
            return f"{address:#x}"
        name = self._whole[plain(symbol.name)]
        return f"{INLINED}{name}" if INSIDE.search(symbol.name) else name

    def _match(self, addresses: list[int]) -> None:
        ends = {self._coroutine(address)[0]: self.of.get(address) for address in addresses}
        ends.update({self._coroutine(address)[0]: name for address, name in self.of.items()})
        begins = [(self._chains[address][-1], self._whole[name])
                  for address, name in self._bodies.items() if self._chains.get(address)]
        taken = {name for name in ends.values() if name}
        unnamed = sorted((end for end in ends if end and not ends[end]),
                         key=lambda each: (each.file, each.line))
        # "f<long>" may be "f<long int>" in debug information: by the letter first.
        for spelled in (lambda name: f"{name}(", lambda name: name.partition("<")[0] + "<"):
            for end in unnamed:
                fitting = [(begin.line, name) for begin, name in begins
                           if begin.file == end.file and begin.line <= end.line
                           and name not in taken and spelled(shortened(end.name)) in name]
                if fitting and not ends[end]:
                    ends[end] = max(fitting)[1]
                    taken.add(ends[end])
        for end in unnamed:
            ends[end] = ends[end] or f"{end.name} ({end.file.rpartition('/')[2]}:{end.line})"
        for address in addresses:
            self.of.setdefault(address, ends[self._coroutine(address)[0]])


def frames(program: elf.Elf) -> dict[str, int] | None:
    """The bytes of each coroutine's frame by its name, largest first. A coroutine that starts at
    several places has a record for each; of several with one name, the file tells which it is. None
    if there are no records."""
    records = program.frame_records()
    if records is None:
        return None
    names = Names(program, sorted({address for address, _ in records}))
    of_name: dict[str, dict[str, int]] = {}
    for address, size in records:
        of_file = of_name.setdefault(without_result(names.of[address]), {})
        file = names.file_of(address)
        of_file[file] = max(size, of_file.get(file, 0))
    found: dict[str, int] = {}
    for name, of_file in of_name.items():
        is_one = len(of_file.keys() - {""}) <= 1
        for file, size in of_file.items():
            label = name if is_one or not file else f"{name} ({file})"
            found[label] = max(size, found.get(label, 0))
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))
