"""What orders keeps is the same on every store: the rules of its store functions."""

from dataclasses import replace

import pytest
from trading.orders.v1.orders_pb2 import ListOrdersRequest
from trading.types.v1 import order_pb2, signal_pb2

from runtime.stores import StoreConflict
from runtime.stores.tests.contract import (
    STORES,
    Script,
    chosen,
    compare,
    reading_everything,
    uncalled,
)
from services.orders import alarms, bookkeeping, executions, listing, protections, resolving, store
from services.orders import tables as t
from services.orders.alarms import Alarm
from services.orders.bookkeeping import DeadLetter, Decision, Outcome
from services.orders.executions import Execution
from services.orders.listing import OrderFilter, Page
from services.orders.refusals import OrderRefused
from services.orders.states import Fill, Place
from services.orders.tests.mothers import INSTRUMENT, dec, limit_order, open_signal
from services.orders.tests.stored import ATTO, HUGE_ATTO, full, order, stored

pytestmark = pytest.mark.real_time
QUERY = ListOrdersRequest()


async def an_order_is_found_by_each_of_its_names(do: Script) -> None:
    number = await do(store.insert_order, stored("ana-1"))
    await do(store.insert_order, stored("ana-1", account="ACC-2"))
    assert number is not None
    kept = replace(stored("ana-1"), number=number)
    assert await do(store.load, ("ACC-1", "ana-1")) == kept
    assert await do(store.load, ("ACC-1", "ANA-1")) is None  # Names differ by case.
    assert await do(store.load_by_order_id, "ACC-1:ana-1") == kept
    assert await do(store.load_by_order_id, "nobody") is None
    both = await do(store.load_many, ["ana-1", "ana-9"])
    assert [each.account for each in both] == ["ACC-1", "ACC-2"]
    assert await do(store.load_many, []) == []
    assert await do(resolving.find, client_order_id="", order_id="ACC-1:ana-1") == kept
    with pytest.raises(OrderRefused):
        await do(resolving.find, client_order_id="ana-1")


async def nothing_of_an_order_is_lost(do: Script) -> None:
    new = full("full")
    await do(store.insert_order, replace(new, order=order(), spec=b"", decision=b""))
    found = await do(store.load, new.key)
    assert found is not None
    await do(store.update_orders, [replace(new, number=found.number, kept=found.kept)])
    changed = await do(store.load, new.key)
    assert changed == replace(new, number=found.number)
    await do(store.update_orders, [])
    with pytest.raises(StoreConflict, match="1 of 1 orders were changed by another writer"):
        await do(store.update_orders, [replace(new, number=found.number, kept=(7, 0))])


async def live_orders_are_those_that_have_not_ended(do: Script) -> None:
    for at, place in enumerate(list(Place)[1:]):
        account = f"LIVE-{at % 2}"
        await do(store.insert_order, stored(f"p-{at}", place=place, account=account))
    live = [each for each in await do(store.load_live) if each.client_order_id.startswith("p-")]
    assert [each.client_order_id for each in live] == [f"p-{at}" for at in range(11)]
    mine = await do(store.load_live_of, "LIVE-1")
    assert [each.client_order_id for each in mine] == [f"p-{at}" for at in range(1, 11, 2)]
    assert await do(store.accounts) == ["ACC-1", "ACC-2", "LIVE-0", "LIVE-1"]


async def orders_are_listed_by_what_is_asked_for(do: Script) -> None:
    async def names(size: int = 100, after: int = 0, **wanted: object) -> list[str]:
        page = Page(after, size, QUERY)
        asked = OrderFilter(**wanted)  # type: ignore[arg-type]
        return [each.client_order_id for each in await do(listing.list_orders, asked, page)]

    await do(store.insert_order, stored("s-1", strategy_id="s", instrument="B.XSIM"))
    assert await names(account="LIVE-0", size=2) == ["p-0", "p-2"]
    assert await names(account="LIVE-0", is_live_only=True, after=9) == ["p-6", "p-8", "p-10"]
    assert await names(account="LIVE-1", places=(Place.NEW, Place.FILLED)) == ["p-3", "p-11"]
    assert await names(places=(Place.EXPIRED, Place.CANCELED)) == ["p-12", "p-14"]
    assert await names(places=(Place.NEW,), account="LIVE-1", is_live_only=True) == ["p-3"]
    assert await names(places=(Place.FILLED,), is_live_only=True) == []
    assert await names(strategy_id="s") == await names(instrument="B.XSIM") == ["s-1"]
    everything = await names()
    first = (await do(listing.list_orders, OrderFilter(), Page(0, 1, QUERY)))[0]
    assert await names(after=first.number) == everything[1:]


