"""The domain's numbers are the contract's: a decision means the same on both sides."""

from enum import IntEnum

import pytest
from trading.options.v1 import options_pb2
from trading.risk.v1 import risk_pb2
from trading.types.v1 import order_pb2, signal_pb2
from trading.types.v1 import risk_pb2 as types_pb2

from services.risk.checks import ORDER_CHECKS
from services.risk.orders import OrderType, TimeInForce
from services.risk.reasons import Mode, Outcome, Reason, Verdict
from services.risk.rules import ProtectionRule, ScopeKind
from services.risk.signals import SIGNAL_CHECKS, Action

SIGNAL = options_pb2.REASON_STAGE_SIGNAL
ORDER = options_pb2.REASON_STAGE_ORDER
BOTH = options_pb2.REASON_STAGE_SIGNAL_AND_ORDER


@pytest.mark.parametrize(
    ("ours", "theirs", "prefix"),
    [
        (Reason, types_pb2.RiskReason, "RISK_REASON_"),
        (Outcome, types_pb2.CheckOutcome, "CHECK_OUTCOME_"),
        (Verdict, types_pb2.RiskVerdict, "RISK_VERDICT_"),
        (Mode, risk_pb2.TradingMode, "TRADING_MODE_"),
        (ScopeKind, risk_pb2.ScopeKind, "SCOPE_KIND_"),
        (ProtectionRule, risk_pb2.ProtectionRule, "PROTECTION_RULE_"),
        (OrderType, order_pb2.OrderType, "ORDER_TYPE_"),
        (TimeInForce, order_pb2.TimeInForce, "TIME_IN_FORCE_"),
        (Action, signal_pb2.SignalAction, "SIGNAL_ACTION_"),
    ],
)
def test_names_and_numbers_are_those_of_the_contract(
    ours: type[IntEnum], theirs: object, prefix: str
) -> None:
    number_of = theirs.Value  # type: ignore[attr-defined]
    named = [m for m in ours if m.value]  # Zero stands for what the domain has no name for.
    assert {m.name: m.value for m in named} == {m.name: number_of(prefix + m.name) for m in named}


def test_every_code_of_the_first_depth_has_its_check_in_order() -> None:
    codes = [check.code for check in (*ORDER_CHECKS, *SIGNAL_CHECKS)]
    assert [code.value for code in codes] == list(range(1, 43))


def test_stages_and_waivers_are_those_of_the_contract() -> None:
    values = types_pb2.RiskReason.DESCRIPTOR.values_by_number
    for check in ORDER_CHECKS:
        options = values[check.code].GetOptions().Extensions[options_pb2.reason]
        assert options.stage == (BOTH if check.is_on_signal else ORDER), check.code.name
        assert options.is_waived_when_reducing == check.is_waived, check.code.name
    for on_signal in SIGNAL_CHECKS:
        options = values[on_signal.code].GetOptions().Extensions[options_pb2.reason]
        assert options.stage == SIGNAL
