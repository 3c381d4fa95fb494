"""Where a device was told that a service is: an address, or a name that is looked up again."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from ipaddress import ip_address

from runtime.targets import Change, Endpoint, EndpointStatus, Snapshot
from runtime.targets.sources import DNS_EVERY_S, Lookup, system_lookup
from services.host.settings.places import Place


class Told:
    """What one service's targets go by: it changes when the device is told again."""

    name, silence_s = "topology", None

    def __init__(self, *, every_s: float = DNS_EVERY_S, lookup: Lookup = system_lookup) -> None:
        self.http: dict[str, str] = {}  # Where HTTP is spoken, by the address of gRPC there.
        self._places: tuple[Place, ...] = ()
        self._every_s = every_s
        self._lookup = lookup
        self._is_final = False  # Whether names are dialled as they are, by a link.
        self._news = asyncio.Event()

    @property
    def addresses(self) -> list[str]:
        """The addresses that it was told, its home first."""
        return [place.address for place in self._places]

    def tell(self, places: Sequence[Place], *, is_final: bool = False) -> None:
        """Go by these places from now on; those behind the first are its standbys."""
        self._places, self._is_final = tuple(places), is_final
        self.http.update({one.address: one.http_address for one in places if one.http_address})
        self._news.set()
        self._news = asyncio.Event()

    async def news(self) -> None:
        """Return when it is told anew."""
        await self._news.wait()

    async def watch(self) -> AsyncGenerator[Change, None]:
        """Yield the addresses, again whenever they change, or what their names stand for does."""
        former: tuple[Endpoint, ...] = ()
        while True:
            news = self._news
            found = await self._endpoints()
            if found and found != former:
                yield Snapshot(found)
                former = found
            try:
                async with asyncio.timeout(self._every_s):
                    await news.wait()
            except TimeoutError:
                continue

    async def _endpoints(self) -> tuple[Endpoint, ...]:
        endpoints: dict[str, Endpoint] = {}
        for number, place in enumerate(self._places):
            status = EndpointStatus.SUSPECT if number else EndpointStatus.SERVING
            _, _, http_port = place.http_address.rpartition(":")
            for address in await self._looked_up(place.address):
                endpoints.setdefault(address, Endpoint(address, status=status))
                if http_port:
                    self.http[address] = f"{address.rpartition(':')[0]}:{http_port}"
        return tuple(endpoints.values())

    async def _looked_up(self, address: str) -> Sequence[str]:
        """Return the addresses behind a name; the name itself while nobody knows it."""
        host, _, port = address.rpartition(":")
        if self._is_final or _is_ip(host):
            return [address]
        try:
            found = await self._lookup(host, int(port))
        except OSError:
            return [address]
        return [f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip in sorted(set(found))]


def _is_ip(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
