"""Admission: one method cannot starve the others, urgent calls always pass, goodput stays."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import replace

import pytest
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st
from trading.execution.v1.execution_port import ExecutionService
from trading.orders.v1 import orders_pb2 as pb
from trading.orders.v1.orders_port import OrderService
from trading.risk.v1.risk_port import RiskService

from runtime.errors import ServiceError
from runtime.guards.admission import Admission
from runtime.guards.lanes import AdmissionSettings
from runtime.local import Direct
from runtime.rpc import Call, connect, methods
from runtime.virtual import VirtualLoop

METHODS = {method.name: method for method in methods(OrderService)}
SUBMIT, CANCEL, GET = (METHODS[name] for name in ("submit_order", "cancel_order", "get_order"))
NARROW = AdmissionSettings(slots=20, urgent_slots=4, waiting=10, headroom=0.5, method_slots_min=8)


class Desk(OrderService):
    """Works on one order at a time."""

    def __init__(self, work_s: float) -> None:
        self._work_s = work_s
        self._one_at_a_time = asyncio.Lock()

    async def submit_order(
        self, request: pb.SubmitOrderRequest, call: Call = Call()
    ) -> pb.SubmitOrderResponse:
        async with self._one_at_a_time:
            await asyncio.sleep(self._work_s)
        return pb.SubmitOrderResponse()

    async def get_order(
        self, request: pb.GetOrderRequest, call: Call = Call()
    ) -> pb.GetOrderResponse:
        await asyncio.sleep(self._work_s)
        return pb.GetOrderResponse()

    async def cancel_order(
        self, request: pb.CancelOrderRequest, call: Call = Call()
    ) -> pb.CancelOrderResponse:
        await asyncio.sleep(self._work_s)
        return pb.CancelOrderResponse()

    async def watch_order_events(
        self, request: pb.WatchOrderEventsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchOrderEventsResponse, None]:
        yield pb.WatchOrderEventsResponse()
        await asyncio.sleep(60)


def admitted(settings: AdmissionSettings, work_s: float) -> tuple[Admission, OrderService]:
    admission = Admission(Direct([Desk(work_s)]), settings)
    return admission, connect(OrderService, admission)


async def outcome(work: Awaitable[object]) -> str:
    try:
        await work
    except ServiceError as error:
        return error.reason or error.code.name
    return "OK"


def test_a_methods_bound_follows_from_the_load_that_its_contract_states() -> None:
    settings = AdmissionSettings()
    assert settings.slots_of(SUBMIT) == 80  # 200/s × 100 ms × 4
    rare = replace(GET, policy=replace(GET.policy, target_rps=1.0, p99_ms=10.0))
    unrated = replace(GET, policy=replace(GET.policy, target_rps=0.0))
    busy = replace(GET, policy=replace(GET.policy, target_rps=5000.0, p99_ms=100.0))
    assert [settings.slots_of(m) for m in (rare, unrated, busy)] == [16, 32, 240]


def test_what_orders_need_from_others_has_as_many_places_as_orders_have() -> None:
    """Else an order that was let in, stored and approved would be refused where it is sent."""
    settings = AdmissionSettings()
    start = next(m for m in methods(ExecutionService) if m.name == "start_execution")
    validate = next(m for m in methods(RiskService) if m.name == "validate_order")
    assert min(map(settings.slots_of, (start, validate))) >= settings.slots_of(SUBMIT) + 16


async def test_a_call_without_a_place_waits_a_moment_and_is_then_refused() -> None:
    admission, desk = admitted(NARROW, work_s=1.0)
    slots, loop = NARROW.slots_of(SUBMIT), asyncio.get_running_loop()
    busy = [asyncio.ensure_future(desk.get_order(pb.GetOrderRequest())) for _ in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(ServiceError, match=r"no place came free in 50 ms, 8 calls") as caught:
        await desk.get_order(pb.GetOrderRequest())
    assert loop.time() == pytest.approx(0.05)
    assert (caught.value.code, caught.value.reason) == (
        StatusCode.RESOURCE_EXHAUSTED,
        "TOO_MANY_IN_FLIGHT",
    )
    assert caught.value.retry_after_s == 0.1
    assert caught.value.definite
    await asyncio.gather(*busy)
    lane = admission.lanes[GET.path]
    assert (lane.admitted, lane.refused, lane.waited, lane.in_flight) == (8, 1, 1, 0)
    assert (admission.in_flight, admission.waiting, slots) == (0, 0, 10)


async def test_who_waits_gets_the_place_that_comes_free() -> None:
    admission, desk = admitted(NARROW, work_s=0.04)
    work = [outcome(desk.get_order(pb.GetOrderRequest())) for _ in range(16)]
    assert Counter(await asyncio.gather(*work)) == {"OK": 16}
    assert admission.lanes[GET.path].waited == 8


async def test_who_leaves_the_moment_a_place_comes_free_gives_it_back() -> None:
    admission, desk = admitted(replace(NARROW, method_slots_min=1, headroom=0.1), work_s=0.01)

    async def ask() -> None:
        await desk.get_order(pb.GetOrderRequest())

    async def ask_and_send_away() -> None:
        await ask()  # Its place has been promised in this very step,
        waiting.cancel()  # and is given back in the same.

    first = asyncio.ensure_future(ask_and_send_away())
    await asyncio.sleep(0)
    waiting = asyncio.ensure_future(ask())
    await asyncio.wait([first, waiting])
    assert waiting.cancelled()
    assert (admission.in_flight, admission.lanes[GET.path].in_flight) == (0, 0)
    await ask()


async def test_no_more_calls_wait_than_may() -> None:
    admission, desk = admitted(NARROW, work_s=1.0)
    work = [outcome(desk.get_order(pb.GetOrderRequest())) for _ in range(40)]
    ends = asyncio.gather(*work)
    await asyncio.sleep(0.01)
    assert admission.waiting == 10
    assert Counter(await ends) == {"OK": 8, "TOO_MANY_IN_FLIGHT": 32}


async def test_one_method_cannot_starve_another() -> None:
    _, desk = admitted(NARROW, work_s=1.0)
    flood = asyncio.gather(*[outcome(desk.submit_order(pb.SubmitOrderRequest())) for _ in range(8)])
    await asyncio.sleep(0)
    assert await outcome(desk.get_order(pb.GetOrderRequest())) == "OK"
    assert Counter(await flood)["OK"] == 8


async def test_urgent_calls_pass_when_everything_is_full() -> None:
    admission, desk = admitted(NARROW, work_s=1.0)
    flood = [outcome(desk.submit_order(pb.SubmitOrderRequest())) for _ in range(30)]
    flood += [outcome(desk.get_order(pb.GetOrderRequest())) for _ in range(30)]
    ends = asyncio.gather(*flood)
    await asyncio.sleep(0)
    assert admission.in_flight == NARROW.ordinary_slots
    began_s = asyncio.get_running_loop().time()
    cancels = [outcome(desk.cancel_order(pb.CancelOrderRequest())) for _ in range(50)]
    assert set(await asyncio.gather(*cancels)) == {"OK"}
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(1.0)
    await ends


async def test_streams_have_places_of_their_own() -> None:
    settings = replace(NARROW, streams=3)
    admission, desk = admitted(settings, work_s=0.0)
    watches = [desk.watch_order_events(pb.WatchOrderEventsRequest()) for _ in range(3)]
    for watch in watches:
        await anext(watch)
    with pytest.raises(ServiceError, match="3 streams are open"):
        await anext(desk.watch_order_events(pb.WatchOrderEventsRequest()))
    assert await outcome(desk.get_order(pb.GetOrderRequest())) == "OK"
    await watches.pop().aclose()
    await anext(watch := desk.watch_order_events(pb.WatchOrderEventsRequest()))
    for open_one in (*watches, watch):
        await open_one.aclose()
    assert admission.streams == 0


@given(
    calls=st.lists(
        st.tuples(
            st.sampled_from(["submit_order", "get_order", "cancel_order"]),
            st.integers(0, 300),  # Begins then, in milliseconds,
            st.integers(0, 120),  # and its caller leaves after so many more.
        ),
        max_size=60,
    )
)
def test_places_are_never_lost_nor_given_twice(calls: list[tuple[str, int, int]]) -> None:
    """Callers come and leave at any moment, also the very one in which they are let in."""

    async def main() -> None:
        admission, desk = admitted(NARROW, work_s=0.05)

        async def caller(name: str, begin_ms: int, patience_ms: int) -> None:
            await asyncio.sleep(begin_ms / 1000)
            request = METHODS[name].request()
            work = asyncio.ensure_future(outcome(getattr(desk, name)(request)))
            await asyncio.wait([work], timeout=patience_ms / 1000)
            work.cancel()
            await asyncio.wait([work])
            ordinary = sum(
                lane.in_flight for lane in admission.lanes.values() if lane.path != CANCEL.path
            )
            assert 0 <= ordinary <= NARROW.ordinary_slots

        await asyncio.gather(*[caller(*call) for call in calls])
        assert (admission.in_flight, admission.waiting) == (0, 0)
        assert all(lane.in_flight == 0 for lane in admission.lanes.values())
        again = [outcome(desk.get_order(pb.GetOrderRequest())) for _ in range(8)]
        assert set(await asyncio.gather(*again)) == {"OK"}

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
