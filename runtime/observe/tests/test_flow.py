"""What comes over a stream is traced to its cause, and tasks inherit what they work for."""

import asyncio

import pytest
from trading.echo.v1 import echo_pb2 as pb
from trading.marketdata.v1.marketdata_pb2 import WatchCandlesResponse
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.execution_pb2 import ExecutionReport
from trading.types.v1.signal_pb2 import Signal

from runtime.clock import ReplayClock
from runtime.ids import derived_rng
from runtime.observe.flow import consuming, continuing, producing
from runtime.observe.mentions import read
from runtime.observe.recorder import SpanRecorder
from runtime.observe.scope import SCOPE, detach, traceparent, work_of
from runtime.observe.spans import SpanContext
from runtime.observe.tracer import Source, Tracer

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


def tracer_of(recorder: SpanRecorder) -> Tracer:
    source = Source("echo", "echo")
    return Tracer(source, recorder, ReplayClock(0), derived_rng(1, "spans"), share=1.0)


async def test_work_on_one_cause_is_part_of_its_trace_and_of_several_has_links() -> None:
    recorder = SpanRecorder()
    tracer = tracer_of(recorder)
    headers = []
    with work_of(tracer):
        for _ in range(2):
            with producing("candles"):
                headers.append(traceparent())
        candles = [WatchCandlesResponse(traceparent=header) for header in headers]
        with consuming("candles", candles[:1]):
            inside = traceparent()
        with consuming("candles", candles):
            assert traceparent()
        with consuming("candles", [WatchCandlesResponse(is_heartbeat=True)]):
            assert not traceparent()
    first, second, one, both = recorder.spans
    assert (one.context.trace_id, one.parent_id) == (first.context.trace_id, first.context.span_id)
    assert one.context.header() == inside
    assert (both.parent_id, both.links) == ("", (first.context, second.context))
    assert both.context.trace_id not in {first.context.trace_id, second.context.trace_id}


async def test_a_stream_entry_continues_its_producer() -> None:
    recorder = SpanRecorder()
    with work_of(tracer_of(recorder)), continuing("signals", [PARENT, ""]):
        assert traceparent().startswith(f"00-{'a' * 32}")
    (span,) = recorder.spans
    assert (span.name, span.parent_id, span.code) == ("signals process", "b" * 16, "OK")


async def test_a_report_without_a_header_is_traced_by_its_order() -> None:
    recorder = SpanRecorder()
    tracer = tracer_of(recorder)
    origin = SpanContext("c" * 32, "d" * 16)
    tracer.remember(read([ExecutionReport(client_order_id="ana-1")]), origin)
    with work_of(tracer):
        with consuming("reports", [ExecutionReport(client_order_id="ana-1/3")]):
            pass
        with consuming("reports", [ExecutionReport(client_order_id="bob-1")]):
            assert not traceparent()
    (span,) = recorder.spans
    assert (span.parent_id, span.attributes["client_order_id"]) == ("d" * 16, "ana-1/3")


async def test_work_that_fails_is_seen_to_fail() -> None:
    recorder = SpanRecorder()
    with pytest.raises(KeyError), work_of(tracer_of(recorder)), continuing("signals", [PARENT]):
        raise KeyError("no such thing")
    assert [span.code for span in recorder.spans] == ["UNKNOWN"]


async def test_tasks_inherit_and_a_detached_one_does_not() -> None:
    recorder = SpanRecorder()
    tracer = tracer_of(recorder)

    async def inherited() -> str:
        return traceparent()

    async def detached() -> tuple[str, bool]:
        detach()
        scope = SCOPE.get()
        return traceparent(), scope is not None and scope.tracer is tracer

    with work_of(tracer), continuing("signals", [PARENT]):
        header = traceparent()
        assert await asyncio.create_task(inherited()) == header
        assert await asyncio.create_task(detached()) == ("", True)
    assert SCOPE.get() is None


def test_messages_mention_headers_and_orders_wherever_they_are() -> None:
    event = OrderEvent()
    event.header.traceparent = PARENT
    event.order.spec.client_order_id = "ana-1"
    event.order.spec.signal_id = "s-1"
    found = read([event, Signal(signal_id="s-2"), pb.EchoRequest(text="nothing")])
    assert list(found.parents) == [PARENT]
    assert [name for _, name in found.names] == ["ana-1", "s-1", "s-2"]
    assert found.attributes() == {"client_order_id": "ana-1"}
