"""What crosses over REST is what crosses over gRPC: to the byte, for messages and for errors.

Messages and errors are made up; guards would refuse most of them, so a mirror serves instead.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st
from trading.echo.v1.echo_port import EchoService
from trading.orders.v1.orders_port import OrderService
from trading.risk.v1.risk_port import RiskService
from trading.strategy.v1.strategy_port import StrategyService

from runtime.errors import ServiceError
from runtime.network import GrpcTransport, open_channel
from runtime.rest import RestTransport, open_session, serve_rest
from runtime.rest.codec import from_json, to_json
from runtime.rest.tests.made_up import CHARACTERS, messages
from runtime.rpc import Call, Method, Transport, methods, only
from runtime.server import serve
from runtime.single import Messages

PORTS: tuple[Any, ...] = (EchoService, OrderService, RiskService, StrategyService)
METHODS = [method for port in PORTS for method in methods(port)]
IDS = [method.path.rpartition("/")[2] for method in METHODS]
CODES = st.sampled_from([code for code in StatusCode if code is not StatusCode.OK])
DETAILS = st.one_of(
    messages(ErrorInfo),
    messages(BadRequest),
    messages(RetryInfo),
    st.builds(AnyMessage, type_url=st.just("type.googleapis.com/other.v9.X"), value=st.binary()),
)


@dataclass
class Mirror:
    """Answers every call with what it was told to, and keeps what it was asked."""

    answers: list[Message] = field(default_factory=list)
    error: ServiceError | None = None
    heard: list[Message] = field(default_factory=list)

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        return self._answer(requests)

    async def _answer(self, requests: AsyncIterator[Message]) -> Messages:
        self.heard = [request async for request in requests]
        for answer in self.answers:
            yield answer
        if self.error is not None:
            raise self.error


@dataclass
class Ways:
    """Both ways to one mirror, on a loop of their own."""

    runner: asyncio.Runner
    mirror: Mirror
    ways: list[Transport]

    def cross(self, method: Method, requests: list[Message]) -> list[list[bytes]]:
        """Return per way: the requests as they arrived, the answers or the error as it came."""
        return [self.runner.run(self._cross(way, method, requests)) for way in self.ways]

    async def _cross(self, way: Transport, method: Method, asked: list[Message]) -> list[bytes]:
        requests = _stream(asked) if method.streams_requests else only(asked[0])
        said: list[bytes] = []
        try:
            async for answer in way.call(method, requests, Call(timeout_s=30)):
                said.append(_bytes(answer))
        except ServiceError as error:
            said += [error.code.name.encode(), error.message.encode()]
            said += [_bytes(detail) for detail in error.details]
        return [*map(_bytes, self.mirror.heard), b"|", *said]


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    mirror, stack = Mirror(), AsyncExitStack()

    async def opened() -> list[Transport]:
        ports = [port() for port in PORTS]
        grpc_port = await stack.enter_async_context(serve(ports, through=lambda _: mirror))
        rest_port = await stack.enter_async_context(serve_rest(ports, through=lambda _: mirror))
        channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{grpc_port}"))
        session = await stack.enter_async_context(open_session())
        rest = RestTransport(f"http://127.0.0.1:{rest_port}", session)
        return [GrpcTransport(channel), rest]

    with asyncio.Runner() as runner:
        yield Ways(runner, mirror, runner.run(opened()))
        runner.run(stack.aclose())


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_messages_cross_alike(ways: Ways, method: Method) -> None:
    several = st.integers(0, 3)
    asks = several if method.streams_requests else st.just(1)
    answers = several if method.streams_responses else st.just(1)

    @settings(max_examples=12)
    @given(st.data())
    def crosses_alike(data: st.DataObject) -> None:
        asked = [data.draw(messages(method.request)) for _ in range(data.draw(asks))]
        told = [data.draw(messages(method.response)) for _ in range(data.draw(answers))]
        ways.mirror.answers, ways.mirror.error = told, None
        by_grpc, by_rest = ways.cross(method, asked)
        assert by_rest == by_grpc
        assert by_rest == [*map(_bytes, asked), b"|", *map(_bytes, told)]

    crosses_alike()


@pytest.mark.parametrize("method", METHODS[:4], ids=IDS[:4])
def test_errors_cross_alike(ways: Ways, method: Method) -> None:
    @settings(max_examples=40)
    @given(CODES, st.text(CHARACTERS), st.lists(DETAILS, max_size=3))
    def crosses_alike(code: StatusCode, text: str, details: list[Message]) -> None:
        ways.mirror.answers = [method.response()] if method.streams_responses else []
        ways.mirror.error = ServiceError(code, text, details)
        by_grpc, by_rest = ways.cross(method, [method.request()])
        assert by_rest == by_grpc

    crosses_alike()


@given(st.data())
@settings(max_examples=50)
def test_every_message_survives_json(data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(METHODS))
    for kind in (method.request, method.response):
        message = data.draw(messages(kind))
        assert _bytes(from_json(kind, to_json(message), is_strict=True)) == _bytes(message)


async def _stream(requests: list[Message]) -> AsyncIterator[Message]:
    for request in requests:
        yield request


def _bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)
