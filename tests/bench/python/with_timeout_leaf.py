import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402

import loops  # noqa: E402


async def limited(count: int) -> None:
    for _ in range(count):
        async with asyncio.timeout(1):
            await asyncio.sleep(0)


async def main(given: argparse.Namespace) -> None:
    async def work(ops: int) -> None:
        await loops.side_by_side(given.tasks, limited, ops)

    await loops.measure("with_timeout_leaf", given.loop, given.ops, work)


loops.run(main, ops=100_000, tasks=100)
