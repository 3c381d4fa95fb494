"""What strategies must know of instruments: their grid, and whether they may be traded."""

from collections.abc import Sequence
from dataclasses import dataclass

from trading.marketdata.v1 import marketdata_pb2
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import instrument_pb2

from runtime.atto import to_atto
from runtime.rpc import Call
from services.strategy.terms import Sizing, SizingWay, StrategyRefused

PAGE_SIZE = 1_000


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument's grid; it may be traded."""

    name: str
    tick_atto: int
    lot_atto: int
    currency: str


class Instruments:
    """The instruments that market data knows, read anew for each question: they change."""

    def __init__(self, market: MarketDataService) -> None:
        self._market = market

    async def tradable(
        self, names: Sequence[str], sizing: Sizing, call: Call
    ) -> dict[str, Instrument]:
        """Return these instruments, in the order of `names`.

        Raises StrategyRefused: INSTRUMENT_UNKNOWN, NOT_TRADABLE, or SIZING_INVALID for a
        notional in another currency than an instrument's.
        """
        known = await self._known(call)
        found = {}
        for name in names:
            if name not in known:
                raise StrategyRefused(
                    "INSTRUMENT_UNKNOWN",
                    f"no instrument is named {name}: list the instruments of market data",
                    instrument=name,
                )
            found[name] = _checked(known[name], sizing)
        return found

    async def _known(self, call: Call) -> dict[str, instrument_pb2.InstrumentSpec]:
        request = marketdata_pb2.ListInstrumentsRequest(page_size=PAGE_SIZE)
        known: dict[str, instrument_pb2.InstrumentSpec] = {}
        while True:
            page = await self._market.list_instruments(request, call)
            known |= {spec.instrument: spec for spec in page.instruments}
            if not page.next_page_token:
                return known
            request.page_token = page.next_page_token


def _checked(spec: instrument_pb2.InstrumentSpec, sizing: Sizing) -> Instrument:
    if not spec.is_tradable:
        raise StrategyRefused(
            "NOT_TRADABLE",
            f"{spec.instrument} can be watched, not traded: name what stands in for it",
            instrument=spec.instrument,
        )
    if sizing.way is SizingWay.NOTIONAL and sizing.currency != spec.currency:
        raise StrategyRefused(
            "SIZING_INVALID",
            f"sizing is in {sizing.currency}, must be in {spec.currency}: "
            f"{spec.instrument} is priced in it",
            field="sizing.notional.currency",
        )
    return Instrument(
        name=spec.instrument,
        tick_atto=to_atto(spec.tick_size.value),
        lot_atto=to_atto(spec.lot_size.value),
        currency=spec.currency,
    )
