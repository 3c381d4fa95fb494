"""ImportCandles: all or nothing, named lines, and a dataset that can be replayed."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import instrument_pb2, market_pb2

from runtime.errors import BadRequest, ServiceError
from runtime.times import to_ns
from services.marketdata.instruments import CATALOGUE
from services.marketdata.messages import spec_of
from services.marketdata.tests import mothers
from services.marketdata.tests.mothers import a_header, a_market, an_import, some_rows

EQUITY = instrument_pb2.INSTRUMENT_KIND_EQUITY
TIMES = [f"2024-01-02T12:{minute:02d}:00Z" for minute in (0, 1, 2, 5)]
CLOSES = ["100.5", "101", "102.25", "99"]
ROWS = some_rows(time=TIMES, close=CLOSES)


async def datasets(market: mothers.Market) -> dict[str, pb.Dataset]:
    answer = await market.client.list_datasets(pb.ListDatasetsRequest())
    return {dataset.dataset: dataset for dataset in answer.datasets}


async def test_an_import_becomes_a_dataset_with_its_instrument() -> None:
    market = await a_market()
    answer = await market.client.import_candles(an_import(a_header(), ROWS))
    assert (answer.rows, answer.accepted, list(answer.rejected)) == (4, 4, [])
    dataset = answer.dataset
    assert dataset.dataset == "import:mine"
    assert dataset.kind == market_pb2.CANDLE_KIND_CLOSE_ONLY
    assert (dataset.rows, dataset.gaps) == (4, 2)
    assert (await datasets(market))["import:mine"] == dataset
    found = await market.client.list_instruments(pb.ListInstrumentsRequest(page_size=1_000))
    spec = next(item for item in found.instruments if item.instrument == "NEW.XSIM")
    assert (spec.tick_size.value, spec.calendar) == ("0.01", "24/7")


async def test_a_bad_line_stores_nothing_and_is_named() -> None:
    market = await a_market()
    rows = some_rows(time=TIMES, close=["100.5", "ten", "102.25", "-1"])
    with pytest.raises(ServiceError) as caught:
        await market.client.import_candles(an_import(a_header(), rows))
    assert caught.value.code is StatusCode.FAILED_PRECONDITION
    assert caught.value.reason == "LINES_REJECTED"
    details = caught.value.detail(BadRequest)
    assert details is not None
    assert [violation.field for violation in details.field_violations] == [
        "rows.line[3]",
        "rows.line[5]",
    ]
    assert "line 3: NUMBER_MALFORMED: close is 'ten'" in details.field_violations[0].description
    assert "import:mine" not in await datasets(market)


async def test_an_imported_history_can_be_replayed() -> None:
    market = await a_market()
    await market.client.import_candles(an_import(a_header(), ROWS))
    request = mothers.a_replay(
        dataset="import:mine", instruments=[], from_time=None, to_time=None, speed=1_000
    )
    await market.client.start_replay(request)
    seen = await mothers.items(market, 5)
    assert [item.WhichOneof("item") for item in seen] == [
        *("candle",) * 3,
        "gap",
        "candle",
    ]
    candle = seen[-1].candle
    assert (candle.close.value, to_ns(candle.open_time)) == ("99", mothers.NOON_NS + 5 * 60 * 10**9)
    assert (candle.source.dataset, candle.source.provider) == ("import:mine", "me")


async def test_an_import_is_kept_over_a_restart_and_replaced_by_the_next_one() -> None:
    market = await a_market()
    many = some_rows(
        time=[
            f"2024-01-{1 + i // 1440:02d}T{i // 60 % 24:02d}:{i % 60:02d}:00Z" for i in range(999)
        ],
        close=["100"] * 999,
    )
    await market.client.import_candles(an_import(a_header(), many))
    market = await market.restarted()
    assert (await datasets(market))["import:mine"].rows == 999
    again = a_header(request_id="import-2")
    assert (await market.client.import_candles(an_import(again, ROWS))).dataset.rows == 4
    market = await market.restarted()
    assert (await datasets(market))["import:mine"].rows == 4


async def test_a_repeated_import_gets_the_first_answer() -> None:
    market = await a_market()
    first = await market.client.import_candles(an_import(a_header(), ROWS))
    assert await market.client.import_candles(an_import(a_header(), ROWS)) == first
    with pytest.raises(ServiceError) as caught:
        await market.client.import_candles(an_import(a_header(dataset="other"), ROWS))
    assert caught.value.code is StatusCode.ALREADY_EXISTS


async def test_rows_can_be_judged_without_storing_them() -> None:
    market = await a_market()
    answer = await market.client.import_candles(an_import(a_header(validate_only=True), ROWS))
    assert answer.dataset.rows == 4
    assert "import:mine" not in await datasets(market)


async def test_a_few_bad_lines_may_be_left_out_and_are_told() -> None:
    market = await a_market()
    times = [f"2024-01-02T12:{minute:02d}:00Z" for minute in range(20)]
    rows = some_rows(time=times, close=["100"] * 19 + ["x"])
    answer = await market.client.import_candles(an_import(a_header(is_partial_allowed=True), rows))
    assert (answer.rows, answer.accepted) == (20, 19)
    assert answer.rejected[0].line == 21
    assert answer.rejected[0].reason == pb.IMPORT_REJECT_REASON_NUMBER_MALFORMED


async def test_a_stated_instrument_decides_calendar_and_tick() -> None:
    market = await a_market()
    spec = spec_of(CATALOGUE["KO.XSIM"])
    spec.instrument = "NEW.XSIM"
    header = a_header(
        spec=spec,
        timeframe=market_pb2.TIMEFRAME_DAY_1,
        time_format=pb.TIME_FORMAT_SESSION_DATE,
    )
    rows = some_rows(time=["2024-01-05", "2024-01-09"], close=["10.001", "10.002"])
    answer = await market.client.import_candles(an_import(header, rows))
    assert answer.dataset.gaps == 1  # Monday; the weekend is none.
    off_tick = some_rows(time=["2024-01-02T12:00:00Z"], close=["10.0001"])
    with pytest.raises(ServiceError, match="PRICE_OFF_TICK"):
        await market.client.import_candles(an_import(a_header(request_id="2"), off_tick))


async def test_an_instrument_made_from_rows_is_refined_by_the_next_import() -> None:
    market = await a_market()
    for number, close in enumerate(["10", "10.125", "10.5"]):
        rows = some_rows(time=["2024-01-02T12:00:00Z"], close=[close])
        header = a_header(request_id=str(number))
        await market.client.import_candles(an_import(header, rows))
        market = await market.restarted()
    found = await market.client.list_instruments(pb.ListInstrumentsRequest(page_size=1_000))
    spec = next(item for item in found.instruments if item.instrument == "NEW.XSIM")
    assert (spec.tick_size.value, spec.version) == ("0.001", 2)


async def test_what_is_known_of_a_bundled_instrument_is_not_changed_by_an_import() -> None:
    market = await a_market()
    spec = spec_of(CATALOGUE["SQ00.XSIM"])
    header = a_header(instrument="SQ00.XSIM", spec=spec)
    await market.client.import_candles(an_import(header, ROWS))
    spec.tick_size.value = "0.5"
    header = a_header(request_id="other", instrument="SQ00.XSIM", spec=spec)
    with pytest.raises(ServiceError) as caught:
        await market.client.import_candles(an_import(header, ROWS))
    assert caught.value.reason == "INSTRUMENT_DIFFERS"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timezone": "Mars/Olympus"}, "TIMEZONE_UNKNOWN"),
        ({"mapping": pb.ColumnMapping(close="Adj Close")}, "COLUMN_MISSING"),
        (
            {
                "spec": instrument_pb2.InstrumentSpec(
                    instrument="NEW.XSIM", calendar="XXXX", kind=EQUITY
                )
            },
            "CALENDAR_UNKNOWN",
        ),
        (
            {"spec": instrument_pb2.InstrumentSpec(instrument="OLD.XSIM", kind=EQUITY)},
            "INSTRUMENT_DIFFERS",
        ),
    ],
    ids=["zone", "column", "calendar", "instrument"],
)
async def test_a_header_that_cannot_be_is_refused(changes: dict[str, object], reason: str) -> None:
    market = await a_market()
    with pytest.raises(ServiceError) as caught:
        await market.client.import_candles(an_import(a_header(**changes), ROWS))
    assert caught.value.reason == reason


async def test_the_header_comes_first_and_once() -> None:
    market = await a_market()

    async def headless() -> AsyncIterator[pb.ImportCandlesRequest]:
        yield pb.ImportCandlesRequest(rows=ROWS)

    async def twice() -> AsyncIterator[pb.ImportCandlesRequest]:
        yield pb.ImportCandlesRequest(header=a_header())
        yield pb.ImportCandlesRequest(header=a_header())

    for messages in (headless(), twice()):
        with pytest.raises(ServiceError) as caught:
            await market.client.import_candles(messages)
        assert caught.value.reason == "HEADER_MISSING"


async def test_numbers_cross_the_wire_as_exact_integers() -> None:
    market = await a_market()
    rows = pb.ImportRows(lines=[1, 2])
    rows.columns["time"].numbers.extend([60, 120])
    rows.columns["close"].numbers.extend([10050, 10075])
    rows.columns["close"].exponent = -2
    header = a_header(time_format=pb.TIME_FORMAT_EPOCH_S)
    await market.client.import_candles(an_import(header, rows))
    request = mothers.a_replay(
        dataset="import:mine", instruments=[], from_time=None, to_time=None, speed=1_000
    )
    await market.client.start_replay(request)
    closes = [Decimal(item.candle.close.value) for item in await mothers.items(market, 2)]
    assert closes == [Decimal("100.5"), Decimal("100.75")]
