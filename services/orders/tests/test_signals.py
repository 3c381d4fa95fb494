"""Each published signal is decided once: into an order, or into a reason why there is none."""

import asyncio
from typing import Any

import pytest
from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import order_pb2, risk_pb2, signal_pb2
from trading.types.v1.event_pb2 import EventHeader

from runtime.stores import Entry
from runtime.stores.simulated_redis import SimulatedRedis
from runtime.times import NS_PER_S, to_timestamp
from services.orders.tests.mothers import START_NS, dec, open_signal, trade
from services.orders.tests.rig import Rig
from services.orders.tests.scripted import lose_request

CLOSE = signal_pb2.SIGNAL_ACTION_CLOSE


async def decisions(rig: Rig) -> list[pb.SignalDecision]:
    found = await rig.service.list_signal_decisions(pb.ListSignalDecisionsRequest())
    return list(found.decisions)


async def test_a_signal_becomes_an_order_that_follows_from_it() -> None:
    rig = await Rig.started()
    signal = open_signal()
    await rig.publish(signal)
    await asyncio.sleep(1)
    (start,) = rig.execution.starts
    order = start.order
    assert order.client_order_id == f"sg-{signal.signal_id.replace('-', '')}"
    assert order.side == order_pb2.SIDE_BUY
    assert order.type == order_pb2.ORDER_TYPE_MARKET
    assert order.quantity.value == "30"
    assert (order.signal_id, order.strategy_id) == (signal.signal_id, signal.strategy_id)
    (decision,) = await decisions(rig)
    assert decision.outcome == pb.SIGNAL_OUTCOME_ORDERED
    assert (decision.signal_id, decision.sequence) == (signal.signal_id, 1)
    assert decision.client_order_id == order.client_order_id
    assert not rig.is_busy()
    assert rig.environment.progress.read["signals"] == 1
    await rig.stop()


async def test_the_protective_stop_is_rounded_toward_the_entry_and_watched_by_the_strategy() -> (
    None
):
    rig = await Rig.started()
    await rig.publish(open_signal())
    await asyncio.sleep(1)
    protection = rig.execution.starts[0].order.protection
    assert protection.stop_price.value == "95.01"
    assert protection.mode == order_pb2.PROTECTION_MODE_SUPERVISED
    await rig.stop()


async def test_a_signal_delivered_twice_makes_one_order() -> None:
    rig = await Rig.started()
    await rig.publish(open_signal(), times=3)
    await asyncio.sleep(1)
    assert len(rig.execution.starts) == 1
    assert len(await decisions(rig)) == 1
    await rig.stop()


async def test_a_signal_delivered_to_two_workers_makes_one_order() -> None:
    """Both have asked risk before either of them commits."""
    rig = await Rig.started()
    rig.risk.delay_s = 0.1
    signal = open_signal()
    await rig.publish(signal)
    await asyncio.sleep(0.05)
    entry = Entry(
        entry_id="0-1",
        event_id=signal.signal_id,
        type="",
        key="",
        sequence=1,
        payload=signal.SerializeToString(),
        traceparent="",
    )
    await rig.service._workers.signals.handle([entry])
    await asyncio.sleep(1)
    assert len(rig.risk.signals) == 2
    assert len(rig.execution.starts) == 1
    assert len(await decisions(rig)) == 1
    await rig.stop()


async def test_a_signal_is_not_decided_before_it_was_made_though_its_clock_is_ahead() -> None:
    rig = await Rig.started()
    signal, made_at = open_signal(), to_timestamp(START_NS + 5 * NS_PER_S)
    signal.header.MergeFrom(
        EventHeader(event_id=signal.signal_id, sequence=1, source="strategy", occurred_at=made_at)
    )
    await rig.publish(signal)
    await asyncio.sleep(1)
    (decision,) = await decisions(rig)
    assert decision.decided_at == made_at
    await rig.stop()


