"""The traffic of the benchmark: one unit is one echo."""

import asyncio

from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.errors import ServiceError
from runtime.load.traffic import Ground, Meter, Remainder


class Echoes:
    """Calls as any profile's traffic does: through a port, and tells the meter."""

    def __init__(self, ground: Ground, meter: Meter) -> None:
        self._echo, self._meter = ground.port(EchoService, "trader"), meter
        self._now_s = asyncio.get_running_loop().time

    async def prepare(self) -> None:
        """Connect."""
        await self._echo.echo(pb.EchoRequest(request_id="prepare", text="hello"))

    async def send(self, number: int, intended_s: float) -> None:
        """Make one call."""
        sent_s, error = self._now_s(), None
        try:
            await self._echo.echo(pb.EchoRequest(request_id=f"r-{number}", text="hello"))
        except ServiceError as found:
            error = found
        self._meter.ended("echo", intended_s, sent_s, error)

    async def finish(self) -> Remainder:
        """Leave nothing."""
        return Remainder()
