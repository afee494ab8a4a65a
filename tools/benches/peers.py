"""Who is measured, and where its programs are."""

import dataclasses
import pathlib
import shutil

from benches.workloads import LIMIT, Unknown

# Of the program of a workload: its path below tests/bench, of the build or, with ".py", the source.
PATHS = {
    LIMIT: "limit/{}",
    "ringlet": "ringlet/{}",
    "epoll": "limit/{}_epoll",
    "asio_uring": "asio/asio_uring_{}",
    "asio_epoll": "asio/asio_epoll_{}",
    "libuv": "libuv/libuv_{}",
    "asyncio": "python/{}.py",
    "uvloop": "python/{}.py",
    "curl": "curl/{}",
    "fio": "fio/{}.py",
}
# Debian's packages are the system's Python's.
PYTHON = shutil.which("python3", path="/usr/bin:/bin") or "python3"


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str             # as in the table
    path: str
    build: pathlib.Path
    source: pathlib.Path

    def command(self, workload: str) -> list[str] | None:
        """None if it has no such program."""
        is_script = self.path.endswith(".py")
        root = self.source if is_script else self.build
        program = root / "tests/bench" / self.path.format(workload)
        if not program.is_file():
            return None
        return [PYTHON, str(program), "--loop", self.name] if is_script else [str(program)]


def chosen(names: list[str], build: pathlib.Path, source: pathlib.Path) -> list[Peer]:
    """None named: all."""
    if unknown := [name for name in names if name not in PATHS]:
        raise Unknown(f"no such peer: {', '.join(unknown)}; there are {', '.join(PATHS)}")
    return [Peer(name, path, build, source) for name, path in PATHS.items()
            if not names or name in names]
