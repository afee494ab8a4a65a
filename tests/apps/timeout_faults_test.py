#!/usr/bin/env python3
"""Runs the timeout app as users and adversaries do: wrong usage, endpoints that stall at each step,
break off or lie, few descriptors, signals, closed and slow streams, long runs.

One line a case; exit status 77 (skipped) where there is no io_uring.

Usage: timeout_faults_test.py TIMEOUT [CASE...]
"""

import collections
import contextlib
import json
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

from bench import (LIMIT_S, Bench, Ended, SerialLine, Skipped, case, check,
                   check_configuration_errors, check_equal, check_help_and_version,
                   check_needs_io_uring, check_usage_errors, in_background, in_private_mounts,
                   main, stop_by_second_signal, unread, wait_until)

# The limits leave time for a loaded, emulated machine: to answer, or to come to what stalls.
QUICK = ["--jsonl", "--step", "9s", "--retries", 0, "--interval", "10ms"]
STALLING = [*QUICK, "--step", "1s"]


# Peers on the loopback.

def answer(content: bytes = b"ok") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)


def hear(connection: socket.socket) -> bytes:
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        piece = connection.recv(4096)
        if not piece:
            break
        request += piece
    return request


class Peer:
    """Calls `serve(connection)` in a thread for each connection; then closes it."""

    def __init__(self, serve, family=socket.AF_INET, address=("127.0.0.1", 0)) -> None:
        self.serve, self.count = serve, 0
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(address)
        self.listener.listen(128)
        if family != socket.AF_UNIX:
            self.port = self.listener.getsockname()[1]
            self.url = f"http://127.0.0.1:{self.port}/"
        in_background(self.accept)

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            in_background(self.serve_one, connection)

    def serve_one(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.serve(connection)

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def speaks(content: bytes):
    return lambda connection: (hear(connection), connection.sendall(content))


def hangs_after(content: bytes):
    def serve(connection: socket.socket) -> None:
        hear(connection)
        connection.sendall(content)
        connection.recv(1)  # until the probe leaves

    return serve


def well_behaved() -> Peer:
    return Peer(speaks(answer()))


def dead_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def full_listener():
    """Gives the port of a listener that takes no more connections: a connect() gets no answer."""
    with socket.socket() as listener, contextlib.ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(2):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


# What was reported.

def rows(output: bytes, kind: str) -> list[dict]:
    lines = [json.loads(line) for line in output.splitlines()]
    return [line[kind] for line in lines if kind in line]


def reports(ended: Ended) -> dict[str, dict]:
    return {row["endpoint"]: row for row in rows(ended.out, "endpoint")}


def check_one_story(ended: Ended) -> None:
    """The rows of probes, those of endpoints and the summary say the same."""
    probes = rows(ended.out, "probe")
    for report in rows(ended.out, "endpoint"):
        own = [probe for probe in probes if probe["endpoint"] == report["endpoint"]]
        check_equal([probe["number"] for probe in own], list(range(1, len(own) + 1)))
        good = [probe for probe in own if probe["ok"]]
        check_equal((report["probes"], report["ok"]), (len(own), len(good)), report)
        failures = collections.Counter(probe["step"] for probe in own if not probe["ok"])
        check_equal(report["failures"], dict(failures), report)
        check_equal(report["availability"], len(good) / len(own) if own else None)
        times = sorted(probe["ms"] for probe in good)
        latency = report["latency_ms"]
        check_equal(latency["max"], times[-1] if times else None)
        for key, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            if not times:
                check_equal(latency[key], None)
                continue
            exact = times[max(0, -(-int(share * 100) * len(times) // 100) - 1)]
            check(exact <= latency[key] <= exact * 33 / 32 + 0.002, key, latency, exact)
    summary = ended.summary
    ok = sum(probe["ok"] for probe in probes)
    check_equal((summary["probes"], summary["ok"], summary["failed"]),
                (len(probes), ok, len(probes) - ok), ended.err)


def check_report(ended: Ended, endpoint: str, probes: int, step: str | None) -> dict:
    report = reports(ended)[endpoint]
    check_equal(report["probes"], probes, report)
    check_equal(report["ok"], 0 if step else probes, report)
    check_equal(set(report["failures"]) - {"breaker"}, {step} if step else set(), report)
    return report


# Usage and configuration.

@case
def wrong_usage_is_2_with_one_line(bench: Bench) -> None:
    check_usage_errors(bench, "timeout", [
        ([], "needs an ENDPOINT"),
        (["--nonsense", "unix:a"], "unknown option '--nonsense'"),
        (["--step", "0ms", "unix:a"], "--step"),
        (["--step", "2", "unix:a"], "--step: '2' has no unit"),
        (["--step", "2h", "unix:a"], "--step"),
        (["--deadline", "25h", "unix:a"], "--deadline"),
        (["--deadline", "-1s", "unix:a"], "--deadline"),
        (["--retries", "101", "unix:a"], "--retries"),
        (["--interval", "0s", "unix:a"], "--interval"),
        (["--count", "-1", "unix:a"], "--count"),
        (["--count", "1000000001", "unix:a"], "--count"),
        (["--breaker-failures", "0", "unix:a"], "--breaker-failures"),
        (["--breaker-open", "0s", "unix:a"], "--breaker-open"),
        (["--config=", "unix:a"], "--config"),
        (["https://example.org/"], "https:// cannot be probed"),
        (["unix:a", "example.org"], "'example.org': is no endpoint"),
        (["tcp://127.0.0.1"], "needs a host and a port"),
        (["tcp://127.0.0.1:99999"], "1 to 65535"),
        (["http://a b/"], "not an http:// URL"),
        (["unix:"], "needs a path"),
        (["unix:" + "x" * 108], "1 to 107 bytes"),
        (["http://127.0.0.1/" + "x" * 1024], "at most 1024 bytes"),
        (["serial:/dev/ttyS0"], "needs a request"),
        (["serial:/dev/ttyS0,9N1,send=x"], "written as in 115200,8N1"),
        (["serial:tty,send=\\q"], "with \\r \\n \\t \\\\ \\xHH as in C"),
        (["serial:tty,send=" + "x" * 128], "at most 128 bytes"),
        (["serial:tty,send=a", "unix:a", "serial:tty,9600,send=b"], "another endpoint's, too"),
        (["unix:a"] * 65, "at most 64"),
        (["\x1b[31mb\nerror: forged"], "b?error: forged"),
    ])


@case
def wrong_configuration_is_2_with_its_place(bench: Bench) -> None:
    check_configuration_errors(bench, "timeout", "unix:a", [
        ('{\n  "count": 4,\n  "step" "1s"\n}', "line 3, column 10: expected ':'"),
        ("[]", "top level: expected an object"),
        ('{"cuont": 5}', "/cuont: unknown key"),
        ('{"step": 2}', "/step: a duration is a string with a unit"),
        ('{"step": "2 parsec"}', "/step"),
        ('{"count": "many"}', "/count: expected a number"),
        ('{"count": -1}', "/count"),
        ('{"jsonl": 1}', "/jsonl: expected"),
    ])


@case
def the_command_line_comes_before_the_configuration(bench: Bench) -> None:
    config = bench.file("config.json", json.dumps(
        {"count": 3, "jsonl": True, "interval": "5ms", "retries": 2, "breaker-failures": 9}))
    ended = bench.run("--config", config, "unix:missing")
    check_equal([row["attempts"] for row in rows(ended.out, "probe")], [3, 3, 3], ended.err)
    ended = bench.run("--config", config, "--count", 2, "--retries", 0, "unix:missing")
    check_equal([row["attempts"] for row in rows(ended.out, "probe")], [1, 1], ended.err)


@case
def help_and_version_go_to_standard_output(bench: Bench) -> None:
    check_help_and_version(bench, "timeout", [
        "--step", "--deadline", "--retries", "--interval", "--count", "--jsonl",
        "--breaker-failures", "--breaker-open", "--config", "ENDPOINT", "unix:PATH",
        "send=REQUEST", "130, 143"])


@case
def without_io_uring_it_is_69(bench: Bench) -> None:
    check_needs_io_uring(bench, "unix:a")


# Endpoints that live.

@case
def every_kind_of_endpoint_is_probed(bench: Bench) -> None:
    path = bench.folder / "service"
    with (well_behaved() as tcp, well_behaved() as http,
          Peer(lambda connection: None, socket.AF_UNIX, str(path)) as local):
        endpoints = [f"tcp://127.0.0.1:{tcp.port}", f"tcp://localhost:{tcp.port}", http.url,
                     f"http://localhost:{http.port}/a?b#c", f"unix:{path}", "unix:service"]
        ended = bench.run(*QUICK, "--count", 5, *endpoints)
        check_equal(ended.status, 0, ended.out.decode(), ended.err)
        check_one_story(ended)
        for endpoint in endpoints:
            report = check_report(ended, endpoint, 5, None)
            check_equal((report["breaker"], report["last_error"]), ("closed", None))
        # Each probe makes its own connection.
        wait_until(lambda: (tcp.count, http.count, local.count) == (10, 10, 10), "all connections")


@case
def devices_on_serial_lines_are_probed(bench: Bench) -> None:
    with SerialLine() as line:
        before = line.attributes()
        endpoint = f"serial:{line.path},19200,8N1,send=T?\\r"
        child = bench.start(*QUICK, "--count", 3, endpoint)
        for _ in range(3):
            check_equal(line.request(), b"T?\r")
            line.send(b"21.5\r\n")
        ended = bench.finish(child)
        check_equal(ended.status, 0, ended.out.decode(), ended.err)
        check_report(ended, endpoint, 3, None)
        check_equal(line.attributes(), before)


@case
def a_late_answer_is_not_taken_for_the_next(bench: Bench) -> None:
    with SerialLine() as line:
        endpoint = f"serial:{line.path},send=PING"
        child = bench.start(*STALLING, "--interval", "3s", "--count", 2, endpoint)
        check_equal(line.request(), b"PING\n")
        row = json.loads(child.stdout.readline())["probe"]
        check_equal((row["ok"], row["step"]), (False, "answer"), row)
        line.send(b"late\n")
        check_equal(line.request(), b"PING\n")
        ended = bench.finish(child)
        check_equal(ended.status, 1, ended.err)
        check_equal(ended.summary["ok"], 0, ended.out.decode())


@case
def a_serial_line_that_is_unplugged_is_opened_again(bench: Bench) -> None:
    name = bench.folder / "line"
    endpoint = f"serial:{name},send=PING"
    with SerialLine() as first, SerialLine() as second:
        name.symlink_to(first.path)
        child = bench.start(*QUICK, "--step", "5s", "--breaker-failures", 1000, "--count", 0,
                            endpoint)
        check_equal(first.request(), b"PING\n")
        first.send(b"one\n")
        check_equal(first.request(), b"PING\n")
        name.unlink()
        first.hang_up()
        name.symlink_to(second.path)
        check_equal(second.request(), b"PING\n")
        second.send(b"two\n")
        check_equal(second.request(), b"PING\n")
        child.send_signal(signal.SIGTERM)
        ended = bench.finish(child)
    check_equal(ended.status, 143, ended.err)
    check_equal(ended.summary["ok"], 2, ended.out.decode())
    check("Input/output error" in ended.out.decode(), ended.out.decode())


@case
def servers_that_are_not_ours_are_probed(bench: Bench) -> None:
    if shutil.which("socat") is None:
        raise Skipped("there is no socat")
    port, path = dead_port(), bench.folder / "service"
    page = bench.file("page", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    listeners = [
        # It reads the request first: a server that closes over unread bytes resets.
        subprocess.Popen(["socat", address, f"SYSTEM:read line; cat {page}"], cwd=bench.folder,
                         stderr=subprocess.DEVNULL)
        for address in (f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr",
                        f"UNIX-LISTEN:{path},fork")]
    bench.children += listeners
    wait_until(lambda: path.exists() and answers_at(port), "socat")
    endpoints = [f"tcp://127.0.0.1:{port}", f"http://127.0.0.1:{port}/", f"unix:{path}"]
    ended = bench.run("--jsonl", "--retries", 3, "--interval", "20ms", "--count", 3, *endpoints)
    check_equal(ended.status, 0, ended.out.decode(), ended.err)
    for endpoint in endpoints:
        check_report(ended, endpoint, 3, None)


def answers_at(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), LIMIT_S):
        return True
    return False


@case
def ipv6_is_probed(bench: Bench) -> None:
    if not pathlib.Path("/proc/net/if_inet6").exists():
        raise Skipped("no IPv6")
    with Peer(speaks(answer()), socket.AF_INET6, ("::1", 0)) as peer:
        ended = bench.run(*QUICK, "--count", 2, f"tcp://[::1]:{peer.port}",
                          f"http://[::1]:{peer.port}/", f"tcp://localhost:{peer.port}")
    check_equal(ended.status, 0, ended.out.decode())


@case
def bodies_of_every_kind_are_read_to_their_end(bench: Bench) -> None:
    content = os.urandom(300_000)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece)
                      for piece in (content[at:at + 7777] for at in range(0, 300_000, 7777)))
    for head, body in [(b"Content-Length: 300000", content), (b"Content-Length: 0", b""),
                       (b"Transfer-Encoding: chunked", chunks + b"0\r\n\r\n"),
                       (b"Connection: close", content)]:
        with Peer(speaks(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body)) as peer:
            ended = bench.run(*QUICK, "--count", 2, peer.url)
            check_equal(ended.status, 0, head, ended.out.decode())


@case
def the_table_is_for_people(bench: Bench) -> None:
    with well_behaved() as peer:
        ended = bench.run("--interval", "5ms", "--count", 4, "--retries", 0, peer.url, "unix:none")
    head, good, bad = ended.out.decode().splitlines()
    check_equal(head.split(), ["ENDPOINT", "AVAIL%", "PROBES", "P50", "P90", "P99", "MAX",
                               "FAILED-AT", "BREAKER"])
    check_equal(good.split()[:3] + good.split()[-2:], [peer.url, "100.0", "4", "-", "closed"])
    check_equal(bad.split(), ["unix:none", "0.0", "4", "-", "-", "-", "-", "connect", "4",
                              "closed"])
    check(re.search(r"timeout: unix:none: probe 1 failed at connect: No such file", ended.err),
          ended.err)
    check(re.search(r"^timeout: 2 endpoints, 8 probes \(4 ok, 4 failed\) in [\d.]+ s$", ended.err,
                    re.M), ended.err)


@case
def sixty_four_endpoints_at_once(bench: Bench) -> None:
    with well_behaved() as peer:
        endpoints = [f"http://localhost:{peer.port}/{number}" for number in range(64)]
        ended = bench.run("--jsonl", "--interval", "100ms", "--count", 10, *endpoints)
        check_equal(ended.status, 0, ended.err[-600:], ended.out.decode()[-600:])
        check_one_story(ended)
        # They are spread over the interval, and all keep to their rhythm.
        check(0.9 < ended.summary["seconds"] < 5, ended.summary)
    # All of them hang: no bound of ours may be reached.
    with Peer(hangs_after(b"")) as peer:
        endpoints = [f"http://localhost:{peer.port}/{number}" for number in range(64)]
        ended = bench.run(*STALLING, "--count", 2, *endpoints)
        for endpoint in endpoints:
            check_report(ended, endpoint, 2, "head")


# Endpoints that fail.

@case
def each_step_has_its_limit(bench: Bench) -> None:
    plain = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    with (Peer(hangs_after(b"")) as head, Peer(hangs_after(plain[:20])) as half_head,
          Peer(hangs_after(plain)) as body, Peer(hangs_after(plain + b"12345")) as half_body,
          full_listener() as full):
        expected = {head.url: "head", half_head.url: "head", body.url: "body",
                    half_body.url: "body", f"tcp://127.0.0.1:{full}": "connect",
                    f"http://127.0.0.1:{full}/": "connect"}
        ended = bench.run(*STALLING, "--count", 3, *expected)
    check_equal(ended.status, 1)
    check_one_story(ended)
    for endpoint, step in expected.items():
        check_report(ended, endpoint, 3, step)
    for row in rows(ended.out, "probe"):
        check(1000 <= row["ms"] < 5000, row)


@case
def looking_up_a_name_has_its_limit(bench: Bench) -> None:
    if os.geteuid() != 0:
        raise Skipped("needs root for port 53 and a resolv.conf")
    endpoints = [pattern % number for number in range(32)
                 for pattern in ("tcp://device%d.example:80", "http://device%d.example/")]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        try:
            silent.bind(("127.0.0.153", 53))
        except OSError as why:
            raise Skipped(f"no port 53: {why}") from None
        bench.file("resolv.conf", "nameserver 127.0.0.153\n")
        ended = in_private_mounts(bench, """
            mount --bind resolv.conf /etc/resolv.conf
            exec "$0" "$@" """, *map(str, STALLING), "--count", "2", *endpoints)
    check_equal(ended.status, 1, ended.err)
    for endpoint in endpoints:  # none of them is held up by a bound of ours
        report = check_report(ended, endpoint, 2, "resolve")
        check_equal(report["last_error"], "the time limit has passed")
    for row in rows(ended.out, "probe"):
        check(1000 <= row["ms"] < 5000, row)


@case
def who_is_not_there_is_told_at_once(bench: Bench) -> None:
    port = dead_port()
    bench.file("file", "")
    expected = {f"tcp://127.0.0.1:{port}": ("connect", "Connection refused"),
                f"http://127.0.0.1:{port}/": ("connect", "Connection refused"),
                f"tcp://localhost:{port}": ("connect", "Connection refused"),
                "unix:missing": ("connect", "No such file or directory"),
                "unix:file": ("connect", "Connection refused"),
                "tcp://ringlet.invalid:80": ("resolve", None)}
    ended = bench.run(*QUICK, "--count", 3, *expected)
    check_equal(ended.status, 1)
    check_one_story(ended)
    for endpoint, (step, words) in expected.items():
        report = check_report(ended, endpoint, 3, step)
        check(words is None or report["last_error"] == words, report)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@case
def servers_that_break_off_or_lie(bench: Bench) -> None:
    def resets_in_the_head(connection: socket.socket) -> None:
        hear(connection)
        reset(connection)

    def resets_in_the_body(connection: socket.socket) -> None:
        hear(connection)
        connection.sendall(answer(b"x" * 100)[:-50])
        time.sleep(0.02)  # what was sent shall be read first
        reset(connection)

    def endless(piece: bytes, begin: bytes):
        def serve(connection: socket.socket) -> None:
            hear(connection)
            connection.sendall(begin)
            while True:
                connection.sendall(piece)

        return serve

    def drips(connection: socket.socket) -> None:
        hear(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)

    servers = [
        (speaks(b""), "head"), (speaks(b"SSH-2.0-OpenSSH_9.2\r\n"), "head"),
        (speaks(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), "head"),
        (speaks(b"HTTP/2.0 200\r\n\r\n"), "head"), (resets_in_the_head, "head"),
        (endless(b"X-A: " + b"b" * 1000 + b"\r\n", b"HTTP/1.1 200 OK\r\n"), "head"),
        (resets_in_the_body, "body"), (speaks(answer(b"x" * 100)[:-50]), "body"),
        (speaks(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "body"),
        (endless(b"x" * 65536, b"HTTP/1.1 200 OK\r\n\r\n"), "body"),  # the step's limit
        (endless(b"1\r\nx\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), "body"),
        (drips, "body"),
        (speaks(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"), "status"),
        (speaks(b"HTTP/1.1 503 Busy\r\n\r\n"), "status"),
        (speaks(b"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), None),
        (speaks(b"HTTP/1.1 204 Nothing\r\n\r\n"), None)]
    with contextlib.ExitStack() as stack:
        peers = [(stack.enter_context(Peer(serve)), step) for serve, step in servers]
        ended = bench.run(*STALLING, "--count", 3, *(peer.url for peer, _ in peers))
        check_equal(ended.status, 1)
        check_one_story(ended)
        for peer, step in peers:
            check_report(ended, peer.url, 3, step)


@case
def a_probe_ends_at_its_deadline(bench: Bench) -> None:
    with Peer(hangs_after(b"")) as peer:
        ended = bench.run("--jsonl", "--step", "300ms", "--deadline", "800ms", "--retries", 50,
                          "--count", 1, peer.url)
    (row,) = rows(ended.out, "probe")
    check_equal((row["step"], row["attempts"]), ("head", 2))  # 300, a pause of 100, 300; no more
    check(0.7 <= ended.summary["seconds"] < 2, ended.summary)


@case
def retries_make_good(bench: Bench) -> None:
    seen = collections.Counter()

    def fails_first(connection: socket.socket) -> None:
        request = hear(connection)
        seen["all"] += 1
        if seen["all"] % 2:
            return
        connection.sendall(answer(request))

    with Peer(fails_first) as peer:
        ended = bench.run("--jsonl", "--interval", "5ms", "--count", 4, "--retries", 1, peer.url)
    check_equal(ended.status, 0, ended.err)
    check_equal([row["attempts"] for row in rows(ended.out, "probe")], [2] * 4)
    check(all(row["ms"] < 100 for row in rows(ended.out, "probe")), "a pause was measured")


@case
def the_breaker_spares_the_dead_and_finds_the_risen(bench: Bench) -> None:
    state = {"alive": False}

    def serve(connection: socket.socket) -> None:
        hear(connection)
        connection.sendall(answer() if state["alive"] else b"HTTP/1.1 500 No\r\n\r\n")

    with Peer(serve) as peer:
        child = bench.start(*QUICK, "--count", 0, "--breaker-failures", 3, "--breaker-open",
                            "100ms", peer.url)
        for line in child.stdout:
            row = json.loads(line)["probe"]
            if row["number"] == 30:
                state["alive"] = True
            if row["ok"]:
                break
            check(row["number"] < 10_000, "it never found out")
        child.send_signal(signal.SIGINT)
        rest = child.stdout.read()
        child.stderr.read()
        check_equal(child.wait(LIMIT_S), 130)
        (report,) = rows(rest, "endpoint")
        check(report["failures"]["breaker"] > report["failures"]["status"] >= 3, report)
        check_equal(report["breaker"], "closed")


@case
def long_probes_skip_ticks(bench: Bench) -> None:
    def slow(connection: socket.socket) -> None:
        hear(connection)
        time.sleep(0.1)
        connection.sendall(answer())

    with Peer(slow) as peer:
        began = time.monotonic()
        ended = bench.run("--jsonl", "--interval", "1ms", "--count", 5, peer.url)
        check(time.monotonic() - began >= 0.5, "side by side")
    check_equal(ended.status, 0)
    check_equal(peer.count, 5)


# Bounds.

@case
def few_descriptors_are_failed_probes(bench: Bench) -> None:
    def serve(connection: socket.socket) -> None:
        hear(connection)
        time.sleep(0.2)  # so that all connections are open at once
        connection.sendall(answer())

    seen = collections.Counter()
    with Peer(serve) as peer:
        for limit in range(4, 20):
            ended = bench.run("--jsonl", "--retries", 0, "--interval", "5ms", "--count", 2,
                              f"tcp://127.0.0.1:{peer.port}",
                              *(f"{peer.url}{number}" for number in range(7)),
                              preexec_fn=lambda:
                              resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
            if ended.status == 69:  # not enough for the ring itself
                continue
            check(ended.status in (0, 1), limit, ended.status, ended.err)
            check_one_story(ended)
            check(ended.status == 0 or "Too many open files" in ended.err, limit, ended.err)
            seen[ended.status] += 1
    check(seen[0] and seen[1], seen)


@case
def long_runs_take_no_memory(bench: Bench) -> None:
    with well_behaved() as peer, Peer(lambda connection: None) as closes:
        endpoints = [peer.url, f"tcp://127.0.0.1:{peer.port}", closes.url,
                     f"http://localhost:{peer.port}/", f"tcp://127.0.0.1:{dead_port()}",
                     "unix:missing"]
        child = bench.start("--jsonl", "--interval", "1ms", "--count", 0, "--retries", 0,
                            "--breaker-open", "1ms", *endpoints, stderr=subprocess.DEVNULL)
        memory = []
        for number, line in enumerate(child.stdout):
            check("probe" in json.loads(line), line)
            if number in (3000, 20_000):
                sums = pathlib.Path(f"/proc/{child.pid}/smaps_rollup").read_text()
                memory.append(int(re.search(r"^Anonymous:\s+(\d+) kB$", sums, re.M)[1]))
            if number == 20_000:
                break
        child.send_signal(signal.SIGTERM)
        child.stdout.read()
        check_equal(child.wait(LIMIT_S), 143)
    check(memory[1] <= memory[0] + 256, memory)
    print(f"    Anonymous: {memory[0]} KiB after 3,000 probes, {memory[1]} KiB after 20,000")


# Signals.

@case
def a_signal_in_the_middle_writes_the_report(bench: Bench) -> None:
    with well_behaved() as peer, Peer(hangs_after(b"")) as stuck:
        for turn in range(8):
            number = (signal.SIGTERM, signal.SIGINT)[turn % 2]
            child = bench.start(*QUICK, "--step", "30s", "--count", 0, peer.url, stuck.url,
                                "unix:missing", bufsize=0)  # finish() sees no buffer
            lines = [child.stdout.readline() for _ in range(turn * 5 + 1)]
            child.send_signal(number)
            ended = bench.finish(child)
            ended.out = b"".join(lines) + ended.out
            check_equal(ended.status, 128 + number, ended.err)
            check_one_story(ended)
            check_equal(len(reports(ended)), 3)
            check_equal(reports(ended)[stuck.url]["probes"], 0)  # under way: does not count
            check("timeout: stopped; probes that were under way do not count" in ended.err,
                  ended.err)
        child = bench.start("--count", 0, "--interval", "10ms", peer.url)
        count = peer.count
        wait_until(lambda: peer.count > count + 5, "some probes")
        check_equal(unread(child.stdout), 0)  # the table is the end's
        child.send_signal(signal.SIGTERM)
        ended = bench.finish(child)
        check_equal(ended.status, 143, ended.err)
        check_equal(ended.out.decode().splitlines()[1].split()[:2], [peer.url, "100.0"])


@case
def a_signal_while_standard_output_is_stuck(bench: Bench) -> None:
    arguments = [*QUICK, "--interval", "1ms", "--count", 0, "unix:missing"]
    child = bench.start(*arguments, stderr=subprocess.DEVNULL)
    wait_until(lambda: unread(child.stdout) > 60_000, "the pipe to be full")
    time.sleep(0.3)
    child.send_signal(signal.SIGTERM)
    time.sleep(0.05)
    check(child.poll() is None, "ended before its rows were taken")
    out = child.stdout.read()
    check_equal(child.wait(LIMIT_S), 143)
    (report,) = rows(out, "endpoint")
    check_equal(report["probes"], len(rows(out, "probe")))
    # A second signal does not wait.
    child = bench.start(*arguments)
    in_background(child.stderr.read)
    wait_until(lambda: unread(child.stdout) > 60_000, "the pipe to be full")
    stop_by_second_signal(child)


@case
def the_await_tree_can_be_asked_for(bench: Bench) -> None:
    with Peer(hangs_after(b"")) as peer:
        child = bench.start("--step", "30s", "--count", 1, peer.url)
        wait_until(lambda: peer.count == 1, "the probe")
        child.send_signal(signal.SIGUSR1)
        words = b""
        while b"endpoint" not in words:
            check(select.select([child.stderr], [], [], LIMIT_S)[0], "no await tree:", words)
            words += os.read(child.stderr.fileno(), 65_536)
        child.send_signal(signal.SIGTERM)
        check_equal(bench.finish(child).status, 143)


# Standard streams.

@case
def head_ends_it_quietly(bench: Bench) -> None:
    with well_behaved() as peer:
        child = bench.start(*QUICK, "--count", 0, peer.url)
        check(child.stdout.readline(), "no row")
        child.stdout.close()
        err = child.stderr.read().decode()
        check_equal(child.wait(LIMIT_S), 0, err)
        check_equal(len(err.splitlines()), 1, err)
        check("summary" in err, err)


@case
def closed_and_full_streams(bench: Bench) -> None:
    with well_behaved() as peer:
        for options in ("--jsonl", ""):
            arguments = f'{options} --count 3 --interval 5ms {peer.url}'
            ended = bench.shell(f'"$0" {arguments} >&-')
            check_equal(ended.status, 1)
            check("timeout: standard output: Bad file descriptor" in ended.err, ended.err)
            ended = bench.shell(f'"$0" {arguments} >/dev/full')
            check_equal(ended.status, 1)
            check("timeout: standard output: No space left on device" in ended.err, ended.err)
            ended = bench.shell(f'"$0" {arguments} 2>&-')
            check_equal((ended.status, ended.err), (0, ""))
            check(ended.out, "no report")
            ended = bench.shell(f'"$0" {arguments} unix:none 2>/dev/full')
            check_equal(ended.status, 1)
            check(ended.out, "no report")
            # No message may land in a connection that got a stream's number.
            ended = bench.shell(f'"$0" {arguments} unix:none <&- >&- 2>&-')
            check_equal(ended.status, 1)


@case
def standard_error_that_nobody_reads_any_more(bench: Bench) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    ended = bench.run(*QUICK, "--count", 30, "unix:missing", stderr=write_end)
    os.close(write_end)
    check_equal((ended.status, len(rows(ended.out, "probe"))), (1, 30))


@case
def failures_do_not_flood_standard_error(bench: Bench) -> None:
    ended = bench.run(*QUICK, "--interval", "1ms", "--count", 1000, "--breaker-failures", 1000,
                      *["unix:missing"] * 4)
    check_equal(ended.summary["failed"], 4000)
    said = ended.err.count(": probe ")
    left_out = sum(map(int, re.findall(r"timeout: (\d+) more probes failed", ended.err)))
    check_equal(said + left_out, 4000, ended.err)
    check(said <= 8 * (ended.summary["seconds"] + 1), said)


if __name__ == "__main__":
    sys.exit(main())
