"""When fills are in the ledger: order events say which event is the fill, the ledger how far it is.

Watching order events tells that an order has ended and by which event of all; the portfolio says
up to which event it has booked. It is asked for that only while somebody waits, and no more often
than its contract is built for, so a fill may count as booked up to 20 ms late, never early.
"""

import asyncio
import heapq
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from grpc import StatusCode
from trading.orders.v1.orders_pb2 import WatchOrderEventsRequest, WatchOrderEventsResponse
from trading.orders.v1.orders_port import OrderService
from trading.portfolio.v1.portfolio_pb2 import GetPortfolioRequest
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.types.v1 import order_pb2
from trading.types.v1.order_pb2 import Order

from loadtests.traffic.callers import TRADER
from loadtests.traffic.following import follow, present
from runtime.errors import ServiceError, refusal
from runtime.load.traffic import Ground

ASKED_EVERY_S = 0.02
ENDED_OTHERWISE = (
    order_pb2.ORDER_STATUS_REJECTED,
    order_pb2.ORDER_STATUS_CANCELED,
    order_pb2.ORDER_STATUS_EXPIRED,
)
OnEnded = Callable[[Order, ServiceError | None], None]


class _Filled(NamedTuple):
    sequence: int
    order: Order


class Bookings:
    """Tells `on_ended` of every order of some accounts that is filled and booked, or has failed.

    The accounts must have been opened before.
    """

    def __init__(self, ground: Ground, on_ended: OnEnded) -> None:
        self._orders = ground.port(OrderService, TRADER)
        self._portfolio = ground.port(PortfolioService, TRADER)
        self._on_ended = on_ended
        self._filled: list[_Filled] = []  # And not booked yet: a heap.
        self._is_waiting = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._account = ""

    async def watch(self, accounts: Sequence[str]) -> None:
        """Begin with what happens from now on; returns once all streams are open."""
        self._account = accounts[0]
        nobody = WatchOrderEventsRequest(account="nobody")
        after = await present(self._orders.watch_order_events(nobody))
        self._tasks = [
            asyncio.create_task(self._follow(account, after), name=f"events of {account}")
            for account in accounts
        ]
        self._tasks.append(asyncio.create_task(self._ask_ledger(), name="how far the ledger is"))

    async def close(self) -> None:
        """End every stream."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _follow(self, account: str, after: int) -> None:
        def watch(behind: int) -> AsyncGenerator[WatchOrderEventsResponse, None]:
            request = WatchOrderEventsRequest(account=account, after_sequence=behind)
            return self._orders.watch_order_events(request)

        async for message in follow(watch, after):
            if not message.is_heartbeat:
                self._see(message.sequence, message.event.order)

    def _see(self, sequence: int, order: Order) -> None:
        if order.status == order_pb2.ORDER_STATUS_FILLED:
            heapq.heappush(self._filled, _Filled(sequence, order))
            self._is_waiting.set()
        elif order.status in ENDED_OTHERWISE:
            self._on_ended(order, not_filled(order))

    async def _ask_ledger(self) -> None:
        now_s = asyncio.get_running_loop().time
        request = GetPortfolioRequest(account=self._account)
        while True:
            await self._is_waiting.wait()
            asked_s = now_s()
            with suppress(ServiceError):  # It may answer the next time; nothing is forgotten.
                answer = await self._portfolio.get_portfolio(request)
                self._book(answer.portfolio.order_event_sequence)
            await asyncio.sleep(max(0.0, asked_s + ASKED_EVERY_S - now_s()))

    def _book(self, reached: int) -> None:
        while self._filled and self._filled[0].sequence <= reached:
            self._on_ended(heapq.heappop(self._filled).order, None)
        if not self._filled:
            self._is_waiting.clear()


def not_filled(order: Order) -> ServiceError:
    """Return why an order that has ended has not traded."""
    status = order_pb2.OrderStatus.Name(order.status).removeprefix("ORDER_STATUS_")
    codes = ", ".join(order.reject.codes)
    message = f"order {order.spec.client_order_id} is {status} {codes} {order.reject.text}"
    return refusal(StatusCode.FAILED_PRECONDITION, status, message.strip(), service="orders")
