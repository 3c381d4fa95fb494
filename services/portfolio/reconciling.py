"""Compares positions with those of the venue: it states, and books nothing."""

import asyncio
from collections.abc import Mapping

from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from sqlalchemy import Connection
from trading.exchange.v1.exchange_pb2 import GetBalanceRequest
from trading.exchange.v1.exchange_port import ExchangeService
from trading.portfolio.v1 import portfolio_pb2 as pb

from runtime.atto import from_atto, to_atto
from runtime.environment import Environment
from runtime.errors import ServiceError
from runtime.rpc import Call
from runtime.stores import Requests
from runtime.times import to_timestamp
from services.portfolio import store, tables
from services.portfolio.refusals import PortfolioRefused
from services.portfolio.writer import Writer

METHOD = "reconcile_positions"


class Reconciling:
    """Answers ReconcilePositions; remembers since when a position differs."""

    def __init__(
        self, environment: Environment, writer: Writer, venues: Mapping[str, ExchangeService]
    ) -> None:
        self._environment = environment
        self._writer = writer
        self._venues = venues
        self._requests = Requests(
            environment.database, tables.requests, environment.clock, service="portfolio"
        )

    async def stop(self) -> None:
        """Cancel what still runs for callers."""
        await self._requests.stop()

    async def reconcile(
        self, request: pb.ReconcilePositionsRequest, call: Call
    ) -> pb.ReconcilePositionsResponse:
        """Compare, or answer as the first request of that id was answered."""
        if request.venue not in self._venues:
            raise PortfolioRefused(
                pb.PORTFOLIO_REFUSAL_REASON_VENUE_UNKNOWN,
                f"no venue is named {request.venue}: one of {', '.join(self._venues)} is",
            )
        key = request.request_id
        return await self._requests.once(METHOD, key, request, lambda: self._compare(request, call))

    async def _compare(
        self, request: pb.ReconcilePositionsRequest, call: Call
    ) -> pb.ReconcilePositionsResponse:
        theirs = await self._theirs(request, call)
        async with self._writer.opened() as books:
            facts = books.accounts.get(request.account)
            names = [name for name in (facts.instruments if facts else ()) if _is_at(name, request)]
            ours = {name: books.position(request.account, name).quantity_atto for name in names}
        found = differences(ours, theirs)
        now_ns = self._environment.clock.now_ns()

        def work(tx: Connection) -> dict[str, int]:
            known = store.breaks_since(tx, request.account)
            since = {name: known.get(name, now_ns) for name in found}
            over = [name for name in known if _is_at(name, request) and name not in found]
            store.put_breaks(tx, request.account, since | dict.fromkeys(over))
            return since

        writing = asyncio.ensure_future(self._environment.database.write(work))
        since = await asyncio.shield(writing)
        return pb.ReconcilePositionsResponse(
            breaks=[
                pb.PositionBreak(
                    instrument=name,
                    ours=Decimal(value=from_atto(mine)),
                    theirs=Decimal(value=from_atto(their)),
                    since=to_timestamp(since[name]),
                )
                for name, (mine, their) in found.items()
            ]
        )

    async def _theirs(self, request: pb.ReconcilePositionsRequest, call: Call) -> dict[str, int]:
        asked = GetBalanceRequest(account=request.account)
        try:
            balance = await self._venues[request.venue].get_balance(asked, call)
        except ServiceError as error:
            if error.code is StatusCode.NOT_FOUND:
                return {}
            raise
        return {each.instrument: to_atto(each.quantity.value or "0") for each in balance.positions}


def differences(ours: Mapping[str, int], theirs: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Return what both sides hold of each instrument of which they hold unequal quantities."""
    pairs = {name: (ours.get(name, 0), theirs.get(name, 0)) for name in sorted({*ours, *theirs})}
    return {name: (mine, their) for name, (mine, their) in pairs.items() if mine != their}


def _is_at(instrument: str, request: pb.ReconcilePositionsRequest) -> bool:
    return instrument.endswith(f".{request.venue}")
