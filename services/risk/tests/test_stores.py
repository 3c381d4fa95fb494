"""What risk keeps is the same on every store: the rules of its store functions."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import risk_pb2
from trading.types.v1.event_pb2 import EventHeader
from trading.types.v1.risk_pb2 import CheckResult, RiskDecision, RiskEvent

from runtime.stores.tests.contract import (
    STORES,
    Script,
    chosen,
    compare,
    reading_everything,
    uncalled,
)
from runtime.times import to_timestamp
from services.risk import past, records, store
from services.risk import tables as t
from services.risk.account import Account
from services.risk.book import Book
from services.risk.breakers import Breakers, Key, Standing
from services.risk.facts import Facts, Named
from services.risk.following import Kept
from services.risk.orders import BUY, Open
from services.risk.reasons import Mode, Reason
from services.risk.records import Recorded, Wanted
from services.risk.rules import Reference, ScopeKind
from services.risk.streaks import Streak, Trade
from services.risk.tests.mothers import (
    ACCOUNT,
    INSTRUMENT,
    NOW_NS,
    STRATEGY,
    account,
    fill,
    holding,
)

pytestmark = pytest.mark.real_time
HUGE = 2**62
HUGE_ATTO = 10**36
CODE, FAILED = risk_pb2.RISK_REASON_NOT_ENTITLED, risk_pb2.CHECK_OUTCOME_FAILED
SECOND_NS = 10**9


def loaded(tx: Connection) -> tuple[Book, dict[str, int]]:
    """Return a book as it was committed last, and how far streams were read."""
    book = Book()
    return book, store.load(tx, book, NOW_NS)


async def accounts_come_back_as_they_were(do: Script) -> None:
    one, bare = holding(account(), -10), Account("a")
    one.high_water_minor, one.day_equity_minor, one.day = HUGE, -HUGE, 19_000
    one.streaks[STRATEGY] = Streak(3, 7)
    one.trades[STRATEGY, INSTRUMENT] = Trade(-HUGE_ATTO, -5)
    await do(store.put_states, [one, bare])
    await do(store.put_positions, {(ACCOUNT, INSTRUMENT): one})
    await do(store.put_positions, {})
    marks = {"Z.XSIM": Reference(1, 2, 3), INSTRUMENT: Reference(HUGE_ATTO, HUGE, 5)}
    await do(store.put_marks, marks)
    await do(store.move, store.CANDLES, 5)
    await do(store.put, t.cursors, [{"stream": "other", "sequence": 1}])
    book, cursors = await do(loaded)
    assert cursors == {store.CANDLES: 5, "other": 1}
    assert (list(book.accounts), list(book.references)) == ([ACCOUNT, "a"], [INSTRUMENT, "Z.XSIM"])
    found = book.accounts[ACCOUNT]
    assert found.holdings == one.holdings
    assert (found.trades, found.streaks) == (one.trades, one.streaks)
    assert (found.high_water_minor, found.day_equity_minor) == (HUGE, -HUGE)
    assert book.accounts["a"].transfers_minor is None


async def holds_stand_until_they_are_over(do: Script) -> None:
    held = Open("o-1", INSTRUMENT, STRATEGY, BUY, HUGE_ATTO, 1, 2, 3, 4, 5, 6, approved=7)
    full = held._replace(client_order_id="o-2", replaced_leaves_atto=0, is_confirmed=True)
    await do(store.put_holds, {(ACCOUNT, "o-1"): held, (ACCOUNT, "o-2"): full}, NOW_NS)
    await do(store.put_holds, {(ACCOUNT, "o-1"): None, ("a", "o-9"): None}, NOW_NS)
    book, _ = await do(loaded)
    assert book.accounts[ACCOUNT].open == {"o-2": full}
    assert list(book.accounts[ACCOUNT].over.items()) == [("o-1", NOW_NS)]
    assert book.approvals == 7


async def fills_are_kept_in_their_order(do: Script) -> None:
    first = Kept(fill(10, "100"), 2, strategy_id=STRATEGY, time_ns=NOW_NS, is_opening=True)
    second = Kept(fill(-3, "101", exec_id="x2"), 1, is_busted=True, corrected_by="x3")
    other = Kept(fill(1, "1", account="a"), 3)
    fills = {(ACCOUNT, "x1"): first, (ACCOUNT, "x2"): second, ("a", "x1"): other}
    seen = {(ACCOUNT, "x1"): b"1", (ACCOUNT, "X1"): b"2", ("a", "x1"): bytes(32)}
    await do(store.put_fills, fills, seen)
    await do(store.put_fills, {(ACCOUNT, "x2"): replace(second, number=4)}, {})
    assert [kept.number for kept in await do(store.log, ACCOUNT)] == [2, 4]
    assert (await do(store.log, ACCOUNT))[0] == first
    names = [("a", "x1"), (ACCOUNT, "X1"), ("a", "X1"), ("A", "x1")]
    found = await do(store.reports, names)
    assert list(found.items()) == [(("a", "x1"), bytes(32)), ((ACCOUNT, "X1"), b"2")]
    assert await do(store.reports, []) == {}
    book, _ = await do(loaded)
    assert book.fills == 4
    opened = book.accounts[ACCOUNT].openings_ns
    assert list(opened[STRATEGY, INSTRUMENT, BUY]) == [NOW_NS]


async def an_event_is_known_by_its_digest(do: Script) -> None:
    await do(store.add_events, {3: b"three", 4: b"\x00\xff"})
    await do(store.add_events, {})
    assert list((await do(store.digests, [4, 5, 3])).items()) == [(3, b"three"), (4, b"\x00\xff")]
    assert await do(store.digests, []) == {}
    assert (await do(loaded))[1][store.ORDER_EVENTS] == 4


def recorded(sequence: int, **changes: Any) -> Recorded:
    decision = RiskDecision(decision_id=f"d-{sequence}", subject_id=f"o-{sequence % 2}")
    decision.verdict = risk_pb2.RISK_VERDICT_APPROVED
    if sequence % 2:
        decision.verdict = risk_pb2.RISK_VERDICT_REJECTED
        decision.checks.append(CheckResult(code=CODE, outcome=FAILED, observed="»1«", limit="0"))
        decision.checks.append(CheckResult(code=CODE, outcome=risk_pb2.CHECK_OUTCOME_PASSED))
    values: dict[str, Any] = {
        "sequence": sequence,
        "account": ACCOUNT,
        "key": f"o-{sequence}:1",
        "digest": bytes(range(32)),
        "strategy_id": STRATEGY,
        "slot": "",
        "decided_ns": NOW_NS + sequence,
        "decision": decision,
        "answer": pb.ValidateOrderResponse(decision=decision),
        "facts": Facts(*range(len(Facts._fields))),
        "named": Named("USD", INSTRUMENT, "ana"),
    }
    return Recorded(**(values | changes))


async def a_decision_is_found_by_all_its_names(do: Script) -> None:
    signal = pb.ValidateSignalResponse(decision=recorded(4).decision)
    for made in (
        recorded(1),
        recorded(2, account="a", strategy_id=""),
        recorded(3, key="o-3:2", decided_ns=NOW_NS),
        recorded(4, key="signal-4", slot="ema|ALPHA", answer=signal),
    ):
        await do(records.add_decision, made)
    found = await do(records.find, ACCOUNT, "o-1:1")
    assert found == records.Found(bytes(range(32)), recorded(1).answer.SerializeToString())
    assert await do(records.find, ACCOUNT, "O-1:1") is None
    assert await do(records.by_id, "d-4") == recorded(4).decision
    assert await do(records.by_id, "d-9") is None
    assert await do(records.last_sequence) == 4
    assert (await do(records.keys))[0][:2] == [(ACCOUNT, "o-1:1"), ("a", "o-2:1")]
    assert await do(records.slots) == {"ema|ALPHA": "o-0"}
    assert await do(records.ordered, NOW_NS) == [
        (ACCOUNT, STRATEGY, NOW_NS + 1),
        ("a", "", NOW_NS + 2),
    ]


async def decisions_are_listed_the_newest_first(do: Script) -> None:
    async def sequences(*wanted: Any, before: int = 0, count: int = 9) -> list[int]:
        found = await do(records.newest, Wanted(*wanted), before=before, count=count)
        return [sequence for sequence, _ in found]

    assert await sequences("", "", "", 0) == [4, 3, 2, 1]
    assert await sequences("", "", "", 0, before=4, count=2) == [3, 2]
    assert await sequences(ACCOUNT, "", "", 0) == [4, 3, 1]
    assert await sequences("", STRATEGY, "o-1", 0) == [3, 1]
    assert await sequences("", "", "", risk_pb2.RISK_VERDICT_APPROVED) == [4, 2]
    earlier = await do(past.past, "", after_ns=NOW_NS, count=2)
    assert [(one.decision_id, one.failed) for one in earlier] == [("d-2", 0), ("d-4", 0)]
    mine = await do(past.past, ACCOUNT, after_ns=NOW_NS, count=9)
    assert [(one.decision_id, one.failed) for one in mine] == [("d-1", 1 << CODE), ("d-4", 0)]
    assert await do(past.past, "nobody", after_ns=0, count=9) == []


async def risk_events_are_read_behind_a_sequence(do: Script) -> None:
    assert await do(records.last_event) == 0
    events = [RiskEvent(header=EventHeader(sequence=n), observed="»💥«") for n in (1, 2, 3)]
    await do(records.add_events, events)
    await do(records.add_events, [])
    assert await do(records.events_after, 1, 1) == [(2, events[1])]
    assert await do(records.last_event) == 3


async def limits_and_modes_hold_in_their_scopes(do: Script) -> None:
    firm, mine = pb.Scope(kind=pb.SCOPE_KIND_FIRM), pb.Scope(kind=pb.SCOPE_KIND_ACCOUNT, id="A")
    for version, scope in ((1, mine), (3, firm), (2, mine)):
        limits = pb.Limits(account_orders_per_minute_max=version)
        await do(records.add_limits, scope, limits, version=version, set_ns=HUGE)
    assert [version for version, _, _ in await do(records.all_limits)] == [1, 2, 3]
    halted, since = pb.TRADING_MODE_HALTED, to_timestamp(NOW_NS)
    mode = pb.ScopedMode(scope=mine, mode=halted, reason="»halt«", since=since)
    await do(records.put_mode, mode, 3)
    mode.mode = pb.TRADING_MODE_ACTIVE
    await do(records.put_mode, mode, 1)
    await do(records.put_mode, pb.ScopedMode(scope=firm, mode=halted, since=since), 1)
    assert [(one.scope, asked) for one, asked in await do(records.modes)] == [(firm, 1), (mine, 1)]


async def breakers_stand_the_oldest_first(do: Script) -> None:
    scope = (ScopeKind(2), ACCOUNT)
    codes = list(Reason)[:3]
    keys = [Key(scope, code, list(Mode)[-1], 0) for code in codes]
    breakers = Breakers({keys[0]: Standing(9, HUGE), keys[1]: Standing(5, is_acknowledged=True)})
    await do(records.put_breakers, breakers, keys)
    assert list((await do(records.breakers)).standing) == [keys[1], keys[0]]
    del breakers.standing[keys[1]]
    await do(records.put_breakers, breakers, keys[:2])
    assert (await do(records.breakers)).standing == {keys[0]: Standing(9, HUGE)}


RULES = (
    accounts_come_back_as_they_were,
    holds_stand_until_they_are_over,
    fills_are_kept_in_their_order,
    an_event_is_known_by_its_digest,
    a_decision_is_found_by_all_its_names,
    decisions_are_listed_the_newest_first,
    risk_events_are_read_behind_a_sequence,
    limits_and_modes_hold_in_their_scopes,
    breakers_stand_the_oldest_first,
)

# The first three begin with the newest and end with a limit; the others read, once at the
# start, what people have set, and a row for each account, position and price.
READ_WHOLE = {
    "services.risk.past.past",
    "services.risk.records.keys",
    "services.risk.records.newest",
    "services.risk.tests.test_stores.loaded",
    "services.risk.records.all_limits",
    "services.risk.records.breakers",
    "services.risk.records.modes",
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
    left = await uncalled("services.risk", t.metadata, RULES)
    assert left == {"services.risk.store.load"}  # Every `loaded` calls it.


async def test_no_table_that_grows_is_read_whole() -> None:
    assert await reading_everything(t.metadata, RULES) == READ_WHOLE
