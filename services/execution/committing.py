"""Commits what a plan does next: a child that is about to be sent, or why there is none."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from runtime.ids import derived_rng
from services.execution import plans, store
from services.execution.algorithms.prices import Meeting
from services.execution.algorithms.sizing import shown_lots, volume_cap_lots, volume_of_others
from services.execution.algorithms.steps import (
    COMPLETION_PAUSE_NS,
    DueSlice,
    Phase,
    Send,
    Situation,
    wanted_lots,
)
from services.execution.algorithms.terms import Kind
from services.execution.children import Child, sent
from services.execution.plans import KeptSlice, Plan
from services.execution.store import Key


@dataclass(frozen=True, slots=True)
class Intent:
    """A child to be sent, and everything that it was decided from."""

    plan: Plan
    situation: Situation
    step: Send
    venue: str
    price_ticks: int

    @property
    def lots(self) -> int:
        """How much it is for."""
        plan, situation = self.plan, self.situation
        if self.step.due is not None:
            return wanted_lots(situation, self.step.due)
        if self.step.meeting is Meeting.COMPLETE or plan.terms.is_native_iceberg:
            return situation.ledger.unscheduled_lots
        rng = derived_rng(0, plan.facts.execution_id, str(plan.children_made + 1))
        return shown_lots(plan.terms, situation.ledger, rng)

    @property
    def target_lots(self) -> int:
        """The most that may be filled and open after it."""
        if self.plan.terms.kind is Kind.POV and self.step.due is not None:
            others = volume_of_others(self.situation.market_lots, self.situation.ledger)
            return volume_cap_lots(self.plan.terms, others)
        return self.step.due.target_lots if self.step.due else self.plan.terms.quantity_lots


def send(tx: Connection, intent: Intent) -> Child:
    """Commit a child that is about to be sent, its dispatch and its slice (X1, X3)."""
    plan, situation, step = intent.plan, intent.situation, intent.step
    number = plan.children_made + 1
    made = Child(
        account=plan.account,
        child_order_id=f"{plan.client_order_id}/{number}",
        client_order_id=plan.client_order_id,
        venue=intent.venue,
        quantity_atto=intent.lots * plan.facts.lot_atto,
        number=number,
        slice=step.due.number if step.due else 0,
        meeting=step.meeting.value,
        price_ticks=intent.price_ticks,
        target_lots=intent.target_lots,
        market_lots=situation.market_lots,
    )
    child = sent(made, situation.now_ns)
    store.insert_child(tx, child)
    store.open_dispatch(tx, child, plan.facts.epoch, plan.facts.decision_id)
    plans.keep(tx, replace(_tried(plan, situation, step), children_made=number, note=""))
    if step.due is not None:
        kept = _slice(tx, plan.key, step.due)
        kept = replace(kept, outcome="SENT", sent_ns=kept.sent_ns or situation.now_ns)
        plans.keep_slice(tx, plan.key, _onward(kept, step))
    return child


def send_nothing(tx: Connection, intent: Intent, why: str) -> None:
    """Commit that a step came to nothing, such as for want of a market price."""
    plan, step = intent.plan, intent.step
    plans.keep(tx, replace(_tried(plan, intent.situation, step), note=why))
    if step.due is not None:
        kept = _slice(tx, plan.key, step.due)
        kept = replace(kept, outcome=kept.outcome or why)
        plans.keep_slice(tx, plan.key, _onward(kept, step))


def skip(tx: Connection, key: Key, due: DueSlice) -> None:
    """Commit that a slice sends nothing more."""
    kept = _slice(tx, key, due)
    done = replace(kept, phase=Phase.DONE, outcome=kept.outcome or "CARRIED")
    plans.keep_slice(tx, key, done)


def _tried(plan: Plan, situation: Situation, step: Send) -> Plan:
    """Return a plan after an attempt: those outside of slices are a second apart."""
    if step.due is not None:
        return plan
    return replace(
        plan,
        completions=plan.completions + (step.meeting is Meeting.COMPLETE),
        not_before_ns=situation.now_ns + COMPLETION_PAUSE_NS,
    )


def _onward(kept: KeptSlice, step: Send) -> KeptSlice:
    return replace(kept, phase=Phase.RESTING if step.meeting is Meeting.PASSIVE else Phase.DONE)


def _slice(tx: Connection, key: Key, due: DueSlice) -> KeptSlice:
    kept = plans.due_slice(tx, key, due.due_ns)
    if kept is not None and kept.number == due.number:
        return kept
    return KeptSlice(due.number, due.due_ns, due.target_lots, due.phase)
