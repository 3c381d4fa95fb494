"""Each report of a venue takes effect once, in one transaction with its inbox row."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import event_pb2, execution_pb2, order_pb2
from trading.types.v1.execution_pb2 import ExecutionReport

from runtime.stores import StoreError
from services.orders.tests.mothers import canceled, dec, limit_order, report, trade
from services.orders.tests.rig import Rig

SPEC = limit_order()


async def working_order() -> Rig:
    rig = await Rig.started()
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=SPEC))
    return rig


async def after(rig: Rig, *reports: ExecutionReport) -> order_pb2.Order:
    rig.execution.happen(*reports)
    await asyncio.sleep(0.5)
    found = await rig.orders.get_order(
        pb.GetOrderRequest(client_order_id=reports[0].client_order_id)
    )
    return found.order


def anomalies(rig: Rig) -> Sequence[event_pb2.OrderEvent]:
    told = rig.risk.told.events
    return [e for e in told if e.local_cause == event_pb2.ORDER_CAUSE_ANOMALY]


async def test_a_report_seen_twice_is_booked_once() -> None:
    rig = await working_order()
    traded = trade(SPEC, "x1", 4, cum=4)
    order = await after(rig, traded, traded)
    assert order.cum_quantity.value == "4"
    rig.execution.repeat(traded)
    await asyncio.sleep(0.5)
    booked = [e for e in rig.portfolio.told.events if e.execution.exec_id == "x1"]
    assert len(booked) == 1
    assert anomalies(rig) == []
    await rig.stop()


async def test_a_report_repeated_by_another_session_is_the_same_report() -> None:
    rig = await working_order()
    first = trade(SPEC, "x1", 4, cum=4)
    again = trade(SPEC, "x1", 4, cum=4)
    first.session_id, again.session_id = "s1", "s2"
    order = await after(rig, first, again)
    assert order.cum_quantity.value == "4"
    assert anomalies(rig) == []
    await rig.stop()


async def test_a_report_repeated_with_other_content_is_an_anomaly_and_not_applied() -> None:
    rig = await working_order()
    order = await after(rig, trade(SPEC, "x1", 4, cum=4), trade(SPEC, "x1", 5, cum=9))
    assert order.cum_quantity.value == "4"
    assert len(anomalies(rig)) == 1
    await rig.stop()


async def test_an_immediate_or_cancel_remainder_ends_canceled() -> None:
    rig = await Rig.started()
    spec = limit_order(time_in_force=order_pb2.TIME_IN_FORCE_IOC)
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=spec))
    order = await after(rig, trade(spec, "x1", 4, cum=4), canceled(spec, cum=4))
    assert order.status == order_pb2.ORDER_STATUS_CANCELED
    assert (order.cum_quantity.value, order.leaves_quantity.value) == ("4", "0")
    await rig.stop()


async def test_a_trade_after_the_end_is_booked_and_is_an_anomaly() -> None:
    rig = await working_order()
    order = await after(rig, canceled(SPEC), trade(SPEC, "x1", 4, cum=4))
    assert order.status == order_pb2.ORDER_STATUS_CANCELED
    assert order.cum_quantity.value == "4"
    causes = [(e.exec_type, e.local_cause) for e in rig.risk.told.events[-2:]]
    assert causes[0][0] == execution_pb2.EXEC_TYPE_TRADE
    assert causes[1][1] == event_pb2.ORDER_CAUSE_ANOMALY
    await rig.stop()


async def test_a_busted_trade_is_taken_back_once() -> None:
    rig = await working_order()
    bust = report(SPEC, execution_pb2.EXEC_TYPE_TRADE_CANCEL, "b1", exec_ref_id="x1")
    again = report(SPEC, execution_pb2.EXEC_TYPE_TRADE_CANCEL, "b2", exec_ref_id="x1")
    order = await after(rig, trade(SPEC, "x1", 4, cum=4), bust)
    assert (order.status, order.cum_quantity.value) == (order_pb2.ORDER_STATUS_NEW, "0")
    assert order.leaves_quantity.value == "10"
    assert anomalies(rig) == []
    assert (await after(rig, again)).cum_quantity.value == "0"
    assert len(anomalies(rig)) == 1
    await rig.stop()


async def test_a_corrected_trade_is_replaced_and_can_still_be_busted() -> None:
    rig = await working_order()
    corrected = trade(SPEC, "c1", 3, cum=3, price="90")
    corrected.exec_type = execution_pb2.EXEC_TYPE_TRADE_CORRECT
    corrected.exec_ref_id = "x1"
    order = await after(rig, trade(SPEC, "x1", 4, cum=4), corrected)
    assert (order.cum_quantity.value, order.average_price.value) == ("3", "90")
    bust = report(SPEC, execution_pb2.EXEC_TYPE_TRADE_CANCEL, "b1", exec_ref_id="c1")
    order = await after(rig, bust)
    assert (order.status, order.cum_quantity.value) == (order_pb2.ORDER_STATUS_NEW, "0")
    assert order.fees.amount.value == "0"
    assert anomalies(rig) == []
    await rig.stop()


async def test_a_fill_of_an_unknown_order_makes_an_external_order_and_is_passed_on() -> None:
    rig = await Rig.started()
    stranger = limit_order("stranger")
    order = await after(rig, trade(stranger, "x9", 4, cum=4))
    assert order.spec.strategy_id == "external"
    assert (order.status, order.cum_quantity.value) == (
        order_pb2.ORDER_STATUS_PARTIALLY_FILLED,
        "4",
    )
    assert len(anomalies(rig)) == 1
    assert rig.portfolio.told.events[-1].execution.exec_id == "x9"
    await rig.stop()


async def test_a_venue_that_counts_another_sum_is_an_anomaly() -> None:
    rig = await working_order()
    order = await after(rig, trade(SPEC, "x2", 4, cum=6))
    assert order.cum_quantity.value == "4"
    assert len(anomalies(rig)) == 1
    await rig.stop()


async def test_a_lost_commit_answer_neither_loses_nor_doubles_a_fill() -> None:
    rig = await working_order()
    rig.database.faults.answers_to_lose = 1
    order = await after(rig, trade(SPEC, "x1", 4, cum=4))
    assert order.cum_quantity.value == "4"
    rig.database.faults.commits_to_lose = 1
    order = await after(rig, trade(SPEC, "x2", 6, cum=10))
    assert (order.status, order.cum_quantity.value) == (order_pb2.ORDER_STATUS_FILLED, "10")
    await asyncio.sleep(2)
    assert [e.header.sequence for e in rig.risk.told.events] == list(range(1, 6))
    assert rig.risk.told.events[-1].order.cum_quantity.value == "10"
    await rig.stop()


async def test_a_halt_and_its_end_are_followed() -> None:
    rig = await working_order()
    halted = report(
        SPEC,
        execution_pb2.EXEC_TYPE_SUSPENDED,
        "h1",
        order_status=order_pb2.ORDER_STATUS_SUSPENDED,
    )
    order = await after(rig, halted)
    assert order.status == order_pb2.ORDER_STATUS_SUSPENDED
    resumed = report(SPEC, execution_pb2.EXEC_TYPE_ORDER_STATUS, "h2")
    assert (await after(rig, resumed)).status == order_pb2.ORDER_STATUS_NEW
    assert rig.risk.told.events[-1].local_cause == event_pb2.ORDER_CAUSE_RESUMED
    await rig.stop()


async def test_a_triggered_stop_goes_on_working() -> None:
    rig = await Rig.started()
    spec = limit_order(type=order_pb2.ORDER_TYPE_STOP, limit_price=None, stop_price=dec("110"))
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=spec))
    order = await after(rig, report(spec, execution_pb2.EXEC_TYPE_TRIGGERED, "t1"))
    assert order.status == order_pb2.ORDER_STATUS_NEW
    assert anomalies(rig) == []
    await rig.stop()


async def test_a_store_that_is_down_delays_reports_and_loses_none() -> None:
    rig = await working_order()
    rig.database.faults.is_down = True
    rig.execution.happen(trade(SPEC, "x1", 10, cum=10))
    await asyncio.sleep(5)
    rig.database.faults.is_down = False
    await asyncio.sleep(6)
    found = await rig.orders.get_order(pb.GetOrderRequest(client_order_id="ana-1"))
    assert found.order.status == order_pb2.ORDER_STATUS_FILLED
    await rig.stop()


async def test_a_stream_that_has_gone_silent_is_opened_again() -> None:
    """A message lost on the way holds up everything behind it: not even heartbeats come."""
    rig = Rig()
    watch, opened = rig.execution.watch_execution_reports, []

    async def cut_once(request: Any, call: object = None) -> Any:
        opened.append(request.after_sequence)
        async with aclosing(watch(request)) as messages:
            async for message in messages:
                if len(opened) == 1 and message.reports:
                    await asyncio.sleep(3_600)
                yield message

    rig.execution.watch_execution_reports = cut_once  # type: ignore[method-assign]
    await rig.start()
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=SPEC))
    order = await after(rig, trade(SPEC, "x1", 10, cum=10))
    assert order.status == order_pb2.ORDER_STATUS_NEW
    await asyncio.sleep(6)
    found = await rig.orders.get_order(pb.GetOrderRequest(client_order_id="ana-1"))
    assert found.order.status == order_pb2.ORDER_STATUS_FILLED
    assert len(opened) == 2
    await rig.stop()


async def test_what_was_committed_while_the_store_went_down_is_told_when_it_is_back() -> None:
    """The answer of a commit is lost, and for a while nobody can read back what happened."""
    rig = await working_order()
    faults = rig.database.faults
    faults.answers_to_lose = 1
    read = rig.database.read
    failures = iter(range(3))

    async def away(work: Any) -> Any:
        if next(failures, None) is not None:
            raise StoreError("the server is away: nothing can be read")
        return await read(work)

    rig.database.read = away  # type: ignore[method-assign]
    rig.execution.happen(trade(SPEC, "x1", 10, cum=10))  # The last event for a long time.
    await asyncio.sleep(5)
    assert [e.header.sequence for e in rig.risk.told.events] == list(range(1, 5))
    assert rig.risk.told.events[-1].order.cum_quantity.value == "10"
    assert not rig.is_busy()
    await rig.stop()
