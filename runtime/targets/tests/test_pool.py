"""A pool calls the less busy, leaves out who fails, and lets go of who has left."""

import asyncio
import random
from collections import Counter

import pytest
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st
from trading.echo.v1 import echo_pb2 as pb

from runtime.errors import ServiceError, refusal
from runtime.rpc import Call
from runtime.single import Only
from runtime.targets import Endpoint, EndpointStatus, Pool, PoolSettings
from runtime.targets.tests.targeting import SILENCE, WATCH, Wires, ask, asked_in_vain
from runtime.virtual import VirtualLoop

SUSPECT, DRAINING = EndpointStatus.SUSPECT, EndpointStatus.DRAINING
A, B, C, D = (Endpoint(f"{name}:1") for name in "abcd")


def pool_of(*endpoints: Endpoint, settings: PoolSettings = PoolSettings()) -> tuple[Pool, Wires]:
    wires = Wires()
    pool = Pool("echo", wires, rng=random.Random(1), settings=settings)
    pool.update(endpoints)
    return pool, wires


async def spread(pool: Pool, wires: Wires, calls: int = 1000) -> Counter[str]:
    before = Counter(wires.sent())
    for _ in range(calls):
        await asyncio.gather(ask(pool), return_exceptions=True)
    return Counter(wires.sent()) - before


async def seconds_out(pool: Pool) -> int:
    for seconds in range(100):
        if not pool.view()[0].is_out:
            return seconds
        await asyncio.sleep(1)
    return 100


async def test_calls_are_spread_by_weight() -> None:
    alike = await spread(*pool_of(A, B, C))
    assert all(250 < count < 420 for count in alike.values()), alike
    weighted = await spread(*pool_of(Endpoint("a:1", weight=30), Endpoint("b:1", weight=10)))
    assert 680 < weighted["a:1"] < 820, weighted


async def test_the_less_busy_of_two_is_called() -> None:
    pool, wires = pool_of(A, B)
    await spread(pool, wires, 50)
    wires.opened["a:1"].takes_s = 60
    slow: list[asyncio.Task[object]] = []
    while not any(view.in_flight for view in pool.view()):
        slow.append(asyncio.ensure_future(ask(pool)))
        await asyncio.sleep(0.001)
    assert await spread(pool, wires, 100) == Counter({"b:1": 100})
    await asyncio.gather(*slow)


async def test_the_same_seed_chooses_the_same() -> None:
    assert await spread(*pool_of(A, B, C)) == await spread(*pool_of(C, B, A))


async def test_ones_own_zone_comes_first_and_another_when_it_is_gone() -> None:
    near, far = Endpoint("n:1", zone="east"), Endpoint("f:1", zone="west")
    pool, wires = pool_of(far, near, settings=PoolSettings(zone="east"))
    assert await spread(pool, wires, 20) == Counter({"n:1": 20})
    pool.update([far])
    assert await spread(pool, wires, 20) == Counter({"f:1": 20})
    await pool.close()


async def test_who_is_suspect_is_the_last_choice_and_who_drains_is_none() -> None:
    suspect, draining = Endpoint("s:1", status=SUSPECT), Endpoint("d:1", status=DRAINING)
    pool, wires = pool_of(A, suspect, draining)
    assert await spread(pool, wires, 20) == Counter({"a:1": 20})
    pool.update([suspect, draining])
    assert await spread(pool, wires, 20) == Counter({"s:1": 20})
    pool.update([draining])
    error = await asked_in_vain(pool)
    assert (error.code, error.reason) == (StatusCode.UNAVAILABLE, "NO_ENDPOINT")
    assert error.definite
    await pool.close()


async def test_nobody_is_connected_to_before_a_call() -> None:
    pool, wires = pool_of(A)
    assert wires.opened == {}
    await ask(pool)
    assert list(wires.opened) == ["a:1"]


async def test_three_times_unavailable_put_an_endpoint_out_for_ten_seconds() -> None:
    pool, wires = pool_of(A, B)
    await spread(pool, wires, 20)
    wires.opened["a:1"].error = SILENCE
    failed = await spread(pool, wires, 100)
    assert failed["a:1"] == 3
    assert [view.is_out for view in pool.view()] == [True, False]
    await asyncio.sleep(10.1)
    wires.opened["a:1"].error = None
    assert (await spread(pool, wires, 100))["a:1"] > 20


async def test_who_fails_again_stays_out_longer_up_to_a_minute() -> None:
    pool, wires = pool_of(A, B)
    outs: list[int] = []
    await spread(pool, wires, 20)
    wires.opened["a:1"].error = SILENCE
    for _ in range(5):
        while not pool.view()[0].is_out:
            await asyncio.gather(ask(pool), return_exceptions=True)
        outs.append(await seconds_out(pool))
    assert outs == [10, 20, 40, 60, 60]


