"""Probes a venue that ails, by asking for what it left unanswered, until it is well again."""

import asyncio

from grpc import StatusCode
from trading.exchange.v1 import exchange_pb2

from runtime.errors import ServiceError
from runtime.rpc import Call
from services.execution.desk import Desk
from services.execution.doubts import Doubts

PAUSE_S = 1.0
QUERY_S = 1.0


class Probing:
    """Looks at the venue's health every second while something is wrong with it."""

    def __init__(self, desk: Desk, doubts: Doubts) -> None:
        self._desk = desk
        self._doubts = doubts

    async def run(self) -> None:
        """Probe until cancelled."""
        while True:
            await asyncio.sleep(PAUSE_S)
            if self._desk.link.ails() and await self._is_answered():
                self._desk.link.health.forgive()

    async def _is_answered(self) -> bool:
        """Ask for the order that waits longest, or for what the venue can do."""
        link = self._desk.link
        waiting = link.health.oldest_unanswered()
        try:
            if waiting is None:
                request = exchange_pb2.GetCapabilitiesRequest()
                await link.port.get_capabilities(request, Call(QUERY_S))
            else:
                await self._doubts.query(waiting, Call(QUERY_S))
        except ServiceError as error:
            return error.code is StatusCode.NOT_FOUND
        if waiting is not None:
            link.health.answered(waiting)
        return True
