"""`python -m services` serves the whole platform and leaves cleanly when asked."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import (  # type: ignore[import-untyped]
    proto_reflection_descriptor_database as reflection,
)

from runtime.observe.recorder import breaches, load

ROOT = Path(__file__).resolve().parents[2]
KEY = {"PLIMSOLL_APPROVAL_KEY": "a-secret-of-at-least-thirty-two-bytes"}
WITHIN_S = 60


@contextmanager
def started(
    folder: Path, environ: dict[str, str], *options: str
) -> "Iterator[subprocess.Popen[str]]":
    """Yield a process, which must have ended with the block unless that fails."""
    arguments = ["--listen", "127.0.0.1:0", "--databases", str(folder), *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "services", *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        except BaseException:
            process.kill()  # Or leaving the block would wait for it for ever.
            raise


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[grpc.Channel]:
    """Yield a plain channel to a platform; afterwards it must have left with status 0."""
    with started(tmp_path_factory.mktemp("platform"), KEY) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.search(r"listening on port (\d+)", line)
        assert match, line + (process.stderr.read() if process.stderr else "")
        assert process.stdout.readline().startswith("serving discovery, marketdata")
        with grpc.insecure_channel(f"127.0.0.1:{match[1]}") as channel:
            yield channel
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=WITHIN_S)
        assert process.returncode == 0, errors
        assert errors == ""


@pytest.mark.real_time
def test_every_service_is_healthy_and_described_to_a_client_nobody_here_wrote(
    channel: grpc.Channel,
) -> None:
    described = reflection.ProtoReflectionDescriptorDatabase(channel).get_services()
    ours = [name for name in described if name.startswith("trading.")]
    assert len(ours) == 9
    health = health_pb2_grpc.HealthStub(channel)
    for name in ours:
        answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=WITHIN_S)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, name


def health_of(channel: grpc.Channel, service: str) -> tuple[int, str]:
    """Return how a service is by `grpc.health.v1`, and what that tells of its durability."""
    stub = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service=service)
    answer, call = stub.Check.with_call(request, timeout=WITHIN_S)
    return answer.status, dict(call.trailing_metadata()).get("plimsoll-durability", "")


@pytest.mark.real_time
def test_every_health_answer_tells_of_durability(channel: grpc.Channel) -> None:
    serving = health_pb2.HealthCheckResponse.SERVING
    assert health_of(channel, "trading.orders.v1.OrderService") == (serving, "DURABLE")
    status, all_of_them = health_of(channel, "")
    assert status == serving
    assert "orders=DURABLE" in all_of_them.split(",")
    assert len(all_of_them.split(",")) == 8


@pytest.mark.real_time
def test_a_service_whose_store_cannot_be_opened_waits_and_is_not_ready(tmp_path: Path) -> None:
    in_the_way = tmp_path / "orders.sqlite"
    in_the_way.mkdir()
    serving, orders = health_pb2.HealthCheckResponse.SERVING, "trading.orders.v1.OrderService"
    with started(tmp_path, KEY) as process:
        assert process.stdout is not None
        port = process.stdout.readline().rpartition(" ")[2].strip()
        told = json.loads(process.stdout.readline())
        assert told["event"].startswith("orders waits to start")
        assert (told["level"], told["instance_name"]) == ("warning", "orders")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert health_of(channel, orders) == (2, "REFUSING")
            assert health_of(channel, "")[0] != serving
            assert health_of(channel, "trading.risk.v1.RiskService") == (serving, "DURABLE")
            in_the_way.rmdir()
            assert process.stdout.readline().startswith("serving")
            assert health_of(channel, orders) == (serving, "DURABLE")
            assert health_of(channel, "")[0] == serving
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=WITHIN_S)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.real_time
def test_kernels_are_loaded_before_the_first_caller_could_wait_for_them(
    tmp_path: Path, leave_out: Callable[[str], None]
) -> None:
    if not Path("/proc/self/maps").exists():
        leave_out("no process can be looked into here: there is no /proc")
    with started(tmp_path, KEY) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening")
        assert "llvmlite" in Path(f"/proc/{process.pid}/maps").read_text()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=WITHIN_S)


@pytest.mark.real_time
def test_memory_alone_is_refused_where_it_matters(tmp_path: Path) -> None:
    settings = {"PLIMSOLL_DURABILITY": "ephemeral", "PLIMSOLL_ENVIRONMENT": "production"}
    with started(tmp_path, {**KEY, **settings}) as process:
        _, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 2
    assert "durability is ephemeral in production" in errors


@pytest.mark.real_time
def test_memory_alone_is_told_where_it_was_asked_for(tmp_path: Path) -> None:
    with started(tmp_path, {**KEY, "PLIMSOLL_DURABILITY": "ephemeral"}) as process:
        assert process.stdout is not None
        port = process.stdout.readline().rpartition(" ")[2].strip()
        assert process.stdout.readline().startswith("serving")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            found = health_of(channel, "trading.orders.v1.OrderService")
            assert found == (health_pb2.HealthCheckResponse.SERVING, "EPHEMERAL")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0
    assert not list(tmp_path.glob("*.sqlite"))


@pytest.mark.real_time
def test_without_an_approval_key_nothing_is_served(tmp_path: Path) -> None:
    with started(tmp_path, {"PLIMSOLL_APPROVAL_KEY": "short"}) as process:
        _, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 2
    assert "PLIMSOLL_APPROVAL_KEY has 5 bytes, must have at least 32" in errors


@pytest.mark.real_time
def test_the_log_is_json_without_secrets_and_its_level_is_told(tmp_path: Path) -> None:
    spans = tmp_path / "spans.jsonl"
    told = {"PLIMSOLL_LOG_LEVEL": "Debug", "PLIMSOLL_SPANS": str(spans)}
    with started(tmp_path, {**KEY, **told, "OTEL_TRACES_SAMPLER_ARG": "1"}) as process:
        assert process.stdout is not None
        shown = [process.stdout.readline()]
        while not shown[-1].startswith("serving"):
            shown.append(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=WITHIN_S)
    assert (process.returncode, errors) == (0, "")
    lines = [line for line in [*shown, *output.splitlines()] if line.startswith("{")]
    answered = [one for one in map(json.loads, lines) if one["event"] == "call answered"]
    assert {"trace_id", "span_id", "request_id", "principal", "method"} <= answered[0].keys()
    assert KEY["PLIMSOLL_APPROVAL_KEY"] not in "".join([*shown, output])
    assert breaches(load(spans)) == []
