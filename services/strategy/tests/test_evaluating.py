"""Candles in, signals out: each candle once, each signal stored and published together."""

import pytest
from trading.strategy.v1 import strategy_pb2 as pb
from trading.types.v1 import market_pb2, signal_pb2

from runtime.times import to_ns
from services.strategy.tests.fakes import ALPHA, BETA, START_NS, candle
from services.strategy.tests.rig import Rig, square

PUBLISHED = signal_pb2.SIGNAL_STATUS_PUBLISHED
FILTERED = signal_pb2.SIGNAL_STATUS_FILTERED
OPEN = signal_pb2.SIGNAL_ACTION_OPEN


async def outcomes(rig: Rig, strategy_id: str) -> pb.StrategyCounters:
    return (await rig.get(strategy_id)).counters


async def test_crossings_are_published_in_sequence_without_a_gap() -> None:
    async with Rig() as rig:
        await rig.started()
        await rig.feed(square(40))
        stored, published = await rig.signals(), await rig.published()
    assert len(stored) == 6  # From candle 16 on: one crossing every four candles.
    assert published == stored
    assert [one.header.sequence for one in published] == [1, 2, 3, 4, 5, 6]
    directions = [one.direction for one in published]
    assert directions == 3 * [signal_pb2.DIRECTION_SHORT, signal_pb2.DIRECTION_LONG]


async def test_a_signal_states_everything_an_order_needs() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(17))
        (signal,) = await rig.signals()
    assert (signal.strategy_id, signal.account, signal.instrument) == (strategy_id, "main", ALPHA)
    assert (signal.action, signal.status, signal.config_version) == (OPEN, PUBLISHED, 1)
    assert to_ns(signal.candle_open_time) == START_NS + 16 * 60_000_000_000
    assert to_ns(signal.valid_until) - to_ns(signal.candle_open_time) == 120_000_000_000
    assert signal.entry_price.value == "100"
    assert float(signal.stop_price.value) > 100
    assert signal.stop_source == signal_pb2.STOP_SOURCE_ATR
    assert signal.sizing.target_position.value == "-10"
    assert [vote.name for vote in signal.votes] == ["EMA_CROSS"]
    assert signal.header.source == "strategy"


async def test_a_candle_is_evaluated_once_even_if_it_is_delivered_twice() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        for close in square(20):
            made = rig.show(close)
            rig.market.publish(made)
            await rig.settle()
            rig.market.publish(made)
        await rig.settle()
        counters, signals = await outcomes(rig, strategy_id), await rig.signals()
    assert (counters.evaluated, len(signals)) == (20, 1)


async def test_corrections_and_backfills_are_not_evaluated() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(18))
        correction = candle(17, 500)
        correction.revision = 1
        rig.market.publish(correction)
        rig.market.publish(candle(-1, 50), is_backfill=True)
        await rig.settle()
        counters = await outcomes(rig, strategy_id)
    assert counters.evaluated == 18


async def test_candles_of_other_series_concern_no_strategy() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(3), instrument=BETA)
        hourly = candle(60, 100)
        hourly.timeframe = market_pb2.TIMEFRAME_HOUR_1
        rig.market.publish(hourly)
        await rig.settle()
        assert (await outcomes(rig, strategy_id)).evaluated == 0


async def test_a_burst_is_evaluated_like_candles_one_by_one() -> None:
    async with Rig() as one_by_one:
        await one_by_one.started()
        await one_by_one.feed(square(60))
        expected = [s.signal_id for s in await one_by_one.signals()]
    async with Rig() as burst:
        await burst.started()
        for close in square(60):
            burst.show(close)
        await burst.settle()
        assert [s.signal_id for s in await burst.signals()] == expected


async def test_a_start_in_mid_market_signals_no_crossing_of_the_past() -> None:
    """The last jump was two candles ago: the next signal is that of the next jump."""
    async with Rig() as rig:
        rig.store(square(30))
        await rig.settle()
        strategy_id = await rig.started(is_cold=False)
        assert (await rig.get(strategy_id)).state == pb.STRATEGY_STATE_RUNNING
        await rig.feed(square(40)[30:32])
        assert await rig.signals() == []
        await rig.feed(square(40)[32:33])
        assert [s.direction for s in await rig.signals()] == [signal_pb2.DIRECTION_SHORT]


async def test_a_start_just_before_a_crossing_does_not_miss_it() -> None:
    async with Rig() as rig:
        rig.store(square(32))
        await rig.settle()
        await rig.started(is_cold=False)
        await rig.feed(square(33)[32:])
        assert [s.direction for s in await rig.signals()] == [signal_pb2.DIRECTION_SHORT]


