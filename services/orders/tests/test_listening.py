"""A stream that is silent, or that lost a message, is noticed though it looks healthy."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from runtime.errors import ServiceError
from services.orders.listening import attentive


@dataclass
class Message:
    sequence: int
    is_heartbeat: bool = False


def beat(sequence: int) -> Message:
    return Message(sequence, is_heartbeat=True)


async def stream(*messages: Message, silence_s: float = 0.0) -> AsyncGenerator[Message, None]:
    for message in messages:
        yield message
    await asyncio.sleep(silence_s)


async def heard(*messages: Message, after: int = 0, silence_s: float = 0.0) -> list[int]:
    found = []
    sent = stream(*messages, silence_s=silence_s)
    async for message in attentive(sent, after=after, stream="reports"):
        found.append(message.sequence)
    return found


async def reason_of(*messages: Message, silence_s: float = 0.0) -> str:
    with pytest.raises(ServiceError) as lost:
        await heard(*messages, silence_s=silence_s)
    return lost.value.reason


async def test_a_stream_without_a_gap_is_passed_on_as_it_is() -> None:
    assert await heard(beat(7), Message(3), Message(4), beat(4), after=2) == [7, 3, 4, 4]


async def test_what_comes_twice_is_no_gap() -> None:
    assert await heard(beat(2), Message(1), Message(2), Message(1)) == [2, 1, 2, 1]


async def test_a_message_behind_a_gap_is_not_passed_on() -> None:
    assert await reason_of(beat(3), Message(1), Message(3)) == "STREAM_GAP"


async def test_a_lost_last_message_is_noticed_by_the_next_heartbeat() -> None:
    assert await reason_of(beat(2), Message(1), beat(2)) == "STREAM_GAP"


async def test_three_seconds_without_a_heartbeat_are_too_long() -> None:
    assert await reason_of(beat(0), silence_s=4.0) == "STREAM_SILENT"
