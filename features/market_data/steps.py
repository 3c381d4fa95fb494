"""Steps of market data: a feed publishes, watchers watch, datasets are replayed."""

from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

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
    Candle,
)

from features.bdd import given, then, when
from fixtures.market import FileRefused, import_file
from fixtures.mothers import FIRST_MINUTE, MINUTE, instant, minute_candle
from fixtures.stage import Stage
from runtime.errors import ServiceError
from runtime.times import NS_PER_S, to_ns, to_timestamp

SYMBOL = "SQ00.XSIM"
Answer = pb.PublishCandlesResponse | ServiceError

scenarios("market_data")


@given(parse('the feed has published a bar of "{symbol}" at {close}'), target_fixture="bar")
async def publish_bar(stage: Stage, symbol: str, close: str) -> Candle:
    return await stage.close_bar(symbol, close)


@given(parse('the feed has published {count:d} bars of "{symbol}"'))
async def publish_bars(stage: Stage, count: int, symbol: str) -> None:
    await publish_minutes(stage, symbol, range(1, count + 1))


@when("the feed sends the same bar again under another request", target_fixture="answer")
async def send_again(stage: Stage, bar: Candle) -> Answer:
    return await stage.publish([bar])


@when(parse("the feed corrects that bar to {close}"), target_fixture="answer")
async def correct(stage: Stage, bar: Candle, close: str) -> Answer:
    return await stage.publish([minute_candle(bar.instrument, close, revision=1)])


@when(parse("the feed sends that bar with another close of {close}"), target_fixture="answer")
async def contradict(stage: Stage, bar: Candle, close: str) -> Answer:
    return await stage.publish([minute_candle(bar.instrument, close)])


@when("the feed sends a bar from before them", target_fixture="answer")
async def send_older(stage: Stage) -> Answer:
    return await stage.publish([minute_candle(SYMBOL, "99.00", minute=0)])


@when(
    parse('the feed sends a bar of "{bad}" at {price} beside one of "{good}" at {close}'),
    target_fixture="answer",
)
async def send_both(stage: Stage, bad: str, price: str, good: str, close: str) -> Answer:
    stage.system.clock.skip_to(instant(FIRST_MINUTE + MINUTE))
    return await attempt(stage, [minute_candle(bad, price), minute_candle(good, close)])


@when(parse("{minutes:d} minutes pass without another"))
async def let_time_pass(stage: Stage, minutes: int) -> None:
    clock = stage.system.clock
    clock.skip_to(clock.now_ns() + minutes * 60 * NS_PER_S)


@given(parse('a watcher of "{symbol}"'), target_fixture="after_sequence")
def watch_from_now(symbol: str) -> int:
    return 0


@given(
    parse('a watcher of "{symbol}" that has seen {count:d} bars and left'),
    target_fixture="after_sequence",
)
async def watch_and_leave(stage: Stage, symbol: str, count: int) -> int:
    await publish_minutes(stage, symbol, range(1, count + 1))
    seen = await watched(stage, symbol, count, after_sequence=0)
    return int(seen[-1].sequence)


@when(parse("the feed publishes the bars of minutes {first:d} and {second:d}"))
async def publish_with_gap(stage: Stage, first: int, second: int) -> None:
    await publish_minutes(stage, SYMBOL, (first, second))


@when(parse("the feed publishes {count:d} more bars"))
async def publish_more(stage: Stage, count: int) -> None:
    await publish_minutes(stage, SYMBOL, range(3, 3 + count))


@when("the watcher returns to where it was", target_fixture="seen")
async def return_to_watch(stage: Stage, after_sequence: int) -> list[Any]:
    return await watched(stage, SYMBOL, 3, after_sequence=after_sequence)


@when(parse('{month} {year:d} of "{symbol}" is replayed from "{dataset}"'))
async def replay_month(stage: Stage, month: str, year: int, symbol: str, dataset: str) -> None:
    first = datetime.strptime(f"{month} {year} +0000", "%B %Y %z")
    await replayed(stage, dataset, symbol, (first, first + timedelta(days=31)))


