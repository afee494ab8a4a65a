"""The list of what is called and does not allocate after the start (known.toml, and a user's)."""

import dataclasses
import fnmatch
import pathlib
import tomllib

from budgets import elf
from seals.objects import Finding, plain, source_of

LIST = pathlib.Path(__file__).parent / "known.toml"
KINDS = {"harmless": {"reason", "names"}, "allowed": {"reason", "file", "functions", "calls"}}
AFTER_A_NAME = ("", "(", "[", "<", ":")  # of a function: its parameters, or what is inside it


def matches(symbol: str, names: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(each, name) for name in names
               for each in (symbol, plain(symbol)))


@dataclasses.dataclass(frozen=True)
class Allowed:
    file: str
    functions: list[str]
    calls: list[str]
    reason: str

    def is_of(self, source: str) -> bool:
        """Meson's names of objects have _ where the source's path has /."""
        own = self.file.replace("/", "_")
        return ("_" + source.replace("/", "_")).endswith("_" + own)

    def function_of(self, finding: Finding, by_file: bool) -> str | None:
        """Which of the functions it is; any, if functions are not looked at."""
        if not self.is_of(source_of(finding.object)) or not matches(finding.symbol, self.calls):
            return None
        if by_file:
            return self.functions[0]
        name = finding.path[0]
        return next((each for each in self.functions if name.startswith(each)
                     and name[len(each):len(each) + 1] in AFTER_A_NAME), None)


class Known:
    def __init__(self, paths: list[pathlib.Path]) -> None:
        self.harmless: list[str] = []
        self.allowed: list[Allowed] = []
        for path in paths:
            self._read(path)

    def _read(self, path: pathlib.Path) -> None:
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise elf.Unreadable(f"{path}: {problem}") from problem
        for kind, keys in KINDS.items():
            for each in content.get(kind, []):
                if each.keys() != keys or not all(each.values()):
                    raise elf.Unreadable(f"{path}: each [[{kind}]] has {', '.join(sorted(keys))},"
                                         f" and not {', '.join(sorted(each))}")
        if content.keys() - KINDS:
            raise elf.Unreadable(f"{path}: neither harmless nor allowed:"
                                 f" {', '.join(content.keys() - KINDS)}")
        self.harmless += [name for each in content.get("harmless", []) for name in each["names"]]
        self.allowed += [Allowed(**each) for each in content.get("allowed", [])]

    def judge(self, files: list[pathlib.Path], findings: list[Finding],
              by_file: bool) -> tuple[list[Finding], list[str]]:
        """What is not known, and the entries of these files that nothing needs."""
        unknown, used = [], set()
        for finding in findings:
            if matches(finding.symbol, self.harmless):
                continue
            fits = [(entry, name) for entry in self.allowed
                    if (name := entry.function_of(finding, by_file))]
            used.update((self.allowed.index(entry), name) for entry, name in fits)
            if not fits:
                unknown.append(finding)
        return unknown, self._stale({source_of(file) for file in files}, used, by_file)

    def _stale(self, sources: set[str], used: set[tuple[int, str]], by_file: bool) -> list[str]:
        found = []
        for index, entry in enumerate(self.allowed):
            if not any(entry.is_of(source) for source in sources):
                continue
            functions = entry.functions[:1] if by_file else entry.functions
            found += [f"{entry.file}: {name} calls no {' or '.join(entry.calls)}"
                      for name in functions if (index, name) not in used]
        return found
