"""One RPC again and again, each time with another valid message.

Of a stream one unit is a new watcher that hears the first message, and leaves.
"""

import asyncio
import importlib
from contextlib import aclosing
from inspect import isawaitable
from typing import Any

from google.protobuf.message import Message

from loadtests.traffic.messages import RPCS, Stage
from loadtests.traffic.settling import settle
from runtime.errors import ServiceError
from runtime.load.traffic import Ground, Meter, Remainder
from runtime.rpc import Method, Port, methods

AREAS = (
    "orders",
    "risk",
    "portfolio",
    "marketdata",
    "indicators",
    "strategy",
    "execution",
    "exchange",
    "discovery",
    "echo",
)


class Single:
    """Calls the RPC that the option `rpc` names: "OrderService/GetOrder"."""

    def __init__(self, ground: Ground, meter: Meter) -> None:
        label = ground.plan.profile.options["rpc"]
        if label not in RPCS:
            raise ValueError(f"rpc is {label!r}, must be one of {', '.join(sorted(RPCS))}")
        self._rpc = RPCS[label]
        port, self._method = find(label)
        self._call = getattr(ground.port(port, self._rpc.caller), self._method.name)
        self._stage = Stage(ground)
        self._meter, self._now_s = meter, asyncio.get_running_loop().time
        self._parts, self._under_way = ground.plan.parts, 0

    async def prepare(self) -> None:
        """Make what the messages are about."""
        await self._stage.prepare(*self._rpc.needs)

    async def send(self, number: int, intended_s: float) -> None:
        """Make one call."""
        self._under_way += 1
        try:
            await self._send(number // self._parts, intended_s)
        finally:
            self._under_way -= 1

    async def finish(self) -> Remainder:
        """Let what is under way be answered."""
        remainder = Remainder(*await settle(lambda: self._under_way))
        await self._stage.close()
        return remainder

    async def _send(self, number: int, intended_s: float) -> None:
        made = self._rpc.make(self._stage, number)
        request = await made if isawaitable(made) else made
        sent_s, error = self._now_s(), None
        try:
            answer = await self._answer(request)
        except ServiceError as failed:
            error = failed
        self._meter.ended(self._rpc.label, intended_s, sent_s, error)
        if error is None and self._rpc.heard is not None:
            self._rpc.heard(self._stage, request, answer)

    async def _answer(self, request: Message) -> Any:
        if not self._method.streams_responses:
            return await self._call(request)
        async with aclosing(self._call(request)) as answers:
            return await anext(answers)


def find(label: str) -> tuple[type[Port], Method]:
    """Return the port and the method of an RPC."""
    for port in (port for area in AREAS for port in ports(area)):
        for method in methods(port):
            if method.label == label:
                return port, method
    raise ValueError(f"rpc is {label!r}, must be one of a service of {', '.join(AREAS)}")


def ports(area: str) -> list[type[Port]]:
    """Return the ports of one area's contract."""
    module = importlib.import_module(f"trading.{area}.v1.{area}_port")
    found = (one for one in vars(module).values() if isinstance(one, type))
    return [one for one in found if issubclass(one, Port) and one is not Port]
