#!/usr/bin/env python3
"""Runs the fetch app as users and adversaries do: wrong usage, servers good, hostile and stuck,
names that do not resolve, full disks, few descriptors, signals, closed and slow streams; and ten
thousand URLs, for its memory and its connections.

One line a case; exit status 77 (skipped) where there is no io_uring.

Usage: fetch_faults_test.py FETCH [CASE...]
"""

import contextlib
import fcntl
import functools
import http.server
import json
import os
import pathlib
import pty
import random
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

import nginx
from bench import (LIMIT_S, Bench, Ended, Skipped, case, check, check_configuration_errors,
                   check_equal, check_few_descriptors, check_help_and_version,
                   check_needs_io_uring, check_usage_errors, in_background, in_private_mounts,
                   main, peak_kib, read_terminal, unread, wait_until)

MEMORY_MAX_KIB = 8 * 1024


def check_memory(bench: Bench, peak: int) -> None:
    is_sanitized = b"__asan_init" in pathlib.Path(bench.program).read_bytes()
    check(peak < MEMORY_MAX_KIB or is_sanitized, f"VmHWM {peak} KiB")


def rows(output: bytes) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


def row_of(ended: Ended, url: str) -> dict:
    found = [row for row in rows(ended.out) if row["url"] == url]
    check_equal(len(found), 1, "rows of", url, ended.out.decode(), ended.err)
    return found[0]


def files_in(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# Servers.

class Peer:
    """Listens on the loopback; handler(connection, path) says what it likes for each request, and
    returns whether to go on with the connection."""

    def __init__(self, handler) -> None:
        self.handler = handler
        self.asked: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        in_background(self.accept)

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_) -> None:
        self.listener.close()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            in_background(self.serve, connection)

    def serve(self, connection: socket.socket) -> None:
        connection.settimeout(LIMIT_S)
        with contextlib.suppress(OSError, ValueError), connection:
            requests = connection.makefile("rb")
            while line := requests.readline():
                path = line.split()[1].decode()
                while requests.readline() not in (b"\r\n", b""):
                    pass
                self.asked.append(path)
                if not self.handler(connection, path):
                    break
            requests.close()


def saying(content: bytes, reset: bool = False, stall: bool = False):
    """A handler that says the same whatever it is asked."""
    def handle(connection: socket.socket, _) -> bool:
        connection.sendall(content)
        if stall:
            connection.recv(1)  # until the client has had enough
        if reset:
            time.sleep(0.05)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    return handle


