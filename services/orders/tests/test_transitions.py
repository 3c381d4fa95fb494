"""Every row of the transition table has its case, and what is not in it is an anomaly."""

import itertools
from typing import NamedTuple

import pytest

from runtime.atto import ATTO
from services.orders.events import Event, Kind
from services.orders.machine import REPORTED_AS, Anomaly, apply, shown, working_status
from services.orders.states import (
    IN_DOUBT,
    LIVE,
    TERMINAL,
    Amendment,
    Fill,
    Order,
    Place,
    Reject,
    RejectSource,
    Status,
)
from services.orders.transitions import ROWS, TABLE

P, K = Place, Kind
NEW_VALUES = Amendment(8 * ATTO)
REFUSAL = Reject(RejectSource.VENUE, ("WOULD_CROSS",))


def at(place: Place, *, cum: int = 0, **changes: object) -> Order:
    """Return an order for 10 that stands at `place`, with `cum` filled at 100."""
    beneath = P.PARTIALLY_FILLED if cum else P.NEW
    hides = place in {*IN_DOUBT, P.PENDING_CANCEL, P.PENDING_REPLACE}
    start = Order(10 * ATTO, place=place, working=beneath if hides else place)
    booked = {"cum_atto": cum * ATTO, "cost": cum * ATTO * 100 * ATTO, "version": 3}
    return start._replace(**{**booked, **changes})


