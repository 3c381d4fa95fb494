"""The rules of messages, as the validator that runs in every server sees them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from protovalidate import collect_violations
from trading.portfolio.v1.portfolio_pb2 import TransferCashRequest
from trading.types.v1.execution_pb2 import ExecutionReport
from trading.types.v1.market_pb2 import TICK_KIND_TRADES, Candle, TickBatch
from trading.types.v1.money_pb2 import Money
from trading.types.v1.order_pb2 import (
    ALGORITHM_KIND_ICEBERG,
    ALGORITHM_KIND_POV,
    ORDER_TYPE_STOP,
    SIDE_UNSPECIFIED,
    TIME_IN_FORCE_GTD,
    OrderSpec,
)

from contracts import mothers
from runtime.money import CONTEXT, parse_decimal, to_text

LARGEST = 10**20 - 1
FORM, POSITIVE = "decimal.form", "decimal.positive"


def broken(message: Message) -> list[tuple[str, str]]:
    """Return field path and rule id of every violation."""
    violations = [violation.proto for violation in collect_violations(message)]
    return [(path(violation), violation.rule_id) for violation in violations]


def path(violation: Any) -> str:
    elements = violation.field.elements if violation.field else ()  # None: the message itself.
    return ".".join(element.field_name for element in elements)


def money(amount: str) -> Money:
    return Money(amount=mothers.decimal(amount), currency="EUR")


@given(st.integers(-LARGEST, LARGEST), st.integers(0, 18))
def test_every_decimal_survives_the_wire_exactly(digits: int, places: int) -> None:
    value = CONTEXT.scaleb(Decimal(digits), -places)
    text = to_text(value)
    assert broken(money(text)) == []
    assert parse_decimal(text) == value


@pytest.mark.parametrize(
    "text", ["0", "-1", "12.50", "99999999999999999999", "0.000000000000000001"]
)
def test_a_plain_decimal_passes(text: str) -> None:
    assert broken(money(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "1e5", "1E5", "+1", "01", "-0", "-0.00", "1.", ".5", "1,5", " 1", "1\n"),
        *("NaN", "Infinity", "100000000000000000000", "0.0000000000000000001"),
    ],
)
def test_any_other_spelling_of_a_decimal_is_refused(text: str) -> None:
    assert broken(money(text)) == [("amount", FORM)]


def test_money_without_an_amount_is_refused() -> None:
    assert broken(Money(currency="EUR")) == [("amount", "required")]


@pytest.mark.parametrize("text", ["0", "0.000", "-1", "-0.5", "1e2"])
def test_a_price_is_above_zero(text: str) -> None:
    order = mothers.order()
    order.limit_price.value = text
    assert broken(order) == [("limit_price", POSITIVE)]


@pytest.mark.parametrize("text", ["0", "0.0", "7"])
def test_a_volume_may_be_zero(text: str) -> None:
    candle = mothers.candle()
    candle.volume.value = text
    assert broken(candle) == []


@pytest.mark.parametrize(
    "candle", [mothers.candle, mothers.candle_without_volume, mothers.close_only_candle]
)
def test_a_candle_of_each_kind_passes(candle: Callable[[], Candle]) -> None:
    assert broken(candle()) == []


@pytest.mark.parametrize("name", ["open", "high", "low", "volume", "quote_volume"])
def test_a_close_only_candle_carries_the_close_alone(name: str) -> None:
    candle = mothers.close_only_candle()
    getattr(candle, name).value = "100.5"
    assert broken(candle) == [("", "candle.close_only_has_close_alone")]


@pytest.mark.parametrize("name", ["open", "high", "low"])
def test_a_candle_with_a_range_carries_all_of_it(name: str) -> None:
    candle = mothers.candle()
    candle.ClearField(name)  # type: ignore[arg-type]
    assert broken(candle) == [("", "candle.ohlc_has_range")]


def test_a_candle_with_volume_carries_it() -> None:
    candle = mothers.candle()
    candle.ClearField("volume")
    assert broken(candle) == [("", "candle.volume_is_known_or_absent")]


def test_a_candle_whose_volume_is_unknown_does_not_say_zero() -> None:
    candle = mothers.candle_without_volume()
    candle.volume.value = "0"
    assert broken(candle) == [("", "candle.volume_is_known_or_absent")]


def test_tick_arrays_are_equally_long() -> None:
    batch = TickBatch(
        instrument="ALPHA.XSIM",
        base_time=Timestamp(seconds=1),
        kind=TICK_KIND_TRADES,
        time_deltas_ns=[1, 1],
        price_deltas=[0],
        quantities=[5, -5],
    )
    assert broken(batch) == [("", "tick_batch.arrays_are_equally_long")]


@pytest.mark.parametrize(
    "text", ["a", "sg-0123456789abcdef", "x" * 48, "ana-1/sl", "ana-1/tp", "ana-1/12"]
)
def test_an_order_id_of_a_person_or_of_the_system_passes(text: str) -> None:
    order = mothers.order()
    order.client_order_id = text
    assert broken(order) == []


@pytest.mark.parametrize("text", ["", "x" * 49, "a b", "a/b", "a/0", "a/sl/1", "ä"])
def test_any_other_order_id_is_refused(text: str) -> None:
    order = mothers.order()
    order.client_order_id = text
    assert broken(order) == [("client_order_id", "string.pattern")]


@pytest.mark.parametrize(
    "text", ["alpha.XSIM", "ALPHA", "ALPHA.XSI", "-A.XSIM", "A" * 25 + ".XSIM"]
)
def test_an_instrument_is_a_symbol_and_a_venue(text: str) -> None:
    order = mothers.order()
    order.instrument = text
    assert broken(order) == [("instrument", "string.pattern")]


def change_to_stop(order: OrderSpec) -> None:
    order.type = ORDER_TYPE_STOP


def change_to_dated(order: OrderSpec) -> None:
    order.time_in_force = TIME_IN_FORCE_GTD


def date(order: OrderSpec) -> None:
    order.expire_time.seconds = 1


def drop_limit(order: OrderSpec) -> None:
    order.ClearField("limit_price")


def show_too_much(order: OrderSpec) -> None:
    order.algorithm.kind = ALGORITHM_KIND_ICEBERG
    order.algorithm.display_quantity.value = "6"


def take_too_large_a_share(order: OrderSpec) -> None:
    order.algorithm.kind = ALGORITHM_KIND_POV
    order.algorithm.participation.value = "0.31"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (drop_limit, "order.limit_price_when_limited"),
        (change_to_stop, "order.stop_price_when_stopped"),
        (change_to_dated, "order.expire_time_when_dated"),
        (date, "order.expire_time_when_dated"),
        (show_too_much, "order.display_within_quantity"),
        (take_too_large_a_share, "algorithm.participation_within_cap"),
    ],
)
def test_an_order_carries_what_its_type_needs(
    change: Callable[[OrderSpec], None], rule: str
) -> None:
    order = mothers.order()
    assert broken(order) == []
    change(order)
    assert [violated for _, violated in broken(order)] == [rule]


def test_an_unstated_or_unknown_side_is_refused() -> None:
    order = mothers.order()
    order.side = SIDE_UNSPECIFIED
    assert broken(order) == [("side", "enum.not_in")]
    order.side = 99  # type: ignore[assignment]
    assert broken(order) == [("side", "enum.defined_only")]


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (mothers.order(), "account"),
        (ExecutionReport(), "exec_id"),
        (ExecutionReport(), "account"),
        (TransferCashRequest(), "account"),
    ],
    ids=["order", "report", "account of a report", "transfer"],
)
def test_a_name_that_ends_with_a_blank_is_refused(message: Message, field: str) -> None:
    """A database may not tell it from the name without."""
    for text, is_refused in (("main", False), ("my main", False), ("main ", True), (" ", True)):
        setattr(message, field, text)
        assert ((field, "string.pattern") in broken(message)) is is_refused
