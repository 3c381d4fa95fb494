"""Errors mean the same everywhere: every gRPC status is mapped, and says what is certain."""

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.status_pb2 import Status
from grpc import StatusCode, aio
from trading.echo.v1 import echo_pb2 as pb

from runtime.errors import BadRequest, ErrorInfo, RetryInfo, ServiceError, refusal
from runtime.limits import DETAILS_BYTES_MAX
from runtime.network import GrpcTransport, open_channel
from runtime.rpc import Call
from runtime.server import serve
from runtime.status import KEY, from_rpc_error, to_trailing
from runtime.tests.echoing import Echo, asked, echo_client

ERRORS = [code for code in StatusCode if code is not StatusCode.OK]
INDEFINITE = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL", "UNKNOWN", "DATA_LOSS"}


@pytest.mark.parametrize("code", ERRORS, ids=[code.name for code in ERRORS])
def test_every_status_is_definite_or_not(code: StatusCode) -> None:
    assert ServiceError(code, "x").definite is (code.name not in INDEFINITE)


@pytest.mark.real_time
async def test_every_status_crosses_grpc_unchanged() -> None:
    class Refusing(Echo):
        async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
            raise refusal(StatusCode[request.text], "WHY", f"about {request.text}", service="echo")

    async with (
        serve([Refusing()]) as tcp_port,
        open_channel(f"127.0.0.1:{tcp_port}") as channel,
    ):
        client = echo_client(GrpcTransport(channel))
        for code in ERRORS:
            with pytest.raises(ServiceError) as caught:
                await client.echo(asked(code.name), Call(timeout_s=0.5))
            assert (caught.value.code, caught.value.reason) == (code, "WHY")
            assert caught.value.message == f"about {code.name}"


def test_refusal_names_service_reason_and_facts() -> None:
    error = refusal(StatusCode.NOT_FOUND, "NO_ORDER", "no order o-1", service="orders", id="o-1")
    assert error.details == (
        ErrorInfo(reason="NO_ORDER", domain="plimsoll.orders", metadata={"id": "o-1"}),
    )
    assert error.reason == "NO_ORDER"
    assert str(error) == "NOT_FOUND: no order o-1"


def test_error_without_details_has_no_reason() -> None:
    error = ServiceError(StatusCode.ABORTED, "read again")
    assert (error.reason, error.retry_after_s) == ("", None)


def test_retry_info_is_in_seconds() -> None:
    info = RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000))
    assert ServiceError(StatusCode.UNAVAILABLE, "busy", (info,)).retry_after_s == 1.5


def test_error_made_by_grpc_gets_a_reason() -> None:
    error = from_rpc_error(rpc_error(StatusCode.UNAVAILABLE, b"", "no route"), "risk")
    assert (error.reason, error.message) == ("UNAVAILABLE", "no route")
    assert error.details[0].domain == "plimsoll.risk"  # type: ignore[attr-defined]


def test_broken_details_do_not_hide_the_error() -> None:
    error = from_rpc_error(rpc_error(StatusCode.NOT_FOUND, b"\xff\xff", "gone"), "risk")
    assert (error.code, error.message) == (StatusCode.NOT_FOUND, "gone")


def test_detail_of_an_unknown_contract_is_kept_packed() -> None:
    packed = AnyMessage(type_url="type.googleapis.com/other.v9.Detail", value=b"x")
    data = Status(code=5, message="gone", details=[packed]).SerializeToString()
    error = from_rpc_error(rpc_error(StatusCode.NOT_FOUND, data, "gone"), "risk")
    assert packed in error.details


def test_details_too_big_to_travel_leave_the_reason() -> None:
    field = BadRequest.FieldViolation(field="x", description="y" * DETAILS_BYTES_MAX)
    error = ServiceError(
        StatusCode.INVALID_ARGUMENT,
        "z" * 5_000,
        (ErrorInfo(reason="WHY", domain="plimsoll.echo"), BadRequest(field_violations=[field])),
    )
    ((key, data),) = to_trailing(error)
    status = Status.FromString(data)
    assert key == KEY
    assert len(status.details) == 1
    assert len(status.message) < 2_000


@pytest.mark.real_time
async def test_five_hundred_violations_cross_grpc() -> None:
    class Strict(Echo):
        async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
            fields = [
                BadRequest.FieldViolation(
                    field=f"candles[{i}].close", description="must match a pattern of some length"
                )
                for i in range(500)
            ]
            raise ServiceError(
                StatusCode.INVALID_ARGUMENT, "many", (BadRequest(field_violations=fields),)
            )

    async with serve([Strict()]) as tcp_port, open_channel(f"127.0.0.1:{tcp_port}") as channel:
        with pytest.raises(ServiceError) as caught:
            await echo_client(GrpcTransport(channel)).echo(asked("a"))
    found = caught.value.detail(BadRequest)
    assert found is not None
    assert len(found.field_violations) == 500


def rpc_error(code: StatusCode, status: bytes, message: str) -> aio.AioRpcError:
    trailing = aio.Metadata((KEY, status)) if status else aio.Metadata()
    return aio.AioRpcError(code, aio.Metadata(), trailing, details=message)
