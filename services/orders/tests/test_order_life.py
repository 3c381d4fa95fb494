"""Random lives of an order keep the quantities true, whatever the order of events."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.orders.events import Event, Kind
from services.orders.machine import Applied, apply
from services.orders.states import TERMINAL, Amendment, Fill, Order, Place
from services.orders.transitions import TABLE

MONEYLESS = [k for k in Kind if k not in {Kind.TRADED, Kind.PARTLY_TRADED, Kind.FULLY_TRADED}]
SIMPLE = [k for k in MONEYLESS if k not in {Kind.BUSTED, Kind.CORRECTED}]


class OrderLife(RuleBasedStateMachine):
    """One order, any events, and beside it the plainest bookkeeping there is."""

    def __init__(self) -> None:
        super().__init__()
        self.order = apply(Order(100), Event(Kind.SUBMITTED)).order
        self.fills: list[Fill] = []
        self.quantities = {100}

    def take(self, event: Event) -> Applied:
        before = self.order
        applied = apply(before, event)
        self.order = applied.order
        kind = event.kind
        if before.is_terminal and (self.order.place, kind) != (Place.CANCELED, Kind.BUSTED):
            assert self.order.place is before.place, "a terminal order never leaves"
        if self.order.cum_atto < before.cum_atto:
            assert kind in {Kind.BUSTED, Kind.CORRECTED}, "only these take fills back"
        if applied.row is None:
            assert (self.order.place, self.order.working) == (before.place, before.working)
        if self.order is not before:
            assert self.order.version == before.version + 1
        return applied

    @rule(kind=st.sampled_from(SIMPLE), named=st.sampled_from(list(Place)), done=st.booleans())
    def happen(self, kind: Kind, named: Place, done: bool) -> None:
        self.take(Event(kind, named=named, amendment=Amendment(90), is_amendment_done=done))

    @rule(quantity=st.integers(1, 150))
    def replace(self, quantity: int) -> None:
        self.take(Event(Kind.REPLACE_REQUESTED, amendment=Amendment(quantity)))

    @rule()
    def go_on(self) -> None:
        """Take the next step of a plain life, so that random lives also get somewhere."""
        steps = {
            Place.RECEIVED: Kind.RISK_APPROVED,
            Place.APPROVED: Kind.DISPATCHED,
            Place.SENT: Kind.ACKNOWLEDGED,
        }
        if kind := steps.get(self.order.place):
            self.take(Event(kind))

    @rule(quantity=st.integers(1, 60), price=st.integers(1, 9), fee=st.integers(-2, 2))
    def trade(self, quantity: int, price: int, fee: int) -> None:
        fill = Fill(quantity, price, fee)
        applied = self.take(Event(Kind.TRADED, fill=fill))
        self.fills.append(fill)
        overfilled = sum(f.quantity_atto for f in self.fills) > self.order.quantity_atto
        assert applied.anomaly or not overfilled

    @precondition(lambda self: self.fills)
    @rule(data=st.data())
    def bust(self, data: st.DataObject) -> None:
        former = data.draw(st.sampled_from(self.fills))
        applied = self.take(Event(Kind.BUSTED, former=former))
        if applied.row:
            self.fills.remove(former)

    @precondition(lambda self: self.fills)
    @rule(data=st.data(), price=st.integers(1, 9))
    def correct(self, data: st.DataObject, price: int) -> None:
        former = data.draw(st.sampled_from(self.fills))
        corrected = former._replace(price_atto=price)
        applied = self.take(Event(Kind.CORRECTED, former=former, fill=corrected))
        if applied.row:
            self.fills.remove(former)
            self.fills.append(corrected)

    @invariant()
    def money_is_booked_once(self) -> None:
        assert self.order.cum_atto == sum(f.quantity_atto for f in self.fills)
        assert self.order.cost == sum(f.quantity_atto * f.price_atto for f in self.fills)
        assert self.order.fees_atto == sum(f.fee_atto for f in self.fills)

    @invariant()
    def quantities_add_up(self) -> None:
        order = self.order
        if order.is_terminal:
            assert order.leaves_atto == 0
        else:
            assert order.leaves_atto > 0
            assert order.cum_atto + order.leaves_atto == order.quantity_atto

    @invariant()
    def what_has_ended_is_forgotten(self) -> None:
        if self.order.place in TERMINAL:
            assert self.order.amendment is None
            assert not self.order.is_cancel_wanted
        assert self.order.is_in_doubt or not self.order.doubt_since_ns

    @invariant()
    def a_final_trade_is_possible_from_every_live_state(self) -> None:
        if not self.order.is_terminal:
            assert (Kind.FULLY_TRADED, self.order.place) in TABLE


OrderLife.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestOrderLife = OrderLife.TestCase
