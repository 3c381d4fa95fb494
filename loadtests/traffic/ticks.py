"""TICKS: batches of ticks on one stream, each timed until both its subscribers have arrays."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass

from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1.market_pb2 import TickBatch

from loadtests.traffic.batches import Batches, decode
from loadtests.traffic.callers import FEED
from loadtests.traffic.following import follow
from loadtests.traffic.settling import settle
from runtime.errors import ServiceError
from runtime.load.traffic import Ground, Meter, Remainder, Unit

TICKED = tuple(f"JP{number:02d}.XSIM" for number in range(4))
SUBSCRIBERS = 2
TOGETHER_MAX = 64  # Batches that a subscriber takes in one message.
SERIES = "decoded"
ANSWERED_S = 5.0  # How long the publisher's stream may take to be answered at its end.


@dataclass(slots=True)
class Sent:
    """One batch on its way to the subscribers."""

    intended_s: float
    sent_s: float
    missing: int = SUBSCRIBERS


class Ticks:
    """Publishes as the feed does, on instruments of its own, and watches them twice."""

    def __init__(self, ground: Ground, meter: Meter) -> None:
        plan = ground.plan
        self._instruments = TICKED[plan.part :: plan.parts]
        if not self._instruments:
            raise ValueError(f"parts is {plan.parts}, must be at most {len(TICKED)}: use fewer")
        self._parts = plan.parts
        self._meter, self._now_s = meter, asyncio.get_running_loop().time
        self._marketdata = ground.port(MarketDataService, FEED)
        self._batches = Batches(self._instruments)
        self._outgoing: asyncio.Queue[pb.PublishTicksRequest | None] = asyncio.Queue()
        self._open: dict[tuple[str, int], Sent] = {}
        self._failed: set[tuple[str, int]] = (
            set()
        )  # On their way when the publisher's stream broke.
        self._tasks: list[asyncio.Task[None]] = []
        self._broken: ServiceError | None = None  # What ended the publisher's stream.
        self._published: pb.PublishTicksResponse | None = None
        self._sent = self._doubled = 0

    async def prepare(self) -> None:
        """Open the streams; the subscribers hear what comes from now on."""
        heard = [asyncio.Event() for _ in range(SUBSCRIBERS)]
        self._tasks = [
            asyncio.create_task(self._watch(place, event), name=f"subscriber {place}")
            for place, event in enumerate(heard)
        ]
        for event in heard:
            await event.wait()
        self._tasks.append(asyncio.create_task(self._publish(), name="publisher"))

    async def send(self, number: int, intended_s: float) -> None:
        """Put one batch on the stream."""
        self._send(number, intended_s)

    async def send_together(self, units: Sequence[Unit]) -> None:
        """Put batches on the stream; that takes no task of its own for each."""
        for number, intended_s in units:
            self._send(number, intended_s)

    async def finish(self) -> Remainder:
        """Let the last batches arrive, end the streams, and count what the publisher is told.

        Lost is what the answer does not count. Where there is none in time, that is one more
        thing unresolved: nothing is known then but what has arrived.
        """
        backlog, unresolved = await settle(lambda: len(self._open))
        self._outgoing.put_nowait(None)
        publishing = self._tasks[-1]
        await asyncio.wait([publishing], timeout=ANSWERED_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        if self._published is None:
            is_told = self._broken is not None
            return Remainder(backlog, unresolved + (not is_told), 0, self._doubled)
        lost = max(0, self._sent - self._published.batches)
        return Remainder(backlog, unresolved, lost, self._doubled)

    def _send(self, number: int, intended_s: float) -> None:
        place = number // self._parts % len(self._instruments)
        sent_s = self._now_s()
        if self._broken is not None:
            self._meter.ended(SERIES, intended_s, sent_s, self._broken)
            return
        request = self._batches.next(place)
        batch = request.batch
        self._open[batch.instrument, batch.sequence_first] = Sent(intended_s, sent_s)
        self._sent += 1
        self._outgoing.put_nowait(request)

    async def _publish(self) -> None:
        try:
            self._published = await self._marketdata.publish_ticks(self._requests())
        except ServiceError as error:
            self._broken = error
            for sent in self._open.values():
                self._meter.ended(SERIES, sent.intended_s, sent.sent_s, error)
            self._failed.update(self._open)
            self._open.clear()

    async def _requests(self) -> AsyncIterator[pb.PublishTicksRequest]:
        while (request := await self._outgoing.get()) is not None:
            yield request

    async def _watch(self, subscriber: int, heard: asyncio.Event) -> None:
        def watch(after: int) -> AsyncGenerator[pb.WatchTicksResponse, None]:
            request = pb.WatchTicksRequest(instruments=self._instruments, after_sequence=after)
            request.is_from_now, request.batches_max = not heard.is_set(), TOGETHER_MAX
            return self._marketdata.watch_ticks(request)

        streams = {name: f"ticks {name} {subscriber}" for name in self._instruments}
        async for message in follow(watch):
            heard.set()
            if not message.is_heartbeat:
                for batch in (message.batch, *message.more):
                    self._take(batch, streams[batch.instrument])

    def _take(self, batch: TickBatch, stream: str) -> None:
        decode(batch)
        number = self._batches.number(batch)
        if number < 0:
            return  # An earlier run was cut off with it on its way.
        sent = self._open.get((batch.instrument, batch.sequence_first))
        age_s = None if sent is None else self._now_s() - sent.intended_s
        self._meter.delivered(stream, number, age_s)
        if sent is None:
            self._doubled += (batch.instrument, batch.sequence_first) not in self._failed
            return
        sent.missing -= 1
        if sent.missing == 0:
            del self._open[batch.instrument, batch.sequence_first]
            self._meter.ended(SERIES, sent.intended_s, sent.sent_s)
