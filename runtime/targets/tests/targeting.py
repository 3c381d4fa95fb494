"""What tests of targets call: a transport that does as told, and connections without a network."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from google.protobuf.message import Message
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.errors import ServiceError, refusal
from runtime.rpc import Call, Method, methods
from runtime.single import Messages, Only, one
from runtime.targets import Endpoint
from runtime.tests.echoing import asked

ECHO, WATCH, _, _ = methods(EchoService)
URGENT = replace(ECHO, policy=replace(ECHO.policy, urgent=True))
HOUR_S = 3600.0
SILENCE = ServiceError(StatusCode.UNAVAILABLE, "connection refused")
BAD_INPUT = refusal(StatusCode.INVALID_ARGUMENT, "CONTRACT_VIOLATED", "x", service="echo")


class Told:
    """A transport that answers, or fails with `error`, after `takes_s`."""

    def __init__(self, error: BaseException | None = None, takes_s: float = 0.0) -> None:
        self.error = error
        self.takes_s = takes_s
        self.sent = 0

    async def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        self.sent += 1
        await asyncio.sleep(self.takes_s)
        if self.error is not None:
            raise self.error
        if method.is_unary:
            yield pb.EchoResponse(text="answer")
        while method.streams_responses:
            yield pb.WatchEchoesResponse()
            await asyncio.sleep(HOUR_S)


class Wired(Told):
    """A connection to one endpoint that a test can break and look at."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.is_broken = False
        self.is_connected = True
        self.is_closed = False

    async def close(self) -> None:
        self.is_closed = True
        self.is_connected = False


class Wires:
    """Opens connections and remembers them, by address, the last one of each."""

    def __init__(self) -> None:
        self.opened: dict[str, Wired] = {}

    def __call__(self, endpoint: Endpoint) -> Wired:
        wired = self.opened[endpoint.address] = Wired(endpoint)
        return wired

    def sent(self) -> dict[str, int]:
        return {address: wired.sent for address, wired in sorted(self.opened.items())}


async def ask(transport: Any, method: Method = ECHO, call: Call = Call()) -> Message:
    return await one(transport.call(method, Only(asked("a")), call))


async def asked_in_vain(transport: Any, method: Method = ECHO) -> ServiceError:
    try:
        await ask(transport, method)
    except ServiceError as error:
        return error
    raise AssertionError("the call must fail, and was answered")


async def fail_times(transport: Any, count: int) -> Sequence[ServiceError]:
    return [await asked_in_vain(transport) for _ in range(count)]
