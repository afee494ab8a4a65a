import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402

import bench  # noqa: E402
import loops  # noqa: E402


async def sleeper() -> None:
    await asyncio.sleep(3600)


async def main(given: argparse.Namespace) -> None:
    tasks = [asyncio.create_task(sleeper())]  # what the first task brings for all
    await asyncio.sleep(0)
    before = bench.own_bytes()
    tasks += [asyncio.create_task(sleeper()) for _ in range(given.tasks)]
    await asyncio.sleep(0)
    bench.print_bytes("sleeping_tasks", given.loop, given.tasks, bench.own_bytes() - before)


loops.run(main, tasks=10_000)
