"""Evaluates candles as they come: in batches, each candle once, one commit per batch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trading.marketdata.v1 import marketdata_pb2

from runtime.environment import Environment
from runtime.errors import ServiceError
from runtime.follow import seen
from services.strategy import store
from services.strategy.changes import Changes
from services.strategy.evaluation import Evaluation, evaluate
from services.strategy.hosted import FAILURES_MAX, Hosted, State, Track
from services.strategy.points import Found, Need, Points, Subject
from services.strategy.priming import Primed, Priming
from services.strategy.roster import CANDLES, Roster
from services.strategy.signals import valid_until_ns
from services.strategy.terms import Bar, Outcome
from services.strategy.wire import bar_of

CURSOR_EVERY = 1_000  # Candles of no strategy move the stored cursor this often.


@dataclass(frozen=True, slots=True)
class Seen:
    """A confirmed candle as it was first shown."""

    instrument: str
    timeframe: int
    sequence: int
    is_backfill: bool
    bar: Bar


@dataclass(frozen=True, slots=True)
class Job:
    """One candle for one version of a strategy."""

    strategy_id: str
    config_version: int
    anchor_ns: int
    has_range: bool | None
    seen: Seen


class Plan:
    """What the strategies have to do about some candles; equal plans ask for equal inputs."""

    def __init__(self, candles: Sequence[Seen], roster: Roster) -> None:
        self.jobs: list[Job] = []
        self.anchors: dict[str, int] = {}  # New anchors by strategy.
        self._last_ns: dict[tuple[str, str], int] = {}
        active = [hosted for hosted in roster.hosted.values() if hosted.is_active]
        for one in candles if active else ():
            for hosted in active:
                is_its = one.instrument in hosted.tracks and one.sequence > hosted.since_sequence
                if is_its and one.timeframe == hosted.config.timeframe:
                    self._add(hosted, one)

    def __eq__(self, other: object) -> bool:
        """Whether nothing that matters has changed meanwhile."""
        return isinstance(other, Plan) and (self.jobs, self.anchors) == (
            other.jobs,
            other.anchors,
        )

    __hash__ = None  # type: ignore[assignment]  # Two plans are compared, never collected.

    def _add(self, hosted: Hosted, seen: Seen) -> None:
        anchor_ns = self._anchor_ns(hosted, seen)
        if seen.is_backfill:
            return
        track = hosted.tracks[seen.instrument]
        key = hosted.strategy_id, seen.instrument
        if seen.bar.open_ns <= self._last_ns.get(key, track.last_open_ns):
            return  # Evaluated before.
        self._last_ns[key] = seen.bar.open_ns
        self.jobs.append(
            Job(hosted.strategy_id, hosted.config_version, anchor_ns, track.has_range, seen)
        )

    def _anchor_ns(self, hosted: Hosted, seen: Seen) -> int:
        """Return where indicators start: until the first evaluation, the oldest candle seen."""
        anchor_ns = self.anchors.get(hosted.strategy_id, hosted.anchor_ns)
        is_older = anchor_ns is None or seen.bar.open_ns < anchor_ns
        if anchor_ns is None or (seen.is_backfill and is_older and not hosted.has_evaluated):
            anchor_ns = self.anchors[hosted.strategy_id] = seen.bar.open_ns
        return anchor_ns


class Evaluator:
    """Takes in the stream of candles."""

    def __init__(
        self, environment: Environment, roster: Roster, points: Points, priming: Priming
    ) -> None:
        self._progress = environment.progress
        self._roster = roster
        self._points = points
        self._priming = priming
        self._stored_sequence = 0

    async def take(self, messages: Sequence[marketdata_pb2.WatchCandlesResponse]) -> None:
        """Evaluate what has arrived, and commit it at once."""
        candles = [one for message in messages for one in _seen(message)]
        sequence = seen(messages)
        while not await self._try(candles, sequence):
            continue  # A strategy was changed while its inputs were on their way: ask again.
        self._progress.has_read(CANDLES, sequence)

    async def _try(self, candles: Sequence[Seen], sequence: int) -> bool:
        roster = self._roster
        plan = Plan(candles, roster)
        self._points.keep(
            (hosted.strategy_id, hosted.config_version)
            for hosted in roster.hosted.values()
            if hosted.is_active
        )
        if not plan.jobs and not plan.anchors and not roster.is_stale:
            await self._skip(sequence)
            return True
        primed = await self._primed(plan)
        needs = [_need(job, roster.hosted[job.strategy_id], primed) for job in plan.jobs]
        inputs = await self._points.find(needs)
        async with roster.turn():
            if plan != Plan(candles, roster):
                return False
            changes = roster.changes()
            for strategy_id, anchor_ns in plan.anchors.items():
                hosted = changes.of(roster.hosted[strategy_id])
                hosted.anchor_ns = anchor_ns
                hosted.changed(changes.now_ns)
            for job, one in zip(plan.jobs, inputs, strict=True):
                self._evaluate(changes, job, one, primed)
            await roster.commit(changes)
            roster.candles_sequence = max(sequence, roster.candles_sequence)
        for need in needs:
            self._points.done(need)
        return True

    async def _skip(self, sequence: int) -> None:
        """Move on over candles of no strategy; of others the evaluations tell how far it is."""
        roster = self._roster
        roster.candles_sequence = max(sequence, roster.candles_sequence)
        if sequence - self._stored_sequence >= CURSOR_EVERY:
            async with roster.turn():
                await roster.commit(
                    roster.changes(), lambda tx: store.set_cursor(tx, CANDLES, sequence)
                )
            self._stored_sequence = sequence

    async def _primed(self, plan: Plan) -> dict[tuple[str, str], Primed | None]:
        """Return the past of every instrument that is evaluated for the first time."""
        primed: dict[tuple[str, str], Primed | None] = {}
        for job in plan.jobs:
            hosted, name = self._roster.hosted[job.strategy_id], job.seen.instrument
            key = job.strategy_id, name
            if hosted.tracks[name].is_primed or key in primed:
                continue
            has_range = job.seen.bar.has_range if job.has_range is None else job.has_range
            span = job.anchor_ns, job.seen.bar.open_ns
            primed[key] = await self._priming.prime(hosted.config, name, span, has_range=has_range)
        return primed

    def _evaluate(
        self,
        changes: Changes,
        job: Job,
        found: Found,
        primed: dict[tuple[str, str], Primed | None],
    ) -> None:
        hosted = changes.of(self._roster.hosted[job.strategy_id])
        if not hosted.is_active:
            return  # It failed on a candle before this one.
        track = hosted.tracks[job.seen.instrument]
        past = primed.get((job.strategy_id, track.instrument))
        bar = job.seen.bar
        if past is not None and not track.is_primed:
            track = _after_past(track, past)
        elif track.has_range is None:
            track = replace(track, has_range=bar.has_range)
        hosted.tracks[track.instrument] = track
        track, evaluation, error = _decided(hosted, track, bar, found)
        if evaluation is not None:
            track = changes.signalled(hosted, track, bar, evaluation.proposals)
        changes.evaluated(hosted, track, job.seen.sequence, evaluation)
        changes.keep(hosted, track)
        if error:
            hosted.last_error = f"{track.instrument}: {error}"
            hosted.changed(changes.now_ns)
            if track.failures >= FAILURES_MAX:
                hosted.turn(State.FAILED, changes.now_ns)
        hosted.settle_state(changes.now_ns)


def _decided(
    hosted: Hosted, track: Track, bar: Bar, found: Found
) -> tuple[Track, Evaluation | None, str]:
    """Return the track after a bar, what was decided, and what went wrong."""
    error = str(found) if isinstance(found, ServiceError) else ""
    point = None if isinstance(found, ServiceError) else found
    after = replace(
        track,
        last_open_ns=bar.open_ns,
        last_close_ns=bar.close_ns,
        last_close_atto=bar.close_atto,
        bar_count=track.bar_count + 1,
        failures=0,
    )
    setting = hosted.setting(track.instrument)
    try:
        state, evaluation = evaluate(setting, track.kind_state, [bar], point, track.position)
    except Exception as bug:  # noqa: BLE001 - a broken kind must not stop the other strategies.
        return replace(after, failures=track.failures + 1), None, repr(bug)
    if error:
        after = replace(after, failures=track.failures + 1)
        evaluation = evaluation._replace(outcome=Outcome.FAILED)
    return replace(after, kind_state=state, position=evaluation.position), evaluation, error


def _after_past(track: Track, past: Primed) -> Track:
    return replace(
        track,
        kind_state=past.kind_state,
        bar_count=past.bar_count,
        has_range=past.has_range,
        is_primed=True,
    )


def _need(job: Job, hosted: Hosted, primed: dict[tuple[str, str], Primed | None]) -> Need:
    past = primed.get((job.strategy_id, job.seen.instrument))
    has_range = job.has_range if past is None else past.has_range
    subject = Subject(
        strategy_id=job.strategy_id,
        config_version=job.config_version,
        config=hosted.config,
        anchor_ns=job.anchor_ns,
        has_range=job.seen.bar.has_range if has_range is None else has_range,
    )
    bar = job.seen.bar
    return Need(subject, job.seen.instrument, bar.open_ns, valid_until_ns(bar))


def _seen(message: marketdata_pb2.WatchCandlesResponse) -> list[Seen]:
    """Return the candle of a message, none for what no strategy looks at (T2)."""
    candle = message.candle
    if message.is_heartbeat or not candle.is_confirmed or candle.revision:
        return []
    return [
        Seen(
            instrument=candle.instrument,
            timeframe=candle.timeframe,
            sequence=message.sequence,
            is_backfill=message.is_backfill,
            bar=bar_of(candle),
        )
    ]
