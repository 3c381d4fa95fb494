"""Orders and decisions are read page by page, events as a stream."""

import asyncio
from contextlib import aclosing

import pytest
from grpc import StatusCode
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import order_pb2

from runtime.errors import ServiceError
from services.orders.tests.mothers import limit_order, trade
from services.orders.tests.rig import Rig


async def rig_with_orders(count: int) -> Rig:
    rig = await Rig.started()
    for number in range(count):
        spec = limit_order(f"o-{number}", account=f"ACC-{number % 2}")
        await rig.orders.submit_order(pb.SubmitOrderRequest(order=spec))
    return rig


async def test_orders_are_listed_page_by_page_in_the_order_of_their_acceptance() -> None:
    rig = await rig_with_orders(5)
    names, token = [], ""
    for _ in range(3):
        page = await rig.orders.list_orders(pb.ListOrdersRequest(page_size=2, page_token=token))
        names += [order.spec.client_order_id for order in page.orders]
        token = page.next_page_token
    assert names == [f"o-{n}" for n in range(5)]
    assert token == ""
    await rig.stop()


async def test_filters_leave_out_what_does_not_match() -> None:
    rig = await rig_with_orders(4)
    rig.execution.happen(trade(limit_order("o-0", account="ACC-0"), "x1", 10, cum=10))
    await asyncio.sleep(0.5)

    async def names(**filters: object) -> list[str]:
        request = pb.ListOrdersRequest(**filters)  # type: ignore[arg-type]
        found = await rig.orders.list_orders(request)
        return [order.spec.client_order_id for order in found.orders]

    assert await names(account="ACC-1") == ["o-1", "o-3"]
    assert await names(is_live_only=True) == ["o-1", "o-2", "o-3"]
    assert await names(statuses=[order_pb2.ORDER_STATUS_FILLED]) == ["o-0"]
    assert await names(instrument="BETA.XSIM") == []
    assert await names(strategy_id="nobody") == []
    await rig.stop()


async def test_a_page_token_of_another_query_is_refused() -> None:
    rig = await rig_with_orders(3)
    page = await rig.orders.list_orders(pb.ListOrdersRequest(page_size=1))
    with pytest.raises(ServiceError) as refused:
        await rig.orders.list_orders(
            pb.ListOrdersRequest(account="ACC-1", page_size=1, page_token=page.next_page_token)
        )
    assert refused.value.code is StatusCode.INVALID_ARGUMENT
    assert refused.value.reason == "PAGE_TOKEN_FOREIGN"
    await rig.stop()


async def test_an_id_that_two_accounts_use_needs_the_account() -> None:
    rig = await Rig.started()
    for account in ("ACC-1", "ACC-2"):
        spec = limit_order("same", account=account)
        await rig.orders.submit_order(pb.SubmitOrderRequest(order=spec))
    with pytest.raises(ServiceError) as refused:
        await rig.orders.get_order(pb.GetOrderRequest(client_order_id="same"))
    assert refused.value.reason == "ORDER_AMBIGUOUS"
    found = await rig.orders.get_order(pb.GetOrderRequest(client_order_id="same", account="ACC-2"))
    assert found.order.spec.account == "ACC-2"
    await rig.stop()


async def test_a_watcher_gets_old_events_then_new_ones_without_a_gap() -> None:
    rig = await rig_with_orders(1)
    sequences: list[int] = []
    request = pb.WatchOrderEventsRequest(after_sequence=2)
    async with aclosing(rig.orders.watch_order_events(request)) as stream:
        first = await anext(stream)
        assert (first.is_heartbeat, first.sequence) == (True, 3)
        await rig.orders.submit_order(pb.SubmitOrderRequest(order=limit_order("o-9")))
        async for message in stream:
            sequences.append(message.event.header.sequence)
            if len(sequences) == 4:
                break
    assert sequences == [3, 4, 5, 6]
    await rig.stop()


async def test_a_watcher_of_one_account_sees_only_its_events() -> None:
    rig = await rig_with_orders(4)
    request = pb.WatchOrderEventsRequest(account="ACC-1")
    async with aclosing(rig.orders.watch_order_events(request)) as stream:
        messages = [await anext(stream) for _ in range(8)]
    assert [m.is_heartbeat for m in messages] == [True, *[False] * 6, True]
    assert {m.event.order.spec.account for m in messages[1:7]} == {"ACC-1"}
    assert messages[7].sequence == 12
    await rig.stop()


async def test_a_watch_older_than_a_restart_resumes_from_the_store() -> None:
    rig = await rig_with_orders(2)
    await rig.crash()
    await rig.start()
    sequences: list[int] = []
    request = pb.WatchOrderEventsRequest(after_sequence=0)
    async with aclosing(rig.orders.watch_order_events(request)) as stream:
        async for message in stream:
            if not message.is_heartbeat:
                sequences.append(message.sequence)
            if len(sequences) == 6:
                break
    assert sequences == list(range(1, 7))
    await rig.stop()
