"""Reads orders and signal decisions page by page, in the order in which they came to be."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import Connection, Select, Table, bindparam, select
from trading.orders.v1.orders_pb2 import OrderRefusalReason

from runtime.paging import ForeignToken, place_of, size_of, token_of
from services.orders import tables as t
from services.orders.bookkeeping import Outcome
from services.orders.refusals import OrderRefused
from services.orders.states import LIVE
from services.orders.store import Stored, stored_of

_NUMBERED = (
    select(t.orders)
    .where(t.orders.c.number.in_(bindparam("numbers", expanding=True)))
    .order_by(t.orders.c.number)
)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: what comes after a number, and how many."""

    after: int
    size: int
    query: Message  # That the page belongs to.

    @classmethod
    def of(cls, query: Message, size: int, token: str) -> "Page":
        """Return the page that a token names; raises OrderRefused for another query's token."""
        try:
            return cls(int(place_of(query, token) or 0), size_of(size), query)
        except ForeignToken as foreign:
            reason = OrderRefusalReason.ORDER_REFUSAL_REASON_PAGE_TOKEN_FOREIGN
            raise OrderRefused(reason, str(foreign)) from None

    def token_after(self, numbers: Sequence[int]) -> str:
        """Return the token of the next page, empty when these rows were fewer than asked for."""
        return self.token_at(numbers[-1]) if len(numbers) >= self.size else ""

    def token_at(self, number: int) -> str:
        """Return the token of the page after a number."""
        return token_of(self.query, str(number))


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders; empty fields leave nothing out."""

    account: str = ""
    strategy_id: str = ""
    instrument: str = ""
    places: tuple[int, ...] = ()
    is_live_only: bool = False


def list_orders(tx: Connection, wanted: OrderFilter, page: Page) -> list[Stored]:
    """Return one page of orders."""
    places = _places(wanted)
    if places is None:
        return [stored_of(row) for row in tx.execute(_matching(t.orders.c, wanted, page))]
    # One seek for each place: together they are in no order that an index has.
    at_place = _matching([t.orders.c.number], wanted, page)
    at_place = at_place.where(t.orders.c.place == bindparam("place"))
    found = [tx.execute(at_place, {"place": place}).scalars().all() for place in places]
    numbers = sorted(itertools.chain(*found))[: page.size]
    rows = tx.execute(_NUMBERED, {"numbers": numbers}) if numbers else ()
    return [stored_of(row) for row in rows]


def _places(wanted: OrderFilter) -> list[int] | None:
    """Return the places that an order may have; None when it may have any."""
    if not wanted.is_live_only:
        return sorted(set(wanted.places)) or None
    return [int(place) for place in LIVE if not wanted.places or place in wanted.places]


def _matching(columns: Iterable[Any], wanted: OrderFilter, page: Page) -> Select[Any]:
    query = _after(columns, t.orders, page)
    for name in ("account", "strategy_id", "instrument"):
        if value := getattr(wanted, name):
            query = query.where(t.orders.c[name] == value)
    return query


@dataclass(frozen=True, slots=True)
class DecidedSignal:
    """One row of the signal decisions."""

    number: int
    signal_id: str
    sequence: int
    strategy_id: str
    outcome: Outcome
    client_order_id: str
    order_id: str
    codes: tuple[str, ...]
    decided_ns: int


def list_decisions(
    tx: Connection, strategy_id: str, outcome: int, page: Page
) -> list[DecidedSignal]:
    """Return one page of signal decisions; an empty strategy or outcome 0 leaves nothing out."""
    query = _after(t.signal_decisions.c, t.signal_decisions, page)
    if strategy_id:
        query = query.where(t.signal_decisions.c.strategy_id == strategy_id)
    if outcome:
        query = query.where(t.signal_decisions.c.outcome == outcome)
    return [
        DecidedSignal(
            number=row.number,
            signal_id=row.signal_id,
            sequence=row.sequence,
            strategy_id=row.strategy_id,
            outcome=Outcome(row.outcome),
            client_order_id=row.client_order_id,
            order_id=row.order_id,
            codes=tuple(filter(None, row.codes.split(","))),
            decided_ns=row.decided_ns,
        )
        for row in tx.execute(query)
    ]


def _after(columns: Iterable[Any], table: Table, page: Page) -> Select[Any]:
    number = table.c.number
    return select(*columns).where(number > page.after).order_by(number).limit(page.size)
