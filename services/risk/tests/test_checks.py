"""One case in which each check fails, and one beside it in which it passes."""

from typing import Any

import pytest

from runtime.atto import ATTO, to_atto
from services.risk.account import Account
from services.risk.case import Case
from services.risk.checks import ORDER_CHECKS
from services.risk.decide import decide
from services.risk.orders import SELL, OrderType
from services.risk.reasons import Mode, Outcome, Reason
from services.risk.rules import ProtectionRule
from services.risk.tests import mothers
from services.risk.tests.mothers import (
    account,
    approve,
    busy,
    case,
    entered,
    holding,
    instrument,
    limit_order,
    limits,
    order,
    recent,
    with_orders,
)
from services.risk.tests.state_cases import STATE_CASES

STOP, STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT


def outcome(of: Case, code: Reason) -> Outcome:
    return next(check[1] for check in decide(of).checks if check[0] is code)


def sold(quantity: int, **changes: Any) -> Case:
    return case(order(quantity, direction=SELL), **changes)


def long_of(quantity: int) -> Account:
    return holding(account(), quantity)


PASSES = Outcome.PASSED
FAILS = Outcome.FAILED
SILENT = Outcome.NOT_APPLICABLE

CASES: dict[Reason, dict[str, tuple[Outcome, Case]]] = {
    Reason.NOT_ENTITLED: {
        "a named trader": (PASSES, case(limits=limits(traders=frozenset({"strategy-1"})))),
        "another trader": (FAILS, case(limits=limits(traders=frozenset({"ana"})))),
    },
    Reason.INSTRUMENT_UNKNOWN: {
        "a known instrument": (PASSES, case()),
        "an unknown instrument": (FAILS, case(instrument=None)),
    },
    Reason.INSTRUMENT_NOT_TRADABLE: {
        "a tradable instrument": (PASSES, case()),
        "an index": (FAILS, case(instrument=instrument(is_tradable=False))),
    },
    Reason.DUPLICATE_ORDER: {
        "the same order a second ago": (PASSES, case(of=recent(mothers.NOW_NS - 10**9))),
        "the same order just now": (FAILS, case(of=recent(mothers.NOW_NS - 10**9 + 1))),
        "another quantity just now": (PASSES, case(order(11), recent(mothers.NOW_NS))),
    },
    Reason.NUMBER_INVALID: {
        "a limit order with a limit": (PASSES, case(limit_order("100"))),
        "no quantity": (FAILS, case(order(0))),
        "a negative price": (FAILS, case(limit_order("-1"))),
        "a market order with a price": (FAILS, case(order(limit_atto=ATTO))),
        "a stop order without a stop": (FAILS, case(order(type=STOP))),
    },
    Reason.PRICE_OFF_TICK: {
        "a price on the tick": (PASSES, case(limit_order("100.01"))),
        "a price off the tick": (FAILS, case(limit_order("100.015"))),
        "a protection off the tick": (FAILS, case(order(protection_atto=1))),
    },
    Reason.QUANTITY_OFF_LOT: {
        "whole lots": (PASSES, case()),
        "half a lot": (FAILS, case(order(quantity_atto=ATTO // 2))),
    },
    Reason.QUANTITY_BELOW_MIN: {
        "the smallest quantity": (PASSES, case(order(1))),
        "the smallest notional": (
            PASSES,
            case(order(10), instrument=instrument(min_notional_minor=100_000)),
        ),
        "a smaller notional": (
            FAILS,
            case(order(9), instrument=instrument(min_notional_minor=100_000)),
        ),
        "less than the smallest": (
            FAILS,
            case(order(1), instrument=instrument(min_quantity_atto=2 * ATTO)),
        ),
    },
    Reason.QUANTITY_ABOVE_MAX: {
        "the most lots": (PASSES, case(order(10000))),
        "too many lots": (FAILS, case(order(10001))),
        "more than the venue takes": (
            FAILS,
            case(order(6), instrument=instrument(max_quantity_atto=5 * ATTO)),
        ),
    },
    Reason.NOTIONAL_ABOVE_MAX: {
        "the largest notional": (PASSES, case(order(10000))),
        "a larger notional": (FAILS, case(limit_order("100.01", 10000))),
        "no price to tell the notional": (FAILS, case(reference=None)),
    },
    Reason.PRICE_OUTSIDE_COLLAR: {
        "a buy at the collar": (PASSES, case(limit_order("105"))),
        "a buy beyond the collar": (FAILS, case(limit_order("105.01"))),
        "a low buy": (PASSES, case(limit_order("50"))),
        "a sale at the collar": (PASSES, case(limit_order("95", direction=SELL))),
        "a sale beyond the collar": (FAILS, case(limit_order("94.99", direction=SELL))),
        "a limit without reference": (FAILS, case(limit_order("100"), reference=None)),
        "a stop-limit near its far stop": (
            PASSES,
            case(
                order(
                    type=STOP_LIMIT,
                    limit_atto=to_atto("89"),
                    stop_atto=to_atto("90"),
                    direction=SELL,
                )
            ),
        ),
    },
    Reason.REFERENCE_MISSING: {
        "a reference": (PASSES, case()),
        "no reference": (FAILS, case(reference=None)),
    },
    Reason.REDUCE_ONLY_WOULD_GROW: {
        "a reduce-only order within the position": (
            PASSES,
            case(order(10, direction=SELL, is_reduce_only=True), long_of(10)),
        ),
        "a reduce-only order beyond the position": (
            FAILS,
            case(order(11, direction=SELL, is_reduce_only=True), long_of(10)),
        ),
        "a reduce-only order on the wrong side": (
            FAILS,
            case(order(1, is_reduce_only=True), long_of(10)),
        ),
    },
    Reason.NO_PROTECTION: {
        "a protected order": (PASSES, case()),
        "a strategy's unprotected order": (FAILS, case(order(protection_atto=None))),
        "a person's unprotected order": (SILENT, case(order(protection_atto=None, strategy_id=""))),
        "a person's where all must be protected": (
            FAILS,
            case(
                order(protection_atto=None, strategy_id=""),
                limits=limits(protection=ProtectionRule.ALL),
            ),
        ),
        "no rule about protection": (
            SILENT,
            case(order(protection_atto=None), limits=limits(protection=ProtectionRule.NONE)),
        ),
    },
    Reason.BUYING_POWER: {
        "cash for the worst case": (PASSES, case(order(10), account(transfers_minor=101202))),
        "a cent too little": (FAILS, case(order(10), account(transfers_minor=101201))),
        "cash held by others": (
            FAILS,
            case(
                order(10), approve(order(1, client_order_id="p"), account(transfers_minor=101202))
            ),
        ),
        "unknown cash": (FAILS, case(of=account(transfers_minor=None))),
        "a short within the cash": (PASSES, sold(10, of=account(transfers_minor=101202))),
        "a short beyond the cash": (FAILS, sold(10, of=account(transfers_minor=101201))),
    },
    Reason.POSITION_LIMIT: {
        "a fifth of equity": (PASSES, case(order(2000))),
        "more than a fifth": (FAILS, case(order(2001))),
        "a fifth with the position": (PASSES, case(order(1000), holding(account(), 1000))),
        "more with the position": (FAILS, case(order(1001), holding(account(), 1000))),
        "more with open orders": (
            FAILS,
            case(order(1001), approve(order(1000, client_order_id="p"), account())),
        ),
        "a short beyond the limit": (FAILS, sold(2001)),
        "a flip into a fifth short": (PASSES, sold(4000, of=long_of(2000))),
        "a flip beyond": (FAILS, sold(4001, of=long_of(2000))),
    },
    Reason.GROSS_EXPOSURE: {
        "four fifths in all": (
            PASSES,
            case(order(1000), holding(account(), 7000, name="BETA.XSIM")),
        ),
        "more in all": (FAILS, case(order(1001), holding(account(), 7000, name="BETA.XSIM"))),
        "shorts count like longs": (
            FAILS,
            case(order(1001), holding(account(), -7000, name="BETA.XSIM")),
        ),
        "open orders elsewhere count": (
            FAILS,
            case(
                order(1001),
                approve(order(7000, client_order_id="p", instrument="BETA.XSIM"), account()),
            ),
        ),
    },
    Reason.ENTRIES_PER_INSTRUMENT: {
        "a third entry": (PASSES, case(of=entered(2))),
        "a fourth entry": (FAILS, case(of=entered(3))),
        "a further part of the third entry": (
            PASSES,
            case(order(client_order_id="entry-2"), entered(3)),
        ),
    },
    Reason.SHORT_NOT_ALLOWED: {
        "a short that is allowed": (PASSES, sold(10)),
        "a short of what cannot be borrowed": (
            FAILS,
            sold(10, instrument=instrument(is_shortable=False)),
        ),
        "a short in a long-only account": (FAILS, sold(10, limits=limits(is_short_allowed=False))),
        "a flip in a long-only account": (
            FAILS,
            sold(11, of=long_of(10), limits=limits(is_short_allowed=False)),
        ),
        "a sale of what is held": (
            SILENT,
            sold(10, of=long_of(10), limits=limits(is_short_allowed=False)),
        ),
    },
    Reason.OPEN_ORDERS: {
        "the last open order": (PASSES, case(of=with_orders(199))),
        "one open order too many": (FAILS, case(of=with_orders(200))),
    },
    Reason.OPEN_ORDER_VALUE: {
        "open value within equity": (
            PASSES,
            case(order(10), approve(order(9990, client_order_id="p"), account())),
        ),
        "open value above equity": (
            FAILS,
            case(order(11), approve(order(9990, client_order_id="p"), account())),
        ),
    },
    Reason.ORDER_RATE: {
        "the hundredth order of a strategy": (PASSES, case(of=busy(99))),
        "one order too many of a strategy": (FAILS, case(of=busy(100))),
        "orders of a minute ago": (PASSES, case(of=busy(100, age_ns=60 * 10**9))),
        "one order too many of the account": (FAILS, case(of=busy(1000, ""))),
    },
    Reason.MODE_BLOCKED: {
        "an active mode": (PASSES, case()),
        "an opening order while reducing only": (FAILS, case(mode=Mode.REDUCE_ONLY)),
        "a closing order while reducing only": (
            PASSES,
            sold(10, of=long_of(10), mode=Mode.REDUCE_ONLY),
        ),
        "a closing order while canceling only": (
            FAILS,
            sold(10, of=long_of(10), mode=Mode.CANCEL_ONLY),
        ),
        "a closing order while halted": (FAILS, sold(10, of=long_of(10), mode=Mode.HALTED)),
    },
    Reason.CURRENCY_UNSUPPORTED: {
        "the account's currency": (PASSES, case()),
        "another currency": (FAILS, case(instrument=instrument(currency="EUR"))),
    },
} | STATE_CASES


@pytest.mark.parametrize(
    ("code", "name"),
    [pytest.param(code, name, id=name) for code, cases in CASES.items() for name in cases],
)
def test_a_check_comes_out_as_its_rule_says(code: Reason, name: str) -> None:
    expected, of = CASES[code][name]
    assert outcome(of, code) is expected


def test_every_check_has_a_case_that_passes_and_one_that_fails() -> None:
    for check in ORDER_CHECKS:
        outcomes = {expected for expected, _ in CASES[check.code].values()}
        assert {PASSES, FAILS} <= outcomes, check.code.name
