"""`python -m services` serves the whole platform and leaves cleanly when asked."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import (  # type: ignore[import-untyped]
    proto_reflection_descriptor_database as reflection,
)

ROOT = Path(__file__).resolve().parents[2]
KEY = {"PLIMSOLL_APPROVAL_KEY": "a-secret-of-at-least-thirty-two-bytes"}
WITHIN_S = 60


def started(folder: Path, environ: dict[str, str]) -> "subprocess.Popen[str]":
    arguments = ["--listen", "127.0.0.1:0", "--databases", str(folder)]
    return subprocess.Popen(
        [sys.executable, "-m", "services", *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[grpc.Channel]:
    """Yield a plain channel to a platform; afterwards it must have left with status 0."""
    with started(tmp_path, KEY) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.search(r"on port (\d+)", line)
        assert match, line + (process.stderr.read() if process.stderr else "")
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
    assert len(ours) == 7
    health = health_pb2_grpc.HealthStub(channel)
    for name in ours:
        answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=WITHIN_S)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, name


@pytest.mark.real_time
def test_without_an_approval_key_nothing_is_served(tmp_path: Path) -> None:
    with started(tmp_path, {"PLIMSOLL_APPROVAL_KEY": "short"}) as process:
        _, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 2
    assert "PLIMSOLL_APPROVAL_KEY has 5 bytes, must have at least 32" in errors