def answer(body: bytes, status: int = 200, headers: str = "") -> bytes:
    return (f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n{headers}\r\n").encode() + body


def pages(connection: socket.socket, path: str) -> bool:
    connection.sendall(answer(page(path)))
    return True


def page(path: str, size: int = 20_000) -> bytes:
    name = path.encode() + b"\n"
    return (name * (size // len(name) + 1))[:size]


@functools.cache
def dead_port() -> socket.socket:
    """Bound, so that it is nobody else's, and nobody listens."""
    unheard = socket.socket()
    unheard.bind(("127.0.0.1", 0))
    return unheard


def dead_url(path: str = "/") -> str:
    return f"http://127.0.0.1:{dead_port().getsockname()[1]}{path}"


# Usage and configuration.

@case
def wrong_usage_is_2_with_one_line(bench: Bench) -> None:
    check_usage_errors(bench, "fetch", [
        ([], "needs a URL"),
        (["--nonsense", "http://a/"], "unknown option '--nonsense'"),
        (["--re", "1"], "needs a URL"),
        (["--per", "1", "http://a/", "--o"], "--output: needs DIR"),
        (["--concurrency", "0", "http://a/"], "--concurrency"),
        (["--concurrency", "65", "http://a/"], "--concurrency"),
        (["--concurrency", "8x", "http://a/"], "--concurrency"),
        (["--concurrency", "", "http://a/"], "--concurrency"),
        (["--per-host", "0", "http://a/"], "--per-host"),
        (["--per-host", "17", "http://a/"], "--per-host"),
        (["--timeout", "0s", "http://a/"], "--timeout"),
        (["--timeout", "30", "http://a/"], "--timeout"),
        (["--timeout", "25h", "http://a/"], "--timeout"),
        (["--retries", "-1", "http://a/"], "--retries"),
        (["--retries", "101", "http://a/"], "--retries"),
        (["--max-body", "2TiB", "http://a/"], "--max-body"),
        (["--max-body", "64 parsec", "http://a/"], "--max-body"),
        (["--jsonl=yes", "http://a/"], "--jsonl: takes no argument"),
        (["--output=", "http://a/"], "--output"),
        (["--output", "x" * 200, "http://a/"], "--output"),
        (["--urls-from="], "--urls-from"),
        (["http://a/", "--output"], "--output: needs DIR"),
        (["--config=", "http://a/"], "--config"),
        (["--\x1b[31m\nerror: forged"], "?error: forged"),
    ])


@case
def wrong_configuration_is_2_with_its_place(bench: Bench) -> None:
    check_configuration_errors(bench, "fetch", "http://a/", [
        ('{\n  "retries": 4,\n  "jsonl" true\n}', "line 3, column 11: expected ':'"),
        ("", "line 1, column 1"),
        ("[]", "top level: expected an object"),
        ('{"urls": ["http://a/"]}', "/urls: unknown key"),
        ('{"concurrency": "many"}', "/concurrency: expected a number, found a string"),
        ('{"concurrency": 65}', "/concurrency"),
        ('{"timeout": 30}', "/timeout: a duration is a string with a unit"),
        ('{"timeout": "0s"}', "/timeout"),
        ('{"max-body": "2TiB"}', "/max-body"),
        ('{"output": ""}', "--output"),
        ('{"urls-from": null}', "/urls-from: expected a string"),
        ('{"retries": 1, "retries": 2}', "/retries: duplicate key"),
        (" " * 16_385, "File too large"),
    ])
    ended = bench.run("--config", "missing.json", "http://a/")
    check_equal(ended.status, 2, ended.err)
    check("missing.json: No such file" in ended.err, ended.err)


@case
def the_command_line_comes_before_the_configuration(bench: Bench) -> None:
    with Peer(pages) as peer:
        listed = bench.file("urls", peer.url("/listed") + "\n")
        config = bench.file("config.json", json.dumps(
            {"concurrency": 2, "per-host": 1, "timeout": "5s", "retries": 0, "max-body": "1KiB",
             "jsonl": True, "output": str(bench.folder / "configured"),
             "urls-from": str(listed)}))
        ended = bench.run("--config", config)
        check_equal((ended.status, ended.summary["failed"]), (1, 1), ended.err)  # over 1 KiB
        ended = bench.run("--max-body", "1MiB", "--config", config, peer.url("/given"))
        check_equal(ended.status, 0, ended.err)
    check_equal(files_in(bench.folder / "configured"),
                {"000001-given": page("/given"), "000002-listed": page("/listed")})


@case
def help_and_version_go_to_standard_output(bench: Bench) -> None:
    check_help_and_version(bench, "fetch", [
        "--concurrency", "--per-host", "--timeout", "--retries", "--max-body", "--output",
        "--jsonl", "--urls-from", "--config", "URL", "143"])


@case
def without_io_uring_it_is_69(bench: Bench) -> None:
    check_needs_io_uring(bench, "--output", "out", "http://a/")
    check(not (bench.folder / "out").exists(), "made a folder")


# Many URLs.

def run_watched(bench: Bench, *arguments) -> tuple[Ended, int]:
    """With standard output in a file; gives the peak of memory in KiB, too."""
    with (bench.folder / "rows").open("wb") as stdout:
        child = bench.start("--jsonl", *arguments, stdout=stdout)
    peak = 0
    while child.poll() is None:
        with contextlib.suppress(OSError, TypeError):
            peak = max(peak, peak_kib(child))
        time.sleep(0.002)
    ended = bench.finish(child)
    ended.out = (bench.folder / "rows").read_bytes()
    return ended, peak


def memory_folder(bench: Bench) -> pathlib.Path:
    """For bodies: each is synced, which takes long on a disk."""
    shared = pathlib.Path("/dev/shm")
    parent = shared if os.access(shared, os.W_OK) else bench.folder
    return pathlib.Path(tempfile.mkdtemp(prefix="ringlet-test-", dir=parent))


@case
def ten_thousand_urls_in_bounded_memory_over_few_connections(bench: Bench) -> None:
    count = 10_000
    with nginx.running(bench.folder) as server:
        for number in range(10):
            (server.root / f"page-{number}").write_bytes(page(f"/{number}", 2000 + number))
        urls = [server.url(f"/page-{number % 10}?{number}") for number in range(count)]
        listed = bench.file("urls", "".join(url + "\n" for url in urls))
        served = 0
        for concurrency, per_host, keep in [(8, 4, False), (64, 16, False), (64, 3, False),
                                            (1, 1, False), (8, 4, True), (64, 16, True)]:
            folder = memory_folder(bench)
            try:
                output = ["--output", folder] if keep else []
                ended, peak = run_watched(bench, "--concurrency", concurrency, "--per-host",
                                          per_host, *output, "--urls-from", listed)
                check_equal((ended.status, ended.summary["ok"]), (0, count), ended.err)
                check_equal(sorted(row["url"] for row in rows(ended.out)), sorted(urls))
                if keep:
                    found = files_in(folder)
                    check_equal(len(found), count)
                    for row in rows(ended.out):
                        number = int(row["url"].split("?")[1])
                        check_equal(row["file"], f"{number + 1:06}-page-{number % 10}")
                        check_equal(found[row["file"]],
                                    page(f"/{number % 10}", 2000 + number % 10), row)
            finally:
                shutil.rmtree(folder)
            log = server.log(served + count)[served:]
            check_equal(len(log), count)
            served += count
            check(max(request.connections for request in log) <= per_host,
                  max(request.connections for request in log), "connections, not", per_host)
            opened = len({request.connection for request in log})
            check_equal(opened, ended.summary["connections"]["opened"])
            check(opened <= per_host, opened, "connections were opened")
            check(ended.summary["connections"]["per_host_high_water"] <= per_host, ended.summary)
            check_memory(bench, peak)
            print(f"    concurrency {concurrency}, per host {per_host}{', kept' * keep}: VmHWM"
                  f" {peak} KiB, {count / ended.summary['seconds']:,.0f} URLs/s")


@case
def a_hundred_thousand_urls_where_nobody_listens(bench: Bench) -> None:
    count = 100_000
    url = dead_url("/dead/")
    listed = bench.file("urls", "".join(f"{url}{number}\n" for number in range(count)))
    ended, peak = run_watched(bench, "--retries", 0, "--concurrency", 64, "--per-host", 16,
                              "--urls-from", listed)
    check_equal((ended.status, ended.summary["failed"]), (1, count), ended.err)
    found = rows(ended.out)
    check_equal(len({row["url"] for row in found}), count)
    check(all(row["error"] == "connect: Connection refused" and row["step"] == "connect"
              and "status" not in row for row in found), found[0])
    check_memory(bench, peak)
    print(f"    VmHWM {peak} KiB, {count / ended.summary['seconds']:,.0f} URLs/s")


@case
def many_hosts_share_what_there_is(bench: Bench) -> None:
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(Peer(pages)) for _ in range(80)]
        urls = [peer.url(f"/{number}") for number in range(3) for peer in peers]
        ended = bench.run("--jsonl", "--concurrency", 64, "--retries", 0, *urls)
    check_equal((ended.status, ended.summary["ok"]), (0, len(urls)), ended.err)
    check(ended.summary["connections"]["high_water"] <= 64, ended.summary)


# Good servers.

@case
def nginx_gives_every_kind_of_body(bench: Bench) -> None:
    with nginx.running(bench.folder, """
            location /chunked/ { ssi on; ssi_types *; }
            location /moved/ { return 302 /plain/small; }
            location = /empty { return 204; }
            location /once/ { keepalive_timeout 0; }
            """) as server:
        big = os.urandom(1_000_000) * 50
        for folder in ("plain", "chunked", "once"):
            (server.root / folder).mkdir()
            (server.root / folder / "small").write_bytes(page("/small", 5000))
        (server.root / "plain" / "big").write_bytes(big)
        (server.root / "plain" / "none").write_bytes(b"")
        expected = {"/plain/small": page("/small", 5000), "/plain/big": big, "/plain/none": b"",
                    "/chunked/small": page("/small", 5000), "/moved/x": page("/small", 5000),
                    "/empty": b"", "/once/small": page("/small", 5000)}
        folder = memory_folder(bench)
        try:
            ended, peak = run_watched(bench, "--output", folder,
                                      *map(server.url, expected), *map(server.url, expected))
            check_equal(ended.status, 0, ended.err, ended.out)
            for row in rows(ended.out):
                body = expected["/" + row["url"].split("/", 3)[3]]
                check((folder / row["file"]).read_bytes() == body, "another body:", row)
                check_equal(row["bytes"], len(body))
        finally:
            shutil.rmtree(folder)
        check(ended.summary["connections"]["reused"] > 0, ended.summary)
        check_memory(bench, peak)


@case
def a_server_of_http_1_0_gives_its_pages(bench: Bench) -> None:
    www = bench.folder / "www"
    www.mkdir()
    for number in range(40):
        (www / f"{number}.bin").write_bytes(page(f"/{number}", 100 * number))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                         functools.partial(Quiet, directory=www)) as server:
        in_background(server.serve_forever)
        url = f"http://127.0.0.1:{server.server_address[1]}"
        ended = bench.run("--jsonl", "--output", "out",
                          *[f"{url}/{number}.bin" for number in range(40)])
        server.shutdown()
    check_equal((ended.status, ended.summary["connections"]["reused"]), (0, 0), ended.err)
    for number in range(40):
        check_equal((bench.folder / "out" / f"{number + 1:06}-{number}.bin").read_bytes(),
                    page(f"/{number}", 100 * number))


@case
def a_body_that_ends_with_its_connection_is_whole(bench: Bench) -> None:
    with Peer(saying(b"HTTP/1.0 200 OK\r\n\r\n" + page("/x"))) as peer:
        ended = bench.run("--jsonl", "--output", "out", peer.url("/x"))
    check_equal(ended.status, 0, ended.err, ended.out)
    check_equal(files_in(bench.folder / "out"), {"000001-x": page("/x")})


# Bad servers.

@case
def what_servers_do_wrong_is_told_with_its_step(bench: Bench) -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    broken = head + b"Content-Length: 1000\r\n\r\n" + b"x" * 500
    # Handler, step, words, and whether another attempt is worth it.
    hostile = {
        "reset": (saying(broken, reset=True), "body", "Connection reset by peer", True),
        "short": (saying(broken), "body", "closed the connection too early", True),
        "cut-chunk": (saying(head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), "body",
                      "closed the connection too early", True),
        "silent-end": (saying(b""), "head", "closed the connection too early", True),
        "half-head": (saying(head + b"Content-Le"), "head", "closed the connection too early",
                      True),
        "garbage": (saying(os.urandom(512).replace(b"H", b"h") + b"\r\n\r\n"), "head",
                    "not sound HTTP/1.1", False),
        "ssh": (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "head", "not sound HTTP/1.1", False),
        "bad-chunk": (saying(head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "body",
                      "not sound HTTP/1.1", False),
        "two-lengths": (saying(head + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "head",
                        "not sound HTTP/1.1", False),
        "minus-length": (saying(head + b"Content-Length: -1\r\n\r\n"), "head",
                         "not sound HTTP/1.1", False),
        "gzip-coding": (saying(head + b"Transfer-Encoding: gzip\r\n\r\nab"), "head",
                        "transfer coding", False),
        "long-header": (saying(head + b"X: " + b"y" * 100_000, stall=True), "head",
                        "headers are too long", False),
        "long-body": (saying(answer(b"z" * 200_000)), "body", "longer than the limit", False),
        "long-chunks": (saying(head + b"Transfer-Encoding: chunked\r\n\r\n"
                               + b"400\r\n" + b"z" * 1024 + b"\r\n" + b"400\r\n" * 1), "body", "",
                        True),
        "too-long-chunks": (saying(head + b"Transfer-Encoding: chunked\r\n\r\n"
                                   + (b"400\r\n" + b"z" * 1024 + b"\r\n") * 200, stall=True),
                            "body", "longer than the limit", False),
        "long-until-end": (saying(head + b"\r\n" + b"z" * 200_000), "body",
                           "longer than the limit", False),
        "missing": (saying(answer(b"no", 404)), "status", "404", False),
        "teapot": (saying(answer(b"no", 418)), "status", "4xx", False),
        "not-modified": (saying(b"HTTP/1.1 304 Not Modified\r\n\r\n"), "status", "3xx", False),
        "busy": (saying(answer(b"", 503)), "status", "503", True),
        "slow-down": (saying(answer(b"", 429, "Retry-After: 0\r\n")), "status", "429", True),
    }

    def endless(connection: socket.socket, _) -> bool:
        connection.sendall(head)
        while True:
            connection.sendall(b"X-Endless: yes\r\n" * 100)

    hostile["endless-headers"] = (endless, "head", "headers are too long", False)
    with contextlib.ExitStack() as stack:
        peers = {name: stack.enter_context(Peer(handler))
                 for name, (handler, *_) in hostile.items()}
        ended = bench.run("--jsonl", "--concurrency", 32, "--timeout", "20s", "--max-body",
                          100_000, "--retries", 1, "--output", "out",
                          *[peer.url(f"/{name}") for name, peer in peers.items()])
        check_equal((ended.status, ended.summary["ok"]), (1, 0), ended.err, ended.out)
        for name, (_, step, words, again) in hostile.items():
            row = row_of(ended, peers[name].url(f"/{name}"))
            check_equal(row["step"], step, name, row)
            check(row["error"].startswith(step + ": ") and words in row["error"], name, row)
            check_equal(row["attempts"], 2 if again else 1, name, row)
            check_equal(len(peers[name].asked), row["attempts"], name, row)
            check("file" not in row, row)
    check_equal(files_in(bench.folder / "out"), {})


@case
def a_body_that_is_longer_than_was_told_ends_where_it_was_told(bench: Bench) -> None:
    with Peer(saying(answer(b"good") + b"and more")) as peer:
        ended = bench.run("--jsonl", "--output", "out", "--per-host", 1,
                          *[peer.url(f"/{number}") for number in range(5)])
    check_equal(ended.status, 0, ended.err)
    check_equal(set(files_in(bench.folder / "out").values()), {b"good"})
    check_equal(ended.summary["connections"]["opened"], 5)  # no such connection is used again


@case
def redirects_are_followed_but_not_for_ever(bench: Bench) -> None:
    def turn(connection: socket.socket, path: str) -> bool:
        number = int(path.rsplit("/", 1)[1])
        places = {"/loop": f"/loop/{number}", "/away": f"/away/{number + 1}",
                  "/few": f"/few/{number + 1}", "/tls": "https://127.0.0.1/",
                  "/bad": "http://", "/file": "file:///etc/passwd"}
        kind = "/" + path.split("/")[1]
        if kind == "/few" and number == 5:
            connection.sendall(answer(b"there"))
        else:
            connection.sendall(answer(b"", 301, f"Location: {places[kind]}\r\n"))
        return True

    with Peer(turn) as peer:
        kinds = ("loop", "away", "few", "tls", "bad", "file")
        ended = bench.run("--jsonl", *[peer.url(f"/{kind}/0") for kind in kinds])
        check_equal((ended.status, ended.summary["ok"]), (1, 1), ended.err, ended.out)
        for kind, words in [("loop", "too many redirects"), ("away", "too many redirects"),
                            ("tls", "https://"), ("bad", "not an http:// URL"),
                            ("file", "not an http:// URL")]:
            row = row_of(ended, peer.url(f"/{kind}/0"))
            check(words in row["error"] and row["attempts"] == 1, row)
        check_equal(row_of(ended, peer.url("/few/0"))["bytes"], 5)


@contextlib.contextmanager
def full_listener():
    """Takes no connection more: those that come wait for ever. Gives its port."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]


@case
def whatever_stalls_ends_with_its_attempt_s_time(bench: Bench) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

    def trickle(connection: socket.socket, _) -> bool:
        connection.sendall(head)
        for _ in range(1000):
            connection.sendall(b"x")
            time.sleep(0.02)
        return False

    stalls = {"head": saying(b"", stall=True), "half": saying(b"HTTP/1.1 200 O", stall=True),
              "body": saying(head + b"x", stall=True), "trickle": trickle,
              "slow": lambda connection, path: time.sleep(0.3) or pages(connection, path)}
    with contextlib.ExitStack() as stack:
        peers = {name: stack.enter_context(Peer(handler)) for name, handler in stalls.items()}
        urls = {name: peer.url(f"/{name}") for name, peer in peers.items()}
        urls["connect"] = f"http://127.0.0.1:{stack.enter_context(full_listener())}/connect"
        folder = memory_folder(bench)  # a disk that is busy would be slower than the limit
        stack.callback(shutil.rmtree, folder)
        began = time.monotonic()
        ended = bench.run("--jsonl", "--timeout", "700ms", "--retries", 1, "--output", folder,
                          *urls.values())
        wall = time.monotonic() - began
        check_equal((ended.status, ended.summary["ok"]), (1, 1), ended.err, ended.out)
        for name, step in [("head", "head"), ("half", "head"), ("body", "body"),
                           ("trickle", "body"), ("connect", "connect")]:
            row = row_of(ended, urls[name])
            check_equal((row["step"], row["attempts"]), (step, 2), row)
            check("time" in row["error"] and 1300 < row["ms"] < 8000, row)
        check(wall < 15, wall)
        check_equal(files_in(folder), {"000005-slow": page("/slow")})


@case
def a_page_that_breaks_off_once_is_begun_anew(bench: Bench) -> None:
    def flaky(connection: socket.socket, path: str) -> bool:
        whole = answer(page(path))
        if peer.asked.count(path) > 1:
            connection.sendall(whole)
            return True
        connection.sendall(whole[:len(whole) // 2])
        return False

    with Peer(flaky) as peer:
        ended = bench.run("--jsonl", "--output", "out",
                          *[peer.url(f"/{number}") for number in range(20)])
    check_equal((ended.status, ended.summary["ok"], ended.summary["retries"]), (0, 20, 20),
                ended.err)
    for row in rows(ended.out):
        check_equal((row["attempts"], row["bytes"]), (2, 20_000), row)
    check_equal(sorted(files_in(bench.folder / "out").values()),
                sorted(page(f"/{number}") for number in range(20)))


@case
def retry_after_is_honoured(bench: Bench) -> None:
    asked_at = []

    def busy(connection: socket.socket, path: str) -> bool:
        asked_at.append(time.monotonic())
        first = len(asked_at) == 1
        connection.sendall(answer(b"", 503, "Retry-After: 2\r\n") if first else answer(b"good"))
        return True

    with Peer(busy) as peer:
        ended = bench.run("--jsonl", peer.url())
    check_equal((ended.status, len(asked_at)), (0, 2), ended.err)
    check(asked_at[1] - asked_at[0] >= 2, "came back after", asked_at[1] - asked_at[0])


@case
def no_retries_means_one_attempt(bench: Bench) -> None:
    with Peer(saying(b"")) as peer:
        ended = bench.run("--jsonl", "--retries", 0, peer.url())
        check_equal((ended.status, rows(ended.out)[0]["attempts"], len(peer.asked)), (1, 1, 1))


# URLs and names.

@case
def bad_urls_are_failed_rows(bench: Bench) -> None:
    bad = {"https://127.0.0.1/": "https://", "nonsense": "not an http:// URL",
           "ftp://127.0.0.1/": "not an http:// URL", "http://": "not an http:// URL",
           "http:///path": "not an http:// URL", "http://127.0.0.1:99999/": "not an http:// URL",
           "http://127.0.0.1:x/": "not an http:// URL", "http://[::1/": "not an http:// URL",
           "http://user:secret@127.0.0.1/": "user", "http://127.0.0.1/a b": "not an http:// URL",
           "http://127.0.0.1/\u00e9": "not an http:// URL",
           "http://127.0.0.1/\x1b[31m": "not an http:// URL"}
    with Peer(pages) as peer:
        ended = bench.run("--jsonl", *bad, peer.url("/good"))
        check_equal((ended.status, ended.summary["failed"], ended.summary["ok"]),
                    (1, len(bad), 1), ended.err)
        for url, words in bad.items():
            row = row_of(ended, url)
            check(row["step"] == "url" and words in row["error"], row)
        ended = bench.run(*bad, peer.url("/good"))
        check_equal(ended.status, 1)
        check(not re.search(rb"[\0-\x09\x0b-\x1f\x7f]", ended.out), "control characters")
        head, *lines = ended.out.decode().splitlines()
        check_equal(head.split(), ["STATUS", "BYTES", "MS", "ATTEMPTS", "URL"])
        check_equal(len(lines), len(bad) + 1)
        good = [line.split() for line in lines if "/good" in line][0]
        check_equal((good[0], good[1], good[3], good[4]),
                    ("200", "20000", "1", peer.url("/good")))


@case
def a_list_has_comments_blank_lines_and_lines_that_are_too_long(bench: Bench) -> None:
    with Peer(pages) as peer:
        content = "\n".join(["# comment", "", "   ", peer.url("/1"), "\t" + peer.url("/2") + "  ",
                             "http://127.0.0.1/" + "x" * 3000, peer.url("/3") + "\r",
                             "http://127.0.0.1/" + "y" * 100_000, " # more", "\0",
                             peer.url("/" + "z" * 1500), peer.url("/4")])
        ended = bench.run("--jsonl", "--urls-from", bench.file("urls", content))
        check_equal((ended.status, ended.summary["ok"], ended.summary["failed"]), (1, 5, 3),
                    ended.err, ended.out)
        check_equal([row["line"] for row in rows(ended.out) if "line" in row], [6, 8])
        check("too long" in [row for row in rows(ended.out) if "line" in row][0]["error"])
        ended = bench.run("--urls-from", bench.file("urls", content))
        check(b" line 6: url: a URL is too long" in ended.out, ended.out)
        # Operands come first.
        ended = bench.run("--jsonl", "--concurrency", 1, "--urls-from", "-", peer.url("/a"),
                          peer.url("/b"), given=(peer.url("/c") + "\n").encode())
        check_equal([row["url"][-1] for row in rows(ended.out)], ["a", "b", "c"])
        check_equal(bench.run("--urls-from", "-", given=b"").status, 0)


@case
def a_list_that_cannot_be_read_is_1_and_the_operands_are_had(bench: Bench) -> None:
    with Peer(pages) as peer:
        for source, words in [("missing", "missing: No such file or directory"),
                              (bench.folder, "Is a directory"), ("x" * 300, "File name too long")]:
            ended = bench.run("--jsonl", "--urls-from", source, peer.url())
            check_equal((ended.status, ended.summary["ok"]), (1, 1), ended.err)
            check(words in ended.err, ended.err)
        ended = bench.shell('"$0" --jsonl --urls-from - "$1" <&-', peer.url())
        check_equal((ended.status, ended.summary["ok"]), (1, 1), ended.err)
        check("-: Bad file descriptor" in ended.err, ended.err)


def with_names(bench: Bench, hosts: str, resolv: str, *arguments) -> Ended:
    bench.file("hosts", hosts)
    bench.file("resolv.conf", resolv)
    return in_private_mounts(bench, """
        mount --bind hosts /etc/hosts
        mount --bind "$(readlink -f resolv.conf)" "$(readlink -f /etc/resolv.conf)"
        exec "$0" --jsonl "$@" """, *arguments)


@contextlib.contextmanager
def name_server(answers: bool):
    """On port 53 of an address of its own on the loopback; knows no name. Gives its address."""
    address = f"127.{random.randrange(1, 255)}.{random.randrange(255)}.{random.randrange(1, 255)}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind((address, 53))
        except OSError as why:
            raise Skipped(f"no port 53: {why}") from None

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    question, peer = server.recvfrom(4096)
                    if answers:  # NXDOMAIN
                        end = question.index(b"\0", 12) + 5
                        server.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6)
                                      + question[12:end], peer)

        in_background(serve)
        yield address


@case
def names_come_from_the_hosts_file_and_the_name_server(bench: Bench) -> None:
    with Peer(pages) as peer, name_server(True) as address:
        ended = with_names(bench, "127.0.0.1 board.test\n", f"nameserver {address}\n",
                           "--concurrency", 64, "--per-host", 16,
                           *[f"http://missing{number}.test/" for number in range(200)],
                           *[f"http://board.test:{peer.port}/{number}" for number in range(200)])
        check_equal((ended.status, ended.summary["ok"]), (1, 200), ended.err)
        for number in range(200):
            row = row_of(ended, f"http://missing{number}.test/")
            check_equal((row["step"], row["attempts"]), ("resolve", 1), row)
            check("no host of that name" in row["error"], row)


@case
def a_name_server_that_never_answers_ends_with_the_attempt_s_time(bench: Bench) -> None:
    with name_server(False) as address:
        began = time.monotonic()
        ended = with_names(bench, "", f"nameserver {address}\n", "--timeout", "500ms", "--retries",
                           1, *[f"http://name{number}.test/" for number in range(30)])
        wall = time.monotonic() - began
        check_equal((ended.status, ended.summary["failed"]), (1, 30), ended.err, ended.out)
        for row in rows(ended.out):
            check(row["attempts"] == 2 and row["step"] in ("resolve", "connect"), row)
            check("time" in row["error"], row)
        check(wall < 20, wall)


# Files.

@case
def folders_that_cannot_be_written_to_are_1_before_anything_is_asked(bench: Bench) -> None:
    with Peer(pages) as peer:
        bench.file("file", "")
        for folder, words in [("file", "file: Not a directory"), ("missing/out", "No such file"),
                              ("/dev/null", "Not a directory"),
                              ("/proc", "/proc: ")]:
            ended = bench.run("--output", folder, peer.url())
            check_equal((ended.status, ended.out), (1, b""), folder, ended.err)
            check(ended.err.startswith("fetch: ") and words in ended.err, ended.err)
        ended = in_private_mounts(bench, """
            mount -t tmpfs -o ro none disk
            exec "$0" --output disk "$1" """, peer.url())
        check_equal((ended.status, ended.out), (1, b""), ended.err)
        check("disk: Read-only file system" in ended.err, ended.err)
        check_equal(peer.asked, [])


@case
def a_full_disk_fails_the_pages_that_do_not_fit(bench: Bench) -> None:
    with Peer(pages) as peer:
        urls = [peer.url(f"/{number}") for number in range(30)]
        ended = in_private_mounts(bench, """
            mount -t tmpfs -o size=200k none disk
            status=0
            "$0" --jsonl --output disk "$@" >rows || status=$?
            cp -r disk kept
            cat rows
            exit $status""", *urls)
    check_equal(ended.status, 1, ended.err)
    kept = files_in(bench.folder / "kept")
    check(0 < ended.summary["ok"] < 30, ended.summary)
    check_equal(len(kept), ended.summary["ok"], sorted(kept))
    for row in rows(ended.out):
        if "file" in row:
            check_equal(kept[row["file"]], page("/" + row["url"].rsplit("/", 1)[1]))
        else:
            check_equal((row["error"], row["step"], row["attempts"]),
                        ("file: No space left on device", "file", 1), row)


@case
def a_second_run_replaces_the_files_of_the_first(bench: Bench) -> None:
    (bench.folder / "out").mkdir()
    bench.file("out/000001-x", "old")
    bench.file("out/other", "other")
    with Peer(pages) as peer:
        check_equal(bench.run("--output", "out/", peer.url("/x")).status, 0)
    check_equal(files_in(bench.folder / "out"), {"000001-x": page("/x"), "other": b"other"})


@case
def few_descriptors_are_clear_errors(bench: Bench) -> None:
    seen = {}
    with Peer(pages) as peer:
        urls = [peer.url(f"/{number}") for number in range(12)]
        for limit in (4, 5, 6, 7, 8, 9, 10, 14, 20, 40):
            ended = bench.run("--jsonl", "--retries", 0, "--output", f"out{limit}", *urls,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                                    (limit, limit)))
            check_few_descriptors(ended, ended.err + ended.out.decode())
            seen[limit] = ended.status
            folder = bench.folder / f"out{limit}"
            for name, content in files_in(folder).items() if folder.exists() else ():
                check_equal(content, page("/" + name.split("-")[1]), name)
    check(seen[4] != 0 and seen[40] == 0, seen)


# Signals.

def check_stopped(ended: Ended, folder: pathlib.Path, number: int) -> int:
    check_equal(ended.status, 128 + number, ended.err)
    said = re.search(r"^fetch: stopped; of the (\d+) URLs that were read, (\d+) are left undone$",
                     ended.err, re.M)
    check(said, "not said what is left undone:", ended.err)
    urls, undone = map(int, said.groups())
    summary = ended.summary
    check_equal((summary["urls"], summary["undone"]), (urls, undone))
    check_equal(summary["ok"] + summary["failed"] + undone, urls)
    found = rows(ended.out)
    check_equal(len(found), summary["ok"] + summary["failed"])
    kept = files_in(folder)
    for name, content in kept.items():
        check_equal(content, page("/" + name.split("-")[1]), "a partial file", name)
    for row in found:
        check(row["file"] in kept, row)
    return summary["ok"]


@case
def a_signal_in_the_middle_leaves_whole_files_and_the_rows_of_what_had_ended(
        bench: Bench) -> None:
    def slow(connection: socket.socket, path: str) -> bool:
        whole = answer(page(path))
        connection.sendall(whole[:9000])
        time.sleep(0.01)
        connection.sendall(whole[9000:])
        return True

    had = 0
    with Peer(slow) as peer:
        content = "".join(peer.url(f"/{number}") + "\n" for number in range(3000))
        listed = bench.file("urls", content)
        for turn in range(10):
            number = (signal.SIGTERM, signal.SIGINT)[turn % 2]
            folder = bench.folder / f"out{turn}"
            before = len(peer.asked)
            child = bench.start("--jsonl", "--output", folder, "--urls-from", listed)
            wait_until(lambda: len(peer.asked) > before + 10 * turn, "requests")
            child.send_signal(number)
            had += check_stopped(bench.finish(child), folder, number)
    check(had > 0, "nothing was had at all")


@case
def a_signal_while_everything_waits(bench: Bench) -> None:
    with Peer(saying(b"", stall=True)) as peer:
        child = bench.start("--jsonl", "--output", "out", "--urls-from", "-", peer.url("/1"),
                            peer.url("/2"), stdin=subprocess.PIPE)
        wait_until(lambda: len(peer.asked) == 2, "requests")
        child.send_signal(signal.SIGTERM)
        ended = bench.finish(child)
        check_equal((ended.status, ended.out), (143, b""), ended.err)
        check_equal((ended.summary["urls"], ended.summary["undone"]), (2, 2))
        check_equal(files_in(bench.folder / "out"), {})


@case
def a_signal_while_standard_output_is_stuck(bench: Bench) -> None:
    url = dead_url("/stuck/")
    listed = bench.file("urls", "".join(f"{url}{number}\n" for number in range(50_000)))
    child = bench.start("--jsonl", "--retries", 0, "--urls-from", listed)
    wait_until(lambda: unread(child.stdout) > 32_000, "the pipe to be full")
    time.sleep(0.2)
    check(child.poll() is None, "ended before its rows were taken")
    check_memory(bench, peak_kib(child))
    child.send_signal(signal.SIGTERM)
    time.sleep(0.05)
    check(child.poll() is None, "ended before its rows were taken")
    ended = bench.finish(child)  # takes them
    check_equal(ended.status, 143, ended.err)
    check_equal(len(rows(ended.out)), ended.summary["failed"])
    check(0 < ended.summary["undone"] < 200, ended.summary)


@case
def a_kill_leaves_no_partial_file_under_a_final_name(bench: Bench) -> None:
    def slow(connection: socket.socket, path: str) -> bool:
        whole = answer(page(path))
        connection.sendall(whole[:12_000])
        time.sleep(0.005)
        connection.sendall(whole[12_000:])
        return True

    temporaries = 0
    with Peer(slow) as peer:
        listed = bench.file("urls", "".join(peer.url(f"/{n}") + "\n" for n in range(2000)))
        for turn in range(8):
            folder = bench.folder / f"out{turn}"
            before = len(peer.asked)
            child = bench.start("--output", folder, "--urls-from", listed)
            wait_until(lambda: len(peer.asked) > before + 7 * turn + 4, "requests")
            child.kill()
            child.wait(LIMIT_S)
            for name, content in files_in(folder).items():
                if name.endswith(".tmp"):
                    temporaries += 1
                    continue
                check_equal(content, page("/" + name.split("-")[1]), "a partial file", name)
    check(temporaries > 0, "it was never killed in the middle of a file")


# Standard streams.

@case
def rows_come_as_urls_end(bench: Bench) -> None:
    with Peer(pages) as peer:
        for options in (["--jsonl"], []):
            child = bench.start(*options, "--urls-from", "-", stdin=subprocess.PIPE)
            if not options:
                check(b"STATUS" in child.stdout.readline(), "no head")
            for number in range(5):
                child.stdin.write((peer.url(f"/{number}") + "\n").encode())
                child.stdin.flush()
                check(select.select([child.stdout], [], [], LIMIT_S)[0], "no row")
                line = os.read(child.stdout.fileno(), 65_536)
                check(peer.url(f"/{number}").encode() in line and line.count(b"\n") == 1, line)
            child.stdin.close()
            child.stdin = None
            check_equal(bench.finish(child).status, 0)


@case
def busy_rows_share_writes(bench: Bench) -> None:
    url = dead_url("/x")
    listed = bench.file("urls", "".join(f"{url}{number}\n" for number in range(5000)))
    child = bench.start("--jsonl", "--retries", 0, "--concurrency", 64, "--per-host", 16,
                        "--urls-from", listed)
    pieces, lines = 0, 0
    while piece := os.read(child.stdout.fileno(), 65_536):
        pieces += 1
        lines += piece.count(b"\n")
    check_equal(lines, 5000)
    check(pieces < 2500, pieces, "pieces")
    child.stderr.read()
    check_equal(child.wait(LIMIT_S), 1)


@case
def head_ends_it_quietly(bench: Bench) -> None:
    with Peer(pages) as peer:
        for options, lines in ((["--jsonl"], 1), ([], 2)):
            child = bench.start(*options, "--urls-from", "-", stdin=subprocess.PIPE)

            def endless() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        child.stdin.write((peer.url("/x") + "\n").encode() * 100)

            feeder = in_background(endless)
            check(child.stdout.readline(), "no row")
            child.stdout.close()
            err = child.stderr.read().decode()
            check_equal(child.wait(LIMIT_S), 0, err)
            check_equal(len(err.splitlines()), lines, err)
            feeder.join(LIMIT_S)
            child.stdin = None


@case
def closed_streams(bench: Bench) -> None:
    with Peer(pages) as peer:
        urls = [peer.url(f"/{number}") for number in range(20)]
        ended = bench.shell('"$0" --jsonl "$@" 2>&-', *urls)
        check_equal((ended.status, len(rows(ended.out)), ended.err), (0, 20, ""))
        ended = bench.shell('"$0" --jsonl "$@" >&-', *urls)
        check_equal(ended.status, 1)
        check("standard output: Bad file descriptor" in ended.err, ended.err)
        ended = bench.shell('"$0" --jsonl "$@" >/dev/full', *urls)
        check_equal(ended.status, 1)
        check("standard output: No space left on device" in ended.err, ended.err)
        # No message may land in a file that got a stream's number.
        ended = bench.shell('"$0" --jsonl --output out "$@" <&- >&- 2>&-', *urls)
        check_equal(ended.status, 1)
        for name, content in files_in(bench.folder / "out").items():
            check_equal(content, page("/" + name.split("-")[1]), name)
        ended = bench.shell('"$0" --jsonl "$@" 2>/dev/full', *urls)
        check_equal((ended.status, len(rows(ended.out))), (0, 20))


@case
def progress_is_for_terminals(bench: Bench) -> None:
    leader, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with Peer(pages) as peer:
        # Rows on the same terminal: the line makes way for them.
        child = bench.start("--urls-from", "-", stdin=subprocess.PIPE, stdout=terminal,
                            stderr=terminal)
        os.close(terminal)
        child.stdin.write((peer.url("/1") + "\n" + dead_url("/2") + "\n").encode())
        child.stdin.flush()
        words = read_terminal(leader, child, lambda words: b"fetch: 2, 1 failed" in words
                              and words.endswith(b"\x1b[K"))
        check("\rfetch: 2, 1 failed" in words, repr(words))
        child.stdin.write((peer.url("/3") + "\n").encode())
        child.stdin.flush()
        words = read_terminal(leader, child, lambda words: b"fetch: 3" in words)
        check(re.search(r"\r\x1b\[K +200 .*/3\r\n", words), repr(words))
        child.stdin.close()
        words = read_terminal(leader, child, lambda words: False)
        os.close(leader)
        check("\r\x1b[Kfetch: 3 URLs" in words, repr(words))
        child.stdin = None
        check_equal(child.wait(LIMIT_S), 1)
        child = bench.start("--urls-from", "-", stdin=subprocess.PIPE)
        time.sleep(0.5)
        check("\r" not in bench.finish(child, peer.url().encode()).err, "progress in a file")


if __name__ == "__main__":
    sys.exit(main())
