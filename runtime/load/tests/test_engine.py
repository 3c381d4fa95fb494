"""The engine process: what it reads, says and ends with, against an echo server over gRPC."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from trading.echo.v1 import echo_pb2 as pb

from runtime.load.engine import MEASURED, VOID, WRONG, Line
from runtime.load.measured import Measured
from runtime.load.tests.engines import PROFILE, engine, last_line, next_line, plan
from runtime.local import LocalTransport
from runtime.rpc import Call
from runtime.server import serve
from runtime.tests.echoing import Echo

pytestmark = pytest.mark.real_time
NOWHERE = "127.0.0.1:1"


class Moody(Echo):
    """Says nothing at all for two seconds, once, if it is asked to stall."""

    def __init__(self) -> None:
        super().__init__()
        self.stalls_at = 0  # After so many calls; 0 is never.
        self._is_free = asyncio.Event()
        self._is_free.set()

    async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
        if request.text == "prepare for ever":
            await asyncio.Event().wait()
        answer = await super().echo(request, call)
        if len(self.heard) == self.stalls_at:
            self._is_free.clear()
            asyncio.get_running_loop().call_later(2.0, self._is_free.set)
        await self._is_free.wait()
        return answer


@pytest_asyncio.fixture
async def echo() -> Moody:
    return Moody()


@pytest_asyncio.fixture
async def address(echo: Moody) -> AsyncIterator[str]:
    async with serve([echo], through=LocalTransport) as tcp_port:  # No guard ends slow calls.
        yield f"127.0.0.1:{tcp_port}"


async def ran(line: str) -> tuple[Line, int | None]:
    async with engine(line) as process:
        return await last_line(process), await process.wait()


async def measured(address: str, **changes: Any) -> Measured:
    line, code = await ran(plan(address, **changes).to_json())
    assert (line["kind"], code) == ("measured", MEASURED), line
    return Measured.from_object(line)


async def test_a_stall_of_two_seconds_is_in_the_corrected_p99_alone(
    echo: Moody, address: str
) -> None:
    """Who waits for each answer sends one call into the stall, and calls that one slow.

    At 200 calls a second 400 of 1,200 wait in it: the corrected 99th percentile is nearly as
    long as the stall. The uncorrected one is of some 800 calls of which one was slow.
    """
    echo.stalls_at = 500
    found = await measured(address, warmup_s=1.0, duration_s=6.0)
    series = found.series["echo"]
    assert series.counts == {"OK": found.scheduled}
    assert 1500 < series.corrected.percentile_ms(99) < 4000
    assert series.uncorrected.percentile_ms(99) < 500
    assert series.uncorrected.max_ms > 1500  # It is there, as one call.
    assert min(one.ended for one in series.timeline[:6]) < 20  # A second with next to nothing.


async def test_a_run_says_what_it_offered_and_how_it_ended(echo: Moody, address: str) -> None:
    found = await measured(address, seed=5)
    assert (found.profile, found.seed, found.parts) == ("ECHO", 5, 1)
    assert found.scheduled == found.sent == 200
    assert len(echo.heard) == 1 + 300  # One to prepare, a hundred to warm up.
    assert found.series["echo"].counts == {"OK": 200}
    assert 0.0 < found.cpu_share < 1.0
    assert found.rss_bytes > 10_000_000
    assert not found.is_interrupted


async def test_a_run_says_each_second_how_it_goes(address: str) -> None:
    told = []
    async with engine(plan(address, warmup_s=1.0, duration_s=2.0).to_json()) as process:
        while (line := await next_line(process))["kind"] == "progress":
            told.append(line)
    assert [line["second"] for line in told] == list(range(len(told)))
    assert {"warmup", "measure"} <= {line["phase"] for line in told}
    assert 200 < sum(line["ok"] for line in told) <= told[-1]["sent"]
    assert all(line["sent"] <= line["scheduled"] for line in told)
    assert told[-1]["p50_ms"] > 0.0


async def test_failures_are_part_of_what_is_measured(address: str) -> None:
    profile = replace(PROFILE, options={"text": "refuse"})
    found = await measured(address, profile=profile)
    assert found.series["echo"].counts == {"FAILED_PRECONDITION": 200}


async def test_two_engines_share_one_schedule(echo: Moody, address: str) -> None:
    parts = await asyncio.gather(
        *(measured(address, part=part, parts=2) for part in range(2)),
    )
    assert Measured.merged(parts).scheduled == Measured.merged(parts).sent == 200
    assert Measured.merged(parts).rate == 200.0
    assert len(echo.heard) == 2 + 300


@pytest.mark.parametrize("ending", ["signal", "closed input"])
async def test_a_run_that_is_told_to_end_says_what_it_has_measured(
    address: str, ending: str
) -> None:
    async with engine(plan(address, duration_s=600.0).to_json()) as process:
        while (await next_line(process))["phase"] != "measure":
            pass
        if ending == "signal":
            process.send_signal(signal.SIGINT)
        else:
            assert process.stdin is not None
            process.stdin.close()
        line = await last_line(process)
        assert await process.wait() == MEASURED
    found = Measured.from_object(line)
    assert found.is_interrupted
    assert 0 < found.sent < found.scheduled


async def test_a_run_that_ends_while_it_prepares_is_void(echo: Moody, address: str) -> None:
    profile = replace(PROFILE, options={"prepare": "prepare for ever"})
    async with engine(plan(address, profile=profile).to_json()) as process:
        assert (await next_line(process))["phase"] == "prepare"
        process.send_signal(signal.SIGINT)
        line = await last_line(process)
        assert await process.wait() == VOID
    assert line == {"kind": "void", "reason": "interrupted before anything was measured"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nothing that could be read", "no plan on standard input"),
        (plan(NOWHERE).to_json(), f"ECHO: nobody listens at {NOWHERE}"),
        (plan(NOWHERE, profile=replace(PROFILE, traffic="no.such:Traffic")).to_json(), "no.such"),
        (
            plan(NOWHERE, profile=replace(PROFILE, arrivals="often")).to_json(),
            "arrivals is 'often'",
        ),
    ],
    ids=["no plan", "no server", "no traffic", "no such arrivals"],
)
async def test_what_cannot_be_run_is_wrong_use(line: str, message: str) -> None:
    told, code = await ran(line)
    assert (told["kind"], code) == ("wrong", WRONG)
    assert message in told["message"]


async def test_a_certificate_that_is_not_there_is_wrong_use(address: str) -> None:
    asked = plan(address)
    asked = replace(asked, target=replace(asked.target, certificates="/nowhere"))
    told, code = await ran(asked.to_json())
    assert (told["kind"], code) == ("wrong", WRONG)
    assert "/nowhere" in told["message"]
