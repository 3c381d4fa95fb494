"""CHAIN: candles as they close, timed until they are stored and until their fills are booked."""

import asyncio
import math
from collections.abc import Sequence
from functools import partial

from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1.order_pb2 import Order

from loadtests.traffic.bookings import Bookings
from loadtests.traffic.callers import FEED
from loadtests.traffic.candles import Candles, backfill
from loadtests.traffic.crowd import Crowd
from loadtests.traffic.insisting import insist
from loadtests.traffic.ledger import Ledger, Missing
from loadtests.traffic.listing import list_all, name_of
from loadtests.traffic.market import Market
from loadtests.traffic.naming import run_name
from loadtests.traffic.settling import concluded, dwindled, latest_s, settle
from loadtests.traffic.signals import Sent, Signals
from loadtests.traffic.traders import Traders
from runtime.clock import SystemClock
from runtime.errors import ServiceError, refusal
from runtime.load.traffic import Ground, Meter, Remainder, Unit
from runtime.times import NS_PER_S

ACCOUNTS = 10
SERIES = "acknowledged"
PAUSE_S = 0.1


class Chain:
    """Publishes candles on which strategies trade every fourth time.

    A candle that no strategy trades on is stored and evaluated, and that is all: "booked" counts
    those that were traded on. The venue's price stands still.
    """

    def __init__(self, ground: Ground, meter: Meter) -> None:
        plan = ground.plan
        self._prefix = f"{run_name(plan)}-c"
        indexes = [plan.part + plan.parts * place for place in range(math.ceil(plan.rate))]
        instruments = [name_of(index) for index in indexes]
        self._ground, self._meter = ground, meter
        self._now_s = asyncio.get_running_loop().time
        self._ahead_s = SystemClock().now_ns() / NS_PER_S - self._now_s()  # Of the loop's clock.
        self._feed = ground.port(MarketDataService, FEED)
        self._market = Market(ground, self._prefix, instruments)
        accounts = plan.share(plan.profile.options.get("accounts", ACCOUNTS))
        self._crowd = Crowd(ground, self._prefix, min(accounts, len(instruments)))
        self._candles = Candles(plan, indexes, instruments)
        self._traders = Traders(ground, self._crowd.accounts, instruments)
        self._signals = Signals(ground, meter)
        self._bookings = Bookings(ground, self._booked)
        self._ledger = Ledger(ground)
        self._sending = self._stored = self._doubtful = self._evaluated = 0
        self._first_s = self._last_s = 0.0

    async def prepare(self) -> None:
        """List the instruments, publish their past, start the strategies."""
        await list_all(self._ground, self._market)
        await self._crowd.open()
        for number, candles in enumerate(self._candles.history()):
            request = backfill(candles, f"{self._prefix}-h{number}")
            await insist(partial(self._feed.publish_candles, request))
        await self._traders.start()
        await self._signals.watch(self._traders.ids)
        await self._bookings.watch(self._crowd.accounts)

    async def send(self, number: int, intended_s: float) -> None:
        """Publish one candle."""
        await self.send_together([Unit(number, intended_s)])

    async def send_together(self, units: Sequence[Unit]) -> None:
        """Publish candles in one call, as a feed does with those that close together."""
        request = pb.PublishCandlesRequest(request_id=f"{self._prefix}-{units[0].number}")
        sent_s = self._now_s()
        for unit in units:
            candle = self._candles.next(unit.intended_s + self._ahead_s)
            request.candles.append(candle)
            sent = Sent(unit.intended_s, sent_s)
            self._signals.published(candle.instrument, candle.open_time.seconds, sent)
        self._first_s, self._last_s = self._first_s or units[0].intended_s, units[-1].intended_s
        self._sending += len(units)
        try:
            for unit, error in zip(units, await self._publish(request), strict=True):
                self._stored += error is None
                self._meter.ended(SERIES, unit.intended_s, sent_s, error)
        finally:
            self._sending -= len(units)

    async def finish(self) -> Remainder:
        """Let all signals become fills, stop the strategies, compare the ledger with the fills."""
        backlog, until_s = self._under_way(), latest_s()
        await concluded(self._look(until_s))
        await settle(self._under_way, until_s)
        unresolved = self._under_way() + self._unevaluated
        missing = await concluded(self._conclude())
        await self._signals.close()
        await self._bookings.close()
        rate = self._signals.traded / max(1.0, self._last_s - self._first_s)
        facts = {"signals_per_s": rate}
        if missing is None:
            return Remainder(backlog, unresolved + 1, facts=facts)
        left = self._stored - self._evaluated
        return Remainder(
            backlog=backlog,
            unresolved=unresolved,
            lost=missing.lost + self._signals.open + max(0, left),
            doubled=missing.doubled + self._signals.doubled + max(0, -left - self._doubtful),
            facts=facts,
        )

    async def _publish(self, request: pb.PublishCandlesRequest) -> list[ServiceError | None]:
        """Publish; return for each candle why it is not stored, None where it is."""
        count = len(request.candles)
        try:
            results = (await self._feed.publish_candles(request)).results
        except ServiceError as error:
            self._doubtful += 0 if error.definite else count
            return [error] * count
        return [_rejected(result) for result in results]

    @property
    def _unevaluated(self) -> int:
        return max(0, self._stored - self._evaluated)

    def _under_way(self) -> int:
        return self._sending + self._signals.open

    async def _conclude(self) -> Missing:
        await dwindled(lambda: self._unevaluated + self._under_way(), self._look_again)
        await self._traders.stop()
        return await self._ledger.missing()

    async def _look_again(self) -> None:
        """Hear of the signals that will never have an order too."""
        await self._look()
        if self._signals.open:
            async for decision in self._traders.decisions():
                self._signals.decided(decision)

    async def _look(self, until_s: float = 0.0) -> None:
        """Look how many candles are evaluated, until all are and their signals are heard of."""
        while True:
            counters = await self._traders.counters()
            self._evaluated = sum(one.evaluated for one in counters)
            published = sum(one.published for one in counters)
            is_all = not self._unevaluated and self._signals.heard >= published
            if is_all or self._now_s() > until_s:
                return
            await asyncio.sleep(PAUSE_S)

    def _booked(self, order: Order, error: ServiceError | None) -> None:
        self._signals.order_ended(order, error)
        if error is None:
            self._ledger.expect(order)


def _rejected(result: pb.CandleResult) -> ServiceError | None:
    """Return why a candle was not stored, as an error; None when it was."""
    if result.outcome == pb.CANDLE_OUTCOME_STORED:
        return None
    outcome = pb.CandleOutcome.Name(result.outcome).removeprefix("CANDLE_OUTCOME_")
    return refusal(StatusCode.FAILED_PRECONDITION, outcome, result.text, service="marketdata")
