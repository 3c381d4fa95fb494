from dataclasses import replace

from runtime.atto import ATTO, to_atto
from services.risk.checks import ORDER_CHECKS
from services.risk.decide import decide, held_by
from services.risk.orders import SELL, OrderType
from services.risk.reasons import Mode, Outcome, Reason, Verdict
from services.risk.tests import mothers
from services.risk.tests.mothers import account, approve, case, holding, limits, order


def test_checks_stand_in_the_order_of_their_codes() -> None:
    codes = [check.code for check in ORDER_CHECKS]
    assert codes == sorted(codes)


def test_every_failed_check_is_reported_not_only_the_first() -> None:
    wrong = order(20_000, protection_atto=None, type=OrderType.LIMIT, limit_atto=to_atto("106.001"))
    assert [check[0] for check in decide(case(wrong, mode=Mode.HALTED)).failed] == [
        Reason.PRICE_OFF_TICK,
        Reason.QUANTITY_ABOVE_MAX,
        Reason.NOTIONAL_ABOVE_MAX,
        Reason.PRICE_OUTSIDE_COLLAR,
        Reason.NO_PROTECTION,
        Reason.BUYING_POWER,
        Reason.POSITION_LIMIT,
        Reason.GROSS_EXPOSURE,
        Reason.OPEN_ORDER_VALUE,
        Reason.MODE_BLOCKED,
    ]


def test_a_position_without_a_price_fails_what_needs_equity() -> None:
    of = holding(account(), 10, name="BETA.XSIM")
    of.mark("BETA.XSIM", None)
    failed = {check[0] for check in decide(case(of=of)).failed}
    assert failed == {
        Reason.BUYING_POWER,
        Reason.POSITION_LIMIT,
        Reason.GROSS_EXPOSURE,
        Reason.OPEN_ORDER_VALUE,
        Reason.DAILY_LOSS,
        Reason.DRAWDOWN,
    }


def test_a_reducing_order_passes_when_every_limit_is_used_up() -> None:
    of = holding(account(transfers_minor=0), 10)
    for _ in range(2_000):
        of.count(mothers.STRATEGY, mothers.NOW_NS)
    nothing = limits(
        order_notional_max_atto=0,
        position_share_bps_max=0,
        gross_share_bps_max=0,
        entries_per_instrument_max=0,
        open_orders_max=0,
        open_order_value_share_bps_max=0,
        strategy_orders_per_minute_max=0,
        account_orders_per_minute_max=0,
    )
    sale = order(10, direction=SELL, protection_atto=None)
    of.remember(sale.fingerprint, mothers.NOW_NS, "another")
    decision = decide(case(sale, of, limits=nothing, mode=Mode.REDUCE_ONLY))
    assert not decision.failed
    waived = [check[0] for check in decision.checks if check[1] is Outcome.WAIVED]
    assert waived == [check.code for check in ORDER_CHECKS if check.is_waived]


def test_what_other_open_orders_close_already_cannot_be_closed_twice() -> None:
    of = approve(order(6, client_order_id="p", direction=SELL), holding(account(), 10))
    assert not case(order(4, direction=SELL), of).opening_atto
    assert case(order(5, direction=SELL), of).opening_atto == ATTO


def test_a_reduce_only_order_beside_another_for_the_whole_position_is_allowed() -> None:
    of = holding(account(), 10)
    approve(order(10, client_order_id="e/sl", direction=SELL, is_reduce_only=True), of)
    target = order(10, client_order_id="e/tp", direction=SELL, is_reduce_only=True)
    assert not decide(case(target, of)).failed


def test_an_order_decided_again_does_not_compete_with_itself() -> None:
    first = order(2_000)
    of = approve(first, account())
    again = replace(first, quantity_atto=2_000 * ATTO)
    assert not decide(case(again, of, limits=limits(open_orders_max=1))).failed


def test_ten_orders_racing_for_one_slot_get_one_approval() -> None:
    """Checking and holding happen without anything in between, so the second one sees the first."""
    of, verdicts = account(), []
    for i in range(10):
        asked = case(order(1_500, client_order_id=f"o{i}", strategy_id=f"s{i}"), of)
        verdicts.append(decide(asked).verdict)
        if verdicts[-1] is Verdict.APPROVED:
            of.put(held_by(asked))
    assert verdicts == [Verdict.APPROVED] + [Verdict.REJECTED] * 9


def test_a_missing_reference_price_refuses_the_order() -> None:
    decision = decide(case(reference=None))
    assert decision.verdict is Verdict.REJECTED
    assert Reason.REFERENCE_MISSING in {check[0] for check in decision.failed}


def test_drawdown_counts_open_losses() -> None:
    of = holding(account(), 5_000)
    of.note_equity()
    of.mark(mothers.INSTRUMENT, to_atto("70"))
    of.note_equity()
    assert of.equity_minor == mothers.MILLION_MINOR * 85 // 100
    assert of.drawdown_bps == 1_500
