"""The ground of every message: a market, accounts, and some orders that have traded."""

from contextlib import aclosing
from functools import partial
from zlib import crc32

from trading.orders.v1.orders_pb2 import SubmitOrderRequest, WatchOrderEventsRequest
from trading.orders.v1.orders_port import OrderService
from trading.types.v1 import order_pb2
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.order_pb2 import Order

from loadtests.traffic.callers import TRADER
from loadtests.traffic.crowd import Crowd
from loadtests.traffic.following import present
from loadtests.traffic.insisting import few_at_once, insist
from loadtests.traffic.market import Market
from loadtests.traffic.naming import run_name
from loadtests.traffic.orders import Orders
from runtime.load.traffic import Ground
from runtime.times import NS_PER_S

ACCOUNTS, TRADED = 8, 64
LONG_AGO_S, YEARS_S = 631_152_000, 315_360_000  # From 1990 on: nobody's present.


class Floor:
    """Names, and what they name. Nothing is there until it is made."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.prefix = f"{run_name(ground.plan)}-r"
        self.market = Market(ground, self.prefix)
        self.crowd = Crowd(ground, self.prefix, ACCOUNTS)
        self.orders = Orders(self.prefix, self.crowd.accounts, self.market.instruments)
        self.traded: list[Order] = []
        self.events: list[OrderEvent] = []  # The last ones there are, without a gap.
        self.order_service = ground.port(OrderService, TRADER)
        self._first_s = LONG_AGO_S + 60 * (crc32(self.prefix.encode()) % (YEARS_S // 60))

    @property
    def epoch(self) -> int:
        """The epoch of the orders service, as its events say."""
        return self.events[-1].header.epoch

    def account(self, number: int) -> str:
        """Return one of the accounts."""
        return self.crowd.accounts[number % ACCOUNTS]

    def instrument(self, number: int) -> str:
        """Return one of the instruments."""
        return self.market.instruments[number % len(self.market.instruments)]

    def name(self, number: int, kind: str = "") -> str:
        """Return an id that nothing else of this run has."""
        return f"{self.prefix}{kind}-u{number}"

    def long_ago_ns(self, number: int) -> int:
        """Return a minute of the past: another for each number, and hardly that of another run."""
        return (self._first_s + 60 * number) * NS_PER_S

    async def trade(self) -> None:
        """Trade some orders; read every event there is until all are filled."""
        nothing = WatchOrderEventsRequest(account="nobody")
        after = await present(self.order_service.watch_order_events(nothing))
        requests = [SubmitOrderRequest(order=self.orders.order(n)) for n in range(TRADED)]
        await few_at_once(
            partial(insist, partial(self.order_service.submit_order, request))
            for request in requests
        )
        watch = WatchOrderEventsRequest(after_sequence=after)
        async with aclosing(self.order_service.watch_order_events(watch)) as messages:
            async for message in messages:
                if not message.is_heartbeat:
                    self._take(message.event)
                if len(self.traded) >= TRADED:
                    break

    def _take(self, event: OrderEvent) -> None:
        self.events.append(event)
        if event.order.status == order_pb2.ORDER_STATUS_FILLED:
            self.traded.append(event.order)
