import asyncio
from contextlib import aclosing

import pytest
from grpc import StatusCode
from trading.risk.v1 import risk_pb2 as pb
from trading.types.v1 import order_pb2, risk_pb2
from trading.types.v1.execution_pb2 import EXEC_TYPE_TRADE_CANCEL
from trading.types.v1.order_pb2 import OrderSpec

from runtime.errors import ErrorInfo, ServiceError
from services.risk.tests import messages
from services.risk.tests.messages import event, execution, spec
from services.risk.tests.rig import Rig, failed

FILLED, CANCELED = order_pb2.ORDER_STATUS_FILLED, order_pb2.ORDER_STATUS_CANCELED
IN_DOUBT = order_pb2.ORDER_STATUS_IN_DOUBT


async def refused(work: object) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await work  # type: ignore[misc]
    return raised.value


async def filled(rig: Rig, sequence: int, asked: OrderSpec, price: str) -> None:
    """Approve an order and let it fill whole."""
    assert not failed(await rig.ask(asked))
    trade = execution(asked, asked.quantity.value, price, exec_id=f"x{sequence}")
    await rig.report(event(sequence, asked, "0", status=FILLED, execution=trade))


async def test_fills_move_the_position_and_release_the_hold() -> None:
    rig = await Rig.started()
    asked = spec()
    await rig.ask(asked)
    await rig.report(event(1, asked, "4", execution=execution(asked, "6", "99")))
    state = await rig.state()
    assert state.holds.amount.value == "404.81"
    assert state.gross.amount.value == "600"
    assert state.equity.amount.value == "1000005"
    last = execution(asked, "4", "100", exec_id="x2")
    assert await rig.report(event(2, asked, "0", status=FILLED, execution=last)) == 2
    state = await rig.state()
    assert (state.holds.amount.value, state.open_orders) == ("0", 0)
    await rig.restart()
    again = await rig.state()
    assert again == state
    await rig.stop()


async def test_an_order_in_doubt_keeps_its_hold_however_long_it_takes() -> None:
    rig = await Rig.started()
    asked = spec()
    await rig.ask(asked)
    before = (await rig.state()).holds
    await rig.report(event(1, asked, status=IN_DOUBT))
    rig.clock.skip_to(messages.START_NS + 3_600 * 10**9)
    assert (await rig.state()).holds == before
    await rig.report(event(2, asked, "0", status=CANCELED))
    assert (await rig.state()).holds.amount.value == "0"
    await rig.stop()


async def test_missing_events_stop_decisions_until_they_have_come() -> None:
    rig = await Rig.started()
    asked = spec()
    await rig.ask(asked)
    error = await refused(rig.report(event(2, asked)))
    assert (error.code, error.reason) == (StatusCode.ABORTED, "EVENT_GAP")
    info = error.detail(ErrorInfo)
    assert info is not None
    assert info.metadata["expected"] == "1"
    error = await refused(rig.ask(spec(client_order_id="o2")))
    assert (error.code, error.reason) == (StatusCode.UNAVAILABLE, "CATCHING_UP")
    assert await rig.report(event(1, asked), event(2, asked)) == 2
    assert not failed(await rig.ask(spec("11", client_order_id="o2")))
    await rig.stop()


async def test_an_event_delivered_twice_has_its_effect_once() -> None:
    rig = await Rig.started()
    asked = spec()
    await rig.ask(asked)
    first = event(1, asked, "4", execution=execution(asked, "6", "99"))
    assert await rig.report(first) == await rig.report(first) == 1
    assert (await rig.state()).gross.amount.value == "600"
    await rig.stop()


async def test_an_event_of_an_unknown_order_raises_the_alarm_and_counts() -> None:
    rig = await Rig.started()
    foreign = spec(client_order_id="foreign", strategy_id="external")
    trade = execution(foreign, "5", "100")
    request = pb.WatchRiskEventsRequest()
    async with aclosing(rig.as_rita.watch_risk_events(request)) as stream:
        assert (await anext(stream)).is_heartbeat
        await rig.report(event(1, foreign, "5", execution=trade, decision_id=""))
        alarm = (await anext(stream)).event
    assert alarm.kind == risk_pb2.RISK_EVENT_KIND_ANOMALY
    assert alarm.severity == risk_pb2.SEVERITY_CRITICAL
    assert alarm.scope == "account:ACC-1"
    state = await rig.state()
    assert (state.gross.amount.value, state.open_orders) == ("500", 1)
    await rig.stop()


async def test_a_busted_trade_is_taken_back_also_after_a_restart() -> None:
    rig = await Rig.started()
    asked = spec()
    await filled(rig, 1, asked, "100")
    await rig.restart()
    bust = execution(
        asked, "10", "100", exec_id="b", exec_ref_id="x1", exec_type=EXEC_TYPE_TRADE_CANCEL
    )
    await rig.report(event(2, asked, "0", status=CANCELED, execution=bust))
    state = await rig.state()
    assert (state.gross.amount.value, state.equity.amount.value) == ("0", "1000000")
    await rig.stop()


