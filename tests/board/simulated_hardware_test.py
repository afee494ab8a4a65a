#!/usr/bin/env python3
"""Run on an emulated board: the simulated hardware that drivers are tested on is there, and answers
as hardware does. What the tools of GPIO and I2C say stands beside what the simulators say.

Usage: simulated_hardware_test.py SIMULATED_HARDWARE    (tools/boards/simulated-hardware)
"""

import os
import pathlib
import socket
import struct
import subprocess
import sys
import termios
import unittest

MAKE = sys.argv.pop(1)
LAB = pathlib.Path("/run/ringlet/lab")
IIO = pathlib.Path("/sys/bus/iio/devices")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class SimulatedHardware(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for _ in range(2):  # it may be repeated
            subprocess.run([MAKE], check=True)

    def test_gpio_inputs_are_driven_and_outputs_seen(self):
        for pull, value in (("pull-up", "1"), ("pull-down", "0")):
            (LAB / "sim_gpio0/pull").write_text(pull)
            self.assertEqual(output("gpioget", "lab", "0"), value)
        for value in ("1", "0"):
            holder = subprocess.Popen(["gpioset", "--mode=signal", "lab", f"1={value}"])
            try:
                while (LAB / "sim_gpio1/value").read_text().strip() != value:
                    self.assertIsNone(holder.poll())
            finally:
                holder.terminate()
                holder.wait()

    def test_gpio_edges_are_told(self):
        (LAB / "sim_gpio2/pull").write_text("pull-down")
        with subprocess.Popen(["gpiomon", "--num-events=2", "--line-buffered", "--format=%e", "lab",
                               "2"], stdout=subprocess.PIPE, text=True) as monitor:
            while "gpiomon" not in output("gpioinfo", "lab"):
                self.assertIsNone(monitor.poll())
            # One at a time: an edge that comes while another is handled takes that one's place.
            for pull, event in (("pull-up", "1"), ("pull-down", "0")):
                (LAB / "sim_gpio2/pull").write_text(pull)
                self.assertEqual(monitor.stdout.readline().strip(), event)

    def test_i2c_registers_remember(self):
        output("i2cset", "-y", "0", "0x48", "1", "0x5a")
        self.assertEqual(output("i2cget", "-y", "0", "0x48", "1"), "0x5a")
        absent = subprocess.run(["i2cget", "-y", "0", "0x33", "1"], capture_output=True)
        self.assertNotEqual(absent.returncode, 0)

    def test_can_frames_reach_the_others_on_the_bus(self):
        with socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as one, \
                socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as other:
            one.bind(("vcan0",))
            other.bind(("vcan0",))
            frame = struct.pack("=IB3x8s", 0x123, 3, b"abc")
            one.send(frame)
            self.assertEqual(other.recv(16), frame)

    def test_a_serial_line_has_two_ends(self):
        near = os.open("/run/ringlet/serial", os.O_RDWR | os.O_NOCTTY)
        far = os.open("/run/ringlet/serial-peer", os.O_RDWR | os.O_NOCTTY)
        try:
            os.write(near, b"\x00ping\n\xff")
            self.assertEqual(os.read(far, 64), b"\x00ping\n\xff")
            settings = termios.tcgetattr(near)
            settings[4] = settings[5] = termios.B115200
            termios.tcsetattr(near, termios.TCSANOW, settings)
        finally:
            os.close(near)
            os.close(far)

    def test_the_watchdog_is_fed_and_closed(self):
        watchdog = os.open("/dev/watchdog", os.O_WRONLY)
        try:
            for _ in range(3):
                os.write(watchdog, b"\0")
        finally:
            os.write(watchdog, b"V")  # else the machine would be reset
            os.close(watchdog)

    def test_an_led_tells_its_brightness(self):
        led = os.open("/dev/uleds", os.O_RDWR)
        try:
            os.write(led, struct.pack("64si", b"lab:led", 255))
            self.assertEqual(struct.unpack("i", os.read(led, 4)), (0,))
            pathlib.Path("/sys/class/leds/lab:led/brightness").write_text("7")
            self.assertEqual(struct.unpack("i", os.read(led, 4)), (7,))
        finally:
            os.close(led)

    def test_a_converter_measures(self):
        device = next(path for path in IIO.glob("iio:device*")
                      if (path / "name").read_text().strip() == "lab")
        self.assertIsInstance(int((device / "in_voltage0_raw").read_text()), int)

    def test_a_clock_ticks(self):
        self.assertGreater(int(pathlib.Path("/sys/class/rtc/rtc0/since_epoch").read_text()), 1e9)

    def test_input_devices_can_be_made(self):
        os.close(os.open("/dev/uinput", os.O_WRONLY))


if __name__ == "__main__":
    unittest.main(verbosity=2)
