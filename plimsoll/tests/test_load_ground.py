"""Load that is offered over mutual TLS: each caller shows the certificate of its own."""

from pathlib import Path

import pytest
from trading.echo.v1.echo_port import EchoService

from fixtures.security.realm import ENVIRONMENT, Realm
from runtime.errors import ServiceError
from runtime.identity import Principal, principal_of
from runtime.load import ground
from runtime.load.plan import Plan, Profile, Target
from runtime.server import serve
from runtime.tests.echoing import Echo, asked
from runtime.tls import CertificateError, ServerTls

pytestmark = pytest.mark.real_time
PROFILE = Profile("ECHO", "one echo", 1.0, (), "none:None")
TRADER, GATEWAY = ground.principal_of("trader"), ground.principal_of("service:gateway")


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Realm:
    realm = Realm(tmp_path_factory.mktemp("realm"))
    realm.registrar.service("echo")
    realm.registrar.service(GATEWAY.service)
    realm.registrar.person(TRADER)
    return realm


def plan(folder: Path, address: str) -> Plan:
    return Plan(PROFILE, Target({"echo": address}, str(folder), ENVIRONMENT))


async def test_each_caller_is_who_its_certificate_names(realm: Realm) -> None:
    echo = Echo()
    async with serve([echo], credentials=ServerTls(realm.folder, "echo")) as tcp_port:
        here = ground.GrpcGround(plan(realm.folder.path, f"127.0.0.1:{tcp_port}"))
        await here.port(EchoService, "trader").echo(asked("hello", "r-1"))
        await here.port(EchoService, "service:gateway").echo(asked("hello", "r-2"))
        await here.close()
    callers: list[Principal | None] = [TRADER, GATEWAY]
    assert [principal_of(call) for call in echo.calls] == callers


async def test_a_caller_without_a_certificate_cannot_call(realm: Realm) -> None:
    here = ground.GrpcGround(plan(realm.folder.path, "127.0.0.1:1"))
    with pytest.raises(CertificateError, match="operator"):
        here.port(EchoService, "operator")


async def test_a_server_that_proves_to_be_another_is_not_called(realm: Realm) -> None:
    echo = Echo()
    async with serve([echo], credentials=ServerTls(realm.folder, GATEWAY.service)) as tcp_port:
        here = ground.GrpcGround(plan(realm.folder.path, f"127.0.0.1:{tcp_port}"))
        with pytest.raises(ServiceError, match="UNAVAILABLE"):
            await here.port(EchoService, "trader").echo(asked("hello"))
        await here.close()
    assert not echo.heard
