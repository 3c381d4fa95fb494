"""The tunnel's first candle is seen against the bar before it, which nobody decided on."""

from typing import Any

from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService

from runtime.local import LocalTransport
from runtime.rpc import Call, connect
from services.strategy.indicators import IndicatorRequests
from services.strategy.priming import Priming
from services.strategy.terms import Config
from services.strategy.tests import mothers, vegas_mothers
from services.strategy.tests.fakes import ALPHA, MINUTE_NS, START_NS, FakeMarket, candle
from services.strategy.vegas import VEGAS

SPAN = START_NS, START_NS + 3 * MINUTE_NS
CLOSES = (101.0, 102.0, 99.5, 150.0)  # The last one is the candle that is to be decided on.


class StoredMarket(FakeMarket):
    """A market that lists what it has shown, the newest of a span."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[pb.ListCandlesRequest] = []

    async def list_candles(
        self, request: pb.ListCandlesRequest, call: Call = Call()
    ) -> pb.ListCandlesResponse:
        """Answer the newest candles of a span."""
        self.requests.append(request)
        found = self.stored(
            request.instrument,
            request.from_time.ToNanoseconds(),
            request.to_time.ToNanoseconds(),
        )
        return pb.ListCandlesResponse(candles=found[-request.last_count :])


class Values(IndicatorRequests):
    """Indicators that have had the same values on each of three candles."""

    def __init__(self) -> None:
        """Ask nobody."""

    async def earlier_values(
        self, config: Config, instrument: str, span: tuple[int, int], *, has_range: bool
    ) -> tuple[int, list[dict[str, float]]]:
        """Return the values of the tunnel."""
        return 3, [dict(vegas_mothers.point().values)] * 3


async def primed(config: Config) -> tuple[Any, StoredMarket]:
    """Return what the past comes to, and the market that was asked."""
    market = StoredMarket()
    for minute, close in enumerate(CLOSES):
        market.publish(candle(minute, close))
    client = connect(MarketDataService, LocalTransport([market]))
    found = await Priming(Values(), client).prime(config, ALPHA, SPAN, has_range=True)
    assert found is not None
    return found.kind_state, market


async def test_the_bar_before_the_first_candle_is_remembered() -> None:
    state, _ = await primed(vegas_mothers.setting().config)
    last = mothers.bar(2, 99.5, high=99.6, low=99.4)
    assert state == VEGAS.remember(VEGAS.prime({}, vegas_mothers.point().values), last)
    assert state["close"] == 99.5


async def test_a_kind_that_remembers_no_bar_asks_for_none() -> None:
    _, market = await primed(mothers.setting().config)
    assert market.requests == []
