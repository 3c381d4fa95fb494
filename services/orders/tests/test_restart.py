"""A new instance goes on where the commits of the last one ended, and doubles nothing."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from grpc import StatusCode
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import order_pb2

from runtime.errors import ServiceError
from services.orders.tests.mothers import limit_order, open_signal, trade
from services.orders.tests.rig import Rig
from services.orders.tests.scripted import Away, Start, hang, lose_answer, lose_request

SPEC = limit_order()
SUBMIT = pb.SubmitOrderRequest(order=SPEC)


async def shown(rig: Rig) -> order_pb2.Order:
    return (await rig.orders.get_order(pb.GetOrderRequest(client_order_id="ana-1"))).order


async def test_after_a_restart_nothing_is_sent_before_the_reports_are_caught_up() -> None:
    rig = await Rig.started()
    rig.risk.is_away = True
    submitting = asyncio.ensure_future(rig.orders.submit_order(SUBMIT))
    await asyncio.sleep(0.2)
    await rig.crash()
    await asyncio.gather(submitting, return_exceptions=True)
    rig.risk.is_away = False

    watch, back_s = rig.execution.watch_execution_reports, asyncio.get_running_loop().time() + 8

    async def away_for_a_while(request: Any, call: object = None) -> Any:
        if asyncio.get_running_loop().time() < back_s:
            raise Away
        async with aclosing(watch(request)) as messages:
            async for message in messages:
                yield message

    rig.execution.watch_execution_reports = away_for_a_while  # type: ignore[method-assign]
    await rig.start()
    with pytest.raises(ServiceError) as refused:
        await rig.service.submit_order(SUBMIT)
    assert (refused.value.code, refused.value.reason) == (StatusCode.UNAVAILABLE, "RECONCILING")
    await rig.publish(open_signal())
    await asyncio.sleep(2)
    assert rig.execution.starts == []
    assert rig.risk.signals == []
    await asyncio.sleep(20)
    assert len(rig.execution.starts) == 2
    await rig.stop()


async def test_a_send_without_a_recorded_answer_is_in_doubt_after_a_restart() -> None:
    """The first life sent it and died; the second must ask before it sends again."""
    rig = await Rig.started()
    rig.execution.scripts = [hang]
    submitting = asyncio.ensure_future(rig.orders.submit_order(SUBMIT))
    await asyncio.sleep(0.2)
    await rig.crash()
    await asyncio.gather(submitting, return_exceptions=True)
    rig.execution.is_deaf = True
    await rig.start()
    await asyncio.sleep(3)
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_IN_DOUBT
    assert len(rig.execution.starts) == 1
    rig.execution.is_deaf = False
    await asyncio.sleep(10)
    assert len(rig.execution.starts) == 2
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_NEW
    await rig.stop()


async def test_an_order_accepted_before_the_crash_is_not_sent_again() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [lose_answer]
    rig.execution.is_deaf = True
    await rig.orders.submit_order(SUBMIT)
    await rig.crash()
    rig.execution.is_deaf = False
    await rig.start()
    await asyncio.sleep(10)
    assert len(rig.execution.starts) == 1
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_NEW
    await rig.stop()


async def test_reports_of_the_time_between_are_booked_once() -> None:
    rig = await Rig.started()
    await rig.orders.submit_order(SUBMIT)
    rig.execution.happen(trade(SPEC, "x1", 4, cum=4))
    await asyncio.sleep(0.5)
    await rig.crash()
    rig.execution.happen(trade(SPEC, "x2", 6, cum=10))
    await rig.start()
    order = await shown(rig)
    assert (order.status, order.cum_quantity.value) == (order_pb2.ORDER_STATUS_FILLED, "10")
    await asyncio.sleep(1)
    fills = [e.execution.exec_id for e in rig.risk.told.events if e.execution.exec_type == 9]
    assert fills == ["x1", "x2"]
    await rig.stop()


async def test_each_life_has_a_higher_epoch() -> None:
    rig = await Rig.started()
    await rig.orders.submit_order(SUBMIT)
    await rig.crash()
    await rig.start()
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=limit_order("ana-2")))
    await asyncio.sleep(1)
    assert [start.epoch for start in rig.execution.starts] == [1, 2]
    assert [v.epoch for v in rig.risk.validations] == [1, 2]
    assert [e.header.epoch for e in rig.risk.told.events] == [1] * 3 + [2] * 3
    assert [e.header.sequence for e in rig.risk.told.events] == list(range(1, 7))
    await rig.stop()


async def test_a_repeat_after_a_restart_gets_the_first_answer() -> None:
    rig = await Rig.started()
    first = await rig.orders.submit_order(SUBMIT)
    await rig.crash()
    await rig.start()
    assert await rig.orders.submit_order(SUBMIT) == first
    assert len(rig.execution.starts) == 1
    await rig.stop()


async def test_a_cancel_under_way_goes_on_after_a_restart_under_its_name() -> None:
    rig = await Rig.started()
    await rig.orders.submit_order(SUBMIT)
    rig.execution.is_cancel_reported = False
    cancel = pb.CancelOrderRequest(client_order_id="ana-1", request_id="c1")
    canceling = asyncio.ensure_future(rig.orders.cancel_order(cancel))
    await asyncio.sleep(0.2)
    await rig.crash()
    await asyncio.gather(canceling, return_exceptions=True)
    rig.execution.is_cancel_reported = True
    await rig.start()
    await asyncio.sleep(3)
    assert (await shown(rig)).status == order_pb2.ORDER_STATUS_CANCELED
    assert len({c.request_id for c in rig.execution.cancels}) == 1
    await rig.stop()


async def test_a_signal_that_became_an_order_goes_on_after_a_crash() -> None:
    rig = await Rig.started()
    rig.risk.delay_s = 0.1
    await rig.publish(open_signal())
    await asyncio.sleep(0.15)  # The signal is validated, its order is being validated.
    assert (await rig.orders.list_orders(pb.ListOrdersRequest())).orders
    await rig.crash()
    await rig.start()
    await asyncio.sleep(5)
    assert len(rig.execution.starts) == 1
    assert rig.environment.progress.read["signals"] == 1
    await rig.stop()


def sent_blindly(rig: Rig) -> list[str]:
    """Return the orders that were sent again without a query since the send before."""
    asked: dict[str, bool] = {}
    blindly = []
    for what in rig.execution.log:
        kind, _, name = what.partition(" ")
        if kind == "start":
            if not asked.get(name, True):
                blindly.append(name)
            asked[name] = False
        elif kind == "query":
            asked[name] = True
    return blindly


@pytest.mark.parametrize("script", [None, lose_request, lose_answer])
@pytest.mark.parametrize("crash_ms", [0, 2, 5, 8, 10, 11, 13, 16, 20, 21, 25, 31, 60, 150])
async def test_a_crash_at_any_moment_loses_and_doubles_nothing(
    script: Start | None, crash_ms: int
) -> None:
    """Risk takes 10 ms: the moments lie before, at and after each await of an order's way."""
    rig = await Rig.started()
    rig.risk.delay_s = 0.01
    rig.execution.scripts = [script] if script else []
    await rig.publish(open_signal())
    submitting = asyncio.ensure_future(rig.orders.submit_order(SUBMIT))
    await asyncio.sleep(crash_ms / 1_000)
    await rig.crash()
    await asyncio.gather(submitting, return_exceptions=True)
    await rig.start()
    await rig.orders.submit_order(SUBMIT)
    await asyncio.sleep(12)
    listed = (await rig.orders.list_orders(pb.ListOrdersRequest())).orders
    statuses = {order.spec.client_order_id[:3]: order.status for order in listed}
    assert statuses == {"ana": order_pb2.ORDER_STATUS_NEW, "sg-": order_pb2.ORDER_STATUS_NEW}
    sequences = [e.header.sequence for e in rig.portfolio.told.events]
    assert sequences == list(range(1, len(sequences) + 1))
    assert sent_blindly(rig) == []
    assert rig.environment.progress.read["signals"] == 1
    assert not rig.is_busy()
    await rig.stop()
