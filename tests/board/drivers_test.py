#!/usr/bin/env python3
"""Run on an emulated board: the drivers on the kernel's simulated hardware. Their kernel cases all
run, and what device_tool sees and does is what the tools of GPIO and I2C do and see.

Usage: drivers_test.py SIMULATED_HARDWARE DEVICE_TOOL KERNEL_TEST...
"""

import pathlib
import subprocess
import sys
import unittest

MAKE, TOOL, *KERNEL_TESTS = sys.argv[1:]
del sys.argv[1:]
LAB = pathlib.Path("/run/ringlet/lab")
BUS = "/dev/i2c-0"


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def pull(line, up):
    (LAB / f"sim_gpio{line}/pull").write_text("pull-up" if up else "pull-down")


def level(line):
    return (LAB / f"sim_gpio{line}/value").read_text().strip()


class Drivers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([MAKE], check=True)

    def test_kernel_cases_pass_and_none_is_skipped(self):
        for program in KERNEL_TESTS:
            with self.subTest(pathlib.Path(program).name):
                ended = subprocess.run([program], capture_output=True, text=True)
                print(ended.stdout[-4000:], ended.stderr, flush=True)
                self.assertEqual(ended.returncode, 0)
                self.assertIn("PASSED", ended.stdout)
                self.assertNotIn("SKIPPED", ended.stdout)

    def test_i2c_registers_are_what_i2c_tools_say(self):
        for value in ("0xa5", "0x00", "0xff"):
            output(TOOL, "i2c-write", BUS, "0x48", "5", value)
            self.assertEqual(output("i2cget", "-y", "0", "0x48", "5"), value)
        output("i2cset", "-y", "0", "0x50", "9", "0x3c")
        self.assertEqual(output(TOOL, "i2c-read", BUS, "0x50", "9"), "0x3c")

    def test_i2c_chips_are_those_that_i2cdetect_finds(self):
        table = output("i2cdetect", "-y", "0").splitlines()[1:]
        listed = [word for row in table for word in row.split(":")[1].split() if word != "--"]
        self.assertEqual(output(TOOL, "i2c-scan", BUS).split(), listed)
        self.assertEqual(listed, ["48", "50"])

    def test_gpio_outputs_are_what_gpioinfo_and_the_wire_say(self):
        for value in ("1", "0"):
            holder = subprocess.Popen([TOOL, "gpio-set", "lab", "1", value], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            with holder:
                self.assertEqual(holder.stdout.readline().strip(), "set")
                self.assertEqual(level(1), value)
                (line,) = [row for row in output("gpioinfo", "lab").splitlines() if " 1:" in row]
                self.assertIn("ringlet", line)
                self.assertIn("output", line)
                busy = subprocess.run(["gpioget", "lab", "1"], capture_output=True)
                self.assertNotEqual(busy.returncode, 0)
                holder.stdin.close()
            self.assertEqual(holder.returncode, 0)
            subprocess.run(["gpioget", "lab", "1"], check=True, capture_output=True)  # let go

    def test_a_line_that_gpioset_holds_is_busy(self):
        with subprocess.Popen(["gpioset", "--mode=signal", "lab", "1=1"]) as holder:
            while level(1) != "1":
                self.assertIsNone(holder.poll())
            refused = subprocess.run([TOOL, "gpio-set", "lab", "1", "0"], capture_output=True,
                                     text=True, stdin=subprocess.DEVNULL)
            holder.terminate()
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("busy", refused.stderr)

    def test_gpio_edges_are_those_that_gpiomon_sees(self):
        ours = self.edges([TOOL, "gpio-monitor", "lab", "2", "20"], lambda first: first == "ready")
        theirs = self.edges(["gpiomon", "--num-events=20", "--line-buffered", "--format=%e", "lab",
                             "2"], None)
        self.assertEqual([edge.split()[0] for edge in ours], theirs)
        self.assertEqual([edge.split()[1] for edge in ours], [str(n) for n in range(1, 21)])

    def edges(self, command, is_ready):
        """What it prints of twenty edges. One at a time: the simulator merges what comes at once."""
        pull(2, False)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as monitor:
            if is_ready:
                self.assertTrue(is_ready(monitor.stdout.readline().strip()))
            while not is_ready and "gpiomon" not in output("gpioinfo", "lab"):
                self.assertIsNone(monitor.poll())
            seen = []
            for edge in range(20):
                pull(2, edge % 2 == 0)
                seen.append(monitor.stdout.readline().strip())
        return seen


if __name__ == "__main__":
    unittest.main(verbosity=2)
