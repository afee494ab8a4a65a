#!/usr/bin/env python3
"""Run on an emulated board: the station with all its devices at once, which are the kernel's
simulated hardware, and a server on the loopback. What the devices say arrives, each value once,
whatever is unplugged, full, away, killed or stuck.

Usage: station_test.py STATION BOARD_JSON SIMULATED_HARDWARE [CASE...]
"""

import contextlib
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "apps"))

from bench import Bench, case, check, check_equal, in_background, main, wait_until  # noqa: E402
from station_peers import (Collector, Manager, SerialLine, Station, check_all_there,  # noqa: E402
                           count_of, frozen, full, kill_at_random, wait_for_all)

BOARD, MAKE = (sys.argv.pop(2) for _ in range(2))
LAB, SERIAL = pathlib.Path("/run/ringlet/lab"), pathlib.Path("/run/ringlet/serial")
WATCHDOG = pathlib.Path("/sys/class/watchdog/watchdog0")
SENSOR_TAKEN = pathlib.Path("/sys/bus/i2c/devices/i2c-0")


def tool(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


# What the devices say.

def warm_to(degrees: float) -> None:
    high, low = struct.pack(">h", round(degrees * 256))
    tool("i2cset", "-y", "0", "0x48", "0", f"0x{low:02x}{high:02x}", "w")


def press() -> None:
    for pull in ("pull-down", "pull-up"):  # it is active low
        (LAB / "sim_gpio0/pull").write_text(pull)
        time.sleep(0.1)


def led() -> str:
    return (LAB / "sim_gpio1/value").read_text().strip()


class CanBus:
    """Sends the channel "can-123", whose values count as those of the serial line do."""

    def __init__(self) -> None:
        self.sent = 0
        self.socket = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
        self.socket.bind(("vcan0",))

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, count: int) -> None:
        for _ in range(count):
            self.sent += 1
            self.socket.send(struct.pack("=IB3x8s", 0x123, 2, struct.pack("<h", self.sent)))
            time.sleep(0.004)  # the kernel has room for some hundred

    def wait_for_all(self, collector: Collector) -> None:
        wait_until(lambda: count_of(collector, "can-123") >= self.sent, f"all {self.sent} frames")


@contextlib.contextmanager
def hardware(bench: Bench):
    """The devices, a serial line and a bus to speak on, and a watchdog that barks and bites not."""
    tool(MAKE)
    warm_to(20)
    tool("rmmod", "softdog")
    tool("modprobe", "softdog", "soft_noboot=1")
    try:
        with SerialLine(SERIAL, pathlib.Path(f"{SERIAL}-peer")) as line, CanBus() as can:
            yield line, can
    finally:
        bench.end()
        tool("ip", "link", "set", "vcan0", "up")
        pathlib.Path("/dev/watchdog").write_bytes(b"V")  # a killed station has left it running
        tool("rmmod", "softdog")
        tool("modprobe", "softdog")


def options(store: pathlib.Path, collector: Collector, **more) -> list:
    settings = {"board": BOARD, "sensor": "sensors", "sensor-every": "100ms", "button": "button",
                "serial": "serial", "can": "can", "led": "led", "watchdog": "watchdog",
                "watchdog-timeout": "20s", "store": store, "window": "250ms", "retry-max": "1s",
                "post-timeout": "2s", "url": collector.url}
    settings |= {name.replace("_", "-"): value for name, value in more.items()}
    return [f"--{name}={value}" for name, value in settings.items()]


def wait_until_all_is_open(collector: Collector) -> None:
    """Who spoke before would not be heard."""
    users = pathlib.Path("/sys/kernel/debug/gpio")
    wait_until(lambda: users.read_text().count("station") == 2, "the button and the LED to be held")
    while not count_of(collector, "can-7fe"):
        tool("cansend", "vcan0", "7fe#0100")
    wait_until(lambda: count_of(collector, "temperature"), "a temperature")


