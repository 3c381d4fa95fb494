"""Whatever venue, modes and crashes do, step by step: quantity is conserved and caps hold."""

import random
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from services.execution.algorithms.ledger import Ledger
from services.execution.algorithms.prices import Meeting
from services.execution.algorithms.schedule import Timetable, timetable
from services.execution.algorithms.sizing import shown_lots, volume_cap_lots
from services.execution.algorithms.steps import (
    COMPLETION_PAUSE_NS,
    Ask,
    DueSlice,
    End,
    Ending,
    OpenChild,
    Phase,
    Send,
    Situation,
    Skip,
    Wait,
    next_step,
    wanted_lots,
)
from services.execution.algorithms.terms import POV_INTERVAL_NS, SCHEDULED, Kind, Style, Terms
from services.execution.algorithms.tests.mothers import MINUTE_NS, START_NS, terms

STEPS_MAX = 5_000


@dataclass
class Order:
    """A child at the imagined venue."""

    slice_number: int
    leaves: int
    is_known: bool  # Whether its acknowledgement has come.
    is_taking: bool
    is_asked: bool = False


@dataclass
class Play:
    """One parent, an imagined venue and a world that errs, all from one seed."""

    terms: Terms
    rng: random.Random
    table: Timetable = field(init=False)
    phases: dict[int, Phase] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    now_ns: int = START_NS
    filled: int = 0
    made: int = 0
    others: int = 0
    passed: int = 0
    completions: int = 0
    not_before_ns: int = 0
    is_canceled: bool = False
    is_held: bool = False
    sent_in: dict[int, int] = field(default_factory=dict)
    ending: Ending | None = None
    crash_share: float = 0.05

    def __post_init__(self) -> None:
        is_timed = self.terms.kind in SCHEDULED
        self.table = timetable(self.terms, self.rng) if is_timed else Timetable(())

    @property
    def ledger(self) -> Ledger:
        """Where the quantity is; it asserts that the parts add up."""
        working = sum(o.leaves for o in self.orders.values() if o.is_known)
        doubtful = sum(o.leaves for o in self.orders.values() if not o.is_known)
        return Ledger(self.terms.quantity_lots, self.filled, working, doubtful)

    def situation(self) -> Situation:
        """Return what the next step is decided from."""
        due, next_ns = self._due()
        return Situation(
            self.terms,
            self.ledger,
            self.now_ns,
            children=[
                OpenChild(n, o.slice_number, o.is_known, o.is_asked) for n, o in self.orders.items()
            ],
            due=due,
            next_due_ns=next_ns,
            is_canceled=self.is_canceled,
            is_held=self.is_held,
            market_lots=self.others + self.filled,
            completions=self.completions,
            not_before_ns=self.not_before_ns,
        )

    def _due(self) -> tuple[DueSlice | None, int]:
        if self.terms.kind is Kind.POV:
            number = (self.now_ns - START_NS) // POV_INTERVAL_NS + 1
            due_ns = START_NS + (number - 1) * POV_INTERVAL_NS
            phase = self.phases.get(number, Phase.PENDING)
            is_over = number <= self.passed or phase is Phase.DONE
            due = None if is_over else DueSlice(number, due_ns, 0, phase)
            return due, due_ns + POV_INTERVAL_NS
        coming = [s.due_ns for s in self.table.slices if s.due_ns > self.now_ns]
        past = [s for s in self.table.slices if s.due_ns <= self.now_ns]
        next_ns = coming[0] if coming else 0
        if not past or self.phases.get(past[-1].number) is Phase.DONE:
            return None, next_ns
        last = past[-1]
        phase = self.phases.get(last.number, Phase.PENDING)
        is_final = last.number == len(self.table.slices)
        return DueSlice(last.number, last.due_ns, last.target_lots, phase, is_final), next_ns

    def take(self) -> None:
        """Take the next step and check what must hold whatever it is."""
        situation = self.situation()
        step = next_step(situation)
        if isinstance(step, Ask):
            assert step.numbers
            for number in step.numbers:
                assert self.orders[number].is_known
                self.orders[number].is_asked = True
        elif isinstance(step, Send):
            self._send(situation, step)
        elif isinstance(step, Skip):
            self._skip(step)
        elif isinstance(step, End):
            assert not self.orders
            self.ending = step.ending
        else:
            self._wait(step)

    def _send(self, situation: Situation, step: Send) -> None:
        assert not self.is_canceled
        assert not self.is_held
        lots = self._lots(situation, step)
        self._check_send(situation, step, lots)
        if step.due:
            is_resting = step.meeting is Meeting.PASSIVE
            self.phases[step.due.number] = Phase.RESTING if is_resting else Phase.DONE
        else:
            self.not_before_ns = self.now_ns + COMPLETION_PAUSE_NS
            self.completions += step.meeting is Meeting.COMPLETE
        if lots <= 0 or self.rng.random() < 0.1:
            return  # No market price.
        self.made += 1
        is_taking = step.meeting in (Meeting.CROSS, Meeting.COMPLETE)
        number = step.due.number if step.due else 0
        self.orders[self.made] = Order(number, lots, is_known=False, is_taking=is_taking)

    def _lots(self, situation: Situation, step: Send) -> int:
        if step.due:
            return wanted_lots(situation, step.due)
        if step.meeting is Meeting.COMPLETE:
            return situation.ledger.unscheduled_lots
        return shown_lots(self.terms, situation.ledger, self.rng)

    def _check_send(self, situation: Situation, step: Send, lots: int) -> None:
        after = situation.ledger.committed_lots + lots
        assert after <= self.terms.quantity_lots
        if self.terms.max_child_lots and step.meeting is not Meeting.COMPLETE:
            assert lots <= self.terms.max_child_lots
        if self.terms.kind is Kind.POV and step.due:
            assert after <= volume_cap_lots(self.terms, self.others)
        elif step.due:
            assert after <= step.due.target_lots
            assert self.now_ns >= step.due.due_ns
        if step.meeting is Meeting.SHOW:
            assert not self.orders

    def _skip(self, step: Skip) -> None:
        if self.terms.kind is Kind.POV and step.due.phase is Phase.PENDING:
            self.passed = step.due.number
        else:
            self.phases[step.due.number] = Phase.DONE

    def _wait(self, step: Wait) -> None:
        """Let time pass, and something happen on the way."""
        self._happen()
        until_ns = step.until_ns or self.now_ns + self.rng.randrange(MINUTE_NS)
        if self.rng.random() < self.crash_share:
            until_ns += 3 * MINUTE_NS  # A crash: nobody looked for a while.
        self.now_ns = max(self.now_ns, until_ns)

    def _happen(self) -> None:
        self.others += self.rng.randrange(200)
        if self.rng.random() < 0.03:
            self.is_held = not self.is_held
        if self.rng.random() < 0.003:
            self.is_canceled = True
        for number in list(self.orders):
            self._move(number, self.orders[number])

    def _move(self, number: int, order: Order) -> None:
        """Let the venue do something with an order: nothing, a trade, or its end."""
        if not order.is_known:
            if self.rng.random() < 0.3:
                return  # It stays in doubt.
            order.is_known = True
            if self.rng.random() < 0.1:
                del self.orders[number]  # It was never accepted.
                return
        if self.rng.random() < 0.5:
            lots = self.rng.randint(1, order.leaves)
            order.leaves -= lots
            self.filled += lots
        if not order.leaves or order.is_taking or order.is_asked:
            del self.orders[number]

    def finish(self) -> None:
        """Play to the end."""
        for _ in range(STEPS_MAX):
            if self.ending is not None:
                return
            self.take()
        raise AssertionError("it never ended")


