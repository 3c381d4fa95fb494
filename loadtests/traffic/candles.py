"""Which candle is published next: every instrument has one a second, each second's in turn."""

import math
from collections.abc import Iterator, Sequence

from trading.marketdata.v1.marketdata_pb2 import PublishCandlesRequest
from trading.types.v1.market_pb2 import Candle

from loadtests.traffic.square import second_candle, square_bars
from runtime.clock import SystemClock
from runtime.load.plan import Plan
from runtime.times import NS_PER_S

HISTORY = 40  # Candles that strategies are warm by.
TOGETHER = 400  # Candles of history in one call.
SPARE = 60  # Bars beyond those that the plan needs.


class Candles:
    """The candles of one run, on the path of `square-v1`."""

    def __init__(self, plan: Plan, indexes: Sequence[int], instruments: Sequence[str]) -> None:
        count = HISTORY + math.ceil(plan.warmup_s + plan.duration_s) + SPARE
        self._instruments = instruments
        self._bars = [square_bars(plan.seed, index, count).tolist() for index in indexes]
        self._next = [HISTORY] * len(instruments)
        self._last_s = [0] * len(instruments)  # When the last candle of each opened.
        self._turn = 0

    def history(self) -> Iterator[list[Candle]]:
        """Yield the candles of the past, up to now, some of all instruments together."""
        first_s = SystemClock().now_ns() // NS_PER_S - HISTORY
        self._last_s = [first_s + HISTORY - 1] * len(self._instruments)
        some: list[Candle] = []
        for number in range(HISTORY):
            for place, instrument in enumerate(self._instruments):
                bar = self._bars[place][number]
                some.append(second_candle(instrument, first_s + number, bar))
                if len(some) == TOGETHER:
                    yield some
                    some = []
        if some:
            yield some

    def next(self, time_s: float) -> Candle:
        """Return the candle to publish at `time_s` of the machine's clock.

        It is of the last whole second or, where its instrument has that already, the next.
        """
        place = self._turn
        self._turn = (place + 1) % len(self._instruments)
        open_s = max(int(time_s) - 1, self._last_s[place] + 1)
        self._last_s[place] = open_s
        bars, number = self._bars[place], self._next[place]
        self._next[place] = number + 1
        return second_candle(self._instruments[place], open_s, bars[number % len(bars)])


def backfill(candles: Sequence[Candle], request_id: str) -> PublishCandlesRequest:
    """Return the request that makes candles known without anybody acting on them."""
    return PublishCandlesRequest(request_id=request_id, candles=candles, is_backfill=True)
