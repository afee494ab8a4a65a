#!/usr/bin/env python3
"""Runs the station app as users and adversaries do: wrong configurations, servers that are away or
lie, stops and kills at any moment, full and frozen disks, serial lines that are unplugged or noisy,
a service manager that looks on.

One line a case; exit status 77 (skipped) where there is no io_uring.

Usage: station_faults_test.py STATION [CASE...]
"""

import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

from bench import (Bench, Skipped, case, check, check_configuration_errors, check_equal,
                   check_help_and_version, check_needs_io_uring, check_refused,
                   check_usage_errors, in_private_mounts, main, wait_until)
from station_peers import (Collector, Manager, SerialLine, Station, by_sequence, check_all_there,
                           count_of, frozen, full, kill_at_random, spans, stored, wait_for_all,
                           with_checksum)

URL = "http://127.0.0.1:9/batches"


def write_board(bench: Bench, **buses) -> pathlib.Path:
    return bench.file("board.json", json.dumps(
        {"name": "desk", "buses": {"serial": {"kind": "uart",
                                              "device": str(bench.folder / "serial")},
                                   "can": {"kind": "can", "interface": "can0"}} | buses,
         "pins": {"led": {"chip": "lab", "line": 1}}}))


def options(bench: Bench, collector: Collector | None, **more) -> list:
    """For a station that reads the serial line, and is quick."""
    settings = {"board": write_board(bench), "serial": "serial", "store": bench.folder / "store",
                "window": "100ms", "retry-max": "1s", "post-timeout": "1s",
                "url": collector.url if collector else URL}
    settings |= {name.replace("_", "-"): value for name, value in more.items()}
    return [f"--{name}={value}" for name, value in settings.items() if value is not None]


def desk(bench: Bench) -> tuple[Collector, SerialLine]:
    return Collector(), SerialLine(bench.folder / "serial")


def in_mounts_of_its_own(bench: Bench, script: str, *arguments, **start) -> Station:
    """A station that sees what the script has mounted, at bench.folder / "disk" for one."""
    in_private_mounts(bench, "true")  # or skipped
    return Station(bench, *arguments, **start,
                   before=["unshare", "-m", "sh", "-ec", f'{script}\nexec "$0" "$@"'])


# Usage and configuration.

@case
def wrong_usage_is_2_with_one_line(bench: Bench) -> None:
    board = write_board(bench)
    good = [f"--url={URL}", f"--board={board}", "--serial=serial", f"--store={bench.folder}/store"]
    check_usage_errors(bench, "station", [
        ([], "where to post? Give --url"),
        (["stray"], "stray"),
        (["--nonsense"], "unknown option '--nonsense'"),
        (["--url"], "--url: needs URL"),
        ([f"--url={URL}"], "nothing to read: give --sensor, --button, --serial or --can"),
        ([*good, "--url="], "Give --url"),
        ([*good, "--url=https://example.org/"], "--url: 'https://example.org/': "),
        ([*good, "--url=ftp://example.org/"], "--url: 'ftp://example.org/': "),
        ([*good, "--url=example.org"], "--url"),
        ([*good, "--url=http://user:secret@example.org/"], "--url"),
        ([*good, "--url=http://a b/"], "--url"),
        ([*good, "--url=http://example.org:99999/"], "--url"),
        ([*good, "--url=http://example.org/" + "x" * 512], "--url: longer than 512 bytes"),
        ([*good, "--name="], "--name"),
        ([*good, "--name=" + "x" * 65], "--name: a name has 1 to 64 bytes"),
        ([*good, "--store="], "--store"),
        ([*good, "--sensor-address=2"], "--sensor-address"),
        ([*good, "--sensor-address=120"], "--sensor-address"),
        ([*good, "--sensor-every=9ms"], "--sensor-every"),
        ([*good, "--sensor-every=1"], "--sensor-every: '1' has no unit"),
        ([*good, "--debounce=2s"], "--debounce"),
        ([*good, "--baud=49"], "--baud"),
        ([*good, "--baud=fast"], "--baud"),
        ([*good, "--watchdog-timeout=1s"], "--watchdog-timeout"),
        ([*good, "--window=99ms"], "--window"),
        ([*good, "--window=25h"], "--window"),
        ([*good, "--store-batches=1"], "--store-batches"),
        ([*good, "--store-batches=65537"], "--store-batches"),
        ([*good, "--post-timeout=0s"], "--post-timeout"),
        ([*good, "--retry-max=999ms"], "--retry-max"),
        ([*good, "--config="], "--config"),
        ([*good, "--name=\x1b[31m" + "x" * 65], "--name"),
        # Aliases of the board.
        ([*good, "--serial=seriel"], "no bus 'seriel'; there are: "),
        ([*good, "--serial=can"], "bus 'can' is of kind can, not uart"),
        ([*good, "--can=serial"], "bus 'serial' is of kind uart, not can"),
        ([*good, "--sensor=sensors"], "no bus 'sensors'"),
        ([*good, "--watchdog=watchdog"], "no bus 'watchdog'"),
        ([*good, "--button=button"], "no pin 'button'; there are: led"),
        ([*good, "--led=serial"], "no pin 'serial'"),
        ([*good, "--board=missing.json"], "missing.json: No such file or directory"),
        ([*good, f"--board={bench.folder}"], "Is a directory"),
        ([*good, "--board="], "No such file"),
    ])
    check(not (bench.folder / "store").exists(), "a store was made")


