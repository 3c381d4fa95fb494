"""The services that execution asks."""

from dataclasses import dataclass

from trading.exchange.v1.exchange_port import ExchangeService
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.risk.v1.risk_port import RiskService


@dataclass(frozen=True, slots=True)
class Peers:
    """The venue, market data and risk; `venue` is the suffix of what trades at `exchange`."""

    exchange: ExchangeService
    marketdata: MarketDataService
    risk: RiskService
    venue: str = "XSIM"
