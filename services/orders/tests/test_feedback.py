"""Risk, strategy and portfolio hear of every order event, in order, each at its own pace."""

import asyncio
from typing import Any

from grpc import StatusCode
from trading.orders.v1 import orders_pb2 as pb
from trading.risk.v1 import risk_pb2 as risk_pb
from trading.types.v1 import risk_pb2
from trading.types.v1.event_pb2 import OrderEvent

from runtime.errors import ServiceError
from runtime.stores.simulated_redis import SimulatedRedis
from services.orders.tests.mothers import limit_order
from services.orders.tests.rig import Rig
from services.orders.tests.scripted import Away


async def submit(rig: Rig, *numbers: int) -> None:
    for number in numbers:
        spec = limit_order(f"o-{number}")
        await rig.orders.submit_order(pb.SubmitOrderRequest(order=spec))


async def test_every_subscriber_gets_every_event_once_and_in_order() -> None:
    rig = await Rig.started()
    await submit(rig, 1, 2, 3)
    await asyncio.sleep(1)
    for told in (rig.risk.told, rig.strategy.told, rig.portfolio.told):
        assert [e.header.sequence for e in told.events] == list(range(1, 10))
    assert len({e.header.event_id for e in rig.risk.told.events}) == 9
    await rig.stop()


async def test_a_failing_subscriber_delays_only_itself() -> None:
    rig = await Rig.started()
    rig.strategy.told.failures = [Away] * 12
    await submit(rig, 1, 2)
    await asyncio.sleep(1)
    assert len(rig.risk.told.events) == len(rig.portfolio.told.events) == 6
    assert rig.strategy.told.events == []
    await asyncio.sleep(60)
    assert len(rig.strategy.told.events) == 6
    await rig.stop()


async def test_the_cursor_moves_only_when_the_subscriber_has_the_events() -> None:
    """A crash while the subscriber refuses must not lose what it never took."""
    rig = await Rig.started()
    rig.portfolio.told.failures = [Away] * 1_000
    await submit(rig, 1)
    await asyncio.sleep(1)
    await rig.crash()
    rig.portfolio.told.failures = []
    await rig.start()
    await asyncio.sleep(1)
    assert [e.header.sequence for e in rig.portfolio.told.events] == [1, 2, 3]
    await rig.stop()


async def test_a_subscriber_that_forgot_is_told_again_from_where_it_stands() -> None:
    rig = await Rig.started()
    await submit(rig, 1)
    await asyncio.sleep(1)
    rig.risk.told.events.clear()
    rig.risk.told.last_sequence = 0
    await submit(rig, 2)
    await asyncio.sleep(1)
    assert [e.header.sequence for e in rig.risk.told.events] == list(range(1, 7))
    await rig.stop()


async def test_a_subscriber_that_asks_for_the_same_again_and_again_is_not_flooded() -> None:
    rig = await Rig.started()
    error = ServiceError(StatusCode.ABORTED, "odd")
    rig.risk.told.failures = [error] * 1_000
    await submit(rig, 1)
    await asyncio.sleep(10)
    assert len(rig.risk.told.failures) > 950
    await rig.stop()


async def test_events_of_one_moment_go_out_in_one_call() -> None:
    rig = await Rig.started()
    await asyncio.gather(*(submit(rig, n) for n in range(20)))
    await asyncio.sleep(1)
    assert len(rig.risk.told.events) == 60
    assert len(rig.risk.told.batches) < 20
    await rig.stop()


async def test_a_steady_flow_goes_out_in_few_calls() -> None:
    rig = await Rig.started()
    for number in range(200):
        await submit(rig, number)
        await asyncio.sleep(0.002)
    await asyncio.sleep(1)
    assert len(rig.risk.told.events) == 600
    assert len(rig.risk.told.batches) <= 30  # Of 0.4 s, one every 20 ms.
    await rig.stop()


async def test_a_long_backlog_goes_out_in_batches_of_at_most_256() -> None:
    rig = await Rig.started()
    rig.strategy.told.failures = [Away] * 6
    await asyncio.gather(*(submit(rig, n) for n in range(100)))
    await asyncio.sleep(30)
    assert sum(rig.strategy.told.batches) == 300
    assert max(rig.strategy.told.batches) == 256
    await rig.stop()


async def test_events_are_published_on_the_stream_in_order() -> None:
    rig = await Rig.started()
    await submit(rig, 1, 2)
    await asyncio.sleep(1)
    entries: Any = await SimulatedRedis(rig.redis_server).xrange(rig.streams.key("order_events"))
    events = [OrderEvent.FromString(fields[b"payload"]) for _, fields in entries]
    assert [e.header.sequence for e in events] == list(range(1, 7))
    assert events == list(rig.risk.told.events)
    await rig.stop()


async def test_a_lag_of_five_seconds_is_a_warning_that_others_see() -> None:
    rig = await Rig.started()
    rig.strategy.told.failures = [Away] * 1_000
    await submit(rig, 1)
    await asyncio.sleep(15)
    (alarm,) = await rig.alarms()
    assert alarm.severity == risk_pb2.SEVERITY_WARNING
    assert alarm.kind == risk_pb2.RISK_EVENT_KIND_FEED_STALE
    await asyncio.sleep(60)
    assert rig.risk.modes_set == []
    await rig.stop()


async def test_an_account_may_only_reduce_once_the_ledger_is_half_a_minute_behind() -> None:
    rig = await Rig.started()
    rig.portfolio.told.failures = [Away] * 1_000
    await submit(rig, 1)
    await asyncio.sleep(25)
    assert rig.risk.modes_set == []
    await asyncio.sleep(30)
    (request,) = rig.risk.modes_set
    assert request.scope == risk_pb.Scope(kind=risk_pb.SCOPE_KIND_ACCOUNT, id="ACC-1")
    assert request.mode == risk_pb.TRADING_MODE_REDUCE_ONLY
    await rig.stop()


async def test_who_is_told_at_once_has_no_lag_however_long_there_is_something_to_tell() -> None:
    """One call that fails after half a minute of steady orders must not stop anybody's trading."""
    rig = await Rig.started()

    async def later(number: int) -> None:
        await asyncio.sleep(number * 0.015)
        if number == 2_100:
            rig.portfolio.told.failures = [Away] * 3  # One call and its repeats.
        await submit(rig, number)

    await asyncio.gather(*map(later, range(2_150)))
    await asyncio.sleep(1)
    assert rig.portfolio.told.failures == []
    assert await rig.alarms() == []
    assert rig.risk.modes_set == []
    await rig.stop()
