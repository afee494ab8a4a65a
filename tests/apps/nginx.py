"""nginx on a free port of the loopback, run by whoever runs the tests, in a scratch folder.

    with nginx.running(folder, SERVER) as server:
        ... server.url(PATH), server.log(REQUESTS)

Skips where there is no nginx.
"""

import contextlib
import dataclasses
import pathlib
import random
import shutil
import socket
import subprocess
import urllib.request

from bench import LIMIT_S, Skipped, check, wait_until

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")

# One process, so that its counts of connections are the whole truth. $connection numbers them.
CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 1024; }}
http {{
    log_format tests '$status $connection $connection_requests $connections_active $request_uri';
    access_log {folder}/access.log tests;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/octet-stream;
    keepalive_requests 100000;
    server {{
        listen 127.0.0.1:{port} backlog=511;
        root {folder}/www;
        location = /counts {{ stub_status; access_log off; }}
        {server}
    }}
}}
"""


@dataclasses.dataclass
class Request:
    status: int
    connection: int
    number: int       # of the request on its connection
    connections: int  # open at that time
    path: str


class Server:
    def __init__(self, folder: pathlib.Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.root = folder / "www"

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def log(self, requests: int) -> list[Request]:
        """What it has served, all in all, once that is so much: it notes a request after it has
        sent the answer."""
        path = self.folder / "access.log"
        wait_until(lambda: path.read_bytes().count(b"\n") >= requests, "the server's log")
        lines = [line.split(" ", 4) for line in path.read_text().splitlines()]
        return [Request(*map(int, line[:4]), line[4]) for line in lines]

    def is_up(self) -> bool:
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(self.url("/counts"), timeout=LIMIT_S) as answer:
                return answer.status == 200
        return False


def free_port() -> int:
    """None of those that the kernel gives to whoever asks for any."""
    while True:
        port = random.randrange(10_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextlib.contextmanager
def running(folder: pathlib.Path, server: str = ""):
    """`server`: more directives for the server's block."""
    if PROGRAM is None:
        raise Skipped("there is no nginx")
    folder = folder / "nginx"
    (folder / "www").mkdir(parents=True)
    for attempt in range(5):  # another process may take the port meanwhile
        port = free_port()
        path = folder / "nginx.conf"
        path.write_text(CONFIGURATION.format(folder=folder, port=port, server=server))
        with (folder / "output").open("wb") as output:
            command = [PROGRAM, "-e", folder / "error.log", "-p", folder, "-c", path]
            child = subprocess.Popen(command,
                                     stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        found = Server(folder, port)
        wait_until(lambda: child.poll() is not None or found.is_up(), "nginx")
        if child.poll() is None:
            break
    words = (folder / "output").read_text() + (folder / "error.log").read_text()
    check(child.poll() is None, "nginx did not start:", words)
    try:
        yield found
    finally:
        child.terminate()
        child.wait(LIMIT_S)
