"""Decides, with all other devices, which of them acts for a service: its home, or its standby.

1. Whose turn it is, discovery says by a lease. A home asks for it at once. A standby begins to
   ask one length of a lease after discovery was found, and never acts without one.
2. A home that finds no discovery for one length of a lease starts all the same (D5), unless it
   has ever been told that the name is another's. So a platform without discovery trades.
3. Who acts goes on while discovery is silent (D5): losing it changes nothing for anybody. It ends
   at once when discovery says that another one holds the name, or its store says that a later
   one writes, which it is asked three times in the length of a lease, and on every write.
4. So while a link is cut, or when a process wakes up that slept, two may run for a moment, but
   never write: whoever starts takes the next epoch in the store (`runtime.stores.epochs`), and
   each write begins with a look, in its own transaction, whether that is still the last one. A
   lease alone could not promise that, as no process knows how long it is about to sleep. For
   this the two must share a store, so a standby needs servers. Indicators keep nothing.
5. Discovery cannot hold a lease of its own. Who owns it starts it unless it serves elsewhere;
   who stands by for it does when it has been silent for one length of a lease, or for four when
   it was never found: its home may be starting. Epochs again keep two from deciding: a former
   discovery can prolong nothing (`Keeper.confirm`).
6. Nothing moves back by itself: a home that comes back and finds its name taken stands by.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from trading.discovery.v1 import discovery_pb2 as pb
from trading.discovery.v1.discovery_port import DiscoveryService

from runtime.ids import Ids
from services.host.duty.lookout import DISCOVERY, Lookout, Office
from services.host.duty.posts import Chances, Post
from services.host.duty.registration import Announcement

ENDS_WITHIN_S = 10.0  # When the process ends.
HANDS_OVER = 8  # One in so many of a lease: in it, whoever stands by has asked for the names.
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Roster:
    """Which services a device may act for, and where it and they can be reached."""

    homes: Sequence[str]  # In start order.
    standbys: Sequence[str]
    instances: Callable[[str], pb.InstanceSpec]  # By service; who registers.
    registries: Sequence[str]  # Where else discovery may be, its home first.
    lease_s: float = 15.0


class OnDuty:
    """Keeps every post of one device from `start` to `stop`."""

    def __init__(
        self,
        office: Office,
        roster: Roster,
        client: Callable[[str], DiscoveryService],
        chances: Chances,
    ) -> None:
        """Do it by the hands of `office`; `client` makes a service's client of discovery."""
        self._roster = roster
        self._office = office
        self.lookout = Lookout(
            office,
            roster.registries,
            lease_s=roster.lease_s,
            clock=chances.clock,
            on_found=self._hurry,
        )
        names = [n for n in (*roster.homes, *roster.standbys) if n != DISCOVERY]
        self.posts = {name: self._post(name, client, chances) for name in names}
        self._holding: dict[str, asyncio.Task[None]] = {}

    @property
    def acting(self) -> list[str]:
        """The services that this process acts for at the moment."""
        others = [name for name, post in self.posts.items() if post.is_acting]
        return [DISCOVERY, *others] if self.lookout.is_acting else others

    async def start(self) -> None:
        """Return when every service owned here acts, here or elsewhere; raises what stops one."""
        homes, standbys = self._roster.homes, self._roster.standbys
        watch = self.lookout.watch(
            may_act=DISCOVERY in (*homes, *standbys), is_home=DISCOVERY in homes
        )
        self._spawn(DISCOVERY, watch)
        for name, post in self.posts.items():
            self._spawn(name, post.hold(is_home=name in homes, found=self.lookout.found))
        for name in homes:
            if name in self.posts:
                await self._clear(name)

    async def stop(self) -> None:
        """Stop every service, newest first, and give the names up; discovery goes last."""
        for name in reversed(self.posts):
            await self._leave(self.posts[name])
        if self.lookout.is_acting and self.posts and self._roster.registries:
            await asyncio.sleep(self._roster.lease_s / HANDS_OVER)
        if watching := self._holding.pop(DISCOVERY, None):
            await _cancelled(watching)
        await self.lookout.leave()

    def held(self) -> list["asyncio.Task[None]"]:
        """Return what keeps the posts, to be cancelled where a process is killed."""
        return list(self._holding.values())

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        holding = asyncio.create_task(work, name=f"on duty for {name}")
        holding.add_done_callback(_ended)
        self._holding[name] = holding

    async def _clear(self, name: str) -> None:
        """Wait until it is clear who acts for a service; raises what ended its post."""
        clear = asyncio.create_task(self.posts[name].is_clear.wait(), name=f"{name} is clear")
        held, watched = self._holding[name], self._holding[DISCOVERY]
        try:
            await asyncio.wait([clear, held, watched], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancelled(clear)
        for task in (held, watched):
            if task.done():
                task.result()

    async def _leave(self, post: Post) -> None:
        await post.leave()
        if holding := self._holding.pop(post.name, None):
            if self.lookout.found.is_set():
                await asyncio.wait([holding], timeout=ENDS_WITHIN_S)
            await _cancelled(holding)
        await post.let_go()

    def _hurry(self) -> None:
        """Have whoever waits for discovery ask it now."""
        for post in self.posts.values():
            post.registration.hurry()

    def _post(self, name: str, client: Callable[[str], DiscoveryService], chances: Chances) -> Post:
        instance = self._roster.instances(name)
        instance.instance_id = Ids(chances.rng).new()
        announcement = Announcement(instance, self._roster.lease_s)
        return Post(name, self._office, client(name), announcement, chances)


def _ended(holding: "asyncio.Task[None]") -> None:
    if not holding.cancelled() and (error := holding.exception()) is not None:
        log.error("%s is over: %r", holding.get_name(), error, exc_info=error)


async def _cancelled(task: "asyncio.Task[Any]") -> None:
    """Cancel a task; return when it has ended, however it does."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
