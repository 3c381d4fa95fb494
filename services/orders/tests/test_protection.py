"""Stops and targets at the venue: made, moved, given up and replaced as fills come."""

import asyncio
from typing import Any

from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import execution_pb2, order_pb2, risk_pb2, signal_pb2

from services.orders.tests.mothers import canceled, dec, limit_order, open_signal, report, trade
from services.orders.tests.rig import Rig

NEW, CANCELED = order_pb2.ORDER_STATUS_NEW, order_pb2.ORDER_STATUS_CANCELED
ENTRY = limit_order(
    strategy_id="ema-1",
    protection=order_pb2.Protection(
        stop_price=dec("95"),
        target_price=dec("110"),
        mode=order_pb2.PROTECTION_MODE_VENUE_STOP,
    ),
)


async def entered(filled: int, spec: order_pb2.OrderSpec = ENTRY) -> Rig:
    """Return an instance whose entry order has `filled` of 10 filled."""
    rig = await Rig.started()
    rig.execution.on_replace = lambda request: rig.execution.happen(confirmed(rig, request))
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=spec))
    rig.execution.happen(trade(spec, "x1", filled, cum=filled))
    await asyncio.sleep(0.2)
    return rig


def confirmed(rig: Rig, request: Any) -> execution_pb2.ExecutionReport:
    spec = sent(rig)[request.client_order_id]
    number = len(rig.execution.replaces)
    return report(spec, execution_pb2.EXEC_TYPE_REPLACED, f"rep-{number}")


def sent(rig: Rig) -> dict[str, order_pb2.OrderSpec]:
    return {s.order.client_order_id: s.order for s in rig.execution.starts}


async def order(rig: Rig, name: str) -> order_pb2.Order:
    return (await rig.orders.get_order(pb.GetOrderRequest(client_order_id=name))).order


async def names(rig: Rig) -> list[str]:
    listed = await rig.orders.list_orders(pb.ListOrdersRequest())
    return [each.spec.client_order_id for each in listed.orders]


async def happen(rig: Rig, *reports: execution_pb2.ExecutionReport) -> None:
    rig.execution.happen(*reports)
    await asyncio.sleep(0.3)


async def test_the_first_fill_makes_a_reduce_only_stop_and_a_target() -> None:
    rig = await entered(4)
    stop, target = sent(rig)["ana-1/sl"], sent(rig)["ana-1/tp"]
    assert (stop.type, stop.stop_price.value) == (order_pb2.ORDER_TYPE_STOP, "95")
    assert (target.type, target.limit_price.value) == (order_pb2.ORDER_TYPE_LIMIT, "110")
    assert {stop.quantity.value, target.quantity.value} == {"4"}
    assert stop.reduce_only
    assert target.reduce_only
    assert {stop.side, target.side} == {order_pb2.SIDE_SELL}
    assert not rig.is_busy()
    await rig.stop()


async def test_risk_has_the_fill_before_it_is_asked_about_the_stop() -> None:
    rig = await Rig.started()
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=ENTRY))
    heard_s: list[tuple[int, int]] = []
    validate = rig.risk.validate_order

    async def spied(request: Any, call: Any = None) -> Any:
        heard_s.append((len(rig.risk.told.events), len(rig.risk.validations)))
        return await validate(request)

    rig.risk.validate_order = spied  # type: ignore[method-assign]
    rig.execution.happen(trade(ENTRY, "x1", 4, cum=4))
    await asyncio.sleep(0.2)
    assert heard_s[0][0] >= 4
    await rig.stop()


async def test_both_quantities_follow_the_fills() -> None:
    rig = await entered(4)
    await happen(rig, trade(ENTRY, "x2", 6, cum=10))
    for name in ("ana-1/sl", "ana-1/tp"):
        assert (await order(rig, name)).spec.quantity.value == "10"
    assert not rig.is_busy()
    await rig.stop()


