"""Candles that are due together are published in one call, and each is still measured alone."""

import asyncio
from typing import Any

from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as pb

from loadtests.traffic.chain import SERIES, Chain
from runtime.errors import ServiceError
from runtime.load.meter import Notes
from runtime.load.plan import Gate, Plan, Profile, Target
from runtime.load.traffic import Unit

OF = Profile("CHAIN", "a candle", 100.0, (Gate("booked", 500.0),), "chain:Chain", "burst")


class Feed:
    """Every service in one: takes candles, all but one, or is away."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.plan = Plan(OF, Target({}))
        self.requests: list[pb.PublishCandlesRequest] = []
        self._is_away = is_away

    def port(self, port: type[Any], caller: str) -> Any:
        return self

    async def publish_candles(self, request: pb.PublishCandlesRequest) -> pb.PublishCandlesResponse:
        self.requests.append(request)
        if self._is_away:
            raise ServiceError(StatusCode.UNAVAILABLE, "away")
        outcomes = [pb.CANDLE_OUTCOME_STORED] * len(request.candles)
        outcomes[1] = pb.CANDLE_OUTCOME_REJECTED
        results = [pb.CandleResult(index=n, outcome=one) for n, one in enumerate(outcomes)]
        return pb.PublishCandlesResponse(results=results)


async def published(feed: Feed) -> Notes:
    """Have three units published that are due one after the other within a millisecond."""
    notes = Notes(asyncio.get_running_loop().time)
    due_s = asyncio.get_running_loop().time()
    traffic = Chain(feed, notes)
    await traffic.send_together([Unit(n, due_s + n / 2000) for n in range(3)])
    return notes


async def test_candles_that_are_due_together_are_one_request_in_their_order() -> None:
    feed = Feed()
    await published(feed)
    (request,) = feed.requests
    assert len({candle.instrument for candle in request.candles}) == 3


async def test_each_candle_of_a_request_has_its_own_instant_and_its_own_end() -> None:
    ended = (await published(Feed())).units()[SERIES]
    apart_s = ended.intended_s - ended.intended_s[0]
    assert [round(one, 4) for one in apart_s] == [0, 0.0005, 0.001]
    assert ended.codes.tolist() == [0, StatusCode.FAILED_PRECONDITION.value[0], 0]


async def test_a_request_that_fails_fails_for_each_of_its_candles() -> None:
    ended = (await published(Feed(is_away=True))).units()[SERIES]
    assert ended.codes.tolist() == [StatusCode.UNAVAILABLE.value[0]] * 3