@when("the instruments are listed", target_fixture="instruments")
async def list_instruments(stage: Stage) -> dict[str, Any]:
    listed = await stage.marketdata.list_instruments(pb.ListInstrumentsRequest(page_size=1000))
    return {spec.instrument: spec for spec in listed.instruments}


@when(
    parse('an hour of "{symbol}" is replayed with seed {seed:d}'),
    target_fixture="replays",
)
async def replay_hour(stage: Stage, symbol: str, seed: int) -> list[list[bytes]]:
    return [await hour_of(stage, symbol, seed)]


@when(parse("it is replayed again elsewhere with seed {seed:d}"))
async def replay_again(elsewhere: Stage, replays: list[list[bytes]], seed: int) -> None:
    replays.append(await hour_of(elsewhere, SYMBOL, seed))


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


@then(parse('"{symbol}" has {count:d} bar'))
@then(parse('"{symbol}" has {count:d} bars'))
async def has_bars(stage: Stage, symbol: str, count: int) -> None:
    assert len(await bars_of(stage, symbol, TIMEFRAME_MINUTE_1)) == count


@then("it is answered as a duplicate")
def is_duplicate(answer: pb.PublishCandlesResponse) -> None:
    assert [r.outcome for r in answer.results] == [pb.CANDLE_OUTCOME_DUPLICATE]


@then("it is answered as revised")
def is_revised(answer: pb.PublishCandlesResponse) -> None:
    assert [r.outcome for r in answer.results] == [pb.CANDLE_OUTCOME_REVISED]


@then(parse("it is rejected as {reason}"))
def is_rejected(answer: pb.PublishCandlesResponse, reason: str) -> None:
    assert answer.results[0].outcome == pb.CANDLE_OUTCOME_REJECTED
    assert pb.CandleRejectReason.Name(answer.results[0].reason).endswith(f"_REASON_{reason}")


@then("the whole request is refused, naming the price")
def is_refused(answer: Answer) -> None:
    assert isinstance(answer, ServiceError)
    assert answer.code.name == "INVALID_ARGUMENT"
    assert "candles[0].open" in answer.message


@then(parse('the newest bar of "{symbol}" closes at {close}'))
async def closes_at(stage: Stage, symbol: str, close: str) -> None:
    bars = await bars_of(stage, symbol, TIMEFRAME_MINUTE_1)
    assert float(bars[-1].close.value) == float(close)


@then(parse("as first seen it closed at {close}"))
async def closed_at_first(stage: Stage, close: str) -> None:
    view = pb.REVISION_VIEW_AS_FIRST_SEEN
    bars = await bars_of(stage, SYMBOL, TIMEFRAME_MINUTE_1, view)
    assert float(bars[-1].close.value) == float(close)


@then(parse('the quote of "{symbol}" is stale and {minutes:d} minutes old'))
async def quote_is_stale(stage: Stage, symbol: str, minutes: int) -> None:
    quote = await stage.marketdata.get_quote(pb.GetQuoteRequest(instrument=symbol))
    assert quote.is_stale
    assert round(quote.age.ToSeconds() / 60) == minutes


@then("the watcher sees a bar, a gap of 2 minutes and a bar")
async def sees_a_gap(stage: Stage, after_sequence: int) -> None:
    seen = await watched(stage, SYMBOL, 3, after_sequence=after_sequence)
    assert [item.WhichOneof("item") for item in seen] == ["candle", "gap", "candle"]
    gap = seen[1].gap
    assert to_ns(gap.to_time) - to_ns(gap.from_time) == 2 * 60 * NS_PER_S


@then(parse("it sees the {count:d} bars it missed, in order"))
def sees_what_it_missed(seen: list[Any], after_sequence: int, count: int) -> None:
    expected = list(range(after_sequence + 1, after_sequence + 1 + count))
    assert [item.sequence for item in seen] == expected


