"""Under more load than a service can carry goodput stays, and cancels are answered."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import pytest
from trading.orders.v1 import orders_pb2 as pb
from trading.orders.v1.orders_port import OrderService

from runtime.guards.admission import Admission
from runtime.guards.lanes import AdmissionSettings
from runtime.limits import LINE_MAX
from runtime.local import Direct
from runtime.network import GrpcTransport, open_channel
from runtime.rpc import Call, Port, Transport, connect
from runtime.server import serve
from runtime.tests.test_admission import Desk, outcome


class Committed(Desk):
    """Does its work one by one, 20 ms each, also when the caller has left meanwhile."""

    def __init__(self) -> None:
        super().__init__(work_s=0.02)
        self._jobs: list[asyncio.Task[pb.SubmitOrderResponse]] = []

    async def submit_order(
        self, request: pb.SubmitOrderRequest, call: Call = Call()
    ) -> pb.SubmitOrderResponse:
        self._jobs.append(asyncio.ensure_future(super().submit_order(request, call)))
        return await asyncio.shield(self._jobs[-1])

    async def stop(self) -> None:
        for job in self._jobs:
            job.cancel()
        await asyncio.wait(self._jobs)


class Crowd:
    """Sends 25 orders every tenth of a second, five times what the desk can do, and cancels."""

    PATIENCE_S = 0.6

    def __init__(self, client: OrderService) -> None:
        self._client = client
        self.took_s: list[list[float]] = []  # Of the orders answered, by burst.
        self.cancels: list[str] = []

    async def come(self, bursts: int = 12) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(bursts):
                self.took_s.append([])
                for _ in range(25):
                    group.create_task(self._order(self.took_s[-1]))
                group.create_task(self._cancel())
                await asyncio.sleep(0.1)

    async def _order(self, took_s: list[float]) -> None:
        began_s = asyncio.get_running_loop().time()
        request, call = pb.SubmitOrderRequest(), Call(self.PATIENCE_S)
        if await outcome(self._client.submit_order(request, call)) == "OK":
            took_s.append(asyncio.get_running_loop().time() - began_s)

    async def _cancel(self) -> None:
        request, call = pb.CancelOrderRequest(), Call(self.PATIENCE_S)
        self.cancels.append(await outcome(self._client.cancel_order(request, call)))


async def crowded(desk: Desk, through: Callable[[Sequence[Port]], Transport]) -> Crowd:
    async with (
        serve([desk], through=through) as tcp_port,
        open_channel(f"127.0.0.1:{tcp_port}") as channel,
    ):
        crowd = Crowd(connect(OrderService, GrpcTransport(channel)))
        await crowd.come()
        await desk.stop()
    return crowd


@pytest.mark.real_time
async def test_under_five_times_the_load_goodput_stays_and_cancels_are_answered() -> None:
    """Four orders at a time take 80 ms; with 50 ms of waiting, all who are let in are in time.

    The last six bursts tell: by then a queue without a bound is longer than callers wait, and
    all work is done for callers who have left, as the test below shows.
    """
    settings = AdmissionSettings(headroom=0.2, method_slots_min=4)
    crowd = await crowded(Committed(), lambda ports: Admission(Direct(ports), settings))
    late = [took_s for burst in crowd.took_s[6:] for took_s in burst]
    assert len(late) >= 15  # Of 30 that the desk can do in that time.
    assert max(late) < 0.5
    assert crowd.cancels == ["OK"] * 12


@pytest.mark.real_time
async def test_without_admission_the_same_crowd_gets_nothing_done() -> None:
    crowd = await crowded(Committed(), Direct)
    assert [took_s for burst in crowd.took_s[8:] for took_s in burst] == []


@pytest.mark.real_time
async def test_few_calls_wait_unseen_and_none_of_them_before_an_urgent_one() -> None:
    """They come all at once, and are received one by one; the last of them is a cancel."""
    ended: list[str] = []

    async def ask(name: str, work: Awaitable[object]) -> None:
        end = await outcome(work)
        ended.append(f"{name} {end}")

    async with (
        serve([Desk(work_s=0.0)], through=Direct) as tcp_port,
        open_channel(f"127.0.0.1:{tcp_port}") as channel,
    ):
        client = connect(OrderService, GrpcTransport(channel))
        await client.get_order(pb.GetOrderRequest())
        count = 4 * LINE_MAX
        orders = [ask("order", client.get_order(pb.GetOrderRequest())) for _ in range(count)]
        cancel = ask("cancel", client.cancel_order(pb.CancelOrderRequest()))
        await asyncio.gather(*orders, cancel)
    counts = Counter(ended)
    assert counts["order CANCELLED"] >= LINE_MAX  # By gRPC itself.
    assert counts["order OK"] >= LINE_MAX
    assert counts["cancel OK"] == 1
    received = [end for end in ended if end.endswith("OK")]
    assert received.index("cancel OK") < len(received) / 2


@pytest.mark.real_time
async def test_a_server_that_is_full_still_answers_urgent_calls() -> None:
    desk = Desk(work_s=0.3)
    async with (
        serve([desk], through=Direct, in_flight_max=3) as tcp_port,
        open_channel(f"127.0.0.1:{tcp_port}") as channel,
    ):
        client = connect(OrderService, GrpcTransport(channel))
        orders = [outcome(client.get_order(pb.GetOrderRequest())) for _ in range(9)]
        ends = asyncio.gather(*orders)
        await asyncio.sleep(0.05)
        cancels = [outcome(client.cancel_order(pb.CancelOrderRequest())) for _ in range(3)]
        assert await asyncio.gather(*cancels) == ["OK"] * 3
        assert Counter(await ends) == {"OK": 3, "TOO_MANY_IN_FLIGHT": 6}
