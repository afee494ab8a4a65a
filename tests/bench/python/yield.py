import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402

import loops  # noqa: E402


async def yields(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def main(given: argparse.Namespace) -> None:
    async def work(ops: int) -> None:
        await loops.side_by_side(given.coroutines, yields, ops)

    await loops.measure("yield", given.loop, given.ops, work)


loops.run(main, ops=300_000, coroutines=1)
