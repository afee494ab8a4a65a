#!/usr/bin/env python3
"""The I2C driver on the emulated board's machine with an I2C adapter and chips: its cases pass, and
what it does, as the kernel traces it, is what the tools of I2C do.

Usage: i2c_chips_test.py TOOLS_BOARD BOARD DEVICE_TOOL CASES
"""

import re
import subprocess
import sys
import unittest

TOOLS_BOARD, BOARD, TOOL, CASES = sys.argv[1:]
del sys.argv[1:]
MACHINE = "vexpress"
BUS = "/dev/i2c-0"
# Prints the I2C messages that a command leads to, after its own output.
TRACED = """trace=/sys/kernel/debug/tracing
echo > $trace/trace && echo 1 > $trace/events/i2c/enable || exit 1
"$@"; status=$?
echo 0 > $trace/events/i2c/enable; cat $trace/trace; exit $status"""


def board(command, *arguments, check=True):
    return subprocess.run([TOOLS_BOARD, command, BOARD, "--machine", MACHINE, *arguments],
                          check=check, capture_output=True, text=True)


def output(*command):
    return board("run", "--", *command).stdout.strip()


def messages(*command):
    """What goes over the bus: "write a=050 l=3 [01-00-41]", "read a=048 l=2", "result n=2 ret=2"."""
    traced = output("sh", "-c", TRACED, "sh", *command)
    return [re.sub(r"i2c-0 |#\d+ |f=\w+ ", "", found)
            for found in re.findall(r": i2c_(\w+: .*)", traced)]


class I2cChips(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        output("modprobe", "-a", "i2c-versatile", "i2c-dev")

    def test_cases_pass_and_none_is_skipped(self):
        ended = board("run", "--", CASES, check=False)
        print(ended.stdout[-4000:], ended.stderr, flush=True)
        self.assertEqual(ended.returncode, 0)
        self.assertIn("PASSED", ended.stdout)
        self.assertNotIn("SKIPPED", ended.stdout)

    def test_chips_are_those_that_i2cdetect_finds(self):
        table = output("i2cdetect", "-y", "0").splitlines()[1:]
        listed = [word for row in table for word in row.split(":")[1].split() if word != "--"]
        self.assertEqual(output(TOOL, "i2c-scan", BUS).split(), listed)
        self.assertEqual(listed, ["20", "39", "48", "50"])

    def test_an_exchange_is_on_the_bus_what_i2ctransfer_makes_of_it(self):
        ours = messages(TOOL, "i2c-exchange", BUS, "0x48", "2", "2")
        self.assertEqual(ours, messages("i2ctransfer", "-y", "0", "w1@0x48", "2", "r2"))
        self.assertEqual([line.split(":")[0] for line in ours],
                         ["write", "read", "reply", "result"])
        output("i2ctransfer", "-y", "0", "w3@0x48", "2", "0x21", "0x40")
        self.assertEqual(output(TOOL, "i2c-exchange", BUS, "0x48", "2", "2"),
                         output("i2ctransfer", "-y", "0", "w1@0x48", "2", "r2"))

    def test_a_memory_is_read_by_i2ctransfer_as_it_was_written_and_the_reverse(self):
        text = "".join(chr(ord("0") + i) for i in range(70))
        output(TOOL, "i2c-store", BUS, "0x50", "0x13c", text)
        seen = output("i2ctransfer", "-y", "0", "w2@0x50", "0x01", "0x3c", "r70")
        self.assertEqual("".join(chr(int(byte, 0)) for byte in seen.split()), text)
        output("i2ctransfer", "-y", "0", "w7@0x50", "0x02", "0x00", *map(hex, b"hello"))
        self.assertEqual(output(TOOL, "i2c-recall", BUS, "0x50", "0x200", "5"), "hello")

    def test_a_write_to_memory_goes_page_by_page_and_asks_after_each(self):
        # From 0x13e on: two bytes, a page from 0x140 on, and one byte at 0x160.
        sent = [line for line in messages(TOOL, "i2c-store", BUS, "0x50", "0x13e", "ab" + "c" * 32
                                          + "d") if line.startswith("write")]
        self.assertEqual(sent, [
            "write: a=050 l=4 [01-3e-61-62]", "write: a=050 l=2 [01-3e]",
            f"write: a=050 l=34 [01-40{'-63' * 32}]", "write: a=050 l=2 [01-40]",
            "write: a=050 l=3 [01-60-64]", "write: a=050 l=2 [01-60]"])

    def test_a_thermometer_tells_the_temperature_that_it_has(self):
        for bits, configuration, values in (
                (12, "0x60", {"21500": 21500, "-24500": -24500, "-125": -125, "20063": 20062}),
                (9, "0x00", {"21700": 21500, "-24600": -25000})):
            output("i2cset", "-y", "0", "0x48", "1", configuration)
            for value, wanted in values.items():
                board("set", f"thermometer.temperature={value}")
                ours, word = output("sh", "-c", f"{TOOL} i2c-temperature {BUS} 0x48 {bits};"
                                    " i2cget -y 0 0x48 0 w").split()
                self.assertEqual(int(ours), wanted)
                # It takes the low byte for the first one.
                parts = int.from_bytes(int(word, 0).to_bytes(2, "little"), "big", signed=True)
                self.assertEqual(int(ours), int(parts * 1000 / 256))


if __name__ == "__main__":
    unittest.main(verbosity=2)
