"""Replays: a dataset's candles published in the order of their time, one instant at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Protocol

from sqlalchemy import Connection

from runtime.clock import Clock
from runtime.environment import Environment
from runtime.observe.scope import detach
from runtime.stores import StoreError
from runtime.times import NS_PER_S
from services.marketdata import library
from services.marketdata.batch import Draft, Publication
from services.marketdata.candles import Candle
from services.marketdata.library import ReplayRow
from services.marketdata.plan import Plan
from services.marketdata.publication import Outcome
from services.marketdata.publisher import Publisher
from services.marketdata.refusals import MarketDataRefused, Refusal

HISTORY_BATCH = 500
STORE_PATIENCE_S = 30.0
STORE_RETRY_S = 0.2

Noted = Callable[[Connection, ReplayRow], None]


class Pacer(Protocol):
    """Moves the world along with a replay, and tells when it has come to rest."""

    async def before(self, candles: Sequence[Candle]) -> None:
        """Move the venue along these bars of one time, then the clock to their close."""

    async def after(self) -> None:
        """Return when everything that the bars caused has settled."""


class ReplayState(IntEnum):
    """What a replay is doing; the numbers are those of the contract."""

    RUNNING = 1
    FINISHED = 2
    STOPPED = 3
    FAILED = 4


class _Rejected(Exception):
    """A candle of the dataset was not accepted."""


@dataclass(slots=True, eq=False)
class _Run:
    """A replay under way."""

    row: ReplayRow
    plan: Plan
    speed: float
    stopping: asyncio.Event
    ended: asyncio.Event


class Replays:
    """Runs replays in the background. Two never publish the same instrument at once."""

    def __init__(self, environment: Environment, publisher: Publisher, pacer: Pacer | None) -> None:
        self._environment = environment
        self._database = environment.database
        self._publisher = publisher
        self._pacer = pacer
        self._runs: dict[str, _Run] = {}
        self._ended: dict[str, ReplayRow] = {}

    async def start(self) -> None:
        """Mark what a former process left running as stopped."""
        left = await self._database.read(
            lambda tx: library.replays_in(tx, int(ReplayState.RUNNING))
        )
        for row in left:
            await self._save(
                replace(
                    row,
                    state=int(ReplayState.STOPPED),
                    failure="the service ended while it ran: replay the rest from position on",
                )
            )

    async def begin(self, plan: Plan, request: bytes, speed: float, also: Noted) -> ReplayRow:
        """Start a replay; return it as it begins. Raises MarketDataRefused.

        `also` runs in the transaction that stores it.
        """
        if speed == 0 and self._pacer is None:
            raise MarketDataRefused(
                Refusal.SPEED_NEEDS_VIRTUAL_TIME,
                "speed is 0, must be above 0 here: nothing tells when this system is at rest",
            )
        self._refuse_overlap(plan)
        row = ReplayRow(
            replay_id=self._environment.ids.new(),
            request=request,
            state=int(ReplayState.RUNNING),
            total=plan.total,
        )
        run = _Run(row, plan, speed, asyncio.Event(), asyncio.Event())

        def work(tx: Connection) -> None:
            library.insert_replay(tx, row)
            also(tx, row)

        self._runs[row.replay_id] = run  # Before the first await: a second one must see it.
        try:
            await self._database.write(work)
        except BaseException:
            del self._runs[row.replay_id]
            raise
        self._environment.tasks.spawn(self._play(run), name=f"replay-{row.replay_id}")
        return row

    async def end(self, replay_id: str) -> ReplayRow:
        """Stop a replay after its step and return it; one that has ended stays as it is."""
        run = self._runs.get(replay_id)
        if run is not None:
            run.stopping.set()
            await run.ended.wait()
        return await self.get(replay_id)

    async def get(self, replay_id: str) -> ReplayRow:
        """Return how far a replay is. Raises MarketDataRefused."""
        run = self._runs.get(replay_id)
        row = run.row if run is not None else self._ended.get(replay_id)
        if row is None:
            row = await self._database.read(lambda tx: library.replay(tx, replay_id))
        if row is None:
            raise MarketDataRefused(
                Refusal.UNKNOWN_REPLAY, f"no replay has the id {replay_id!r}: start one"
            )
        return row

    def _refuse_overlap(self, plan: Plan) -> None:
        for run in self._runs.values():
            common = sorted(plan.instruments & run.plan.instruments)
            if common:
                raise MarketDataRefused(
                    Refusal.REPLAY_RUNNING,
                    f"replay {run.row.replay_id} publishes {', '.join(common)}: stop it first",
                )

    async def _play(self, run: _Run) -> None:
        detach()  # What it publishes is traced publication by publication.
        try:
            await self._warm_up(run)
            await self._publish_steps(run)
            state = ReplayState.STOPPED if run.stopping.is_set() else ReplayState.FINISHED
            run.row = replace(run.row, state=int(state))
        except _Rejected as rejection:
            run.row = replace(run.row, state=int(ReplayState.FAILED), failure=str(rejection))
        except Exception as error:
            run.row = replace(run.row, state=int(ReplayState.FAILED), failure=repr(error))
            raise
        finally:
            await self._close(run)

    async def _close(self, run: _Run) -> None:
        del self._runs[run.row.replay_id]
        self._ended[run.row.replay_id] = run.row  # The store may not take it any more.
        try:
            if run.row.state != ReplayState.RUNNING:  # Else this service is being stopped.
                await self._save(run.row)
        finally:
            run.ended.set()

    async def _warm_up(self, run: _Run) -> None:
        """Store the history before the first step; nobody acts on it."""
        batch: list[Candle] = []
        for step in run.plan.history():
            batch += step
            if len(batch) >= HISTORY_BATCH:
                await self._backfill(batch)
                batch = []
        if batch:
            await self._backfill(batch)

    async def _backfill(self, candles: Sequence[Candle]) -> None:
        drafts = [Draft.of(candle) for candle in candles]
        publish = self._publisher.publish
        _check(drafts, await self._patiently(lambda: publish(drafts, is_backfill=True)))
        if self._pacer is not None:
            await self._pacer.after()

    async def _publish_steps(self, run: _Run) -> None:
        pace = _Pace(run, None if self._pacer else self._environment.clock)
        for candles in run.plan.steps():
            await pace.wait_for(candles[0])
            if run.stopping.is_set():
                return
            if self._pacer is not None:
                await self._pacer.before(candles)
            await self._publish(run, candles)
            if self._pacer is not None:
                await self._pacer.after()

    async def _publish(self, run: _Run, candles: Sequence[Candle]) -> None:
        drafts = [Draft.of(candle) for candle in candles]
        row = replace(
            run.row,
            position_ns=candles[0].close_ns,
            published=run.row.published + len(candles),
        )

        async def publish() -> Publication:
            # The clock may have been set back since they were due: what is to come is refused.
            await self._environment.clock.sleep_until(candles[0].close_ns)
            return await self._publisher.publish(
                drafts, also=lambda tx, _: library.update_replay(tx, row)
            )

        publication = await self._patiently(publish)
        run.row = row
        _check(drafts, publication)

    async def _patiently(self, publish: Callable[[], Awaitable[Publication]]) -> Publication:
        """Publish, again while the store fails: what was committed is a duplicate then."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + STORE_PATIENCE_S
        while True:
            try:
                return await publish()
            except StoreError:
                if loop.time() > give_up_s:
                    raise
                await asyncio.sleep(STORE_RETRY_S)

    async def _save(self, row: ReplayRow) -> None:
        await self._database.write(lambda tx: library.update_replay(tx, row))