async def events_and_alarms_are_read_behind_a_sequence(do: Script) -> None:
    assert await do(store.last_event) == await do(alarms.last) == 0
    row = {"account": "ACC-1", "client_order_id": "ana-1"}
    rows = [row | {"sequence": n, "payload": bytes([n])} for n in (1, 2, 3)]
    await do(store.insert_events, rows)
    await do(store.insert_events, [])
    assert await do(store.last_event) == 3
    assert await do(store.events_after, 1, 1) == [(2, b"\x02")]
    assert await do(store.events_after, 1, 9) == [(2, b"\x02"), (3, b"\x03")]
    raised = [Alarm("firm", "»seltsam« 🚨"), Alarm("account:A", "y" * 2000, limit="1")]
    told = await do(alarms.add, raised, epoch=2, now_ns=5)
    assert await do(alarms.add, [], epoch=2, now_ns=6) == []
    assert [sequence for sequence, _ in told] == [1, 2]
    assert await do(alarms.after, 0, 9) == told
    assert await do(alarms.after, 1, 1) == told[1:]


async def a_send_is_noted_before_it_is_made_and_closed_once(do: Script) -> None:
    key = ("ACC-1", "ana-1")
    assert await do(bookkeeping.last_dispatch_ns, key) == 0
    await do(bookkeeping.open_dispatches, [(key, 1, 100)], 7)
    await do(bookkeeping.open_dispatches, [], 7)
    await do(bookkeeping.close_dispatches, {key: "ACKNOWLEDGED"})
    await do(bookkeeping.close_dispatches, {key: "REJECTED"})  # Closed already: nothing changes.
    await do(bookkeeping.close_dispatches, {})
    await do(bookkeeping.open_dispatches, [(key, 2, 300)], 7)
    assert await do(bookkeeping.last_dispatch_ns, key) == 300


async def a_signal_is_decided_once(do: Script) -> None:
    first = Decision("s-1", 4, "ema-1", Outcome.ORDERED, 9, "sig-1", "o-1")
    assert await do(bookkeeping.decide, first) is True
    other = Decision("s-2", 2, "ema-2", Outcome.REJECTED, 8, codes=("A", "B"))
    assert await do(bookkeeping.decide, other) is True
    assert await do(bookkeeping.decide, replace(first, outcome=Outcome.EXPIRED)) is False
    letter = DeadLetter("event-3", 3, "cannot be read: 💥", b"\xff\x00", 10)
    await do(bookkeeping.bury, letter)
    await do(bookkeeping.bury, replace(letter, sequence=99))
    assert await do(bookkeeping.settled_sequences) == [2, 3, 4]


async def decisions_are_listed_by_strategy_and_outcome(do: Script) -> None:
    async def ids(strategy_id: str, outcome: int, size: int = 9) -> list[str]:
        page = Page(0, size, QUERY)
        found = await do(listing.list_decisions, strategy_id, outcome, page)
        return [each.signal_id for each in found]

    assert await ids("", 0) == ["s-1", "s-2"]
    assert await ids("", 0, size=1) == ["s-1"]
    assert await ids("ema-2", 0) == await ids("", Outcome.REJECTED) == ["s-2"]
    assert await ids("ema-2", Outcome.ORDERED) == []


async def cursors_go_where_they_are_moved(do: Script) -> None:
    assert await do(bookkeeping.feedback_cursor, "risk") == 0
    assert await do(bookkeeping.feedback_cursor, "risk") == 0
    await do(bookkeeping.move_feedback, "risk", 64)
    await do(bookkeeping.move_feedback, "risk", 32)  # It asked for events again.
    assert await do(bookkeeping.feedback_cursor, "risk") == 32
    assert await do(bookkeeping.report_cursor, "execution") == 0
    await do(bookkeeping.move_reports, "execution", 2**62)
    await do(bookkeeping.move_reports, "nobody", 3)
    assert await do(bookkeeping.report_cursor, "execution") == 2**62


