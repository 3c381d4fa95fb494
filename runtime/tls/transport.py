"""Calls over mutual TLS that go on while the caller's certificate is replaced."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from google.protobuf.message import Message

from runtime.network import GrpcTransport, open_channel
from runtime.rpc import Call, Method
from runtime.single import Answer, Messages, one
from runtime.tls.client import ClientTls

LOOK_EVERY_S = 1.0  # So long after its files were replaced a certificate may still be shown.


class TlsTransport:
    """Carries calls to the server at one address that proves to be `server_name`.

    Once the files of `tls` have changed, new calls go over a new connection; calls and streams
    that had begun finish on the old one, which is closed after the last of them.
    """

    def __init__(
        self, address: str, tls: ClientTls, server_name: str, *, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._address, self._tls, self._server_name = address, tls, server_name
        self._look_every_s = look_every_s
        self._looked_s = asyncio.get_running_loop().time()
        self._connection = self._connected()
        self._former: list[_Connection] = []  # Still in use.
        self._closing: dict[asyncio.Task[Any], None] = {}
        self._is_closed = False

    @property
    def connections(self) -> int:
        """Return how many connections are open: one, and those that old calls still use."""
        return 1 + len(self._former)

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Return what the server answers."""
        if method.streams_responses:
            return self._stream(method, requests, call)
        return Answer(self._unary(method, requests, call))

    async def close(self) -> None:
        """Close every connection; what is still in flight fails as UNAVAILABLE."""
        self._is_closed = True
        for connection in (*self._former, self._connection):
            await connection.channel.close()
        await asyncio.gather(*self._closing)

    async def _unary(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        with self._in_use() as inner:
            return await one(inner.call(method, requests, call))

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        with self._in_use() as inner:
            async with aclosing(inner.call(method, requests, call)) as answers:
                async for answer in answers:
                    yield answer

    @contextmanager
    def _in_use(self) -> Iterator[GrpcTransport]:
        """Keep the connection of today open for the length of the block."""
        self._look()
        connection = self._connection
        connection.in_flight += 1
        try:
            yield connection.transport
        finally:
            connection.in_flight -= 1
            self._close_if_done(connection)

    def _look(self) -> None:
        """Connect anew when the files have changed since the last look."""
        now_s = asyncio.get_running_loop().time()
        if self._is_closed or now_s < self._looked_s + self._look_every_s:
            return
        self._looked_s = now_s
        if self._tls.latest is not self._connection.shown:
            former, self._connection = self._connection, self._connected()
            self._former.append(former)
            self._close_if_done(former)

    def _close_if_done(self, connection: "_Connection") -> None:
        if connection in self._former and not connection.in_flight and not self._is_closed:
            self._former.remove(connection)
            task = asyncio.get_running_loop().create_task(connection.channel.close())
            self._closing[task] = None
            task.add_done_callback(self._closing.pop)

    def _connected(self) -> "_Connection":
        return _Connection(self._address, self._tls, self._server_name)


class _Connection:
    """A channel, what was shown on it, and how many calls use it."""

    def __init__(self, address: str, tls: ClientTls, server_name: str) -> None:
        self.shown = tls.latest
        self.channel = open_channel(address, tls.credentials(), server_name=server_name)
        self.transport = GrpcTransport(self.channel)
        self.in_flight = 0
