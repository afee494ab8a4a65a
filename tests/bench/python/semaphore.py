import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402

import loops  # noqa: E402

TASKS = 10


async def main(given: argparse.Namespace) -> None:
    semaphore = asyncio.Semaphore(3)

    async def take_turns(count: int) -> None:
        for _ in range(count):
            async with semaphore:
                await asyncio.sleep(0)

    async def work(ops: int) -> None:
        await loops.side_by_side(TASKS, take_turns, ops)

    await loops.measure("semaphore", given.loop, given.ops, work)


loops.run(main, ops=200_000)
