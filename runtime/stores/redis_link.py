"""Connections to Redis that hear every cancellation.

redis-py sends a command by `asyncio.wait_for`, and that of CPython 3.11 swallows a cancellation
that arrives just when the command is sent: who was to end then waited for the reply, in a
reading that blocks a whole second, and went on afterwards.
"""

import asyncio
from collections.abc import Iterable

from redis.asyncio import Redis
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)

Command = bytes | str | Iterable[bytes]


class _Hearing(AbstractConnection):
    """A connection by which nothing is awaited once whoever asked is cancelled."""

    async def send_packed_command(self, command: Command, check_health: bool = True) -> None:
        """Send a command. Raises CancelledError also when that came as it had been sent."""
        before = _cancellations()
        await super().send_packed_command(command, check_health)
        if _cancellations() > before:
            await self.disconnect(nowait=True)  # Nobody reads the reply: the next one is not it.
            raise asyncio.CancelledError


class _TcpLink(_Hearing, Connection):
    pass


class _TlsLink(_Hearing, SSLConnection):
    pass


class _UnixLink(_Hearing, UnixDomainSocketConnection):
    pass


LINKS: dict[type[AbstractConnection], type[AbstractConnection]] = {
    Connection: _TcpLink,
    SSLConnection: _TlsLink,
    UnixDomainSocketConnection: _UnixLink,
}


def hearing(client: Redis) -> Redis:
    """Return a client that has not connected yet, all of whose connections will hear."""
    pool = client.connection_pool
    pool.connection_class = LINKS[pool.connection_class]
    return client


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0
