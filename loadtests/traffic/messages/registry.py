"""Messages of discovery, in an environment of load's own that nobody resolves; and the echo."""

from trading.discovery.v1 import discovery_pb2 as pb
from trading.echo.v1 import echo_pb2

from loadtests.traffic.callers import OPERATOR, ORDERS, TRADER
from loadtests.traffic.messages.asking import ask
from loadtests.traffic.messages.stage import LEASES, Stage, registration

SERVICE, ECHO = "DiscoveryService", "EchoService"


@ask(f"{SERVICE}/RegisterInstance", ORDERS)
def _register_instance(stage: Stage, number: int) -> pb.RegisterInstanceRequest:
    return registration(stage, number, "i")


@ask(f"{SERVICE}/RenewLease", ORDERS, "leases")
def _renew_lease(stage: Stage, number: int) -> pb.RenewLeaseRequest:
    _, lease = stage.leases[number % LEASES]
    return pb.RenewLeaseRequest(
        lease_id=lease.lease_id,
        fence=lease.fence,
        beat=1 + number // LEASES,
        status=pb.REPORTED_STATUS_SERVING,
    )


@ask(f"{SERVICE}/DeregisterInstance", ORDERS, "registered")
async def _deregister_instance(stage: Stage, number: int) -> pb.DeregisterInstanceRequest:
    _, lease = await stage.registered.take()
    return pb.DeregisterInstanceRequest(lease_id=lease.lease_id, fence=lease.fence)


@ask(f"{SERVICE}/DrainInstance", OPERATOR, "registered")
async def _drain_instance(stage: Stage, number: int) -> pb.DrainInstanceRequest:
    instance_id, _ = await stage.registered.take()
    return pb.DrainInstanceRequest(
        request_id=stage.name(number), instance_id=instance_id, reason="load"
    )


@ask(f"{SERVICE}/SetLogLevel", OPERATOR, "registered")
async def _set_log_level(stage: Stage, number: int) -> pb.SetLogLevelRequest:
    instance_id, _ = await stage.registered.take()
    return pb.SetLogLevelRequest(
        request_id=stage.name(number),
        instance_id=instance_id,
        log_level=pb.LOG_LEVEL_INFO,
    )


@ask(f"{SERVICE}/ListInstances", TRADER)
def _list_instances(stage: Stage, number: int) -> pb.ListInstancesRequest:
    return pb.ListInstancesRequest(page_size=100)


@ask(f"{SERVICE}/GetInstance", TRADER, "leases")
def _get_instance(stage: Stage, number: int) -> pb.GetInstanceRequest:
    instance_id, _ = stage.leases[number % LEASES]
    return pb.GetInstanceRequest(instance_id=instance_id)


@ask(f"{SERVICE}/ResolveService", TRADER)
def _resolve_service(stage: Stage, number: int) -> pb.ResolveServiceRequest:
    return pb.ResolveServiceRequest(service="orders", environment="local")


@ask(f"{SERVICE}/WatchInstances", TRADER)
def _watch_instances(stage: Stage, number: int) -> pb.WatchInstancesRequest:
    return pb.WatchInstancesRequest(services=["orders"], environment="load")


@ask(f"{SERVICE}/GetIdentity", TRADER)
def _get_identity(stage: Stage, number: int) -> pb.GetIdentityRequest:
    return pb.GetIdentityRequest(service="orders")


@ask(f"{ECHO}/Echo", TRADER)
def _echo(stage: Stage, number: int) -> echo_pb2.EchoRequest:
    return echo_pb2.EchoRequest(request_id=stage.name(number), text="load")


@ask(f"{ECHO}/WatchEchoes", TRADER)
def _watch_echoes(stage: Stage, number: int) -> echo_pb2.WatchEchoesRequest:
    return echo_pb2.WatchEchoesRequest()