def fill(units: int, price: int = 100) -> Fill:
    return Fill(units * ATTO, price * ATTO, ATTO // 10)


class Case(NamedTuple):
    row: int
    order: Order
    event: Event
    place: Place
    cum: int = 0
    working: Place | None = None
    anomaly: Anomaly | None = None


TRADE_4 = Event(K.TRADED, fill=fill(4))
TRADE_10 = Event(K.TRADED, fill=fill(10))
BUST_4 = Event(K.BUSTED, former=fill(4))
CORRECT_4 = Event(K.CORRECTED, former=fill(4), fill=fill(3, price=101))
CANCEL = Event(K.CANCEL_REQUESTED)


def says(place: Place, *, is_amendment_done: bool = False) -> Event:
    return Event(K.STATE_KNOWN, named=place, is_amendment_done=is_amendment_done)


CASES = [
    Case(1, Order(10 * ATTO), Event(K.SUBMITTED), P.RECEIVED),
    Case(2, at(P.RECEIVED), Event(K.RISK_APPROVED, decision_id="d"), P.APPROVED),
    Case(3, at(P.RECEIVED), Event(K.RISK_REJECTED, reject=REFUSAL), P.REJECTED),
    Case(4, at(P.RECEIVED), Event(K.RISK_UNANSWERED), P.RECEIVED),
    Case(4, at(P.RECEIVED), Event(K.RISK_UNAVAILABLE), P.REJECTED),
    Case(5, at(P.APPROVED), Event(K.APPROVAL_EXPIRED), P.RECEIVED),
    Case(6, at(P.APPROVED), Event(K.DISPATCHED), P.SENT),
    Case(7, at(P.SENT), Event(K.REFUSED, reject=REFUSAL), P.REJECTED),
    Case(8, at(P.SENT), Event(K.UNANSWERED), P.DOUBT_NEW, working=P.SENT),
    Case(9, at(P.SENT), Event(K.ACKNOWLEDGED), P.NEW),
    Case(9, at(P.DOUBT_NEW), Event(K.ACKNOWLEDGED), P.NEW),
    Case(10, at(P.SENT), Event(K.VENUE_REJECTED, reject=REFUSAL), P.REJECTED),
    Case(10, at(P.DOUBT_NEW), Event(K.VENUE_REJECTED, reject=REFUSAL), P.REJECTED),
    Case(11, at(P.SENT), TRADE_4, P.PARTIALLY_FILLED, 4),
    Case(11, at(P.NEW), TRADE_4, P.PARTIALLY_FILLED, 4),
    Case(11, at(P.PARTIALLY_FILLED, cum=4), TRADE_4, P.PARTIALLY_FILLED, 8),
    Case(11, at(P.DOUBT_NEW), TRADE_4, P.PARTIALLY_FILLED, 4),
    Case(12, at(P.SENT), TRADE_10, P.FILLED, 10),
    Case(12, at(P.PARTIALLY_FILLED, cum=6), TRADE_4, P.FILLED, 10),
    Case(12, at(P.PENDING_CANCEL, cum=6), TRADE_4, P.FILLED, 10),
    Case(12, at(P.PENDING_REPLACE), TRADE_10, P.FILLED, 10),
    Case(12, at(P.SUSPENDED), TRADE_10, P.FILLED, 10),
    Case(12, at(P.DOUBT_CANCEL), TRADE_10, P.FILLED, 10),
    Case(12, at(P.NEW), Event(K.TRADED, fill=fill(12)), P.FILLED, 12, None, Anomaly.OVERFILL),
    Case(13, at(P.PENDING_CANCEL), TRADE_4, P.PENDING_CANCEL, 4, P.PARTIALLY_FILLED),
    Case(13, at(P.PENDING_REPLACE), TRADE_4, P.PENDING_REPLACE, 4, P.PARTIALLY_FILLED),
    Case(13, at(P.SUSPENDED), TRADE_4, P.SUSPENDED, 4, P.PARTIALLY_FILLED),
    Case(13, at(P.DOUBT_CANCEL), TRADE_4, P.DOUBT_CANCEL, 4, P.PARTIALLY_FILLED),
    Case(13, at(P.DOUBT_REPLACE), TRADE_4, P.DOUBT_REPLACE, 4, P.PARTIALLY_FILLED),
    Case(14, at(P.NEW), CANCEL, P.PENDING_CANCEL, working=P.NEW),
    Case(14, at(P.SUSPENDED), CANCEL, P.PENDING_CANCEL, working=P.SUSPENDED),
    Case(14, at(P.PENDING_REPLACE), CANCEL, P.PENDING_CANCEL, working=P.NEW),
    Case(15, at(P.RECEIVED), CANCEL, P.CANCELED),
    Case(15, at(P.APPROVED), CANCEL, P.CANCELED),
    Case(16, at(P.SENT), CANCEL, P.SENT),
    Case(16, at(P.DOUBT_NEW), CANCEL, P.DOUBT_NEW, working=P.NEW),
    Case(16, at(P.DOUBT_REPLACE), CANCEL, P.DOUBT_REPLACE, working=P.NEW),
    *(Case(17, at(place), Event(K.CANCELED), P.CANCELED) for place in LIVE),
    Case(18, at(P.PENDING_CANCEL, cum=4), Event(K.CANCEL_REJECTED), P.PARTIALLY_FILLED, 4),
    Case(18, at(P.DOUBT_CANCEL), Event(K.CANCEL_REJECTED), P.NEW),
    Case(
        18,
        at(P.PENDING_CANCEL, amendment=NEW_VALUES),
        Event(K.CANCEL_REJECTED),
        P.PENDING_REPLACE,
        working=P.NEW,
    ),
    Case(18, at(P.FILLED, cum=10), Event(K.CANCEL_REJECTED), P.FILLED, 10),
    Case(19, at(P.PENDING_CANCEL), Event(K.CANCEL_UNANSWERED), P.DOUBT_CANCEL, working=P.NEW),
    Case(
        20,
        at(P.NEW),
        Event(K.REPLACE_REQUESTED, amendment=NEW_VALUES),
        P.PENDING_REPLACE,
        working=P.NEW,
    ),
    Case(21, at(P.PENDING_REPLACE, amendment=NEW_VALUES), Event(K.REPLACED), P.NEW),
    Case(21, at(P.DOUBT_REPLACE, amendment=NEW_VALUES), Event(K.REPLACED), P.NEW),
    Case(
        21,
        at(P.PENDING_REPLACE, cum=4, amendment=NEW_VALUES),
        Event(K.REPLACED),
        P.PARTIALLY_FILLED,
        4,
    ),
    Case(21, at(P.PENDING_REPLACE, cum=8, amendment=NEW_VALUES), Event(K.REPLACED), P.FILLED, 8),
    Case(21, at(P.PENDING_REPLACE, cum=9, amendment=NEW_VALUES), Event(K.REPLACED), P.FILLED, 9),
    Case(
        21,
        at(P.PENDING_CANCEL, amendment=NEW_VALUES),
        Event(K.REPLACED),
        P.PENDING_CANCEL,
        working=P.NEW,
    ),
    Case(22, at(P.PENDING_REPLACE, amendment=NEW_VALUES), Event(K.REPLACE_REJECTED), P.NEW),
    Case(
        22,
        at(P.PENDING_CANCEL, amendment=NEW_VALUES),
        Event(K.REPLACE_REJECTED),
        P.PENDING_CANCEL,
        working=P.NEW,
    ),
    Case(22, at(P.FILLED, cum=10), Event(K.REPLACE_REJECTED), P.FILLED, 10),
    Case(
        23,
        at(P.PENDING_REPLACE, amendment=NEW_VALUES),
        Event(K.REPLACE_UNANSWERED),
        P.DOUBT_REPLACE,
        working=P.NEW,
    ),
    *(Case(24, at(place), Event(K.EXPIRED), P.EXPIRED) for place in LIVE),
    Case(25, at(P.NEW), Event(K.SUSPENDED), P.SUSPENDED),
    Case(25, at(P.PENDING_CANCEL), Event(K.SUSPENDED), P.PENDING_CANCEL, working=P.SUSPENDED),
    Case(25, at(P.DOUBT_CANCEL), Event(K.SUSPENDED), P.DOUBT_CANCEL, working=P.SUSPENDED),
    Case(25, at(P.DOUBT_REPLACE), Event(K.RESUMED), P.DOUBT_REPLACE, working=P.NEW),
    Case(25, at(P.SUSPENDED, cum=4), Event(K.RESUMED), P.PARTIALLY_FILLED, 4),
    Case(25, at(P.PENDING_REPLACE), Event(K.RESUMED), P.PENDING_REPLACE, working=P.NEW),
    Case(26, at(P.DOUBT_NEW), Event(K.NOT_FOUND), P.REJECTED),
    Case(26, at(P.DOUBT_NEW), Event(K.RESENT), P.SENT),
    Case(26, at(P.DOUBT_NEW, is_cancel_wanted=True), Event(K.NOT_FOUND), P.CANCELED),
    Case(26, at(P.DOUBT_NEW, is_cancel_wanted=True), Event(K.RESENT), P.CANCELED),
    *(Case(27, at(place), TRADE_4, place, 4, None, Anomaly.TRADE_AFTER_END) for place in TERMINAL),
    Case(27, at(P.FILLED, cum=10), TRADE_4, P.FILLED, 14, None, Anomaly.TRADE_AFTER_END),
    Case(28, at(P.PARTIALLY_FILLED, cum=4), BUST_4, P.NEW),
    Case(28, at(P.PARTIALLY_FILLED, cum=6), BUST_4, P.PARTIALLY_FILLED, 2),
    Case(28, at(P.PENDING_CANCEL, cum=4), BUST_4, P.PENDING_CANCEL, working=P.NEW),
    Case(28, at(P.DOUBT_CANCEL, cum=4), BUST_4, P.DOUBT_CANCEL, working=P.NEW),
    Case(28, at(P.SUSPENDED, cum=4), BUST_4, P.SUSPENDED, working=P.SUSPENDED),
    Case(28, at(P.FILLED, cum=10), BUST_4, P.CANCELED, 6),
    Case(28, at(P.FILLED, cum=14), BUST_4, P.FILLED, 10),
    Case(28, at(P.EXPIRED, cum=4), BUST_4, P.EXPIRED),
    Case(29, at(P.PARTIALLY_FILLED, cum=4), CORRECT_4, P.PARTIALLY_FILLED, 3),
    Case(29, at(P.PENDING_CANCEL, cum=4), CORRECT_4, P.PENDING_CANCEL, 3, P.PARTIALLY_FILLED),
    Case(29, at(P.FILLED, cum=10), CORRECT_4, P.FILLED, 9),
    Case(30, at(P.DOUBT_NEW), says(P.NEW), P.NEW),
    Case(30, at(P.DOUBT_NEW), says(P.REJECTED), P.REJECTED),
    Case(30, at(P.DOUBT_CANCEL), says(P.CANCELED), P.CANCELED),
    Case(30, at(P.DOUBT_CANCEL), says(P.NEW), P.DOUBT_CANCEL, working=P.NEW),
    Case(30, at(P.DOUBT_CANCEL), says(P.FILLED), P.DOUBT_CANCEL, working=P.NEW),
    Case(30, at(P.DOUBT_REPLACE), says(P.EXPIRED), P.EXPIRED),
    Case(
        30,
        at(P.DOUBT_REPLACE, amendment=NEW_VALUES),
        says(P.NEW, is_amendment_done=True),
        P.NEW,
    ),
    Case(31, at(P.DOUBT_NEW), Event(K.RESOLVED, named=P.REJECTED, reject=REFUSAL), P.REJECTED),
    Case(
        31,
        at(P.DOUBT_CANCEL, cum=4),
        Event(K.RESOLVED, named=P.PARTIALLY_FILLED),
        P.PARTIALLY_FILLED,
        4,
    ),
    Case(32, at(P.NEW), Event(K.TRIGGERED), P.NEW),
    Case(32, at(P.PENDING_CANCEL), Event(K.TRIGGERED), P.PENDING_CANCEL, working=P.NEW),
]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda c: f"row-{c.row}-{c.event.kind.name}-in-{c.order.place.name}"
)
def test_every_row_moves_the_order_as_the_table_says(case: Case) -> None:
    applied = apply(case.order, case.event._replace(at_ns=77))
    after = applied.order
    assert applied.row is not None
    assert applied.row.number == case.row
    assert (after.place, after.cum_atto) == (case.place, case.cum * ATTO)
    assert after.working == (case.working or case.place)
    assert applied.anomaly is case.anomaly
    assert after is case.order or after.version == case.order.version + 1


