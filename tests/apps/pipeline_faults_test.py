#!/usr/bin/env python3
"""Runs the pipeline app as users and adversaries do: wrong usage, every kind of source, full disks,
few descriptors, hostile input, broken peers, signals, closed and slow streams.

One line a case; exit status 77 (skipped) where there is no io_uring.

Usage: pipeline_faults_test.py PIPELINE [CASE...]
"""

import collections
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import random
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

from bench import (LIMIT_S, Bench, Ended, SerialLine, case, check, check_configuration_errors,
                   check_equal, check_few_descriptors, check_help_and_version, check_needs_io_uring,
                   check_usage_errors, drained, in_background, in_private_mounts, main, peak_kib,
                   read_terminal, stop_by_second_signal, unread, wait_until, wait_until_full)

STOPPED = re.compile(r"^pipeline: stopped after line (\d+); left undone: (\d+) lines that were"
                     r" read, and (\d+) records in windows that are not complete$", re.M)


# Records, and what shall come of them.

def records(count: int, sensors: int = 7, seed: int = 1) -> list[dict]:
    rng = random.Random(seed)
    return [{"sensor": f"sensor-{rng.randrange(sensors)}", "t": number,
             "value": round(rng.gauss(20, 5), 3)} for number in range(count)]


def text_of(items: list[dict]) -> bytes:
    return "".join(json.dumps(item) + "\n" for item in items).encode()


def model(items: list[dict], window: int, only_complete: bool = False) -> list[dict]:
    opened: dict[str, list[dict]] = {}
    results = []

    def close(sensor: str) -> None:
        group, mean = opened[sensor], 0.0
        opened[sensor] = []
        for number, item in enumerate(group, 1):
            value = item["value"]
            mean = value if number == 1 else mean + (value / number - mean / number)
        values = [item["value"] for item in group]
        results.append({"sensor": sensor, "count": len(group), "min": min(values),
                        "max": max(values), "mean": mean, "last": values[-1], "t": group[-1]["t"]})

    for item in items:
        group = opened.setdefault(item["sensor"], [])
        group.append(item)
        if len(group) == window:
            close(item["sensor"])
    for sensor, group in opened.items():
        if group and not only_complete:
            close(sensor)
    return results


def rows(output: bytes) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


# Usage and configuration.

@case
def wrong_usage_is_2_with_one_line(bench: Bench) -> None:
    check_usage_errors(bench, "pipeline", [
        ([], "needs a SOURCE"),
        (["a", "b"], "'b'"),
        (["--nonsense", "-"], "unknown option '--nonsense'"),
        (["--w", "3", "-"], "ambiguous option '--w'"),
        (["-x", "-"], "unknown option '-x'"),
        (["-", "--workers"], "--workers: needs N"),
        (["--jsonl=yes", "-"], "--jsonl: takes no argument"),
        (["--workers", "0", "-"], "--workers"),
        (["--workers", "17", "-"], "--workers"),
        (["--workers", "-1", "-"], "--workers"),
        (["--workers", "4x", "-"], "--workers"),
        (["--workers", "", "-"], "--workers"),
        (["--workers", "99999999999999999999999", "-"], "--workers"),
        (["--queue-depth", "0", "-"], "--queue-depth"),
        (["--queue-depth", "257", "-"], "--queue-depth"),
        (["--window", "0", "-"], "--window"),
        (["--window", "1000000001", "-"], "--window"),
        (["--max-line", "15", "-"], "--max-line"),
        (["--max-line", "65KiB", "-"], "--max-line"),
        (["--max-line", "64 parsec", "-"], "--max-line"),
        (["--output=", "-"], "--output"),
        (["--config=", "-"], "--config"),
        (["tcp://"], "'tcp://'"),
        (["tcp://example.org:80"], "tcp://example.org:80"),
        (["tcp://127.0.0.1"], "tcp://127.0.0.1"),
        (["tcp://127.0.0.1:65536"], "tcp://127.0.0.1:65536"),
        (["tcp-listen://::1:80"], "tcp-listen://::1:80"),
        (["serial:"], "'serial:': the path of a serial line has 1 to 255 bytes"),
        (["serial:,9600"], "the path of a serial line"),
        (["serial:/dev/ttyS0,fast"], "'serial:/dev/ttyS0,fast': settings of a serial line are"),
        (["serial:/dev/ttyS0,9600,9N1"], "written as in 115200,8N1"),
        (["\x1b[31m", "b\nerror: forged"], "b?error: forged"),
    ])


