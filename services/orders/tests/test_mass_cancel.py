"""Many cancels at once: by a request, and because risk halts trading."""

import asyncio

import pytest
from trading.orders.v1 import orders_pb2 as pb
from trading.risk.v1 import risk_pb2 as risk_pb
from trading.types.v1 import order_pb2

from runtime.errors import ServiceError
from services.orders.tests.mothers import limit_order
from services.orders.tests.rig import Rig
from services.orders.tests.scripted import hang

CANCELED = order_pb2.ORDER_STATUS_CANCELED
ALL = pb.CancelOrdersRequest(scope=pb.CancelScope(account="ACC-1"), request_id="all-1")


async def working(count: int, **changes: str) -> Rig:
    rig = await Rig.started()
    for number in range(count):
        order = limit_order(f"ana-{number}", **changes)
        await rig.orders.submit_order(pb.SubmitOrderRequest(order=order))
    return rig


async def statuses(rig: Rig) -> list[int]:
    listed = await rig.orders.list_orders(pb.ListOrdersRequest(page_size=1000))
    return [order.status for order in listed.orders]


async def test_every_live_order_of_the_scope_is_canceled() -> None:
    rig = await working(3)
    other = limit_order("other", account="ACC-2")
    await rig.orders.submit_order(pb.SubmitOrderRequest(order=other))
    answer = await rig.orders.cancel_orders(ALL)
    assert answer.requested == 3
    assert [o.spec.client_order_id for o in answer.orders] == ["ana-0", "ana-1", "ana-2"]
    assert {o.status for o in answer.orders} == {order_pb2.ORDER_STATUS_PENDING_CANCEL}
    await asyncio.sleep(0.1)
    assert await statuses(rig) == [CANCELED] * 3 + [order_pb2.ORDER_STATUS_NEW]
    assert not rig.is_busy()
    await rig.stop()


async def test_pages_are_parts_of_one_answer_and_nothing_is_asked_twice() -> None:
    rig = await working(5)
    found, token = [], ""
    while True:
        request = pb.CancelOrdersRequest()
        request.CopyFrom(ALL)
        request.page_size, request.page_token = 2, token
        page = await rig.orders.cancel_orders(request)
        assert page.requested == 5
        found += [o.spec.client_order_id for o in page.orders]
        token = page.next_page_token
        if not token:
            break
    assert found == [f"ana-{n}" for n in range(5)]
    assert len(rig.execution.cancels) == 5
    await rig.stop()


async def test_a_page_of_another_request_is_refused() -> None:
    rig = await working(1)
    request = pb.CancelOrdersRequest()
    request.CopyFrom(ALL)
    request.page_token = "ffff.2"
    with pytest.raises(ServiceError) as refused:
        await rig.orders.cancel_orders(request)
    assert refused.value.reason == "PAGE_TOKEN_FOREIGN"
    assert rig.execution.cancels == []
    await rig.stop()


async def test_an_order_on_its_way_remembers_the_cancel_until_it_works() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [hang]
    sending = asyncio.ensure_future(
        rig.orders.submit_order(pb.SubmitOrderRequest(order=limit_order("ana-0")))
    )
    await asyncio.sleep(0.1)
    answer = await rig.orders.cancel_orders(ALL)
    assert [o.is_cancel_wanted for o in answer.orders] == [True]
    assert rig.execution.cancels == []
    sending.cancel()
    await rig.stop()


@pytest.mark.parametrize(
    ("scope", "ends"),
    [
        (risk_pb.Scope(kind=risk_pb.SCOPE_KIND_FIRM), 2),
        (risk_pb.Scope(kind=risk_pb.SCOPE_KIND_ACCOUNT, id="ACC-1"), 2),
        (risk_pb.Scope(kind=risk_pb.SCOPE_KIND_STRATEGY, id="ema-1"), 2),
        (risk_pb.Scope(kind=risk_pb.SCOPE_KIND_INSTRUMENT, id="ALPHA.XSIM"), 2),
        (risk_pb.Scope(kind=risk_pb.SCOPE_KIND_INSTRUMENT, id="BETA.XSIM"), 0),
        (risk_pb.Scope(kind=risk_pb.SCOPE_KIND_STRATEGY, id="ema-2"), 0),
    ],
    ids=["firm", "account", "strategy", "instrument", "other instrument", "other strategy"],
)
async def test_a_halt_cancels_every_live_order_in_its_scope(
    scope: risk_pb.Scope, ends: int
) -> None:
    rig = await working(2, strategy_id="ema-1")
    rig.risk.halt(scope)
    await asyncio.sleep(0.1)
    assert (await statuses(rig)).count(CANCELED) == ends
    assert not rig.is_busy()
    await rig.stop()


async def test_a_halt_while_orders_is_down_cancels_after_the_restart() -> None:
    rig = await working(2)
    await rig.crash()
    rig.risk.halt(risk_pb.Scope(kind=risk_pb.SCOPE_KIND_FIRM))
    await rig.start()
    await asyncio.sleep(1)
    assert await statuses(rig) == [CANCELED] * 2
    await rig.stop()


async def test_a_halt_is_acted_upon_once() -> None:
    rig = await working(1)
    rig.risk.halt(risk_pb.Scope(kind=risk_pb.SCOPE_KIND_FIRM))
    await asyncio.sleep(0.1)
    await rig.crash()
    await rig.start()
    await asyncio.sleep(1)
    assert len(rig.execution.cancels) == 1
    await rig.stop()
