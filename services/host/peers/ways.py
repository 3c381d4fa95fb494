"""How the services of one device reach all others: each its own way, wherever they are now.

    client of risk -> Way of risk -> orders, if it runs here; else Target risk -> orders

Discovery's watch says where a service is, once it knows any instance; until then an address
that the device was told does (D6). Such an address may be a name, which is looked up again and
again. Discovery itself is always found by address: who is lost cannot say where it went.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from google.protobuf.message import Message

from runtime.client_stats import ClientStats
from runtime.hosting import Tasks
from runtime.routes import Routes
from runtime.rpc import Call, Method, Port
from runtime.single import Answer, Messages, one
from runtime.targets import (
    Connection,
    Endpoint,
    PoolSettings,
    Source,
    Target,
    TargetSettings,
)
from services.host.peers.discovered import Discovered
from services.host.peers.told import Told
from services.host.settings.places import Place, places_of

DISCOVERY = "discovery"
FIRST_WORD_S = 1.0  # How long the first call may wait until its target has read an address.

Connect = Callable[[str, str, Place], Connection]  # Opens what joins caller and callee.


class Way:
    """Carries the calls of one service: to a peer that runs here, else to its target."""

    def __init__(self, peers: "Peers", caller: str) -> None:
        self._peers = peers
        self._caller = caller

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Carry one call to where its service is now."""
        contract = method.path.split("/")[1]
        local, name = self._peers.local, self._peers.services.get(contract)
        if name is None or local.serves(contract):
            return local.call(method, requests, call)
        target = self._peers.target(self._caller, name)
        if target.resolver.resolution.source or not self._peers.is_found(name):
            return target.call(method, requests, call)
        if method.streams_responses:
            return _first_stream(target, method, requests, call)
        return Answer(_first(target, method, requests, call))


class Peers:
    """The targets of a device: one for each pair of a calling and a called service."""

    def __init__(
        self,
        local: Routes,
        contracts: Mapping[str, type[Port]],
        connect: Connect,
        rng: Callable[..., random.Random],
        settings: TargetSettings,
    ) -> None:
        self.targets: dict[tuple[str, str], Target] = {}  # By calling and called service.
        self.local = local
        self.services = {port.DESCRIPTOR.full_name: name for name, port in contracts.items()}
        self._connect = connect
        self._rng = rng
        self._settings = settings
        self._told = {name: Told() for name in contracts}
        self._ways: dict[str, str] = {}  # What to dial instead of an address.
        self._discovered = Discovered({}, "")
        self._watches: Mapping[str, Source] = {}  # Discovery's, by service.
        self._tasks = Tasks("peers")

    def reach(self, peers: Mapping[str, str], ways: Mapping[str, str] | None = None) -> None:
        """Find services at these addresses from now on, unless discovery knows better.

        An address is a device's own; `ways` tells what to dial instead: a link that leads there.
        """
        self._ways.update(ways or {})
        for name, text in peers.items():
            places = places_of(text)
            if name != DISCOVERY:
                places = places[:1]  # Its standbys do not serve until discovery says so.
            is_linked = any(place.address in self._ways for place in places)
            self._told[name].tell(places, is_final=is_linked)

    def watch(self, discovered: Discovered) -> None:
        """Ask discovery first where services are; call it before any `way`."""
        self._discovered = discovered
        self._watches = discovered.sources()

    def is_found(self, name: str) -> bool:
        """Whether it is known where a service is, be it told or heard from discovery."""
        return bool(self.address(name)) or self._discovered.knows(name)

    def address(self, name: str) -> str:
        """Return where the device was told that a service is, "" if it was not."""
        return next(iter(self._told[name].addresses), "")

    def addresses(self, name: str) -> Sequence[str]:
        """Return all places where the device was told that a service may be, its home first."""
        return self._told[name].addresses

    def try_now(self, name: str) -> None:
        """Ask a service that was silent again at once: it is said to be there."""
        for (_, called), target in self.targets.items():
            if called == name:
                target.breaker.try_now()

    def dialled(self, address: str) -> str:
        """Return what to dial instead of an address: the link that leads there, if one does."""
        return self._ways.get(address, address)

    def connection(self, caller: str, name: str, address: str) -> Connection:
        """Open what carries calls to a service at one address, and nowhere else."""
        return self._connect(caller, name, self._dialled(name, address))

    async def told(self, name: str) -> None:
        """Return when the device is told anew where a service is."""
        await self._told[name].news()

    def way(self, caller: str) -> Way:
        """Return what carries the calls of service `caller`."""
        return Way(self, caller)

    def target(self, caller: str, name: str) -> Target:
        """Return the target of a pair of services; it is followed from the first time on."""
        found = self.targets.get((caller, name))
        if found is None:
            found = self.targets[caller, name] = self._made(caller, name)
            self._tasks.spawn(found.start(), name=f"{caller} -> {name}")
        return found

    def stats(self, caller: str, name: str) -> ClientStats:
        """Return how the calls of one service to another end."""
        return self.target(caller, name).stats

    def by_name(self) -> dict[str, ClientStats]:
        """Return how the calls to each peer end, by "caller->callee"."""
        return {f"{pair[0]}->{pair[1]}": target.stats for pair, target in self.targets.items()}

    async def close(self) -> None:
        """Follow nothing more and close every connection."""
        await self._tasks.stop()
        await asyncio.gather(*[target.stop() for target in self.targets.values()])

    def _dialled(self, name: str, address: str) -> Place:
        """Return what to dial for a service at an address: links, where some lead there."""
        http = self._told[name].http.get(address) or self._discovered.http.get(address, "")
        return Place(self.dialled(address), self.dialled(http))

    def _made(self, caller: str, name: str) -> Target:
        watched = [self._watches[name]] if name in self._watches else []

        def connect(endpoint: Endpoint) -> Connection:
            return self._connect(caller, name, self._dialled(name, endpoint.address))

        pool = PoolSettings(is_single=name != DISCOVERY)  # Every service has one owner.
        return Target(
            name,
            [*watched, self._told[name]],
            connect,
            rng=self._rng("target", caller, name),
            settings=replace(self._settings, pool=pool),
        )


async def _first(
    target: Target, method: Method, requests: AsyncIterator[Message], call: Call
) -> Message:
    await _found(target, call)
    return await one(target.call(method, requests, call))


async def _first_stream(
    target: Target, method: Method, requests: AsyncIterator[Message], call: Call
) -> Messages:
    await _found(target, call)
    answers = target.call(method, requests, call)
    try:
        async for answer in answers:
            yield answer
    finally:
        await answers.aclose()


async def _found(target: Target, call: Call) -> None:
    """Wait until a target that was made just now has heard where to go, but no long while."""
    left_s = call.remaining_s()
    patience_s = FIRST_WORD_S if left_s is None else min(FIRST_WORD_S, left_s / 2)
    with suppress(TimeoutError):  # The call will say so.
        async with asyncio.timeout(patience_s):
            await target.resolver.found()
