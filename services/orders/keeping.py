"""The answer to an order, kept in the commit that acknowledges it (O4)."""

import asyncio
from collections.abc import Callable

from sqlalchemy import Connection
from trading.orders.v1 import orders_pb2 as pb

from services.orders import answers
from services.orders.store import Stored


class Keeping:
    """Keeps the answer to an order in the transaction that acknowledges it."""

    def __init__(self, remember: Callable[[Connection, pb.SubmitOrderResponse], None]) -> None:
        self.is_over = False  # Whether another answer was given: it is kept instead.
        self.begun: list[tuple[Stored, pb.SubmitOrderResponse]] = []  # The last one counts.
        self._remember = remember
        self._came_to_nothing = asyncio.Event()

    def keep(self, tx: Connection, stored: Stored) -> None:
        """Keep the answer that says how the order stands."""
        if not self.is_over:
            self.begun.append((stored, answers.submitted(stored)))
            self._came_to_nothing.clear()
            self._remember(tx, self.begun[-1][1])

    def come_to_nothing(self) -> None:
        """Learn that the transaction in which it was kept was not committed."""
        self.begun.clear()
        self._came_to_nothing.set()

    async def ended(self, driven: "asyncio.Task[Stored]") -> None:
        """Return once the commit with the answer is made, or is known to come to nothing."""
        failing = asyncio.ensure_future(self._came_to_nothing.wait())
        await asyncio.wait([driven, failing], return_when=asyncio.FIRST_COMPLETED)
        failing.cancel()

    def answer_to(self, stored: Stored) -> pb.SubmitOrderResponse:
        """Return the answer that was kept, if it is about this, else a new one."""
        if self.begun and self.begun[-1][0] is stored:
            return self.begun[-1][1]
        return answers.submitted(stored)
