"""What a verified certificate lets a caller say of himself, and what a plain server believes."""

import pytest
from grpc import StatusCode
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService

from runtime.door import check_plain_text
from runtime.errors import ServiceError
from runtime.guards import guarded
from runtime.identity import (
    HEADER,
    PEER,
    Principal,
    as_principal,
    peer_of,
    principal_of,
    received,
    to_header,
)
from runtime.local import LocalTransport
from runtime.network import GrpcTransport, open_channel
from runtime.rpc import Call, connect
from runtime.server import Server, serve
from runtime.tests.echoing import ANA, Echo, asked

GATEWAY = Principal("gateway", service="gateway")
ADMIN = Principal("ada", frozenset({"ADMIN", "TRADER"}))


def arriving(peer: Principal, claimed: Principal | None) -> Call:
    """Return the call as the door lets it in."""
    header = [(HEADER, to_header(claimed))] if claimed else []
    return Call(metadata=received(header, peer))


async def told(call: Call) -> Principal | None:
    """Return whom the service is told that it answers."""
    service = Echo()
    await connect(EchoService, LocalTransport([service], guarded)).echo(asked("a"), call)
    assert PEER not in service.calls[0].metadata
    return principal_of(service.calls[0])


@pytest.mark.parametrize(
    ("peer", "claimed"),
    [
        pytest.param(GATEWAY, GATEWAY, id="a service as itself"),
        pytest.param(
            GATEWAY, Principal("ana", ANA.roles, service="gateway"), id="a service for a person"
        ),
        pytest.param(Principal("gateway-EU", service="gateway"), GATEWAY, id="a named instance"),
        pytest.param(ANA, ANA, id="a person"),
        pytest.param(ADMIN, Principal("ada", frozenset({"TRADER"})), id="in one of two roles"),
        pytest.param(
            ADMIN, Principal("ada", frozenset({"OPERATOR", "TRADER"})), id="in an implied role"
        ),
    ],
)
async def test_caller_may_say_what_its_certificate_says(
    peer: Principal, claimed: Principal
) -> None:
    assert await told(arriving(peer, claimed)) == claimed


@pytest.mark.parametrize("peer", [GATEWAY, ANA], ids=["a service", "a person"])
async def test_call_that_says_nothing_is_made_by_whom_the_certificate_names(
    peer: Principal,
) -> None:
    assert await told(arriving(peer, None)) == peer


@pytest.mark.parametrize(
    ("peer", "claimed"),
    [
        pytest.param(Principal("risk", service="risk"), GATEWAY, id="another service"),
        pytest.param(ANA, GATEWAY, id="a person as a service"),
        pytest.param(ANA, Principal("ana", ANA.roles, service="gateway"), id="through a service"),
        pytest.param(GATEWAY, ANA, id="a service as a person"),
        pytest.param(ANA, Principal("ben", ANA.roles), id="another person"),
        pytest.param(ANA, Principal("ana", ANA.roles | {"ADMIN"}), id="a role too many"),
    ],
)
async def test_caller_that_claims_more_than_its_certificate_says_is_refused(
    peer: Principal, claimed: Principal
) -> None:
    service = Echo()
    echo = connect(EchoService, LocalTransport([service], guarded))
    with pytest.raises(ServiceError, match="must be from whom the certificate names") as caught:
        await echo.echo(asked("a"), arriving(peer, claimed))
    assert (caught.value.code, caught.value.reason) == (
        StatusCode.PERMISSION_DENIED,
        "IDENTITY_MISMATCH",
    )
    assert service.heard == []


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        pytest.param(
            {PEER: to_header(GATEWAY), HEADER: "?"}, StatusCode.UNAUTHENTICATED, id="header"
        ),
        pytest.param({PEER: "?"}, StatusCode.UNAUTHENTICATED, id="peer"),
        pytest.param(
            {PEER: "?", HEADER: to_header(ANA)}, StatusCode.PERMISSION_DENIED, id="peer, header"
        ),
        pytest.param(
            {PEER: "", HEADER: to_header(ANA)}, StatusCode.PERMISSION_DENIED, id="empty peer"
        ),
    ],
)
async def test_identity_that_cannot_be_read_is_none(
    metadata: dict[str, str], code: StatusCode
) -> None:
    echo = connect(EchoService, LocalTransport([Echo()], guarded))
    with pytest.raises(ServiceError) as caught:
        await echo.echo(asked("a"), Call(metadata=metadata))
    assert caught.value.code is code


async def test_service_calls_only_what_its_contract_names_it_for() -> None:
    echo = connect(EchoService, LocalTransport([Echo()], guarded))
    risk = arriving(Principal("risk", service="risk"), None)
    with pytest.raises(ServiceError) as caught:
        await echo.echo(asked("a"), risk)
    assert caught.value.reason == "NOT_PERMITTED"
    assert (await anext(echo.watch_echoes(pb.WatchEchoesRequest(), risk))).is_heartbeat


def test_door_drops_what_claims_to_be_a_peer() -> None:
    forged = [(PEER, to_header(GATEWAY)), ("x-colour", "blue"), ("user-agent", "x"), ("a-bin", b"")]
    assert received(forged) == {"x-colour": "blue"}
    assert peer_of(Call(metadata=received(forged, ANA))) == ANA


@pytest.mark.real_time
async def test_plain_server_believes_no_peer_that_a_caller_names() -> None:
    service = Echo()
    forged = as_principal(Call(metadata={PEER: to_header(GATEWAY)}), ANA)
    async with serve([service]) as tcp_port, open_channel(f"127.0.0.1:{tcp_port}") as channel:
        await connect(EchoService, GrpcTransport(channel)).echo(asked("a"), forged)
    assert principal_of(service.calls[0]) == ANA


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:0", "127.8.0.1:50050", "localhost:1", "[::1]:0", "ipv4:127.0.0.1:1", "unix:/tmp/a"],
)
def test_plain_text_is_for_this_machine(address: str) -> None:
    check_plain_text(address, is_allowed=False)


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:0", "[::]:0", ":50050", "10.0.0.7:50050", "risk:50050", "localhost.example:1", ""],
)
def test_plain_text_for_others_must_be_asked_for(address: str) -> None:
    with pytest.raises(ValueError, match="listen with ServerTls, or say is_plain_text_allowed"):
        check_plain_text(address, is_allowed=False)
    check_plain_text(address, is_allowed=True)


@pytest.mark.real_time
async def test_server_listens_to_others_in_plain_text_only_when_told_to() -> None:
    """The address is one that the rule does not know, and 127.0.0.1 all the same."""
    server = Server([Echo()])
    with pytest.raises(ValueError, match=r"address is '0\.0\.0\.0:0'"):
        await server.start("0.0.0.0:0")
    tcp_port = await server.start("[::ffff:127.0.0.1]:0", is_plain_text_allowed=True)
    async with open_channel(f"127.0.0.1:{tcp_port}") as channel:
        echo = connect(EchoService, GrpcTransport(channel))
        assert (await echo.echo(asked("a"), as_principal(Call(), ANA))).text == "a"
    await server.stop()