@case
def wrong_configuration_is_2_with_its_place(bench: Bench) -> None:
    check_configuration_errors(bench, "station", f"--url={URL}", [
        ('{\n  "name": "a",\n  "window" "1s"\n}', "line 3, column 12: expected ':'"),
        ("", "line 1, column 1"),
        ("[]", "top level: expected an object"),
        ('{"serail": "serial"}', "/serail: unknown key"),
        ('{"serial": 5}', "/serial: expected a string, found a number"),
        ('{"serial": null}', "/serial: expected a string"),
        ('{"baud": "fast"}', "/baud: expected a number, found a string"),
        ('{"baud": 5000000}', "/baud"),
        ('{"sensor-address": 72.5}', "/sensor-address"),
        ('{"window": 10}', "/window: a duration is a string with a unit"),
        ('{"window": "1ms"}', "/window"),
        ('{"store-batches": 1}', "/store-batches"),
        ('{"retry-max": "2 parsec"}', "/retry-max"),
        ('{"name": "a", "name": "b"}', "/name: duplicate key"),
        ('{"name": "' + "x" * 65 + '"}', "--name: a name has 1 to 64 bytes"),
        ('{"name": "a\\u0000b"}', "line 1"),
        ('{"url": "https://example.org/"}', "nothing to read"),  # the command line's is taken
        (b'{"name": "\xff"}', "line 1, column 11"),
        (" " * 16_385, "File too large"),
    ])


@case
def wrong_boards_are_2_with_their_place(bench: Bench) -> None:
    for content, words in [
            ("", "line 1, column 1"),
            ('{"name": "a"', "line 1"),
            ('{"name": "a", "busses": {}}', "/busses: unknown key"),
            ('{"name": "a"}', "no bus 'serial'"),
            ('{"name": "a", "buses": {"serial": {"kind": "uart"}}}', "/buses/serial/device"),
            ('{"name": "a", "buses": {"serial": {"kind": "usb", "device": "/dev/x"}}}',
             "/buses/serial/kind")]:
        bench.file("board.json", content)
        check_refused(bench.run(f"--url={URL}", "--board=board.json", "--serial=serial"), "station",
                      f"board.json: {words}" if "bus" in words else words, content)


@case
def the_example_is_a_configuration(bench: Bench) -> None:
    example = pathlib.Path(__file__).parents[2] / "apps/station/station.json"
    ended = bench.run(f"--config={example}", "--board=missing.json")
    check_refused(ended, "station", "missing.json: No such file")


