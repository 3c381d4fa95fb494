"""Keeps one instance registered with discovery, and says when it may act under its name.

Why two instances never act under one name at a time:

1. A holder counts its lease from when it SENT the request that gave or prolonged it; discovery
   counts from when it received that request, which is later. So by one clock the holder's time
   is over first, however long the request or its answer was on the way, and whichever of them
   got lost: an answer that is missing prolongs nothing here.
2. The holder keeps back a fifth of the lease. At four fifths it stops acting at once (`fence`
   is 0) and tells its host to stop, which has the last fifth for it. That fifth is also what
   clocks may run apart in: 3 s of 15 s. Only how fast they run matters, not what they say.
3. Discovery gives the name to nobody before the whole lease has passed by its clock; after a
   restart of its own it gives every lease its whole length once more; and it answers no beat
   before its store has told it that no other discovery had taken over (see `Keeper.confirm`).
4. A process that is paused and woken up cannot know that it slept. Whatever it does next asks
   `fence` first, which reads the clock at that moment, before any timer has fired. What was
   half done when it fell asleep is stopped by the number: every registration gets a greater
   fence, and who is asked to act for a lower one than it has seen refuses.

The clock must never be set: `runtime.clock.SteadyClock` in real time.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

from trading.discovery.v1 import discovery_pb2 as pb
from trading.discovery.v1.discovery_port import DiscoveryService

from runtime.alarm import Alarm
from runtime.clock import Clock
from runtime.errors import ServiceError
from runtime.ids import Ids
from runtime.stores.ending import end
from runtime.times import NS_PER_S, to_duration

BEATS = 3  # In one length of a lease: two may get lost.
KEPT_BACK = 5  # The share of a lease, one in so many, in which the host stops.
QUESTIONS = 15  # In one length of a lease, from who waits for a name that is taken.
PAUSE_S_FIRST, PAUSE_S_MAX = 1.0, 10.0  # Between attempts while discovery is away.
OVER = ("FENCED", "LEASE_UNKNOWN")
log = logging.getLogger(__name__)


async def _nothing(*_: object) -> None:
    """Do nothing: an instance that shares its work with others serves with or without a lease."""


@dataclass(frozen=True)
class Duties:
    """What a host does when its instance gets or loses the right to act.

    Left as they are, the instance is only announced: it serves on its own account, whether
    discovery knows it or not. `acquired` starts the service, and gets the fence to act with;
    `lost` must have stopped it when it returns, within a fifth of the lease; it also ends what
    `acquired` had begun. `drained` finishes what was begun and takes nothing new.
    """

    acquired: Callable[[int], Awaitable[None]] = _nothing
    lost: Callable[[], Awaitable[None]] = _nothing
    drained: Callable[[], Awaitable[None]] = _nothing
    log_level: Callable[[str], None] = lambda level: None  # "DEBUG", "INFO", "WARNING", "ERROR".


@dataclass(frozen=True)
class Announcement:
    """Who registers: `instance.instance_id` is new for each start of a process."""

    instance: pb.InstanceSpec
    ttl_s: float = 15.0  # 1 s to 300 s.


class _End(Enum):
    """Why a lease is held no longer."""

    LOST = auto()  # Register anew.
    DRAINED = auto()  # By an operator: do not come back.
    STOPPED = auto()  # By the host.


class Registration:
    """One instance's side of discovery. Run `run` beside the service, and `stop` it at the end."""

    def __init__(
        self,
        discovery: DiscoveryService,
        announcement: Announcement,
        duties: Duties,
        *,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._discovery = discovery
        self._announcement = announcement
        self._duties = duties
        self._clock, self._rng = clock, rng
        self._ids = Ids(rng)
        self._ttl_ns = round(announcement.ttl_s * NS_PER_S)
        self._alarm = Alarm(clock)
        self._stopping, self._drain_asked = asyncio.Event(), asyncio.Event()
        self._lease: pb.Lease | None = None
        self._until_ns = 0  # Until when the lease is certain by this side's reckoning.
        self._said = pb.REPORTED_STATUS_STARTING
        self._log_level = ""

    @property
    def fence(self) -> int:
        """The number to act with at this very moment; 0: do not act."""
        is_certain = self._lease is not None and self._clock.now_ns() < self._until_ns
        return self._lease.fence if self._lease is not None and is_certain else 0

    @property
    def is_registered(self) -> bool:
        """Whether discovery knows of the instance, as far as can be known."""
        return self.fence != 0

    def say(self, *, is_serving: bool) -> None:
        """Tell discovery at once that the service can serve, or that it cannot at present."""
        said = pb.REPORTED_STATUS_SERVING if is_serving else pb.REPORTED_STATUS_NOT_SERVING
        if self._said not in (said, pb.REPORTED_STATUS_DRAINING):
            self._said = said
            self._alarm.poke()

    def hurry(self) -> None:
        """Have whoever waits to ask discovery again ask it now: it is said to be there."""
        self._alarm.poke()

    async def run(self) -> None:
        """Be registered until drained or stopped; then the name is free for others.

        Raises what `acquired` raised, after giving the name up, and what `lost` raised, keeping
        it: a service that cannot be stopped must be ended from outside before others follow.
        """
        while await self._acquire():
            ending = await self._hold()
            if ending is not _End.LOST:
                return

    async def stop(self) -> None:
        """Have `run` stop the service and give the name up; it returns when that is done."""
        self._stopping.set()
        self._alarm.poke()

    async def _acquire(self) -> bool:
        """Return when there is a lease; False when there is to be none any more."""
        attempt = 0
        while not self._stopping.is_set():
            try:
                if await self._ask():
                    return True
                pause_s = 0.0  # The answer took longer than the lease lasts.
            except ServiceError as error:
                is_taken = error.reason == "IDENTITY_TAKEN"
                attempt = 0 if is_taken else attempt + 1
                pause_s = self._patience_s(attempt)
                level = logging.INFO if is_taken or attempt > 1 else logging.WARNING
                log.log(level, "%s is not registered: %s", self._name, error)
            await self._alarm.wait(self._clock.now_ns() + round(pause_s * NS_PER_S))
        return False

    async def _ask(self) -> bool:
        """Register once; return whether the lease still holds now that it is known."""
        sent_ns = self._clock.now_ns()
        request = pb.RegisterInstanceRequest(
            request_id=self._ids.new(),
            instance=self._announcement.instance,
            ttl=to_duration(self._ttl_ns),
        )
        answer = await self._discovery.register_instance(request)
        self._lease = answer.lease
        self._until_ns = self._certain_until(sent_ns, answer.lease.ttl.ToNanoseconds())
        return self.fence != 0

    async def _hold(self) -> _End:
        """Let the host act as long as the lease is certain; return why it may no longer."""
        lease = self._lease
        assert lease is not None
        self._said = pb.REPORTED_STATUS_STARTING
        self._drain_asked.clear()
        log.info("%s holds its name with fence %d", self._name, lease.fence)
        starting = asyncio.create_task(self._start(lease.fence), name="start")
        ends = (self._beat(lease), self._lapse(), self._drained(), self._stopped())
        waits = [asyncio.create_task(work, name=f"holds {self._name}") for work in ends]
        ending = _End.STOPPED
        try:
            ending = await _first_of(waits, starting)
        finally:
            self._lease = None  # From here on `fence` is 0.
            await end([*waits, starting])
            await self._duties.lost()
            log.info("%s has let go of its name", self._name)
            if ending is not _End.LOST:
                await self._give_up(lease)
        return ending

    async def _start(self, fence: int) -> None:
        await self._duties.acquired(fence)
        self.say(is_serving=True)

    async def _lapse(self) -> _End:
        """Return when the lease is not certain any more."""
        while self._clock.now_ns() < self._until_ns:
            await self._clock.sleep_until(self._until_ns)
        log.warning("%s could not prolong its lease: its time is over", self._name)
        return _End.LOST

    async def _stopped(self) -> _End:
        await self._stopping.wait()
        return _End.STOPPED

    async def _drained(self) -> _End:
        """Return when the host has finished what was begun, once it is to."""
        await self._drain_asked.wait()
        self._said = pb.REPORTED_STATUS_DRAINING
        self._alarm.poke()
        await self._duties.drained()
        return _End.DRAINED

    async def _beat(self, lease: pb.Lease) -> _End:
        """Beat three times in one length of the lease; return when it is over."""
        number, failures = 0, 0
        next_ns = self._clock.now_ns() + self._ttl_ns // BEATS
        while True:
            await self._alarm.wait(next_ns)
            number, sent_ns = number + 1, self._clock.now_ns()
            try:
                if not await self._renew(lease, number, sent_ns):
                    return _End.LOST
            except ServiceError as error:
                failures += 1
                pause_ns = round(self._patience_s(failures) * NS_PER_S)
                next_ns = self._clock.now_ns() + min(pause_ns, self._ttl_ns // BEATS // 2)
                log.info("beat %d of %s was not answered: %s", number, self._name, error)
            else:
                failures, next_ns = 0, sent_ns + self._ttl_ns // BEATS

    async def _renew(self, lease: pb.Lease, number: int, sent_ns: int) -> bool:
        """Send one beat and do as it is answered; return False when the lease is over."""
        request = pb.RenewLeaseRequest(
            lease_id=lease.lease_id, fence=lease.fence, beat=number, status=self._said
        )
        try:
            answer = await self._discovery.renew_lease(request)
        except ServiceError as error:
            if error.reason not in OVER:
                raise
            log.warning("%s has lost its lease: %s", self._name, error)
            return False
        certain_ns = self._certain_until(sent_ns, answer.ttl.ToNanoseconds())
        self._until_ns = max(self._until_ns, certain_ns)
        for directive in answer.directives:
            if directive.kind == pb.DIRECTIVE_KIND_LOG_LEVEL:
                self._log_at(pb.LogLevel.Name(directive.log_level).removeprefix("LOG_LEVEL_"))
            elif directive.kind == pb.DIRECTIVE_KIND_DRAIN:
                self._drain_asked.set()
            elif directive.kind == pb.DIRECTIVE_KIND_RE_REGISTER:
                return False
        return True

    def _log_at(self, level: str) -> None:
        """Tell the host how much to log, if that is news."""
        if level != self._log_level:
            self._log_level = level
            self._duties.log_level(level)

    async def _give_up(self, lease: pb.Lease) -> None:
        """Free the name at once; it will be free in time if discovery cannot be told."""
        request = pb.DeregisterInstanceRequest(lease_id=lease.lease_id, fence=lease.fence)
        with suppress(ServiceError):
            await self._discovery.deregister_instance(request)

    def _certain_until(self, sent_ns: int, length_ns: int) -> int:
        return sent_ns + length_ns - length_ns // KEPT_BACK

    def _patience_s(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row; 0: the name was taken."""
        longest_s = self._ttl_ns / NS_PER_S / QUESTIONS
        if failures:
            longest_s = min(PAUSE_S_MAX, PAUSE_S_FIRST * 2.0 ** min(failures - 1, 8))
        return longest_s * (0.5 + self._rng.random())

    @property
    def _name(self) -> str:
        return self._announcement.instance.instance_name


async def _first_of(waits: "list[asyncio.Task[_End]]", starting: "asyncio.Task[None]") -> _End:
    """Return what ends the lease first; raises what made the start fail."""
    pending: set[asyncio.Task[_End] | asyncio.Task[None]] = {*waits, starting}
    while True:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if starting in done:
            starting.result()
        for task in waits:  # In this order, when several end at once.
            if task in done:
                return task.result()