async def a_report_takes_effect_once(do: Script) -> None:
    fill = Fill(HUGE_ATTO, 123_456_789, -5)
    first = Execution("XSIM", "x-1", ("ACC-1", "ana-1"), "", fill, bytes(32), b"report")
    assert await do(executions.add, first) is True
    assert await do(executions.add, replace(first, fill=Fill(1, 1))) is False
    assert await do(executions.add, replace(first, venue="XLON")) is True
    assert await do(executions.add, replace(first, exec_id="X-1")) is True  # Case counts.
    assert await do(executions.find, "XSIM", "x-1") == first
    assert await do(executions.find, "XSIM", "x-2") is None
    correction = replace(first, exec_id="x-2", exec_ref_id="x-1", fill=executions.NO_FILL)
    bust = replace(correction, exec_id="x-3", exec_ref_id="x-2")
    assert await do(executions.add, correction) is await do(executions.add, bust) is True
    assert await do(executions.referred, "XSIM", "x-3") == first
    await do(executions.set_fill, first, executions.NO_FILL)
    found = await do(executions.find, "XSIM", "x-1")
    assert found == replace(first, fill=executions.NO_FILL)


async def entries_are_protected_until_nothing_is_left_of_them(do: Script) -> None:
    spec = limit_order("entry", account="PRO")
    spec.protection.mode = order_pb2.PROTECTION_MODE_VENUE_STOP
    spec.protection.stop_price.CopyFrom(dec("95.5"))
    bought = order(cum_atto=10 * ATTO)
    entry = stored("entry", account="PRO", order=bought, spec=spec.SerializeToString())
    sale = limit_order("sale", account="PRO", side=order_pb2.SIDE_SELL).SerializeToString()
    sold = stored("sale", account="PRO", order=order(cum_atto=4 * ATTO), spec=sale)
    for new in (entry, sold, stored("entry/sl", account="PRO")):
        await do(store.insert_order, new)
        await do(protections.note, new)
    assert await do(protections.active) == [("PRO", "entry")]
    assert await do(protections.position_atto, "PRO", INSTRUMENT) == 6 * ATTO
    signal = open_signal(account="PRO", stop_price=dec("97"))
    assert await do(protections.tighten, signal, ATTO) is True
    signal.direction = signal_pb2.DIRECTION_SHORT
    assert await do(protections.tighten, signal, ATTO) is False
    (found,) = await do(protections.load, "PRO", INSTRUMENT)
    assert found.stop_price_atto == 97 * ATTO
    assert [leg.key[1] for leg in found.legs] == ["entry/sl"]
    await do(protections.move_stop, entry.key, 98 * ATTO)
    await do(protections.end, entry.key)
    assert await do(protections.active) == []
    assert await do(protections.load, "PRO", INSTRUMENT) == []


async def an_order_is_kept_once(do: Script) -> None:
    before = await do(store.load, ("ACC-1", "ana-1"))
    assert await do(store.insert_order, full("ana-1")) is None
    assert await do(store.load, ("ACC-1", "ana-1")) == before


RULES = (
    an_order_is_found_by_each_of_its_names,
    nothing_of_an_order_is_lost,
    live_orders_are_those_that_have_not_ended,
    orders_are_listed_by_what_is_asked_for,
    events_and_alarms_are_read_behind_a_sequence,
    a_send_is_noted_before_it_is_made_and_closed_once,
    a_signal_is_decided_once,
    decisions_are_listed_by_strategy_and_outcome,
    cursors_go_where_they_are_moved,
    a_report_takes_effect_once,
    entries_are_protected_until_nothing_is_left_of_them,
    an_order_is_kept_once,  # The last: servers skip the number of a row that they refuse.
)

# At the start of an instance, once: signals that are settled, entries that are protected.
READ_WHOLE = {
    "services.orders.bookkeeping.settled_sequences",
    "services.orders.protections.active",
}


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    """Each store that is compared with the one in memory."""
    return chosen(request)


async def test_every_store_answers_as_memory_does(
    kind: str, request: pytest.FixtureRequest
) -> None:
    await compare(kind, request, t.metadata, RULES)


async def test_no_store_function_is_without_a_rule() -> None:
    assert await uncalled("services.orders", t.metadata, RULES) == set()


async def test_no_table_that_grows_is_read_whole() -> None:
    assert await reading_everything(t.metadata, RULES) == READ_WHOLE
