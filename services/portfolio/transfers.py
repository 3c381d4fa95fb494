"""Books cash that comes into an account or leaves it."""

import hashlib

from grpc import StatusCode
from sqlalchemy import Connection
from trading.portfolio.v1 import portfolio_pb2 as pb

from runtime.environment import Environment
from runtime.errors import refusal
from runtime.stores import Requests
from services.portfolio import journals, store, tables, wire
from services.portfolio.books import Books
from services.portfolio.ledger import CASH, Journal, JournalKind, transfer_entries
from services.portfolio.refusals import PortfolioRefused
from services.portfolio.writer import Writer

METHOD = "transfer_cash"


class Transfers:
    """Moves cash between accounts and the outside world, each request once."""

    def __init__(self, environment: Environment, writer: Writer) -> None:
        self._environment = environment
        self._writer = writer
        self._requests = Requests(
            environment.database, tables.requests, environment.clock, service="portfolio"
        )

    async def transfer(self, request: pb.TransferCashRequest) -> pb.TransferCashResponse:
        """Book the transfer, or answer as the first request of that id was answered."""
        units = _units(request)
        key = request.request_id
        return await self._requests.once(METHOD, key, request, lambda: self._book(request, units))

    async def stop(self) -> None:
        """Cancel what still runs for callers."""
        await self._requests.stop()

    async def _book(self, request: pb.TransferCashRequest, units: int) -> pb.TransferCashResponse:
        async with self._writer.opened() as books:
            currency = request.amount.currency
            _check_allowed(books, request.account, units, currency)
            now_ns, first = self._environment.clock.now_ns(), books.sequence + 1
            journal = Journal(
                request.account,
                JournalKind.TRANSFER,
                f"transfer/{request.request_id}",
                "",
                now_ns,
                transfer_entries(units, currency),
            )
            balances = books.add([journal], now_ns)
            answer = pb.TransferCashResponse(
                journal_id=str(first),
                balance=wire.money(books.balance(request.account, CASH, currency), currency),
            )
            content = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()

            def work(tx: Connection) -> None:
                store.put_accounts(tx, books, [request.account])  # Before what refers to it.
                journals.add_journals(tx, [journal], [content], first)
                store.put_balances(tx, books, balances)
                self._requests.remember(tx, METHOD, request.request_id, request, answer)

            await self._writer.commit(work, [request.account], now_ns=now_ns)
        return answer


def _units(request: pb.TransferCashRequest) -> int:
    """Return the signed amount in minor units: out of the account is negative."""
    try:
        units = wire.minor_of(request.amount)
    except ValueError as error:
        raise refusal(
            StatusCode.INVALID_ARGUMENT, "AMOUNT_OFF_MINOR_UNIT", str(error), service="portfolio"
        ) from None
    return units if request.direction == pb.TRANSFER_DIRECTION_IN else -units


def _check_allowed(books: Books, account: str, units: int, currency: str) -> None:
    facts = books.accounts.get(account)
    if facts is not None and facts.currency != currency:
        raise PortfolioRefused(
            pb.PORTFOLIO_REFUSAL_REASON_CURRENCY_UNSUPPORTED,
            f"account {account} settles in {facts.currency}, not in {currency}: "
            "convert the money before, or use another account",
            currency=facts.currency,
        )
    cash = books.balance(account, CASH, currency)
    if units < 0 and cash + units < 0:
        free = wire.money(cash, currency).amount.value
        raise PortfolioRefused(
            pb.PORTFOLIO_REFUSAL_REASON_CASH_INSUFFICIENT,
            f"account {account} has {free} {currency}, fewer than are to be withdrawn: "
            "withdraw at most that",
            free=free,
        )
