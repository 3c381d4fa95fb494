"""Replays: in the order of time, paced, repeatable to the byte, stopped without harm."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from runtime.clock import ReplayClock
from runtime.errors import ServiceError
from runtime.times import to_ns, to_timestamp
from services.marketdata.candles import Candle
from services.marketdata.tests.mothers import NOON_NS, Market, a_candle, a_market, a_replay, items
from services.marketdata.timeframes import NS_PER_MINUTE, NS_PER_SECOND


@dataclass
class World:
    """A pacer that moves the clock and writes down what it was told."""

    told: list[str] = field(default_factory=list)
    clock: ReplayClock | None = None
    fails_at: int = -1
    behind_ns: int = 0  # So far the clock is from the close of a bar when it is out.

    async def before(self, candles: Sequence[Candle]) -> None:
        assert self.clock is not None
        self.clock.skip_to(candles[0].close_ns - self.behind_ns)
        minute = (candles[0].open_ns - NOON_NS) // NS_PER_MINUTE
        if minute == self.fails_at:
            raise RuntimeError("the venue fell over")
        self.told.append(f"before {minute}: {','.join(c.instrument[:4] for c in candles)}")

    async def after(self) -> None:
        await asyncio.sleep(0)
        self.told.append("after")


async def a_paced_market(world: World, now_ns: int = NOON_NS) -> Market:
    market = await a_market(now_ns=now_ns, pacer=world)
    world.clock = market.clock
    return market


async def finished(market: Market, replay: pb.Replay) -> pb.Replay:
    """Wait for the end of a replay; return how it ended."""
    while replay.state == pb.REPLAY_STATE_RUNNING:
        await asyncio.sleep(1)
        request = pb.GetReplayRequest(replay_id=replay.replay_id)
        replay = (await market.client.get_replay(request)).replay
    return replay


async def play(market: Market, request: pb.StartReplayRequest) -> pb.Replay:
    return await finished(market, (await market.client.start_replay(request)).replay)


async def test_all_bars_of_one_time_come_together_and_the_world_moves_first() -> None:
    world = World()
    market = await a_paced_market(world)
    replay = await play(market, a_replay())
    assert world.told[:3] == ["before 0: SQ00,SQ01", "after", "before 1: SQ00,SQ01"]
    assert len(world.told) == 20
    assert (replay.state, replay.published, replay.total) == (pb.REPLAY_STATE_FINISHED, 20, 20)
    assert to_ns(replay.position) == NOON_NS + 10 * NS_PER_MINUTE
    published = await items(market, 20)
    times = [to_ns(item.candle.close_time) for item in published]
    assert times == sorted(times)
    assert not any(item.is_backfill for item in published)


async def test_a_clock_that_was_set_back_holds_a_replay_up_and_does_not_end_it() -> None:
    world = World(behind_ns=3 * NS_PER_SECOND // 2)  # A candle may be a second early.
    market = await a_paced_market(world)
    replay = await play(market, a_replay())
    assert (replay.state, replay.published) == (pb.REPLAY_STATE_FINISHED, 20)


async def test_a_replay_with_the_same_seed_is_identical_byte_for_byte() -> None:
    async def stream(seed: int) -> list[bytes]:
        market = await a_paced_market(World())
        await play(market, a_replay(seed=seed, history_count=5))
        return [item.SerializeToString(deterministic=True) for item in await items(market, 30)]

    assert await stream(7) == await stream(7)
    assert await stream(7) != await stream(8)


async def test_history_is_stored_first_as_a_backfill() -> None:
    world = World()
    market = await a_paced_market(world)
    replay = await play(market, a_replay(history_count=5))
    assert replay.published == 20
    seen = await items(market, 30)
    assert [item.is_backfill for item in seen] == [True] * 10 + [False] * 20
    assert to_ns(seen[0].candle.open_time) == NOON_NS - 5 * NS_PER_MINUTE
    assert {item.WhichOneof("item") for item in seen} == {"candle"}  # No gap at the seam.


async def test_real_closes_are_replayed_as_closes_only_at_the_end_of_their_sessions() -> None:
    start_ns = 1_669_852_800 * NS_PER_SECOND  # 2022-12-01
    market = await a_paced_market(World(), now_ns=start_ns)
    request = a_replay(
        dataset="sp500-20-close",
        instruments=[],
        from_time=to_timestamp(start_ns),
        to_time=None,
        timeframe=market_pb2.TIMEFRAME_DAY_1,
        history_count=3,
    )
    replay = await play(market, request)
    assert replay.total == replay.published == 19 * 20
    seen = await items(market, 22 * 20)
    assert {item.candle.kind for item in seen} == {market_pb2.CANDLE_KIND_CLOSE_ONLY}
    assert {item.candle.source.adjustment for item in seen} == {market_pb2.ADJUSTMENT_TOTAL_RETURN}
    assert to_ns(seen[-1].candle.close_time) == 1_672_261_200 * NS_PER_SECOND  # 16:00, New York.


async def test_an_index_comes_with_its_proxy() -> None:
    market = await a_paced_market(World(), now_ns=1_546_000_000 * NS_PER_SECOND)
    request = a_replay(
        dataset="nasdaq-index",
        instruments=[],
        from_time=to_timestamp(1_546_000_000 * NS_PER_SECOND),
        to_time=None,
        timeframe=market_pb2.TIMEFRAME_DAY_1,
    )
    await play(market, request)
    index, proxy = await items(market, 2)
    assert (index.candle.instrument, index.candle.source.is_proxy) == ("IXIC.XSIM", False)
    assert (proxy.candle.instrument, proxy.candle.source.is_proxy) == ("NDX1.XSIM", True)
    assert index.candle.close == proxy.candle.close


async def test_a_replay_at_twice_real_time_takes_half_the_time() -> None:
    market = await a_market(now_ns=NOON_NS + 60 * NS_PER_MINUTE)
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    await play(market, a_replay(speed=2))
    assert loop.time() - started_s == pytest.approx(300, abs=1)


async def test_no_candle_is_published_before_its_time() -> None:
    market = await a_market(now_ns=NOON_NS)
    await play(market, a_replay(speed=1_000))
    assert market.clock.now_ns() >= NOON_NS + 10 * NS_PER_MINUTE


async def test_speed_zero_needs_a_world_that_tells_when_it_is_at_rest() -> None:
    market = await a_market()
    with pytest.raises(ServiceError) as caught:
        await market.client.start_replay(a_replay(speed=0))
    assert caught.value.code is StatusCode.FAILED_PRECONDITION
    assert caught.value.reason == "SPEED_NEEDS_VIRTUAL_TIME"


async def test_a_repeated_request_starts_one_replay() -> None:
    market = await a_paced_market(World())
    first = await market.client.start_replay(a_replay())
    assert await market.client.start_replay(a_replay()) == first
    assert (await finished(market, first.replay)).published == 20


async def test_an_instrument_is_replayed_once_at_a_time() -> None:
    market = await a_market(now_ns=NOON_NS + 60 * NS_PER_MINUTE)
    running = (await market.client.start_replay(a_replay(speed=1))).replay
    with pytest.raises(ServiceError) as caught:
        await market.client.start_replay(
            a_replay(request_id="other", instruments=["SQ01.XSIM"], speed=1)
        )
    assert caught.value.reason == "REPLAY_RUNNING"
    assert running.replay_id in caught.value.message
    others = a_replay(request_id="third", instruments=["SQ02.XSIM"], speed=1)
    await market.client.start_replay(others)
    await market.service.stop()


async def test_a_stopped_replay_keeps_what_it_published() -> None:
    market = await a_market(now_ns=NOON_NS + 60 * NS_PER_MINUTE)
    running = (await market.client.start_replay(a_replay(speed=1))).replay
    await asyncio.sleep(150)
    request = pb.StopReplayRequest(replay_id=running.replay_id, request_id="stop")
    stopped = (await market.client.stop_replay(request)).replay
    assert (stopped.state, stopped.published) == (pb.REPLAY_STATE_STOPPED, 4)
    assert len(await items(market, 4)) == 4
    again = pb.StopReplayRequest(replay_id=running.replay_id, request_id="stop again")
    assert (await market.client.stop_replay(again)).replay == stopped


async def test_a_replay_that_the_service_left_behind_is_stopped_and_may_be_repeated() -> None:
    market = await a_market(now_ns=NOON_NS + 60 * NS_PER_MINUTE)
    running = (await market.client.start_replay(a_replay(speed=1))).replay
    await asyncio.sleep(150)
    market = await market.restarted()
    request = pb.GetReplayRequest(replay_id=running.replay_id)
    left = (await market.client.get_replay(request)).replay
    assert (left.state, left.published) == (pb.REPLAY_STATE_STOPPED, 4)
    assert "the service ended while it ran" in left.failure
    again = await play(market, a_replay(request_id="again", speed=1_000))
    assert again.state == pb.REPLAY_STATE_FINISHED
    assert [item.sequence for item in await items(market, 20)] == list(range(1, 21))


async def test_a_candle_that_is_refused_ends_the_replay_and_is_named() -> None:
    market = await a_paced_market(World(), now_ns=NOON_NS + 60 * NS_PER_MINUTE)
    await market.publish(a_candle(3))
    replay = await play(market, a_replay())
    assert replay.state == pb.REPLAY_STATE_FAILED
    assert "MINUTE_1 candle of SQ00.XSIM" in replay.failure
    assert "OUT_OF_ORDER" in replay.failure


async def test_a_world_that_fails_is_not_passed_over_in_silence() -> None:
    market = await a_paced_market(World(fails_at=4))
    replay = await play(market, a_replay())
    assert (replay.state, replay.published) == (pb.REPLAY_STATE_FAILED, 8)
    assert "the venue fell over" in replay.failure
    with pytest.raises(RuntimeError, match="the venue fell over"):
        await market.service.stop()


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"dataset": "none"}, StatusCode.NOT_FOUND, "UNKNOWN_DATASET"),
        ({"instruments": ["KO.XSIM"]}, StatusCode.NOT_FOUND, "UNKNOWN_INSTRUMENT"),
        (
            {"timeframe": market_pb2.TIMEFRAME_DAY_1},
            StatusCode.INVALID_ARGUMENT,
            "TIMEFRAME_UNAVAILABLE",
        ),
        ({"to_time": None}, StatusCode.INVALID_ARGUMENT, "SPAN_EMPTY"),
        ({"to_time": to_timestamp(NOON_NS)}, StatusCode.INVALID_ARGUMENT, "SPAN_EMPTY"),
        ({"to_time": to_timestamp(2 * NOON_NS)}, StatusCode.INVALID_ARGUMENT, "SPAN_TOO_LONG"),
    ],
    ids=["dataset", "instrument", "timeframe", "no end", "no room", "too long"],
)
async def test_a_replay_that_cannot_be_is_refused(
    changes: dict[str, object], code: StatusCode, reason: str
) -> None:
    market = await a_paced_market(World())
    with pytest.raises(ServiceError) as caught:
        await market.client.start_replay(a_replay(**changes))
    assert (caught.value.code, caught.value.reason) == (code, reason)


async def test_an_unknown_replay_is_not_found() -> None:
    market = await a_market()
    with pytest.raises(ServiceError) as caught:
        await market.client.get_replay(pb.GetReplayRequest(replay_id="none"))
    assert (caught.value.code, caught.value.reason) == (StatusCode.NOT_FOUND, "UNKNOWN_REPLAY")


async def test_a_replay_outlasts_a_store_that_fails_for_a_while() -> None:
    market = await a_market(now_ns=NOON_NS + 60 * NS_PER_MINUTE)
    faults = market.environment.database.faults
    running = (await market.client.start_replay(a_replay(speed=60))).replay
    await asyncio.sleep(2)
    faults.is_full = True
    await asyncio.sleep(5)
    faults.is_full = False
    faults.answers_to_lose = 1
    replay = await finished(market, running)
    assert (replay.state, replay.published) == (pb.REPLAY_STATE_FINISHED, 20)
    assert [item.sequence for item in await items(market, 20)] == list(range(1, 21))


async def test_a_replay_gives_up_on_a_store_that_stays_full() -> None:
    market = await a_market(now_ns=NOON_NS + 60 * NS_PER_MINUTE)
    running = (await market.client.start_replay(a_replay(speed=60))).replay
    await asyncio.sleep(2)
    market.environment.database.faults.is_full = True
    replay = await finished(market, running)
    assert (replay.state, replay.published) == (pb.REPLAY_STATE_FAILED, 2)
    assert "full" in replay.failure
    with pytest.raises(ServiceError, match="full"):
        await market.service.stop()
