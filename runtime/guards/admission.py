"""Lets in only as many calls as can be answered in time, and tells the others at once (L4).

    (span ->) admission -> validate -> authorize -> deadline -> ...

Each method has a bound of its own from the load that its contract states, so that one method
cannot starve the others, and from the pace at which its calls end, so that all that is let in ends
in time (`lanes.py`). A call that finds no place waits a moment for one, if one may come free, then
is refused RESOURCE_EXHAUSTED before anything was done. Urgent methods are never refused.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from grpc import StatusCode

from runtime.errors import ErrorInfo, RetryInfo, ServiceError
from runtime.guards.lanes import DEFAULT_ADMISSION, AdmissionSettings, Lane
from runtime.limits import DRAIN_S, RETRY_AFTER_S
from runtime.measurements import Measurements
from runtime.rpc import Call, Method, Transport
from runtime.single import Answer, Messages, one


class Admission:
    """Stands before the guards of a process, and counts what is in flight there."""

    def __init__(
        self,
        inner: Transport,
        settings: AdmissionSettings = DEFAULT_ADMISSION,
        measurements: Measurements | None = None,
    ) -> None:
        """Let calls through to `inner`; `measurements` count those that are refused here."""
        self.settings = settings
        self._counts = Measurements() if measurements is None else measurements
        self.lanes: dict[str, Lane] = {}  # By path.
        self.in_flight = 0  # Calls; urgent ones as well.
        self.streams = 0
        self.waiting = 0
        self._inner = inner
        self._queue: dict[Lane, None] = {}  # Lanes where somebody waits, whose turn is next first.
        self._quiet = asyncio.Event()  # Nobody is in flight, and nobody waits.
        self._quiet.set()

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on when there is a place for it."""
        if method.streams_responses:
            if method.policy.deadline_s is None:
                return self._endless(method, requests, call)
            return self._stream(method, requests, call)
        return Answer(self._unary(method, requests, call))

    async def quiet(self, within_s: float = DRAIN_S) -> None:
        """Return when no call is in flight any more, or when that takes longer than it may.

        So a service can be ended between calls. Streams that never end do not count.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._quiet.wait()

    async def _unary(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Message:
        lane = self.lanes.get(method.path) or self._lane(method)
        time = asyncio.get_running_loop().time
        began_s = time()
        if not self._finds_place(method, lane, call, began_s):
            await self._wait_for_place(method, lane)
            began_s = time()
        among, has_ended = lane.in_flight, False
        is_try = lane.begin(began_s)
        try:
            answer = await one(self._inner.call(method, requests, call))
            has_ended = True
            return answer
        except ServiceError as error:
            has_ended = error.definite
            raise
        finally:
            took_s = time() - began_s
            lane.learn(took_s, among=among, has_ended=has_ended, is_try=is_try)
            self._leave(lane)

    async def _stream(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        lane = self.lanes.get(method.path) or self._lane(method)
        now_s = asyncio.get_running_loop().time()
        if not self._finds_place(method, lane, call, now_s):
            await self._wait_for_place(method, lane)
        try:
            async with aclosing(self._inner.call(method, requests, call)) as answers:
                async for answer in answers:
                    yield answer
        finally:
            self._leave(lane)

    async def _endless(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> Messages:
        lane = self.lanes.get(method.path) or self._lane(method)
        if self.streams >= self.settings.streams and not method.policy.urgent:
            raise self._refused(lane, method, f"{self.streams} streams are open")
        self.streams += 1
        lane.in_flight += 1
        lane.admitted += 1
        try:
            async with aclosing(self._inner.call(method, requests, call)) as answers:
                async for answer in answers:
                    yield answer
        finally:
            self.streams -= 1
            lane.in_flight -= 1

    def _lane(self, method: Method) -> Lane:
        return self.lanes.setdefault(method.path, self.settings.lane_of(method))

    def _finds_place(self, method: Method, lane: Lane, call: Call, now_s: float) -> bool:
        """Take a place for a call if one is free. Raises RESOURCE_EXHAUSTED if that is in vain."""
        if not method.policy.urgent:
            left_s = call.timeout_s if call.deadline_s is None else call.deadline_s - now_s
            if left_s and left_s > 0 and lane.is_hopeless(left_s, now_s):
                ms = round(left_s * 1000)
                raise self._refused(lane, method, f"an answer would come later than in {ms} ms")
            if lane.waiting or not self._has_place(lane):
                return False
        self._take_place(lane)
        return True

    async def _wait_for_place(self, method: Method, lane: Lane) -> None:
        """Wait a moment until a place comes free. Raises RESOURCE_EXHAUSTED if none does."""
        if self.waiting >= self.settings.waiting:
            raise self._refused(lane, method, f"{self.waiting} calls wait already")
        wait_ms = round(self.settings.wait_s * 1000)
        if lane.pace_s * (len(lane.waiting) + 1) > self.settings.wait_s:
            raise self._refused(lane, method, f"no place will come free in {wait_ms} ms")
        if not await self._is_let_in(lane):
            raise self._refused(lane, method, f"no place came free in {wait_ms} ms")

    def _refused(self, lane: Lane, method: Method, why: str) -> ServiceError:
        error = _refusal(lane, method, why)
        self._counts.refuse(method, error.code.name, error.reason)
        return error

    def _has_place(self, lane: Lane) -> bool:
        return lane.in_flight < lane.room and self.in_flight < self.settings.ordinary_slots

    def _take_place(self, lane: Lane) -> None:
        lane.admitted += 1
        lane.in_flight += 1
        self.in_flight += 1
        self._quiet.clear()

    def _leave(self, lane: Lane) -> None:
        lane.in_flight -= 1
        self.in_flight -= 1
        while self._queue and self._let_in():
            pass
        self._look_whether_quiet()

    def _look_whether_quiet(self) -> None:
        if not self.in_flight and not self.waiting:
            self._quiet.set()

    async def _is_let_in(self, lane: Lane) -> bool:
        """Wait for a place; whoever gives one has taken it for the waiting call already."""
        loop = asyncio.get_running_loop()
        place: asyncio.Future[bool] = loop.create_future()
        lane.waiting[place] = None
        lane.waited += 1
        self._queue.setdefault(lane)
        self.waiting += 1
        self._quiet.clear()
        timer = loop.call_later(self.settings.wait_s, _give_up, place)
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.result():
                self._leave(lane)  # It was let in the moment it left.
            raise
        finally:
            timer.cancel()
            self.waiting -= 1
            lane.waiting.pop(place, None)
            if not lane.waiting:
                self._queue.pop(lane, None)
            self._look_whether_quiet()

    def _let_in(self) -> bool:
        """Give a place that is free to the method whose turn it is; False: no lane has room."""
        for lane in self._queue:
            if self._has_place(lane) and lane.waiting:
                break
        else:
            return False
        place = next(iter(lane.waiting))
        del lane.waiting[place], self._queue[lane]
        if lane.waiting:
            self._queue[lane] = None  # At the end of the line.
        if not place.done():  # Else it has just given up: the next one.
            self._take_place(lane)
            place.set_result(True)
        return True


def _give_up(place: "asyncio.Future[bool]") -> None:
    if not place.done():
        place.set_result(False)


def _refusal(lane: Lane, method: Method, why: str) -> ServiceError:
    lane.refused += 1
    return ServiceError(
        StatusCode.RESOURCE_EXHAUSTED,
        f"{why}, {lane.in_flight} calls of {lane.path} are in flight (at most {lane.room}): "
        f"nothing was done; call again in {RETRY_AFTER_S} s",
        (
            ErrorInfo(reason="TOO_MANY_IN_FLIGHT", domain=f"plimsoll.{method.service}"),
            RetryInfo(retry_delay=Duration(nanos=int(RETRY_AFTER_S * 1e9))),
        ),
    )
