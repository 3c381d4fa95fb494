"""What each kind of data does while its store is away, and how a service tells it (S5)."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from grpc import StatusCode
from sqlalchemy.exc import DBAPIError

from runtime.clock import Clock
from runtime.errors import ServiceError, refusal
from runtime.hosting import Tasks
from runtime.stores.database import Database
from runtime.stores.errors import (
    CommitUnknown,
    StoreBusy,
    StoreError,
    StoreFenced,
    StoreLocked,
)
from runtime.stores.presence import Presence
from runtime.stores.standing import (
    NOTHING_WAITS,
    Condition,
    Standing,
    Waiting,
    is_overdue,
    standings,
    worst,
)

# Changes nothing, but is refused where nothing can be written.
PROBE = "UPDATE alembic_version SET version_num = version_num"
ANSWER_S = 0.3  # Who asks for health has half a second.
LOOK_AGAIN_S = 1.0  # So long one count of an outbox is believed.
log = logging.getLogger(__name__)


class Spooling(Protocol):
    """Where facts from outside wait for the database."""

    def waiting(self) -> Waiting:
        """Return how much waits there."""


class Publishing(Protocol):
    """What carries an outbox to its streams."""

    trouble: Exception | None  # Why nothing gets through at present.

    async def waiting(self) -> Waiting:
        """Return how much is committed and not published."""


class Durability:
    """What one service can promise about its data at this moment.

    It learns that the database is away from the work that fails there, so looking costs
    nothing while all is well. While it is away a probe asks 1, 2, 4 … at most 30 s apart;
    any commit that succeeds ends the outage as well. Each change is logged once.
    """

    def __init__(self, service: str, database: Database, clock: Clock, tasks: Tasks) -> None:
        self.presence = Presence()
        self._service = service
        self._database = database
        self._clock = clock
        self._tasks = tasks
        self._spool: Spooling | None = None
        self._relay: Publishing | None = None
        self._outbox = NOTHING_WAITS
        self._streams = Presence()
        self._looked_s = float("-inf")
        self._back = asyncio.Event()
        self._back.set()
        self._listeners: list[Callable[[], None]] = []
        database.on_trouble(self._failed)
        database.on_commit(self._answered)

    def spools_into(self, spool: Spooling) -> None:
        """Say where facts from outside wait while the database is away."""
        self._spool = spool

    def publishes_through(self, relay: Publishing) -> None:
        """Say what carries this service's events to their streams."""
        self._relay = relay

    def on_return(self, listener: Callable[[], None]) -> None:
        """Call `listener` each time the database is back."""
        self._listeners.append(listener)

    async def database_is_there(self) -> None:
        """Return when the database is not known to be away."""
        await self._back.wait()

    def now_ns(self) -> int:
        """Return the service's time."""
        return self._clock.now_ns()

    def standings(self) -> tuple[Standing, ...]:
        """Return how each kind of data stands, by what is known now."""
        return standings(self._condition(), self._clock.now_ns())

    async def look(self) -> tuple[Standing, ...]:
        """Return how each kind of data stands, after asking the stores, 0.3 s at most."""
        if not self.presence.is_away:
            await self._look_at_database()
        await self._look_at_streams()
        return self.standings()

    def summary(self) -> Standing:
        """Return the standing that promises least, by what is known now."""
        return worst(self.standings())

    async def admit_intent(self) -> None:
        """Refuse a new intent, UNAVAILABLE, while too much waits for the streams.

        While the database is away nothing need be asked here: an intent's first commit fails
        before it has any effect, and the first that succeeds ends the outage.
        """
        if self._relay is None or (self._relay.trouble is None and not self._streams.is_away):
            return
        await self._look_at_streams()
        if is_overdue(self._outbox, self._clock.now_ns()):
            raise self._refused()

    def _condition(self) -> Condition:
        return Condition(
            is_ephemeral=self._database.is_ephemeral,
            database=self.presence.absence,
            spool=None if self._spool is None else self._spool.waiting(),
            streams=None if self._relay is None else self._streams.absence,
            outbox=None if self._relay is None else self._outbox,
        )

    async def _look_at_database(self) -> None:
        """Ask for nothing: of a service that has no work now nobody would know otherwise."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._database.read(lambda tx: tx.exec_driver_sql("SELECT 1").scalar())
        except StoreError as error:
            log.debug("the database of %s was asked: %s", self._service, error)
        except TimeoutError:
            self._failed(StoreError(f"the database did not answer within {ANSWER_S} s"))

    async def _look_at_streams(self) -> None:
        """Count what waits for the streams; the last count stands while it cannot be read."""
        now_s = asyncio.get_running_loop().time()
        if (relay := self._relay) is None:
            return
        if (trouble := relay.trouble) is None:
            self._streams.answered()
            self._outbox, self._looked_s = NOTHING_WAITS, float("-inf")
            return
        self._streams.failed(self._clock.now_ns(), str(trouble))
        if now_s < self._looked_s + LOOK_AGAIN_S:
            return
        try:
            self._outbox = await relay.waiting()
        except ServiceError as error:
            log.info("the outbox of %s cannot be counted: %s", self._service, error)
        self._looked_s = now_s

    def _failed(self, error: StoreError) -> None:
        """Note that the database failed; what only this caller met is no outage."""
        if isinstance(error, CommitUnknown | StoreLocked | StoreBusy | StoreFenced):
            return
        if self.presence.failed(self._clock.now_ns(), error.message):
            self._back.clear()
            log.warning("the database of %s is away: %s", self._service, error.message)
            self._tasks.spawn(self._probe(), name="probe database")

    def _answered(self) -> None:
        if not self.presence.is_away:
            return
        self.presence.answered()
        self._back.set()
        log.warning("the database of %s is back", self._service)
        for listener in self._listeners:
            listener()

    async def _probe(self) -> None:
        """Ask until the database has committed something, whoever's it was."""
        while self.presence.is_away:
            try:
                async with asyncio.timeout(self.presence.next_probe_s()):
                    await self._back.wait()
            except TimeoutError:
                await self._ask()

    async def _ask(self) -> None:
        try:
            await self._database.write(lambda tx: tx.exec_driver_sql(PROBE))
        except StoreError as error:
            log.debug("the database of %s is still away: %s", self._service, error)
        except DBAPIError:  # It answers: only what is asked for is missing.
            self._answered()

    def _refused(self) -> ServiceError:
        waiting = self._outbox
        return refusal(
            StatusCode.UNAVAILABLE,
            "STREAMS_BACKLOG",
            f"{waiting.depth} events have waited {waiting.age_s(self._clock.now_ns()):.0f} s for "
            "their stream: nothing new is begun until they are published; repeat later",
            service=self._service,
            durability="BACKLOG",
        )
