import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402

import bench  # noqa: E402
import loops  # noqa: E402

ITEM = bytes(64)


async def main(given: argparse.Namespace) -> None:
    queue: asyncio.Queue[bytes] = asyncio.Queue(bench.QUEUE_PLACES)

    async def produce(count: int) -> None:
        for _ in range(count):
            await queue.put(ITEM)

    async def consume(count: int) -> None:
        for _ in range(count):
            await queue.get()

    async def work(ops: int) -> None:
        await asyncio.gather(loops.side_by_side(given.consumers, consume, ops),
                             loops.side_by_side(given.producers, produce, ops))

    await loops.measure("queue", given.loop, given.ops, work)


loops.run(main, ops=300_000, producers=1, consumers=1)
