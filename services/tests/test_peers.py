"""Callers follow a service wherever it is: told, looked up, or heard of from discovery."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import pytest
from google.protobuf.message import Message
from grpc import StatusCode
from trading.discovery.v1 import discovery_pb2 as pb
from trading.discovery.v1.discovery_port import DiscoveryService
from trading.echo.v1 import echo_pb2
from trading.echo.v1.echo_port import EchoService

from runtime.client import client_for
from runtime.errors import ServiceError
from runtime.identity import Principal
from runtime.ids import derived_rng
from runtime.routes import Routes
from runtime.rpc import Call, Method, Port
from runtime.single import Messages
from runtime.targets import Endpoint, Snapshot, TargetSettings
from services.host.peers.discovered import Discovered
from services.host.peers.told import Told
from services.host.peers.ways import Peers
from services.host.settings.places import Place, places_of

CONTRACTS: dict[str, type[Port]] = {"echo": EchoService, "discovery": DiscoveryService}
ANA = Principal("risk", service="risk")
SECOND_S = 1.0
SERVING, STARTING = pb.INSTANCE_STATUS_SERVING, pb.INSTANCE_STATUS_STARTING
ADDED, CHANGED, REMOVED = pb.CHANGE_KIND_ADDED, pb.CHANGE_KIND_CHANGED, pb.CHANGE_KIND_REMOVED


def chance(*names: str) -> random.Random:
    return derived_rng(1, *names)


class Joined:
    """A connection to a place, which answers with its own address."""

    is_broken, is_connected = False, True

    def __init__(self, place: Place) -> None:
        self.place = place
        self.closed = asyncio.Event()

    async def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        yield echo_pb2.EchoResponse(text=str(self.place))
        while method.streams_responses:
            await self.closed.wait()
            raise ServiceError(StatusCode.UNAVAILABLE, "the connection is closed")

    async def close(self) -> None:
        self.closed.set()


class Registry(DiscoveryService):
    """Shows what a test says, to one watcher after another."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[pb.WatchInstancesResponse | None] = asyncio.Queue()

    async def watch_instances(
        self, request: pb.WatchInstancesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchInstancesResponse, None]:
        while True:
            try:
                message = await asyncio.wait_for(self.told.get(), SECOND_S)
            except TimeoutError:
                message = pb.WatchInstancesResponse(is_heartbeat=True)
            if message is None:
                raise ServiceError(StatusCode.UNAVAILABLE, "discovery is gone")
            yield message

    def snapshot(self, *instances: pb.Instance) -> None:
        self.told.put_nowait(pb.WatchInstancesResponse(is_heartbeat=True, snapshot=instances))

    def change(self, kind: pb.ChangeKind.ValueType, instance: pb.Instance) -> None:
        change = pb.InstanceChange(kind=kind, instance=instance)
        self.told.put_nowait(pb.WatchInstancesResponse(change=change))


class Rig:
    """The peers of one device, which has nothing but callers."""

    def __init__(self) -> None:
        self.local = Routes()
        self.opened: list[str] = []
        settings = TargetSettings()
        self.peers = Peers(self.local, CONTRACTS, self._open, chance, settings)
        self.registry = Registry()
        self.discovered = Discovered({"echo": "echo"}, "local")
        self.peers.watch(self.discovered)
        self.echo = client_for(EchoService, self.peers.way("risk"), caller=ANA, rng=chance("a"))
        self._watching = asyncio.create_task(
            self.discovered.run(self.registry, random.Random(1)), name="watch"
        )

    def _open(self, caller: str, callee: str, place: Place) -> Joined:
        self.opened.append(f"{caller}->{callee} {place}")
        return Joined(place)

    async def asked(self) -> str:
        """Return who answers now, or why nobody does."""
        await asyncio.sleep(0.01)
        try:
            answer = await self.echo.echo(echo_pb2.EchoRequest(text="a"), Call(timeout_s=0.1))
        except ServiceError as error:
            return error.reason
        return answer.text

    async def close(self) -> None:
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        await self.peers.close()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    await rig.close()


def instance(
    address: str, fence: int, status: pb.InstanceStatus.ValueType = SERVING, name: str = "echo"
) -> pb.Instance:
    (place,) = places_of(address)
    endpoints = []
    for protocol, spoken in (("GRPC", place.address), ("HTTP", place.http_address)):
        if spoken:
            host, _, port = spoken.rpartition(":")
            kind = pb.Protocol.Value(f"PROTOCOL_{protocol}")
            endpoints.append(pb.Endpoint(protocol=kind, host=host, port=int(port)))
    spec = pb.InstanceSpec(
        service="echo", instance_name=name, instance_id=f"{name} {fence}", endpoints=endpoints
    )
    return pb.Instance(spec=spec, status=status, fence=fence)


async def test_a_service_that_is_told_to_be_elsewhere_is_called_there(rig: Rig) -> None:
    assert await rig.asked() == "NO_ENDPOINT"
    rig.peers.reach({"echo": "10.0.0.1:1"})
    assert await rig.asked() == "10.0.0.1:1"
    rig.peers.reach({"echo": "10.0.0.2:1/2"}, {"10.0.0.2:1": "127.0.0.1:7"})
    assert await rig.asked() == "127.0.0.1:7/2"
    assert rig.opened == ["risk->echo 10.0.0.1:1", "risk->echo 127.0.0.1:7/2"]


