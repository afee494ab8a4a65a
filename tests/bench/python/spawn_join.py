import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402

import loops  # noqa: E402


async def one() -> int:
    return 1


async def spawns(count: int) -> None:
    for _ in range(count):
        await asyncio.create_task(one())


async def main(given: argparse.Namespace) -> None:
    await loops.measure("spawn_join", given.loop, given.ops, spawns)


loops.run(main, ops=100_000)
