"""Asks the venue to cancel the children of one parent, each under one name until it is answered."""

import asyncio
import logging
from collections.abc import Callable

from trading.exchange.v1 import exchange_pb2

from runtime.errors import ServiceError
from runtime.rpc import Call
from services.execution.desk import Desk
from services.execution.store import Key

TIMEOUT_S = 1.0
REPEAT_S, LONGEST_S = 0.2, 5.0  # The same request again when its answer is missing.
REPORT_S = 1.0  # How long the report of a cancel that was answered may take.
log = logging.getLogger(__name__)


class Canceling:
    """Cancels that are on their way. A child stays `asked` until its cancel may be asked anew."""

    def __init__(
        self, parent: Key, execution_id: str, desk: Desk, done: Callable[[], None]
    ) -> None:
        self._parent = parent
        self._execution_id = execution_id
        self._desk = desk
        self._done = done
        self._times: dict[int, int] = {}
        self.asked: set[int] = set()

    def ask(self, number: int) -> None:
        """Ask for the cancel of a child, unless that is under way."""
        if number not in self.asked:
            self.asked.add(number)
            self._desk.environment.tasks.spawn(
                self._ask(number), name=f"cancel {self._parent[1]}/{number}"
            )

    async def _ask(self, number: int) -> None:
        """Ask until there is an answer; it came too late when the child works on after that."""
        self._times[number] = self._times.get(number, 0) + 1
        request = exchange_pb2.CancelOrderRequest(
            account=self._parent[0],
            client_order_id=f"{self._parent[1]}/{number}",
            request_id=f"{self._execution_id}-c{number}-{self._times[number]}",
        )
        pause_s = REPEAT_S
        while not await self._is_answered(request):
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_S)
        await asyncio.sleep(REPORT_S)
        self.asked.discard(number)
        self._done()

    async def _is_answered(self, request: exchange_pb2.CancelOrderRequest) -> bool:
        with self._desk.environment.progress.working("cancel"):
            try:
                await self._desk.link.port.cancel_order(request, Call(TIMEOUT_S))
            except ServiceError as error:
                log.info("cancel of %s: %s", request.client_order_id, error)
                return error.definite
        return True
