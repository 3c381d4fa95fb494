"""Decisions, limits, modes and events of risk, as the store keeps them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1.risk_pb2 import (
    RISK_VERDICT_REJECTED,
    CheckResult,
    RiskDecision,
    RiskEvent,
)

from runtime.times import to_ns, to_timestamp
from services.risk import tables as t
from services.risk.breakers import Breakers, Key, Standing
from services.risk.facts import Facts, Named, pack
from services.risk.reasons import Mode, Reason
from services.risk.rules import ScopeKind
from services.risk.store import put

KEYS_MAX = 100_000
SLOTS_MAX = 10_000
Row = dict[str, Any]

_decisions = t.risk_decisions
_INSERT_DECISION, _INSERT_CHECKS = insert(_decisions), insert(t.risk_checks)
_INSERT_EVENT, _INSERT_LIMITS = insert(t.risk_events), insert(t.limits)
_FIND = select(_decisions).where(
    _decisions.c.account == bindparam("account"), _decisions.c.request_key == bindparam("key")
)
_BY_ID = select(_decisions).where(_decisions.c.decision_id == bindparam("decision_id"))
_NEWEST = select(_decisions).order_by(_decisions.c.sequence.desc())
_KEYS = (
    select(_decisions.c.account, _decisions.c.request_key)
    .order_by(_decisions.c.sequence.desc())
    .limit(bindparam("count"))
)
_SLOTS = (
    select(_decisions.c.slot, _decisions.c.subject_id)
    .where(_decisions.c.is_signal, _decisions.c.slot != "")
    .order_by(_decisions.c.sequence.desc())
    .limit(SLOTS_MAX)
)
_ORDERED = (
    select(_decisions.c.account, _decisions.c.strategy_id, _decisions.c.decided_ns)
    .where(
        _decisions.c.decided_ns > bindparam("after_ns"),
        ~_decisions.c.is_signal,
        _decisions.c.request_key.like("%:1"),  # A later version is the same order.
    )
    .order_by(_decisions.c.decided_ns, _decisions.c.sequence)
)
_EVENTS = (
    select(t.risk_events)
    .where(t.risk_events.c.sequence > bindparam("after"))
    .order_by(t.risk_events.c.sequence)
    .limit(bindparam("count"))
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision with what is needed to find it again."""

    sequence: int
    account: str
    key: str  # The signal_id or the validation_id.
    digest: bytes  # Of what was asked.
    strategy_id: str
    slot: str  # Of an approved signal.
    decided_ns: int
    decision: RiskDecision
    answer: pb.ValidateSignalResponse | pb.ValidateOrderResponse
    facts: Facts
    named: Named


class Found(NamedTuple):
    """A decision made before."""

    digest: bytes
    answer: bytes


class Wanted(NamedTuple):
    """Which decisions to list; what is empty or 0 is not asked for."""

    account: str
    strategy_id: str
    subject_id: str
    verdict: int


def add_decision(tx: Connection, made: Recorded) -> None:
    """Store a decision, and its failed checks beside it."""
    decision = made.decision
    row = {
        "sequence": made.sequence,
        "decision_id": decision.decision_id,
        "account": made.account,
        "request_key": made.key,
        "is_signal": isinstance(made.answer, pb.ValidateSignalResponse),
        "subject_id": decision.subject_id,
        "strategy_id": made.strategy_id,
        "slot": made.slot,
        "verdict": decision.verdict,
        "decided_ns": made.decided_ns,
        "digest": made.digest,
        "answer": made.answer.SerializeToString(),
        "facts": pack(made.facts),
        "names": "\n".join(made.named),
    }
    tx.execute(_INSERT_DECISION, row)
    failed = [_check_row(made.sequence, check) for check in failures(decision)]
    if failed:
        tx.execute(_INSERT_CHECKS, failed)


def failures(decision: RiskDecision) -> list[CheckResult]:
    """Return the checks that failed."""
    if decision.verdict != RISK_VERDICT_REJECTED:
        return []
    from_contract = 2  # CHECK_OUTCOME_FAILED
    return [check for check in decision.checks if check.outcome == from_contract]


def find(tx: Connection, account: str, key: str) -> Found | None:
    """Return the decision about a signal or validation, None when there is none."""
    row = tx.execute(_FIND, {"account": account, "key": key}).first()
    return None if row is None else Found(row.digest, row.answer)


def by_id(tx: Connection, decision_id: str) -> RiskDecision | None:
    """Return a decision by its name."""
    row = tx.execute(_BY_ID, {"decision_id": decision_id}).first()
    return None if row is None else _decision(row)


def newest(
    tx: Connection, wanted: Wanted, *, before: int, count: int
) -> list[tuple[int, RiskDecision]]:
    """Return decisions with sequences below `before` (0: all), the newest first."""
    statement = _NEWEST.limit(count)
    if before:
        statement = statement.where(_decisions.c.sequence < before)
    for name, value in wanted._asdict().items():
        if value:
            statement = statement.where(_decisions.c[name] == value)
    return [(row.sequence, _decision(row)) for row in tx.execute(statement)]


def last_sequence(tx: Connection) -> int:
    """Return the sequence of the last decision, 0 when there is none."""
    return tx.execute(select(func.max(_decisions.c.sequence))).scalar() or 0