@case
def wrong_configuration_is_2_with_its_place(bench: Bench) -> None:
    check_configuration_errors(bench, "pipeline", "-", [
        ('{\n  "workers": 4,\n  "window" 5\n}', "line 3, column 12: expected ':'"),
        ("{\"window\": 5", "line 1, column 13"),
        ("", "line 1, column 1"),
        ("[]", "top level: expected an object"),
        ('{"windw": 5}', "/windw: unknown key"),
        ('{"a/b~": 5}', "/a~1b~0: unknown key"),
        ('{"config": "x"}', "/config: unknown key"),
        ('{"workers": "many"}', "/workers: expected a number, found a string"),
        ('{"workers": 2.5}', "/workers"),
        ('{"workers": 17}', "/workers"),
        ('{"workers": 1e400}', "/workers"),
        ('{"jsonl": 1}', "/jsonl: expected"),
        ('{"max-line": "70 KiB"}', "/max-line"),
        ('{"max-line": 15}', "/max-line"),
        ('{"output": null}', "/output: expected a string"),
        ('{"output": ""}', "--output"),
        ('{"output": "a\\u0000b"}', "line 1"),
        ('{"window": 5, "window": 6}', "/window: duplicate key"),
        (b'{"output": "\xff"}', "line 1, column 13"),
        (" " * 16_385, "File too large"),
    ])
    for path, words in [("missing.json", "No such file"), (bench.folder, "Is a directory")]:
        ended = bench.run("--config", path, "-")
        check_equal(ended.status, 2, ended.err)
        check(f"{path}: {words}" in ended.err, ended.err)


@case
def the_command_line_comes_before_the_configuration(bench: Bench) -> None:
    items = records(100)
    source = bench.file("source", text_of(items))
    config = bench.file("config.json", json.dumps(
        {"window": 10, "jsonl": True, "workers": 2, "queue-depth": 3, "max-line": "1KiB",
         "output": str(bench.folder / "configured")}))
    ended = bench.run("--config", config, source)
    check_equal(ended.status, 0, ended.err)
    check_equal(rows((bench.folder / "configured").read_bytes()), model(items, 10))
    check_equal(ended.summary["queues"]["lines"]["capacity"], 3)
    given = bench.folder / "given"
    ended = bench.run("--window", 4, "--config", config, "--output", given, source)
    check_equal(rows(given.read_bytes()), model(items, 4))
    # Not stored, but checked.
    bad = bench.file("bad.json", '{"window": 0}')
    check_equal(bench.run("--window", 4, "--config", bad, source).status, 2)


@case
def help_and_version_go_to_standard_output(bench: Bench) -> None:
    check_help_and_version(bench, "pipeline", [
        "--workers", "--queue-depth", "--window", "--max-line", "--output", "--jsonl", "--config",
        "SOURCE", "tcp-listen://", "serial:PATH[,BAUD][,8N1]", "130, 143"])


@case
def without_io_uring_it_is_69(bench: Bench) -> None:
    output = bench.file("out", "old")
    check_needs_io_uring(bench, "--output", output, "/dev/null")
    check_equal(output.read_bytes(), b"old")


# Sources.

def serve(content: bytes, address=("127.0.0.1", 0), family=socket.AF_INET):
    listener = socket.create_server(address, family=family)
    listener.settimeout(LIMIT_S)

    def send() -> None:
        with listener:
            connection, _ = listener.accept()
        with connection:
            connection.sendall(content)

    in_background(send)
    return listener.getsockname()[1]


def listening_port(child: subprocess.Popen) -> int:
    line = child.stderr.readline().decode()
    check("listening on" in line, line)
    return int(line.rsplit(":", 1)[1])