plays = st.builds(
    terms,
    st.sampled_from([Kind.TWAP, Kind.VWAP, Kind.IMPLEMENTATION_SHORTFALL, Kind.POV, Kind.ICEBERG]),
    quantity_lots=st.integers(1, 500),
    end_ns=st.just(START_NS + 3 * MINUTE_NS),
    interval_ns=st.sampled_from([5 * 10**9, 20 * 10**9, MINUTE_NS]),
    min_child_lots=st.integers(1, 20),
    max_child_lots=st.sampled_from([0, 20, 50]),
    participation_ppm=st.integers(10_000, 300_000),
    style=st.sampled_from(list(Style)),
    must_complete=st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(made=plays, seed=st.integers(0, 2**32))
def test_quantity_is_conserved_and_caps_hold_whatever_happens(made: Terms, seed: int) -> None:
    play = Play(made, random.Random(seed))
    play.finish()
    if play.ending is Ending.FILLED:
        assert play.filled == made.quantity_lots
    if play.ending is Ending.CANCELED:
        assert play.is_canceled
    if play.ending is Ending.WINDOW_ENDED:
        assert play.now_ns >= made.end_ns


@settings(max_examples=40, deadline=None)
@given(made=plays, seed=st.integers(0, 2**32))
def test_in_a_friendly_market_a_schedule_is_filled_whole(made: Terms, seed: int) -> None:
    if made.kind not in SCHEDULED:
        return
    friendly = replace(made, style=Style.CROSS, max_child_lots=0)
    play = Friendly(friendly, random.Random(seed), crash_share=0.0)
    play.finish()
    assert (play.ending, play.filled) == (Ending.FILLED, made.quantity_lots)


class Friendly(Play):
    """A world in which every child trades whole."""

    def _send(self, situation: Situation, step: Send) -> None:
        lots = self._lots(situation, step)
        self._check_send(situation, step, lots)
        assert step.due
        self.phases[step.due.number] = Phase.DONE
        self.filled += lots

    def _happen(self) -> None:
        return
