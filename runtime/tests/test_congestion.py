"""More is asked than can be done: what is let in ends in time, and as much as ever gets done.

All in virtual time: a desk that does one order after the other, however many it was given, and a
crowd that sends three times what it can do, evenly, and gives up after its contract's two seconds.
"""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from grpc import StatusCode
from trading.orders.v1 import orders_pb2 as pb
from trading.orders.v1.orders_port import OrderService
from trading.risk.v1 import risk_pb2
from trading.risk.v1.risk_port import RiskService

from runtime.errors import ServiceError
from runtime.guards.admission import Admission
from runtime.guards.lanes import TRIED_EVERY_S, AdmissionSettings, Lane
from runtime.local import Direct, LocalTransport
from runtime.rpc import Call, Port, connect, methods
from runtime.tests.test_admission import outcome

SUBMIT = next(m for m in methods(OrderService) if m.name == "submit_order")
VALIDATE = next(m for m in methods(RiskService) if m.name == "validate_order")
DEADLINE_S = 2.0
SLOWLY_S = 0.03  # 33 orders a second: 80 of them, as many as the contract allows, take 2.4 s.


class SlowDesk(OrderService):
    """Does its work one by one, also when the caller has left meanwhile."""

    def __init__(self, work_s: float) -> None:
        self._work_s = work_s
        self._free_at_s = 0.0

    async def submit_order(
        self, request: pb.SubmitOrderRequest, call: Call = Call()
    ) -> pb.SubmitOrderResponse:
        now_s = asyncio.get_running_loop().time()
        self._free_at_s = max(now_s, self._free_at_s) + self._work_s
        await asyncio.sleep(self._free_at_s - now_s)
        return pb.SubmitOrderResponse()

    async def cancel_order(
        self, request: pb.CancelOrderRequest, call: Call = Call()
    ) -> pb.CancelOrderResponse:
        return pb.CancelOrderResponse()


class SlowRisk(RiskService):
    """Validates as slowly."""

    def __init__(self, work_s: float) -> None:
        self._desk = SlowDesk(work_s)

    async def validate_order(
        self, request: risk_pb2.ValidateOrderRequest, call: Call = Call()
    ) -> risk_pb2.ValidateOrderResponse:
        await self._desk.submit_order(pb.SubmitOrderRequest(), call)
        return risk_pb2.ValidateOrderResponse()


@dataclass
class Crowd:
    """What became of what a crowd asked for, but for the first seconds."""

    ends: list[str] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)  # Of those answered.
    refused_s: list[float] = field(default_factory=list)  # Of those refused.
    cancels: list[str] = field(default_factory=list)

    async def come(self, desk: OrderService, *, per_s: float, seconds: float, after: float) -> None:
        """Send orders evenly, and a cancel a second; note all but those sent before `after`."""
        begin_s = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for number in range(int(per_s * seconds)):
                await asyncio.sleep(begin_s + number / per_s - asyncio.get_running_loop().time())
                group.create_task(self._order(desk, is_noted=number / per_s >= after))
                if number % per_s == 0:
                    group.create_task(self._cancel(desk))

    async def _order(self, desk: OrderService, *, is_noted: bool) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        end = await outcome(desk.submit_order(pb.SubmitOrderRequest(), Call(DEADLINE_S)))
        if is_noted:
            self.ends.append(end)
            (self.took_s if end == "OK" else self.refused_s).append(loop.time() - began_s)

    async def _cancel(self, desk: OrderService) -> None:
        self.cancels.append(await outcome(desk.cancel_order(pb.CancelOrderRequest())))


async def crowded(work_s: float, settings: AdmissionSettings, *, per_s: float) -> Crowd:
    way = LocalTransport([SlowDesk(work_s)], lambda ports: Admission(Direct(ports), settings))
    crowd = Crowd()
    desk = connect(OrderService, way)
    await crowd.come(desk, per_s=per_s, seconds=12.0, after=2.0)
    return crowd


async def test_at_three_times_the_capacity_as_much_gets_done_and_in_time() -> None:
    """Noted are ten seconds, in which 333 orders can be done; four fifths must be.

    An order's contract says 100 ms, so it is given four times that, and a moment to find a place.
    """
    crowd = await crowded(SLOWLY_S, AdmissionSettings(), per_s=100)
    assert len(crowd.took_s) >= 0.8 * 10 / SLOWLY_S
    assert max(crowd.took_s) < 0.5
    assert set(crowd.ends) == {"OK", "TOO_MANY_IN_FLIGHT"}
    assert max(crowd.refused_s) <= AdmissionSettings().wait_s + 1e-9
    assert crowd.cancels == ["OK"] * 12


async def test_with_a_bound_on_calls_alone_nothing_would_be_answered_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Lane, "is_hopeless", lambda *_: False)
    crowd = await crowded(SLOWLY_S, AdmissionSettings(patience=float("inf")), per_s=100)
    assert "OK" not in crowd.ends


@pytest.mark.parametrize("work_s", [0.005, 0.012], ids=["fast", "just fast enough"])
async def test_who_is_as_fast_as_the_contract_says_lets_in_as_many_as_it_says(
    work_s: float,
) -> None:
    crowd = await crowded(work_s, AdmissionSettings(), per_s=80)
    assert set(crowd.ends) == {"OK"}
    assert len(crowd.took_s) == 800


async def test_a_burst_after_a_quiet_time_is_let_in_as_far_as_the_contract_says() -> None:
    admission = Admission(Direct([desk := SlowDesk(0.001)]))
    client = connect(OrderService, admission)
    for _ in range(40):
        await client.submit_order(pb.SubmitOrderRequest())
    burst = [outcome(client.submit_order(pb.SubmitOrderRequest())) for _ in range(80)]
    assert await asyncio.gather(*burst) == ["OK"] * 80
    assert desk._free_at_s == pytest.approx(0.12)


