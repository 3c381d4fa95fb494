"""Every line says whose it is and which call it is about, holds no secret, and never floods."""

import asyncio
import io
import json
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from trading.types.v1.risk_pb2 import RiskDecision

from runtime.clock import SystemClock
from runtime.identity import as_principal
from runtime.observe.bursts import MANY, SHOWN, Bursts
from runtime.observe.logs import JsonLines, configure_logging, set_level
from runtime.observe.prometheus import Instance
from runtime.observe.recorder import SpanRecorder
from runtime.observe.redaction import REMOVED, Redaction, shown
from runtime.observe.scope import work_of
from runtime.observe.tests import tracing
from runtime.observe.tracer import Source, Tracer
from runtime.rpc import Call
from runtime.tests.echoing import ANA, Echo, Relay, asked, echo_client

INSTANCE = Instance("device-1", "device-1", "0.1.0", "test")
CANARY = "c4n4ry-5ecret"
log = logging.getLogger("runtime.observe.tests")


class Lines:
    """What was logged, line by line."""

    def __init__(self) -> None:
        self.text = io.StringIO()
        self.now_ns = 1_700_000_000_123_456_789

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.getvalue().splitlines()]

    def only(self) -> dict[str, Any]:
        (line,) = self.all()
        return line


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def handler(lines: Lines) -> Iterator[JsonLines]:
    root = logging.getLogger()
    level, quiet = root.level, logging.getLogger("asyncio").level
    handler = configure_logging(
        INSTANCE, "info", stream=lines.text, secrets=[CANARY], now_ns=lambda: lines.now_ns
    )
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)
    logging.getLogger("asyncio").setLevel(quiet)
    structlog.reset_defaults()


def test_a_line_says_when_where_and_what(handler: JsonLines, lines: Lines) -> None:
    log.warning("the database of %s is away: %s", "orders", "no route", extra={"attempt": 3})
    assert lines.only() == {
        "ts": "2023-11-14T22:13:20.123456789Z",
        "service": "device-1",
        "instance_name": "device-1",
        "version": "0.1.0",
        "environment": "test",
        "level": "warning",
        "logger": "runtime.observe.tests",
        "event": "the database of orders is away: no route",
        "attempt": 3,
    }


def test_structlogs_own_loggers_come_out_alike(handler: JsonLines, lines: Lines) -> None:
    structlog.get_logger("desk").info("order_refused", reason="LIMIT")
    line = lines.only()
    assert (line["event"], line["level"], line["reason"]) == ("order_refused", "info", "LIMIT")
    assert line["instance_name"] == "device-1"


@pytest.mark.parametrize("way", [tracing.local, tracing.simulated], ids=["local", "simulated"])
async def test_lines_of_a_call_and_its_tasks_name_the_call(
    handler: JsonLines, lines: Lines, way: tracing.Way
) -> None:
    class Talking(Echo):
        async def _sleep(self) -> None:
            await asyncio.create_task(self._talk())

        async def _talk(self) -> None:
            log.info("in a task of its own")

    recorder = SpanRecorder()
    source = Source("echo", "echo-LH")
    tracer = Tracer(source, recorder, SystemClock(), random.Random(1), 1.0)
    async with way(Talking(), tracer) as transport:
        call = as_principal(Call(metadata={"x-request-id": "q-1"}), ANA)
        await echo_client(transport).echo(asked("slow"), call)
    (line,), (served,) = lines.all(), recorder.spans
    assert (line["trace_id"], line["span_id"]) == served.context[:2]
    assert (line["request_id"], line["principal"]) == ("q-1", "ana")
    assert (line["service"], line["instance_name"]) == ("echo", "echo-LH")
    log.info("outside")
    assert "trace_id" not in lines.all()[-1]


async def test_a_request_id_goes_on_to_the_calls_it_leads_to(
    handler: JsonLines, lines: Lines
) -> None:
    class Last(Echo):
        async def _sleep(self) -> None:
            log.info("at the end of the chain")

    class Forgetful(Relay):
        async def echo(self, request: Any, call: Call = Call()) -> Any:
            return await self._following.echo(request)  # Does not pass the call on.

    tracer = Tracer(Source("echo", "echo"), SpanRecorder(), SystemClock(), random.Random(1), 1.0)
    async with (
        tracing.local(Last(), tracer) as last,
        tracing.local(Forgetful(echo_client(last), after_s=0), tracer) as first,
    ):
        await echo_client(first).echo(asked("slow"), Call(metadata={"x-request-id": "q-1"}))
    assert lines.only()["request_id"] == "q-1"


async def test_refusals_are_told_at_info_and_every_call_at_debug(
    handler: JsonLines, lines: Lines
) -> None:
    tracer = Tracer(Source("echo", "echo"), SpanRecorder(), SystemClock(), random.Random(1), 1.0)
    client = tracing.traced_echo(tracer)
    await client.quietly("refuse")
    await client.quietly("a")
    line = lines.only()
    assert (line["event"], line["code"], line["reason"]) == (
        "call refused",
        "FAILED_PRECONDITION",
        "NOT_NOW",
    )
    assert line["trace_id"]
    set_level("Debug")
    await client.quietly("a")
    assert lines.all()[-1]["event"] == "call answered"


