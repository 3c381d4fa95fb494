"""Whether the ledger holds what was traded: nothing lost, nothing done twice."""

import asyncio
from collections import Counter
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from trading.orders.v1.orders_pb2 import GetOrderRequest
from trading.orders.v1.orders_port import OrderService
from trading.portfolio.v1 import portfolio_pb2
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.types.v1 import order_pb2
from trading.types.v1.order_pb2 import Order, OrderSpec

from loadtests.traffic.callers import TRADER
from loadtests.traffic.insisting import few_at_once, insist
from runtime.errors import ServiceError
from runtime.load.traffic import Ground

PATIENCE_S, PAUSE_S = 20.0, 0.25  # What comes this late is late, not lost.
PAGE = 1000
TRADES = frozenset(
    {
        order_pb2.ORDER_STATUS_NEW,
        order_pb2.ORDER_STATUS_PARTIALLY_FILLED,
        order_pb2.ORDER_STATUS_FILLED,
    }
)


class Missing(NamedTuple):
    """Fills that the ledger lacks, and those that it has too many."""

    lost: int
    doubled: int


class Ledger:
    """What accounts must hold in the end, each order being one fill, against what they hold."""

    def __init__(self, ground: Ground) -> None:
        self._orders = ground.port(OrderService, TRADER)
        self._portfolio = ground.port(PortfolioService, TRADER)
        self._held: dict[str, Counter[str]] = {}
        self._fills: Counter[str] = Counter()
        self._doubtful: dict[str, OrderSpec] = {}

    def expect(self, order: Order) -> None:
        """Take in an order as it was answered."""
        spec = order.spec
        if order.status == order_pb2.ORDER_STATUS_IN_DOUBT:
            self.doubt(spec)
        elif order.status in TRADES:
            quantity = int(spec.quantity.value)
            sign = 1 if spec.side == order_pb2.SIDE_BUY else -1
            self._held.setdefault(spec.account, Counter())[spec.instrument] += sign * quantity
            self._fills[spec.account] += 1

    def doubt(self, spec: OrderSpec) -> None:
        """Take in an order whose answer is missing: it is asked for in the end."""
        self._doubtful[spec.client_order_id] = spec

    async def missing(self) -> Missing:
        """Compare, until all agrees or it has had its time. Raises what keeps it from that."""
        await few_at_once(partial(self._resolve, spec) for spec in self._doubtful.values())
        now_s = asyncio.get_running_loop().time
        until_s, waiting = now_s() + PATIENCE_S, list(self._fills)
        while waiting and now_s() < until_s:
            agree = await few_at_once(partial(self._agrees, account) for account in waiting)
            waiting = [one for one, agrees in zip(waiting, agree, strict=True) if not agrees]
            await asyncio.sleep(PAUSE_S if waiting else 0)
        each = await few_at_once(partial(self._missing, account) for account in self._fills)
        return Missing(sum(one.lost for one in each), sum(one.doubled for one in each))

    async def _resolve(self, spec: OrderSpec) -> None:
        request = GetOrderRequest(client_order_id=spec.client_order_id, account=spec.account)
        try:
            self.expect((await insist(lambda: self._orders.get_order(request))).order)
        except ServiceError as error:
            if not error.definite:
                raise

    async def _agrees(self, account: str) -> bool:
        request = portfolio_pb2.ListPositionsRequest(account=account, page_size=PAGE)
        listed = await insist(lambda: self._portfolio.list_positions(request))
        held = {one.instrument: Decimal(one.quantity.value) for one in listed.positions}
        return held == {
            name: quantity for name, quantity in self._held[account].items() if quantity
        }

    async def _missing(self, account: str) -> Missing:
        """Compare the count of fills too: what was lost and what was doubled may balance."""
        booked, expected = await self._booked(account), self._fills[account]
        if booked == expected and not await self._agrees(account):
            return Missing(1, 1)
        return Missing(max(0, expected - booked), max(0, booked - expected))

    async def _booked(self, account: str) -> int:
        request = portfolio_pb2.ListJournalsRequest(account=account, page_size=PAGE)
        booked = 0
        while True:
            page = await insist(lambda: self._portfolio.list_journals(request))
            kinds = [journal.kind for journal in page.journals]
            booked += kinds.count(portfolio_pb2.JOURNAL_KIND_FILL)
            if not page.next_page_token:
                return booked
            request.page_token = page.next_page_token
