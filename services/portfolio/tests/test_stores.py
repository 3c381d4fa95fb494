"""What portfolio keeps is the same on every store: the rules of its store functions."""

import json
from dataclasses import replace

import pytest

from runtime.stores.tests.contract import (
    STORES,
    Script,
    chosen,
    compare,
    reading_everything,
    uncalled,
)
from services.portfolio import journals, store
from services.portfolio import tables as t
from services.portfolio.booking import Anomaly, Booking
from services.portfolio.books import Books
from services.portfolio.ledger import CASH, Entry, Journal, JournalKind, transfer_entries
from services.portfolio.positions import FLAT, Position
from services.portfolio.solvency import Shortfall
from services.portfolio.tests.mothers import ACCOUNT, INSTRUMENT, bust, correction, fill, trade
from services.portfolio.valuation import Mark

pytestmark = pytest.mark.real_time
SECOND_NS = 1_000_000_000
HUGE = 2**62
KEY = (ACCOUNT, INSTRUMENT)


def transfer(account: str, source: str, amount_minor: int = 100) -> Journal:
    entries = transfer_entries(amount_minor, "USD")
    return Journal(account, JournalKind.TRANSFER, source, "", 5, entries)


async def the_books_come_back_as_they_were(do: Script) -> None:
    books = Books()
    made = [transfer("B", "t-1"), transfer(ACCOUNT, "t-1", HUGE), transfer("A", "t-1", -1)]
    moved = books.add(made, now_ns=7)
    await do(store.put_accounts, books, ["B", ACCOUNT, "A", "B"])
    await do(journals.add_journals, made, [b"1", b"2", b"3"], 1)
    await do(journals.add_journals, [], [], 4)
    await do(store.put_accounts, books, ["A"])  # Others refer to it by now.
    await do(store.put_balances, books, moved)
    held = Position(-(10**30) - 1, -HUGE, HUGE, -5, ("o1", "ö2"))
    books.set_position(KEY, held, "EUR")
    books.set_position(("A", "B.XSIM"), FLAT, "USD")
    await do(store.put_positions, books, [KEY, ("A", "B.XSIM")])
    marks = {"Z.XSIM": Mark(3, 2, 1), INSTRUMENT: Mark(10**30 + 1, HUGE, 5)}
    await do(store.put_marks, marks)
    await do(store.move, store.CANDLES, 9)
    await do(store.move, store.CANDLES, HUGE)
    found = await do(store.load)
    assert found.accounts == books.accounts
    assert (found.balances, found.positions, found.marks) == (
        books.balances,
        books.positions,
        marks,
    )
    assert (found.sequence, found.event_sequence, found.candle_sequence) == (3, 0, HUGE)
    assert list(found.marks) == [INSTRUMENT, "Z.XSIM"]  # By name, not as they came.


async def an_event_is_known_by_its_digest(do: Script) -> None:
    await do(store.add_events, {1: b"one", 2: b"\x00\xff"})
    await do(store.add_events, {})
    assert await do(store.digests, [2, 3, 1]) == {1: b"one", 2: b"\x00\xff"}
    assert await do(store.digests, []) == {}
    assert (await do(store.load)).event_sequence == 2


async def fills_are_booked_busted_and_corrected(do: Script) -> None:
    first, second = fill(10, "100.5", exec_id="XSIM:1"), fill(-4, "101", exec_id="XSIM:2")
    booking = Booking({}, {}, {})
    booking.apply(trade(first, digest=b"XSIM:1", strategy_id="ema-1"))
    booking.apply(trade(second, digest=bytes(32)))
    await do(journals.add_booking, booking, 4)
    log = await do(journals.log, KEY)
    assert [kept.fill for kept in log] == [first, second]
    assert await do(journals.log, (ACCOUNT, "alpha.xsim")) == []
    again = Booking({KEY: booking.changed[KEY]}, {}, {KEY: log})
    corrected = correction("XSIM:1", replace(first, exec_id="XSIM:3", quantity_atto=1))
    for report in (corrected, bust("XSIM:4", "XSIM:2", second)):
        again.apply(replace(report, digest=b"\xff" * 32))
    await do(journals.add_booking, again, 6)
    after = await do(journals.log, KEY)
    assert [(kept.corrected_by, kept.is_busted) for kept in after] == [
        ("XSIM:3", False),
        ("", True),
    ]
    assert after[0].fill.quantity_atto == 1


async def what_is_booked_is_known_by_account_and_source(do: Script) -> None:
    names = [(ACCOUNT, "XSIM:1"), ("A", "XSIM:1"), ("A", "t-1"), ("B", "t-1"), ("b", "t-1")]
    found = await do(journals.known, names)
    assert sorted(found) == [("A", "t-1"), (ACCOUNT, "XSIM:1"), ("B", "t-1")]
    assert found["A", "t-1"] == b"3"
    assert await do(journals.known, []) == {}