@then(parse('every bar of "{symbol}" knows its close alone'))
async def knows_close_alone(stage: Stage, symbol: str) -> None:
    bars = await bars_of(stage, symbol, TIMEFRAME_DAY_1)
    assert len(bars) > 15
    assert {bar.kind for bar in bars} == {CANDLE_KIND_CLOSE_ONLY}
    assert not any(bar.HasField("high") or bar.HasField("volume") for bar in bars)


@then(parse('the bar of "{symbol}" on {day} has a range and no volume'))
async def has_no_volume(stage: Stage, symbol: str, day: str) -> None:
    bars = await bars_of(stage, symbol, TIMEFRAME_DAY_1)
    (bar,) = [bar for bar in bars if bar.open_time.ToJsonString().startswith(day)]
    assert bar.kind == CANDLE_KIND_OHLC
    assert bar.HasField("high")
    assert not bar.HasField("volume")


@then(parse('"{symbol}" is not tradable'))
def is_not_tradable(instruments: dict[str, Any], symbol: str) -> None:
    assert not instruments[symbol].is_tradable


@then(parse('"{symbol}" is tradable and a proxy of "{index}"'))
def is_a_proxy(instruments: dict[str, Any], symbol: str, index: str) -> None:
    assert instruments[symbol].is_tradable
    assert instruments[symbol].proxy_of == index


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


def import_header(stage: Stage) -> pb.ImportHeader:
    return pb.ImportHeader(
        request_id=stage.request_id(),
        dataset="mine",
        instrument="MINE.XSIM",
        timeframe=TIMEFRAME_DAY_1,
        adjustment=ADJUSTMENT_RAW,
        time_format=pb.TIME_FORMAT_SESSION_DATE,
    )


async def attempt(stage: Stage, candles: list[Candle]) -> Answer:
    try:
        return await stage.publish(candles)
    except ServiceError as error:
        return error


async def publish_minutes(stage: Stage, symbol: str, minutes: Any) -> None:
    for minute in minutes:
        stage.system.clock.skip_to(instant(FIRST_MINUTE + (minute + 1) * MINUTE))
        answer = await stage.publish([minute_candle(symbol, "100.00", minute=minute)])
        assert answer.results[0].outcome == pb.CANDLE_OUTCOME_STORED, answer


async def bars_of(
    stage: Stage, symbol: str, timeframe: Any, revision: Any = pb.REVISION_VIEW_LATEST
) -> list[Candle]:
    listed = await stage.marketdata.list_candles(
        pb.ListCandlesRequest(
            instrument=symbol, timeframe=timeframe, revision=revision, page_size=1000
        )
    )
    return list(listed.candles)


async def watched(stage: Stage, symbol: str, count: int, *, after_sequence: int) -> list[Any]:
    request = pb.WatchCandlesRequest(instruments=[symbol], after_sequence=after_sequence)
    seen: list[Any] = []
    async with aclosing(stage.marketdata.watch_candles(request)) as stream:
        async for message in stream:
            if not message.is_heartbeat:
                seen.append(message)
            if len(seen) == count:
                return seen
    return seen


async def replayed(
    stage: Stage, dataset: str, symbol: str, span: tuple[datetime, datetime], seed: int = 0
) -> None:
    timeframe = TIMEFRAME_MINUTE_1 if dataset == "square-v1" else TIMEFRAME_DAY_1
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


async def hour_of(stage: Stage, symbol: str, seed: int) -> list[bytes]:
    span = (FIRST_MINUTE, FIRST_MINUTE + 60 * MINUTE)
    await replayed(stage, "square-v1", symbol, span, seed)
    bars = await bars_of(stage, symbol, TIMEFRAME_MINUTE_1)
    return [bar.SerializeToString(deterministic=True) for bar in bars]
