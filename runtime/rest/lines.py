"""Bodies of HTTP messages: whole ones with a limit, and streams as lines."""

from collections.abc import AsyncIterator
from typing import Protocol

from runtime.rest.wire import CHUNK_BYTES, JSON_BYTES_MAX


class TooLarge(Exception):
    """A body or a line is longer than it may be."""


class Body(Protocol):
    """What arrives, piece by piece; the sender waits while nobody reads."""

    async def readany(self) -> bytes:
        """Return what has arrived; b"" at the end. Raises when the connection was cut."""


async def whole(body: Body, bytes_max: int = JSON_BYTES_MAX) -> bytes:
    """Return all of `body`. Raises TooLarge as soon as it is."""
    pieces: list[bytes] = []
    size = 0
    while piece := await body.readany():
        size += len(piece)
        if size > bytes_max:
            raise TooLarge
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def lines(body: Body, bytes_max: int = JSON_BYTES_MAX) -> AsyncIterator[bytes]:
    """Yield each line of `body` that is not blank. Raises TooLarge for one that is too long."""
    begun: list[bytes] = []
    size = 0
    while piece := await body.readany():
        *ended, rest = piece.split(b"\n")
        for end in ended:
            line = b"".join((*begun, end)) if begun else end
            begun, size = [], 0
            if len(line) > bytes_max:
                raise TooLarge
            if line.strip():
                yield line
        if rest:
            begun.append(rest)
            size += len(rest)
        if size > bytes_max:
            raise TooLarge
    line = b"".join(begun)
    if line.strip():
        yield line


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """Yield `data` in pieces that leave the event loop room for others."""
    for begin in range(0, len(data), CHUNK_BYTES):
        yield data[begin : begin + CHUNK_BYTES]
