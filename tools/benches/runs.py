"""One run of one program, by the kind of its workload."""

import dataclasses
import os
import pathlib
import statistics
import tempfile
from collections.abc import Callable

from benches import nginx, processes, results, workloads
from benches.workloads import Workload

HELLO_SLEEP_US = 1000
HELLO_STARTS = 50
PIECE_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True)
class Bench:
    """What all runs share."""

    load: pathlib.Path  # the folder of the load generators
    scratch: pathlib.Path
    file_bytes: int = 256 << 20
    small: dict[str, int] = dataclasses.field(default_factory=dict)  # arguments that make it short


def _plain(bench: Bench, workload: Workload, command: list[str], **more) -> results.Values:
    given = workload.arguments | bench.small | more
    return results.parse(processes.run(command + processes.as_arguments(given), processes.cores()[0]))


def _server(bench: Bench, workload: Workload, command: list[str]) -> results.Values:
    own, loading = processes.cores()
    port = nginx.free_port()
    with processes.serving(command + processes.as_arguments({"port": port}), own) as server:
        given = workload.arguments | bench.small | {
            "port": port, "server_pid": server.pid}
        load = [str(bench.load / workload.load), *processes.as_arguments(given)]
        return results.parse(processes.run(load, loading))


def _http(bench: Bench, workload: Workload, command: list[str]) -> results.Values:
    keep_alive = bool(workload.arguments["keep_alive"])
    with nginx.running(bench.scratch / "nginx", processes.cores()[1], keep_alive) as port:
        return _plain(bench, workload, command, port=port, target=nginx.PAGE)


def _make_file(path: pathlib.Path, size: int) -> None:
    if not path.exists() or path.stat().st_size != size:
        piece = os.urandom(PIECE_BYTES)
        with path.open("wb") as file:
            for _ in range(size // PIECE_BYTES):
                file.write(piece)


def _prepare_cache(path: pathlib.Path, is_direct: bool) -> None:
    """All of the file is in the page cache, or nothing is."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        if is_direct:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        else:
            while file.read(PIECE_BYTES):
                pass


def _file(bench: Bench, workload: Workload, command: list[str]) -> results.Values:
    if workload.program != "file_read":
        with tempfile.TemporaryDirectory(dir=bench.scratch) as folder:
            return _plain(bench, workload, command, path=pathlib.Path(folder, "appended"))
    path = bench.scratch / "file"
    _make_file(path, bench.file_bytes)
    _prepare_cache(path, bool(workload.arguments["direct"]))
    return _plain(bench, workload, command, path=path)


def _size(bench: Bench, _: Workload, command: list[str]) -> results.Values:
    """What the stripped program takes of the memory: code, constants and data."""
    if len(command) > 1:
        raise processes.Missing("a script has no size")
    own, stripped = processes.cores()[0], str(bench.scratch / "stripped")
    processes.run(["strip", "-o", stripped, command[0]], own)
    table = processes.run(["size", stripped], own)
    text, data, bss = map(int, table.splitlines()[1].split()[:3])
    return {"ops": 1, "bytes": text + data, "bss_bytes": bss}


def _start(bench: Bench, _: Workload, command: list[str]) -> results.Values:
    own = processes.cores()[0]
    processes.run(command, own)  # it ends; and its files are in the page cache
    spans = [processes.span_s(command, own) * 1e6 - HELLO_SLEEP_US
             for _ in range(bench.small.get("starts", HELLO_STARTS))]
    return {"ops": len(spans), "start_us": statistics.median(spans)}


KINDS: dict[str, Callable[[Bench, Workload, list[str]], results.Values]] = {
    workloads.PLAIN: _plain,
    workloads.SERVER: _server,
    workloads.HTTP: _http,
    workloads.FILE: _file,
    workloads.SIZE: _size,
    workloads.START: _start,
}


def measure(bench: Bench, workload: Workload, command: list[str]) -> results.Values:
    """Raises processes.Failed or results.Nonsense."""
    return results.check(KINDS[workload.kind](bench, workload, command), workload.metric)