def check_disarmed_and_dark() -> None:
    check_equal((WATCHDOG / "state").read_text().strip(), "inactive", "the watchdog")
    check_equal(led(), "0", "the LED")


def check_nothing_lost(collector: Collector) -> None:
    batches = collector.batches()
    last = batches[max(batches)]["lost"]
    check_equal({name for name, count in last.items() if count}, set(), last)


@case
def all_devices_at_once(bench: Bench) -> None:
    with hardware(bench) as (line, can), Collector() as collector:
        station = Station(bench, *options(bench.folder / "store", collector))
        wait_until_all_is_open(collector)
        check_equal((WATCHDOG / "state").read_text().strip(), "active", "the watchdog")
        check_equal((WATCHDOG / "timeout").read_text().strip(), "20")
        talking = in_background(lambda: (line.send(1000), can.send(300)))
        for number in range(1, 6):
            press()
            wait_until(lambda: count_of(collector, "button") >= number, f"press {number}")
        for degrees in (25.5, -40, 85.125):
            warm_to(degrees)
            wait_until(lambda: any(batch["channels"].get("temperature", {}).get("last") == degrees
                                   for batch in collector.batches().values()), f"{degrees} C")
        for frame in ("001#R", "002#", "003#01", "00000004#0180", "7ff#ffff"):
            tool("cansend", "vcan0", frame)
        for name, value in (("can-00000004", -32767), ("can-7ff", -1)):
            wait_until(lambda: count_of(collector, name) == 1, name)
            check(any(batch["channels"].get(name, {}).get("last") == value
                      for batch in collector.batches().values()), name)
        for value in "1010":
            wait_until(lambda: led() == value, f"the LED to be {value}")
        talking.join()
        wait_for_all(collector, line)
        can.wait_for_all(collector)
        wait_until(lambda: max(collector.batches().items())[1]["lost"]["bad_frames"], "the count")
        station.stop()
        check_disarmed_and_dark()
        batches = collector.batches()
        check_all_there(batches, line.sent)
        check_all_there(batches, can.sent, "can-123")
        check_equal(count_of(collector, "button"), 5)
        check_equal(batches[max(batches)]["lost"]["bad_frames"], 3)
        check_equal(batches[max(batches)]["condition"], "all well")
        check("warning:" not in station.log and "error:" not in station.log, station.log)


class Faults:
    """What happens to a station, and ends again. Each waits until the station has noticed."""

    def __init__(self, station: Station, collector: Collector, can: CanBus, disk: pathlib.Path,
                 rng: random.Random) -> None:
        self.station, self.collector, self.can = station, collector, can
        self.disk, self.rng = disk, rng

    def notices(self, part: str):
        """Within it, the part is ill; after it, it is well again."""
        ill = len(re.findall(f"^warning: {part}: ", self.station.log, re.M))
        well = self.station.log.count(f"info: {part}: well again")

        @contextlib.contextmanager
        def both():
            self.station.wait_for(f"warning: {part}: ", ill + 1)
            yield
            self.station.wait_for(f"info: {part}: well again", well + 1)

        return both()

    def server_away(self) -> None:
        noticed = self.notices("server")
        self.collector.become(self.rng.choice(Collector.FAULTS))
        with noticed:
            self.collector.become("takes")

    def sensor_taken_by_a_kernel_driver(self) -> None:
        noticed = self.notices("sensor")
        (SENSOR_TAKEN / "new_device").write_text("dummy 0x48")
        with noticed:
            (SENSOR_TAKEN / "delete_device").write_text("0x48")

    def sensor_unplugged_with_its_bus(self) -> None:
        noticed = self.notices("sensor")
        (SENSOR_TAKEN / "new_device").write_text("dummy 0x48")
        with noticed:
            # Between two attempts the station does not hold it.
            wait_until(lambda: subprocess.run(["rmmod", "i2c_stub"],
                                              capture_output=True).returncode == 0, "the bus to go")
            time.sleep(1.5)
            tool("modprobe", "i2c-stub", "chip_addr=0x48,0x50")

    def can_down(self) -> None:
        self.can.wait_for_all(self.collector)
        noticed = self.notices("can")
        tool("ip", "link", "set", "vcan0", "down")
        with noticed:
            tool("ip", "link", "set", "vcan0", "up")
            self.can.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # it was told, too

    def disk_full(self) -> None:
        noticed = self.notices("store")
        with contextlib.ExitStack() as until_well:
            with full(self.disk):
                until_well.enter_context(noticed)