async def test_a_risk_rejection_decides_the_signal_with_its_codes() -> None:
    rig = await Rig.started()
    rig.risk.rejections = [risk_pb2.RISK_REASON_STRATEGY_NOT_RUNNING]
    await rig.publish(open_signal())
    await asyncio.sleep(1)
    (decision,) = await decisions(rig)
    assert decision.outcome == pb.SIGNAL_OUTCOME_REJECTED
    assert list(decision.codes) == ["STRATEGY_NOT_RUNNING"]
    assert rig.execution.starts == []
    await rig.stop()


async def test_a_risk_outage_expires_the_signal_and_sends_no_order() -> None:
    rig = await Rig.started()
    rig.risk.is_away = True
    await rig.publish(open_signal())
    await asyncio.sleep(50)
    assert await decisions(rig) == []
    assert rig.is_busy() or rig.environment.progress.read["signals"] == 0
    await asyncio.sleep(30)
    (decision,) = await decisions(rig)
    assert decision.outcome == pb.SIGNAL_OUTCOME_EXPIRED
    assert list(decision.codes) in (["RISK_UNAVAILABLE"], ["SIGNAL_EXPIRED"])
    assert rig.execution.starts == []
    await rig.stop()


async def test_a_short_risk_outage_only_delays_the_order() -> None:
    rig = await Rig.started()
    rig.risk.is_away = True
    await rig.publish(open_signal())
    await asyncio.sleep(10)
    rig.risk.is_away = False
    await asyncio.sleep(10)
    assert len(rig.execution.starts) == 1
    await rig.stop()


async def test_an_outage_after_the_signal_became_an_order_rejects_the_order_in_its_time() -> None:
    rig = await Rig.started()
    validate = rig.risk.validate_order

    async def away(request: object, call: object = None) -> object:
        rig.risk.is_away = True
        return await validate(request)  # type: ignore[arg-type]

    rig.risk.validate_order = away  # type: ignore[assignment,method-assign]
    await rig.publish(open_signal())
    await asyncio.sleep(90)
    listed = await rig.orders.list_orders(pb.ListOrdersRequest())
    (order,) = listed.orders
    assert order.status == order_pb2.ORDER_STATUS_REJECTED
    assert list(order.reject.codes) == ["RISK_UNAVAILABLE"]
    assert rig.execution.starts == []
    await rig.stop()


async def test_an_expired_signal_is_decided_without_asking_anybody() -> None:
    rig = await Rig.started()
    await rig.publish(open_signal(valid_until=to_timestamp(START_NS - NS_PER_S)))
    await asyncio.sleep(1)
    (decision,) = await decisions(rig)
    assert decision.outcome == pb.SIGNAL_OUTCOME_EXPIRED
    assert list(decision.codes) == ["SIGNAL_EXPIRED"]
    assert rig.risk.signals == []
    await rig.stop()


@pytest.mark.parametrize(
    ("sizing", "quantity"),
    [
        pytest.param(signal_pb2.Sizing(quantity=dec("7.5")), "7", id="quantity"),
        pytest.param(signal_pb2.Sizing(risk_share=dec("0.001")), "20", id="risk-share"),
        pytest.param(signal_pb2.Sizing(target_position=dec("5000")), "1000", id="capped"),
    ],
)
async def test_the_size_is_on_lot_and_within_what_risk_lets_pass(
    sizing: signal_pb2.Sizing, quantity: str
) -> None:
    rig = await Rig.started()
    await rig.publish(open_signal(sizing=sizing))
    await asyncio.sleep(1)
    assert rig.execution.starts[0].order.quantity.value == quantity
    await rig.stop()


async def test_a_size_below_a_lot_is_ignored_with_its_reason() -> None:
    rig = await Rig.started()
    await rig.publish(open_signal(sizing=signal_pb2.Sizing(quantity=dec("0.4"))))
    await asyncio.sleep(1)
    (decision,) = await decisions(rig)
    assert decision.outcome == pb.SIGNAL_OUTCOME_IGNORED
    assert list(decision.codes) == ["SIZE_BELOW_MINIMUM"]
    await rig.stop()


