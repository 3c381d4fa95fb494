"""Evaluates candles that a caller brings: what would be decided, with nothing stored."""

from dataclasses import replace

from trading.strategy.v1 import strategy_pb2 as pb
from trading.types.v1 import market_pb2

from runtime.clock import Clock
from runtime.rpc import Call
from services.strategy import configuring
from services.strategy.evaluation import evaluate
from services.strategy.hosted import Hosted
from services.strategy.indicators import IndicatorRequests
from services.strategy.instruments import Instruments
from services.strategy.kinds import KindState
from services.strategy.registry import checked, kind_of
from services.strategy.roster import Roster
from services.strategy.signals import drafted
from services.strategy.terms import Point, StrategyRefused
from services.strategy.wire import bar_of, config_of, evaluation_message

CLOSE_ONLY = market_pb2.CANDLE_KIND_CLOSE_ONLY


class Rehearsal:
    """Runs the same functions as the live way, on given candles."""

    def __init__(
        self, roster: Roster, instruments: Instruments, indicators: IndicatorRequests, clock: Clock
    ) -> None:
        self._roster = roster
        self._instruments = instruments
        self._indicators = indicators
        self._clock = clock

    async def evaluate(self, request: pb.EvaluateCandleRequest, call: Call) -> pb.Evaluation:
        """Return what would be decided after the last candle."""
        candles = request.candles
        name = candles[0].instrument
        hosted = await self._subject(request, name, call)
        _check_one_series(hosted, request)
        has_range = all(candle.kind != CLOSE_ONLY for candle in candles)
        kind = kind_of(hosted.config.kind)
        if kind.needs_range and not has_range:
            raise configuring.insufficient(hosted, name, "a range", "closes alone")
        values, is_warm = await self._indicators.values_over(
            hosted.config, list(candles), call, has_range=has_range
        )
        state: KindState = {}
        for earlier in values[:-1]:
            state = kind.prime(state, earlier)
        for before in candles[-2:-1]:
            state = kind.remember(state, bar_of(before))
        track = replace(hosted.tracks[name], has_range=has_range)
        hosted.tracks[name] = track
        point = Point(values[-1], is_warm)
        bar = bar_of(candles[-1])
        _, found = evaluate(hosted.setting(name), state, [bar], point, track.position)
        drafts = [drafted(hosted, name, bar, proposal) for proposal in found.proposals]
        return evaluation_message(name, bar, found, drafts)

    async def _subject(self, request: pb.EvaluateCandleRequest, name: str, call: Call) -> Hosted:
        if request.HasField("strategy_id"):
            hosted = self._roster.known(request.strategy_id).copy()
            if name not in hosted.tracks:
                raise StrategyRefused(
                    "INSTRUMENT_UNKNOWN",
                    f"{name} is not of this strategy, must be one of "
                    f"{', '.join(hosted.instruments)}",
                    instrument=name,
                )
            return hosted
        config = checked(config_of(request.config))
        found = await self._instruments.tradable([name], config.sizing, call)
        return configuring.created("", config, found, self._clock.now_ns())


def _check_one_series(hosted: Hosted, request: pb.EvaluateCandleRequest) -> None:
    name = request.candles[0].instrument
    for index, candle in enumerate(request.candles):
        is_its = candle.instrument == name and candle.timeframe == hosted.config.timeframe
        if not is_its or not candle.is_confirmed:
            raise StrategyRefused(
                "CANDLES_MIXED",
                f"candles[{index}] must be confirmed, of {name} and of the strategy's timeframe",
                field=f"candles[{index}]",
            )
