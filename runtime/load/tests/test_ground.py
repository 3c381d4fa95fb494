"""Calls as load makes them: one call each, as who it is asked for, within the contract's time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.errors import ServiceError
from runtime.identity import Principal, principal_of
from runtime.load import ground
from runtime.load.plan import Plan, Profile, Target
from runtime.local import LocalTransport
from runtime.rpc import Call
from runtime.server import serve
from runtime.tests.echoing import Echo, asked

pytestmark = pytest.mark.real_time
PROFILE = Profile("ECHO", "one echo", 1.0, (), "none:None")


class Failing(Echo):
    """Hears, and is then not available."""

    async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
        await super().echo(request, call)
        raise ServiceError(StatusCode.UNAVAILABLE, "not now")


@asynccontextmanager
async def reached(echo: Echo, caller: str) -> AsyncIterator[EchoService]:
    async with serve([echo], through=LocalTransport) as tcp_port:  # The caller's time alone.
        target = Target({"echo": f"127.0.0.1:{tcp_port}"})
        here = ground.GrpcGround(Plan(PROFILE, target))
        yield here.port(EchoService, caller)
        await here.close()


def test_callers_are_named_by_role_or_by_service() -> None:
    trader = Principal("trader", frozenset({"TRADER", "VIEWER"}))
    officer = Principal("risk-officer", frozenset({"RISK_OFFICER", "VIEWER"}))
    assert ground.principal_of("trader") == trader
    assert ground.principal_of("risk-officer") == officer
    assert ground.principal_of("service:feed") == Principal("feed", service="feed")


async def test_a_call_says_who_makes_it_and_keeps_the_contracts_deadline() -> None:
    echo = Echo()
    async with reached(echo, "trader") as client:
        answer = await client.echo(asked("remaining"))
    assert principal_of(echo.calls[0]) == ground.principal_of("trader")
    assert 0.0 < float(answer.text) <= 2.1


async def test_a_call_keeps_the_time_and_the_metadata_it_is_given() -> None:
    echo = Echo()
    async with reached(echo, "trader") as client:
        answer = await client.echo(asked("remaining"), Call(9.0, {"x-own": "word"}))
    assert echo.calls[0].metadata["x-own"] == "word"
    assert principal_of(echo.calls[0]) == ground.principal_of("trader")
    assert 2.0 < float(answer.text) <= 9.1  # gRPC rounds it up.


async def test_a_call_that_fails_is_not_repeated() -> None:
    echo = Failing()
    async with reached(echo, "service:gateway") as client:
        with pytest.raises(ServiceError, match="not now"):
            await client.echo(asked("hello"))
    assert echo.heard == ["hello"]


async def test_streams_are_followed_as_long_as_is_wanted() -> None:
    async with reached(Echo(), "trader") as client:
        sequences = []
        async for message in client.watch_echoes(pb.WatchEchoesRequest(after_sequence=3)):
            sequences.append(message.sequence)
            if len(sequences) == 3:
                break
    assert sequences == [3, 4, 5]


async def test_one_connection_serves_all_callers_of_an_address() -> None:
    here = ground.GrpcGround(Plan(PROFILE, Target({"*": "127.0.0.1:1"})))
    here.port(EchoService, "trader")
    here.port(EchoService, "operator")
    assert len(here._channels) == 1
    await here.close()
