"""ListCandles, GetQuote, ListInstruments and ListDatasets."""

from decimal import Decimal
from typing import Any

import pytest
from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import instrument_pb2, market_pb2

from runtime.errors import ServiceError
from runtime.times import to_ns, to_timestamp
from services.marketdata.tests.mothers import SQUARE, Market, a_candle, a_market
from services.marketdata.timeframes import NS_PER_MINUTE, NS_PER_SECOND

MINUTES = 25


def query(**changes: Any) -> pb.ListCandlesRequest:
    timeframe = market_pb2.TIMEFRAME_MINUTE_1
    values: dict[str, Any] = {"instrument": SQUARE, "timeframe": timeframe}
    return pb.ListCandlesRequest(**values | changes)


async def listed(market: Market, request: pb.ListCandlesRequest) -> list[int]:
    """Return the minutes of all candles of a query, page after page."""
    minutes: list[int] = []
    while True:
        page = await market.client.list_candles(request)
        opens = [to_ns(candle.open_time) for candle in page.candles]
        minutes += [(ns - a_candle().open_ns) // NS_PER_MINUTE for ns in opens]
        if not page.next_page_token:
            return minutes
        request.page_token = page.next_page_token


async def a_market_with_candles() -> Market:
    market = await a_market()
    await market.publish(*(a_candle(minute) for minute in range(MINUTES)))
    return market


@pytest.mark.parametrize("page_size", [0, 1, 7, 25, 5_000])
async def test_pages_together_are_the_whole_series(page_size: int) -> None:
    market = await a_market_with_candles()
    assert await listed(market, query(page_size=page_size)) == list(range(MINUTES))


async def test_a_span_takes_its_start_and_leaves_its_end() -> None:
    market = await a_market_with_candles()
    span = query(
        from_time=to_timestamp(a_candle(3).open_ns), to_time=to_timestamp(a_candle(9).open_ns)
    )
    assert await listed(market, span) == [3, 4, 5, 6, 7, 8]
    span.last_count = 2
    span.page_size = 1
    assert await listed(market, span) == [7, 8]


async def test_the_last_candles_are_listed_oldest_first() -> None:
    market = await a_market_with_candles()
    assert await listed(market, query(last_count=4, page_size=3)) == [21, 22, 23, 24]
    assert await listed(market, query(last_count=400)) == list(range(MINUTES))


async def test_a_candle_that_comes_between_two_pages_belongs_to_neither() -> None:
    market = await a_market_with_candles()
    first = await market.client.list_candles(query(last_count=4, page_size=3))
    await market.publish(a_candle(MINUTES))
    rest = query(last_count=4, page_size=3, page_token=first.next_page_token)
    assert await listed(market, rest) == [24]


async def test_a_correction_is_shown_or_what_was_first_seen() -> None:
    market = await a_market_with_candles()
    await market.publish(a_candle(3, close=Decimal("100.75"), revision=1))
    for view, close in [(0, "100.75"), (1, "100.75"), (2, "100.5")]:
        page = await market.client.list_candles(query(revision=view))
        assert len(page.candles) == MINUTES
        assert page.candles[3].close.value == close


async def test_a_page_token_of_another_query_is_refused() -> None:
    market = await a_market_with_candles()
    token = (await market.client.list_candles(query(page_size=5))).next_page_token
    for bad in (query(last_count=9, page_token=token), query(page_token=token + "x")):
        with pytest.raises(ServiceError) as caught:
            await market.client.list_candles(bad)
        assert caught.value.code is StatusCode.INVALID_ARGUMENT
        assert caught.value.reason == "PAGE_TOKEN_FOREIGN"


async def quote(market: Market) -> pb.GetQuoteResponse:
    return await market.client.get_quote(pb.GetQuoteRequest(instrument=SQUARE))


async def test_a_quote_of_candles_is_their_last_close_without_bid_or_ask() -> None:
    market = await a_market_with_candles()
    answer = await quote(market)
    assert answer.quote.last.value == "100.5"
    assert to_ns(answer.quote.time) == a_candle(MINUTES - 1).close_ns
    assert not answer.quote.HasField("bid")
    assert not answer.quote.HasField("ask")
    assert answer.is_in_session


async def test_a_stale_feed_is_reported_as_stale_with_its_age() -> None:
    market = await a_market(now_ns=a_candle().close_ns)
    assert (await quote(market)).is_stale  # Nothing is known yet.
    assert not (await quote(market)).HasField("age")
    await market.publish(a_candle())
    three_minutes_ns = 3 * NS_PER_MINUTE
    market.clock.skip_to(a_candle().close_ns + three_minutes_ns)
    assert not (await quote(market)).is_stale
    market.clock.skip_to(a_candle().close_ns + three_minutes_ns + NS_PER_SECOND)
    answer = await quote(market)
    assert answer.is_stale
    assert answer.age.ToNanoseconds() == three_minutes_ns + NS_PER_SECOND
    assert answer.quote.last.value == "100.5"  # Kept: stale is not zero.


async def test_a_quote_survives_a_restart_and_takes_a_correction() -> None:
    market = await a_market_with_candles()
    await market.publish(a_candle(MINUTES - 1, close=Decimal("100.75"), revision=1))
    assert (await quote(market)).quote.last.value == "100.75"
    market = await market.restarted()
    assert (await quote(market)).quote.last.value == "100.75"


async def test_unknown_instruments_are_not_found() -> None:
    market = await a_market()
    with pytest.raises(ServiceError) as caught:
        await market.client.get_quote(pb.GetQuoteRequest(instrument="NOBODY.XSIM"))
    assert caught.value.code is StatusCode.NOT_FOUND
    with pytest.raises(ServiceError) as caught:
        await market.client.list_candles(query(instrument="NOBODY.XSIM"))
    assert caught.value.code is StatusCode.NOT_FOUND


async def test_instruments_are_listed_by_name_page_by_page_and_by_kind() -> None:
    market = await a_market()
    request = pb.ListInstrumentsRequest(page_size=50)
    names: list[str] = []
    while True:
        page = await market.client.list_instruments(request)
        names += [spec.instrument for spec in page.instruments]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert names == sorted(names)
    assert len(names) == len(set(names)) == 144
    indices = pb.ListInstrumentsRequest(kind=instrument_pb2.INSTRUMENT_KIND_INDEX)
    found = (await market.client.list_instruments(indices)).instruments
    assert [(spec.instrument, spec.is_tradable) for spec in found] == [
        ("IXIC.XSIM", False),
        ("SPX.XSIM", False),
    ]
    elsewhere = pb.ListInstrumentsRequest(venue="XNYS")
    assert not (await market.client.list_instruments(elsewhere)).instruments


async def test_every_dataset_says_what_it_is_not_and_under_which_terms_it_comes() -> None:
    market = await a_market()
    answer = await market.client.list_datasets(pb.ListDatasetsRequest())
    names = [dataset.dataset for dataset in answer.datasets]
    assert names == [
        "nasdaq-index",
        "sp500-20-close",
        "sp500-index",
        "square-v1",
        "synthetic-jd-v1",
    ]
    assert all(dataset.licence_note and dataset.caveat for dataset in answer.datasets)
    closes = answer.datasets[1]
    assert closes.kind == market_pb2.CANDLE_KIND_CLOSE_ONLY
    assert (closes.rows, len(closes.instruments), closes.gaps) == (8_313, 20, 0)
