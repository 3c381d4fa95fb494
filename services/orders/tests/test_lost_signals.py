"""A signal that the stream lost is found at its source."""

import asyncio

from trading.orders.v1 import orders_pb2 as pb
from trading.types.v1 import risk_pb2
from trading.types.v1.signal_pb2 import Signal

from runtime.times import to_timestamp
from services.orders.tests.mothers import START_NS, open_signal
from services.orders.tests.rig import Rig


def numbered(number: int) -> Signal:
    signal = open_signal(number)
    header = signal.header
    header.sequence, header.source, header.event_id = number, "strategy", signal.signal_id
    header.occurred_at.CopyFrom(to_timestamp(START_NS))
    return signal


async def decided(rig: Rig) -> list[int]:
    listed = await rig.orders.list_signal_decisions(pb.ListSignalDecisionsRequest())
    return sorted(decision.sequence for decision in listed.decisions)


async def test_a_gap_in_the_sequences_is_filled_from_the_source_at_once() -> None:
    rig = await Rig.started()
    await asyncio.sleep(3)  # The look that follows every start is over.
    rig.strategy.published = [numbered(1), numbered(2)]
    rig.skip_signal()
    await rig.publish(numbered(2))
    await asyncio.sleep(4)
    assert await decided(rig) == [1, 2]
    assert len(rig.execution.starts) == 2
    await rig.stop()


async def test_a_lost_stream_loses_no_signal() -> None:
    rig = await Rig.started()
    await rig.publish(numbered(1))
    await asyncio.sleep(0.5)
    rig.strategy.published = [numbered(1), numbered(2)]
    await rig.redis.delete(rig.streams.source_key("signals"))
    await asyncio.sleep(31)
    assert await decided(rig) == [1, 2]
    assert len(rig.execution.starts) == 2
    await rig.stop()


async def test_what_cannot_be_read_alarms_as_a_dead_letter() -> None:
    rig = await Rig.started()
    await rig.publish_garbage()
    await asyncio.sleep(20)
    (alarm,) = await rig.alarms()
    assert alarm.severity == risk_pb2.SEVERITY_CRITICAL
    assert "dead letter" in alarm.observed
    await rig.stop()
