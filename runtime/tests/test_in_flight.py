"""A service can be ended between calls: what is in flight is known, and waited for."""

import asyncio

from trading.echo.v1 import echo_pb2 as pb

from runtime.guards import guarded
from runtime.in_flight import InFlight
from runtime.tests.echoing import Echo, asked, echo_client


async def test_quiet_comes_when_the_last_call_has_been_answered() -> None:
    way_in = InFlight(guarded([Echo()]))
    client = echo_client(way_in)
    slow = asyncio.create_task(client.echo(asked("slow")))
    await asyncio.sleep(0)
    await client.echo(asked("quick"))
    assert way_in.count == 1
    await way_in.quiet(within_s=60)
    assert way_in.count == 0
    await asyncio.wait([slow], timeout=0.01)
    assert slow.done()
    slow.exception()  # Its deadline may have come first: over is over.


async def test_quiet_is_not_waited_for_longer_than_it_may_take() -> None:
    way_in = InFlight(guarded([Echo()]))
    slow = asyncio.create_task(echo_client(way_in).echo(asked("slow")))
    began_s = asyncio.get_running_loop().time()
    await asyncio.sleep(0)
    await way_in.quiet(within_s=0.01)
    assert asyncio.get_running_loop().time() - began_s == 0.01
    assert not slow.done()
    slow.cancel()
    await asyncio.wait([slow])


async def test_a_stream_that_never_ends_keeps_nobody_waiting() -> None:
    way_in = InFlight(guarded([Echo()]))
    watch = echo_client(way_in).watch_echoes(pb.WatchEchoesRequest())
    await anext(watch)
    await way_in.quiet()
    await watch.aclose()
