"""Locust with our users, in processes of its own, against a service in one of its moods.

Times are real, and a busy machine may make any run void, as it should; such a run proves
nothing, so it is made again.
"""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fixtures.commit import ROOT
from plimsoll.locusts import free_port
from plimsoll.tests.load_stand_in import StandIn
from runtime.load.measured import Measured
from runtime.load.on_locust.tour import ENGINES
from runtime.load.report.result import Result
from runtime.load.report.writing import JSON, PAGE, read
from runtime.load.verdict import Outcome
from runtime.server import serve

USERS = "plimsoll/tests/load_stand_in_users.py"
# 200 calls a second for two and a half: a p99 takes 368.
SHORT = ("--multiple", "2", "--duration", "2.5", "--warm-up", "1", "--repeats", "1")
ATTEMPTS = 8
PASSED, FAILED, WRONG, VOID = 0, 1, 2, 3
pytestmark = pytest.mark.real_time


@dataclass(frozen=True)
class Ended:
    """A Locust that has ended."""

    status: int
    said: str  # On standard output, where the verdict is.
    folder: Path

    @property
    def result(self) -> Result:
        return read(self.folder / JSON)

    @property
    def reasons(self) -> str:
        return "; ".join(reason for run in self.result.runs for reason in run.verdict.reasons)


@asynccontextmanager
async def locust(*words: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start Locust with our users; whatever becomes of it, nothing of it is left."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "locust", "--locustfile", USERS, *words),
        cwd=ROOT,
        env={**os.environ, **variables},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


async def loaded(
    tmp_path: Path, *words: str, mood: Mapping[str, Any] | None = None, **variables: str
) -> Ended:
    """Run Locust against a service in this mood to its end."""
    async with serve([StandIn(**(mood or {}))]) as port:
        folder = ("--report-folder", str(tmp_path))
        address = ("--host", f"127.0.0.1:{port}")
        async with locust("--headless", *address, *folder, *SHORT, *words, **variables) as process:
            out, _ = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), tmp_path)


async def valid(tmp_path: Path, *words: str, **options: Any) -> Ended:
    """Run Locust until a run is not void."""
    for attempt in range(ATTEMPTS):
        ended = await loaded(tmp_path / str(attempt), *words, **options)
        if ended.status != VOID:
            return ended
    raise AssertionError(f"{ATTEMPTS} runs were void, the last one so: {ended.said}")


def two_workers() -> tuple[str, ...]:
    port = str(free_port())
    return ("--processes", "2", "--master-bind-port", port, "--master-port", port)


@pytest.mark.alone
async def test_a_service_that_keeps_its_limits_passes(tmp_path: Path) -> None:
    ended = await valid(tmp_path, "Echo")
    assert ended.status == PASSED
    assert ended.said.rstrip().endswith("PASSED")
    (run,) = ended.result.runs
    assert (run.profile.name, run.measured.multiple, run.measured.rate) == ("ECHO", 2.0, 200.0)
    assert run.measured.sent == run.measured.scheduled > 368
    assert (ended.folder / PAGE).read_text().startswith("<!doctype html>")


@pytest.mark.alone
async def test_a_delay_of_600_ms_fails(tmp_path: Path) -> None:
    ended = await valid(tmp_path, mood={"delay_s": 0.6})
    assert ended.status == FAILED
    assert re.search(r"echoed p99 is [6-9]\d\d\.\d ms, must be at most 400 ms", ended.reasons)
    assert ended.said.rstrip().endswith("FAILED")


@pytest.mark.alone
async def test_a_load_beyond_the_knee_fails(tmp_path: Path) -> None:
    """One call at a time, of 10 ms and more: at most 100 a second of the 200 that are offered."""
    ended = await valid(tmp_path, mood={"delay_s": 0.01, "at_once": 1})
    assert ended.status == FAILED
    (run,) = ended.result.runs
    assert run.achieved["echoed"] < 150
    assert run.measured.sent == run.measured.scheduled  # The load did not wait for the service.


async def test_a_generator_that_is_starved_makes_the_run_void(tmp_path: Path) -> None:
    ended = await loaded(tmp_path, "--tags", "starved")
    assert ended.status == VOID
    assert "of a core, must be at most 35%" in ended.reasons
    assert ended.result.outcome is Outcome.VOID
    assert [run.profile.name for run in ended.result.runs] == ["BUSY"]


