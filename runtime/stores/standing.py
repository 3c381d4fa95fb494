"""How each kind of data stands while stores are there or away: pure, a table in code (S5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from runtime.stores.presence import Absence
from runtime.times import NS_PER_S

OUTBOX_ROWS_MAX, OUTBOX_AGE_MAX_S = 1_000_000, 15 * 60.0


class State(StrEnum):
    """What is promised about one kind of data, from most to least."""

    DURABLE = "DURABLE"  # What was answered is on disk.
    EPHEMERAL = "EPHEMERAL"  # Kept in memory, because that was asked for: tests and demos.
    DEGRADED = "DEGRADED"  # From local memory instead of its store.
    STALE = "STALE"  # Answered as last known, at most a minute old.
    SPOOLING = "SPOOLING"  # On a local disk, applied in order when the store is back.
    BACKLOG = "BACKLOG"  # Committed, and not on its stream yet.
    REFUSING = "REFUSING"  # Refused before any effect.


class Data(StrEnum):
    """Kinds of data that fare differently while a store is away."""

    INTENTS = "INTENTS"  # New orders, transfers, limits.
    FACTS = "FACTS"  # From outside: fills, the venue's reports.
    READS = "READS"
    STREAMS = "STREAMS"  # Events on their way to other services.


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits, and since when the oldest of it does."""

    depth: int = 0
    oldest_ns: int | None = None

    def age_s(self, now_ns: int) -> float:
        """Return how long the oldest has waited; 0 when nothing waits."""
        return 0.0 if self.oldest_ns is None else max(0, now_ns - self.oldest_ns) / NS_PER_S


NOTHING_WAITS = Waiting()


@dataclass(frozen=True, slots=True)
class Standing:
    """How one kind of data stands."""

    data: Data
    store: str  # "database" or "streams".
    state: State
    depth: int = 0
    age_s: float = 0.0
    since_ns: int | None = None  # Since when its store is away.
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known about the stores of one service. None: it has no such store, or is there."""

    is_ephemeral: bool = False
    database: Absence | None = None
    spool: Waiting | None = None  # None: it spools nothing.
    streams: Absence | None = None
    outbox: Waiting | None = None  # None: it publishes nothing.


def standings(condition: Condition, now_ns: int) -> tuple[Standing, ...]:
    """Return how each kind of data stands."""
    found = [_intents(condition, now_ns), _facts(condition, now_ns), _reads(condition)]
    if condition.outbox is not None:
        found.append(_streams(condition, now_ns))
    return tuple(found)


def worst(found: Sequence[Standing]) -> Standing:
    """Return the standing that promises least, the first of equals."""
    order = list(State)
    return max(found, key=lambda one: order.index(one.state))


def is_overdue(outbox: Waiting, now_ns: int) -> bool:
    """Tell whether so much waits for the streams that nothing new may begin."""
    return outbox.depth > OUTBOX_ROWS_MAX or outbox.age_s(now_ns) > OUTBOX_AGE_MAX_S


def _kept(condition: Condition) -> State:
    return State.EPHEMERAL if condition.is_ephemeral else State.DURABLE


def _intents(condition: Condition, now_ns: int) -> Standing:
    if (away := condition.database) is not None:
        return _away(Data.INTENTS, State.REFUSING, away)
    outbox = condition.outbox or NOTHING_WAITS
    if condition.streams is not None and is_overdue(outbox, now_ns):
        return Standing(
            Data.INTENTS,
            "streams",
            State.REFUSING,
            outbox.depth,
            outbox.age_s(now_ns),
            condition.streams.since_ns,
            condition.streams.reason,
        )
    return Standing(Data.INTENTS, "database", _kept(condition))


def _facts(condition: Condition, now_ns: int) -> Standing:
    away, spool = condition.database, condition.spool
    if spool is None:  # They wait at their source, which repeats them.
        return (
            Standing(Data.FACTS, "database", _kept(condition))
            if away is None
            else _away(Data.FACTS, State.REFUSING, away)
        )
    if away is None and not spool.depth:
        return Standing(Data.FACTS, "database", _kept(condition))
    return Standing(
        Data.FACTS,
        "database",
        State.SPOOLING,
        spool.depth,
        spool.age_s(now_ns),
        away.since_ns if away else spool.oldest_ns,
        away.reason if away else "what was spooled is being applied",
    )


def _reads(condition: Condition) -> Standing:
    if (away := condition.database) is not None:
        return _away(Data.READS, State.STALE, away)
    return Standing(Data.READS, "database", _kept(condition))


def _streams(condition: Condition, now_ns: int) -> Standing:
    if (away := condition.streams) is None:
        return Standing(Data.STREAMS, "streams", _kept(condition))
    outbox = condition.outbox or NOTHING_WAITS
    return Standing(
        Data.STREAMS,
        "streams",
        State.BACKLOG,
        outbox.depth,
        outbox.age_s(now_ns),
        away.since_ns,
        away.reason,
    )


def _away(data: Data, state: State, away: Absence) -> Standing:
    return Standing(data, "database", state, since_ns=away.since_ns, reason=away.reason)
