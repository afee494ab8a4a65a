"""What the benchmark programs for asyncio and uvloop share: the choice of the loop, and the frame of
most programs."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine

import bench

SKIPPED = 77


def factory(loop: str) -> Callable[[], asyncio.AbstractEventLoop]:
    if loop == "asyncio":
        return asyncio.new_event_loop
    try:
        import uvloop
    except ImportError:
        print("skipped: this Python has no uvloop")
        sys.exit(SKIPPED)
    return uvloop.new_event_loop


def run(main: Callable[[argparse.Namespace], Coroutine], **otherwise: int | str) -> None:
    """`main` with the arguments, whose `loop` is the peer's name, too."""
    given = bench.arguments(loop="asyncio", **otherwise)
    with asyncio.Runner(loop_factory=factory(given.loop)) as runner:
        runner.run(main(given))


async def measure(name: str, peer: str, ops: int, work: Callable[[int], Awaitable],
                  latencies: bench.Latencies | None = None) -> None:
    """`work(ops)` does so many operations: a tenth to warm up, then all of them, measured."""
    latencies = latencies or bench.Latencies()
    await work(ops // 10)
    latencies.clear()
    stretch = bench.Stretch()
    stretch.begin()
    await work(ops)
    stretch.end()
    bench.print_result(name, peer, ops, stretch.cpu, stretch.wall, latencies.text())


async def side_by_side(count: int, work: Callable[[int], Awaitable], ops: int) -> None:
    """`count` tasks that share the operations."""
    async with asyncio.TaskGroup() as group:
        for i in range(count):
            group.create_task(work(bench.part(ops, count, i)))


async def serve_until_killed() -> None:
    print("listening", flush=True)
    await asyncio.get_running_loop().create_future()
