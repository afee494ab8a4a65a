import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402

import loops  # noqa: E402


async def number(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def gathers(count: int) -> None:
    for _ in range(count):
        await asyncio.gather(number(1), number(2))


async def main(given: argparse.Namespace) -> None:
    await loops.measure("gather", given.loop, given.ops, gathers)


loops.run(main, ops=50_000)