async def journals_are_read_from_a_sequence_on(do: Script) -> None:
    async def sequences(ledger_account: str = "", *, first: int = 0, count: int = 9) -> list[int]:
        found = await do(journals.journals_from, ACCOUNT, ledger_account, first=first, count=count)
        return [sequence for sequence, _ in found]

    assert await sequences() == [2, 4, 5, 6, 7]
    assert await sequences(first=5, count=2) == [5, 6]
    assert await sequences("external") == [2]
    assert await sequences("External") == []
    ((_, first),) = await do(journals.journals_from, "A", "", first=0, count=1)
    assert first == transfer("A", "t-1", -1)
    assert first.entries[0] == Entry(CASH, "USD", -1)


async def equity_is_kept_by_the_second(do: Script) -> None:
    def point(account: str, second: int, low: int, snapshot: bytes) -> dict[str, object]:
        row = {"account": account, "second": second, "equity_low_minor": low}
        row |= {"equity_high_minor": HUGE, "time_ns": second * SECOND_NS + 5}
        return row | {"snapshot": snapshot}

    await do(store.put_points, [point(ACCOUNT, s, -s, bytes([s])) for s in (1, 3, 2)])
    await do(store.put_points, [point(ACCOUNT, 3, -9, b"again"), point("B", 1, 0, b"")])
    await do(store.put_points, [])
    assert await do(store.extremes) == {ACCOUNT: (3, -9, HUGE), "B": (1, 0, HUGE)}
    assert await do(store.point_at, ACCOUNT, 3 * SECOND_NS + 5) == b"again"
    assert await do(store.point_at, ACCOUNT, 3 * SECOND_NS + 4) == b"\x02"
    assert await do(store.point_at, ACCOUNT, SECOND_NS) is None


async def shortfalls_and_breaks_stand_until_they_are_over(do: Script) -> None:
    await do(store.put_shortfalls, [Shortfall("B", 1), Shortfall(ACCOUNT, 2, is_told=True)])
    below = await do(store.shortfalls)
    assert below == [Shortfall(ACCOUNT, 2, is_told=True), Shortfall("B", 1)]
    await do(store.put_shortfalls, [Shortfall("B", 1, is_below=False)])
    assert await do(store.shortfalls) == below[:1]
    await do(store.put_breaks, ACCOUNT, {"Z.XSIM": 5, INSTRUMENT: HUGE})
    await do(store.put_breaks, "B", {INSTRUMENT: 1})
    assert list((await do(store.breaks_since, ACCOUNT)).items()) == [
        (INSTRUMENT, HUGE),
        ("Z.XSIM", 5),
    ]
    await do(store.put_breaks, ACCOUNT, {INSTRUMENT: None})
    assert await do(store.breaks_since, ACCOUNT) == {"Z.XSIM": 5}


async def what_was_not_booked_is_noted(do: Script) -> None:
    anomaly = Anomaly(ACCOUNT, "x9", "UNKNOWN_EXECUTION", "x9 names no booked fill »💥«")
    await do(store.add_anomalies, [anomaly], 5)
    await do(store.add_anomalies, [], 6)
    row = {"account": "Ω", "instrument": INSTRUMENT, "currency": "USD", "quantity": "0"}
    row |= {"entries": json.dumps(["ö"])}
    money = dict.fromkeys(("cost_minor", "realised_minor", "fees_minor"), 0)
    facts = {"account": "Ω", "currency": "USD", "first_ns": 1, "sequence": 1}
    await do(store.put, t.accounts, [facts])
    await do(store.put, t.positions, [row | money])
    await do(store.put, t.positions, [])


RULES = (
    the_books_come_back_as_they_were,
    an_event_is_known_by_its_digest,
    fills_are_booked_busted_and_corrected,
    what_is_booked_is_known_by_account_and_source,
    journals_are_read_from_a_sequence_on,
    equity_is_kept_by_the_second,
    shortfalls_and_breaks_stand_until_they_are_over,
    what_was_not_booked_is_noted,
)

# At the start of an instance, once; what they read has a row for each account or position.
READ_WHOLE = {
    "services.portfolio.store.extremes",
    "services.portfolio.store.load",
    "services.portfolio.store.shortfalls",
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
    assert await uncalled("services.portfolio", t.metadata, RULES) == set()


async def test_no_table_that_grows_is_read_whole() -> None:
    assert await reading_everything(t.metadata, RULES) == READ_WHOLE
