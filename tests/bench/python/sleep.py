"""Python's timers have a slack of 1 ms, by the wait of the loop; there is no other."""

import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402
import time  # noqa: E402

import bench  # noqa: E402
import loops  # noqa: E402


async def main(given: argparse.Namespace) -> None:
    lateness = bench.Latencies()

    async def sleeper(index: int) -> None:
        delays = bench.Delays(index)
        while True:
            delay = delays.next()
            deadline = time.monotonic_ns() + delay
            await asyncio.sleep(delay / 1e9)
            lateness.add(time.monotonic_ns() - deadline)

    sleepers = [asyncio.create_task(sleeper(i)) for i in range(given.sleepers)]
    await asyncio.sleep(given.seconds / 10)
    lateness.clear()
    stretch = bench.Stretch()
    stretch.begin()
    await asyncio.sleep(given.seconds)
    stretch.end()
    ops = len(lateness.values)
    for task in sleepers:
        task.cancel()
    bench.print_result("sleep", given.loop, ops, stretch.cpu, stretch.wall, lateness.text())


loops.run(main, sleepers=10_000, seconds=2)