async def test_a_reversal_sells_short_through_zero() -> None:
    rig = await Rig.started()
    rig.risk.answer.position.value = "30"
    await rig.publish(open_signal(direction=signal_pb2.DIRECTION_SHORT))
    await asyncio.sleep(1)
    order = rig.execution.starts[0].order
    assert (order.side, order.quantity.value) == (order_pb2.SIDE_SELL_SHORT, "60")
    await rig.stop()


async def test_a_close_is_a_reduce_only_order_for_the_whole_position() -> None:
    rig = await Rig.started()
    rig.risk.answer.position.value = "30"
    rig.risk.answer.max_quantity.value = "0"
    await rig.publish(open_signal(action=CLOSE, direction=signal_pb2.DIRECTION_NONE, sizing=None))
    await asyncio.sleep(1)
    order = rig.execution.starts[0].order
    assert (order.side, order.quantity.value) == (order_pb2.SIDE_SELL, "30")
    assert order.reduce_only
    assert not order.HasField("protection")
    await rig.stop()


async def test_closing_nothing_is_ignored() -> None:
    rig = await Rig.started()
    await rig.publish(open_signal(action=CLOSE, direction=signal_pb2.DIRECTION_NONE, sizing=None))
    await asyncio.sleep(1)
    assert (await decisions(rig))[0].outcome == pb.SIGNAL_OUTCOME_IGNORED
    await rig.stop()


async def test_a_moved_stop_that_the_strategy_watches_is_recorded_only() -> None:
    rig = await Rig.started()
    await rig.publish(open_signal(action=signal_pb2.SIGNAL_ACTION_ADJUST_STOP))
    await asyncio.sleep(1)
    (decision,) = await decisions(rig)
    assert decision.outcome == pb.SIGNAL_OUTCOME_RECORDED
    assert (rig.risk.signals, rig.execution.starts) == ([], [])
    await rig.stop()


async def test_an_unreadable_signal_is_buried_and_does_not_hold_up_the_next() -> None:
    rig = await Rig.started()
    redis = SimulatedRedis(rig.redis_server)
    junk: dict[Any, Any] = {"event_id": "e0", "type": "t", "key": "k", "sequence": "1"}
    await redis.xadd(
        rig.streams.source_key("signals"), junk | {"payload": b"\xff", "traceparent": ""}
    )
    rig._signals = 1
    await rig.publish(open_signal())
    await asyncio.sleep(60)
    assert len(rig.execution.starts) == 1
    assert rig.environment.progress.read["signals"] == 2
    await rig.stop()


async def test_a_signals_order_in_doubt_is_not_resent_after_the_signal_expired() -> None:
    rig = await Rig.started()
    rig.execution.scripts = [lose_request]
    rig.execution.is_deaf = True
    await rig.publish(open_signal())
    await asyncio.sleep(70)
    rig.execution.is_deaf = False
    await asyncio.sleep(10)
    (order,) = (await rig.orders.list_orders(pb.ListOrdersRequest())).orders
    assert order.status == order_pb2.ORDER_STATUS_REJECTED
    assert list(order.reject.codes) == ["NOT_ACCEPTED"]
    assert len(rig.execution.starts) == 1
    await rig.stop()


async def test_a_lost_commit_answer_leaves_one_driven_order() -> None:
    rig = await Rig.started()
    rig.database.faults.answers_to_lose = 1
    await rig.publish(open_signal())
    await asyncio.sleep(5)
    (start,) = rig.execution.starts
    assert len(await decisions(rig)) == 1
    rig.execution.happen(trade(start.order, "x1", 30, cum=30))
    await asyncio.sleep(1)
    assert [e.header.sequence for e in rig.risk.told.events] == [1, 2, 3, 4]
    assert not rig.is_busy()
    await rig.stop()


async def test_signals_of_many_instruments_are_all_decided() -> None:
    rig = await Rig.started()
    await rig.publish(*(open_signal(n, strategy_id=f"s{n % 7}") for n in range(1, 60)))
    await asyncio.sleep(5)
    assert len(rig.execution.starts) == 59
    assert rig.environment.progress.read["signals"] == 59
    await rig.stop()
