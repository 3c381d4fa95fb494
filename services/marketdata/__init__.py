"""Accepts, stores, replays and fans out candles and ticks; says what each number is."""

from services.marketdata.candles import Candle, CandleKind
from services.marketdata.replay import Pacer
from services.marketdata.service import MarketData
from services.marketdata.timeframes import Timeframe

__all__ = ["Candle", "CandleKind", "MarketData", "Pacer", "Timeframe"]
