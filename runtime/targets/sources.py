"""Who knows where a service is: a file, a registry that is watched, the names of a network."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime.targets.endpoints import Endpoint

DNS_EVERY_S = 30.0


@dataclass(frozen=True)
class Snapshot:
    """All endpoints that there are."""

    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True)
class Added:
    """One endpoint more."""

    endpoint: Endpoint


@dataclass(frozen=True)
class Changed:
    """An endpoint is now like this."""

    endpoint: Endpoint


@dataclass(frozen=True)
class Removed:
    """An endpoint is gone, for certain."""

    address: str


@dataclass(frozen=True)
class StillSo:
    """Nothing has changed: a sign of life."""


Change = Snapshot | Added | Changed | Removed | StillSo


class Source(Protocol):
    """Something that knows where a service is, and tells when that changes."""

    @property
    def name(self) -> str:
        """What it is called in logs and views."""

    @property
    def silence_s(self) -> float | None:
        """After so long without a word it is away; None: it need not say anything."""

    def watch(self) -> AsyncGenerator[Change, None]:
        """Yield what there is, then every change; ends, or raises, when the source goes away."""


class Static:
    """What a file says: it never changes and is never away."""

    name, silence_s = "topology", None

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = tuple(endpoints)

    async def watch(self) -> AsyncGenerator[Change, None]:
        """Yield the endpoints once."""
        yield Snapshot(self._endpoints)
        await asyncio.get_running_loop().create_future()  # For ever.


class Watched:
    """A registry's watch, adapted: `open_watch` opens the stream of changes."""

    def __init__(
        self,
        open_watch: Callable[[], AsyncGenerator[Change, None]],
        *,
        name: str = "discovery",
        silence_s: float | None = None,
    ) -> None:
        self.name = name
        self.silence_s = silence_s
        self._open_watch = open_watch

    def watch(self) -> AsyncGenerator[Change, None]:
        """Open the stream."""
        return self._open_watch()


Lookup = Callable[[str, int], Awaitable[Sequence[str]]]  # Host and port to IP addresses.


class Dns:
    """The addresses behind a host's name, asked for again every 30 seconds."""

    name, silence_s = "dns", None

    def __init__(
        self, host: str, port: int, *, every_s: float = DNS_EVERY_S, lookup: Lookup | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._every_s = every_s
        self._lookup = lookup or system_lookup

    async def watch(self) -> AsyncGenerator[Change, None]:
        """Yield what the name stands for, again and again. Raises OSError when nobody says."""
        while True:
            found = await self._lookup(self._host, self._port)
            yield Snapshot(tuple(self._endpoint(ip) for ip in sorted(set(found))))
            await asyncio.sleep(self._every_s)

    def _endpoint(self, ip: str) -> Endpoint:
        return Endpoint(f"[{ip}]:{self._port}" if ":" in ip else f"{ip}:{self._port}")


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """Return the IP addresses that the system's resolver knows for a host."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
