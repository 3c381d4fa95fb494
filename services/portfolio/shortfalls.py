"""Lets an account whose cash fell below zero reduce only: tells risk, until risk knows (P8)."""

import asyncio
import hashlib
import logging
from collections.abc import Iterable

from trading.risk.v1 import risk_pb2
from trading.risk.v1.risk_port import RiskService

from runtime.environment import Environment
from runtime.errors import ServiceError
from services.portfolio import store
from services.portfolio.books import Books
from services.portfolio.solvency import Shortfall, crossings

PAUSE_S = 0.5
REASON = "the ledger's cash is below zero"
log = logging.getLogger(__name__)


class Shortfalls:
    """Knows whose cash is below zero, and tells risk of each once."""

    def __init__(self, environment: Environment, risk: RiskService) -> None:
        self._environment = environment
        self._risk = risk
        self._below: dict[str, Shortfall] = {}
        self._news = asyncio.Event()

    async def read(self) -> None:
        """Read what was committed last."""
        found = await self._environment.database.read(store.shortfalls)
        self._below = {shortfall.account: shortfall for shortfall in found}
        self._news.set()

    def crossings(self, books: Books, accounts: Iterable[str]) -> list[Shortfall]:
        """Return whose cash crossed zero in what is about to be committed."""
        return crossings(books, accounts, self._below)

    def note(self, committed: Iterable[Shortfall]) -> None:
        """Remember crossings that are committed."""
        for shortfall in committed:
            if shortfall.is_below:
                self._below[shortfall.account] = shortfall
                log.critical("account %s: %s", shortfall.account, REASON)
            else:
                del self._below[shortfall.account]
            self._news.set()

    async def run(self) -> None:
        """Tell risk of each account, again and again until it has answered; until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            untold = [shortfall for shortfall in self._below.values() if not shortfall.is_told]
            with self._environment.progress.working("shortfalls"):
                told = [shortfall for shortfall in untold if await self._tell(shortfall)]
            if len(told) < len(untold):
                await asyncio.sleep(PAUSE_S * (0.5 + self._environment.rng.random()))
                self._news.set()

    async def _tell(self, shortfall: Shortfall) -> bool:
        request = risk_pb2.SetTradingModeRequest(
            scope=risk_pb2.Scope(kind=risk_pb2.SCOPE_KIND_ACCOUNT, id=shortfall.account),
            mode=risk_pb2.TRADING_MODE_REDUCE_ONLY,
            reason=REASON,
            request_id=_request_id(shortfall),
        )
        try:
            await self._risk.set_trading_mode(request)
        except ServiceError as error:
            if error.reason != "NOT_STRICTER":  # Stricter already: that is as good.
                return False
        told = shortfall._replace(is_told=True)
        await self._environment.database.write(lambda tx: store.put_shortfalls(tx, [told]))
        if self._below.get(shortfall.account) == shortfall:
            self._below[shortfall.account] = told
        return True


def _request_id(shortfall: Shortfall) -> str:
    """Name the request: the same shortfall is told once, also after a restart."""
    account = hashlib.sha256(shortfall.account.encode()).hexdigest()[:16]
    return f"cash-below-zero-{account}-{shortfall.journal}"
