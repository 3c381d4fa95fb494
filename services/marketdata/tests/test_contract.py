"""The domain's numbers and names are those of the contract."""

from enum import IntEnum, StrEnum

import pytest
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService
from trading.types.v1 import instrument_pb2, market_pb2

from runtime.times import to_timestamp
from services.marketdata.candles import Adjustment, CandleKind, Fault
from services.marketdata.cell_times import TimeFormat
from services.marketdata.cells import RowFault
from services.marketdata.instruments import CATALOGUE, InstrumentKind
from services.marketdata.messages import candle_of, instrument_of, spec_of
from services.marketdata.publication import Outcome
from services.marketdata.refusals import Refusal
from services.marketdata.replay import ReplayState
from services.marketdata.tables import metadata
from services.marketdata.tests import mothers
from services.marketdata.ticks import TickKind
from services.marketdata.timeframes import Timeframe


@pytest.mark.parametrize(
    ("ours", "theirs", "prefix"),
    [
        (Timeframe, market_pb2.Timeframe, "TIMEFRAME"),
        (CandleKind, market_pb2.CandleKind, "CANDLE_KIND"),
        (Adjustment, market_pb2.Adjustment, "ADJUSTMENT"),
        (InstrumentKind, instrument_pb2.InstrumentKind, "INSTRUMENT_KIND"),
        (Outcome, pb.CandleOutcome, "CANDLE_OUTCOME"),
        (TimeFormat, pb.TimeFormat, "TIME_FORMAT"),
        (ReplayState, pb.ReplayState, "REPLAY_STATE"),
        (TickKind, market_pb2.TickKind, "TICK_KIND"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_numbers_agree(ours: type[IntEnum], theirs: EnumTypeWrapper, prefix: str) -> None:
    stated = {name: number for name, number in theirs.items() if number}
    assert stated == {f"{prefix}_{item.name}": int(item) for item in ours if item}


@pytest.mark.parametrize(
    ("ours", "theirs", "prefix"),
    [
        (Fault, pb.CandleRejectReason, "CANDLE_REJECT_REASON"),
        (RowFault, pb.ImportRejectReason, "IMPORT_REJECT_REASON"),
        (Refusal, pb.MarketDataRefusalReason, "MARKET_DATA_REFUSAL_REASON"),
    ],
    ids=["candle", "line", "refusal"],
)
def test_reasons_agree(ours: type[StrEnum], theirs: EnumTypeWrapper, prefix: str) -> None:
    stated = {name.removeprefix(f"{prefix}_") for name, _ in theirs.items()} - {"UNSPECIFIED"}
    assert {item.value for item in ours} == stated


def test_every_instrument_crosses_the_wire_unchanged() -> None:
    for instrument in CATALOGUE.values():
        assert instrument_of(spec_of(instrument)) == instrument


def test_a_candle_crosses_the_wire_unchanged() -> None:
    for candle in (mothers.a_candle(), mothers.close_only(), mothers.a_candle(trade_count=0)):
        assert candle_of(mothers.message_of(candle)) == candle


def test_the_service_owns_the_tables_that_its_contract_names() -> None:
    options = MarketDataService.DESCRIPTOR.GetOptions()
    owned = next(value for _, value in options.ListFields() if hasattr(value, "owner_tables"))
    assert sorted(owned.owner_tables) == sorted(metadata.tables)


def test_a_time_before_1970_crosses_the_wire() -> None:
    candle = mothers.a_candle(open_ns=-1, close_ns=-60_000_000_001)
    assert mothers.message_of(candle).open_time == to_timestamp(-1)
    assert candle_of(mothers.message_of(candle)) == candle
