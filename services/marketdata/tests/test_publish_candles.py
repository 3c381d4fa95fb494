"""PublishCandles: what is stored, once, and what is not."""

import asyncio
import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as pb

from runtime.errors import ServiceError
from runtime.stores import StoreError
from services.marketdata.tests import mothers
from services.marketdata.tests.mothers import a_candle, a_market, close_only


def outcomes(results: Sequence[pb.CandleResult]) -> list[str]:
    return [pb.CandleOutcome.Name(r.outcome).removeprefix("CANDLE_OUTCOME_") for r in results]


def reasons(results: Sequence[pb.CandleResult]) -> list[str]:
    prefix = "CANDLE_REJECT_REASON_"
    return [pb.CandleRejectReason.Name(r.reason).removeprefix(prefix) for r in results]


async def test_a_confirmed_candle_is_published_once_however_often_it_is_sent() -> None:
    market = await a_market()
    assert outcomes(await market.publish(a_candle())) == ["STORED"]
    assert outcomes(await market.publish(a_candle(), a_candle())) == ["DUPLICATE"] * 2
    assert outcomes(await market.publish(a_candle(1))) == ["STORED"]
    assert [item.sequence for item in await mothers.items(market, 2)] == [1, 2]


async def test_a_repeated_request_gets_the_first_answer() -> None:
    market = await a_market()
    request = mothers.publication(a_candle())
    first = await market.client.publish_candles(request)
    assert await market.client.publish_candles(request) == first
    assert outcomes(first.results) == ["STORED"]
    assert first.last_sequence == 1


async def test_a_request_id_with_other_candles_is_refused() -> None:
    market = await a_market()
    await market.client.publish_candles(mothers.publication(a_candle()))
    with pytest.raises(ServiceError) as caught:
        await market.client.publish_candles(mothers.publication(a_candle(1)))
    assert caught.value.code is StatusCode.ALREADY_EXISTS


async def test_a_rejected_candle_does_not_keep_the_others_of_its_batch_out() -> None:
    market = await a_market()
    results = await market.publish(a_candle(0), a_candle(1, high=Decimal(98)), a_candle(2))
    assert outcomes(results) == ["STORED", "REJECTED", "STORED"]
    assert [result.index for result in results] == [0, 1, 2]
    assert reasons(results)[1] == "OHLC_INCONSISTENT"
    assert "low 99 and high 98 must enclose" in results[1].text


async def test_candles_that_cannot_be_are_rejected_with_their_reason() -> None:
    market = await a_market(now_ns=mothers.NOON_NS)
    results = await market.publish(
        a_candle(instrument="NOBODY.XSIM"),
        a_candle(0),
        a_candle(-5, open_ns=mothers.NOON_NS - 1),
        a_candle(-5, close=Decimal("100.505")),
        a_candle(-5, volume=Decimal(-1)),
        close_only(-5, high=Decimal(101)),
    )
    assert reasons(results) == [
        "UNKNOWN_INSTRUMENT",
        "IN_FUTURE",
        "OFF_GRID",
        "PRICE_OFF_TICK",
        "VOLUME_NEGATIVE",
        "KIND_INCONSISTENT",
    ]


async def test_an_old_candle_is_stored_only_as_a_backfill() -> None:
    market = await a_market()
    await market.publish(a_candle(5))
    assert reasons(await market.publish(a_candle(3))) == ["OUT_OF_ORDER"]
    assert outcomes(await market.publish(a_candle(3), is_backfill=True)) == ["STORED"]
    last = (await mothers.items(market, 2))[-1]
    assert (last.sequence, last.is_backfill) == (2, True)


async def test_a_backfill_does_not_move_the_series_back() -> None:
    market = await a_market()
    await market.publish(a_candle(5))
    await market.publish(a_candle(3), is_backfill=True)
    assert reasons(await market.publish(a_candle(4))) == ["OUT_OF_ORDER"]
    await market.publish(a_candle(6))
    kinds = [item.WhichOneof("item") for item in await mothers.items(market, 3)]
    assert kinds == ["candle"] * 3  # From 5 to 6 nothing is missing.


