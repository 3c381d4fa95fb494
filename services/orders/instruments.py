"""The grid of each instrument: its lot, tick and smallest quantity, as marketdata says."""

from dataclasses import dataclass

from grpc import StatusCode
from trading.marketdata.v1.marketdata_pb2 import GetQuoteRequest, ListInstrumentsRequest
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1.instrument_pb2 import InstrumentSpec

from runtime.errors import refusal
from services.orders.wire import attos

PAGE_SIZE = 1_000


@dataclass(frozen=True, slots=True)
class Grid:
    """What quantities and prices of an instrument are multiples of, in attos."""

    lot_atto: int
    tick_atto: int
    minimum_atto: int
    collar_bps: int = 0


class Instruments:
    """The grids, read when an instrument is met for the first time."""

    def __init__(self, marketdata: MarketDataService) -> None:
        self._marketdata = marketdata
        self._grids: dict[str, Grid] = {}

    async def grid(self, instrument: str) -> Grid:
        """Return the grid of an instrument; raises UNAVAILABLE while nobody knows it."""
        if instrument not in self._grids:
            await self._read()
        if instrument not in self._grids:
            raise refusal(
                StatusCode.UNAVAILABLE,
                "INSTRUMENT_UNKNOWN",
                f"marketdata does not list {instrument!r}: it cannot be sized until it does",
                service="orders",
            )
        return self._grids[instrument]

    async def last_atto(self, instrument: str) -> int:
        """Return the newest price; 0 when there is none."""
        answer = await self._marketdata.get_quote(GetQuoteRequest(instrument=instrument))
        return attos(answer.quote.last)

    async def _read(self) -> None:
        token = ""
        while True:
            page = await self._marketdata.list_instruments(
                ListInstrumentsRequest(page_size=PAGE_SIZE, page_token=token)
            )
            for spec in page.instruments:
                self._grids[spec.instrument] = _grid(spec)
            token = page.next_page_token
            if not token:
                return


def _grid(spec: InstrumentSpec) -> Grid:
    return Grid(
        attos(spec.lot_size), attos(spec.tick_size), attos(spec.min_quantity), spec.collar_bps
    )