def test_the_level_changes_without_a_restart(handler: JsonLines, lines: Lines) -> None:
    log.debug("one")
    set_level("debug")
    log.debug("two")
    set_level("ERROR")
    log.warning("three")
    assert [line["event"] for line in lines.all()] == ["two"]
    with pytest.raises(ValueError, match="log level is 'loud', must be one of debug, info"):
        set_level("loud")


def test_no_secret_is_in_any_line(handler: JsonLines, lines: Lines) -> None:
    log.warning("password=%s and url redis://orders:%s@host/0", CANARY, CANARY)
    log.warning("a bare %s", CANARY)
    log.warning("headers %s", {"Authorization": f"Bearer {CANARY}", "Cookie": CANARY})
    log.warning("named", extra={"refresh_token": "abc", "nested": {"my_secret": ["abc"]}})
    log.warning(f"Authorization: Bearer {CANARY}zz")
    try:
        raise ValueError(f"cannot log in with secret: {CANARY}")
    except ValueError:
        log.exception("failed")
    text = lines.text.getvalue()
    assert CANARY not in text
    assert '"abc"' not in text
    named = lines.all()[3]
    assert (named["refresh_token"], named["nested"]) == (REMOVED, {"my_secret": REMOVED})
    assert "ValueError" in lines.all()[-1]["exception"]


@given(st.text(st.characters(categories=["L", "N"]), min_size=8), st.sampled_from(["=", ": "]))
def test_what_is_called_a_secret_is_removed_from_text(value: str, sign: str) -> None:
    for name in ("password", "db_password", "X-Token", "cookie"):
        cleaned = Redaction().text(f"say {name}{sign}{value} now")
        assert value not in cleaned.replace(name, "")
        assert cleaned.endswith(" now")


def test_what_a_contract_redacts_is_not_shown(handler: JsonLines, lines: Lines) -> None:
    decision = RiskDecision(decision_id="d-1", token=b"not for eyes")
    log.warning("decided %s", decision)
    log.warning("decided", extra={"decision": decision})
    text = lines.text.getvalue()
    assert "d-1" in text
    assert "not for eyes" not in text
    assert decision.token, "the message itself is left alone"
    assert "not for eyes" not in shown(decision)


def test_a_password_in_a_url_is_removed_though_nobody_told_it() -> None:
    text = Redaction().text("redis://orders:sesame@host:6379/0 and mysql://u:pw@db/orders")
    assert text == f"redis://orders:{REMOVED}@host:6379/0 and mysql://u:{REMOVED}@db/orders"


def test_an_ordinary_sentence_is_left_alone() -> None:
    text = "order ('ana', 'ana-1') waits for the store: 3 events behind, secrets are kept elsewhere"
    assert Redaction([CANARY]).text(text) == text


def test_many_equal_events_become_ten_and_a_sum(handler: JsonLines, lines: Lines) -> None:
    for number in range(25):
        log.warning("again %d", number)
    log.warning("something else")
    assert len(lines.all()) == SHOWN + 1
    lines.now_ns += 1_100_000_000
    log.warning("later")
    summary, later = lines.all()[-2:]
    assert (summary["left_out"], later["event"]) == (25 - SHOWN, "later")
    assert handler.bursts.dropped.total() == 15


def test_fewer_than_twenty_are_all_shown_in_the_end(handler: JsonLines, lines: Lines) -> None:
    for number in range(MANY - 1):
        log.warning("again %d", number)
    assert len(lines.all()) == SHOWN
    handler.flush()
    assert [line["event"] for line in lines.all()] == [f"again {n}" for n in range(MANY - 1)]
    assert not handler.bursts.dropped


async def test_the_sum_comes_by_itself(handler: JsonLines, lines: Lines) -> None:
    for number in range(30):
        log.warning("again %d", number)
    lines.now_ns += 1_500_000_000
    await asyncio.sleep(1.5)
    assert lines.all()[-1]["left_out"] == 20


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 0.3)), max_size=120))
def test_no_line_is_lost_uncounted(events: list[tuple[str, float]]) -> None:
    bursts, now_s, written = Bursts(), 0.0, 0
    for event, later_s in events:
        now_s += later_s
        written += sum(len(held) for _, _, held in bursts.due(now_s))
        if bursts.admit(event, now_s):
            written += 1
        else:
            bursts.hold(event, "line")
    written += sum(len(held) for _, _, held in bursts.due(float("inf")))
    assert written + bursts.dropped.total() == len(events)


def test_a_value_that_cannot_be_written_costs_no_line(handler: JsonLines, lines: Lines) -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError("no")

    log.warning("odd", extra={"odd": Broken(), "long": "x" * 5_000, "bytes": b"\xff"})
    line = lines.only()
    assert line["odd"] == "<Broken>"
    assert len(line["long"]) == 1_000


async def test_no_secret_is_in_any_span_or_metric() -> None:
    recorder = SpanRecorder()
    tracer = Tracer(Source("echo", "echo"), recorder, SystemClock(), random.Random(1), 1.0)
    client = tracing.traced_echo(tracer)
    metadata = {"authorization": f"Bearer {CANARY}", "cookie": CANARY, "baggage": f"k={CANARY}"}
    with work_of(tracer):
        await client.quietly(CANARY, Call(metadata=metadata))
    assert recorder.spans
    assert CANARY not in "".join(recorder.lines())
