"""Peers that only listen, or answer always the same: market data and the subscribers."""

from collections.abc import Sequence

from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as marketdata_pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.portfolio.v1 import portfolio_pb2 as portfolio_pb
from trading.portfolio.v1.portfolio_port import PortfolioService
from trading.strategy.v1 import strategy_pb2 as strategy_pb
from trading.strategy.v1.strategy_port import StrategyService
from trading.types.v1 import instrument_pb2
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.signal_pb2 import Signal

from runtime.errors import ServiceError, refusal
from runtime.rpc import Call
from services.orders.tests.mothers import dec


class Told:
    """What a subscriber has been told; it insists on gap-free sequences, as the real ones do."""

    def __init__(self) -> None:
        self.events: list[OrderEvent] = []
        self.batches: list[int] = []
        self.failures: list[ServiceError] = []  # Raised first, one for each call.
        self.last_sequence = 0

    def tell(self, events: Sequence[OrderEvent]) -> int:
        """Take new events and return the last sequence known."""
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(len(events))
        for event in events:
            expected = self.last_sequence + 1
            if event.header.sequence > expected:
                raise refusal(
                    StatusCode.ABORTED,
                    "EVENT_GAP",
                    f"expected {expected}",
                    service="scripted",
                    expected=str(expected),
                )
            if event.header.sequence == expected:
                self.events.append(event)
                self.last_sequence = expected
        return self.last_sequence


class ScriptedMarketData(MarketDataService):
    """Lists one instrument: lot 1, tick 0.01."""

    async def list_instruments(
        self, request: marketdata_pb.ListInstrumentsRequest, call: Call = Call()
    ) -> marketdata_pb.ListInstrumentsResponse:
        spec = instrument_pb2.InstrumentSpec(
            instrument="ALPHA.XSIM", tick_size=dec("0.01"), lot_size=dec("1"), collar_bps=500
        )
        return marketdata_pb.ListInstrumentsResponse(instruments=[spec])

    async def get_quote(
        self, request: marketdata_pb.GetQuoteRequest, call: Call = Call()
    ) -> marketdata_pb.GetQuoteResponse:
        answer = marketdata_pb.GetQuoteResponse()
        answer.quote.last.value = "100"
        return answer


class ScriptedStrategy(StrategyService):
    """Listens, and lists the signals that it published."""

    def __init__(self) -> None:
        self.told = Told()
        self.published: list[Signal] = []

    async def list_signals(
        self, request: strategy_pb.ListSignalsRequest, call: Call = Call()
    ) -> strategy_pb.ListSignalsResponse:
        after = request.after_sequence
        found = [s for s in self.published if s.header.sequence > after]
        return strategy_pb.ListSignalsResponse(signals=found)

    async def report_order_events(
        self, request: strategy_pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> strategy_pb.ReportOrderEventsResponse:
        return strategy_pb.ReportOrderEventsResponse(last_sequence=self.told.tell(request.events))


class ScriptedPortfolio(PortfolioService):
    """Listens."""

    def __init__(self) -> None:
        self.told = Told()

    async def report_order_events(
        self, request: portfolio_pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> portfolio_pb.ReportOrderEventsResponse:
        return portfolio_pb.ReportOrderEventsResponse(last_sequence=self.told.tell(request.events))
