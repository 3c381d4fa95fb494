"""The same on a file, in real time: commits wait for the disk and are grouped."""

import asyncio
from pathlib import Path

import pytest
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import order_pb2
from trading.types.v1.order_pb2 import OrderStatus

from runtime.stores import Database
from services.orders.tests.mothers import limit_order, trade
from services.orders.tests.rig import Rig

pytestmark = pytest.mark.real_time
POLLS = 1_000  # Of 20 ms: a slow machine puts orders in doubt first, which takes seconds to end.


async def until_all_are(rig: Rig, status: "OrderStatus.ValueType") -> None:
    """Wait until every order is so; fails when that takes longer than anything may."""
    shown: list[OrderStatus.ValueType] = []
    for _ in range(POLLS):
        found = await rig.orders.list_orders(pb.ListOrdersRequest())
        shown = [order.status for order in found.orders]
        if shown and set(shown) == {status}:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(shown)


async def until_told(rig: Rig) -> list[int]:
    """Return the sequences that portfolio has, once it has all of them."""
    for _ in range(POLLS):
        if rig.portfolio.told.last_sequence == rig.environment.progress.written["order_events"]:
            break
        await asyncio.sleep(0.02)
    return [event.header.sequence for event in rig.portfolio.told.events]


async def test_orders_submitted_together_are_filled_and_survive_a_crash(tmp_path: Path) -> None:
    rig = Rig(Database.sqlite_file(tmp_path / "orders.db"))
    await rig.start()
    specs = [limit_order(f"o-{number}") for number in range(20)]
    await asyncio.gather(
        *(rig.orders.submit_order(pb.SubmitOrderRequest(order=spec)) for spec in specs)
    )
    await until_all_are(rig, order_pb2.ORDER_STATUS_NEW)
    rig.execution.happen(*(trade(s, f"x-{s.client_order_id}", 10, cum=10) for s in specs))
    await until_all_are(rig, order_pb2.ORDER_STATUS_FILLED)
    sequences = await until_told(rig)
    assert sequences == list(range(1, len(sequences) + 1))
    await rig.crash()
    await rig.start()
    await until_all_are(rig, order_pb2.ORDER_STATUS_FILLED)
    assert len(rig.execution.at_venue) == 20
    await rig.stop()
    await rig.database.close()
