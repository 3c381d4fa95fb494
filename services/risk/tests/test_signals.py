from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runtime.atto import ATTO, to_atto
from services.risk.case import Case
from services.risk.decide import Decision, decide, decide_signal, held_by
from services.risk.orders import BUY, SELL
from services.risk.reasons import Mode, Outcome, Reason, Verdict
from services.risk.rules import Reference
from services.risk.signals import Action, Signal, SignalCase, max_quantity_atto, probe
from services.risk.tests import mothers
from services.risk.tests.mothers import account, conditions, holding, limits, order, signal


def asked(of: Signal, state: str = "RUNNING", before: str = "", **changes: Any) -> Decision:
    case = probe(of, account(), conditions(**changes))
    return decide_signal(SignalCase(of, case, state, before))


def failed(decision: Decision) -> list[Reason]:
    return [check[0] for check in decision.failed]


def test_a_signal_in_order_is_approved_with_the_largest_quantity() -> None:
    decision = asked(signal())
    assert decision.verdict is Verdict.APPROVED
    assert decision.max_atto == 2_000 * ATTO


def test_an_expired_signal_is_refused() -> None:
    assert not failed(asked(signal(valid_until_ns=mothers.NOW_NS)))
    late = asked(signal(valid_until_ns=mothers.NOW_NS - 1))
    assert failed(late) == [Reason.SIGNAL_EXPIRED]
    assert (late.approved_atto, late.max_atto) == (0, 0)


def test_a_second_signal_of_one_candle_is_refused() -> None:
    assert failed(asked(signal(), before="another")) == [Reason.SIGNAL_DUPLICATE]


def test_only_a_running_strategy_may_open_and_a_paused_one_exit() -> None:
    close = signal(action=Action.CLOSE)
    assert failed(asked(signal(), "PAUSED")) == [Reason.STRATEGY_NOT_RUNNING]
    assert not failed(asked(close, "PAUSED"))
    assert failed(asked(close, "STOPPED")) == [Reason.STRATEGY_NOT_RUNNING]


def test_an_unprotected_opening_signal_is_refused() -> None:
    assert failed(asked(signal(stop_atto=None))) == [Reason.NO_PROTECTION]
    assert not failed(asked(signal(stop_atto=None, action=Action.CLOSE)))


def test_a_signal_is_refused_when_there_is_no_room_for_the_smallest_order() -> None:
    tight = limits(position_share_bps_max=0)
    assert failed(asked(signal(), limits=tight)) == [Reason.POSITION_LIMIT]


def test_a_closing_signal_passes_while_reducing_only() -> None:
    assert failed(asked(signal(), mode=Mode.REDUCE_ONLY)) == [Reason.MODE_BLOCKED]
    assert not failed(asked(signal(action=Action.CLOSE), mode=Mode.REDUCE_ONLY))


def test_a_stated_quantity_beyond_the_room_is_resized() -> None:
    decision = asked(signal(quantity_atto=5_000 * ATTO))
    assert (decision.verdict, decision.approved_atto) == (Verdict.RESIZED, 2_000 * ATTO)
    assert asked(signal(quantity_atto=7 * ATTO)).approved_atto == 7 * ATTO


def test_a_closing_signal_may_close_all_that_is_held() -> None:
    of = holding(account(), 30)
    assert max_quantity_atto(probe(signal(action=Action.CLOSE), of, conditions())) == 30 * ATTO


def test_a_reversing_signal_may_close_and_open() -> None:
    of = holding(account(), 1_000)
    case = probe(signal(direction=SELL), of, conditions())
    assert max_quantity_atto(case) == 3_000 * ATTO


def test_only_the_signal_checks_run() -> None:
    codes = [check[0] for check in asked(signal()).checks]
    assert Reason.BUYING_POWER not in codes
    assert codes == sorted(codes)
    assert all(check[1] is not Outcome.FAILED for check in asked(signal()).checks)


@given(
    st.integers(-3_000, 3_000),
    st.integers(0, 2_500),
    st.integers(1, 2_000_000),
    st.sampled_from([BUY, SELL]),
    st.sampled_from(["0.01", "0.37", "99.99", "1234.56"]),
)
def test_the_largest_quantity_passes_every_check_and_one_lot_more_does_not(
    held: int, waiting: int, cash: int, direction: int, price: str
) -> None:
    of = holding(account(transfers_minor=cash * 100), held, price)
    now = conditions(reference=Reference(to_atto(price), mothers.NOW_NS, 1))
    if waiting:
        held_order = order(waiting, client_order_id="p", direction=direction)
        of.put(held_by(Case(held_order, of, now)))
    case = probe(signal(direction=direction), of, now)
    largest = max_quantity_atto(case)
    if not largest:
        return
    stop = to_atto(price) - direction * to_atto("0.01")
    fits = order(direction=direction, quantity_atto=largest, protection_atto=stop)
    assert not decide(Case(fits, of, now)).failed
    more = order(direction=direction, quantity_atto=largest + ATTO, protection_atto=stop)
    assert decide(Case(more, of, now)).failed
