"""PublishTicks and WatchTicks: sequences, repeats, resumption (rules D6 and O7)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService

from runtime.errors import ErrorInfo, ServiceError
from runtime.guards.validation import Validation
from runtime.local import LocalTransport
from runtime.rpc import connect
from services.marketdata import tick_messages, tick_stream
from services.marketdata.tests.mothers import SQUARE, Market
from services.marketdata.tests.tick_mothers import (
    a_batch,
    a_tick_market,
    publish,
    publish_requests,
    seen,
)


async def test_batches_are_counted_and_shown_in_their_order() -> None:
    market = await a_tick_market()
    answer = await publish(
        market, a_batch(0, 2), a_batch(2, 3), a_batch(0, 1, instrument="SQ01.XSIM")
    )
    assert (answer.batches, answer.ticks, answer.gaps) == (3, 6, 0)
    found = await seen(market, 3, instruments=[SQUARE, "SQ01.XSIM"])
    assert [item.sequence for item in found] == [1, 2, 3]
    assert found[1].batch == a_batch(2, 3)


async def test_a_watcher_may_see_only_what_comes_from_now_on() -> None:
    market = await a_tick_market()
    await publish(market, a_batch(0, 2))
    request = pb.WatchTicksRequest(instruments=[SQUARE], is_from_now=True)
    watch = market.client.watch_ticks(request)
    first = await anext(watch)
    assert (first.is_heartbeat, first.sequence) == (True, 1)
    await publish(market, a_batch(2, 1))
    assert (await anext(watch)).batch.sequence_first == 2
    await watch.aclose()


async def messages_of(market: Market, batches_max: int, count: int) -> list[tuple[int, list[int]]]:
    """Return the first messages of a watch: the sequence, and where each batch begins."""
    request = pb.WatchTicksRequest(instruments=[SQUARE], batches_max=batches_max)
    watch = market.client.watch_ticks(request)
    await anext(watch)  # How far the stream is.
    found = [await anext(watch) for _ in range(count)]
    await watch.aclose()
    return [(m.sequence, [b.sequence_first for b in (m.batch, *m.more)]) for m in found]


async def test_batches_that_wait_come_in_one_message_where_that_is_asked_for() -> None:
    market = await a_tick_market()
    others = [a_batch(at, 1, instrument="SQ01.XSIM") for at in range(2)]
    await publish(market, a_batch(0, 1), *others, *(a_batch(at, 1) for at in range(1, 5)))
    assert await messages_of(market, 3, 2) == [(5, [0, 1, 2]), (7, [3, 4])]
    assert await messages_of(market, 64, 1) == [(7, [0, 1, 2, 3, 4])]
    assert await messages_of(market, 0, 2) == [(1, [0]), (4, [1])]


async def test_a_message_has_no_more_bytes_than_it_can_carry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches = [a_batch(0, 2), a_batch(2, 2), a_batch(4, 1), a_batch(5, 7)]
    size = sum(batch.ByteSize() for batch in batches[:2])
    monkeypatch.setattr(tick_messages, "BYTES_PACKED", size)
    market = await a_tick_market()
    await publish(market, *batches)
    assert await messages_of(market, 64, 3) == [(2, [0, 2]), (3, [4]), (4, [5])]


async def test_messages_for_watchers_of_the_same_are_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    def counted(items: Sequence[tuple[int, Any]], batches_max: int) -> Any:
        made.append(len(items))
        return tick_messages.packed(items, batches_max)

    monkeypatch.setattr(tick_stream, "packed", counted)
    market = await a_tick_market()
    await publish(market, a_batch(0, 2), a_batch(2, 2), a_batch(0, 1, instrument="SQ01.XSIM"))
    alike = [await messages_of(market, 64, 1) for _ in range(2)]
    assert alike == [[(2, [0, 2])], [(2, [0, 2])]]
    assert made == [2]
    assert await messages_of(market, 1, 2) == [(1, [0]), (2, [2])]
    found = await seen(market, 3, instruments=[SQUARE, "SQ01.XSIM"])
    assert [item.sequence for item in found] == [1, 2, 3]
    assert made == [2, 2, 3]


@pytest.mark.parametrize("first", [1, 5], ids=["overlaps", "skips"])
async def test_ticks_out_of_sequence_are_refused_with_the_expected_one(first: int) -> None:
    market = await a_tick_market()
    with pytest.raises(ServiceError) as caught:
        await publish(market, a_batch(0, 2), a_batch(first, 4), a_batch(2, 1))
    assert (caught.value.code, caught.value.reason) == (StatusCode.FAILED_PRECONDITION, "TICK_GAP")
    info = caught.value.detail(ErrorInfo)
    assert info is not None
    assert (info.metadata["instrument"], info.metadata["expected"]) == (SQUARE, "2")
    # What came before is kept, what came after is not.
    assert (await publish(market, a_batch(2, 1))).batches == 1


async def test_a_batch_sent_again_is_counted_once() -> None:
    market = await a_tick_market()
    await publish(market, a_batch(0, 2), a_batch(2, 2))
    answer = await publish(market, a_batch(0, 2), a_batch(2, 2), a_batch(4, 2), a_batch(4, 2))
    assert (answer.batches, answer.ticks) == (1, 2)


async def test_other_ticks_under_a_sequence_that_is_taken_are_refused() -> None:
    market = await a_tick_market()
    await publish(market, a_batch(0, 2))
    with pytest.raises(ServiceError) as caught:
        await publish(market, a_batch(0, 2, quantities=[1, 1]))
    assert (caught.value.code, caught.value.reason) == (StatusCode.ALREADY_EXISTS, "TICKS_DIFFER")
    info = caught.value.detail(ErrorInfo)
    assert info is not None
    assert info.metadata["first_digest"] != info.metadata["this_digest"]


async def test_a_declared_gap_is_counted() -> None:
    market = await a_tick_market()
    lost = pb.PublishTicksRequest(batch=a_batch(4, 1), is_after_gap=True)
    answer = await publish_requests(market, pb.PublishTicksRequest(batch=a_batch(0, 2)), lost)
    assert (answer.batches, answer.gaps) == (2, 1)


async def test_an_exponent_may_not_change_within_a_session() -> None:
    market = await a_tick_market()
    finer = a_batch(2, 1, price_exponent=-3, base_price=100_000)
    with pytest.raises(ServiceError) as caught:
        await publish(market, a_batch(0, 2), finer)
    assert caught.value.code is StatusCode.FAILED_PRECONDITION
    assert caught.value.reason == "TICK_EXPONENT_CHANGED"


async def test_ticks_of_nobody_are_refused() -> None:
    market = await a_tick_market()
    with pytest.raises(ServiceError) as caught:
        await publish(market, a_batch(instrument="NOBODY.XSIM"))
    assert caught.value.code is StatusCode.NOT_FOUND
    with pytest.raises(ServiceError) as caught:
        await anext(market.client.watch_ticks(pb.WatchTicksRequest(instruments=["NOBODY.XSIM"])))
    assert caught.value.code is StatusCode.NOT_FOUND


async def test_ticks_that_cannot_be_are_refused_and_those_before_are_kept() -> None:
    market = await a_tick_market()
    with pytest.raises(ServiceError) as caught:
        await publish(market, a_batch(0, 2), a_batch(2, 1, quantities=[0]), a_batch(3, 1))
    assert (caught.value.code, caught.value.reason) == (
        StatusCode.INVALID_ARGUMENT,
        "TICKS_INVALID",
    )
    assert len(await seen(market, 1)) == 1


@pytest.mark.parametrize("field", ["time_deltas_ns", "price_deltas", "quantities"])
async def test_arrays_of_unequal_length_break_the_contract(field: str) -> None:
    market = await a_tick_market()
    guarded = connect(MarketDataService, Validation(LocalTransport([market.service])))
    batch = a_batch(2, 4)
    getattr(batch, field).append(1)

    async def stream() -> AsyncIterator[pb.PublishTicksRequest]:
        yield pb.PublishTicksRequest(batch=a_batch(0, 2))
        yield pb.PublishTicksRequest(batch=batch)

    with pytest.raises(ServiceError, match="must have equal length") as caught:
        await guarded.publish_ticks(stream())
    assert caught.value.code is StatusCode.INVALID_ARGUMENT


async def test_a_watcher_resumes_without_a_gap_also_after_a_restart() -> None:
    market = await a_tick_market()
    await publish(market, *(a_batch(at, 1) for at in range(5)))
    last = (await seen(market, 2))[-1].sequence
    market = await market.restarted()
    await publish(market, a_batch(5, 1))
    found = await seen(market, 4, after=last)
    assert [item.sequence for item in found] == [3, 4, 5, 6]
    assert [item.batch.sequence_first for item in found] == [2, 3, 4, 5]


async def test_a_slow_watcher_is_cut_off_and_told_where_it_was() -> None:
    market = await a_tick_market(seconds=300)
    await publish(market, a_batch(0, 1))
    watch = market.client.watch_ticks(pb.WatchTicksRequest(instruments=[SQUARE]))
    for _ in range(3):  # A heartbeat, the batch, and a heartbeat: it has seen everything.
        await anext(watch)
    await publish(market, *(a_batch(at, 1) for at in range(1, 1_100)))
    with pytest.raises(ServiceError) as caught:
        async for _ in watch:
            pass
    assert (caught.value.code, caught.value.reason) == (
        StatusCode.RESOURCE_EXHAUSTED,
        "SLOW_SUBSCRIBER",
    )
    info = caught.value.detail(ErrorInfo)
    assert info is not None
    found = await seen(market, 3, after=int(info.metadata["last_sequence"]))
    assert found[0].sequence == int(info.metadata["last_sequence"]) + 1


async def old_batches(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish three batches, and a fourth when those are older than what is kept."""
    monkeypatch.setattr(tick_stream, "KEPT_BATCHES", 2)
    await publish(market, *(a_batch(at, 1) for at in range(3)))
    market.clock.skip_to(market.clock.now_ns() + tick_stream.KEPT_NS + 1)
    await publish(market, a_batch(3, 1))