async def test_a_corrected_candle_is_a_revision_and_the_first_one_stays() -> None:
    market = await a_market()
    corrected = a_candle(close=Decimal("100.75"), revision=1)
    assert reasons(await market.publish(corrected)) == ["REVISION_SKIPPED"]
    await market.publish(a_candle())
    assert outcomes(await market.publish(corrected, corrected)) == ["REVISED", "DUPLICATE"]
    assert reasons(await market.publish(a_candle(close=Decimal(101)))) == ["CONFLICT"]
    assert [item.candle.close.value for item in await mothers.items(market, 2)] == [
        "100.5",
        "100.75",
    ]


async def test_decimals_are_compared_and_sent_on_in_their_shortest_form() -> None:
    market = await a_market()
    request = mothers.publication(a_candle(), number=99)
    request.candles[0].close.value = "100.500"
    await market.client.publish_candles(request)
    assert outcomes(await market.publish(a_candle(), a_candle(1))) == ["DUPLICATE", "STORED"]
    assert (await mothers.items(market, 1))[0].candle.close.value == "100.5"


async def test_a_close_only_source_is_announced_as_close_only() -> None:
    market = await a_market()
    await market.publish(close_only())
    candle = (await mothers.items(market, 1))[0].candle
    assert candle == mothers.message_of(close_only())
    assert not candle.HasField("high")
    assert not candle.HasField("volume")


async def test_a_forming_candle_is_shown_and_never_replaces_a_confirmed_one() -> None:
    market = await a_market()
    forming = a_candle(is_confirmed=False)
    assert outcomes(await market.publish(forming, forming, a_candle())) == ["STORED"] * 3
    assert reasons(await market.publish(forming)) == ["OUT_OF_ORDER"]
    confirmed_only = pb.WatchCandlesRequest(is_confirmed_only=True)
    assert [item.sequence for item in await mothers.items(market, 1, confirmed_only)] == [3]


async def test_what_was_committed_survives_a_restart() -> None:
    market = await a_market()
    await market.publish(a_candle(0), a_candle(3))
    market = await market.restarted()
    assert outcomes(await market.publish(a_candle(3), a_candle(4))) == ["DUPLICATE", "STORED"]
    assert [item.sequence for item in await mothers.items(market, 4)] == [1, 2, 3, 4]
    assert market.environment.progress.written["candles"] == 4


async def test_nothing_is_shown_that_was_not_committed() -> None:
    market = await a_market()
    market.environment.database.faults.is_full = True
    with pytest.raises(ServiceError) as caught:
        await market.publish(a_candle())
    assert caught.value.reason == "STORE_FULL"
    assert market.environment.progress.written["candles"] == 0
    market.environment.database.faults.is_full = False
    assert outcomes(await market.publish(a_candle())) == ["STORED"]


async def test_a_candle_committed_while_the_store_went_down_is_shown_when_it_is_back() -> None:
    market = await a_market()
    database = market.environment.database
    database.faults.answers_to_lose = 1
    read, calls = database.read, itertools.count()

    async def away(work: Any) -> Any:
        if 1 <= next(calls) <= 3:  # The first looks whether the request is known.
            raise StoreError("the server is away: nothing can be read")
        return await read(work)

    database.read = away  # type: ignore[method-assign]
    with pytest.raises(ServiceError):
        await market.client.publish_candles(mothers.publication(a_candle(), number=99))
    await asyncio.sleep(1)
    assert market.environment.progress.written["candles"] == 1
    assert [item.sequence for item in await mothers.items(market, 1)] == [1]


async def test_a_lost_answer_of_a_commit_leaves_no_gap_in_the_stream() -> None:
    market = await a_market()
    faults = market.environment.database.faults
    await market.publish(a_candle(0))
    faults.answers_to_lose = 1
    request = mothers.publication(a_candle(1), number=99)
    with pytest.raises(ServiceError) as caught:
        await market.client.publish_candles(request)
    assert not caught.value.definite
    assert [item.sequence for item in await mothers.items(market, 2)] == [1, 2]
    faults.commits_to_lose = 1
    lost = mothers.publication(a_candle(2), number=100)
    with pytest.raises(ServiceError):
        await market.client.publish_candles(lost)
    # Repeated, the first is answered as it was, and the second happens now.
    assert outcomes((await market.client.publish_candles(request)).results) == ["STORED"]
    assert outcomes((await market.client.publish_candles(lost)).results) == ["STORED"]
    assert [item.sequence for item in await mothers.items(market, 3)] == [1, 2, 3]
    assert market.environment.progress.written["candles"] == 3
