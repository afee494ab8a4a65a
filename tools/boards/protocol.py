"""The frames between `tools/board` and the agent in an emulated board; agent.cpp says how they are
used."""

import enum
import struct

HEADER = struct.Struct("<III")  # job, kind, size of the payload that follows
PIECE_MAX = 32 << 10    # of a job's input
PAYLOAD_MAX = 1 << 20   # of any frame to the board


class Kind(enum.IntEnum):
    # to the board
    START = 1      # folder, number of arguments, arguments, environment: each ends with a NUL
    STDIN_DATA = 2
    STDIN_END = 3
    KILL = 4       # u32: a signal
    TOOK = 5       # u32: bytes of output
    PING = 6
    POWER_OFF = 7
    ABANDON = 8    # nobody waits for the job any more: it is killed
    # from the board
    HELLO = 100    # what uname says
    OUT = 101
    ERR = 102
    WANT = 103     # the next piece of input
    ENDED = 104    # u32: 1 if by a signal; u32: exit status or signal; u32: peak of memory in KiB
    FAILED = 105   # why it could not be started
    PONG = 106
    # from the server, for the board that is gone
    LOST = 200     # a word (panic, hang, gone), a newline, and what is known


def frame(kind: Kind, payload: bytes = b"", job: int = 0) -> bytes:
    return HEADER.pack(job, kind, len(payload)) + payload


def strings(words: list[str]) -> bytes:
    return b"".join(word.encode(errors="surrogateescape") + b"\0" for word in words)


class Frames:
    """Takes bytes as they come, gives whole frames: (job, kind, payload)."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, Kind, bytes]]:
        self._received += data
        found, at = [], 0
        while len(self._received) - at >= HEADER.size:
            job, kind, size = HEADER.unpack_from(self._received, at)
            end = at + HEADER.size + size
            if len(self._received) < end:
                break
            found.append((job, Kind(kind), bytes(self._received[at + HEADER.size:end])))
            at = end
        del self._received[:at]
        return found
