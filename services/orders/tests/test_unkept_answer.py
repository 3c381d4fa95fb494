"""What a caller is told of an order while its acknowledgement cannot be kept."""

import asyncio
from typing import Any

import pytest
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import order_pb2

from runtime.rpc import Call
from runtime.stores import StoreFull
from services.orders.tests.mothers import limit_order
from services.orders.tests.rig import Rig
from services.orders.tests.scripted import ScriptedExecution, acknowledge
from services.orders.unit import Unit


async def test_a_caller_is_answered_in_time_while_the_acknowledgement_cannot_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The disk is full from the venue's answer on: each commit fails once its work is done."""
    rig = await Rig.started()

    def flush(*_: object) -> None:
        raise StoreFull("the disk is full")

    async def fill(execution: ScriptedExecution, request: Any) -> Any:
        monkeypatch.setattr(Unit, "flush", flush)
        return await acknowledge(execution, request)

    rig.execution.scripts = [fill]
    request = pb.SubmitOrderRequest(order=limit_order())
    first = await rig.orders.submit_order(request, Call(timeout_s=0.5))
    assert first.order.status == order_pb2.ORDER_STATUS_PENDING_NEW
    monkeypatch.undo()
    await asyncio.sleep(10)
    assert await rig.orders.submit_order(request) == first
    now = await rig.orders.get_order(pb.GetOrderRequest(order_id=first.order.order_id))
    assert now.order.status == order_pb2.ORDER_STATUS_NEW
    assert len(rig.execution.starts) == 1
    await rig.stop()