def test_all_32_rows_are_there_and_each_has_its_case() -> None:
    assert {row.number for row in ROWS} == set(range(1, 33))
    assert {case.row for case in CASES} == set(range(1, 33))


def test_no_pair_of_event_and_state_is_listed_twice() -> None:
    pairs = [(row.kind, origin) for row in ROWS for origin in row.origins]
    assert len(pairs) == len(set(pairs)) == len(TABLE)


UNLISTED = [
    (kind, place)
    for kind, place in itertools.product(Kind, Place)
    if (kind, place) not in TABLE and kind is not K.TRADED and place is not P.NOWHERE
]


@pytest.mark.parametrize(("kind", "place"), UNLISTED, ids=lambda x: x.name)
def test_an_unlisted_pair_is_an_anomaly_that_keeps_the_state(kind: Kind, place: Place) -> None:
    before = at(place)
    applied = apply(before, Event(kind, at_ns=5))
    assert applied.row is None
    assert applied.anomaly is Anomaly.ILLEGAL
    assert applied.order == before._replace(version=before.version + 1, updated_ns=5)


@pytest.mark.parametrize("kind", [K.BUSTED, K.CORRECTED])
def test_a_bust_of_a_fill_never_booked_takes_nothing_back(kind: Kind) -> None:
    applied = apply(at(P.PARTIALLY_FILLED, cum=4), Event(kind, fill=fill(1)))
    assert applied.anomaly is Anomaly.FILL_UNKNOWN
    assert applied.order.cum_atto == 4 * ATTO


