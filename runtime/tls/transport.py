"""Calls over mutual TLS that go on while the caller's certificate is replaced."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc
from google.protobuf.message import Message

from runtime.network import GrpcTransport, open_channel
from runtime.rpc import Call, Method
from runtime.single import Answer, Messages, one
from runtime.tls.client import ClientTls

LOOK_EVERY_S = 1.0  # How often a caller looks whether its files have changed,
ACCEPTED_S = 5.0  # and how long a server may take to accept what is in them.
log = logging.getLogger(__name__)


class TlsTransport:
    """Carries calls to the server at one address that proves to be `server_name`.

    Once the files of `tls` have changed, a second connection is opened with them. New calls go
    over it as soon as the server has accepted it; until then, and while it does not, they go
    over the one that stands. Calls and streams finish on the connection they began on, which
    is closed after the last of them.
    """

    def __init__(
        self, address: str, tls: ClientTls, server_name: str, *, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._address, self._tls, self._server_name = address, tls, server_name
        self._look_every_s = look_every_s
        self._looked_s = asyncio.get_running_loop().time()
        self._connection = _Connection(address, tls, server_name)
        self._former: list[_Connection] = []  # Still in use.
        self._moving: asyncio.Task[None] | None = None
        self._closing: dict[asyncio.Task[Any], None] = {}
        self._is_closed = False

    @property
    def connections(self) -> int:
        """Return how many carry calls: one, and those that old calls and streams still use."""
        return 1 + len(self._former)

    @property
    def serial(self) -> int:
        """Return the serial of the certificate that new calls are made with."""
        return self._connection.shown.serial

    @property
    def is_connected(self) -> bool:
        """Whether a connection stands."""
        return self._connection.is_in(grpc.ChannelConnectivity.READY)

    @property
    def is_broken(self) -> bool:
        """Whether the last attempt to connect failed; gRPC tries again by itself."""
        return self._connection.is_in(grpc.ChannelConnectivity.TRANSIENT_FAILURE)

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Return what the server answers."""
        if method.streams_responses:
            return self._stream(method, requests, call)
        return Answer(self._unary(method, requests, call))

    async def close(self) -> None:
        """Close every connection; what is still in flight fails as UNAVAILABLE."""
        self._is_closed = True
        if self._moving is not None:
            self._moving.cancel()
            await asyncio.wait([self._moving])
        for connection in (*self._former, self._connection):
            await connection.channel.close()
        await asyncio.gather(*self._closing)

    async def _unary(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        connection = self._begin()
        try:
            return await one(connection.transport.call(method, requests, call))
        finally:
            self._end(connection)

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        connection = self._begin()
        try:
            async with aclosing(connection.transport.call(method, requests, call)) as answers:
                async for answer in answers:
                    yield answer
        finally:
            self._end(connection)

    def _begin(self) -> "_Connection":
        """Return the connection of the moment, which stays open until the call has ended."""
        self._look()
        self._connection.in_flight += 1
        return self._connection

    def _end(self, connection: "_Connection") -> None:
        connection.in_flight -= 1
        if connection is not self._connection:
            self._close_if_done(connection)

    def _look(self) -> None:
        """Begin to move to the files as they are, if they have changed since the last look."""
        now_s = asyncio.get_running_loop().time()
        if self._is_closed or now_s < self._looked_s + self._look_every_s:
            return
        self._looked_s = now_s
        if self._moving is not None or self._tls.latest is self._connection.shown:
            return
        candidate = _Connection(self._address, self._tls, self._server_name)
        if not self.is_connected or self._connection.shown.certified.is_expired(time.time()):
            self._take(candidate)  # There is nothing to lose.
        else:
            self._moving = asyncio.get_running_loop().create_task(self._move(candidate))

    async def _move(self, candidate: "_Connection") -> None:
        """Take `candidate` once the server accepts it; else leave all as it was, for now."""
        try:
            async with asyncio.timeout(ACCEPTED_S):
                await candidate.channel.channel_ready()
        except TimeoutError:
            log.warning(
                "%s does not accept certificate %x of %s within %s s: the one before stays in use",
                *(self._address, candidate.shown.serial, candidate.shown.name, ACCEPTED_S),
            )
            await candidate.channel.close()
        except asyncio.CancelledError:
            await candidate.channel.close()
            raise
        else:
            self._take(candidate)
        finally:
            self._moving = None

    def _take(self, candidate: "_Connection") -> None:
        former, self._connection = self._connection, candidate
        self._former.append(former)
        self._close_if_done(former)

    def _close_if_done(self, connection: "_Connection") -> None:
        if connection in self._former and not connection.in_flight and not self._is_closed:
            self._former.remove(connection)
            task = asyncio.get_running_loop().create_task(connection.channel.close())
            self._closing[task] = None
            task.add_done_callback(self._closing.pop)


class _Connection:
    """A channel, what was shown on it, and how many calls use it."""

    def __init__(self, address: str, tls: ClientTls, server_name: str) -> None:
        self.shown = tls.latest
        self.channel = open_channel(address, self.shown.for_channel(), server_name=server_name)
        self.transport = GrpcTransport(self.channel)
        self.in_flight = 0

    def is_in(self, state: grpc.ChannelConnectivity) -> bool:
        return self.channel.get_state() is state
