"""One service's turn: when this process acts for it, when another one does.

The rules, and why two never write at a time, are in `services/host/duty/on_duty.py`.
"""

import asyncio
import logging
import random
from dataclasses import dataclass
from typing import Protocol

from trading.discovery.v1 import discovery_pb2 as pb
from trading.discovery.v1.discovery_port import DiscoveryService

from runtime.clock import Clock
from runtime.errors import ServiceError
from runtime.hosting import Tasks
from runtime.rpc import Call
from runtime.stores.errors import StoreError, StoreFenced
from runtime.times import NS_PER_S
from services.host.duty.registration import Announcement, Duties, Registration

STOPS_WITHIN = 5  # One in so many of a lease: a service that takes longer is ended at once.
LEAVES_WITHIN_S = 8.0  # The same for one whose process ends.
LOOKS = 3  # In one length of a lease, at the epoch in the store.
log = logging.getLogger(__name__)


class Hands(Protocol):
    """What a device does with its services when it is told to."""

    async def start_service(self, name: str) -> None:
        """Start a service, however long its stores and peers are away."""

    async def stop_service(self, name: str) -> None:
        """End a service in order."""

    async def crash_service(self, name: str) -> None:
        """End a service at once and let go of its stores."""

    async def confirm(self, name: str) -> None:
        """Return if the service may write still. Raises StoreFenced when a later one does."""


@dataclass(frozen=True)
class Chances:
    """What time and chance are to those on duty."""

    clock: Clock  # It must never be set.
    rng: random.Random


class Post:
    """One service that this process owns or stands by for."""

    def __init__(
        self,
        name: str,
        hands: Hands,
        discovery: DiscoveryService,
        announcement: Announcement,
        chances: Chances,
    ) -> None:
        self.name = name
        self.is_acting = False
        self.fence = 0  # Of the lease that it acts or acted by; 0: it never had one.
        self.is_clear = asyncio.Event()  # Once it acts, or knows that another does.
        self._hands = hands
        self._clock = chances.clock
        self._lease_s = announcement.ttl_s
        self._is_refused = False  # Whether it was told that the name is another's.
        self._is_leaving = False
        self._lock = asyncio.Lock()
        duties = Duties(self._acquired, self._lost, self._drained)
        heard = _Heard(discovery, self._taken)
        self.registration = Registration(
            heard, announcement, duties, clock=chances.clock, rng=chances.rng
        )

    async def hold(self, *, is_home: bool, found: asyncio.Event) -> None:
        """Hold the post until `leave`, from when discovery is `found` on.

        A home acts without it when it is not to be found for one length of a lease; a standby
        leaves the first one to the home.
        """
        tasks = Tasks(self.name)
        try:
            if is_home:
                tasks.spawn(self._act_alone(), name="acts alone")
            tasks.spawn(self._look(), name="looks at its epoch")
            await found.wait()
            if not is_home:
                await self._sleep(self._lease_s)
            await self.registration.run()
        finally:
            self.is_clear.set()
            await tasks.stop()

    async def leave(self) -> None:
        """Stop the service and give the name up."""
        self._is_leaving = True
        await self.registration.stop()

    async def let_go(self) -> None:
        """End the service, if it still acts."""
        async with self._lock:
            if self.is_acting:
                await self._end()

    async def _acquired(self, fence: int) -> None:
        self.fence = fence
        await self._begin()

    async def _lost(self) -> None:
        """Stop if this process leaves; else go on until somebody else is said to act (D5)."""
        if self._is_leaving:
            await self.let_go()
        elif self.is_acting:
            log.warning("%s acts without a lease: its store says whether it may", self.name)
            await self._look_once()

    async def _drained(self) -> None:
        self._is_leaving = True

    async def _taken(self) -> None:
        """Know that another one holds the name."""
        if not self._is_leaving:
            self._is_refused = True
            await self.let_go()
            self.is_clear.set()

    async def _act_alone(self) -> None:
        """Act without a lease when nobody has said anything for the length of one."""
        await self._sleep(self._lease_s)
        if not self._is_refused and not self._is_leaving and not self.is_clear.is_set():
            log.warning("%s starts without a lease: discovery is away", self.name)
            await self._begin(is_alone=True)

    async def _begin(self, *, is_alone: bool = False) -> None:
        async with self._lock:
            if not self.is_acting and not (is_alone and self._is_refused):
                self.is_acting = True
                try:
                    await self._hands.start_service(self.name)
                except BaseException:
                    await self._end()
                    raise
            self.is_clear.set()

    async def _end(self) -> None:
        """End the service, in order if that is possible in time."""
        self.is_acting = False
        try:
            limit_s = LEAVES_WITHIN_S if self._is_leaving else self._lease_s / STOPS_WITHIN
            async with asyncio.timeout(limit_s):
                await self._hands.stop_service(self.name)
        except Exception as error:  # noqa: BLE001 - What has crashed must end all the same.
            log.warning("%s is ended at once: %r", self.name, error)
            await self._hands.crash_service(self.name)

    async def _look(self) -> None:
        while True:
            await self._sleep(self._lease_s / LOOKS)
            await self._look_once()

    async def _look_once(self) -> None:
        """End the service if a later one writes; begin anew if it is this one's turn."""
        if not self.is_acting or self._lock.locked():
            return
        try:
            await self._hands.confirm(self.name)
        except StoreFenced as error:
            log.warning("%s is fenced off: %s", self.name, error.message)
            await self._step_down()
        except StoreError as error:
            log.info("%s cannot ask its store whether it may act: %s", self.name, error)

    async def _step_down(self) -> None:
        async with self._lock:
            if not self.is_acting:
                return
            self.is_acting = False
            self._is_refused = True
            await self._hands.crash_service(self.name)
        if self.registration.fence:
            await self._begin()  # It is this one's turn all the same: the later one had no lease.

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep_until(self._clock.now_ns() + round(seconds * NS_PER_S))


class _Heard(DiscoveryService):
    """Discovery, whose word that a name is taken is heard by others than who asked as well."""

    def __init__(self, inner: DiscoveryService, taken: "Taken") -> None:
        self._inner = inner
        self._taken = taken

    async def register_instance(
        self, request: pb.RegisterInstanceRequest, call: Call = Call()
    ) -> pb.RegisterInstanceResponse:
        """Register; tell when somebody else has the name."""
        try:
            return await self._inner.register_instance(request, call)
        except ServiceError as error:
            if error.reason == "IDENTITY_TAKEN":
                await self._taken()
            raise

    async def renew_lease(
        self, request: pb.RenewLeaseRequest, call: Call = Call()
    ) -> pb.RenewLeaseResponse:
        """Prolong a lease."""
        return await self._inner.renew_lease(request, call)

    async def deregister_instance(
        self, request: pb.DeregisterInstanceRequest, call: Call = Call()
    ) -> pb.DeregisterInstanceResponse:
        """Give a lease up."""
        return await self._inner.deregister_instance(request, call)


class Taken(Protocol):
    """Is told that a name is another's."""

    async def __call__(self) -> None:
        """Hear it."""