async def test_a_stop_that_completes_cancels_the_target() -> None:
    rig = await entered(10)
    await happen(rig, trade(sent(rig)["ana-1/sl"], "s1", 10, cum=10, price="94.9"))
    assert (await order(rig, "ana-1/tp")).status == CANCELED
    assert not rig.is_busy()
    await rig.stop()


async def test_a_target_that_trades_in_part_makes_the_stop_smaller() -> None:
    rig = await entered(10)
    await happen(rig, trade(sent(rig)["ana-1/tp"], "t1", 3, cum=3, price="110"))
    assert (await order(rig, "ana-1/sl")).spec.quantity.value == "7"
    await rig.stop()


async def test_a_position_that_another_order_closes_leaves_nothing_to_protect() -> None:
    rig = await entered(10)
    close = limit_order("ana-2", side=order_pb2.SIDE_SELL, reduce_only=True)
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=close))
    await happen(rig, trade(close, "c1", 10, cum=10))
    assert (await order(rig, "ana-1/sl")).status == CANCELED
    assert (await order(rig, "ana-1/tp")).status == CANCELED
    await rig.stop()


async def test_a_refused_stop_is_tried_at_the_collars_edge_and_then_closed_at_the_market() -> None:
    rig = await Rig.started()
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=ENTRY))
    rig.risk.rejections = [risk_pb2.RISK_REASON_STOP_WRONG_SIDE]
    rig.risk.spared_types = (order_pb2.ORDER_TYPE_LIMIT, order_pb2.ORDER_TYPE_MARKET)
    await happen(rig, trade(ENTRY, "x1", 10, cum=10))
    assert await names(rig) == ["ana-1", "ana-1/sl", "ana-1/tp", "ana-1/900001", "ana-1/900002"]
    edge, market = await order(rig, "ana-1/900001"), await order(rig, "ana-1/900002")
    assert (edge.spec.type, edge.spec.stop_price.value) == (order_pb2.ORDER_TYPE_STOP, "95")
    assert market.spec.type == order_pb2.ORDER_TYPE_MARKET
    assert market.status == NEW
    assert [a.severity for a in await rig.alarms()] == [risk_pb2.SEVERITY_CRITICAL]
    await rig.stop()


async def test_an_adjusted_stop_is_replaced_at_the_venue_and_never_loosened() -> None:
    rig = await entered(10)
    for number, price in ((1, "97.001"), (2, "96")):
        moved = open_signal(
            number, action=signal_pb2.SIGNAL_ACTION_ADJUST_STOP, stop_price=dec(price)
        )
        await rig.publish(moved)
        await asyncio.sleep(0.3)
    assert (await order(rig, "ana-1/sl")).spec.stop_price.value == "97.01"
    (replacement,) = rig.execution.replaces
    assert replacement.stop_price.value == "97.01"
    assert not replacement.HasField("quantity")
    await rig.stop()


async def test_a_restart_goes_on_with_what_was_to_be_protected() -> None:
    rig = await entered(4)
    await rig.crash()
    rig.execution.happen(trade(ENTRY, "x2", 6, cum=10))
    await rig.start()
    await asyncio.sleep(1)
    assert (await order(rig, "ana-1/sl")).spec.quantity.value == "10"
    await rig.stop()


async def test_an_entry_that_never_fills_is_never_protected() -> None:
    rig = await Rig.started()
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=ENTRY))
    await happen(rig, canceled(ENTRY))
    assert await names(rig) == ["ana-1"]
    assert not rig.is_busy()
    await rig.stop()


async def test_a_supervised_order_is_left_to_its_strategy() -> None:
    spec = order_pb2.OrderSpec()
    spec.CopyFrom(ENTRY)
    spec.protection.mode = order_pb2.PROTECTION_MODE_SUPERVISED
    rig = await entered(4, spec)
    assert await names(rig) == ["ana-1"]
    await rig.stop()
