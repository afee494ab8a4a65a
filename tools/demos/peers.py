"""Peers on the loopback for the demonstrations: an HTTP server whose pages are as good or as bad as
their paths say, a listener that never answers, a port where nobody listens."""

import contextlib
import http.server
import socket
import struct
import threading
import time

PAGE_BYTES = 20_000
SLOW_S = 0.3


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    failed_once: set[str] = set()

    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        getattr(self, f"send_{kind}", self.send_missing)()

    def do_HEAD(self) -> None:
        self.do_GET()

    def send_page(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(PAGE_BYTES))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(page(self.path))

    def send_chunked(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        content = page(self.path)
        for start in range(0, len(content), 7000):
            piece = content[start:start + 7000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def send_slow(self) -> None:
        time.sleep(SLOW_S)
        self.send_page()

    def send_moved(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.path.replace("/moved/", "/page/"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_flaky(self) -> None:
        """Resets the connection in the middle of the body, the first time."""
        if self.path in Pages.failed_once:
            return self.send_page()
        Pages.failed_once.add(self.path)
        self.break_off()

    def break_off(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(PAGE_BYTES))
        self.end_headers()
        self.wfile.write(page(self.path)[:PAGE_BYTES // 2])
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()  # a reset
        self.close_connection = True

    send_broken = break_off

    def send_stuck(self) -> None:
        time.sleep(30)
        self.close_connection = True

    def send_missing(self) -> None:
        self.send_error(404)

    def log_message(self, *_) -> None:
        pass

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # of a connection that was broken off
            super().finish()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_) -> None:
        pass  # clients that leave are part of the show


def page(path: str) -> bytes:
    """What stands there: the path, over and over."""
    name = path.split("/")[-1].encode() + b"\n"
    return (name * (PAGE_BYTES // len(name) + 1))[:PAGE_BYTES]


@contextlib.contextmanager
def http_server():
    """Gives its port."""
    server = Server(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def silent_listener():
    """Takes connections, and never says a word. Gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def dead_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
