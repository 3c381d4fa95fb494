"""What is due by the clock: breakers that end, days that begin, holds that show no life (K2)."""

import asyncio
import logging
from itertools import islice

from grpc import StatusCode
from sqlalchemy import Connection
from trading.orders.v1.orders_pb2 import GetOrderRequest
from trading.orders.v1.orders_port import OrderService
from trading.types.v1 import order_pb2
from trading.types.v1 import risk_pb2 as types
from trading.types.v1.order_pb2 import OrderStatus
from trading.types.v1.risk_pb2 import RiskEvent

from runtime.errors import ServiceError
from runtime.rpc import Call
from runtime.stores import StoreError
from services.risk import store
from services.risk.account import MINUTE_NS
from services.risk.deciding import Holds, release
from services.risk.desk import Desk, State
from services.risk.following import Key

log = logging.getLogger(__name__)
READ_BACK_S = 1.0
AGAIN_S = 0.2  # After the store has failed.
ASKED_AT_ONCE_MAX = 8  # After an overload thousands may be stuck: asking shall not cause the next.
NEVER_LEFT = (order_pb2.ORDER_STATUS_REJECTED, order_pb2.ORDER_STATUS_CANCELED)


class Vigil:
    """Sleeps on the clock until the next thing is due, and does it."""

    def __init__(self, desk: Desk, orders: OrderService) -> None:
        self._desk = desk
        self._orders = orders
        self._changed = asyncio.Event()
        self._until_ns: int | None = None

    def look(self) -> None:
        """Look at the clock anew if something is due sooner than before.

        What is due later now, as after almost every order, is found out at the former instant.
        """
        next_ns = self._desk.state.next_alarm_ns()
        if next_ns is not None and (self._until_ns is None or next_ns < self._until_ns):
            self._changed.set()

    async def keep(self) -> None:
        """Keep watch until cancelled."""
        clock = self._desk.environment.clock
        while True:
            self._changed.clear()
            self._until_ns = self._desk.state.next_alarm_ns()
            if self._until_ns is None:
                await self._changed.wait()
            elif self._until_ns <= clock.now_ns():
                with self._desk.environment.progress.working("what is due"):
                    await self._do_due_when_stored()
            else:
                await self._sleep(self._until_ns)

    async def _sleep(self, until_ns: int) -> None:
        """Return when the clock says so, or when something else may be due before."""
        sleeping = asyncio.ensure_future(self._desk.environment.clock.sleep_until(until_ns))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({sleeping, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            changed.cancel()

    async def _do_due_when_stored(self) -> None:
        """Do what is due, again as long as the store cannot take it: the state is read anew."""
        while True:
            try:
                await self._do_due()
            except StoreError as error:
                log.warning("what is due by the clock has to wait: %s", error)
                await asyncio.sleep(AGAIN_S)
            else:
                return

    async def _do_due(self) -> None:
        state = await self._desk.ready()
        now_ns = self._desk.environment.clock.now_ns()
        latest_ns = now_ns - MINUTE_NS
        due = (name for name, ns in state.unconfirmed.items() if ns <= latest_ns)
        stuck = list(islice(due, ASKED_AT_ONCE_MAX))  # The rest is still due the next moment.
        statuses = dict(zip(stuck, await asyncio.gather(*map(self._status, stuck)), strict=True))
        state = await self._desk.ready()
        still = [name for name in stuck if state.unconfirmed.pop(name, None) is not None]
        events = [self._desk.event(_stuck(name, statuses[name])) for name in still]
        given_back = _given_back(state, [n for n in still if statuses[n] in NEVER_LEFT], now_ns)
        state.book.end_breakers(now_ns)
        begun = [a for a in state.book.accounts.values() if state.book.begin_day(a, now_ns)]
        touched = begun or list(state.book.accounts.values())  # Their streaks may be over.

        def work(tx: Connection) -> None:
            store.put_holds(tx, given_back, now_ns)
            store.put_states(tx, touched)

        await asyncio.shield(self._desk.commit(work, events))

    async def _status(self, name: Key) -> "OrderStatus.ValueType | None":
        """Ask what became of an order; None when that cannot be told."""
        account, client_order_id = name
        request = GetOrderRequest(account=account, client_order_id=client_order_id)
        try:
            found = await self._orders.get_order(request, Call(timeout_s=READ_BACK_S))
        except ServiceError as error:
            is_unknown = error.code is StatusCode.NOT_FOUND
            return order_pb2.ORDER_STATUS_UNSPECIFIED if is_unknown else None
        if found.order.cum_quantity.value not in ("", "0"):
            return order_pb2.ORDER_STATUS_PARTIALLY_FILLED
        return found.order.status


def _given_back(state: State, names: list[Key], now_ns: int) -> Holds:
    """Give back the holds of orders that are over and traded nothing; return what changed."""
    holds: Holds = {}
    for account, client_order_id in names:
        _, changed = release(state, state.book.account(account), client_order_id, now_ns)
        holds = {**holds, **changed}
    return holds


def _stuck(name: Key, status: "OrderStatus.ValueType | None") -> RiskEvent:
    account, client_order_id = name
    told, severity = "orders did not say what became of it", types.SEVERITY_WARNING
    if status == order_pb2.ORDER_STATUS_UNSPECIFIED:
        told, severity = "orders does not know it", types.SEVERITY_CRITICAL
    elif status is not None:
        shown = OrderStatus.Name(status).removeprefix("ORDER_STATUS_")
        told = f"orders says {shown}"
    return RiskEvent(
        kind=types.RISK_EVENT_KIND_HOLD_STUCK,
        scope=f"account:{account}",
        observed=f"order {client_order_id} was approved, and nothing was heard of it: {told}",
        limit="60 s",
        severity=severity,
    )
