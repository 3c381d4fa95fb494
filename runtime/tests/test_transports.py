"""Every transport keeps the same promises: one suite, four transports.

`TransportSuite` is run once by each class at the end. The gRPC and REST ones use real
sockets on 127.0.0.1, hence real time; the other two run in virtual time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.errors import BadRequest, ErrorInfo, ServiceError
from runtime.identity import Principal, as_principal
from runtime.rpc import Call, Port, Transport, connect
from runtime.tests.echoing import (
    ANA,
    Echo,
    Relay,
    asked,
    echo_client,
    grpc,
    local,
    refused,
    rest,
    simulated,
    soon,
)


class TransportSuite:
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        """Open the way to `port` that this run of the suite is about."""
        raise NotImplementedError

    async def test_unary_call_is_answered(self) -> None:
        async with self.way(Echo()) as transport:
            answer = await echo_client(transport).echo(asked("hello"))
        assert (answer.text, answer.sequence) == ("hello", 1)

    async def test_stream_of_responses_is_in_order(self) -> None:
        async with self.way(Echo()) as transport:
            watch = echo_client(transport).watch_echoes(pb.WatchEchoesRequest(after_sequence=5))
            seen = [(await anext(watch)) for _ in range(4)]
            await watch.aclose()
        assert [m.sequence for m in seen] == [5, 6, 7, 8]
        assert [m.is_heartbeat for m in seen] == [True, False, False, False]

    async def test_stream_of_requests_is_answered_once(self) -> None:
        async with self.way(Echo()) as transport:
            answer = await echo_client(transport).collect_echoes(collected("a", "b", "c"))
        assert (answer.text, answer.count) == ("abc", 3)

    async def test_empty_stream_of_requests_is_answered(self) -> None:
        async with self.way(Echo()) as transport:
            assert (await echo_client(transport).collect_echoes(collected())).count == 0

    async def test_both_sides_of_a_conversation_take_turns(self) -> None:
        said: asyncio.Queue[str | None] = asyncio.Queue()

        async def requests() -> AsyncIterator[pb.ExchangeEchoesRequest]:
            while (text := await said.get()) is not None:
                yield pb.ExchangeEchoesRequest(text=text)

        async with self.way(Echo()) as transport:
            answers = echo_client(transport).exchange_echoes(requests())
            for text in ("one", "two", "three"):  # Each is said only after the last answer.
                said.put_nowait(text)
                assert (await anext(answers)).text == text
            said.put_nowait(None)
            assert [a async for a in answers] == []

    async def test_metadata_reaches_the_service(self) -> None:
        service = Echo()
        async with self.way(service) as transport:
            await echo_client(transport).echo(asked("a"), Call(metadata={"x-colour": "blue"}))
        (call,) = service.calls
        assert call.metadata["x-colour"] == "blue"
        assert call.metadata["traceparent"].startswith("00-")
        assert call.metadata["x-request-id"]

    async def test_refusal_reaches_the_caller_with_its_details(self) -> None:
        async with self.way(Echo()) as transport:
            with pytest.raises(ServiceError) as caught:
                await echo_client(transport).echo(asked("refuse"))
        assert_is_refusal(caught.value)

    async def test_refusal_in_mid_stream_comes_after_what_was_said(self) -> None:
        async with self.way(Echo()) as transport:
            answers = echo_client(transport).exchange_echoes(exchanged("a", "refuse", "b"))
            assert (await anext(answers)).text == "a"
            with pytest.raises(ServiceError) as caught:
                await anext(answers)
        assert_is_refusal(caught.value)

    async def test_bug_in_the_service_is_unknown_and_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with self.way(Echo()) as transport:
            with pytest.raises(ServiceError, match="KeyError") as caught:
                await echo_client(transport).echo(asked("bug"))
        assert caught.value.code is StatusCode.UNKNOWN
        assert caught.value.reason == "BUG"
        assert "bug in /trading.echo.v1.EchoService/Echo" in caplog.text
        assert not caught.value.definite

    async def test_bug_in_the_requests_is_the_callers(self) -> None:
        async def requests() -> AsyncIterator[pb.CollectEchoesRequest]:
            yield pb.CollectEchoesRequest(text="a")
            raise KeyError("no more")

        async with self.way(Echo()) as transport:
            with pytest.raises(ServiceError, match="no more") as caught:
                await echo_client(transport).collect_echoes(requests())
        assert caught.value.code is StatusCode.UNKNOWN

    async def test_method_not_offered_is_unimplemented(self) -> None:
        class Silent(EchoService):
            pass

        async with self.way(Silent()) as transport:
            client = echo_client(transport)
            with pytest.raises(ServiceError, match="Silent does not offer") as unary:
                await client.echo(asked("a"))
            with pytest.raises(ServiceError) as stream:
                await anext(client.watch_echoes(pb.WatchEchoesRequest()))
        for caught in (unary, stream):
            assert caught.value.code is StatusCode.UNIMPLEMENTED
            assert caught.value.definite

    async def test_invalid_request_is_refused_with_every_violation(self) -> None:
        service = Echo()
        async with self.way(service) as transport:
            with pytest.raises(ServiceError) as caught:
                await echo_client(transport).echo(pb.EchoRequest(request_id="no spaces"))
        assert caught.value.code is StatusCode.INVALID_ARGUMENT
        assert violations(caught.value) == [
            ("request_id", "string.pattern"),
            ("text", "string.min_len"),
        ]
        assert service.heard == []

    async def test_invalid_message_of_a_stream_is_refused(self) -> None:
        service = Echo()
        async with self.way(service) as transport:
            with pytest.raises(ServiceError) as caught:
                await echo_client(transport).collect_echoes(collected("a", "", "b"))
        assert caught.value.code is StatusCode.INVALID_ARGUMENT
        assert violations(caught.value) == [("text", "string.min_len")]
        assert service.heard == ["a"]

    async def test_call_without_a_principal_is_refused(self) -> None:
        service = Echo()
        async with self.way(service) as transport:
            with pytest.raises(ServiceError) as caught:
                await connect(EchoService, transport).echo(asked("a"))
        assert caught.value.code is StatusCode.UNAUTHENTICATED
        assert service.heard == []

    async def test_call_in_another_role_is_refused(self) -> None:
        service = Echo()
        viewer = Principal("vera", frozenset({"VIEWER"}))
        async with self.way(service) as transport:
            client = echo_client(transport, caller=viewer)
            with pytest.raises(ServiceError, match=r"vera.*TRADER.*gateway") as caught:
                await client.echo(asked("a"))
            assert (await anext(client.watch_echoes(pb.WatchEchoesRequest()))).is_heartbeat
        assert caught.value.code is StatusCode.PERMISSION_DENIED
        assert service.heard == []

    async def test_service_calls_on_behalf_of_a_person(self) -> None:
        service = Echo()
        gateway = Principal("gateway", service="gateway")
        async with self.way(service) as transport:
            client = echo_client(transport, caller=gateway)
            await client.echo(asked("a"), as_principal(Call(), ANA))
        assert "name=ana" in service.calls[0].metadata["x-plimsoll-principal"]
        assert "service=gateway" in service.calls[0].metadata["x-plimsoll-principal"]

    async def test_neither_side_sees_the_other_change_a_message(self) -> None:
        async with self.way(Echo()) as transport:
            client, request = echo_client(transport), asked("hello")
            answer = await client.echo(request)
            assert request.text == "hello"
            answer.text = "overwritten"
            assert (await client.echo(request)).text == "hello"
            watch = client.watch_echoes(pb.WatchEchoesRequest())
            first = await anext(watch)
            await anext(watch)
            assert first.is_heartbeat
            await watch.aclose()

    async def test_deadline_travels_on_and_is_never_reset(self) -> None:
        async with (
            self.way(Echo()) as near,
            self.way(Relay(echo_client(near), after_s=0.5)) as far,
        ):
            answer = await echo_client(far).echo(asked("remaining"), Call(timeout_s=1.8))
        # Half a second has gone: reset, it would be 1.8. gRPC rounds what it sends, and its clock.
        assert 0 < float(answer.text) < 1.4

    async def test_trace_travels_on(self) -> None:
        service = Echo()
        async with self.way(service) as near, self.way(Relay(echo_client(near), after_s=0)) as far:
            await echo_client(far).echo(asked("a"), Call(metadata={"x-request-id": "q-7"}))
        assert service.calls[0].metadata["x-request-id"] == "q-7"

    async def test_answer_too_large_is_not_taken_for_a_refusal(self) -> None:
        service = Echo()
        async with self.way(service) as transport:
            with pytest.raises(ServiceError, match="16777216") as caught:
                await echo_client(transport).echo(asked("long answer"))
            assert await soon(lambda: len(service.heard) == 1)
        assert caught.value.reason == "MESSAGE_TOO_LARGE"
        assert not caught.value.definite

    async def test_message_just_under_the_limit_passes_and_one_over_it_is_refused(self) -> None:
        service = Echo()
        async with self.way(service) as transport:
            client = echo_client(transport)
            answer = await client.echo(asked("\U0001f600" * 4_194_000))  # Four bytes each.
            assert len(answer.text) == 4_194_000
            with pytest.raises(ServiceError, match="16777216") as caught:
                await client.echo(asked("\U0001f600" * 4_195_000))
        assert caught.value.code is StatusCode.RESOURCE_EXHAUSTED
        assert caught.value.definite
        assert len(service.heard) == 1


class TestLocalTransport(TransportSuite):
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        return local(port)


class TestSimulatedNetwork(TransportSuite):
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        return simulated(port)


@pytest.mark.real_time
class TestGrpcTransport(TransportSuite):
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        return grpc(port)


@pytest.mark.real_time
class TestRestTransport(TransportSuite):
    def way(self, port: Port) -> AbstractAsyncContextManager[Transport]:
        return rest(port)


async def collected(*texts: str) -> AsyncIterator[pb.CollectEchoesRequest]:
    for text in texts:
        yield pb.CollectEchoesRequest(text=text)


async def exchanged(*texts: str) -> AsyncIterator[pb.ExchangeEchoesRequest]:
    for text in texts:
        yield pb.ExchangeEchoesRequest(text=text)


def violations(error: ServiceError) -> list[tuple[str, str]]:
    found = error.detail(BadRequest)
    assert found is not None
    return [(v.field, v.reason) for v in found.field_violations]


def assert_is_refusal(error: ServiceError) -> None:
    expected = refused()
    assert (error.code, error.message) == (expected.code, expected.message)
    assert error.details == expected.details
    info = error.detail(ErrorInfo)
    assert info is not None
    assert info.metadata == {"text": "refuse"}
    assert (error.reason, error.definite) == ("NOT_NOW", True)
