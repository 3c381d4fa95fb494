"""`python -m services` as a device of a topology: what it tells over HTTP, and how it leaves."""

import json
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from runtime.identity import HEADER, Principal, to_header
from services.tests.test_process import KEY, WITHIN_S, started

pytestmark = pytest.mark.real_time
HOSTS = "main=127.0.0.1:0/0,exchange=127.0.0.1:1"
DEVICE = ("--device", "main", "--topology", "single", "--hosts", HOSTS, "--announce", "127.0.0.1:9")
OTTO = ((HEADER, to_header(Principal("otto", frozenset({"OPERATOR", "VIEWER"})))),)
MARKET = "/trading.marketdata.v1.MarketDataService"


class Platform:
    """A process that serves, as its callers see it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        found = re.search(r"listening on port (\d+), over HTTP on port (\d+)", self.line())
        assert found
        self.port, self._http_port = found.groups()

    def line(self) -> str:
        """Return the next line that it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def page(self, path: str, data: bytes | None = None) -> tuple[int, str]:
        """Return the status and the text of a page."""
        headers = {"Content-Type": "application/json", **dict(OTTO)}
        url = f"http://127.0.0.1:{self._http_port}{path}"
        request = urllib.request.Request(url, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Yield a platform that serves; a test may end it."""
    with started(tmp_path_factory.mktemp("platform"), KEY, *DEVICE) as process:
        platform = Platform(process)
        while (line := platform.line()).startswith("{"):
            pass  # Who starts before a peer says so in the log.
        assert line.startswith("serving discovery, marketdata")
        yield platform
        process.kill()


def test_pages_tell_that_it_lives_and_is_ready(platform: Platform) -> None:
    for page in ("live", "ready", "startup"):
        assert platform.page(f"/healthz/{page}")[0] == 200
    status, text = platform.page("/healthz")
    assert status == 200
    story = json.loads(text)
    assert (story["device"], story["missing"]) == ("main", [])
    assert {one["service"] for one in story["services"]} >= {"orders", "marketdata"}


def test_calls_may_come_over_http_and_metrics_name_the_device(platform: Platform) -> None:
    status, text = platform.page(f"/rpc{MARKET}/ListInstruments", b'{"pageSize": 1}')
    assert status == 200, text
    assert len(json.loads(text)["instruments"]) == 1
    assert platform.page("/nothing/here")[0] == 404
    _, metrics = platform.page("/metrics")
    (counted,) = re.findall(r"^http_request_errors_total.*unmatched.*", metrics, re.MULTILINE)
    assert 'instance_name="main"' in counted
    for name in ("breaker_state", "target_endpoints", "rate_limited_total", "loop_lag_seconds"):
        assert re.search(f"^{name}", metrics, re.MULTILINE), name
    assert re.search(r'^lease_state.*lease="orders".* 0\.0$', metrics, re.MULTILINE)


def test_a_process_that_is_asked_to_end_finishes_the_calls_in_flight(platform: Platform) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{platform.port}") as channel:
        messages: SimpleQueue[pb.ImportCandlesRequest | None] = SimpleQueue()
        importing = stub(channel, "stream_unary", "ImportCandles", pb.ImportCandlesResponse).future(
            iter(messages.get, None), metadata=OTTO, timeout=WITHIN_S
        )
        messages.put(pb.ImportCandlesRequest(header=a_header()))
        until_in_flight(platform)
        watch = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service=""), timeout=WITHIN_S
        )
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        platform.process.send_signal(signal.SIGTERM)
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        listing = stub(channel, "unary_unary", "ListInstruments", pb.ListInstrumentsResponse)
        with pytest.raises(grpc.RpcError) as caught:
            listing(pb.ListInstrumentsRequest(), metadata=OTTO, timeout=WITHIN_S)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "nothing was done" in str(caught.value.details())
        assert platform.page("/healthz/ready")[0] == 503
        messages.put(pb.ImportCandlesRequest(rows=some_rows()))
        messages.put(None)
        assert importing.result().accepted == 2
    _, errors = platform.process.communicate(timeout=WITHIN_S)
    assert (platform.process.returncode, errors) == (0, "")


def stub(channel: grpc.Channel, kind: str, rpc: str, response: Any) -> Any:
    """Return what calls an RPC of market data."""
    return getattr(channel, kind)(
        f"{MARKET}/{rpc}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=response.FromString,
    )


def until_in_flight(platform: Platform) -> None:
    """Return when the import has arrived."""
    while not re.search(
        r"^rpc_in_flight.*ImportCandles.* 1\.0$", platform.page("/metrics")[1], re.MULTILINE
    ):
        pass


def a_header() -> pb.ImportHeader:
    return pb.ImportHeader(
        request_id="import-1",
        dataset="mine",
        instrument="NEW.XSIM",
        timeframe=market_pb2.TIMEFRAME_MINUTE_1,
        adjustment=market_pb2.ADJUSTMENT_RAW,
        time_format=pb.TIME_FORMAT_RFC3339,
        provider="me",
    )


def some_rows() -> pb.ImportRows:
    rows = pb.ImportRows(lines=[2, 3])
    rows.columns["time"].texts.extend(["2024-01-02T12:00:00Z", "2024-01-02T12:01:00Z"])
    rows.columns["close"].texts.extend(["100.5", "101"])
    return rows