class _Pace:
    """When each step of a replay is due: at its speed, and never before its time has come."""

    def __init__(self, run: _Run, clock: Clock | None) -> None:
        """`clock` is None when the world's clock is moved along with the replay."""
        self._run = run
        self._clock = clock
        self._first_open_ns: int | None = None
        self._started_s = 0.0

    async def wait_for(self, candle: Candle) -> None:
        """Return when the step that closes with `candle` is due, or the replay is stopping."""
        loop = asyncio.get_running_loop()
        if self._first_open_ns is None:
            self._first_open_ns = candle.open_ns
            self._started_s = loop.time()
        delay_s = 0.0
        if self._run.speed:
            market_s = (candle.close_ns - self._first_open_ns) / NS_PER_S
            delay_s = self._started_s + market_s / self._run.speed - loop.time()
        if self._clock is not None:
            delay_s = max(delay_s, (candle.close_ns - self._clock.now_ns()) / NS_PER_S)
        await _sleep_unless(self._run.stopping, delay_s)


async def _sleep_unless(stopping: asyncio.Event, delay_s: float) -> None:
    if delay_s <= 0:
        await asyncio.sleep(0)
        return
    try:
        async with asyncio.timeout(delay_s):
            await stopping.wait()
    except TimeoutError:
        pass


def _check(drafts: Sequence[Draft], publication: Publication) -> None:
    """Raise _Rejected when a candle was not accepted; a duplicate is."""
    for draft, verdict in zip(drafts, publication.verdicts, strict=True):
        if verdict.outcome is Outcome.REJECTED and verdict.rejection is not None:
            candle = draft.candle
            raise _Rejected(
                f"the {candle.timeframe.name} candle of {candle.instrument} that opens at"
                f" {candle.open_ns} ns is {verdict.rejection.fault}: {verdict.rejection.text}"
            )