async def test_a_cold_start_records_candles_as_not_warm_until_it_is_warm() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(14))
        warming = await rig.get(strategy_id)
        await rig.feed(square(15)[14:])
        running = await rig.get(strategy_id)
    assert (warming.state, warming.counters.not_warm) == (pb.STRATEGY_STATE_WARMING, 14)
    assert (warming.views[0].warm_have, warming.views[0].warm_need) == (14, 15)
    assert (running.state, running.counters.not_warm) == (pb.STRATEGY_STATE_RUNNING, 14)
    assert to_ns(running.anchor_time) == START_NS


async def test_a_cold_strategy_warms_up_on_a_backfill() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        rig.store(square(20))
        await rig.settle()
        await rig.feed(square(21)[20:])
        strategy = await rig.get(strategy_id)
    assert (strategy.state, strategy.counters.not_warm) == (pb.STRATEGY_STATE_RUNNING, 0)
    assert strategy.views[0].warm_have == 21
    assert to_ns(strategy.anchor_time) == START_NS


async def test_closes_alone_are_traded_with_the_stop_of_mean_moves() -> None:
    async with Rig() as rig:
        await rig.started()
        await rig.feed(square(17), spread=None)
        (signal,) = await rig.signals()
    assert signal.stop_source == signal_pb2.STOP_SOURCE_ABS_MOVE


async def test_instruments_with_and_without_ranges_trade_side_by_side() -> None:
    async with Rig() as rig:
        await rig.started(instruments=[ALPHA, BETA])
        for close in square(17):
            rig.show(close)
            rig.show(close, instrument=BETA, spread=None)
            await rig.settle()
        found = {s.instrument: s.stop_source for s in await rig.signals()}
    assert found == {
        ALPHA: signal_pb2.STOP_SOURCE_ATR,
        BETA: signal_pb2.STOP_SOURCE_ABS_MOVE,
    }


@pytest.mark.parametrize("path", ["stream", "batch"])
async def test_a_late_indicator_stream_is_replaced_by_a_batch_with_the_same_decision(
    path: str,
) -> None:
    async with Rig() as expected:
        await expected.started()
        await expected.feed(square(40))
        wanted = [s.SerializeToString() for s in await expected.signals()]
    async with Rig() as rig:
        await rig.started()
        await rig.feed(square(20))
        requests = rig.indicators.requests
        rig.indicators.is_stream_down = path == "batch"
        for close in square(40)[20:]:
            rig.show(close)
        await rig.settle()
        made = [without_time(s) for s in await rig.signals()]
        assert (rig.indicators.requests > requests) == (path == "batch")
    assert made == [without_time(signal_pb2.Signal.FromString(one)) for one in wanted]


def without_time(signal: signal_pb2.Signal) -> signal_pb2.Signal:
    signal.header.ClearField("occurred_at")
    return signal


async def test_without_indicators_a_candle_is_recorded_as_missing_its_input() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(16))
        rig.indicators.is_stream_down = rig.indicators.is_batch_down = True
        await rig.feed(square(17)[16:])
        counters = await outcomes(rig, strategy_id)
        assert await rig.signals() == []
    assert (counters.evaluated, counters.input_missing) == (17, 1)


async def test_three_errors_in_a_row_fail_the_strategy_with_its_reason() -> None:
    async with Rig() as rig:
        strategy_id = await rig.started()
        await rig.feed(square(16))
        rig.indicators.is_stream_down = rig.indicators.is_broken = True
        await rig.feed(square(18)[16:])
        assert (await rig.get(strategy_id)).state == pb.STRATEGY_STATE_RUNNING
        await rig.feed(square(20)[18:])
        strategy = await rig.get(strategy_id)
    assert strategy.state == pb.STRATEGY_STATE_FAILED
    assert "INVALID_ARGUMENT" in strategy.last_error
    assert strategy.counters.failed == 3


async def test_watchers_see_every_signal_after_a_sequence() -> None:
    async with Rig() as rig:
        await rig.started()
        await rig.feed(square(30))
        stream = rig.client.watch_signals(pb.WatchSignalsRequest(after_sequence=1))
        first = await anext(stream)
        stored = [await anext(stream) for _ in range(3)]
        await rig.feed(square(33)[30:])
        live = await anext(stream)
        await stream.aclose()
    assert (first.is_heartbeat, first.sequence) == (True, 4)
    assert [one.sequence for one in (*stored, live)] == [2, 3, 4, 5]
    assert live.signal.header.sequence == 5


async def test_signals_are_listed_in_pages_by_what_they_are_about() -> None:
    async with Rig() as rig:
        await rig.started()
        await rig.feed(square(40))
        first = await rig.client.list_signals(pb.ListSignalsRequest(page_size=4))
        rest = await rig.client.list_signals(
            pb.ListSignalsRequest(page_size=4, page_token=first.next_page_token)
        )
        later = await rig.signals(after_sequence=4)
        none = await rig.signals(status=FILTERED)
    assert [s.header.sequence for s in [*first.signals, *rest.signals]] == [1, 2, 3, 4, 5, 6]
    assert rest.next_page_token == ""
    assert [s.header.sequence for s in later] == [5, 6]
    assert none == []
