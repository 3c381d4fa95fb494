"""The instruments of the bundled datasets: what each one is and how it may be traded.

The instrument master belongs to the universe service; until it stands, this catalogue is
what the platform knows. Imports add instruments of their own.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from services.marketdata.calendars import ALWAYS_OPEN, NEW_YORK

CENT = Decimal("0.01")
MILL = Decimal("0.001")
SQUARE_COUNT = 100
SYNTHETIC_COUNT = 16
PARKINSON_COUNT = 4
PARKINSON_PREFIX = "JP"

SP500_NAMES = {
    "AAPL": "Apple",
    "AMD": "Advanced Micro Devices",
    "BAC": "Bank of America",
    "BBY": "Best Buy",
    "CVX": "Chevron",
    "GE": "General Electric",
    "HD": "Home Depot",
    "JNJ": "Johnson & Johnson",
    "JPM": "JPMorgan Chase",
    "KO": "Coca-Cola",
    "LLY": "Eli Lilly",
    "MRK": "Merck",
    "MSFT": "Microsoft",
    "PEP": "PepsiCo",
    "PFE": "Pfizer",
    "PG": "Procter & Gamble",
    "RRC": "Range Resources",
    "UNH": "UnitedHealth",
    "WMT": "Walmart",
    "XOM": "Exxon Mobil",
}


class InstrumentKind(IntEnum):
    """What an instrument is; the numbers are those of `trading.types.v1.InstrumentKind`."""

    EQUITY = 1
    INDEX = 2
    FX = 3
    CRYPTO_SPOT = 4
    PERPETUAL = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One line of the instrument master; prices are multiples of `tick_size`.

    `is_derived` when nobody described it: an import made it out of its rows.
    """

    instrument: str
    name: str
    kind: InstrumentKind = InstrumentKind.EQUITY
    isin: str = ""
    currency: str = "USD"
    tick_size: Decimal = CENT
    lot_size: Decimal = Decimal(1)
    min_quantity: Decimal | None = Decimal(1)
    max_quantity: Decimal | None = Decimal(1_000_000)
    min_notional: Decimal | None = Decimal(1)
    collar_bps: int = 500
    calendar: str = NEW_YORK
    is_tradable: bool = True
    is_shortable: bool = True
    proxy_of: str = ""
    version: int = 1
    is_derived: bool = False

    @property
    def venue(self) -> str:
        """The last part of the identifier: where the instrument is listed."""
        return self.instrument.rpartition(".")[2]


def square_instrument(index: int) -> Instrument:
    """Return the `index`th instrument (0..99) of the load generator."""
    return Instrument(
        instrument=f"SQ{index:02d}.XSIM",
        name=f"Square wave {index}",
        kind=InstrumentKind.CRYPTO_SPOT,
        calendar=ALWAYS_OPEN,
        collar_bps=1_000,
    )


def synthetic_instrument(symbol: str, name: str) -> Instrument:
    """Return an instrument of the jump-diffusion generator."""
    return Instrument(
        instrument=f"{symbol}.XSIM",
        name=name,
        kind=InstrumentKind.CRYPTO_SPOT,
        calendar=ALWAYS_OPEN,
        collar_bps=1_000,
    )


def _index_and_proxy(index: str, proxy: str, name: str) -> tuple[Instrument, Instrument]:
    """An index is a number, not a thing one can buy; its proxy is declared to be one."""
    return (
        Instrument(
            instrument=f"{index}.XSIM",
            name=f"{name} index",
            kind=InstrumentKind.INDEX,
            is_tradable=False,
            is_shortable=False,
        ),
        Instrument(
            instrument=f"{proxy}.XSIM", name=f"{name} index proxy", proxy_of=f"{index}.XSIM"
        ),
    )


SP500_INSTRUMENTS = tuple(
    Instrument(instrument=f"{symbol}.XSIM", name=name, tick_size=MILL)
    for symbol, name in SP500_NAMES.items()
)
SP500_INDEX = _index_and_proxy("SPX", "SPX5", "S&P 500")
NASDAQ_INDEX = _index_and_proxy("IXIC", "NDX1", "NASDAQ Composite")
SQUARE_INSTRUMENTS = tuple(square_instrument(index) for index in range(SQUARE_COUNT))
SYNTHETIC_INSTRUMENTS = (
    *(
        synthetic_instrument(f"JD{number:02d}", f"Jump diffusion {number}")
        for number in range(SYNTHETIC_COUNT)
    ),
    *(
        synthetic_instrument(
            f"{PARKINSON_PREFIX}{number:02d}", f"Jump diffusion {number}, as volatile as the S&P"
        )
        for number in range(PARKINSON_COUNT)
    ),
)

CATALOGUE = {
    item.instrument: item
    for item in (
        *SP500_INSTRUMENTS,
        *SP500_INDEX,
        *NASDAQ_INDEX,
        *SQUARE_INSTRUMENTS,
        *SYNTHETIC_INSTRUMENTS,
    )
}
