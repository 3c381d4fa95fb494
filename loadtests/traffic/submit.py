"""SUBMIT: orders that trade at once, each timed until the venue has it and until it is booked."""

import asyncio
from typing import NamedTuple

from trading.orders.v1.orders_pb2 import SubmitOrderRequest
from trading.orders.v1.orders_port import OrderService
from trading.types.v1.order_pb2 import Order, OrderSpec

from loadtests.traffic.bookings import Bookings, not_filled
from loadtests.traffic.callers import TRADER
from loadtests.traffic.crowd import Crowd
from loadtests.traffic.ledger import TRADES, Ledger
from loadtests.traffic.market import Market
from loadtests.traffic.naming import run_name
from loadtests.traffic.orders import Orders
from loadtests.traffic.settling import concluded, settle
from runtime.errors import ServiceError
from runtime.load.traffic import Ground, Meter, Remainder

ACCOUNTS, WATCHED = 50, 10


class Sent(NamedTuple):
    """When an order was to be sent, and when it was."""

    intended_s: float
    sent_s: float


class Submit:
    """Buys and sells by turns on many accounts; the fills of some are timed as they are booked."""

    def __init__(self, ground: Ground, meter: Meter) -> None:
        prefix, options = f"{run_name(ground.plan)}-s", ground.plan.profile.options
        self._meter, self._now_s = meter, asyncio.get_running_loop().time
        self._market = Market(ground, prefix)
        self._crowd = Crowd(ground, prefix, ground.plan.share(options.get("accounts", ACCOUNTS)))
        every = max(
            1,
            len(self._crowd.accounts)
            // ground.plan.share(options.get("watched_accounts", WATCHED)),
        )
        self._watched = self._crowd.accounts[::every]
        self._orders = Orders(
            prefix, self._crowd.accounts, self._market.instruments, parts=ground.plan.parts
        )
        self._service = ground.port(OrderService, TRADER)
        self._bookings = Bookings(ground, self._booked)
        self._ledger = Ledger(ground)
        self._open: dict[str, Sent] = {}  # Not answered or, on a watched account, not booked.

    async def prepare(self) -> None:
        """Open the market and the accounts, and watch some of them."""
        await self._market.open()
        await self._crowd.open()
        await self._bookings.watch(self._watched)

    async def send(self, number: int, intended_s: float) -> None:
        """Submit one order."""
        spec = self._orders.order(number)
        sent = self._open[spec.client_order_id] = Sent(intended_s, self._now_s())
        try:
            answer = await self._service.submit_order(SubmitOrderRequest(order=spec))
        except ServiceError as error:
            self._meter.ended("acknowledged", *sent, error)
            self._end(spec, is_over=error.definite)
            if not error.definite:
                self._ledger.doubt(spec)
            return
        order = answer.order
        is_taken = order.status in TRADES
        self._meter.ended("acknowledged", *sent, None if is_taken else not_filled(order))
        self._ledger.expect(order)
        self._end(spec)

    async def finish(self) -> Remainder:
        """Let what is under way be booked, then compare the ledger with what was traded."""
        backlog, unresolved = await settle(lambda: len(self._open))
        await self._bookings.close()
        await self._market.close()
        missing = await concluded(self._ledger.missing())
        if missing is None:
            return Remainder(backlog, unresolved + 1)
        return Remainder(backlog, unresolved, missing.lost, missing.doubled)

    def _end(self, spec: OrderSpec, *, is_over: bool = False) -> None:
        """Wait no longer for an order, unless it is to be booked and watched."""
        if is_over or spec.account not in self._watched:
            self._open.pop(spec.client_order_id, None)

    def _booked(self, order: Order, error: ServiceError | None) -> None:
        """Hear that an order of a watched account is booked, or will never be."""
        sent = self._open.pop(order.spec.client_order_id, None)
        if sent is not None:
            self._meter.ended("booked", *sent, error)
