"""What a run of ticks counts as lost, unresolved or failed, by what the publisher was told."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1.market_pb2 import TickBatch

from loadtests.traffic import ticks
from runtime.errors import ServiceError
from runtime.load.meter import Notes
from runtime.load.plan import Gate, Plan, Profile, Target
from runtime.load.traffic import Remainder, Unit

OF = Profile("TICKS", "a batch", 100.0, (Gate(ticks.SERIES, 50.0),), "ticks:Ticks")
SENT = 8


class Feed:
    """Market data that shows every batch, and says of them at the end what it is told to say."""

    def __init__(
        self, answer: pb.PublishTicksResponse | ServiceError | None, *, left_over: int = 0
    ) -> None:
        self.plan = Plan(OF, Target({}))
        self._answer, self._left_over = answer, left_over  # Of a run before, shown to watchers.
        self._watchers: list[asyncio.Queue[pb.WatchTicksResponse]] = []

    def port(self, port: type[Any], caller: str) -> Any:
        return self

    async def publish_ticks(
        self, requests: AsyncIterator[pb.PublishTicksRequest]
    ) -> pb.PublishTicksResponse:
        sequence = 0
        async for request in requests:
            sequence += 1
            if isinstance(self._answer, ServiceError) and sequence > SENT // 2:
                raise self._answer
            for watcher in self._watchers:
                watcher.put_nowait(pb.WatchTicksResponse(sequence=sequence, batch=request.batch))
        if not isinstance(self._answer, pb.PublishTicksResponse):
            await asyncio.Event().wait()
            raise AssertionError("nobody answers")
        return self._answer

    async def watch_ticks(
        self, request: pb.WatchTicksRequest
    ) -> AsyncGenerator[pb.WatchTicksResponse, None]:
        watcher: asyncio.Queue[pb.WatchTicksResponse] = asyncio.Queue()
        self._watchers.append(watcher)
        yield pb.WatchTicksResponse(is_heartbeat=True)
        for number in range(self._left_over):
            old = TickBatch(instrument=request.instruments[0], sequence_first=1 + number)
            yield pb.WatchTicksResponse(sequence=1 + number, batch=old)
        while True:
            yield await watcher.get()


async def run(feed: Feed) -> tuple[Remainder, list[int]]:
    """Send eight batches; return what is left of them, and how each ended."""
    notes = Notes(asyncio.get_running_loop().time)
    traffic = ticks.Ticks(feed, notes)
    await traffic.prepare()
    due_s = asyncio.get_running_loop().time()
    await traffic.send_together([Unit(n, due_s) for n in range(SENT)])
    left = await traffic.finish()
    return left, notes.units()[ticks.SERIES].codes.tolist()


async def test_what_the_answer_counts_is_not_lost() -> None:
    left, codes = await run(Feed(pb.PublishTicksResponse(batches=SENT)))
    assert (left.unresolved, left.lost, left.doubled, codes) == (0, 0, 0, [0] * SENT)


async def test_what_the_answer_does_not_count_is_lost() -> None:
    left, _ = await run(Feed(pb.PublishTicksResponse(batches=SENT - 3)))
    assert (left.unresolved, left.lost) == (0, 3)


async def test_a_publisher_that_is_not_answered_in_time_has_lost_nothing_that_arrived(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ticks, "ANSWERED_S", 0.05)
    left, codes = await run(Feed(None))
    assert (left.unresolved, left.lost, left.doubled, codes) == (1, 0, 0, [0] * SENT)


async def test_what_was_on_its_way_when_the_stream_broke_has_failed_once() -> None:
    left, codes = await run(Feed(ServiceError(StatusCode.UNAVAILABLE, "away")))
    assert codes == [StatusCode.UNAVAILABLE.value[0]] * SENT  # Half of them arrived since.
    assert (left.unresolved, left.lost, left.doubled) == (0, 0, 0)


async def test_what_an_earlier_run_left_on_its_way_is_not_counted_in_this_one() -> None:
    left, codes = await run(Feed(pb.PublishTicksResponse(batches=SENT), left_over=2))
    assert (left.lost, left.doubled, codes) == (0, 0, [0] * SENT)
