"""Lets work wait for what an order becomes next."""

import asyncio
from collections.abc import Callable

from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.order_pb2 import Order, OrderStatus

from services.orders.store import Key

UNDECIDED = (OrderStatus.ORDER_STATUS_PENDING_REPLACE, OrderStatus.ORDER_STATUS_PENDING_CANCEL)

Wanted = Callable[[Order], bool]


class Waiting:
    """The waiters for order events, by order. Tell it every event after its commit."""

    def __init__(self) -> None:
        self._waiting: dict[Key, list[tuple[Wanted, asyncio.Future[Order]]]] = {}

    def tell(self, event: OrderEvent) -> None:
        """Wake whoever waits for an order to be as it is now."""
        spec = event.order.spec
        waiters = self._waiting.get((spec.account, spec.client_order_id))
        for wanted, future in waiters or ():
            if not future.done() and wanted(event.order):
                future.set_result(event.order)

    def expect(self, key: Key, wanted: Wanted) -> "Expectation":
        """Return what becomes done when the order is as `wanted`; begin before you act."""
        future: asyncio.Future[Order] = asyncio.get_running_loop().create_future()
        entry = (wanted, future)
        self._waiting.setdefault(key, []).append(entry)
        return Expectation(future, lambda: self._forget(key, entry))

    def _forget(self, key: Key, entry: tuple[Wanted, "asyncio.Future[Order]"]) -> None:
        waiters = self._waiting[key]
        waiters.remove(entry)
        if not waiters:
            del self._waiting[key]


class Expectation:
    """One waiter; a `with` block, so that it is forgotten."""

    def __init__(self, future: "asyncio.Future[Order]", forget: Callable[[], None]) -> None:
        self._future = future
        self._forget = forget

    def __enter__(self) -> "Expectation":
        return self

    def __exit__(self, *_: object) -> None:
        self._future.cancel()
        self._forget()

    async def within(self, seconds: float) -> bool:
        """Wait until it is so; returns False when it is not by then."""
        done, _ = await asyncio.wait([self._future], timeout=seconds)
        return bool(done)


def is_answered(order: Order) -> bool:
    """Whether the venue, risk or the router has said something about the order itself."""
    return order.status != OrderStatus.ORDER_STATUS_PENDING_NEW


def is_replace_decided(order: Order) -> bool:
    """Whether a replacement under way has had its effect, or has been refused."""
    return order.status not in UNDECIDED


def is_cancel_decided(order: Order) -> bool:
    """Whether a cancel under way has had its effect, or has been refused."""
    return order.status != OrderStatus.ORDER_STATUS_PENDING_CANCEL
