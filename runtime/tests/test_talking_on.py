"""A server that ends a call early is heard, also by a caller that is still talking."""

from asyncio import sleep
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb

from runtime.errors import ServiceError
from runtime.rpc import Call, Port, Transport
from runtime.tests.echoing import Echo, echo_client, grpc, local, rest
from runtime.tests.test_transports import assert_is_refusal

Way = Callable[[Port], AbstractAsyncContextManager[Transport]]
ROUNDS = 30  # The race was lost in one round of five.


class Curt(Echo):
    """Answers when it has heard one text, or refuses it."""

    async def collect_echoes(
        self, request: AsyncIterator[pb.CollectEchoesRequest], call: Call = Call()
    ) -> pb.CollectEchoesResponse:
        heard = await anext(request)
        if heard.text == "broken":
            raise ServiceError(StatusCode.ABORTED, "enough")
        return pb.CollectEchoesResponse(text=heard.text, count=1)


@pytest.mark.real_time
@pytest.mark.parametrize("way", [grpc, rest, local])
async def test_refusal_is_heard_by_a_caller_that_talks_on(way: Way) -> None:
    async with way(Echo()) as transport:
        for pauses in range(ROUNDS):
            answers = echo_client(transport).exchange_echoes(exchanging("refuse", pauses % 6))
            assert (await anext(answers)).text == "first"
            with pytest.raises(ServiceError) as caught:
                await anext(answers)
            assert_is_refusal(caught.value)


@pytest.mark.real_time
@pytest.mark.parametrize("way", [grpc, rest, local])
async def test_early_answer_is_heard_by_a_caller_that_talks_on(way: Way) -> None:
    async with way(Curt()) as transport:
        client = echo_client(transport)
        for pauses in range(ROUNDS):
            answer = await client.collect_echoes(collecting("enough", pauses % 6))
            assert (answer.text, answer.count) == ("enough", 1)
            with pytest.raises(ServiceError, match="enough") as caught:
                await client.collect_echoes(collecting("broken", pauses % 6))
            assert caught.value.code is StatusCode.ABORTED


async def exchanging(second: str, pauses: int) -> AsyncIterator[pb.ExchangeEchoesRequest]:
    for text in ("first", second, "a", "b", "c"):
        yield pb.ExchangeEchoesRequest(text=text)
        await turns(pauses)


async def collecting(first: str, pauses: int) -> AsyncIterator[pb.CollectEchoesRequest]:
    for text in (first, "a", "b", "c"):
        yield pb.CollectEchoesRequest(text=text)
        await turns(pauses)


async def turns(count: int) -> None:
    """Let others run so many times."""
    for _ in range(count):
        await sleep(0)