@case
def every_source_gives_the_same(bench: Bench) -> None:
    items = records(20_000)
    content = text_of(items)
    path = bench.file("source", content)
    options = ["--jsonl", "--window", 30]
    expected = bench.run(*options, path)
    check_equal(expected.status, 0, expected.err)
    check_equal(rows(expected.out), model(items, 30))

    def same(name: str, ended: Ended) -> None:
        check_equal(ended.status, 0, name, ended.err)
        check(ended.out == expected.out, name, "gives another output")
        check_equal(ended.summary["bytes"], len(content), name)

    with path.open("rb") as file:
        same("stdin, a file", bench.run(*options, "-", stdin=file))
    same("stdin, a pipe", bench.run(*options, "-", given=content))
    os.mkfifo(bench.folder / "fifo")
    in_background((bench.folder / "fifo").write_bytes, content)
    same("fifo", bench.run(*options, bench.folder / "fifo"))
    same("IPv4", bench.run(*options, f"tcp://127.0.0.1:{serve(content)}"))
    same("localhost", bench.run(*options, f"tcp://localhost:{serve(content)}"))
    # To a file: a pipe that nobody reads yet would fill, and the line would have to wait.
    into = bench.folder / "from-serial"
    with SerialLine() as line, into.open("wb") as file:
        child = bench.start(*options, f"serial:{line.path},460800", stdout=file)
        # What was not read is lost with the line; so the last one tells that it was.
        line.send(content + b"end\n")
        check_equal(child.stderr.readline()[:22], b"pipeline: line 20001: ")
        line.hang_up()
        ended = bench.finish(child)
        check_equal((ended.status, ended.summary["bad"]), (1, 1), ended.err)
        check(into.read_bytes() == expected.out, "a serial line gives another output")
    hosts = [("127.0.0.1", "127.0.0.1")]
    if pathlib.Path("/proc/net/if_inet6").exists():
        port = serve(content, ("::1", 0), socket.AF_INET6)
        same("IPv6", bench.run(*options, f"tcp://[::1]:{port}"))
        hosts += [("[::1]", "::1"), ("[::]", "127.0.0.1")]
    for own, peer in hosts:
        child = bench.start(*options, f"tcp-listen://{own}:0")
        with socket.create_connection((peer, listening_port(child)), LIMIT_S) as connection:
            in_background(lambda: (connection.sendall(content),
                                   connection.shutdown(socket.SHUT_WR)))
            same(f"listen {own}", bench.finish(child))


@case
def a_serial_line_is_as_told_and_then_as_it_was(bench: Bench) -> None:
    items = records(10)
    with SerialLine() as line:
        before = line.attributes()
        child = bench.start("--jsonl", "--window", 1, f"serial:{line.path},9600,8N1,rtscts")
        line.send(text_of(items) + b"end\n")
        check_equal(child.stderr.readline()[:19], b"pipeline: line 11: ")
        check_equal(line.baud(), 9600)
        check(line.attributes()[2] & termios.CRTSCTS, "no flow control")
        child.send_signal(signal.SIGTERM)
        ended = bench.finish(child)
        check_equal((ended.status, rows(ended.out)), (143, model(items, 1)), ended.err)
        check("line_errors" not in ended.summary, "a pty counts none:", ended.summary)
        check_equal(line.attributes(), before)
        # What it cannot be, is said; and nothing is left of the try.
        ended = bench.run(f"serial:{line.path},7E1")
        check_equal(ended.status, 1)
        check("cannot have those data bits, parity" in ended.err, ended.err)
        check_equal(line.attributes(), before)
    for path, words in [("/dev/null", "Inappropriate ioctl"), ("missing", "No such file")]:
        ended = bench.run(f"serial:{path}")
        check_equal(ended.status, 1)
        check(words in ended.err, ended.err)


@case
def workers_queues_and_line_limits_change_nothing(bench: Bench) -> None:
    items = records(3000)
    content = text_of(items)
    expected = bench.run("--jsonl", "--window", 9, "-", given=content)
    for workers, depth, limit in [(1, 1, "64KiB"), (16, 1, "64KiB"), (16, 256, "16KiB"),
                                  (2, 256, "100B"), (16, 256, "64KiB"), (7, 3, 100)]:
        ended = bench.run("--jsonl", "--window", 9, "--workers", workers, "--queue-depth", depth,
                          "--max-line", limit, "-", given=content)
        check_equal(ended.status, 0, ended.err)
        check(ended.out == expected.out, workers, depth, limit, "differs")


@case
def a_half_closed_connection_is_the_end(bench: Bench) -> None:
    items = records(50)
    child = bench.start("--jsonl", "tcp-listen://127.0.0.1:0")
    with socket.create_connection(("127.0.0.1", listening_port(child)), LIMIT_S) as connection:
        connection.sendall(text_of(items)[:-1])  # the last line has no newline
        connection.shutdown(socket.SHUT_WR)
        ended = bench.finish(child)
    check_equal((ended.status, rows(ended.out)), (0, model(items, 100)), ended.err)


