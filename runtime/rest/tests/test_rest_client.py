"""What a caller over REST is told when the other end is away, falls silent, or is somebody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.connecting import was_never_sent
from runtime.errors import ServiceError
from runtime.identity import as_principal
from runtime.rest import RestTransport, open_session, serve_rest
from runtime.rpc import Call, Transport, connect
from runtime.tests.echoing import ANA, Echo, asked, echo_client, soon

pytestmark = pytest.mark.real_time
CALL = as_principal(Call(timeout_s=1.5), ANA)
CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LINE = '{"message":{"text":"a"}}\n'


def chunk(text: str) -> str:
    return f"{len(text):x}\r\n{text}\r\n"


@asynccontextmanager
async def answering(*said: str, stays: bool = False) -> AsyncIterator[EchoService]:
    """A client of a server that says only what it is told, whatever it is asked."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for text in said:
            writer.write(text.encode())
        if stays:
            await gone.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    tcp_port = server.sockets[0].getsockname()[1]
    async with server, open_session() as session:
        yield connect(EchoService, RestTransport(f"http://127.0.0.1:{tcp_port}", session))
        gone.set()


async def failure_of(client: EchoService) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await client.echo(asked("a"), CALL)
    return caught.value


async def failure_of_watch(client: EchoService) -> tuple[list[str], ServiceError]:
    seen: list[str] = []

    async def follow() -> None:
        async for message in client.watch_echoes(pb.WatchEchoesRequest(), CALL):
            seen.append(message.text)

    with pytest.raises(ServiceError) as caught:
        await follow()
    return seen, caught.value


async def test_server_that_is_not_there_was_certainly_sent_nothing() -> None:
    async with serve_rest([Echo()]) as tcp_port:
        pass
    async with open_session() as session:
        transport: Transport = RestTransport(f"http://127.0.0.1:{tcp_port}", session)
        error = await failure_of(connect(EchoService, transport))
    assert (error.code, error.reason) == (StatusCode.UNAVAILABLE, "UNAVAILABLE")
    assert was_never_sent(error)
    assert not error.definite


async def test_answer_that_never_came_leaves_the_outcome_open() -> None:
    async with answering() as client:
        error = await failure_of(client)
    assert (error.code, error.reason) == (StatusCode.UNAVAILABLE, "CONNECTION_BROKEN")
    assert not was_never_sent(error)
    assert not error.definite


async def test_answer_cut_short_is_not_taken_for_an_answer() -> None:
    async with answering('HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"text":') as client:
        error = await failure_of(client)
    assert error.reason == "CONNECTION_BROKEN"


@pytest.mark.parametrize(
    "said",
    [[chunk(LINE)], [chunk(LINE), "0\r\n\r\n"], [chunk(LINE + '{"mess')]],
    ids=["connection cut", "body ended properly", "in the middle of a line"],
)
async def test_stream_without_its_end_mark_was_cut(said: list[str]) -> None:
    async with answering(CHUNKED, *said) as client:
        seen, error = await failure_of_watch(client)
    assert seen == ["a"]
    assert error.code is StatusCode.UNAVAILABLE
    assert error.reason == "CONNECTION_BROKEN"


async def test_stream_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    short = pytest.importorskip("aiohttp").ClientTimeout(sock_read=0.05)
    monkeypatch.setattr("runtime.rest.client._STREAMING", short)
    async with answering(CHUNKED, chunk(LINE), chunk("\n"), stays=True) as client:
        seen, error = await failure_of_watch(client)
    assert seen == ["a"]
    assert error.reason == "CONNECTION_BROKEN"


@pytest.mark.parametrize(
    ("status", "code"),
    [(502, "UNAVAILABLE"), (404, "UNIMPLEMENTED"), (418, "UNKNOWN"), (301, "UNKNOWN")],
)
async def test_answer_of_a_stranger_is_told_from_the_services(status: int, code: str) -> None:
    page = "<html>Bad Gateway</html>"
    head = f"HTTP/1.1 {status} Hm\r\nContent-Length: {len(page)}\r\nLocation: /\r\n\r\n"
    async with answering(head, page) as client:
        error = await failure_of(client)
    assert (error.code.name, error.reason) == (code, "NOT_OURS")


async def test_unreadable_answer_leaves_the_outcome_open() -> None:
    async with answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{]") as client:
        error = await failure_of(client)
    assert (error.code, error.reason) == (StatusCode.INTERNAL, "UNREADABLE_ANSWER")
    async with answering(CHUNKED, chunk('{"colour":"blue"}\n')) as client:
        _, error = await failure_of_watch(client)
    assert error.reason == "UNREADABLE_ANSWER"


async def test_session_that_closes_under_a_call_does_not_look_like_a_cancellation() -> None:
    service = Echo()
    async with serve_rest([service]) as tcp_port:
        session = open_session()
        client = echo_client(RestTransport(f"http://127.0.0.1:{tcp_port}", session))
        answer = asyncio.ensure_future(client.echo(asked("slow"), Call(timeout_s=0.5)))
        watch = client.watch_echoes(pb.WatchEchoesRequest())
        await anext(watch)
        assert await soon(lambda: service.heard == ["slow"])
        await session.close()
        await asyncio.wait([answer])
        with pytest.raises(ServiceError, match="is closed: keep it open"):
            async for _ in watch:
                pass
    error = answer.exception()
    assert isinstance(error, ServiceError)
    assert (error.code, error.reason) == (StatusCode.UNAVAILABLE, "CHANNEL_CLOSED")


async def test_requests_that_break_in_mid_conversation_end_it() -> None:
    heard = asyncio.Event()

    async def requests() -> AsyncIterator[pb.ExchangeEchoesRequest]:
        yield pb.ExchangeEchoesRequest(text="a")
        await heard.wait()
        raise KeyError("no more")

    service = Echo()
    async with serve_rest([service]) as tcp_port, open_session() as session:
        client = echo_client(RestTransport(f"http://127.0.0.1:{tcp_port}", session))
        answers = client.exchange_echoes(requests())
        assert (await anext(answers)).text == "a"
        heard.set()
        with pytest.raises(ServiceError, match="no more") as caught:
            await anext(answers)
    assert caught.value.code is StatusCode.UNKNOWN


async def test_service_that_waits_holds_its_caller_back() -> None:
    """A service that took one message of 100 kB leaves its caller stuck soon after."""
    taken, enough, said = asyncio.Event(), asyncio.Event(), 0

    class Waiting(Echo):
        async def collect_echoes(
            self, request: AsyncIterator[pb.CollectEchoesRequest], call: Call = Call()
        ) -> pb.CollectEchoesResponse:
            await anext(request)
            taken.set()
            await enough.wait()
            return pb.CollectEchoesResponse()

    async def requests() -> AsyncIterator[pb.CollectEchoesRequest]:
        nonlocal said
        while True:
            said += 1
            yield pb.CollectEchoesRequest(text="x" * 100_000)

    async with serve_rest([Waiting()]) as tcp_port, open_session() as session:
        client = echo_client(RestTransport(f"http://127.0.0.1:{tcp_port}", session))
        answer = asyncio.ensure_future(client.collect_echoes(requests()))
        await taken.wait()
        await asyncio.sleep(0.3)
        before = said
        await asyncio.sleep(0.2)
        assert said == before
        assert said * 100_000 <= 4_000_000  # What sockets and their readers may hold.
        enough.set()
        assert (await answer).count == 0  # An answer that does not wait for the rest.
