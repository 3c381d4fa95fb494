"""Ticks: decoding, what a batch must be, and which batch is the next."""

from dataclasses import replace
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from runtime.times import to_timestamp
from services.marketdata.instruments import CATALOGUE
from services.marketdata.refusals import MarketDataRefused, Refusal
from services.marketdata.tests.mothers import NOON_NS, SQUARE
from services.marketdata.tests.tick_mothers import a_batch, trades
from services.marketdata.tick_messages import batch_of, ticks_of
from services.marketdata.ticks import (
    NUMBER_MAX,
    TickLine,
    check_ticks,
    followed_by,
    running,
    session_of,
)
from services.marketdata.timeframes import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND

INSTRUMENT = CATALOGUE[SQUARE]
DELTAS = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=50)
LINE = TickLine(
    instrument=SQUARE,
    sequence_next=4,
    session_ns=NOON_NS - 12 * NS_PER_HOUR,
    price_exponent=-2,
    quantity_exponent=0,
    source=b"somebody",
)


@given(st.integers(-(10**12), 10**12), DELTAS)
def test_values_are_the_base_and_the_running_sum(base: int, deltas: list[int]) -> None:
    found = running(base, np.array(deltas, dtype=np.int64)).tolist()
    assert found == list(accumulate(deltas, initial=base))[1:]


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 10**6)),
        min_size=1,
        max_size=40,
    )
)
def test_ticks_cross_the_wire_unchanged(rows: list[tuple[int, int, int]]) -> None:
    ticks = ticks_of(trades(7, *rows))
    again = ticks_of(batch_of(ticks))
    assert batch_of(again) == batch_of(ticks)
    assert ticks.prices.tolist() == [cents for _, cents, _ in rows]
    assert again.times_ns.tolist() == [NOON_NS + ms * 1_000_000 for ms, _, _ in rows]


def test_numbers_beyond_18_digits_are_refused_and_those_within_are_exact() -> None:
    top = np.array([NUMBER_MAX // 2, -NUMBER_MAX // 2, NUMBER_MAX // 2], dtype=np.int64)
    assert running(NUMBER_MAX // 2, top).tolist()[-1] == NUMBER_MAX
    with pytest.raises(MarketDataRefused, match="send a coarser exponent"):
        running(NUMBER_MAX // 2 + 1, top)
    with pytest.raises(MarketDataRefused, match="send a coarser exponent"):
        running(2**62, np.array([2**62, -(2**63)], dtype=np.int64))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"price_deltas": [0, -10_000, 1, 1]}, "price is 0.00, must be above 0"),
        ({"price_exponent": -3}, "price 10.001 must be a multiple of the tick, 0.01"),
        ({"quantities": [1, 2, 0, 4]}, "a quantity is 0"),
        ({"quantities": [1, 2, 10**13, 4]}, "send a coarser exponent"),
        ({"time_deltas_ns": [0, 0, 0, 2 * NS_PER_SECOND]}, "send it then"),
    ],
    ids=["price", "tick", "no quantity", "huge quantity", "future"],
)
def test_what_cannot_be_a_tick_is_refused(changes: dict[str, Any], words: str) -> None:
    batch = a_batch(**changes)
    with pytest.raises(MarketDataRefused, match=words) as caught:
        check_ticks(ticks_of(batch), INSTRUMENT, NOON_NS + NS_PER_SECOND - 1)
    assert caught.value.reason is Refusal.TICKS_INVALID


@pytest.mark.parametrize(
    ("exponent", "price"), [(-4, 1_000_100), (-2, 10_001), (0, 100), (2, 1)], ids=str
)
def test_a_price_on_tick_passes_at_any_exponent(exponent: int, price: int) -> None:
    batch = a_batch(count=1, price_exponent=exponent, base_price=price)
    check_ticks(ticks_of(batch), INSTRUMENT, NOON_NS)


def test_the_next_batch_moves_its_line_and_keeps_its_source() -> None:
    after = followed_by(LINE, ticks_of(a_batch(4, 3)), LINE.session_ns, is_after_gap=False)
    assert after == replace(LINE, sequence_next=7)


@pytest.mark.parametrize("first", [0, 3, 5, 99])
def test_any_other_batch_is_refused_with_the_expected_sequence(first: int) -> None:
    with pytest.raises(MarketDataRefused) as caught:
        followed_by(LINE, ticks_of(a_batch(first)), LINE.session_ns, is_after_gap=False)
    assert caught.value.reason is Refusal.TICK_GAP
    assert caught.value.facts["expected"] == "4"


def test_a_declared_gap_may_skip_ahead_but_never_back() -> None:
    after = followed_by(LINE, ticks_of(a_batch(9)), LINE.session_ns, is_after_gap=True)
    assert after.sequence_next == 13
    with pytest.raises(MarketDataRefused, match="must be 4"):
        followed_by(LINE, ticks_of(a_batch(3)), LINE.session_ns, is_after_gap=True)


@pytest.mark.parametrize("field", ["price_exponent", "quantity_exponent"])
def test_an_exponent_is_fixed_until_the_session_ends(field: str) -> None:
    other = ticks_of(a_batch(4, **{field: -1}))
    with pytest.raises(MarketDataRefused) as caught:
        followed_by(LINE, other, LINE.session_ns, is_after_gap=False)
    assert caught.value.reason is Refusal.TICK_EXPONENT_CHANGED
    tomorrow = followed_by(LINE, other, LINE.session_ns + NS_PER_DAY, is_after_gap=False)
    assert getattr(tomorrow, field) == -1


def test_the_session_of_a_tick_is_the_last_that_opened() -> None:
    assert session_of("24/7", NOON_NS) == NOON_NS - 12 * NS_PER_HOUR
    opened_ns = NOON_NS + 5 * NS_PER_HOUR // 2  # 14:30 UTC.
    assert session_of("XNYS", opened_ns + 1) == opened_ns
    assert session_of("XNYS", opened_ns + 12 * NS_PER_HOUR) == opened_ns
    assert session_of("XNYS", opened_ns - 1) < opened_ns


def test_a_batch_says_what_it_was_made_of() -> None:
    message: Message = a_batch(base_time=to_timestamp(NOON_NS + 7))
    assert ticks_of(a_batch(base_time=to_timestamp(NOON_NS + 7))).times_ns[0] == NOON_NS + 7
    assert message.ByteSize() < 80
