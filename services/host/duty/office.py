"""Puts a device on duty: its services act when it is their turn (`on_duty.py`)."""

import asyncio
import logging
from collections.abc import Sequence

from grpc import StatusCode
from sqlalchemy import Connection as Transaction
from trading.discovery.v1 import discovery_pb2 as pb
from trading.discovery.v1.discovery_port import DiscoveryService

from runtime.client import client_for
from runtime.errors import ServiceError
from runtime.identity import Principal
from runtime.stores.errors import StoreError
from runtime.stores.former import end_former
from runtime.targets import Connection
from services.host.device import Device
from services.host.duty.lookout import DISCOVERY
from services.host.duty.on_duty import OnDuty, Roster
from services.host.duty.posts import Chances, Post
from services.host.surroundings import Surroundings

HELD, IN_DOUBT, LOST = 0, 1, 2  # Of a lease, as metrics tell it.
PATIENCE = 5  # One in so many of a lease: so long a slow discovery may take to answer.
log = logging.getLogger(__name__)


class DeviceOffice:
    """The hands of a device, for whoever decides what it does."""

    def __init__(self, device: Device, around: Surroundings) -> None:
        self._device = device
        self._rng = around.rng("office")
        self._asked: dict[str, Connection] = {}  # By address.

    async def start_service(self, name: str) -> None:
        """Start a service, however long its stores and peers are away.

        Nothing that another process has open in its name may keep it waiting.
        """
        if url := self._device.settings.database_urls.get(name):
            try:
                await end_former(url)
            except StoreError as error:
                log.info("former sessions of %s could not be ended: %s", name, error)
        await self._device.start_service(name)

    async def stop_service(self, name: str) -> None:
        """End a service in order."""
        await self._device.stop_service(name)

    async def crash_service(self, name: str) -> None:
        """End a service at once and let go of its stores."""
        self._device.idle.add(name)
        for end in (self._device.crash_service, self._device.stop_service):
            try:
                await end(name)
            except Exception as error:  # noqa: BLE001 - Its tasks have told of it already.
                log.info("%s ended with %r", name, error)

    async def confirm(self, name: str) -> None:
        """Return if the service may write still. Raises StoreFenced when a later one does."""
        environment = self._device.hosts[name].environment
        if environment is not None and environment.database.is_shared:
            await environment.database.write(_nothing)

    async def answers(self, address: str) -> bool:
        """Tell whether discovery serves at an address."""
        limit_s = self._device.settings.lease_s / PATIENCE
        try:
            async with asyncio.timeout(limit_s):
                while not await self._answer(self._asking(address)):
                    log.debug("discovery at %s is slow", address)
        except (ServiceError, TimeoutError) as error:
            log.debug("discovery is not at %s: %r", address, error)
            return False
        self._device.peers.try_now(DISCOVERY)  # Whoever took it for silent may ask it again.
        return True

    def _asking(self, address: str) -> DiscoveryService:
        caller = next(iter(self._device.hosts))
        if address not in self._asked:
            self._asked[address] = self._device.peers.connection(caller, DISCOVERY, address)
        principal = Principal(caller, service=caller)
        way = self._asked[address]
        return client_for(DiscoveryService, way, caller=principal, rng=self._rng)

    async def _answer(self, discovery: DiscoveryService) -> bool:
        """Return whether it answers before its contract's deadline; raises when it is not there."""
        try:
            await discovery.list_instances(pb.ListInstancesRequest(page_size=1))
        except ServiceError as error:
            if error.code is not StatusCode.DEADLINE_EXCEEDED:
                raise
            return False
        return True

    def reach_discovery(self, addresses: Sequence[str]) -> None:
        """Call discovery at the first of these from now on."""
        self._device.reach({DISCOVERY: addresses[0]})

    async def close(self) -> None:
        """Close what questions went through."""
        for connection in self._asked.values():
            await connection.close()


class Duty:
    """A device on duty, from `start` to `stop`; one that is told no address just starts."""

    def __init__(self, device: Device, around: Surroundings) -> None:
        self._device = device
        self._around = around
        self._office = DeviceOffice(device, around)
        self._on_duty: OnDuty | None = None

    async def start(self) -> None:
        """Start the services that are this device's turn, and keep at it."""
        settings = self._device.settings
        if not settings.announce:
            await self._device.start()
            return
        self._device.idle.update(settings.hosted)  # Until it is their turn.
        roster = Roster(
            homes=[name for name in settings.hosted if name not in settings.standbys],
            standbys=settings.standbys,
            instances=self._instance,
            registries=self._registries(),
            lease_s=settings.lease_s,
        )
        chances = Chances(self._around.steady, self._around.rng("duty"))
        self._on_duty = OnDuty(self._office, roster, self._client, chances)
        self._device.follow_discovery()
        await self._on_duty.start()
        self._device.has_started = True

    def leases(self) -> dict[str, int]:
        """Return by instance whether it may act: 0 by a lease, 1 without one, 2 not."""
        hosted = self._device.settings.hosted
        posts = self._on_duty.posts if self._on_duty is not None else {}
        return {hosted[name].instance_name: _lease(post) for name, post in posts.items()}

    async def stop(self) -> None:
        """Stop every service and give the names up."""
        if self._on_duty is not None:
            await self._on_duty.stop()
        await self._office.close()

    def _registries(self) -> list[str]:
        """Return where else discovery may be, its home first."""
        told = self._device.peers.addresses(DISCOVERY)
        return [address for address in told if address != self._device.settings.announce]

    def _client(self, name: str) -> DiscoveryService:
        return self._device.client(name, DiscoveryService)

    def _instance(self, name: str) -> pb.InstanceSpec:
        settings = self._device.settings
        spoken = {pb.PROTOCOL_GRPC: settings.announce, pb.PROTOCOL_HTTP: settings.announce_http}
        endpoints = [
            _endpoint(protocol, address) for protocol, address in spoken.items() if address
        ]
        return pb.InstanceSpec(
            service=name,
            instance_name=settings.hosted[name].instance_name,
            environment=settings.environment,
            endpoints=endpoints,
            weight=1,
        )


def _lease(post: Post) -> int:
    if post.registration.fence:
        return HELD
    return IN_DOUBT if post.is_acting else LOST


def _endpoint(protocol: pb.Protocol.ValueType, address: str) -> pb.Endpoint:
    host, _, port = address.rpartition(":")
    return pb.Endpoint(protocol=protocol, host=host.strip("[]"), port=int(port))


def _nothing(_tx: Transaction) -> None:
    """Do no work: the fence before it is what counts."""
