"""A small service to load, in any of its moods, and the traffic that loads it."""

import asyncio
import time

from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.errors import ServiceError
from runtime.load.traffic import Ground, Meter, Remainder
from runtime.rpc import Call


class StandIn(EchoService):
    """Says back what it hears, after `delay_s`; `at_once` calls at a time."""

    def __init__(self, *, delay_s: float = 0.0, at_once: int = 10_000) -> None:
        self.heard = 0
        self._delay_s = delay_s
        self._turns = asyncio.Semaphore(at_once)

    async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
        self.heard += 1
        async with self._turns:
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
        return pb.EchoResponse(text=request.text, sequence=self.heard)


class Echoes:
    """One call a unit. Option `busy_s` keeps the generator busy that long for each."""

    def __init__(self, ground: Ground, meter: Meter) -> None:
        self._port = ground.port(EchoService, "trader")
        self._meter, self._plan = meter, ground.plan
        self._busy_s = float(ground.plan.profile.options.get("busy_s", 0))

    async def prepare(self) -> None:
        await self._port.echo(pb.EchoRequest(request_id="first", text="first"))

    async def send(self, number: int, intended_s: float) -> None:
        loop = asyncio.get_running_loop()
        sent_s, error = loop.time(), None
        until_s = time.perf_counter() + self._busy_s
        while time.perf_counter() < until_s:
            pass
        request_id = f"{self._plan.seed}-{number}"
        try:
            await self._port.echo(pb.EchoRequest(request_id=request_id, text="again"))
        except ServiceError as failure:
            error = failure
        self._meter.ended("echoed", intended_s, sent_s, error)

    async def finish(self) -> Remainder:
        return Remainder()
