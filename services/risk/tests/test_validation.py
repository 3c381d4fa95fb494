import asyncio
from contextlib import suppress

import pytest
from grpc import StatusCode
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import order_pb2
from trading.types.v1.risk_pb2 import (
    RISK_VERDICT_APPROVED,
    RISK_VERDICT_REJECTED,
    RiskDecision,
)

from runtime.approval import approval_token, is_approved
from runtime.digest import digest
from runtime.errors import ServiceError
from runtime.times import to_ns
from services.risk.tests import messages
from services.risk.tests.messages import spec
from services.risk.tests.rig import APPROVAL_KEY, Rig, failed

SELL = order_pb2.SIDE_SELL


async def refused(work: object) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await work  # type: ignore[misc]
    return raised.value


def is_signed(decision: RiskDecision) -> bool:
    expected = approval_token(
        APPROVAL_KEY,
        decision.decision_id,
        decision.order_digest,
        decision.limits_version,
        to_ns(decision.expires_at),
    )
    return is_approved(expected, decision.token)


async def test_an_approval_carries_a_token_over_the_order() -> None:
    rig = await Rig.started()
    asked = spec()
    decision = await rig.ask(asked)
    assert decision.verdict == RISK_VERDICT_APPROVED
    assert decision.order_digest == digest(asked)
    assert is_signed(decision)
    assert to_ns(decision.expires_at) - to_ns(decision.decided_at) == 5 * 10**9
    assert decision.approved_quantity.value == "10"
    await rig.stop()


async def test_a_denial_is_an_answer_without_token_and_names_every_reason() -> None:
    rig = await Rig.started()
    decision = await rig.ask(spec("20000", protection=None))
    assert decision.verdict == RISK_VERDICT_REJECTED
    assert failed(decision) == [
        "QUANTITY_ABOVE_MAX",
        "NOTIONAL_ABOVE_MAX",
        "NO_PROTECTION",
        "BUYING_POWER",
        "POSITION_LIMIT",
        "GROSS_EXPOSURE",
        "OPEN_ORDER_VALUE",
    ]
    assert not decision.token
    notional = next(c for c in decision.checks if c.code == 15)
    assert (notional.observed, notional.limit) == ("2000000 USD", "1000000 USD")
    await rig.stop()


async def test_a_repeated_validation_returns_the_first_decision_also_after_a_restart() -> None:
    rig = await Rig.started()
    first = await rig.ask(spec(), epoch=1)
    assert await rig.ask(spec(), epoch=1) == first
    await rig.restart()
    assert await rig.ask(spec(), epoch=2) == first
    error = await refused(rig.ask(spec("11"), epoch=2))
    assert (error.code, error.reason) == (StatusCode.ALREADY_EXISTS, "BODY_DIFFERS")
    await rig.stop()


async def test_a_repeat_that_comes_at_the_same_time_gets_the_same_decision() -> None:
    rig = await Rig.started()
    rig.database.faults.delay_s = 0.05
    first, second = await asyncio.gather(rig.ask(spec()), rig.ask(spec()))
    assert first == second
    state = await rig.state()
    assert state.open_orders == 1
    await rig.stop()


async def test_ten_orders_racing_for_one_slot_get_one_approval() -> None:
    rig = await Rig.started()
    rig.database.faults.delay_s = 0.05  # None is committed when the last one is decided.
    asked = [spec("1500", client_order_id=f"o{i}") for i in range(10)]
    decisions = await asyncio.gather(*(rig.ask(each) for each in asked))
    verdicts = [decision.verdict for decision in decisions]
    assert verdicts.count(RISK_VERDICT_APPROVED) == 1
    await rig.stop()


async def test_a_hold_outlives_a_restart() -> None:
    rig = await Rig.started()
    await rig.ask(spec("1500"))
    before = await rig.state()
    await rig.restart()
    after = await rig.state()
    assert (after.holds, after.open_orders) == (before.holds, 1)
    assert failed(await rig.ask(spec("1500", client_order_id="o2"))) == ["POSITION_LIMIT"]
    await rig.stop()


async def test_a_later_version_replaces_the_hold() -> None:
    rig = await Rig.started()
    first = await rig.ask(spec("1500"))
    before = await rig.state()
    rig.clock.skip_to(messages.START_NS + 6 * 10**9)
    second = await rig.ask(spec("1500"), version=2)
    assert second.verdict == RISK_VERDICT_APPROVED
    assert second.decision_id != first.decision_id
    assert (await rig.state()).holds == before.holds
    await rig.stop()


async def test_a_decision_that_could_not_be_stored_holds_nothing() -> None:
    rig = await Rig.started()
    await rig.ask(spec("1", client_order_id="warm"))
    for fault in ("is_full", "is_down"):
        setattr(rig.database.faults, fault, True)
        error = await refused(rig.ask(spec("1500")))
        assert error.code is StatusCode.UNAVAILABLE
        setattr(rig.database.faults, fault, False)
        assert (await rig.state()).open_orders == 1
    assert (await rig.ask(spec("1500"))).verdict == RISK_VERDICT_APPROVED
    await rig.stop()


