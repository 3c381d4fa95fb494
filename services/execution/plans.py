"""What execution keeps of the parents that are worked over time, and of their slices."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from services.execution import tables as t
from services.execution.algorithms.schedule import Slice
from services.execution.algorithms.steps import Phase
from services.execution.algorithms.terms import Impact, Kind, Style, Terms
from services.execution.modes import Subject
from services.execution.store import Key


class PlanStatus(Enum):
    """Where a parent stands that is worked over time."""

    WORKING = "WORKING"
    FILLED = "FILLED"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What never changes of a plan."""

    execution_id: str
    instrument: str
    strategy_id: str
    side: int  # Of the contract.
    is_reducing: bool
    judged_ns: int  # When risk decided.
    epoch: int
    decision_id: str
    lot_atto: int
    tick_atto: int
    profile: str = ""
    slices: int = 0
    arrival_twice_mid: int = 0  # In ticks; 0: not known.
    trades_from: int = 0  # The market's trades after this sequence count …
    traded_before: int = 0  # … and its volume beyond these lots.


@dataclass(frozen=True, slots=True)
class Plan:
    """A parent that is worked over time."""

    account: str
    client_order_id: str
    terms: Terms
    facts: PlanFacts
    status: PlanStatus = PlanStatus.WORKING
    is_cancel_wanted: bool = False
    is_paused: bool = False
    filled_lots: int = 0
    children_made: int = 0
    reports_made: int = 0
    completions: int = 0
    not_before_ns: int = 0
    note: str = ""
    trades_until: int = 0  # The market's last trade before it ended; 0: not known.

    @property
    def key(self) -> Key:
        """Its parent's name."""
        return (self.account, self.client_order_id)

    @property
    def is_over(self) -> bool:
        """Whether it sends nothing any more."""
        return self.status is not PlanStatus.WORKING

    @property
    def leaves_lots(self) -> int:
        """What may still trade or be sent; nothing once it has ended."""
        return 0 if self.is_over else self.terms.quantity_lots - self.filled_lots

    @property
    def subject(self) -> Subject:
        """What the trading modes are asked about."""
        facts = self.facts
        return Subject(
            self.account, facts.strategy_id, facts.instrument, facts.is_reducing, facts.judged_ns
        )


@dataclass(frozen=True, slots=True)
class KeptSlice:
    """A slice and how far it has come."""

    number: int
    due_ns: int
    target_lots: int
    phase: Phase
    outcome: str = ""
    sent_ns: int = 0


_NAMED = (
    t.plans.c.account == bindparam("of_account"),
    t.plans.c.client_order_id == bindparam("of_id"),
)
_PLAN = select(t.plans).where(*_NAMED)
_LIVING = select(t.plans).where(t.plans.c.status == PlanStatus.WORKING.value)
_LIVING = _LIVING.order_by(t.plans.c.account, t.plans.c.client_order_id)
_INSERT = insert(t.plans)
_UPDATE = update(t.plans).where(*_NAMED)
_OF = (
    t.schedules.c.account == bindparam("of_account"),
    t.schedules.c.client_order_id == bindparam("of_id"),
)
_SLICES = select(t.schedules).where(*_OF).order_by(t.schedules.c.slice)
_DUE = select(t.schedules).where(*_OF, t.schedules.c.due_ns <= bindparam("now_ns"))
_DUE = _DUE.order_by(t.schedules.c.slice.desc()).limit(1)
_NEXT = select(t.schedules.c.due_ns).where(*_OF, t.schedules.c.due_ns > bindparam("now_ns"))
_NEXT = _NEXT.order_by(t.schedules.c.due_ns).limit(1)
_INSERT_SLICE = insert(t.schedules)
_UPDATE_SLICE = update(t.schedules).where(*_OF, t.schedules.c.slice == bindparam("of_slice"))
_MERGE = (
    update(t.schedules)
    .where(*_OF, t.schedules.c.slice < bindparam("of_slice"), t.schedules.c.phase == "PENDING")
    .values(phase="DONE", outcome="MERGED")
)


def load(tx: Connection, key: Key) -> Plan | None:
    """Return the plan of a parent; None for one that is DIRECT or unknown."""
    row = tx.execute(_PLAN, _of(key)).first()
    return _plan(row) if row else None


def load_living(tx: Connection) -> list[Plan]:
    """Return every plan that has not ended."""
    return [_plan(row) for row in tx.execute(_LIVING)]


