"""What a REST server owes to any HTTP client, seen over a plain socket."""

import asyncio
import shutil
from collections.abc import Callable

import pytest

from runtime.identity import PEER
from runtime.rest import Pages, RestServer, open_session, serve_rest
from runtime.rest.tests.by_hand import AS_ANA, AS_ANA_IN_LINES, ECHO, EXCHANGE, WATCH, wired
from runtime.rest.wire import HEADERS_BYTES_MAX, JSON_BYTES_MAX, URL_BYTES_MAX
from runtime.tests.echoing import Echo, soon
from runtime.virtual import VirtualLoop

pytestmark = pytest.mark.real_time
HELLO = '{"request_id": "r-1", "text": "hello"}'


async def test_call_is_answered_with_its_ids() -> None:
    async with serve_rest([Echo()]) as tcp_port, wired(tcp_port) as wire:
        answered = await wire.ask(ECHO, HELLO, x_request_id="q-7")
    assert answered.status == 200
    assert answered.document == {"text": "hello", "sequence": "1"}
    assert answered.headers["content-type"] == "application/json"
    assert answered.headers["cache-control"] == "no-store"
    assert answered.headers["x-request-id"] == "q-7"
    assert answered.headers["traceparent"].startswith("00-")
    assert answered.headers["idempotency-key"] == "r-1"