async def test_what_a_service_has_begun_is_not_refused_for_being_slow() -> None:
    """An order's approval comes after the order was stored: refusing it would waste that."""
    admission = Admission(Direct([SlowRisk(SLOWLY_S)]))
    risk = connect(RiskService, admission)
    for _ in range(3):
        asked = [outcome(risk.validate_order(risk_pb2.ValidateOrderRequest())) for _ in range(60)]
        assert await asyncio.gather(*asked) == ["OK"] * 60
    assert admission.lanes[VALIDATE.path].room == AdmissionSettings().slots_of(VALIDATE)


async def test_who_would_not_be_answered_in_time_is_told_at_once() -> None:
    admission = Admission(Direct([SlowDesk(0.01)]))
    desk = connect(OrderService, admission)
    await asyncio.gather(*[desk.submit_order(pb.SubmitOrderRequest()) for _ in range(40)])
    busy = [asyncio.ensure_future(desk.submit_order(pb.SubmitOrderRequest())) for _ in range(30)]
    await asyncio.sleep(0)
    began_s = asyncio.get_running_loop().time()
    with pytest.raises(ServiceError, match="an answer would come later than in 200 ms") as caught:
        await desk.submit_order(pb.SubmitOrderRequest(), Call(0.2).started())
    assert (caught.value.code, caught.value.definite) == (StatusCode.RESOURCE_EXHAUSTED, True)
    assert caught.value.retry_after_s
    assert asyncio.get_running_loop().time() == began_s
    await desk.submit_order(pb.SubmitOrderRequest(), Call(0.6).started())
    await asyncio.gather(*busy)


async def test_who_was_received_too_late_is_told_at_once_while_others_are_served() -> None:
    """It waited before the door, where nobody could see it; what is left is less than it takes."""
    admission = Admission(Direct([SlowDesk(0.1)]))
    desk = connect(OrderService, admission)
    await desk.submit_order(pb.SubmitOrderRequest())
    late = Call(0.05).started()
    busy = asyncio.ensure_future(desk.submit_order(pb.SubmitOrderRequest(), Call(2.0).started()))
    await asyncio.sleep(0)
    assert await outcome(desk.submit_order(pb.SubmitOrderRequest(), late)) == "TOO_MANY_IN_FLIGHT"
    await busy
    assert admission.lanes[SUBMIT.path].took_s == pytest.approx(0.1)
    await asyncio.sleep(TRIED_EVERY_S)
    late = Call(0.05).started()
    assert await outcome(desk.submit_order(pb.SubmitOrderRequest(), late)) == "OK"


async def test_a_few_calls_that_hang_keep_nobody_out() -> None:
    class Hanging(SlowDesk):
        async def submit_order(
            self, request: pb.SubmitOrderRequest, call: Call = Call()
        ) -> pb.SubmitOrderResponse:
            await asyncio.sleep(2.0 if request.order.account == "stuck" else 0.02)
            return pb.SubmitOrderResponse()

    desk: Port = Hanging(0.0)
    client = connect(OrderService, Admission(Direct([desk])))

    async def ask(number: int) -> str:
        request = pb.SubmitOrderRequest()
        request.order.account = "stuck" if number % 10 == 0 else "main"
        await asyncio.sleep(number * 0.01)
        return await outcome(client.submit_order(request))

    assert set(await asyncio.gather(*map(ask, range(600)))) == {"OK"}


def lane_of(took_s: float, calls: int) -> Lane:
    lane = AdmissionSettings().lane_of(SUBMIT)
    for _ in range(calls):
        lane.learn(took_s, among=20)
    return lane


def test_a_lane_has_room_for_what_ends_in_time_at_the_pace_of_its_latest_calls() -> None:
    assert AdmissionSettings().lane_of(SUBMIT).room == 80
    assert lane_of(1.0, calls=1).room == 8  # 50 ms each: 8 in 400 ms.
    assert lane_of(0.5, calls=30).room == 16
    lane = lane_of(1.0, calls=30)
    for _ in range(11):
        lane.learn(0.05, among=20)
    assert lane.room == 80


def test_a_call_that_was_given_up_says_only_that_it_would_have_taken_longer() -> None:
    lane = lane_of(0.5, calls=30)
    for _ in range(30):
        lane.learn(0.02, among=20, has_ended=False)
    assert (lane.took_s, lane.pace_s, lane.room) == (0.5, 0.025, 16)
    for _ in range(30):
        lane.learn(1.0, among=20, has_ended=False)
    assert (lane.took_s, lane.pace_s, lane.room) == (1.0, 0.05, 8)


def test_a_lane_never_lets_in_fewer_than_it_learns_from() -> None:
    lane = lane_of(20.0, calls=30)
    assert lane.room == AdmissionSettings().busy_slots_min
    lane.learn(1.0, among=lane.room - 1)
    assert lane.pace_s == 1.0


def test_urgent_and_unrated_methods_have_no_patience_to_lose() -> None:
    urgent = next(m for m in methods(OrderService) if m.name == "cancel_order")
    unrated = replace(SUBMIT, policy=replace(SUBMIT.policy, p99_ms=0.0))
    for method in (urgent, unrated, VALIDATE):
        lane = AdmissionSettings().lane_of(method)
        for _ in range(30):
            lane.learn(20.0, among=20)
        assert lane.room == lane.slots, method.name
