"""The timeout app on endpoints that live, are slow, are stuck, or are dead."""

import pathlib
import socket
import threading

import peers
from common import check, run_app

COUNT = 10


def answer_on(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.close()


def demonstrate(folder: pathlib.Path) -> None:
    path = folder / "service.socket"
    with (peers.http_server() as port, peers.silent_listener() as silent,
          socket.socket(socket.AF_UNIX) as local):
        local.bind(str(path))
        local.listen()
        threading.Thread(target=answer_on, args=(local,), daemon=True).start()
        dead = peers.dead_port()
        # Endpoint: what must be said of it.
        expected = {
            f"tcp://127.0.0.1:{port}": None,
            f"http://127.0.0.1:{port}/page/1": None,
            f"http://127.0.0.1:{port}/slow/1": None,
            f"unix:{path}": None,
            f"tcp://127.0.0.1:{dead}": "connect",
            f"http://127.0.0.1:{silent}/": "head",
            f"http://127.0.0.1:{port}/missing/1": "status",
        }
        rows, summary, memory = run_app(
            "timeout", ["--step", "500ms", "--deadline", "2s", "--retries", "1", "--interval",
                        "50ms", "--count", COUNT, *expected], folder, status=1)

    found = {row["endpoint"]["endpoint"]: row["endpoint"] for row in rows if "endpoint" in row}
    check(found.keys() == expected.keys(), f"reports of {sorted(found)}")
    print(f"timeout: {len(expected)} endpoints, {COUNT} probes each")
    for name, step in expected.items():
        report = found[name]
        check(report["probes"] == COUNT, f"{name}: {report['probes']} probes, not {COUNT}")
        check(report["ok"] == (0 if step else COUNT), str(report))
        failures = {at: count for at, count in report["failures"].items() if count}
        check(set(failures) - {"breaker"} == ({step} if step else set()), str(report))
        latency = report["latency_ms"]
        words = (f"p50 {latency['p50']:.1f} ms, p99 {latency['p99']:.1f} ms" if not step else
                 "failed at " + ", ".join(f"{at} ({count})" for at, count in failures.items()))
        if "/slow/" in name:
            check(latency["p50"] >= 1000 * peers.SLOW_S, f"{name}: {latency}")
        shown = name.replace(str(folder), "...")
        print(f"  {100 * report['availability']:3.0f}%  {shown:38} {words}; breaker"
              f" {report['breaker']}")
    check(summary["failed"] > 0, str(summary))
    print(f"  peak memory  {memory / 2**20:.1f} MiB")