@given(size=st.integers(1, 7), broken=st.integers(0, 7), seed=st.integers(0, 99))
def test_never_more_than_half_of_the_set_is_out(size: int, broken: int, seed: int) -> None:
    async def main() -> None:
        endpoints = [Endpoint(f"{n}:1") for n in range(size)]
        wires = Wires()
        pool = Pool("echo", wires, rng=random.Random(seed))
        pool.update(endpoints)
        for _ in range(100):
            for wired in list(wires.opened.values())[:broken]:
                wired.error = SILENCE
            await asyncio.gather(ask(pool), return_exceptions=True)
            assert sum(view.is_out for view in pool.view()) <= size / 2

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


async def test_a_service_that_says_why_it_cannot_answer_stays_in() -> None:
    pool, wires = pool_of(A, B)
    await spread(pool, wires, 20)
    wires.opened["a:1"].error = refusal(
        StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", "x", service="echo"
    )
    assert (await spread(pool, wires, 100))["a:1"] > 30


async def test_a_connection_known_to_be_broken_is_not_chosen_while_another_is_whole() -> None:
    pool, wires = pool_of(A, B)
    await spread(pool, wires, 20)
    wires.opened["a:1"].is_broken = True
    assert await spread(pool, wires, 50) == Counter({"b:1": 50})
    wires.opened["b:1"].is_broken = True
    assert len(await spread(pool, wires, 50)) == 2


async def test_who_left_gets_no_new_call_and_finishes_those_it_has() -> None:
    pool, wires = pool_of(A)
    await ask(pool)
    wires.opened["a:1"].takes_s = 1.5
    in_flight = asyncio.ensure_future(ask(pool))
    await asyncio.sleep(0.1)
    pool.update([B])
    await ask(pool)
    await asyncio.sleep(0.5)
    assert wires.sent() == {"a:1": 2, "b:1": 1}
    assert not wires.opened["a:1"].is_closed
    await in_flight
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert wires.opened["a:1"].is_closed
    await pool.close()
    assert wires.opened["b:1"].is_closed


async def test_an_endless_stream_does_not_hold_who_has_left() -> None:
    pool, wires = pool_of(A)
    watch = pool.call(WATCH, Only(pb.WatchEchoesRequest()), Call())
    await anext(watch)
    pool.update([B])
    await asyncio.sleep(0.01)
    assert wires.opened["a:1"].is_closed
    with pytest.raises(ServiceError, match="no longer at a:1") as caught:
        await anext(watch)  # What the old place says is not passed on.
    assert (caught.value.code, caught.value.reason) == (StatusCode.UNAVAILABLE, "ENDPOINT_LEFT")
    assert not caught.value.definite
    await pool.close()


async def test_closing_ends_the_wait_for_calls_of_who_has_left() -> None:
    pool, wires = pool_of(A)
    await ask(pool)
    wires.opened["a:1"].takes_s = 3600.0
    in_flight = asyncio.ensure_future(ask(pool))
    await asyncio.sleep(0)
    pool.update([])
    await pool.close()
    assert wires.opened["a:1"].is_closed
    in_flight.cancel()
    await asyncio.wait([in_flight])


async def test_another_life_at_the_same_address_begins_with_a_clean_slate() -> None:
    pool, wires = pool_of(A, B)
    await spread(pool, wires, 20)
    wires.opened["a:1"].error = SILENCE
    await spread(pool, wires, 50)
    assert pool.view()[0].is_out
    assert not pool.update([A, B])
    assert pool.update([Endpoint("a:1", epoch=2), B])
    assert not pool.view()[0].is_out


async def test_a_stateful_service_is_called_at_its_newest_owner_only() -> None:
    old, new = Endpoint("a:1", epoch=3), Endpoint("b:1", epoch=4)
    pool, wires = pool_of(old, new, settings=PoolSettings(is_single=True))
    assert await spread(pool, wires, 20) == Counter({"b:1": 20})
    pool.update([old, Endpoint("b:1", epoch=4, status=DRAINING)])
    assert (await asked_in_vain(pool)).reason == "NO_ENDPOINT"


@given(st.data())
def test_a_draining_or_departed_endpoint_gets_no_new_call_whatever_comes(
    data: st.DataObject,
) -> None:
    """Endpoints come, go and change at random; no call ever begins where it must not."""
    statuses = st.sampled_from(EndpointStatus)
    names = st.sampled_from("abc")

    async def main() -> None:
        pool, wires = pool_of()
        present: dict[str, EndpointStatus] = {}
        for _ in range(data.draw(st.integers(1, 12))):
            present = data.draw(st.dictionaries(names, statuses))
            pool.update([Endpoint(f"{n}:1", status=s) for n, s in present.items()])
            callable_ = {f"{n}:1" for n, s in present.items() if s is not DRAINING}
            assert set(await spread(pool, wires, 5)) <= callable_
        await pool.close()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


def test_an_endpoint_that_can_be_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the weight of a:1 is 0, must be 1\.\.100"):
        Endpoint("a:1", weight=0)
