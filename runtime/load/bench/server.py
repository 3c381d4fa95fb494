"""A server that costs next to nothing: every unary gRPC call gets the same empty answer.

It speaks just enough HTTP/2 for that: it looks at the heads of frames and at nothing in them, and
answers each stream whose request has ended with bytes made beforehand. So a comparison of those
who call it compares them, and not how fast a server is. `python -m runtime.load.bench.server`
prints the TCP port it listens on, and ends when its standard input closes.
"""

import asyncio
import sys
from struct import Struct
from typing import cast

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = Struct("!HBBBI")  # The length in 16 and 8 bits, type, flags, stream.
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one frame of HTTP/2."""
    return HEAD.pack(len(payload) >> 8, len(payload) & 255, kind, flags, stream) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    """Return a header that nobody is to remember, so that neither side has a table to keep."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


OK = b"\x88" + _literal(b"content-type", b"application/grpc")  # 0x88 is ":status: 200".
EMPTY = b"\0\0\0\0\0"  # A message of no bytes.
DONE = _literal(b"grpc-status", b"0")


def answer(stream: int) -> bytes:
    """Return an empty message and the status OK for `stream`."""
    return (
        frame(HEADERS, END_HEADERS, stream, OK)
        + frame(DATA, 0, stream, EMPTY)
        + frame(HEADERS, END_HEADERS | END_STREAM, stream, DONE)
    )


class Answering(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._left = b""
        self._is_greeted = False
        self._out: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        self._out = cast(asyncio.WriteTransport, transport)
        self._out.write(frame(SETTINGS, 0, 0))

    def data_received(self, data: bytes) -> None:
        """Answer all that has ended."""
        data = self._left + data
        place = 0
        if not self._is_greeted:
            if len(data) < len(PREFACE):
                self._left = data
                return
            place, self._is_greeted = len(PREFACE), True
        answers: list[bytes] = []
        taken = 0
        while place + 9 <= len(data):
            high, low, kind, flags, stream = HEAD.unpack_from(data, place)
            end = place + 9 + (high << 8 | low)
            if end > len(data):
                break
            if kind == DATA:
                taken += end - place - 9
                if flags & END_STREAM:
                    answers.append(answer(stream))
            elif kind in (SETTINGS, PING) and not flags & ACK:
                echoed = data[place + 9 : end] if kind == PING else b""
                answers.append(frame(kind, ACK, 0, echoed))
            place = end
        self._left = data[place:]
        if taken:  # The caller may send as much again.
            answers.append(frame(WINDOW_UPDATE, 0, 0, taken.to_bytes(4, "big")))
        self._out.write(b"".join(answers))


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    closed = asyncio.Event()
    loop.add_reader(0, closed.set)
    await closed.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