async def test_a_lost_answer_of_the_commit_is_found_by_the_repeat() -> None:
    rig = await Rig.started()
    rig.database.faults.answers_to_lose = 1
    await refused(rig.ask(spec("1500")))
    decision = await rig.ask(spec("1500"))
    assert decision.verdict == RISK_VERDICT_APPROVED
    assert (await rig.state()).open_orders == 1
    await rig.stop()


async def test_a_caller_that_leaves_finds_its_decision_later() -> None:
    rig = await Rig.started()
    await rig.ask(spec("1", client_order_id="warm"))
    rig.database.faults.delay_s = 0.2
    leaving = asyncio.create_task(rig.ask(spec()))
    await asyncio.sleep(0.05)
    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving
    assert (await rig.ask(spec())).verdict == RISK_VERDICT_APPROVED
    assert (await rig.state()).open_orders == 2
    await rig.stop()


async def test_validate_only_holds_and_stores_nothing() -> None:
    rig = await Rig.started()
    decision = await rig.ask(spec("1500"), validate_only=True)
    assert (decision.verdict, decision.token) == (RISK_VERDICT_APPROVED, b"")
    assert (await rig.ask(spec("1500", client_order_id="o2"))).verdict == RISK_VERDICT_APPROVED
    listed = await rig.as_rita.list_decisions(pb.ListDecisionsRequest())
    assert len(listed.decisions) == 1
    await rig.stop()


async def test_a_former_instance_of_orders_is_refused() -> None:
    rig = await Rig.started()
    await rig.ask(spec(), epoch=5)
    error = await refused(rig.ask(spec(client_order_id="o2"), epoch=4))
    assert (error.code, error.reason) == (StatusCode.ABORTED, "EPOCH_PASSED")
    await rig.stop()


async def test_a_missing_reference_price_refuses_the_order() -> None:
    rig = await Rig.started()
    rig.marketdata.quotes.clear()
    assert "REFERENCE_MISSING" in failed(await rig.ask(spec()))
    await rig.show(messages.candle("100"))
    assert not failed(await rig.ask(spec(client_order_id="o2")))
    await rig.stop()


async def test_an_account_without_cash_fails_what_needs_equity() -> None:
    rig = await Rig.started()
    assert set(failed(await rig.ask(spec(account="ACC-2")))) == {
        "BUYING_POWER",
        "POSITION_LIMIT",
        "GROSS_EXPOSURE",
        "OPEN_ORDER_VALUE",
        "CURRENCY_UNSUPPORTED",
        "ACCOUNT_INACTIVE",
        "DAILY_LOSS",
        "DRAWDOWN",
    }
    rig.portfolio.pay("ACC-2", "5000000")
    assert not failed(await rig.ask(spec(account="ACC-2", client_order_id="o2")))
    await rig.stop()


async def test_an_unknown_instrument_is_refused() -> None:
    rig = await Rig.started()
    decision = await rig.ask(spec(instrument="NOBODY.XSIM"))
    assert "INSTRUMENT_UNKNOWN" in failed(decision)
    await rig.stop()


async def test_a_released_order_gives_its_hold_back_and_cannot_hold_again() -> None:
    rig = await Rig.started()
    await rig.ask(spec("1500"))
    release = pb.ReleaseOrderRequest(client_order_id="o1", account=messages.ACCOUNT)
    answer = await rig.risk.release_order(release)
    assert answer.released.amount.value == "151803"
    assert (await rig.state()).open_orders == 0
    assert not (await rig.risk.release_order(release)).HasField("released")
    await rig.restart()
    error = await refused(rig.ask(spec("1500"), version=2))
    assert (error.code, error.reason) == (StatusCode.FAILED_PRECONDITION, "ORDER_RELEASED")
    await rig.stop()


async def test_rejected_orders_count_toward_the_rate() -> None:
    rig = await Rig.started()
    for i in range(100):
        await rig.ask(spec("99999", client_order_id=f"r{i}"))
    assert failed(await rig.ask(spec())) == ["ORDER_RATE"]
    await rig.restart()
    assert failed(await rig.ask(spec(client_order_id="o2"))) == ["ORDER_RATE"]
    rig.clock.skip_to(messages.START_NS + 61 * 10**9)
    assert not failed(await rig.ask(spec(client_order_id="o3")))
    await rig.stop()


async def test_a_malformed_order_is_refused_and_nothing_is_decided() -> None:
    rig = await Rig.started()
    error = await refused(rig.ask(spec("1e3")))
    assert error.code is StatusCode.INVALID_ARGUMENT
    assert not (await rig.as_rita.list_decisions(pb.ListDecisionsRequest())).decisions
    await rig.stop()


async def test_a_reducing_order_passes_when_every_limit_is_used_up() -> None:
    rig = await Rig.started()
    bought = spec("2000")
    await rig.ask(bought)
    trade = messages.execution(bought, "2000", "100")
    filled = order_pb2.ORDER_STATUS_FILLED
    await rig.report(messages.event(1, bought, "0", status=filled, execution=trade))
    for i in range(100):
        await rig.ask(spec("5", client_order_id=f"r{i}"))
    assert set(failed(await rig.ask(spec("6", client_order_id="more")))) == {
        "POSITION_LIMIT",
        "ORDER_RATE",
    }
    sale = spec("2000", client_order_id="close", side=SELL, protection=None)
    assert not failed(await rig.ask(sale))
    await rig.stop()
