import pathlib
import sys

# In place of this folder, whose queue.py is not Python's.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1] / "common")

import argparse  # noqa: E402
import asyncio  # noqa: E402

import loops  # noqa: E402


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # both loops have set TCP_NODELAY

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def main(given: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(Echo, "127.0.0.1", given.port, backlog=1024)
    await loops.serve_until_killed()


loops.run(main, port=9000)
