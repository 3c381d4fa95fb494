"""Finds discovery, wherever it is, and starts it here when it is this device's turn.

Discovery cannot hold a lease of its own: whoever may run it asks the others. The rules, and why
two never write at a time, are in `services/host/duty/on_duty.py`.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from runtime.clock import Clock
from runtime.stores.errors import StoreError, StoreFenced
from runtime.times import NS_PER_S
from services.host.duty.posts import Hands

DISCOVERY = "discovery"
QUESTIONS = 6  # In one length of a lease.
LEASES_AT_FIRST = 4
QUESTION_S_MAX = 0.2  # Between two questions until discovery is found for the first time.
log = logging.getLogger(__name__)


class Office(Hands, Protocol):
    """What a lookout needs of its device."""

    async def answers(self, address: str) -> bool:
        """Tell whether discovery serves at an address."""

    def reach_discovery(self, addresses: Sequence[str]) -> None:
        """Call discovery at the first of these from now on, at the others for want of it."""


class Lookout:
    """Watches for discovery; `candidates` are the others that may run it, its home first."""

    def __init__(
        self,
        office: Office,
        candidates: Sequence[str],
        *,
        lease_s: float,
        clock: Clock,
        on_found: Callable[[], None],
    ) -> None:
        self.found = asyncio.Event()
        self.is_acting = False
        self._office = office
        self._candidates = tuple(candidates)
        self._lease_s = lease_s
        self._clock = clock
        self._on_found = on_found  # Told when it is somewhere else, or there again.
        self._at = ""  # Where it was found last.
        self._heard_ns = 0
        self._is_silent = True

    async def watch(self, *, may_act: bool, is_home: bool) -> None:
        """Watch until cancelled; act when nobody else does, as home at once."""
        self._heard_ns = self._clock.now_ns()
        if is_home and not await self._seek():
            await self._act()
        while True:
            await self._pause()
            if self.is_acting:
                await self._confirm()
            elif await self._seek():
                self._heard_ns = self._clock.now_ns()
            elif may_act and self._silence_s() >= self._patience_s:
                log.warning(
                    "discovery has been silent for %.1f s: it starts here", self._patience_s
                )
                await self._act()

    async def leave(self) -> None:
        """Stop discovery, if it runs here."""
        if self.is_acting:
            self.is_acting = False
            await self._office.stop_service(DISCOVERY)

    @property
    def _patience_s(self) -> float:
        """How long it may be silent; longer until it is found once, as its home may be starting."""
        return self._lease_s if self.found.is_set() else LEASES_AT_FIRST * self._lease_s

    def _silence_s(self) -> float:
        return (self._clock.now_ns() - self._heard_ns) / NS_PER_S

    async def _seek(self) -> bool:
        """Return whether it serves somewhere else; where it was last is asked first."""
        for address in sorted(self._candidates, key=lambda one: one != self._at):
            if await self._office.answers(address):
                self._is_at(address)
                return True
        self._is_silent = True
        return False

    def _is_at(self, address: str) -> None:
        if address != self._at or self._is_silent:
            self._at, self._is_silent = address, False
            others = [one for one in self._candidates if one != address]
            self._office.reach_discovery([address, *others])
            self.found.set()
            self._on_found()

    async def _act(self) -> None:
        self.is_acting = True
        try:
            await self._office.start_service(DISCOVERY)
        except BaseException:
            await self._step_down()
            raise
        self._at, self._is_silent = "", False
        self.found.set()
        self._on_found()

    async def _confirm(self) -> None:
        """Step down if another one has taken over."""
        try:
            await self._office.confirm(DISCOVERY)
        except StoreFenced as error:
            log.warning("discovery is fenced off: %s", error.message)
            await self._step_down()
        except StoreError as error:
            log.info("discovery cannot ask its store whether it may act: %s", error)

    async def _step_down(self) -> None:
        self.is_acting, self._is_silent = False, True
        self._heard_ns = self._clock.now_ns()
        await self._office.crash_service(DISCOVERY)

    async def _pause(self) -> None:
        seconds = self._lease_s / QUESTIONS
        if not self.found.is_set():
            seconds = min(seconds, QUESTION_S_MAX)
        await self._clock.sleep_until(self._clock.now_ns() + round(seconds * NS_PER_S))
