import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402

import loops  # noqa: E402


async def main(_: argparse.Namespace) -> None:
    await asyncio.sleep(0.001)
    print("hello")


loops.run(main)