async def test_curl_is_answered(leave_out: Callable[[str], None]) -> None:
    if shutil.which("curl") is None:
        leave_out("curl is not installed")
    async with serve_rest([Echo()]) as tcp_port:
        headers = [f"-H{name}: {value}" for name, value in AS_ANA.items()]
        url = f"http://127.0.0.1:{tcp_port}{ECHO}"
        curl = await asyncio.create_subprocess_exec(
            *("curl", "-sS", *headers, "-d", HELLO, url), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await curl.communicate()
    assert said == b'{"text":"hello","sequence":"1"}'


async def test_refusal_is_a_problem_document() -> None:
    async with serve_rest([Echo()]) as tcp_port, wired(tcp_port) as wire:
        answered = await wire.ask(ECHO, '{"request_id": "no spaces"}', x_request_id="q-7")
    problem = answered.document
    assert answered.status == problem["status"] == 400
    assert answered.headers["content-type"] == "application/problem+json"
    assert problem["title"] == "Bad Request"
    assert (problem["code"], problem["definite"]) == ("INVALID_ARGUMENT", True)
    assert problem["request_id"] == "q-7"
    assert [v["field"] for v in problem["violations"]] == ["request_id", "text"]
    assert problem["details"][0]["@type"].startswith("type.googleapis.com/google.rpc.")


@pytest.mark.parametrize(
    ("path", "changed", "status", "reason"),
    [
        pytest.param(ECHO, {"content_type": "text/plain"}, 415, "WRONG_MEDIA_TYPE", id="text"),
        pytest.param(
            ECHO,
            {"content_type": "application/json; charset=latin-1"},
            *(415, "WRONG_MEDIA_TYPE"),
            id="charset",
        ),
        pytest.param(ECHO, {"content_encoding": "gzip"}, 415, "WRONG_MEDIA_TYPE", id="gzip"),
        pytest.param(EXCHANGE, {}, 415, "WRONG_MEDIA_TYPE", id="one message for a stream"),
        pytest.param(ECHO, {"plimsoll_timeout_ms": "1.5"}, 400, "UNREADABLE_TIMEOUT", id="time"),
        pytest.param(
            ECHO, {"idempotency_key": "r-2"}, 400, "WRONG_IDEMPOTENCY_KEY", id="another key"
        ),
        pytest.param(ECHO, {"plimsoll_timeout_ms": "5"}, 504, "TOO_LATE", id="too late"),
        pytest.param(ECHO + "?dry_run=1", {}, 400, "UNKNOWN_QUERY", id="query"),
        pytest.param(ECHO + "es", {}, 404, "NO_SUCH_PATH", id="path"),
        pytest.param(ECHO, {"verb": "GET"}, 405, "WRONG_HTTP_METHOD", id="verb"),
        pytest.param("/" + "a" * URL_BYTES_MAX, {}, 414, "URL_TOO_LONG", id="url"),
        pytest.param(
            ECHO, {"x_long": "a" * HEADERS_BYTES_MAX}, 431, "HEADERS_TOO_LARGE", id="header"
        ),
        pytest.param(
            ECHO,
            {f"x_{i}": "a" * 1_000 for i in range(17)},
            *(431, "HEADERS_TOO_LARGE"),
            id="headers",
        ),
        pytest.param(
            ECHO, {"content_length": str(JSON_BYTES_MAX + 1)}, 413, "MESSAGE_TOO_LARGE", id="size"
        ),
        pytest.param("no path", {}, 400, "UNREADABLE_HTTP", id="not HTTP"),
    ],
)
async def test_what_is_sent_wrongly_is_refused_before_any_effect(
    path: str, changed: dict[str, str], status: int, reason: str
) -> None:
    service = Echo()
    async with serve_rest([service]) as tcp_port, wired(tcp_port) as wire:
        answered = await wire.ask(path, HELLO, **changed)
    assert (answered.status, answered.document["reason"]) == (status, reason)
    assert answered.document["status"] == status
    assert service.heard == []


async def test_misspelt_field_is_refused() -> None:
    service = Echo()
    async with serve_rest([service]) as tcp_port, wired(tcp_port) as wire:
        answered = await wire.ask(ECHO, '{"request_id": "r-1", "txet": "hello"}')
    assert (answered.status, answered.document["reason"]) == (400, "UNREADABLE_JSON")
    assert '"txet"' in answered.document["detail"]


async def test_body_of_unknown_length_is_limited_as_it_arrives() -> None:
    async with serve_rest([Echo()]) as tcp_port, wired(tcp_port) as wire:
        wire.begin(ECHO, {**AS_ANA, "Transfer-Encoding": "chunked"})
        piece = " " * 1_000_000
        for _ in range(JSON_BYTES_MAX // len(piece) + 1):
            wire.chunk(piece)
            await wire.writer.drain()
        assert (await wire.answer()).status == 413


async def test_key_in_the_header_alone_is_the_requests() -> None:
    service = Echo()
    async with serve_rest([service]) as tcp_port, wired(tcp_port) as wire:
        answered = await wire.ask(ECHO, '{"text": "hello"}', idempotency_key="r-9")
        assert answered.status == 200
        assert answered.headers["idempotency-key"] == "r-9"
        without = await wire.ask(ECHO, '{"text": "hello"}')
    assert without.document["violations"][0]["field"] == "request_id"


async def test_call_that_nobody_may_repeat_takes_no_key() -> None:
    async with serve_rest([Echo()]) as tcp_port, wired(tcp_port) as wire:
        headers = {**AS_ANA_IN_LINES, "Transfer-Encoding": "chunked", "Idempotency-Key": "k"}
        wire.begin(EXCHANGE, headers)
        wire.chunk("")
        answered = await wire.answer()
    assert (answered.status, answered.document["reason"]) == (400, "WRONG_IDEMPOTENCY_KEY")


async def test_connection_is_used_again_and_kept_after_a_refusal() -> None:
    service = Echo()
    async with serve_rest([service]) as tcp_port, wired(tcp_port) as wire:
        for text in ("a", "refuse", "b"):
            await wire.ask(ECHO, f'{{"request_id": "r-1", "text": "{text}"}}')
    assert service.heard == ["a", "refuse", "b"]


async def test_conversation_is_held_line_by_line_and_ends_with_a_mark() -> None:
    async with serve_rest([Echo()]) as tcp_port, wired(tcp_port) as wire:
        wire.begin(EXCHANGE, {**AS_ANA_IN_LINES, "Transfer-Encoding": "chunked"})
        wire.chunk('{"text": "one"}\n')
        status, headers = await wire.head()  # The answer begins while the request goes on.
        assert (status, headers["content-type"]) == (200, "application/x-ndjson")
        assert await wire.line() == {"message": {"text": "one"}}
        wire.chunk('{"te')
        wire.chunk('xt": "two"}')  # A line may come in pieces, the last one without its end.
        wire.chunk("")
        assert await wire.line() == {"message": {"text": "two"}}
        assert await wire.line() == {"end": {}}
        assert await wire.line() is None


async def test_unreadable_line_ends_a_conversation_with_an_error() -> None:
    async with serve_rest([Echo()]) as tcp_port, wired(tcp_port) as wire:
        wire.begin(EXCHANGE, {**AS_ANA_IN_LINES, "Transfer-Encoding": "chunked"})
        wire.chunk('{"text": "one"}\n{"txet": "two"}\n')
        await wire.head()
        assert await wire.line() == {"message": {"text": "one"}}
        error = (await wire.line())["error"]
        assert (error["code"], error["reason"]) == ("INVALID_ARGUMENT", "UNREADABLE_JSON")
        assert await wire.line() is None


async def test_reader_that_hangs_up_ends_the_services_stream() -> None:
    service = Echo()
    async with serve_rest([service]) as tcp_port:
        async with wired(tcp_port) as wire:
            wire.begin(WATCH, {**AS_ANA, "Content-Length": "2"})
            wire.writer.write(b"{}")
            await wire.head()
        assert await soon(lambda: service.watches_closed == 1)


async def test_stream_is_not_begun_in_a_protocol_that_cannot_end_it() -> None:
    async with serve_rest([Echo()]) as tcp_port, wired(tcp_port) as wire:
        head = [f"POST {WATCH} HTTP/1.0", *(f"{k}: {v}" for k, v in AS_ANA.items())]
        wire.writer.write(("\r\n".join([*head, "Content-Length: 2"]) + "\r\n\r\n{}").encode())
        answered = await wire.answer()
    assert (answered.status, answered.document["reason"]) == (505, "OLD_HTTP")


async def test_nobody_says_himself_that_he_was_verified() -> None:
    service = Echo()
    async with serve_rest([service]) as tcp_port, wired(tcp_port) as wire:
        await wire.ask(ECHO, HELLO, x_plimsoll_peer="name=eve&roles=ADMIN&service=")
        await wire.ask(ECHO, HELLO, plimsoll_metadata_x_plimsoll_peer="name%3Deve")
    assert len(service.calls) == 2
    assert all(PEER not in call.metadata for call in service.calls)


async def test_caller_that_hangs_up_ends_the_call_long_before_its_deadline() -> None:
    service, loop = Echo(), asyncio.get_running_loop()
    body = '{"request_id": "r-1", "text": "slow"}'
    async with serve_rest([service]) as tcp_port:
        async with wired(tcp_port) as wire:
            wire.begin(ECHO, {**AS_ANA, "Content-Length": str(len(body))})
            wire.writer.write(body.encode())
            assert await soon(lambda: service.heard == ["slow"])
        began_s = loop.time()
        assert await soon(lambda: service.cancelled == 1)
        assert loop.time() - began_s < 1.0  # The contract allows two seconds.


async def test_silent_stream_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.rest.reply.KEEPALIVE_S", 0.01)
    async with serve_rest([Echo()]) as tcp_port, wired(tcp_port) as wire:
        wire.begin(EXCHANGE, {**AS_ANA_IN_LINES, "Transfer-Encoding": "chunked"})
        await wire.head()
        assert await wire.reader.readexactly(6) == b"1\r\n\n\r\n"
        assert await wire.reader.readexactly(6) == b"1\r\n\n\r\n"


async def test_client_that_waits_to_be_asked_is_asked_for_its_body() -> None:
    async with serve_rest([Echo()]) as tcp_port, wired(tcp_port) as wire:
        length = str(len(HELLO))
        wire.begin(ECHO, {**AS_ANA, "Content-Length": length, "Expect": "100-continue"})
        assert await wire.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.writer.write(HELLO.encode())
        assert (await wire.answer()).document["text"] == "hello"


async def test_pages_tell_how_the_process_is() -> None:
    async def ready() -> tuple[bool, dict[str, str]]:
        return False, {"status": "starting"}

    async def live() -> tuple[bool, dict[str, str]]:
        return True, {"status": "ok"}

    pages = Pages(live=live, ready=ready, metrics=lambda: ("text/plain; version=0.0.4", b"up 1\n"))
    async with serve_rest([Echo()], pages=pages) as tcp_port, wired(tcp_port) as wire:
        alive = await wire.ask("/healthz/live", verb="GET")
        prepared = await wire.ask("/healthz/ready", verb="GET")
        metrics = await wire.ask("/metrics", verb="GET")
        missing = await wire.ask("/healthz/startup", verb="GET")
    assert (alive.status, alive.document) == (200, {"status": "ok"})
    assert (prepared.status, prepared.document) == (503, {"status": "starting"})
    assert (metrics.headers["content-type"], metrics.body) == (
        "text/plain; version=0.0.4",
        b"up 1\n",
    )
    assert missing.status == 404


async def test_calls_over_the_limit_in_flight_are_refused_before_any_effect() -> None:
    service = Echo()
    server = RestServer([service], in_flight_max=1)
    async with wired(await server.start()) as busy:
        busy.begin(ECHO, {**AS_ANA, "Content-Length": "38"})
        busy.writer.write(b'{"request_id": "r-1", "text": "slow" }')
        assert await soon(lambda: service.heard == ["slow"])
        async with wired(server.tcp_port) as wire:
            answered = await wire.ask(ECHO, HELLO)
    await server.stop()
    assert (answered.status, answered.document["reason"]) == (429, "TOO_MANY_IN_FLIGHT")
    assert answered.headers["retry-after"] == "1"
    assert service.heard == ["slow"]


async def test_plain_text_stays_on_this_machine() -> None:
    with pytest.raises(ValueError, match="is_plain_text_allowed"):
        await RestServer([Echo()]).start("0.0.0.0:0")


async def test_second_server_on_one_address_is_an_error() -> None:
    async with serve_rest([Echo()]) as tcp_port:
        with pytest.raises(OSError, match="in use"):
            await RestServer([Echo()]).start(f"127.0.0.1:{tcp_port}")


def test_rest_never_runs_in_virtual_time() -> None:
    async def dial() -> None:
        open_session()

    with (
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
        pytest.raises(RuntimeError, match="runs in real time"),
    ):
        runner.run(dial())
