"""In the threads of asyncio.to_thread()."""

import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402
import mmap  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402

import bench  # noqa: E402
import loops  # noqa: E402


async def main(given: argparse.Namespace) -> None:
    file = os.open(given.path, os.O_RDONLY | (os.O_DIRECT if given.direct else 0))
    offsets = bench.Offsets(os.fstat(file).st_size)
    latencies = bench.Latencies()

    async def reads(count: int) -> None:
        block = mmap.mmap(-1, bench.BLOCK)  # aligned for O_DIRECT
        for _ in range(count):
            offset = offsets.next()
            begin = time.monotonic_ns()
            await asyncio.to_thread(os.preadv, file, [block], offset)
            latencies.add(time.monotonic_ns() - begin)

    async def work(ops: int) -> None:
        await loops.side_by_side(bench.READS_UNDER_WAY, reads, ops)

    await loops.measure("file_read", given.loop, given.ops, work, latencies)


loops.run(main, path="bench.data", direct=0, ops=30_000)