@case
def a_reset_ends_the_source_and_keeps_what_came(bench: Bench) -> None:
    items = records(500)
    for _ in range(5):
        child = bench.start("--jsonl", "--window", 10, "--output", "out",
                            "tcp-listen://127.0.0.1:0")
        connection = socket.create_connection(("127.0.0.1", listening_port(child)), LIMIT_S)
        connection.sendall(text_of(items) + b'{"sensor": "cut o')
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(0.01)  # most often it has been read by then; either is right
        connection.close()
        ended = bench.finish(child)
        check_equal(ended.status, 1, ended.err)
        check("Connection reset by peer" in ended.err, ended.err)
        good = ended.summary["good"]
        if good:
            check_equal(rows((bench.folder / "out").read_bytes()), model(items[:good], 10))


@case
def what_cannot_be_opened_is_1_and_keeps_the_old_output(bench: Bench) -> None:
    output = bench.file("out", "old")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            free = closed.getsockname()[1]
            for source, words in [
                ("missing", "missing: No such file or directory"),
                (bench.folder, "Is a directory"),
                (f"tcp://127.0.0.1:{free}", "Connection refused"),
                (f"tcp-listen://127.0.0.1:{port}", "Address already in use"),
                ("", "No such file"),
            ]:
                ended = bench.run("--output", output, source)
                check_equal((ended.status, ended.out), (1, b""), source, ended.err)
                check(ended.err.startswith("pipeline: ") and words in ended.err, ended.err)
                check_equal(output.read_bytes(), b"old", source)
                check_equal(bench.temporaries(), [], source)


# Outputs.

@case
def outputs_that_cannot_be_written_are_1(bench: Bench) -> None:
    source = bench.file("source", text_of(records(5000)))
    (bench.folder / "folder").mkdir()
    for output, words in [("missing/out", "missing/out: No such file"),
                          ("folder", "Is a directory"),
                          ("/dev/full", "/dev/full: Invalid argument"),
                          ("x" * 256, "File name too long"), ("y" * 245, "File name too long")]:
        ended = bench.run("--output", output, source)
        check_equal(ended.status, 1, output, ended.err)
        check(words in ended.err, ended.err)
        check_equal(bench.temporaries(), [], output)
    with open("/dev/full", "wb") as full:
        ended = bench.run("--window", 1, source, stdout=full)
        check_equal(ended.status, 1, ended.err)
        check("standard output: No space left on device" in ended.err, ended.err)


@case
def a_full_disk_keeps_the_old_file(bench: Bench) -> None:
    source = bench.file("source", text_of(records(20_000)))
    # Full at a write; then only at the last bytes.
    for free in (64, 4):
        ended = in_private_mounts(bench, f"""
            mount -t tmpfs -o size=128k none disk
            echo old >disk/out
            dd if=/dev/zero of=disk/filler bs=1k count={124 - free} 2>/dev/null
            status=0
            "$0" --window 1 --output disk/out source || status=$?
            cat disk/out; ls -A disk
            exit $status""")
        check_equal(ended.status, 1, ended.err)
        check_equal(ended.out, b"old\nfiller\nout\n", ended.err)
        check("pipeline: disk/out: No space left on device" in ended.err, ended.err)
    check(source.exists(), "gone")


@case
def a_read_only_folder_keeps_the_old_file(bench: Bench) -> None:
    bench.file("source", text_of(records(100)))
    ended = in_private_mounts(bench, """
        mount -t tmpfs none disk
        echo old >disk/out
        mount -o remount,ro disk
        status=0
        "$0" --output disk/out source || status=$?
        cat disk/out; ls -A disk
        exit $status""")
    check_equal((ended.status, ended.out), (1, b"old\nout\n"), ended.err)
    check("pipeline: disk/out: Read-only file system" in ended.err, ended.err)


