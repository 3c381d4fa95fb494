"""What the contract refuses before anything happens, and to whom."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.marketdata.v1.marketdata_port import MarketDataService

from runtime.errors import ServiceError
from runtime.guards import guarded
from runtime.identity import Principal, as_principal
from runtime.local import LocalTransport
from runtime.rpc import Call, connect
from services.marketdata.tests import mothers
from services.marketdata.tests.mothers import a_candle, a_market, close_only

FEED = as_principal(Call(), Principal("feed", service="feed"))
VIEWER = as_principal(Call(), Principal("vera", frozenset({"VIEWER"})))


async def guarded_client() -> MarketDataService:
    market = await a_market()
    return connect(MarketDataService, LocalTransport([market.service], guarded))


def broken(**changes: Any) -> pb.PublishCandlesRequest:
    """Return a publication whose only candle has other values than it may have."""
    request = mothers.publication(a_candle())
    for name, value in changes.items():
        decimal = getattr(request.candles[0], name)
        decimal.value = value
    return request


def with_range(request: pb.PublishCandlesRequest) -> pb.PublishCandlesRequest:
    request.candles[0].high.value = "101"
    return request


@pytest.mark.parametrize(
    "request_",
    [
        pb.PublishCandlesRequest(request_id="empty"),
        mothers.publication(*(a_candle(minute) for minute in range(501))),
        broken(close="NaN"),
        broken(close="-100"),
        broken(close="1e2"),
        broken(volume=""),
        with_range(mothers.publication(close_only())),
    ],
    ids=["empty", "too many", "nan", "negative", "exponent", "no digits", "close-only with high"],
)
async def test_a_malformed_publication_is_refused_whole(request_: pb.PublishCandlesRequest) -> None:
    client = await guarded_client()
    with pytest.raises(ServiceError) as caught:
        await client.publish_candles(request_, FEED)
    assert caught.value.code is StatusCode.INVALID_ARGUMENT
    assert caught.value.definite


async def test_an_unstated_timeframe_or_kind_is_refused() -> None:
    client = await guarded_client()
    for name in ("timeframe", "kind"):
        request = mothers.publication(a_candle())
        request.candles[0].ClearField(name)
        with pytest.raises(ServiceError) as caught:
            await client.publish_candles(request, FEED)
        assert caught.value.code is StatusCode.INVALID_ARGUMENT


async def test_only_a_feed_or_an_operator_publishes_and_nobody_is_nobody() -> None:
    client = await guarded_client()
    request = mothers.publication(a_candle())
    for call, code in (
        (VIEWER, StatusCode.PERMISSION_DENIED),
        (Call(), StatusCode.UNAUTHENTICATED),
    ):
        with pytest.raises(ServiceError) as caught:
            await client.publish_candles(request, call)
        assert caught.value.code is code
    assert (await client.publish_candles(request, FEED)).last_sequence == 1


async def test_a_valid_replay_passes_the_guards_and_a_page_too_large_does_not() -> None:
    client = await guarded_client()
    request = pb.ListCandlesRequest(
        instrument=mothers.SQUARE, timeframe=mothers.message_of(a_candle()).timeframe
    )
    assert not (await client.list_candles(request, VIEWER)).candles
    request.page_size = 5_001
    with pytest.raises(ServiceError) as caught:
        await client.list_candles(request, VIEWER)
    assert caught.value.code is StatusCode.INVALID_ARGUMENT
    assert mothers.a_replay().from_time != Timestamp()