def add(tx: Connection, plan: Plan, slices: Sequence[Slice]) -> None:
    """Keep a new plan with its slices."""
    fixed = {
        "account": plan.account,
        "client_order_id": plan.client_order_id,
        "facts": json.dumps(asdict(plan.facts)),
    }
    tx.execute(_INSERT, fixed | _changing(plan))
    if slices:
        tx.execute(_INSERT_SLICE, [_slice_row(plan.key, _kept(one)) for one in slices])


def keep(tx: Connection, plan: Plan) -> None:
    """Keep what has changed of a plan that is there."""
    tx.execute(_UPDATE, _of(plan.key) | _changing(plan))


def slices_of(tx: Connection, key: Key) -> list[KeptSlice]:
    """Return all slices of a plan, in time order."""
    return [_slice(row) for row in tx.execute(_SLICES, _of(key))]


def due_slice(tx: Connection, key: Key, now_ns: int) -> KeptSlice | None:
    """Return the latest slice whose time has come."""
    row = tx.execute(_DUE, _of(key) | {"now_ns": now_ns}).first()
    return _slice(row) if row else None


def next_due_ns(tx: Connection, key: Key, now_ns: int) -> int:
    """Return when the next slice is due; 0 when there is none."""
    return tx.execute(_NEXT, _of(key) | {"now_ns": now_ns}).scalar() or 0


def keep_slice(tx: Connection, key: Key, moved: KeptSlice) -> None:
    """Keep how far a slice has come; those before it that sent nothing are merged into it."""
    row = _slice_row(key, moved)
    named = _of(key) | {"of_slice": moved.number}
    if tx.execute(_UPDATE_SLICE, named | row).rowcount == 0:
        tx.execute(_INSERT_SLICE, row)  # POV's seconds are kept when they send something.
    tx.execute(_MERGE, named)


def retarget(tx: Connection, key: Key, moved: Sequence[KeptSlice]) -> None:
    """Keep other targets of slices that are still to come."""
    if moved:
        rows = [_of(key) | {"of_slice": one.number} | _slice_row(key, one) for one in moved]
        tx.execute(_UPDATE_SLICE, rows)


def _plan(row: Row[Any]) -> Plan:
    return Plan(
        account=row.account,
        client_order_id=row.client_order_id,
        terms=terms_from(json.loads(row.terms)),
        facts=PlanFacts(**json.loads(row.facts)),
        status=PlanStatus(row.status),
        is_cancel_wanted=bool(row.is_cancel_wanted),
        is_paused=bool(row.is_paused),
        filled_lots=row.filled,
        children_made=row.children_made,
        reports_made=row.reports_made,
        completions=row.completions,
        not_before_ns=row.not_before_ns,
        note=row.note,
        trades_until=row.trades_until,
    )


def _changing(plan: Plan) -> dict[str, Any]:
    return {
        "terms": json.dumps(terms_values(plan.terms)),
        "status": plan.status.value,
        "is_cancel_wanted": int(plan.is_cancel_wanted),
        "is_paused": int(plan.is_paused),
        "filled": plan.filled_lots,
        "children_made": plan.children_made,
        "reports_made": plan.reports_made,
        "completions": plan.completions,
        "not_before_ns": plan.not_before_ns,
        "note": plan.note,
        "trades_until": plan.trades_until,
    }


def terms_values(terms: Terms) -> dict[str, Any]:
    """Return terms as JSON can hold them."""
    return asdict(terms) | {"kind": terms.kind.value, "style": terms.style.value}


def terms_from(values: Mapping[str, Any]) -> Terms:
    """Return terms as they were before `terms_values`."""
    named = dict(values)
    named["kind"], named["style"] = Kind(named["kind"]), Style(named["style"])
    named["impact"] = Impact(**named["impact"])
    return Terms(**named)


def _kept(one: Slice) -> KeptSlice:
    return KeptSlice(one.number, one.due_ns, one.target_lots, Phase.PENDING)


def _slice(row: Row[Any]) -> KeptSlice:
    return KeptSlice(
        row.slice, row.due_ns, row.target_lots, Phase(row.phase), row.outcome, row.sent_ns
    )


def _slice_row(key: Key, one: KeptSlice) -> dict[str, Any]:
    return {
        "account": key[0],
        "client_order_id": key[1],
        "slice": one.number,
        "due_ns": one.due_ns,
        "target_lots": one.target_lots,
        "phase": one.phase.value,
        "outcome": one.outcome,
        "sent_ns": one.sent_ns,
    }


def _of(key: Key) -> dict[str, str]:
    return {"of_account": key[0], "of_id": key[1]}
