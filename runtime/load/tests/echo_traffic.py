"""Traffic of the echo service, for tests of the engine."""

import asyncio

from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.errors import ServiceError
from runtime.load.traffic import Ground, Meter, Remainder
from runtime.rpc import Call

PATIENCE_S = 10.0


class Echoes:
    """One unit is one echo."""

    def __init__(self, ground: Ground, meter: Meter) -> None:
        self._echo, self._meter = ground.port(EchoService, "trader"), meter
        self._now_s = asyncio.get_running_loop().time
        options = ground.plan.profile.options
        self._text, self._first = options.get("text", "hello"), options.get("prepare", "hello")

    async def prepare(self) -> None:
        await self._echo.echo(
            pb.EchoRequest(request_id="prepare", text=self._first), Call(PATIENCE_S)
        )

    async def send(self, number: int, intended_s: float) -> None:
        request = pb.EchoRequest(request_id=f"r-{number}", text=self._text)
        error = None
        sent_s = self._now_s()
        try:
            await self._echo.echo(request, Call(PATIENCE_S))
        except ServiceError as found:
            error = found
        self._meter.ended("echo", intended_s, sent_s, error)

    async def finish(self) -> Remainder:
        return Remainder()