async def test_what_is_not_kept_any_more_is_out_of_range(monkeypatch: pytest.MonkeyPatch) -> None:
    market = await a_tick_market()
    await old_batches(market, monkeypatch)
    await check_kept(market)
    await check_kept(await market.restarted())


async def check_kept(market: Market) -> None:
    """Raise AssertionError unless the third and fourth batch alone are kept."""
    with pytest.raises(ServiceError) as caught:
        await seen(market, 1, after=1)
    assert caught.value.code is StatusCode.OUT_OF_RANGE
    assert [item.sequence for item in await seen(market, 2, after=2)] == [3, 4]


async def test_a_lost_answer_of_a_commit_hides_nothing_and_doubles_nothing() -> None:
    market = await a_tick_market()
    market.environment.database.faults.answers_to_lose = 1
    with pytest.raises(Exception, match="answer of the commit was lost"):
        await publish(market, a_batch(0, 2))
    answer = await publish(market, a_batch(0, 2), a_batch(2, 1))
    assert (answer.batches, answer.ticks) == (1, 1)
    assert [item.sequence for item in await seen(market, 2)] == [1, 2]


async def test_two_publishers_of_different_instruments_do_not_disturb_each_other() -> None:
    market = await a_tick_market(seconds=2)
    both = await asyncio.gather(
        publish(market, *(a_batch(at, 1) for at in range(20))),
        publish(market, *(a_batch(at, 1, instrument="SQ01.XSIM") for at in range(20))),
    )
    assert [answer.batches for answer in both] == [20, 20]
    found = await seen(market, 40, instruments=[SQUARE, "SQ01.XSIM"])
    assert [item.sequence for item in found] == list(range(1, 41))
    ours = [item.batch.sequence_first for item in found if item.batch.instrument == SQUARE]
    assert ours == list(range(20))
