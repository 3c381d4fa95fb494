"""A trace is whole, the same again from its seed, and follows the work over streams and tasks."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st
from trading.echo.v1 import echo_pb2 as pb

from runtime.clock import ReplayClock, SystemClock
from runtime.errors import ServiceError
from runtime.identity import as_principal
from runtime.ids import derived_rng
from runtime.observe.recorder import SpanRecorder, breaches
from runtime.observe.scope import traceparent, work_of
from runtime.observe.spans import Kind, Span, SpanContext, parse
from runtime.observe.tests import tracing
from runtime.observe.tests.tracing import TracedClient, Way, traced_echo
from runtime.observe.tracer import Source, Tracer
from runtime.rpc import Call
from runtime.simulated import Break, Passage, SimulatedNetwork, Verdict
from runtime.tests.echoing import ANA, Echo, Relay, asked, echo_client

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


def tracer_of(recorder: SpanRecorder, share: float = 1.0, seed: int = 1) -> Tracer:
    rng = derived_rng(seed, "spans")
    return Tracer(Source("echo", "echo"), recorder, ReplayClock(0), rng, share)


def by_kind(recorder: SpanRecorder, kind: Kind) -> list[Span]:
    return [span for span in recorder.spans if span.kind is kind]


@pytest.mark.parametrize("way", [tracing.local, tracing.simulated], ids=["local", "simulated"])
async def test_each_call_has_one_span_on_either_side(way: Way) -> None:
    await check_each_side(way)


@pytest.mark.real_time
async def test_each_call_over_grpc_has_one_span_on_either_side() -> None:
    await check_each_side(tracing.grpc)


async def check_each_side(way: Way) -> None:
    recorder = SpanRecorder()
    tracer = tracer_of(recorder)
    async with way(Echo(), tracer) as transport:
        client = TracedClient(transport, tracer)
        for text in ("a", "refuse", "bug", ""):
            await client.quietly(text)
        await tracing.traced(tracer, leave_early(client))
        await asyncio.sleep(0.05)  # The server hears of it a moment later.
    assert len(recorder.spans) == 10
    assert breaches(recorder.spans) == []
    pairs = Counter(span.context.trace_id for span in recorder.spans)
    assert set(pairs.values()) == {2}
    for served in by_kind(recorder, Kind.SERVER):
        (called,) = [
            span
            for span in by_kind(recorder, Kind.CLIENT)
            if span.context.span_id == served.parent_id
        ]
        assert (called.code, called.name) == (served.code, served.name)
        assert served.attributes["caller"] == "ana"
    codes = [span.code for span in by_kind(recorder, Kind.SERVER)]
    assert codes == ["OK", "FAILED_PRECONDITION", "UNKNOWN", "INVALID_ARGUMENT", "CANCELLED"]


async def leave_early(client: TracedClient) -> None:
    watch = client.port.watch_echoes(pb.WatchEchoesRequest())
    for _ in range(3):
        await anext(watch)
    await watch.aclose()


async def test_a_call_that_leads_to_another_is_its_parent() -> None:
    recorder = SpanRecorder()
    tracer = tracer_of(recorder)
    async with tracing.local(Echo(), tracer) as last:
        relay = Relay(echo_client(last), after_s=0.1)
        async with tracing.local(relay, tracer) as first:
            await TracedClient(first, tracer).echo(asked("a"))
    assert breaches(recorder.spans) == []
    assert [span.kind for span in recorder.spans] == [Kind.SERVER, Kind.CLIENT] * 2
    parents = [span.parent_id for span in recorder.spans]
    assert parents == [span.context.span_id for span in list(recorder.spans)[1:]] + [""]


async def test_the_same_seed_gives_the_same_trace_twice() -> None:
    runs = []
    for seed in (1, 1, 2):
        recorder = SpanRecorder()
        client = traced_echo(tracer_of(recorder, seed=seed))
        for text in ("a", "refuse", "b"):
            await client.quietly(text)
        runs.append([line.partition('"start_ns"')[0] for line in recorder.lines()])
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize(
    "header", ["", "00-zz", f"00-{'0' * 32}-{'1' * 16}-01", f"ff-{'1' * 32}-{'1' * 16}-01", "\0"]
)
async def test_a_malformed_header_begins_a_new_trace(header: str) -> None:
    recorder, service = SpanRecorder(), Echo()
    async with tracing.local(service, tracer_of(recorder)) as transport:
        stranger = as_principal(Call(metadata={"traceparent": header}), ANA)
        await echo_client(transport).echo(asked("a"), stranger)
    (served,) = recorder.spans
    assert served.parent_id == ""
    assert parse(service.calls[0].metadata["traceparent"]) == served.context


@given(st.text(max_size=80))
def test_a_header_is_a_span_or_nothing(header: str) -> None:
    found = parse(header)
    assert found is None or len(found.trace_id + found.span_id) == 48


async def test_a_retry_shows_as_attempts_of_one_call() -> None:
    recorder = SpanRecorder()
    tracer = tracer_of(recorder)
    async with tracing.local(Echo(), tracer) as served:
        network = SimulatedNetwork(served)
        answers: list[Verdict] = [Break(), Break()]

        def lose_two(passage: Passage) -> Verdict:
            return None if passage.is_request or not answers else answers.pop()

        with network.rule(lose_two):
            await TracedClient(network, tracer).echo(asked("a"))
    (called,), attempts = by_kind(recorder, Kind.CLIENT), by_kind(recorder, Kind.SERVER)
    assert (called.code, called.attributes["attempts"]) == ("OK", 3)
    assert [text for _, text in called.events] == [
        "attempt 2 after UNAVAILABLE",
        "attempt 3 after UNAVAILABLE",
    ]
    assert [span.attributes.get("attempt") for span in attempts] == [None, 2, 3]
    assert breaches(recorder.spans) == []


async def test_what_is_not_chosen_is_kept_when_it_fails_or_is_slow() -> None:
    recorder = SpanRecorder()
    client = traced_echo(tracer_of(recorder, share=0.0))
    await client.echo(asked("a"))
    assert not recorder.spans
    await client.quietly("refuse")
    assert [span.code for span in recorder.spans] == ["FAILED_PRECONDITION"] * 2
    recorder.spans.clear()
    async with tracing.local(Relay(Echo(), after_s=1.0), tracer_of(recorder, share=0.0)) as slow:
        await TracedClient(slow, tracer_of(recorder, share=0.0)).echo(asked("a"))
    assert [span.code for span in recorder.spans] == ["OK"] * 2


async def test_a_tenth_of_traces_is_chosen_and_the_parent_decides_for_its_children() -> None:
    recorder = SpanRecorder()
    client = traced_echo(tracer_of(recorder, share=0.1))
    for _ in range(1000):
        await client.echo(asked("a"))
    assert 60 < len(by_kind(recorder, Kind.SERVER)) < 140
    assert breaches(recorder.spans) == []


async def test_a_caller_without_spans_is_no_parent() -> None:
    recorder = SpanRecorder()
    async with tracing.local(Echo(), tracer_of(recorder)) as transport:
        untraced = echo_client(transport)
        for _ in range(2):
            await untraced.echo(asked("a"))
    assert breaches(recorder.spans) == []
    assert [span.parent_id for span in recorder.spans] == ["", ""]


async def test_the_reader_of_a_stream_does_not_inherit_its_span() -> None:
    tracer = tracer_of(SpanRecorder())
    async with tracing.local(Echo(), tracer) as transport:
        with work_of(tracer):
            watch = echo_client(transport).watch_echoes(pb.WatchEchoesRequest())
            for _ in range(3):
                await anext(watch)
                assert traceparent() == ""
            await watch.aclose()


def test_baggage_names_the_conversation() -> None:
    async def heard(metadata: dict[str, str]) -> dict[str, object]:
        recorder = SpanRecorder()
        async with tracing.local(Echo(), tracer_of(recorder)) as transport:
            await echo_client(transport).echo(asked("a"), Call(metadata=metadata))
        return dict(recorder.spans[0].attributes)

    with asyncio.Runner() as runner:
        found = runner.run(heard({"baggage": "scenario_id=a%20b;p=1, junk, other=1"}))
    assert found["scenario_id"] == "a b"
    assert "other" not in found


@pytest.mark.parametrize("fault", ["orphan", "second root", "twin"])
def test_an_incomplete_trace_is_found_out(fault: str) -> None:
    root = span("1" * 16)
    child = span("2" * 16, parent="1" * 16)
    wrong: dict[str, Sequence[Span]] = {
        "orphan": (root, span("3" * 16, parent="9" * 16)),
        "second root": (root, child, span("4" * 16)),
        "twin": (root, child, child),
    }
    assert breaches((root, child)) == []
    assert len(breaches(wrong[fault])) == 1


def span(span_id: str, parent: str = "") -> Span:
    return Span("s", Kind.SERVER, "echo", "echo", SpanContext("a" * 32, span_id), parent, 0)


async def test_errors_say_whether_nothing_happened() -> None:
    recorder = SpanRecorder()
    client = traced_echo(tracer_of(recorder))
    with pytest.raises(ServiceError) as caught:
        await client.echo(asked("refuse"))
    assert caught.value.code is StatusCode.FAILED_PRECONDITION
    assert [span.attributes["definite"] for span in recorder.spans] == [True, True]
    assert [span.attributes["reason"] for span in recorder.spans] == ["NOT_NOW"] * 2


@pytest.mark.real_time
async def test_real_time_is_the_machines() -> None:
    recorder = SpanRecorder()
    clock = SystemClock()
    tracer = Tracer(Source("echo", "echo"), recorder, clock, random.SystemRandom(), 1.0)
    before_ns = clock.now_ns()
    await traced_echo(tracer).echo(asked("a"))
    assert all(before_ns <= span.start_ns <= clock.now_ns() for span in recorder.spans)
