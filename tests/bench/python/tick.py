import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402
import time  # noqa: E402

import bench  # noqa: E402
import loops  # noqa: E402

PERIOD = 1_000_000


async def main(given: argparse.Namespace) -> None:
    lateness = bench.Latencies()

    async def ticks(count: int) -> None:
        deadline = time.monotonic_ns()
        for _ in range(count):
            deadline += PERIOD
            await asyncio.sleep(max(0, deadline - time.monotonic_ns()) / 1e9)
            lateness.add(time.monotonic_ns() - deadline)

    await loops.measure("tick", given.loop, given.ticks, ticks, lateness)


loops.run(main, ticks=2000)
