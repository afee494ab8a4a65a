"""In a thread of asyncio.to_thread()."""

import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402

import bench  # noqa: E402
import loops  # noqa: E402


async def main(given: argparse.Namespace) -> None:
    file = os.open(given.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    block = bytes(bench.BLOCK)
    latencies = bench.Latencies()

    def append() -> None:
        os.write(file, block)
        os.fsync(file)

    async def work(ops: int) -> None:
        for _ in range(ops):
            begin = time.monotonic_ns()
            await asyncio.to_thread(append)
            latencies.add(time.monotonic_ns() - begin)

    await loops.measure("append_fsync", given.loop, given.ops, work, latencies)


loops.run(main, path="bench.log", ops=2000)
