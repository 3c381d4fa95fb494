"""Steps of datasets: bundled ones are replayed, the user's files imported."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1.market_pb2 import (
    ADJUSTMENT_RAW,
    CANDLE_KIND_CLOSE_ONLY,
    CANDLE_KIND_OHLC,
    TIMEFRAME_DAY_1,
    TIMEFRAME_MINUTE_1,
)
from trading.types.v1.order_pb2 import ORDER_STATUS_NEW, ORDER_STATUS_REJECTED, Order

from features.bdd import given, then, when
from fixtures import dealing
from fixtures.market import FileRefused, import_file
from fixtures.mothers import FIRST_MINUTE, MINUTE, instant
from fixtures.stage import Stage
from runtime.times import to_timestamp

GENERATORS = ("square-v1", "synthetic-jd-v1")

scenarios("market_replay")


@when(parse('{month} {year:d} of "{symbol}" is replayed from "{dataset}"'))
async def replay_month(stage: Stage, month: str, year: int, symbol: str, dataset: str) -> None:
    first = datetime.strptime(f"{month} {year} +0000", "%B %Y %z")
    await replayed(stage, dataset, symbol, (first, first + timedelta(days=31)))


@given(parse('the index "{index}" and its declared proxy "{proxy}" are at {price}'))
async def index_and_proxy(stage: Stage, index: str, proxy: str, price: str) -> None:
    listed = await stage.marketdata.list_instruments(pb.ListInstrumentsRequest(page_size=1000))
    specs = {spec.instrument: spec for spec in listed.instruments}
    assert (specs[index].is_tradable, specs[proxy].proxy_of) == (False, index)
    await stage.system.admit((index, proxy))
    await stage.close_bar(index, price)
    await stage.close_bar(proxy, price)


@when("Ana orders one of each", target_fixture="orders")
async def order_each(stage: Stage) -> dict[str, Order]:
    return {symbol: await ordered(stage, symbol) for symbol in ("SPX.XSIM", "SPX5.XSIM")}


@then(parse('the order of "{symbol}" is rejected, since it is not tradable'))
def is_rejected(orders: dict[str, Order], symbol: str) -> None:
    assert orders[symbol].status == ORDER_STATUS_REJECTED
    assert any("TRADABLE" in code for code in orders[symbol].reject.codes), orders[symbol].reject


@then(parse('the order of "{symbol}" works at the venue'))
async def works(stage: Stage, orders: dict[str, Order], symbol: str) -> None:
    assert orders[symbol].status == ORDER_STATUS_NEW
    assert [one.order.instrument for one in await dealing.venue_orders(stage)] == [symbol]


@given(parse('the generator "{dataset}" of "{symbol}"'), target_fixture="line")
def choose(dataset: str, symbol: str) -> tuple[str, str]:
    return dataset, symbol


@when(parse("an hour of it is replayed with seed {seed:d}"), target_fixture="replays")
async def replay_hour(stage: Stage, line: tuple[str, str], seed: int) -> list[list[bytes]]:
    return [await hour_of(stage, line, seed)]


@when(parse("it is replayed again elsewhere with seed {seed:d}"))
async def replay_again(
    elsewhere: Stage, line: tuple[str, str], replays: list[list[bytes]], seed: int
) -> None:
    replays.append(await hour_of(elsewhere, line, seed))


@given(
    parse('a CSV of {days:d} days of which line {line:d} holds "{text}" as close'),
    target_fixture="csv",
)
def write_csv(tmp_path: Path, days: int, line: int, text: str) -> Path:
    rows = [f"2024-01-{day:02},100.{day:02}" for day in range(1, days + 1)]
    rows[line - 2] = f"2024-01-{line - 1:02},{text}"
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(["time,close", *rows]) + "\n")
    return path


@then(parse('every bar of "{symbol}" knows its close alone'))
async def knows_close_alone(stage: Stage, symbol: str) -> None:
    bars = await stage.bars(symbol, timeframe=TIMEFRAME_DAY_1)
    assert len(bars) > 15
    assert {bar.kind for bar in bars} == {CANDLE_KIND_CLOSE_ONLY}
    assert not any(bar.HasField("high") or bar.HasField("volume") for bar in bars)


@then(parse('the bar of "{symbol}" on {day} has a range and no volume'))
async def has_no_volume(stage: Stage, symbol: str, day: str) -> None:
    bars = await stage.bars(symbol, timeframe=TIMEFRAME_DAY_1)
    (bar,) = [bar for bar in bars if bar.open_time.ToJsonString().startswith(day)]
    assert bar.kind == CANDLE_KIND_OHLC
    assert bar.HasField("high")
    assert not bar.HasField("volume")


@then("both made the same bars")
def made_the_same(replays: list[list[bytes]]) -> None:
    assert replays[0] == replays[1]
    assert len(replays[0]) == 60


@when("the operator imports it", target_fixture="refused")
async def import_csv(stage: Stage, csv: Path) -> FileRefused:
    header = import_header(stage)
    with pytest.raises(FileRefused) as caught:
        await import_file(stage.marketdata, csv, header)
    return caught.value


@then(parse("the import is refused, naming file and line {line:d}"))
def names_the_line(refused: FileRefused, csv: Path, line: int) -> None:
    assert f"{csv}:{line}: " in str(refused)


@then("nothing of it is stored")
async def nothing_stored(stage: Stage) -> None:
    listed = await stage.marketdata.list_datasets(pb.ListDatasetsRequest())
    assert "import:mine" not in {dataset.dataset for dataset in listed.datasets}


# What steps do, where it takes more than a line.


async def ordered(stage: Stage, symbol: str) -> Order:
    name = stage.request_id()
    await dealing.submit(stage, dealing.signed_order(symbol, 1, client_order_id=name))
    await stage.system.settle()
    return await dealing.order_of(stage, name)


def import_header(stage: Stage) -> pb.ImportHeader:
    return pb.ImportHeader(
        request_id=stage.request_id(),
        dataset="mine",
        instrument="MINE.XSIM",
        timeframe=TIMEFRAME_DAY_1,
        adjustment=ADJUSTMENT_RAW,
        time_format=pb.TIME_FORMAT_SESSION_DATE,
    )


async def replayed(
    stage: Stage, dataset: str, symbol: str, span: tuple[datetime, datetime], seed: int = 0
) -> None:
    timeframe = TIMEFRAME_MINUTE_1 if dataset in GENERATORS else TIMEFRAME_DAY_1
    started = await stage.marketdata.start_replay(
        pb.StartReplayRequest(
            request_id=stage.request_id(),
            dataset=dataset,
            instruments=[symbol],
            from_time=to_timestamp(instant(span[0])),
            to_time=to_timestamp(instant(span[1])),
            seed=seed,
            timeframe=timeframe,
        )
    )
    await stage.replay_ended(started.replay.replay_id)


async def hour_of(stage: Stage, line: tuple[str, str], seed: int) -> list[bytes]:
    dataset, symbol = line
    span = (FIRST_MINUTE, FIRST_MINUTE + 60 * MINUTE)
    await replayed(stage, dataset, symbol, span, seed)
    bars = await stage.bars(symbol)
    return [bar.SerializeToString(deterministic=True) for bar in bars]