async def test_equity_counts_open_losses_and_the_high_water_mark_stays() -> None:
    rig = await Rig.started()
    await filled(rig, 1, spec("2000"), "100")
    await rig.show(messages.candle("110"))
    await rig.show(messages.candle("60", 1))
    state = await rig.state()
    assert state.equity.amount.value == "919999"
    assert state.high_water_mark.amount.value == "1019999"
    assert state.drawdown_bps == 980
    assert state.day_pnl.amount.value == "-80001"
    await rig.restart()
    again = await rig.state()
    assert again == state
    await rig.stop()


async def test_a_hold_of_which_nothing_is_heard_is_reported_once() -> None:
    rig = await Rig.started()
    await rig.ask(spec())
    heard = spec("11", client_order_id="o2")
    await rig.ask(heard)
    await rig.report(event(1, heard))
    rig.clock.skip_to(messages.START_NS + 61 * 10**9)
    await rig.show(messages.candle("100"), messages.candle("100", 1))
    request = pb.WatchRiskEventsRequest()
    async with aclosing(rig.as_rita.watch_risk_events(request)) as stream:
        assert (await anext(stream)).sequence == 1
        stuck = (await anext(stream)).event
    assert stuck.kind == risk_pb2.RISK_EVENT_KIND_HOLD_STUCK
    assert "o1" in stuck.observed
    await rig.stop()


async def test_the_clock_is_not_watched_anew_for_what_is_due_later_than_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = await Rig.started()
    await asyncio.sleep(0.01)
    sleeps: list[int] = []
    sleep_until = rig.clock.sleep_until

    async def counted(instant_ns: int) -> None:
        sleeps.append(instant_ns)
        await sleep_until(instant_ns)

    monkeypatch.setattr(rig.clock, "sleep_until", counted)
    for number in range(1, 21):  # What is heard of makes the next hold the one to watch.
        asked = spec(str(number), client_order_id=f"o{number}")
        assert not failed(await rig.ask(asked))
        await rig.report(event(number, asked, "0", status=CANCELED))
        await asyncio.sleep(0.01)
    assert len(sleeps) == 1
    assert not failed(await rig.ask(spec("30", client_order_id="unheard")))
    await asyncio.sleep(61)
    async with aclosing(rig.as_rita.watch_risk_events(pb.WatchRiskEventsRequest())) as stream:
        assert (await anext(stream)).is_heartbeat
        stuck = (await anext(stream)).event
    assert "unheard" in stuck.observed
    await rig.stop()


async def test_decisions_are_listed_newest_first_without_their_tokens() -> None:
    rig = await Rig.started()
    for i in range(3):
        await rig.ask(spec(str(10 + i), client_order_id=f"o{i}"))
    await rig.ask(spec("99999", client_order_id="no"))
    request = pb.ListDecisionsRequest(page_size=3)
    page = await rig.as_rita.list_decisions(request)
    assert [d.subject_id for d in page.decisions] == ["no", "o2", "o1"]
    assert not any(d.token for d in page.decisions)
    request.page_token = page.next_page_token
    rest = await rig.as_rita.list_decisions(request)
    assert [d.subject_id for d in rest.decisions] == ["o0"]
    rejected = pb.ListDecisionsRequest(verdict=risk_pb2.RISK_VERDICT_REJECTED)
    assert len((await rig.as_rita.list_decisions(rejected)).decisions) == 1
    name = rest.decisions[0].decision_id
    found = await rig.as_rita.get_decision(pb.GetDecisionRequest(decision_id=name))
    assert found.decision == rest.decisions[0]
    unknown = rig.as_rita.get_decision(pb.GetDecisionRequest(decision_id="nothing"))
    assert (await refused(unknown)).code is StatusCode.NOT_FOUND
    await rig.stop()


async def test_only_orders_may_ask_for_decisions() -> None:
    rig = await Rig.started()
    request = pb.ValidateOrderRequest(validation_id="o1:1", order=spec())
    error = await refused(rig.as_ana.validate_order(request))
    assert error.code is StatusCode.PERMISSION_DENIED
    await rig.stop()


async def test_an_account_nobody_saw_is_not_found() -> None:
    rig = await Rig.started()
    request = pb.GetRiskStateRequest(account="nobody")
    assert (await refused(rig.as_rita.get_risk_state(request))).reason == "ACCOUNT_UNKNOWN"
    await rig.stop()


async def test_an_account_whose_cash_has_not_come_by_yet_is_known_all_the_same() -> None:
    rig = await Rig.started()
    rig.portfolio.paid["late"] = "5000"  # Paid, and the stream has not told of it.
    state = await rig.as_rita.get_risk_state(pb.GetRiskStateRequest(account="late"))
    assert state.equity.amount.value == "5000"
    await rig.stop()


async def test_an_account_that_nobody_can_be_asked_about_is_not_called_unknown() -> None:
    rig = await Rig.started()
    rig.portfolio.is_away = True
    error = await refused(rig.as_rita.get_risk_state(pb.GetRiskStateRequest(account="late")))
    assert error.code is StatusCode.UNAVAILABLE
    await rig.stop()


async def test_a_deposit_is_noticed_while_running() -> None:
    rig = await Rig.started()
    await rig.ask(spec())
    rig.portfolio.pay(messages.ACCOUNT, "2000000")
    await rig.show(messages.candle("100"))
    assert (await rig.state()).equity.amount.value == "2000000"
    await rig.stop()
