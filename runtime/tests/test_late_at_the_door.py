"""Receiving calls and working on them share one processor: what is not received waits unseen.

All in virtual time. As gRPC has it, calls are received one after the other in the order in which
they came, and the turn of who receives comes after that of all the work under way. So beyond the
knee the line before the door is the long one, and calls are late when they are received.
"""

import asyncio
from collections import Counter, deque
from math import inf

import pytest
from trading.orders.v1 import orders_pb2 as pb
from trading.orders.v1.orders_port import OrderService

from runtime.deadline import until
from runtime.guards import lanes
from runtime.guards.admission import Admission
from runtime.local import Direct
from runtime.rpc import Call, connect
from runtime.tests.test_admission import SUBMIT, outcome
from runtime.tests.test_congestion import SlowDesk

DEADLINE_S = 2.0
RECEIVE_S, STEP_S, STEPS = 0.001, 0.003, 10  # An order takes 30 ms: 33 of them a second.
CAPACITY = 1 / (RECEIVE_S + STEP_S * STEPS)


class Processor:
    """Serves who asks, by turns."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def spend(self, seconds: float) -> None:
        async with self._turn:
            await asyncio.sleep(seconds)


class Desk(OrderService):
    """Ends what it has begun, also when the caller has left meanwhile."""

    def __init__(self, processor: Processor) -> None:
        self._processor = processor
        self._jobs: set[asyncio.Task[None]] = set()

    async def submit_order(
        self, request: pb.SubmitOrderRequest, call: Call = Call()
    ) -> pb.SubmitOrderResponse:
        job = asyncio.ensure_future(self._work())
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        await asyncio.shield(job)
        return pb.SubmitOrderResponse()

    async def _work(self) -> None:
        for _ in range(STEPS):
            await self._processor.spend(STEP_S)


class Door:
    """Receives one call after the other and hands it to the admission of a desk."""

    def __init__(self, line_max: float = inf) -> None:
        self._processor = Processor()
        self._line_max = line_max
        self._desk = connect(OrderService, Admission(Direct([Desk(self._processor)])))
        self._line: deque[tuple[float, float]] = deque()  # When each came, and when it leaves.
        self._handling: set[asyncio.Task[None]] = set()
        self.ends: Counter[str] = Counter()

    async def crowded(self, *, per_s: float, seconds: float, after_s: float) -> None:
        """Let so many come, evenly; count how those ended that came after the first seconds."""
        receiving = asyncio.ensure_future(self._receive(after_s))
        loop = asyncio.get_running_loop()
        for number in range(int(per_s * seconds)):
            await asyncio.sleep(number / per_s - loop.time())
            if len(self._line) < self._line_max:
                self._line.append((loop.time(), loop.time() + DEADLINE_S))
        await asyncio.sleep(DEADLINE_S)
        receiving.cancel()

    async def _receive(self, after_s: float) -> None:
        now_s = asyncio.get_running_loop().time
        while True:
            while self._line and self._line[0][1] <= now_s():
                self._line.popleft()  # It has left.
            if not self._line:
                await asyncio.sleep(RECEIVE_S)
                continue
            await self._processor.spend(RECEIVE_S)
            came_s, leaves_s = self._line.popleft()
            task = asyncio.ensure_future(self._handle(leaves_s, is_noted=came_s >= after_s))
            self._handling.add(task)
            task.add_done_callback(self._handling.discard)

    async def _handle(self, leaves_s: float, *, is_noted: bool) -> None:
        call = Call(leaves_s - asyncio.get_running_loop().time()).started()
        try:
            end = await until(leaves_s, outcome(self._order(call)))
        except TimeoutError:
            end = "LEFT"
        self.ends[end] += is_noted

    async def _order(self, call: Call) -> None:
        await self._desk.submit_order(pb.SubmitOrderRequest(), call)


@pytest.mark.parametrize("times", [2, 3])
async def test_beyond_the_knee_what_is_received_late_is_refused_and_goodput_stays(
    times: int,
) -> None:
    door = Door()
    await door.crowded(per_s=times * CAPACITY, seconds=30, after_s=10)
    assert door.ends["OK"] >= 0.8 * 20 * CAPACITY
    assert door.ends["LEFT"] <= 0.05 * door.ends["OK"]


async def test_were_anything_begun_while_nothing_is_in_flight_all_would_be_done_in_vain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All who come are late, each leaves soon, and the next one finds nothing in flight."""
    monkeypatch.setattr(lanes, "TRIED_EVERY_S", 0.0)
    door = Door()
    await door.crowded(per_s=3 * CAPACITY, seconds=30, after_s=10)
    assert door.ends["OK"] < 0.2 * 20 * CAPACITY


@pytest.mark.parametrize("times", [3, 30])
async def test_with_a_short_line_before_the_door_goodput_stays_whatever_is_asked(
    times: int,
) -> None:
    """Also where more come than could be told that they are refused."""
    door = Door(line_max=16)
    await door.crowded(per_s=times * CAPACITY, seconds=30, after_s=10)
    assert door.ends["OK"] >= 0.95 * 20 * CAPACITY
    if times > 3:
        door = Door()
        await door.crowded(per_s=times * CAPACITY, seconds=30, after_s=10)
        assert door.ends["OK"] < 0.2 * 20 * CAPACITY


async def test_a_lane_that_has_become_fast_is_found_out_by_one_try() -> None:
    desk = SlowDesk(0.5)
    client = connect(OrderService, admission := Admission(Direct([desk])))
    await asyncio.gather(*[client.submit_order(pb.SubmitOrderRequest()) for _ in range(5)])
    desk._work_s = 0.01
    ends = []
    for _ in range(100):
        ends.append(await outcome(client.submit_order(pb.SubmitOrderRequest(), late())))
        await asyncio.sleep(0.01)
    assert set(ends[30:]) == {"OK"}
    assert admission.lanes[SUBMIT.path].took_s == pytest.approx(0.01)


def late() -> Call:
    return Call(0.1).started()