def keys(tx: Connection) -> tuple[list[tuple[str, str]], bool]:
    """Return the newest (account, key) decided, oldest first, and whether these are all."""
    rows = tx.execute(_KEYS, {"count": KEYS_MAX + 1}).all()
    found = [(row.account, row.request_key) for row in reversed(rows[:KEYS_MAX])]
    return found, len(rows) <= KEYS_MAX


def slots(tx: Connection) -> dict[str, str]:
    """Return the newest slots of approved signals, to the signal of each."""
    return {row.slot: row.subject_id for row in reversed(tx.execute(_SLOTS).all())}


def ordered(tx: Connection, after_ns: int) -> list[tuple[str, str, int]]:
    """Return account, strategy and time of each order asked about after an instant."""
    rows = tx.execute(_ORDERED, {"after_ns": after_ns})
    return [(row.account, row.strategy_id, row.decided_ns) for row in rows]


def add_events(tx: Connection, events: Iterable[RiskEvent]) -> None:
    """Store risk events."""
    rows = [{"sequence": e.header.sequence, "body": e.SerializeToString()} for e in events]
    if rows:
        tx.execute(_INSERT_EVENT, rows)


def events_after(tx: Connection, after: int, count: int) -> Sequence[tuple[int, RiskEvent]]:
    """Return the events behind a sequence, in order."""
    rows = tx.execute(_EVENTS, {"after": after, "count": count})
    return [(row.sequence, RiskEvent.FromString(row.body)) for row in rows]


def last_event(tx: Connection) -> int:
    """Return the sequence of the last event, 0 when there is none."""
    return tx.execute(select(func.max(t.risk_events.c.sequence))).scalar() or 0


def add_limits(
    tx: Connection, scope: pb.Scope, limits: pb.Limits, *, version: int, set_ns: int
) -> None:
    """Store limits as the newest of their scope."""
    row = {"version": version, "scope_kind": scope.kind, "scope_id": scope.id}
    tx.execute(_INSERT_LIMITS, row | {"body": limits.SerializeToString(), "set_ns": set_ns})


def all_limits(tx: Connection) -> list[tuple[int, pb.Scope, pb.Limits]]:
    """Return every version of every scope's limits, the oldest first."""
    rows = tx.execute(select(t.limits).order_by(t.limits.c.version))
    return [
        (
            row.version,
            pb.Scope(kind=row.scope_kind, id=row.scope_id),
            pb.Limits.FromString(row.body),
        )
        for row in rows
    ]


def put_mode(tx: Connection, mode: pb.ScopedMode, asked: int) -> None:
    """Store the mode that holds in a scope, and the one that somebody asked for."""
    row = {"scope_kind": mode.scope.kind, "scope_id": mode.scope.id, "mode": mode.mode}
    row |= {"asked": asked, "reason": mode.reason, "since_ns": to_ns(mode.since)}
    put(tx, t.trading_modes, [row])


def modes(tx: Connection) -> list[tuple[pb.ScopedMode, int]]:
    """Return the mode of each scope that has one, and what was asked, by kind and id."""
    table = t.trading_modes
    rows = tx.execute(select(table).order_by(table.c.scope_kind, table.c.scope_id))
    return [
        (
            pb.ScopedMode(
                scope=pb.Scope(kind=row.scope_kind, id=row.scope_id),
                mode=row.mode,
                reason=row.reason,
                since=to_timestamp(row.since_ns),
            ),
            row.asked,
        )
        for row in rows
    ]


def put_breakers(tx: Connection, breakers: Breakers, keys: Iterable[Key]) -> None:
    """Store what changed of breakers: that they stand, or that they let go."""
    rows = []
    for key in keys:
        standing = breakers.standing.get(key)
        since_ns, until_ns, is_acknowledged = standing or Standing(0)
        (kind, name), code, mode, level = key
        row: Row = {"scope_kind": kind, "scope_id": name, "code": code, "mode": mode}
        row |= {"level": level, "is_standing": standing is not None, "since_ns": since_ns}
        rows.append(row | {"until_ns": until_ns, "is_acknowledged": is_acknowledged})
    put(tx, t.risk_breakers, rows)


def breakers(tx: Connection) -> Breakers:
    """Return the breakers that stand, the oldest first."""
    table = t.risk_breakers
    rows = tx.execute(
        select(table).where(table.c.is_standing).order_by(table.c.since_ns, *table.primary_key)
    )
    found = Breakers()
    for row in rows:
        scope = (ScopeKind(row.scope_kind), row.scope_id)
        key = Key(scope, Reason(row.code), Mode(row.mode), row.level)
        found.standing[key] = Standing(row.since_ns, row.until_ns, row.is_acknowledged)
    return found


def _check_row(decision: int, check: CheckResult) -> Row:
    return {
        "decision": decision,
        "code": check.code,
        "outcome": check.outcome,
        "observed": check.observed,
        "limit_text": check.limit,
    }


def _decision(row: Any) -> RiskDecision:
    """Return a stored decision without its token."""
    kind = pb.ValidateSignalResponse if row.is_signal else pb.ValidateOrderResponse
    decision = kind.FromString(row.answer).decision
    decision.ClearField("token")
    return decision