@case
def faults_by_the_dozen(bench: Bench) -> None:
    disk = bench.folder / "disk"
    disk.mkdir()
    tool("mount", "-t", "tmpfs", "-o", "size=6m", "none", str(disk))
    rng = random.Random(5)
    try:
        with hardware(bench) as (line, can), Collector() as collector:
            station = Station(bench, *options(disk / "store", collector, store_batches=1024))
            wait_until_all_is_open(collector)
            faults = Faults(station, collector, can, disk, rng)
            kinds = [faults.server_away, faults.sensor_taken_by_a_kernel_driver,
                     faults.sensor_unplugged_with_its_bus, faults.can_down, faults.disk_full]
            order = [kind for kind in kinds for _ in range(3)]
            rng.shuffle(order)
            for kind in order:
                with line.speaking(0.02):
                    can.send(20)
                    kind()
                    can.send(20)
                    press()
                print(f"    {kind.__name__}", flush=True)
            wait_for_all(collector, line)
            can.wait_for_all(collector)
            wait_until(lambda: count_of(collector, "button") >= len(order), "all presses")
            log = station.stop()
            check_disarmed_and_dark()
            check_equal(log.count("warning:"), len(order), log)
            check("error:" not in log, log)
            check_all_there(collector.batches(), line.sent)
            check_all_there(collector.batches(), can.sent, "can-123")
            check_equal(count_of(collector, "button"), len(order))
            check_nothing_lost(collector)
    finally:
        tool("umount", str(disk))


@case
def kills_by_the_dozen(bench: Bench) -> None:
    with hardware(bench) as (line, _), Collector() as collector:
        kill_at_random(bench, collector, line, bench.folder / "store",
                       options(bench.folder / "store", collector, store_batches=64,
                               window="100ms"), kills=16, life_s=1.5)
        check_disarmed_and_dark()


@case
def a_stuck_task_is_named_and_the_watchdog_barks(bench: Bench) -> None:
    kernel_log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    os.lseek(kernel_log, 0, os.SEEK_END)

    def barks() -> bool:
        with contextlib.suppress(BlockingIOError):
            while line := os.read(kernel_log, 8192):
                if b"softdog: Triggered" in line:
                    return True
        return False

    with hardware(bench) as (line, _), Collector() as collector, \
            Manager(bench.folder / "notify", 6) as manager:
        station = Station(bench, *options(bench.folder / "store", collector, watchdog_timeout="4s"),
                          env=manager.environment)
        line.send(20)
        wait_for_all(collector, line)
        time.sleep(5)
        check(not barks(), "though all is well")
        with frozen(bench.folder):  # the root file system
            line.send(20)
            station.wait_for("health: store has not voted for")
            late = time.monotonic()
            wait_until(barks, "the watchdog to bark")
            check(manager.last_fed() <= late, "the service manager was told that all is alive")
        wait_until(lambda: manager.last_fed() > late, "it to be fed again")
        wait_for_all(collector, line)
        log = station.stop()
        check(re.search(r"health:   store: .*\.cpp:\d+ for ", log), log)
        check_all_there(collector.batches(), line.sent)
        check_disarmed_and_dark()
    os.close(kernel_log)


if __name__ == "__main__":
    sys.exit(main())
