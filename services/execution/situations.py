"""Reads from the store where a plan stands: everything that decides about its next step."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from services.execution import plans, store
from services.execution.algorithms.ledger import Ledger
from services.execution.algorithms.steps import DueSlice, OpenChild, Phase, Situation
from services.execution.algorithms.terms import POV_INTERVAL_NS, SCHEDULED, Kind
from services.execution.children import Child
from services.execution.plans import Plan


@dataclass(frozen=True, slots=True)
class Outside:
    """What a decision needs that the store does not know."""

    now_ns: int
    is_held: bool  # It is paused, or may send nothing.
    asked: Collection[int]  # Children whose cancel is on its way.
    market_lots: int = 0  # POV: the market's volume since the start.
    passed: int = 0  # POV: the last second that needs nothing more.


def look(tx: Connection, plan: Plan, outside: Outside) -> Situation:
    """Return everything that decides about a plan's next step."""
    children = store.load_open_children_of(tx, plan.key)
    due, next_ns = _due(tx, plan, outside)
    return Situation(
        terms=plan.terms,
        ledger=ledger_of(plan, children),
        now_ns=outside.now_ns,
        children=[
            OpenChild(c.number, c.slice, c.is_working, c.number in outside.asked) for c in children
        ],
        due=due,
        next_due_ns=next_ns,
        is_canceled=plan.is_cancel_wanted,
        is_held=outside.is_held,
        market_lots=outside.market_lots,
        completions=plan.completions,
        not_before_ns=plan.not_before_ns,
    )


def ledger_of(plan: Plan, open_children: Collection[Child]) -> Ledger:
    """Return where a plan's quantity is."""
    lot = plan.facts.lot_atto
    return Ledger(
        quantity_lots=plan.terms.quantity_lots,
        filled_lots=plan.filled_lots,
        working_lots=sum(c.leaves_atto for c in open_children if c.is_working) // lot,
        doubtful_lots=sum(c.leaves_atto for c in open_children if c.is_unsettled) // lot,
    )


def _due(tx: Connection, plan: Plan, outside: Outside) -> tuple[DueSlice | None, int]:
    """Return the slice to work on, None when there is none, and when the next one is due."""
    if plan.terms.kind is Kind.POV:
        return _due_second(tx, plan, outside)
    if plan.terms.kind not in SCHEDULED:
        return None, 0
    kept = plans.due_slice(tx, plan.key, outside.now_ns)
    next_ns = plans.next_due_ns(tx, plan.key, outside.now_ns)
    if kept is None or kept.phase is Phase.DONE:
        return None, next_ns
    is_final = kept.number == plan.facts.slices
    due = DueSlice(kept.number, kept.due_ns, kept.target_lots, kept.phase, is_final)
    return due, next_ns


def _due_second(tx: Connection, plan: Plan, outside: Outside) -> tuple[DueSlice | None, int]:
    """Return POV's slice: the second that runs."""
    number = (outside.now_ns - plan.terms.start_ns) // POV_INTERVAL_NS + 1
    due_ns = plan.terms.start_ns + (number - 1) * POV_INTERVAL_NS
    next_ns = due_ns + POV_INTERVAL_NS
    if outside.now_ns < plan.terms.start_ns or number <= outside.passed:
        return None, next_ns
    kept = plans.due_slice(tx, plan.key, outside.now_ns)
    phase = kept.phase if kept and kept.number == number else Phase.PENDING
    if phase is Phase.DONE:
        return None, next_ns
    return DueSlice(number, due_ns, 0, phase), next_ns