def test_a_replace_nobody_asked_for_is_an_anomaly() -> None:
    assert apply(at(P.PENDING_CANCEL), Event(K.REPLACED)).anomaly is Anomaly.ILLEGAL


def test_an_operator_cannot_resolve_against_what_is_filled() -> None:
    applied = apply(at(P.DOUBT_CANCEL, cum=4), Event(K.RESOLVED, named=P.NEW))
    assert applied.anomaly is Anomaly.ILLEGAL
    assert applied.order.place is P.DOUBT_CANCEL


def test_a_correction_replaces_price_quantity_and_fee() -> None:
    after = apply(at(P.PARTIALLY_FILLED, cum=4), CORRECT_4).order
    assert after.average_price_atto == 101 * ATTO
    assert after.fees_atto == 0


def test_a_cancel_wanted_in_doubt_is_due_once_the_order_works() -> None:
    doubtful = apply(at(P.SENT), CANCEL).order
    assert not doubtful.is_cancel_due
    working = apply(doubtful, Event(K.ACKNOWLEDGED)).order
    assert working.is_cancel_due
    assert not apply(working, CANCEL).order.is_cancel_wanted


def test_doubt_is_dated_and_forgotten() -> None:
    doubtful = apply(at(P.SENT), Event(K.UNANSWERED, at_ns=9)).order
    assert doubtful.doubt_since_ns == 9
    assert apply(doubtful, Event(K.ACKNOWLEDGED, at_ns=10)).order.doubt_since_ns == 0


def test_in_doubt_is_shown_over_a_pending_cancel_and_the_working_state_beneath_it() -> None:
    pending = apply(at(P.NEW), CANCEL).order
    doubtful = apply(pending, Event(K.CANCEL_UNANSWERED)).order
    assert (shown(pending), shown(doubtful)) == (Status.PENDING_CANCEL, Status.IN_DOUBT)
    assert working_status(doubtful) is Status.NEW


def test_the_average_price_is_shown_with_eight_decimals_half_to_even() -> None:
    order = apply(at(P.NEW), Event(K.TRADED, fill=Fill(3 * ATTO, ATTO))).order
    order = apply(order, Event(K.TRADED, fill=Fill(3 * ATTO, ATTO + 10**10))).order
    assert order.average_price_atto == ATTO  # 1.000000005 lies half-way; the even side is 1.
    assert Order(ATTO).average_price_atto == 0


def test_what_a_venue_can_say_is_a_row_of_a_report() -> None:
    for named, kind in REPORTED_AS.items():
        assert (kind, P.DOUBT_NEW) in TABLE, named
