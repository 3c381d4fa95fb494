"""Strategies of a load run: created on accounts of its own, started warm, stopped in the end."""

from collections.abc import AsyncIterator, Sequence
from functools import partial

from trading.orders.v1 import orders_pb2
from trading.orders.v1.orders_port import OrderService
from trading.strategy.v1 import strategy_pb2 as pb
from trading.strategy.v1.strategy_port import StrategyService
from trading.types.v1 import market_pb2

from loadtests.traffic.callers import TRADER
from loadtests.traffic.insisting import few_at_once, insist
from loadtests.traffic.naming import is_of_load
from loadtests.traffic.strategies import creation
from runtime.load.traffic import Ground

PAGE = 1000
WORKING = frozenset({pb.STRATEGY_STATE_WARMING, pb.STRATEGY_STATE_RUNNING})


class Traders:
    """One strategy on each account, each with its share of the instruments."""

    def __init__(self, ground: Ground, accounts: Sequence[str], instruments: Sequence[str]) -> None:
        self._strategies = ground.port(StrategyService, TRADER)
        self._orders = ground.port(OrderService, TRADER)
        self._instruments = frozenset(instruments)
        self._shares = {
            account: instruments[place :: len(accounts)] for place, account in enumerate(accounts)
        }
        self.ids: tuple[str, ...] = ()

    async def start(self) -> None:
        """Create and start every strategy; stop what an earlier run may have left."""
        await self._stop_others()
        shares = [(account, share) for account, share in self._shares.items() if share]
        self.ids = tuple(await few_at_once(partial(self._start, *one) for one in shares))

    async def stop(self) -> None:
        """Stop every strategy; what it holds it keeps."""
        await few_at_once(partial(self._stop, strategy_id) for strategy_id in self.ids)

    async def counters(self) -> list[pb.StrategyCounters]:
        """Return what each strategy has counted."""
        requests = [pb.GetStrategyRequest(strategy_id=strategy_id) for strategy_id in self.ids]
        answers = await few_at_once(
            partial(insist, partial(self._strategies.get_strategy, request)) for request in requests
        )
        return [answer.strategy.counters for answer in answers]

    async def decisions(self) -> AsyncIterator[orders_pb2.SignalDecision]:
        """Yield what became of every signal."""
        for strategy_id in self.ids:
            request = orders_pb2.ListSignalDecisionsRequest(strategy_id=strategy_id, page_size=PAGE)
            is_last = False
            while not is_last:
                page = await insist(partial(self._orders.list_signal_decisions, request))
                for decision in page.decisions:
                    yield decision
                request.page_token = page.next_page_token
                is_last = not page.next_page_token

    async def _start(self, account: str, instruments: Sequence[str]) -> str:
        second = market_pb2.TIMEFRAME_SECOND_1
        creating = creation(account, instruments, second, request_id=account)
        created = await insist(partial(self._strategies.create_strategy, creating))
        strategy_id = created.strategy.strategy_id
        starting = pb.StartStrategyRequest(strategy_id=strategy_id, request_id=account)
        await insist(partial(self._strategies.start_strategy, starting))
        return strategy_id

    async def _stop(self, strategy_id: str) -> None:
        stopping = pb.StopStrategyRequest(strategy_id=strategy_id, request_id=f"stop-{strategy_id}")
        await insist(partial(self._strategies.stop_strategy, stopping))

    async def _stop_others(self) -> None:
        """Stop strategies of runs that were cut off: on our instruments they would trade along."""
        request = pb.ListStrategiesRequest(page_size=PAGE)
        while True:
            page = await insist(partial(self._strategies.list_strategies, request))
            for one in page.strategies:
                is_ours = is_of_load(one.account) and self._instruments & set(one.instruments)
                if is_ours and one.state in WORKING:
                    await self._stop(one.strategy_id)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token
