"""An HTTP client without any manners of its own: bytes out, an answer back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from runtime.identity import HEADER, to_header
from runtime.tests.echoing import ANA

ECHO = "/rpc/trading.echo.v1.EchoService/Echo"
WATCH = "/rpc/trading.echo.v1.EchoService/WatchEchoes"
EXCHANGE = "/rpc/trading.echo.v1.EchoService/ExchangeEchoes"
AS_ANA = {HEADER: to_header(ANA), "Content-Type": "application/json"}
AS_ANA_IN_LINES = {**AS_ANA, "Content-Type": "application/x-ndjson"}


@dataclass
class Answered:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class Wire:
    """A connection to a server on this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(
        self, path: str, body: str | bytes = "{}", *, verb: str = "POST", **headers: str
    ) -> Answered:
        """Send a request with a body of known length; return its answer."""
        data = body.encode() if isinstance(body, str) else body
        self.begin(path, {**AS_ANA, "Content-Length": str(len(data)), **_named(headers)}, verb)
        self.writer.write(data)
        return await self.answer()

    def begin(self, path: str, headers: dict[str, str], verb: str = "POST") -> None:
        """Send the head of a request."""
        lines = [
            f"{verb} {path} HTTP/1.1",
            "Host: here",
            *(f"{k}: {v}" for k, v in headers.items()),
        ]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def chunk(self, data: str) -> None:
        """Send one chunk of a body; the empty one ends it."""
        self.writer.write(f"{len(data):x}\r\n{data}\r\n".encode())

    async def head(self) -> tuple[int, dict[str, str]]:
        """Return the status and the headers of an answer."""
        text = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = text.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(first.split()[1]), {key.lower(): value for key, value in headers.items()}

    async def answer(self) -> Answered:
        """Return a whole answer whose length is known."""
        status, headers = await self.head()
        body = await self.reader.readexactly(int(headers["content-length"]))
        return Answered(status, headers, body)

    async def line(self) -> Any:
        """Return the next line of a streamed answer, one chunk; None at the end of the body."""
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        data = await self.reader.readexactly(size + 2)
        return json.loads(data) if size else None

    async def is_cut(self) -> bool:
        """Whether the server closes the connection."""
        return await self.reader.read() == b""


@asynccontextmanager
async def wired(tcp_port: int) -> AsyncIterator[Wire]:
    """Connect for the length of the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", tcp_port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}
