"""The station on a serial line, its server away for a while, and killed in the middle of it: what
was kept comes to the server nevertheless."""

import contextlib
import functools
import http.server
import json
import operator
import os
import pathlib
import subprocess
import threading
import time
import tty

from common import ROOT, check

PROGRAM = ROOT / "build/release/apps/station/station"
WINDOW_S = 0.2
TIME_MAX_S = 60


class Server:
    """Takes batches; away, it breaks off instead."""

    def __init__(self):
        self.batches = {}
        self.is_away = False
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"]))
                if owner.is_away:
                    self.close_connection = True
                    return
                batch = json.loads(text)
                check(owner.batches.setdefault(batch["sequence"], text) == text,
                      f"batch {batch['sequence']} came again, and is another one")
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def values(self) -> int:
        channels = [json.loads(text)["channels"] for text in self.batches.values()]
        return sum(each["humidity"]["count"] for each in channels if "humidity" in each)


@contextlib.contextmanager
def station_of(folder: pathlib.Path):
    with (folder / "station.log").open("ab") as log:
        station = subprocess.Popen([PROGRAM, f"--config={folder}/station.json"], stderr=log)
    try:
        yield station
    finally:
        station.kill()
        station.wait()


def wait_until(is_so, what: str) -> None:
    end = time.monotonic() + TIME_MAX_S
    while not is_so():
        check(time.monotonic() < end, f"in {TIME_MAX_S} s not {what}")
        time.sleep(0.05)


def demonstrate(folder: pathlib.Path) -> None:
    server = Server()
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    (folder / "board.json").write_text(json.dumps({
        "name": "demo", "buses": {"serial": {"kind": "uart", "device": os.ttyname(theirs)}}}))
    (folder / "station.json").write_text(json.dumps({
        "url": f"http://127.0.0.1:{server.listener.server_port}/batches",
        "board": f"{folder}/board.json", "serial": "serial", "window": f"{int(WINDOW_S * 1000)}ms",
        "store": f"{folder}/store", "retry-max": "1s"}))
    sent = 0

    def speak(lines: int) -> None:
        nonlocal sent
        for _ in range(lines):
            line = b"humidity=%d.5" % (sent % 80)
            checksum = functools.reduce(operator.xor, line)  # without it the first is not taken
            os.write(ours, b"%b*%02X\r\n" % (line, checksum))
            sent += 1
            time.sleep(0.01)
        # What is killed loses the window that is open; so let it close.
        time.sleep(3 * WINDOW_S)

    with station_of(folder):
        speak(100)
        wait_until(lambda: server.values() == sent, "had all values")
        server.is_away = True
        before = len(server.batches)
        speak(100)
    # Killed.
    check(len(server.batches) == before, "a server that was away has batches")
    server.is_away = False
    with station_of(folder) as station:
        wait_until(lambda: server.values() == sent, "had all values")
        station.terminate()
        status = station.wait(TIME_MAX_S)
        check(status == 143, f"exit status {status}")
    check(sorted(server.batches) == list(range(1, len(server.batches) + 1)), "batches are missing")
    print(f"station: {sent} values over a serial line in {len(server.batches)} batches; the server"
          " was away, the station killed:\n  each value came to the server once")