@pytest.mark.parametrize("where", ["on two workers", "on one"])
async def test_what_two_engines_measured_is_added_up(tmp_path: Path, where: str) -> None:
    words = ("--tags", "shared") if where == "on one" else two_workers()
    ended = await loaded(tmp_path, *words)
    engines = [json.loads(line) for line in (tmp_path / ENGINES).read_text().splitlines()]
    assert [one["kind"] for one in engines] == ["measured", "measured"]
    assert {one["part"] for one in engines} == {0, 1}
    parts = [Measured.from_object(one) for one in engines]
    (run,) = ended.result.runs
    whole = run.measured.series["echoed"].corrected
    counted: dict[float, int] = {}
    for part in parts:
        for ms, count in part.series["echoed"].corrected.buckets():
            counted[ms] = counted.get(ms, 0) + count
    assert dict(whole.buckets()) == counted
    assert whole.total == sum(part.sent for part in parts) == run.measured.scheduled
    assert all(part.sent > 150 for part in parts)  # They share the rate.


async def test_a_worker_that_dies_makes_the_run_void() -> None:
    async with serve([StandIn()]) as port:
        words = ("--headless", "--host", f"127.0.0.1:{port}", *SHORT, "--duration", "30")
        async with locust(*words, *two_workers()) as process:
            await said(process.stderr, "All users spawned")
            os.kill(child_of(process.pid), signal.SIGKILL)
            out, _ = await process.communicate()
    assert process.returncode == VOID
    assert "a worker was lost" in out.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_run_that_is_interrupted_reports_what_it_has_and_is_void(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with serve([StandIn()]) as port:
        words = ("--headless", "--host", f"127.0.0.1:{port}", "--report-folder", str(tmp_path))
        async with locust(*words, *SHORT, "--duration", "60") as process:
            await said(process.stderr, "ECHO     echoed")  # Its first figures.
            process.send_signal(number)
            out, _ = await process.communicate()
    assert process.returncode == VOID
    ended = Ended(VOID, out.decode(), tmp_path)
    assert "interrupted before its end" in ended.reasons
    assert ended.result.runs[0].measured.series["echoed"].ended > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no address: give --targets"),
        (("--host", "127.0.0.1:1"), "WRONG USE: ECHO: nobody listens at 127.0.0.1:1"),
        (("--targets", "echo=1"), "must be like orders="),
        (("--host", "127.0.0.1:1", "--duration", "long"), '"long" is no time span'),
        (("--host", "127.0.0.1:1", "--tags", "none"), "no profile has these tags"),
    ],
    ids=["no address", "nobody there", "no such address", "no time span", "no such tag"],
)
async def test_wrong_use_is_told_and_has_a_status_of_its_own(
    words: Sequence[str], message: str
) -> None:
    async with locust("--headless", *words) as process:
        out, errors = await process.communicate()
    assert process.returncode == WRONG
    assert message in (out + errors).decode()


async def test_variables_and_a_configuration_file_say_the_same_as_options(tmp_path: Path) -> None:
    conf = tmp_path / "locust.conf"
    conf.write_text("headless = true\nrepeats = 1\nduration = 1\nmultiple = 1\n")
    async with serve([StandIn()]) as port:
        variables = {"LOCUST_TARGETS": f"*=127.0.0.1:{port}", "LOCUST_MULTIPLE": "3"}
        variables["LOCUST_REPORT_FOLDER"] = str(tmp_path)
        async with locust("--config", str(conf), "--warm-up", "0.5", **variables) as process:
            await process.communicate()
    (run,) = read(tmp_path / JSON).runs
    assert (run.measured.multiple, run.measured.duration_s, run.measured.warmup_s) == (3, 1, 0.5)


async def test_the_web_ui_starts_a_test_and_shows_its_verdict() -> None:
    web = free_port()
    async with serve([StandIn()]) as port:
        words = ("--web-host", "127.0.0.1", "--web-port", str(web), "--autostart", *SHORT)
        async with (
            locust(*words, "--host", "127.0.0.1:1") as process,
            aiohttp.ClientSession(f"http://127.0.0.1:{web}") as session,
        ):
            await said(process.stdout, "WRONG USE")  # Nobody is there: what the form says, counts.
            form = {"host": f"127.0.0.1:{port}", "duration": "1", "find_knee": "false"}
            async with session.post("/swarm", data=form) as answer:
                assert "OneAfterAnother" in (await answer.json())["message"]
            await said(process.stdout, "ECHO echoed")
            async with session.get("/stats/requests") as answer:
                told = await answer.json()
            async with session.get("/load-report") as answer:
                assert "ECHO" in await answer.text()
    (row,) = told["extended_stats"][0]["data"]
    assert (row["profile"], row["series"], row["limit"]) == ("ECHO", "echoed", 400.0)
    assert {entry["name"] for entry in told["stats"]} == {"echoed", "Aggregated"}


async def said(stream: asyncio.StreamReader | None, text: str) -> None:
    """Read until this is said."""
    assert stream is not None
    async for line in stream:
        if text in line.decode():
            return
    raise AssertionError(f"it ended without saying {text!r}")


def child_of(pid: int) -> int:
    """Return one child of a process."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0])
