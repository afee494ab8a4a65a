"""Asyncio has no HTTP of its own: its streams, and as little HTTP as nginx needs."""

import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402
import re  # noqa: E402
import time  # noqa: E402

import bench  # noqa: E402
import loops  # noqa: E402

CONNECTIONS = 32
LENGTH = re.compile(rb"^Content-Length: *(\d+)", re.IGNORECASE | re.MULTILINE)


async def get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(head)
    await reader.readexactly(int(LENGTH.search(head)[1]))


async def main(given: argparse.Namespace) -> None:
    request = (f"GET {given.target} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
               f"Connection: {'keep-alive' if given.keep_alive else 'close'}\r\n\r\n").encode()
    latencies = bench.Latencies()

    async def client(count: int) -> None:
        writer = None
        for _ in range(count):
            begin = time.monotonic_ns()
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", given.port)
            await get(reader, writer, request)
            latencies.add(time.monotonic_ns() - begin)
            if not given.keep_alive:
                writer.close()
                writer = None
        if writer is not None:
            writer.close()

    async def work(ops: int) -> None:
        await loops.side_by_side(CONNECTIONS, client, ops)

    await loops.measure("http_get", given.loop, given.ops, work, latencies)


loops.run(main, port=8080, target="/", keep_alive=1, ops=10_000)
