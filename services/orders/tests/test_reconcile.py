"""Orders and the venue are compared: at start before anything is sent, on request, on suspicion."""

import asyncio

import pytest
from grpc import StatusCode
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import execution_pb2, order_pb2, risk_pb2

from runtime.errors import ServiceError
from services.orders.tests.mothers import canceled, limit_order, open_signal, report, trade
from services.orders.tests.rig import Rig

SPEC = limit_order()
STRANGE = limit_order("strange-1")
NEW = execution_pb2.EXEC_TYPE_NEW
COMPARE = pb.ReconcileOrdersRequest(venue="XSIM", request_id="look-1")


async def working_order() -> Rig:
    rig = await Rig.started()
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=SPEC))
    return rig


async def orders_of(rig: Rig) -> dict[str, order_pb2.Order]:
    listed = await rig.orders.list_orders(pb.ListOrdersRequest())
    return {order.spec.client_order_id: order for order in listed.orders}


async def compare(rig: Rig) -> pb.ReconcileOrdersResponse:
    return await rig.as_olga.reconcile_orders(COMPARE)


async def test_orders_that_agree_are_matched() -> None:
    rig = await working_order()
    answer = await compare(rig)
    assert (answer.matched, list(answer.breaks)) == (1, [])
    await rig.stop()


async def test_a_fill_that_never_came_is_found_applied_and_reported() -> None:
    rig = await working_order()
    rig.execution.at_venue["ACC-1", "ana-1"].append(trade(SPEC, "x1", 4, cum=4))
    answer = await compare(rig)
    (found,) = answer.breaks
    assert found.kind == pb.ORDER_BREAK_KIND_FILLED
    assert (found.ours.cum_quantity.value, found.venue.cum_quantity.value) == ("0", "4")
    assert (await orders_of(rig))["ana-1"].cum_quantity.value == "4"
    assert await compare(rig) == answer
    await rig.stop()


async def test_an_end_that_never_came_is_found_and_applied() -> None:
    rig = await working_order()
    rig.execution.at_venue["ACC-1", "ana-1"].append(canceled(SPEC))
    answer = await compare(rig)
    assert [b.kind for b in answer.breaks] == [pb.ORDER_BREAK_KIND_UNKNOWN_AT_VENUE]
    assert (await orders_of(rig))["ana-1"].status == order_pb2.ORDER_STATUS_CANCELED
    await rig.stop()


async def test_an_order_the_venue_lost_is_reported_and_left_alone() -> None:
    rig = await working_order()
    rig.execution.at_venue.clear()
    answer = await compare(rig)
    (found,) = answer.breaks
    assert found.kind == pb.ORDER_BREAK_KIND_UNKNOWN_AT_VENUE
    assert not found.HasField("venue")
    assert answer.matched == 0
    assert (await orders_of(rig))["ana-1"].status == order_pb2.ORDER_STATUS_NEW
    await rig.stop()


async def test_an_order_only_the_venue_knows_is_imported_and_alarms() -> None:
    rig = await working_order()
    rig.execution.at_venue["ACC-1", "strange-1"] = [report(STRANGE, NEW, "s1")]
    answer = await compare(rig)
    (found,) = answer.breaks
    assert found.kind == pb.ORDER_BREAK_KIND_UNKNOWN_HERE
    assert not found.HasField("ours")
    imported = (await orders_of(rig))["strange-1"]
    assert imported.spec.strategy_id == "external"
    assert imported.status == order_pb2.ORDER_STATUS_NEW
    alarms = await rig.alarms()
    assert [a.severity for a in alarms] == [risk_pb2.SEVERITY_CRITICAL]
    await rig.stop()


async def test_a_venue_that_is_away_cannot_be_compared_with() -> None:
    rig = await working_order()
    rig.execution.is_deaf = True
    with pytest.raises(ServiceError) as refused:
        await compare(rig)
    assert refused.value.code is StatusCode.FAILED_PRECONDITION
    assert refused.value.reason == "VENUE_UNREACHABLE"
    await rig.stop()


async def test_nothing_is_sent_after_a_restart_before_the_venue_is_compared_with() -> None:
    rig = await working_order()
    await rig.crash()
    await rig.publish(open_signal(1))
    rig.execution.is_deaf = True
    rig.execution.log.clear()
    await rig.start()
    await asyncio.sleep(3)
    with pytest.raises(ServiceError) as refused:
        await rig.orders.submit_order(pb.SubmitOrderRequest(order=limit_order("ana-2")))
    assert (refused.value.code, refused.value.reason) == (StatusCode.UNAVAILABLE, "RECONCILING")
    assert {entry.split()[0] for entry in rig.execution.log} == {"list"}
    rig.execution.is_deaf = False
    await asyncio.sleep(6)
    names = [entry.split()[0] for entry in rig.execution.log]
    assert names.index("start") > names.index("list")
    assert (await orders_of(rig)).keys() > {"ana-1"}
    await rig.stop()


async def test_a_restart_applies_what_happened_at_the_venue_without_a_report() -> None:
    rig = await working_order()
    await rig.crash()
    rig.execution.at_venue["ACC-1", "ana-1"].append(trade(SPEC, "x1", 10, cum=10))
    await rig.start()
    assert (await orders_of(rig))["ana-1"].status == order_pb2.ORDER_STATUS_FILLED
    await rig.stop()


async def test_a_trade_after_the_end_is_booked_alarmed_and_looked_into() -> None:
    rig = await working_order()
    late = trade(SPEC, "x9", 4, cum=4)
    rig.execution.happen(canceled(SPEC), late)
    await asyncio.sleep(0.5)
    order = (await orders_of(rig))["ana-1"]
    assert order.status == order_pb2.ORDER_STATUS_CANCELED
    assert order.cum_quantity.value == "4"
    assert [a.severity for a in await rig.alarms()] == [risk_pb2.SEVERITY_CRITICAL]
    assert [q.client_order_id for q in rig.execution.queries] == ["ana-1"]
    assert not rig.is_busy()
    await rig.stop()


async def test_a_report_that_counts_more_than_we_have_makes_us_fetch_the_rest() -> None:
    rig = await working_order()
    missed, seen = trade(SPEC, "x1", 4, cum=4), trade(SPEC, "x2", 3, cum=7)
    rig.execution.at_venue["ACC-1", "ana-1"].append(missed)
    rig.execution.happen(seen)
    await asyncio.sleep(0.5)
    assert (await orders_of(rig))["ana-1"].cum_quantity.value == "7"
    await rig.stop()
