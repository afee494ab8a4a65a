#!/usr/bin/env python3
"""The resolver against a real server: dnsmasq, on a free port of the loopback interface.

Usage: real_server_test.py RESOLVE_HELPER
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

SKIP = 77
MANY = 40  # more than 512 bytes

RECORDS = [
    "--host-record=host.test,192.0.2.1,2001:db8::1",
    "--host-record=four.test,192.0.2.4",
    "--address=/under.test/192.0.2.9",
    "--cname=alias.test,host.test",
    *[f"--host-record=many.test,10.0.0.{i}" for i in range(1, MANY + 1)],
    "--local=/test/",  # what is not here does not exist
    "--local-ttl=60",
]


def find_dnsmasq() -> str | None:
    return shutil.which("dnsmasq", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def free_port() -> int:
    """A port that is free for UDP and TCP now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                udp.bind(tcp.getsockname())
                return tcp.getsockname()[1]


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def server(program: str):
    """Starts dnsmasq and gives its port; another port if somebody else was quicker."""
    for _ in range(5):
        port = free_port()
        process = subprocess.Popen(
            [program, "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
             "--no-poll", "--pid-file=", "--bind-interfaces", "--interface=lo",
             "--listen-address=127.0.0.1", f"--port={port}", *RECORDS],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            deadline = time.monotonic() + 10
            while process.poll() is None and time.monotonic() < deadline:
                if accepts(port):
                    yield port
                    return
                time.sleep(0.02)
        finally:
            process.kill()
            words = process.communicate()[1]
        print(f"dnsmasq did not start: {words}")
    print("dnsmasq does not start here")
    sys.exit(SKIP)


class Resolve:
    def __init__(self, helper: pathlib.Path, port: int):
        self.helper, self.port, self.failures = helper, port, 0

    def __call__(self, *words: str) -> str:
        done = subprocess.run([self.helper, str(self.port), *words], capture_output=True, text=True,
                              timeout=60)
        if done.returncode == 69:  # no io_uring
            print(done.stderr)
            sys.exit(SKIP)
        return done.stderr

    def expect(self, words: list[str], pattern: str) -> None:
        output = self(*words)
        if not re.search(pattern, output, re.S):
            self.failures += 1
            print(f"{' '.join(words)}: expected {pattern!r}, got:\n{output}")


def main() -> int:
    program = find_dnsmasq()
    if program is None:
        print("there is no dnsmasq (package dnsmasq-base)")
        return SKIP
    with server(program) as port:
        resolve = Resolve(pathlib.Path(sys.argv[1]), port)
        resolve.expect(["host.test"], r"info: \[2001:db8::1\]:0\ninfo: 192\.0\.2\.1:0\n"
                                      r"info: 2 addresses, 2 questions\n")
        resolve.expect(["host.test", "4"], r"^info: 192\.0\.2\.1:0\n.*1 addresses, 1 questions\n")
        resolve.expect(["host.test", "6"], r"^info: \[2001:db8::1\]:0\n.*1 addresses, 1 questions")
        resolve.expect(["HOST.Test."], r"2 addresses, 2 questions")
        resolve.expect(["any.under.test", "4"], r"^info: 192\.0\.2\.9:0\n")
        resolve.expect(["alias.test"], r"info: \[2001:db8::1\]:0\ninfo: 192\.0\.2\.1:0\n")
        resolve.expect(["four.test", "6"], r"the host has no address of the wanted kind")
        resolve.expect(["four.test"], r"^info: 192\.0\.2\.4:0\n")
        resolve.expect(["nobody.test"], r"there is no host of that name")
        # No server to ask is behind this one, so it refuses.
        resolve.expect(["host.example"], r"the DNS server refused to answer")
        # More than a datagram of 512 bytes holds: over TCP, and cut to addresses_max.
        resolve.expect(["many.test", "4"], r"^(info: 10\.0\.0\.\d+:0\n){16}"
                                           r"info: 16 addresses, 1 questions\n$")
        print(f"{resolve.failures} failures")
        return 1 if resolve.failures else 0


sys.exit(main())