@case
def help_and_version_go_to_standard_output(bench: Bench) -> None:
    check_help_and_version(bench, "station", [
        "--url", "--board", "--sensor", "--button", "--serial", "--can", "--led", "--watchdog",
        "--window", "--store", "--store-batches", "--retry-max", "--config", "143"])


@case
def without_io_uring_it_is_69(bench: Bench) -> None:
    check_needs_io_uring(bench, *options(bench, None))


# Values, batches and the server.

@case
def every_value_is_in_exactly_one_batch(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line:
        station = Station(bench, *options(bench, collector, name="attic \"1\""))
        for burst in (1, 2, 300, 5, 1500, 40, 1000):
            line.send(burst)
            time.sleep(0.15)  # some windows
        wait_for_all(collector, line)
        station.stop()
        batches = collector.batches()
        check_all_there(batches, line.sent)
        check(len(spans(batches)) > 3, spans(batches))
        last = batches[max(batches)]
        check_equal((last["station"], last["condition"]), ("attic \"1\"", "all well"))
        check_equal({name for name, lost in last["lost"].items() if lost}, set(), last)
        check(abs(last["time_ms"] / 1000 - time.time()) < 3600, last["time_ms"])
        # The windows follow each other without a gap, and none has been open for nothing.
        check(all(batch["seconds"] > 0 for batch in batches.values()), "a window without length")


@case
def thirty_two_channels_are_kept_and_more_are_counted(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line:
        station = Station(bench, *options(bench, collector, window="1h"))
        names = [f"channel-{number:02}.{'x' * 12}" for number in range(40)]
        for name in names:
            for value in ("-1.5", "2.5e3"):
                line.write(with_checksum(f"{name}={value}"))
        line.wait_until_read()
        station.stop()
        check_equal(collector.taken, [], "the window was open")
        station = Station(bench, *options(bench, collector, window="1h"))
        wait_until(lambda: collector.taken, "the batch")
        station.stop()
        batch = collector.batches()[1]
        check_equal(list(batch["channels"]), names[:32])
        check_equal(batch["channels"][names[0]],
                    {"count": 2, "min": -1.5, "max": 2500, "mean": 1249.25, "last": 2500})
        check_equal(batch["lost"]["channels"], 16)


@case
def batches_wait_for_a_server_whatever_is_wrong_with_it(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line:
        station = Station(bench, *options(bench, collector))
        for turn, mood in enumerate(Collector.FAULTS, 1):
            collector.become(mood)
            line.send(50)
            station.wait_for("server: ", 2 * turn - 1)
            check(station.log.rstrip().endswith("; trying again"), mood, station.log)
            line.send(50)
            collector.become("chats" if turn % 2 else "takes")
            station.wait_for("server: well again", turn)
        wait_for_all(collector, line)
        log = station.stop()
        check_equal(log.count("warning:"), len(Collector.FAULTS), log)
        batches = collector.batches()
        check_all_there(batches, line.sent)
        check(len(collector.taken) > len(batches), "what got no answer was not sent again")
        check(any("server" in batch["condition"] for batch in batches.values()),
              "no batch says that the server was ill")
        check_equal(batches[max(batches)]["lost"]["batches"], 0)


@case
def a_batch_that_is_never_wanted_is_given_up_and_counted(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line:
        station = Station(bench, *options(bench, collector))
        for refusal in ("400 Bad Request", "413 Content Too Large", "422 Unprocessable Content"):
            before = len(collector.refused)
            collector.refusal = refusal
            collector.become("refuses")
            line.send(20)
            wait_until(lambda: len(collector.refused) > before, refusal)
            collector.become("takes")
        line.send(20)
        wait_until(lambda: sum(span[1] - span[0] + 1 for span in spans(
            by_sequence(collector.taken + collector.refused))) >= line.sent, "all values")
        line.send(1)
        wait_for_count = len(collector.taken) + 1
        wait_until(lambda: len(collector.taken) >= wait_for_count, "one more batch")
        log = station.stop()
        refused = by_sequence(collector.refused)
        check_equal(len(refused), len(collector.refused), "a refused batch came again")
        check(not set(refused) & set(collector.batches()), "a refused batch was taken")
        # It is one story, with those that were given up.
        check_all_there(refused | collector.batches(), line.sent)
        last = collector.batches()[max(collector.batches())]
        check_equal(last["lost"]["refused"], len(refused))
        check_equal(log.count("refuses"), len(refused), log)


@case
def the_oldest_batch_goes_when_the_store_is_full(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line:
        collector.become(Collector.AWAY)
        arguments = options(bench, collector, store_batches=4)
        station = Station(bench, *arguments)
        while max(stored(bench.folder / "store"), default=0) < 12:
            line.send(10)
            time.sleep(0.02)
        # The file does not grow, and it holds the newest.
        check((bench.folder / "store").stat().st_size <= 5 * 8192, "the store has grown")
        collector.become("takes")
        line.wait_until_read()
        line.send(1)
        wait_until(lambda: any(span[1] == line.sent for span in spans(collector.batches())),
                   "the last value")
        def lost() -> int:
            batches = collector.batches()
            return batches[max(batches)]["lost"]["batches"]

        newest = len(collector.taken)
        wait_until(lambda: len(collector.taken) > newest + 1, "batches that tell of the loss")
        counted = lost()
        log = station.stop()
        batches = collector.batches()
        missing = set(range(1, max(batches) + 1)) - set(batches)
        check(len(missing) >= 7 and missing | {1} == set(range(1, max(missing) + 1)), missing, log)
        line.send(1)
        station = Station(bench, *arguments)
        wait_until(lambda: any(span[1] == line.sent for span in spans(collector.batches())),
                   "the last value after the restart")
        station.stop()
        # Number 1 was on its way when it lost its place, and came nevertheless.
        check_equal(counted, max(missing), log)


@case
def names_come_from_the_hosts_file_as_it_is_now(bench: Bench) -> None:
    hosts = bench.file("hosts", "127.0.0.1 localhost\n")
    bench.file("resolv.conf", "nameserver 127.0.0.1\n")
    collector, line = desk(bench)
    with collector, line:
        arguments = options(bench, collector, url=f"http://collector.example:{collector.port}/batches")
        station = in_mounts_of_its_own(bench, """
            mount --bind hosts /etc/hosts
            mount --bind resolv.conf /etc/resolv.conf""", *arguments)
        line.send(10)
        station.wait_for("server: ")
        with hosts.open("a") as file:
            file.write("127.0.0.1 collector.example\n")
        station.wait_for("server: well again")
        wait_for_all(collector, line)
        station.stop()
        check_all_there(collector.batches(), line.sent)


# Stops and kills.

@case
def a_stop_keeps_the_open_window(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line:
        arguments = options(bench, collector, window="1h")
        for turn, number in enumerate((15, 2, 15, 15), 1):
            station = Station(bench, *arguments)
            station.wait_for("batches wait to be sent")
            line.send(50)
            line.wait_until_read()
            log = station.stop(number)
            check(", 0 wait" not in log, log)
            # One that has read nothing has nothing to add.
            if turn == 3:
                station = Station(bench, *options(bench, None, window="1h"))
                station.wait_for("batches wait to be sent")
                check(", 0 wait" not in station.stop(), station.log)
        station = Station(bench, *arguments)
        wait_for_all(collector, line)
        station.stop()
        check_all_there(collector.batches(), line.sent)
        check_equal(len(collector.batches()), 4)


@case
def kills_lose_nothing_that_was_stored(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line:
        kill_at_random(bench, collector, line, bench.folder / "store",
                       options(bench, collector, store_batches=64), kills=24, life_s=0.6)


# The store.

@case
def what_cannot_be_the_store_is_1_with_clear_words(bench: Bench) -> None:
    (bench.folder / "folder").mkdir()
    os.mkfifo(bench.folder / "fifo")
    bench.file("notes", "Call the landlord about the attic.\n")
    bench.file("noise", random.Random(3).randbytes(100_000))
    bench.file("late", bytes(1024) + b"a file system's superblock" + bytes(100_000))
    before = {name: (bench.folder / name).read_bytes() for name in ("notes", "noise", "late")}
    for store, words in [("folder", "Is a directory"), ("missing/store", "No such file"),
                         ("notes/store", "Not a directory"), ("x" * 256, "File name too long"),
                         ("fifo", "not a regular file"), ("/dev/zero", "not a regular file"),
                         ("/dev/null", "not a regular file"), ("notes", "which is no store"),
                         ("noise", "which is no store"), ("late", "which is no store")]:
        ended = bench.run(*options(bench, None, store=store))
        check_equal(ended.status, 1, store, ended.err)
        check(store in ended.err.splitlines()[0] and words in ended.err, store, words, ended.err)
    for name, content in before.items():
        check((bench.folder / name).read_bytes() == content, name, "was written to")
    ended = in_private_mounts(bench, """
        mount -t tmpfs none disk
        mount -o remount,ro disk
        exec "$0" "$@" """, *options(bench, None, store="disk/store"))
    check_equal(ended.status, 1, ended.err)
    check("disk/store" in ended.err and "Read-only file system" in ended.err, ended.err)


@case
def a_store_of_another_number_of_batches_is_refused(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line:
        collector.become(Collector.AWAY)
        station = Station(bench, *options(bench, collector, store_batches=8))
        line.send(10)
        wait_until(lambda: stored(bench.folder / "store"), "a batch")
        station.stop()
        kept = (bench.folder / "store").read_bytes()
        for count in (4, 7, 9, 1024):
            ended = bench.run(*options(bench, collector, store_batches=count))
            check_equal(ended.status, 1, ended.err)
            first = ended.err.splitlines()[0]
            check(f"{bench.folder}/store" in first and "8 batches" in first, first)
            check("another --name" in ended.err.splitlines()[1], ended.err)
        check((bench.folder / "store").read_bytes() == kept, "it was written to")
        collector.become("takes")
        station = Station(bench, *options(bench, collector, store_batches=8))
        wait_for_all(collector, line)
        station.stop()
        check_all_there(collector.batches(), line.sent)


@case
def damage_in_the_store_costs_what_was_damaged(bench: Bench) -> None:
    collector, line = desk(bench)
    store = bench.folder / "store"
    with collector, line:
        collector.become(Collector.AWAY)
        arguments = options(bench, collector, store_batches=16)
        station = Station(bench, *arguments)
        while max(stored(store), default=0) < 8:
            line.send(5)
            time.sleep(0.05)
        station.stop()
        kept = stored(store)
        content = bytearray(store.read_bytes())
        for sequence in (2, 5):
            content[(1 + sequence % 16) * 8192 + 40] ^= 0x20
        content[0:4096] = os.urandom(4096)
        store.write_bytes(content)
        collector.become("takes")
        station = Station(bench, *arguments)
        wait_until(lambda: set(kept) - {2, 5} <= set(collector.batches()), "the others")
        line.send(5)
        wait_until(lambda: max(collector.batches()) > max(kept), "a new one")
        station.stop()
        check(not {2, 5} & set(collector.batches()), "damaged ones were sent")
        check_equal(collector.batches()[max(collector.batches())]["lost"]["batches"], 2)
        for sequence in set(kept) - {2, 5}:
            check_equal(collector.batches()[sequence], json.loads(kept[sequence]))


@case
def a_full_disk_makes_a_window_longer(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line:
        station = in_mounts_of_its_own(
            bench, "mount -t tmpfs -o size=6m none disk",
            *options(bench, collector, store=bench.folder / "disk/store"))
        line.send(20)
        wait_for_all(collector, line)
        for turn in range(1, 5):
            with full(station.inside(bench.folder / "disk")):
                before = len(collector.batches())
                line.send(1)
                station.wait_for("store: ", 2 * turn - 1)
                line.send(100)
                line.wait_until_read()
            station.wait_for("store: well again", turn)
            wait_for_all(collector, line)
            check(len(collector.batches()) > before, "nothing came")
        log = station.stop()
        check("store: No space left on device; trying again" in log, log)
        batches = collector.batches()
        check_all_there(batches, line.sent)
        check(any("store" in batch["condition"] for batch in batches.values()),
              "no batch says that the store was ill")


@case
def a_frozen_disk_is_a_stuck_task_that_is_named(bench: Bench) -> None:
    if shutil.which("mkfs.ext4") is None and not pathlib.Path("/sbin/mkfs.ext4").exists():
        raise Skipped("there is no mkfs.ext4")
    image = bench.file("image", b"")
    os.truncate(image, 8 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True,
                   env=os.environ | {"PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"})
    probe = in_private_mounts(bench, "mount -o loop image disk")
    if probe.status:
        raise Skipped("no loop mount: " + probe.err.strip())
    collector, line = desk(bench)
    with collector, line, Manager(bench.folder / "notify") as manager:
        station = in_mounts_of_its_own(
            bench, "mount -o loop image disk",
            *options(bench, collector, store=bench.folder / "disk/store"), env=manager.environment)
        line.send(20)
        wait_for_all(collector, line)
        manager.wait_for("WATCHDOG=1")
        with frozen(station.inside(bench.folder / "disk")):
            line.send(20)
            station.wait_for("health: store has not voted for")
            late = time.monotonic()
            time.sleep(3)  # the manager would have ended it by now
            check(manager.last_fed() <= late, "fed, though a task is stuck")
            line.send(20)
        station.wait_for("health: store votes again")
        wait_until(lambda: manager.last_fed() > late, "it to be fed again")
        wait_for_all(collector, line)
        log = station.stop()
        check(re.search(r"health:   store: .*\.cpp:\d+ for ", log), log)
        check_all_there(collector.batches(), line.sent)


# The serial line.

@case
def a_serial_line_is_unplugged_and_another_plugged_in(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line:
        station = Station(bench, *options(bench, collector))
        for turn in range(1, 5):
            line.send(30)
            line.write(b"n=9999")  # of which nobody knows whether it is whole
            line.wait_until_read()
            line.unplug()
            station.wait_for("serial: ", 2 * turn - 1)
            line.plug_in()
            line.send(1)
            station.wait_for("serial: well again", turn)
        line.send(30)
        wait_for_all(collector, line)
        station.stop()
        check_all_there(collector.batches(), line.sent)
        check(any("serial" in batch["condition"] for batch in collector.batches().values()),
              "no batch says that the serial line was ill")


@case
def a_serial_line_that_is_not_there_yet_is_waited_for(bench: Bench) -> None:
    with Collector() as collector:
        station = Station(bench, *options(bench, collector))
        station.wait_for("serial: No such file or directory; trying again")
        bench.file("serial", "no terminal")
        time.sleep(1.5)
        (bench.folder / "serial").unlink()
        with SerialLine(bench.folder / "serial") as line:
            line.send(10)
            station.wait_for("serial: well again")
            wait_for_all(collector, line)
            station.stop()
            check_all_there(collector.batches(), line.sent)


@case
def bad_lines_are_counted_and_leave_the_good_ones(bench: Bench) -> None:
    bad = [b"", b"n", b"=", b"=5", b"n=", b"n=x", b"n=1x", b"n= 1", b" n=1", b"n=1 ", b"n==1",
           b"n=nan", b"n=inf", b"n=1e999", b"n=0x10", b"n=1,5", b"n=1=2", b"m n=1", b"n\0=1",
           b"n=1\0", b"\xff\xfe=1", "t\u00e4=1".encode(), b"n=1*", b"n=1*0", b"n=1*000",
           b"n=1*zz", b"n=1*00", b"*00", b"n=1*6e*6e", b"x" * 24 + b"=1", b"x" * 81,
           b"n=" + b"1" * 79, b"y" * 5000, b"\x11\x13\x03\x04\x1a"]
    collector, line = desk(bench)
    with collector, line:
        station = Station(bench, *options(bench, collector))
        for each in bad:
            line.send(1)
            line.write(each + b"\n")
        line.send(1)
        line.write(b"m=1\r\nm=-2.5e-3\nm=.5\nm=1e3\nm=" + b"0" * 77 + b"1\n")
        wait_for_all(collector, line)
        wait_until(lambda: count_of(collector, "m") >= 5, "the odd ones")
        line.send(1)  # so that one more batch counts all
        wait_for_all(collector, line)
        log = station.stop()
        batches = collector.batches()
        check_all_there(batches, line.sent)
        check_equal(batches[max(batches)]["lost"]["bad_lines"], len(bad), log)
        check_equal(count_of(collector, "m"), 5)
        check_equal({name for batch in batches.values() for name in batch["channels"]}, {"n", "m"})


@case
def noise_on_the_line_leaves_the_good_lines(bench: Bench) -> None:
    rng = random.Random(7)
    collector, line = desk(bench)
    with collector, line:
        station = Station(bench, *options(bench, collector))
        for _ in range(60):
            noise = rng.randbytes(rng.randrange(1, 3000)).replace(b"=", b"-")
            line.write(noise + b"\n")
            line.send(5)
        wait_for_all(collector, line)
        log = station.stop()
        check_all_there(collector.batches(), line.sent)
        check(not re.search(r"[\0-\x09\x0b-\x1f\x7f]", log), "control characters in the log")
        check_equal(len(log.splitlines()), 2, log)


# The service manager.

@case
def the_service_manager_is_told_of_start_condition_and_stop(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line, Manager(bench.folder / "notify") as manager:
        station = Station(bench, *options(bench, collector), env=manager.environment)
        manager.wait_for("READY=1")
        manager.wait_for("STATUS=all well")
        manager.wait_for("WATCHDOG=1")
        collector.become(Collector.AWAY)
        line.send(5)
        manager.wait_for("STATUS=ill: server")
        line.unplug()
        manager.wait_for("STATUS=ill: serial, server")
        line.plug_in()
        line.send(1)
        before = len(manager.said())
        collector.become("takes")
        manager.wait_for("STATUS=all well", before)
        fed = manager.said().count("WATCHDOG=1")
        wait_until(lambda: manager.said().count("WATCHDOG=1") > fed + 1, "more feedings")
        station.stop()
        manager.wait_for("STOPPING=1")
        said = manager.said()
        for once in ("READY=1", "STOPPING=1"):
            check_equal(said.count(once), 1, said)
        check(set(said[:said.index("READY=1")]) <= {"STATUS=all well", "WATCHDOG=1"}, said)
        check(set(said[said.index("STOPPING=1") + 1:]) <= {"WATCHDOG=1"}, said)


@case
def a_service_manager_that_is_gone_is_a_warning(bench: Bench) -> None:
    collector, line = desk(bench)
    with collector, line:
        station = Station(bench, *options(bench, collector), env={
            **os.environ, "NOTIFY_SOCKET": str(bench.folder / "gone"), "WATCHDOG_USEC": "3000000"})
        line.send(10)
        wait_for_all(collector, line)
        check("warning: service manager: No such file or directory" in station.stop(), station.log)
        check_all_there(collector.batches(), line.sent)


@case
def a_watchdog_or_a_manager_that_cannot_be_had_is_1(bench: Bench) -> None:
    write_board(bench)
    for device, words in [("/dev/missing", "No such file"), ("/dev/null", "Inappropriate ioctl")]:
        arguments = options(bench, None, watchdog="watchdog")
        write_board(bench, watchdog={"kind": "watchdog", "device": device})
        ended = bench.run(*arguments)
        check_equal(ended.status, 1, ended.err)
        check(f"{device} cannot be the watchdog" in ended.err and words in ended.err, ended.err)
    ended = bench.run(*options(bench, None), env={**os.environ, "NOTIFY_SOCKET": "x" * 200})
    check_equal(ended.status, 1, ended.err)
    check("NOTIFY_SOCKET" in ended.err and "File name too long" in ended.err, ended.err)


if __name__ == "__main__":
    sys.exit(main())
