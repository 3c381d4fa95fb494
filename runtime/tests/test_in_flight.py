"""A service can be ended between calls: what is in flight is known, and waited for."""

import asyncio

from trading.echo.v1 import echo_pb2 as pb

from runtime.guards import guarded
from runtime.guards.admission import Admission
from runtime.guards.lanes import AdmissionSettings
from runtime.tests.echoing import Echo, asked, echo_client


async def test_quiet_comes_when_the_last_call_has_been_answered() -> None:
    way_in = Admission(guarded([Echo()]))
    client = echo_client(way_in)
    slow = asyncio.create_task(client.echo(asked("slow")))
    await asyncio.sleep(0)
    await client.echo(asked("quick"))
    assert way_in.in_flight == 1
    await way_in.quiet(within_s=60)
    assert way_in.in_flight == 0
    await asyncio.wait([slow], timeout=0.01)
    assert slow.done()
    slow.exception()  # Its deadline may have come first: over is over.


async def test_quiet_is_not_waited_for_longer_than_it_may_take() -> None:
    way_in = Admission(guarded([Echo()]))
    slow = asyncio.create_task(echo_client(way_in).echo(asked("slow")))
    began_s = asyncio.get_running_loop().time()
    await asyncio.sleep(0)
    await way_in.quiet(within_s=0.01)
    assert asyncio.get_running_loop().time() - began_s == 0.01
    assert not slow.done()
    slow.cancel()
    await asyncio.wait([slow])


async def test_a_stream_that_never_ends_keeps_nobody_waiting() -> None:
    way_in = Admission(guarded([Echo()]))
    watch = echo_client(way_in).watch_echoes(pb.WatchEchoesRequest())
    await anext(watch)
    await way_in.quiet()
    await watch.aclose()


async def test_quiet_comes_after_a_call_that_waited_for_its_place() -> None:
    settings = AdmissionSettings(slots=2, urgent_slots=1, wait_s=30.0)
    way_in = Admission(guarded([Echo()]), settings)
    client = echo_client(way_in)
    first, second = (asyncio.create_task(client.echo(asked("slow"))) for _ in range(2))
    await asyncio.sleep(0)
    assert (way_in.in_flight, way_in.waiting) == (1, 1)
    quiet = asyncio.create_task(way_in.quiet(within_s=60))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first, quiet], timeout=0.01)
    assert not quiet.done(), "the call that waited is in flight now"
    second.cancel()
    await quiet
    assert (way_in.in_flight, way_in.waiting) == (0, 0)


async def test_quiet_comes_when_the_last_call_that_waited_gives_up() -> None:
    way_in = Admission(guarded([Echo()]), AdmissionSettings(slots=1, urgent_slots=1, wait_s=0.02))
    waiting = asyncio.create_task(echo_client(way_in).echo(asked("hello")))
    await asyncio.sleep(0)
    assert way_in.waiting == 1
    began_s = asyncio.get_running_loop().time()
    await way_in.quiet(within_s=60)
    assert asyncio.get_running_loop().time() - began_s < 1
    waiting.cancel()
    await asyncio.wait([waiting])