@case
def few_descriptors_are_a_clear_error(bench: Bench) -> None:
    source = bench.file("source", text_of(records(1000)))
    seen = collections.Counter()
    for limit in range(4, 12):
        output = bench.file("out", "old")
        ended = bench.run("--jsonl", "--output", output, source, preexec_fn=lambda:
                          resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
        check_few_descriptors(ended, ended.err)
        seen[ended.status] += 1
        check_equal(output.read_bytes() == b"old", ended.status != 0, limit)
        check_equal(bench.temporaries(), [], limit)
    check(seen[0] and len(seen) > 1, seen)


# Hostile input.

@case
def every_bad_line_is_reported_counted_and_skipped(bench: Bench) -> None:
    good = b'{"sensor":"a","t":1,"value":2}\n'
    bad = [(b"", "column 1: expected a value"), (b"x", "column 1"), (b"{}", "/sensor: missing"),
           (b'{"sensor":"a","t":1}', "/value: missing"), (b'{"sensor":"a","t":1,"value":2', "30"),
           (b'{"sensor":"a","t":"1","value":2}', "/t: expected a number, found a string"),
           (b'{"sensor":1,"t":1,"value":2}', "/sensor: expected a string"),
           (b'{"sensor":"","t":1,"value":2}', "/sensor: a name has 1 to 63 bytes"),
           (b'{"sensor":"' + b"s" * 64 + b'","t":1,"value":2}', "1 to 63 bytes"),
           (b'{"sensor":"a","t":1,"value":NaN}', "column 29"),
           (b'{"sensor":"a","t":1,"value":1e999}', "/value"),
           (b'{"sensor":"a","t":1,"value":2,"t":1}', "/t: duplicate key"),
           (b"[1,2,3]", "top level: expected an object"),
           (b"[" * 1000, "column 33"), (b"\xff\xfe", "column 1"), (b"\0", "0x00"),
           (b"a" * 5000, "longer than the limit"), (good[:-1] * 2, "column 31")]
    content = b"".join(good + line + b"\n" for line, _ in bad)
    ended = bench.run("--jsonl", "--window", 1, "-", given=content)
    check_equal(ended.status, 1)
    lines = ended.err.splitlines()[:-1]
    check_equal(len(lines), len(bad), ended.err)
    told = {int(line.split()[2].rstrip(":")): line for line in lines}
    for number, (_, words) in enumerate(bad, 1):
        check(words in told[2 * number], words, "not in", told[2 * number])
    check_equal(len(ended.out.splitlines()), len(bad))
    check_equal({key: ended.summary[key] for key in ("records", "good", "bad", "bytes")},
                {"records": 2 * len(bad), "good": len(bad), "bad": len(bad), "bytes": len(content)})


@case
def binary_garbage_stays_out_of_the_terminal(bench: Bench) -> None:
    content = random.Random(5).randbytes(1_000_000)
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    ended = bench.run("--jsonl", "-", given=content)
    check_equal((ended.status, ended.out, ended.summary["bad"]), (1, b"", lines))
    check_equal(len(ended.err.splitlines()), lines + 1)
    check(not re.search(r"[\0-\x09\x0b-\x1f\x7f]", ended.err), "control characters in the report")


@case
def small_inputs(bench: Bench) -> None:
    one = b'{"sensor":"a","t":1,"value":2}'
    for content, status, lines, results in [
        (b"", 0, 0, 0), (b"\n", 1, 1, 0), (one, 0, 1, 1), (one + b"\n", 0, 1, 1),
        (one + b"\r\n" + one + b"\r\n", 0, 2, 1), (b"\xef\xbb\xbf" + one, 0, 1, 1),
        (one + b"\n\n", 1, 2, 1), (one + b"\r", 1, 1, 0)]:
        ended = bench.run("--jsonl", "-", given=content)
        found = (ended.status, ended.summary["records"], len(rows(ended.out)))
        if content.endswith(b"\r"):  # space, for JSON
            status, results = 0, 1
        check_equal(found, (status, lines, results), content, ended.err)
    ended = bench.run("-", given=b"")
    check_equal((ended.status, len(ended.out.splitlines())), (0, 1))


@case
def the_table_never_cuts_a_name_or_a_number(bench: Bench) -> None:
    names = ["x" * 62 + end for end in "ab"] + ["\u00e4\u00f6 \u0001\u007f"]
    items = [{"sensor": name, "t": -1.7976931348623157e308, "value": 2.2250738585072014e-308}
             for name in names]
    ended = bench.run("-", given=text_of(items))
    head, *lines = ended.out.decode().splitlines()
    check_equal(head.split(), ["COUNT", "MIN", "MAX", "MEAN", "LAST", "T", "SENSOR"])
    for name, line in zip(names, lines, strict=True):
        small, big = "2.2250738585072014e-308", "-1.7976931348623157e+308"
        shown = re.sub(r"[\0-\x1f\x7f]", "?", name)
        check_equal(line.split(maxsplit=6), ["1", small, small, small, small, big, shown])


@case
def an_endless_line_takes_no_memory(bench: Bench) -> None:
    def peak(megabytes: int) -> tuple[int, Ended]:
        child = bench.start("--jsonl", "-", stdin=subprocess.PIPE)
        piece = b'{"sensor":' * 100_000
        child.stdin.write(b'{"sensor":"a","t":1,"value":2}\n')
        for _ in range(megabytes):
            child.stdin.write(piece)
        child.stdin.write(b'\n{"sensor":"a","t":1,"value":4}\n')
        child.stdin.flush()
        wait_until(lambda: drained(child.stdin), "the program to read")
        return peak_kib(child), bench.finish(child)

    small, ended = peak(1)  # by then each buffer has been used
    large, ended = peak(300)
    check_equal(ended.status, 1, ended.err)
    check_equal(ended.err.splitlines()[0].split(":")[1].strip(), "line 2")
    check_equal((ended.summary["records"], ended.summary["good"]), (3, 2))
    check(ended.summary["bytes"] > 300_000_000, ended.summary)
    check_equal(rows(ended.out)[0]["mean"], 3)
    check(large < small + 4096, f"{small} KiB for a line of 1 MB, {large} KiB for 300 MB")
    print(f"    VmHWM {large} KiB after a line of 300 MB")


@case
def a_million_short_records(bench: Bench) -> None:
    path = bench.file("source", b'{"sensor":"s","t":1,"value":1}\n' * 1_000_000)
    child = bench.start("--jsonl", "--window", 1000, path)
    ended = bench.finish(child)
    check_equal((ended.status, len(rows(ended.out))), (0, 1000), ended.err)
    check(all(row["mean"] == 1 and row["count"] == 1000 for row in rows(ended.out)), "wrong rows")
    print(f"    {ended.summary['records_per_second']:,.0f} records/s")


@case
def too_many_sensors_are_refused_one_by_one(bench: Bench) -> None:
    items = [{"sensor": f"{number}", "t": 1, "value": 1} for number in range(1500)] * 2
    ended = bench.run("--jsonl", "--window", 2, "-", given=text_of(items))
    check_equal((ended.status, ended.summary["good"], ended.summary["bad"]), (1, 2048, 952))
    check("line 1025: /sensor: there are 1024 other sensors already" in ended.err, ended.err)


# Signals.

def check_stopped(ended: Ended, output: bytes, items: list[dict], window: int) -> None:
    """What is written is exactly what the sentence about the rest leaves."""
    said = STOPPED.search(ended.err)
    check(said, "not said what is left undone:", ended.err)
    line, lines, pending = map(int, said.groups())
    done = items[:line - lines]
    results = model(done, window, only_complete=True)
    check_equal(rows(output), results)
    check_equal(pending, len(done) - window * len(results))
    check_equal(ended.summary["windows"], len(results))


@case
def a_signal_in_the_middle_writes_what_is_complete(bench: Bench) -> None:
    items = records(30_000)
    content = text_of(items)
    rng = random.Random(8)
    for turn in range(12):
        number = (signal.SIGTERM, signal.SIGINT)[turn % 2]
        output = bench.file("out", "old")
        to_file = turn % 4 < 2
        target = ["--output", output] if to_file else []
        child = bench.start("--jsonl", "--window", 7, *target, "-", stdin=subprocess.PIPE)
        some = rng.randrange(1, len(content))
        reader = []
        reading = in_background(lambda: reader.append(child.stdout.read()))
        child.stdin.write(content[:some])
        child.stdin.flush()
        if turn % 3:
            wait_until(lambda: drained(child.stdin), "the program to read")
        check_equal(output.read_bytes(), b"old")
        child.send_signal(number)
        err = child.stderr.read().decode()
        reading.join(LIMIT_S)
        ended = Ended(child.wait(LIMIT_S), reader[0], err)
        check_equal(ended.status, 128 + number, ended.err)
        check_stopped(ended, output.read_bytes() if to_file else ended.out, items, 7)
        check_equal(bench.temporaries(), [])


@case
def a_signal_while_it_waits_for_a_source(bench: Bench) -> None:
    os.mkfifo(bench.folder / "fifo")
    for source in ("tcp-listen://127.0.0.1:0", "fifo", "-"):
        output = bench.file("out", "old")
        read_end, write_end = os.pipe()
        child = bench.start("--output", output, source, stdin=read_end)
        wait_until(bench.temporaries, "the output to be open")
        if source.startswith("tcp"):
            listening_port(child)
        child.send_signal(signal.SIGTERM)
        ended = bench.finish(child)
        os.close(read_end)
        os.close(write_end)
        check_equal(ended.status, 128 + signal.SIGTERM, source, ended.err)
        check("stopped after line 0" in ended.err, ended.err)
        check_equal(output.read_bytes(), b"old", source)  # nothing came that could replace it
        check_equal(bench.temporaries(), [], source)


@case
def a_signal_while_standard_output_is_stuck(bench: Bench) -> None:
    items = records(100_000)
    path = bench.file("source", text_of(items))
    child = bench.start("--jsonl", "--window", 3, path)
    wait_until_full(child.stdout)
    child.send_signal(signal.SIGTERM)
    time.sleep(0.05)
    check(child.poll() is None, "ended before its rows were taken")
    ended = bench.finish(child)  # takes them
    check_equal(ended.status, 128 + signal.SIGTERM, ended.err)
    check_stopped(ended, ended.out, items, 3)
    # A second signal does not wait.
    child = bench.start("--jsonl", "--window", 3, path)
    wait_until_full(child.stdout)
    stop_by_second_signal(child)
    err = child.stderr.read().decode()
    check("a second stop signal came" in err, err)


@case
def a_kill_leaves_the_old_file_whole(bench: Bench) -> None:
    content = text_of(records(20_000))
    for turn in range(8):
        output = bench.file("out", "old")
        child = bench.start("--output", output, "--window", 1, "-", stdin=subprocess.PIPE)
        in_background(feed, child, content)
        wait_until(lambda: any((bench.folder / name).stat().st_size > turn * 32_768
                               for name in bench.temporaries()), "rows in the temporary")
        child.kill()
        child.wait(LIMIT_S)
        check_equal(output.read_bytes(), b"old")
        for name in bench.temporaries():
            (bench.folder / name).unlink()


def feed(child: subprocess.Popen, content: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):
        child.stdin.write(content)
        child.stdin.flush()


@case
def the_await_tree_can_be_asked_for(bench: Bench) -> None:
    child = bench.start("--jsonl", "tcp-listen://127.0.0.1:0")
    port = listening_port(child)
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as connection:
        connection.sendall(text_of(records(5)))
        child.send_signal(signal.SIGUSR1)
        words = b""
        while b"main" not in words:
            check(select.select([child.stderr], [], [], LIMIT_S)[0], "no await tree")
            words += os.read(child.stderr.fileno(), 65_536)
        connection.shutdown(socket.SHUT_WR)
        check_equal(bench.finish(child).status, 0)


# Standard streams.

@case
def head_ends_it_quietly(bench: Bench) -> None:
    for options, lines in ((["--jsonl"], 1), ([], 2)):
        child = bench.start(*options, "--window", 1, "-", stdin=subprocess.PIPE)

        def endless() -> None:
            with contextlib.suppress(OSError):
                while True:
                    child.stdin.write(text_of(records(1000)))

        feeder = in_background(endless)
        check(child.stdout.readline(), "no row")
        child.stdout.close()
        err = child.stderr.read().decode()
        check_equal(child.wait(LIMIT_S), 0, err)
        check_equal(len(err.splitlines()), lines, err)
        check("summary" in err or " records (" in err, err)
        feeder.join(LIMIT_S)
        child.stdin = None


@case
def rows_are_out_while_the_source_is_silent(bench: Bench) -> None:
    for options, lines in ((["--jsonl"], 1), ([], 2)):  # a table has a head
        child = bench.start(*options, "--window", 10, "-", stdin=subprocess.PIPE)
        child.stdin.write(text_of(records(15, sensors=1)))
        child.stdin.flush()
        out = b""
        while out.count(b"\n") < lines:
            check(select.select([child.stdout], [], [], LIMIT_S)[0], f"only {out!r}")
            out += os.read(child.stdout.fileno(), 4096)
        check(b"sensor-0" in out, out.decode())
        rest = bench.finish(child)
        check_equal(rest.out.count(b"\n"), 1)  # the window that was open
        check_equal(rest.status, 0)


@case
def closed_streams(bench: Bench) -> None:
    items = records(3000)
    bench.file("source", b"bad\n" + text_of(items) + b"bad\n")
    expected = model(items, 10)
    options = "--jsonl --window 10"
    ended = bench.shell(f'"$0" {options} source 2>&-')
    check_equal((ended.status, rows(ended.out), ended.err), (1, expected, ""))
    ended = bench.shell(f'"$0" {options} source >&-')
    check_equal(ended.status, 1)
    check("standard output: Bad file descriptor" in ended.err, ended.err)
    ended = bench.shell(f'"$0" {options} - <&-')
    check_equal(ended.status, 1)
    check("-: Bad file descriptor" in ended.err, ended.err)
    # No message may land in a file that got a stream's number.
    ended = bench.shell(f'"$0" {options} --output out source <&- >&- 2>&-')
    check_equal(ended.status, 1)
    check_equal(rows((bench.folder / "out").read_bytes()), expected)
    ended = bench.shell(f'"$0" {options} source 2>/dev/full')
    check_equal((ended.status, rows(ended.out)), (1, expected))
    ended = bench.shell(f'"$0" {options} source >both 2>&1; cat both')
    lines = ended.out.splitlines()
    check_equal(rows(b"\n".join(line for line in lines[:-1] if line[:1] == b"{")), expected)
    check_equal(sum(line.startswith(b"pipeline: line ") for line in lines), 2, ended.out)


@case
def standard_error_that_nobody_reads_any_more(bench: Bench) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    content = text_of(records(100)) + b"bad\n" * 1000
    ended = bench.run("--jsonl", "-", given=content, stderr=write_end)
    os.close(write_end)
    check_equal((ended.status, rows(ended.out)), (1, model(records(100), 100)))


@case
def non_blocking_streams(bench: Bench) -> None:
    items = records(20_000)
    content = text_of(items)
    # A bad line for each good one, so that standard error fills, too.
    content = content.replace(b"\n", b"\nbad\n")
    in_read, in_write = os.pipe()
    pipes = [os.pipe(), os.pipe()]
    for end in (in_read, pipes[0][1], pipes[1][1]):
        os.set_blocking(end, False)
    child = bench.start("--jsonl", "--window", 2, "-", stdin=in_read, stdout=pipes[0][1],
                        stderr=pipes[1][1])
    for end in (in_read, pipes[0][1], pipes[1][1]):
        os.close(end)

    def write() -> None:
        with open(in_write, "wb", buffering=0) as pipe:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(pipe.fileno(), rest[:40_000]):]

    in_background(write)
    taken = {pipes[0][0]: b"", pipes[1][0]: b""}
    still = set(taken)
    while still:
        ready = select.select(list(still), [], [], LIMIT_S)[0]
        check(ready, "nothing comes any more")
        time.sleep(0.0005)  # a slow consumer
        for end in ready:
            piece = os.read(end, 8192)
            taken[end] += piece
            if not piece:
                still.discard(end)
                os.close(end)
    check_equal(child.wait(LIMIT_S), 1)
    out, err = taken.values()
    check_equal(rows(out), model(items, 2))
    check_equal(len(err.splitlines()), len(items) + 1)


@case
def progress_is_for_terminals(bench: Bench) -> None:
    leader, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    child = bench.start("--jsonl", "-", stdin=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    child.stdin.write(text_of(records(1000)))
    child.stdin.flush()
    words = read_terminal(leader, child, lambda words: words.count(b"pipeline: 1000") >= 1)
    check("\rpipeline: 1000" in words and words.endswith("\x1b[K"), repr(words))
    child.stdin.write(b"bad\n")
    child.stdin.flush()
    words = read_terminal(leader, child, lambda words: words.count(b"pipeline: 1001") >= 1)
    check("\r\x1b[Kpipeline: line 1001" in words, "the line was not erased:", repr(words))
    check("1 failed" in words, repr(words))
    child.stdin.close()
    words = read_terminal(leader, child, lambda words: False)
    os.close(leader)
    check('\r\x1b[K{"summary"' in words, "the line was not erased:", repr(words))
    child.stdin = None
    check_equal(child.wait(LIMIT_S), 1)
    # And nothing of it elsewhere.
    child = bench.start("-", stdin=subprocess.PIPE)
    time.sleep(0.5)
    check("\r" not in bench.finish(child, text_of(records(10))).err, "progress without a terminal")


if __name__ == "__main__":
    sys.exit(main())
