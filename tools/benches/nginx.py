"""nginx for the HTTP workloads: one process on the loopback with a page of 1 KiB, in a folder of its
own, run by whoever runs this."""

import contextlib
import pathlib
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator

from benches import processes

PAGE, PAGE_BYTES = "/1k", 1024
KEEP_ALIVE_S = 3600
PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    open_file_cache max=10;
    keepalive_requests 1000000000;
    keepalive_timeout {keep_alive_s};
    server {{
        listen 127.0.0.1:{port} backlog=511;
        root {folder}/www;
    }}
}}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{PAGE}", timeout=1) as answer:
            return len(answer.read()) == PAGE_BYTES
    return False


@contextlib.contextmanager
def running(folder: pathlib.Path, core: int, keep_alive: bool) -> Iterator[int]:
    """Gives its port. Without keep_alive it closes each connection after an answer."""
    if PROGRAM is None:
        raise processes.Missing("there is no nginx: tools/setup --bench")
    (folder / "www").mkdir(parents=True, exist_ok=True)
    (folder / f"www{PAGE}").write_text("x" * PAGE_BYTES)
    port = free_port()
    path = folder / "nginx.conf"
    path.write_text(CONFIGURATION.format(folder=folder, port=port,
                                         keep_alive_s=KEEP_ALIVE_S if keep_alive else 0))
    log = folder / "error.log"
    with processes.running([PROGRAM, "-e", str(log), "-p", str(folder), "-c", str(path)], core,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        processes.wait_until(lambda: child.poll() is not None or _answers(port))
        if child.poll() is not None or not _answers(port):
            raise processes.Failed(f"nginx did not start\n{processes.last_lines(log.read_text())}")
        yield port
