"""An order that was committed is worked on, also when whoever made it never learned of that."""

import asyncio

import pytest
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import risk_pb2

from runtime.errors import ServiceError
from services.orders.tests.mothers import limit_order, open_signal
from services.orders.tests.rig import Rig

GOES_ON_WITHIN_S = 5.0


async def test_a_signals_order_goes_on_though_risk_refuses_the_signal_at_the_second_try() -> None:
    """The commit of the order is in doubt, so the signal is decided again: now it is refused."""
    rig = await Rig.started()
    rig.database.faults.answers_to_lose = 1
    await rig.publish(open_signal())
    await asyncio.sleep(0.05)
    assert not rig.database.faults.answers_to_lose
    rig.risk.rejections = [risk_pb2.RISK_REASON_STRATEGY_NOT_RUNNING]
    await asyncio.sleep(0.5)
    assert rig.execution.starts == []
    rig.risk.rejections = []
    await asyncio.sleep(GOES_ON_WITHIN_S)
    assert len(rig.execution.starts) == 1
    assert not rig.is_busy()
    await rig.stop()


async def test_an_order_goes_on_though_its_caller_was_refused_and_does_not_ask_again() -> None:
    rig = await Rig.started()
    rig.database.faults.answers_to_lose = 2
    with pytest.raises(ServiceError):
        await rig.orders.submit_order(pb.SubmitOrderRequest(order=limit_order()))
    await asyncio.sleep(GOES_ON_WITHIN_S)
    assert len(rig.execution.starts) == 1
    assert not rig.is_busy()
    await rig.stop()