async def test_what_is_asked_at_one_address_is_dialled_by_the_links_of_both_ways(rig: Rig) -> None:
    rig.peers.reach(
        {"discovery": "10.0.0.1:1/2|10.0.0.2:1/2"},
        {"10.0.0.2:1": "127.0.0.1:7", "10.0.0.2:2": "127.0.0.1:8"},
    )
    for address in ("10.0.0.1:1", "10.0.0.2:1"):
        rig.peers.connection("risk", "discovery", address)
    assert rig.opened == ["risk->discovery 10.0.0.1:1/2", "risk->discovery 127.0.0.1:7/8"]


async def test_a_silent_stream_ends_when_its_service_has_moved(rig: Rig) -> None:
    rig.peers.reach({"echo": "10.0.0.1:1"})
    stream = rig.echo.watch_echoes(echo_pb2.WatchEchoesRequest())
    assert (await anext(stream)).text == "10.0.0.1:1"
    rig.peers.reach({"echo": "10.0.0.2:1"})
    with pytest.raises(ServiceError) as caught:
        await anext(stream)
    assert caught.value.code is StatusCode.UNAVAILABLE
    assert await rig.asked() == "10.0.0.2:1"


async def test_the_first_call_after_the_start_waits_until_it_is_known_where_to_go(
    rig: Rig,
) -> None:
    rig.peers.reach({"echo": "10.0.0.1:1"})
    answer = await rig.echo.echo(echo_pb2.EchoRequest(text="a"))
    assert answer.text == "10.0.0.1:1"


async def test_a_service_of_this_device_is_called_here_as_long_as_it_serves(rig: Rig) -> None:
    rig.peers.reach({"echo": "10.0.0.1:1"})
    rig.local.serve(EchoService, Joined(Place("here:1")))
    assert await rig.asked() == "here:1"
    rig.local.withdraw(EchoService)
    assert await rig.asked() == "10.0.0.1:1"


async def test_discovery_is_believed_before_what_was_told_once_it_knows_anybody(rig: Rig) -> None:
    rig.peers.reach({"echo": "10.0.0.1:1"})
    rig.registry.snapshot()
    assert await rig.asked() == "10.0.0.1:1"
    rig.registry.change(ADDED, instance("10.0.0.2:1", 2, STARTING))
    assert await rig.asked() == "10.0.0.1:1"
    rig.registry.change(CHANGED, instance("10.0.0.2:1/8", 2))
    assert await rig.asked() == "10.0.0.2:1/8"
    rig.peers.reach({"echo": "10.0.0.3:1"})
    assert await rig.asked() == "10.0.0.2:1/8"


async def test_a_service_that_moved_is_followed_and_its_former_holder_is_not_called(
    rig: Rig,
) -> None:
    rig.registry.snapshot(instance("10.0.0.1:1", 1), instance("10.0.0.9:1", 9, name="echo-LH"))
    assert await rig.asked() == "10.0.0.1:1"
    rig.registry.change(ADDED, instance("10.0.0.2:1", 2))
    assert await rig.asked() == "10.0.0.2:1"
    rig.registry.change(REMOVED, instance("10.0.0.1:1", 1))
    assert await rig.asked() == "10.0.0.2:1"
    rig.registry.change(REMOVED, instance("10.0.0.2:1", 2))
    assert await rig.asked() == "NO_ENDPOINT"


async def test_a_discovery_that_is_away_changes_nothing_for_ten_minutes(rig: Rig) -> None:
    rig.registry.snapshot(instance("10.0.0.1:1", 1))
    assert await rig.asked() == "10.0.0.1:1"
    rig.registry.told.put_nowait(None)
    await asyncio.sleep(SECOND_S)
    rig.registry.snapshot()  # It has come back and knows nothing.
    await asyncio.sleep(500)
    assert await rig.asked() == "10.0.0.1:1"
    assert rig.peers.stats("risk", "echo").standing().is_stale


@pytest.mark.parametrize("is_leaving", [False, True], ids=["it goes on", "it ends"])
async def test_that_discovery_is_lost_is_said_unless_the_device_ends(
    rig: Rig, caplog: pytest.LogCaptureFixture, *, is_leaving: bool
) -> None:
    rig.registry.snapshot(instance("a:1", 3))
    assert await rig.asked() == "a:1"
    if is_leaving:
        rig.discovered.leave()
    rig.registry.told.put_nowait(None)
    assert await rig.asked() == "a:1"
    assert ("discovery for echo is away" in caplog.text) is not is_leaving


async def test_a_name_is_looked_up_again_and_its_http_port_goes_with_it() -> None:
    answers: list[Sequence[str]] = [["10.0.0.2", "10.0.0.1"], [], ["10.0.0.3"]]

    async def lookup(host: str, port: int) -> Sequence[str]:
        if not (found := answers.pop(0)):
            raise OSError(f"nobody knows {host}:{port}")
        return found

    told = Told(every_s=30.0, lookup=lookup)
    told.tell(places_of("state:50050/8050"))
    seen = []
    async for change in told.watch():
        assert isinstance(change, Snapshot)
        seen.append([one.address for one in change.endpoints])
        if len(seen) == 3:
            break
    assert seen == [
        ["10.0.0.1:50050", "10.0.0.2:50050"],
        ["state:50050"],
        ["10.0.0.3:50050"],
    ]
    assert told.http["10.0.0.3:50050"] == "10.0.0.3:8050"


async def test_a_standby_of_discovery_is_the_last_choice() -> None:
    told = Told()
    told.tell(places_of("10.0.0.1:1|10.0.0.2:1"))
    change = await anext(told.watch())
    assert isinstance(change, Snapshot)
    first, second = change.endpoints
    assert (first, second.address) == (Endpoint("10.0.0.1:1"), "10.0.0.2:1")
    assert second.status == "SUSPECT"
