"""The same on a file, in real time: commits wait for the disk and are grouped."""

import asyncio
from pathlib import Path

import pytest
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import order_pb2

from runtime.stores import Database
from services.orders.mothers import limit_order, trade
from services.orders.rig import Rig

pytestmark = pytest.mark.real_time


async def until_known(rig: Rig, count: int) -> list[int]:
    """Return the sequences that portfolio has, once there are `count` of them."""
    for _ in range(1_000):
        if len(rig.portfolio.told.events) >= count:
            break
        await asyncio.sleep(0.01)
    return [event.header.sequence for event in rig.portfolio.told.events]


async def test_orders_submitted_together_are_filled_and_survive_a_crash(tmp_path: Path) -> None:
    rig = Rig(Database.sqlite_file(tmp_path / "orders.db"))
    await rig.start()
    specs = [limit_order(f"o-{number}") for number in range(20)]
    answers = await asyncio.gather(
        *(rig.orders.submit_order(pb.SubmitOrderRequest(order=spec)) for spec in specs)
    )
    assert {a.order.status for a in answers} == {order_pb2.ORDER_STATUS_NEW}
    rig.execution.happen(*(trade(s, f"x-{s.client_order_id}", 10, cum=10) for s in specs))
    assert await until_known(rig, 100) == list(range(1, 101))
    await rig.crash()
    await rig.start()
    found = await rig.orders.list_orders(pb.ListOrdersRequest())
    assert {order.status for order in found.orders} == {order_pb2.ORDER_STATUS_FILLED}
    assert len(rig.execution.starts) == 20
    await rig.stop()
    await rig.database.close()
