"""What is found, and which names and addresses there may be."""

import pytest
from grpc import StatusCode
from trading.discovery.v1 import discovery_pb2 as pb

from runtime.errors import BadRequest, ServiceError
from services.discovery.addresses import why_unroutable
from services.discovery.tests.rig import Rig, endpoint


async def test_instances_are_listed_by_service_place_status_and_metadata() -> None:
    rig = await Rig.started()
    a = await rig.register("orders", metadata={"zone": "a", "tier": "1"})
    b = await rig.register("orders-LH", metadata={"zone": "b"}, is_serving=False)
    c = await rig.register("risk", environment="staging", metadata={"zone": "a"})
    d = await rig.register("risk")
    await rig.leave(d)

    async def found(**asked: object) -> set[str]:
        request = pb.ListInstancesRequest(**asked)  # type: ignore[arg-type]
        listed = (await rig.viewer.list_instances(request)).instances
        assert [i.spec.instance_id for i in listed] == sorted(i.spec.instance_id for i in listed)
        return {each.spec.instance_id for each in listed}

    assert await found() == {a.id, b.id, c.id}
    assert await found(service="orders") == {a.id, b.id}
    assert await found(environment="staging") == {c.id}
    assert await found(statuses=[pb.INSTANCE_STATUS_STARTING]) == {b.id}
    assert await found(statuses=[pb.INSTANCE_STATUS_GONE]) == {d.id}
    assert await found(selector={"zone": "a"}) == {a.id, c.id}
    assert await found(selector={"zone": "a", "tier": "1"}) == {a.id}
    await rig.service.stop()


async def test_a_long_list_comes_in_pages() -> None:
    rig = await Rig.started()
    every = {(await rig.register(f"orders-{number}")).id for number in range(7)}
    seen: list[str] = []
    request = pb.ListInstancesRequest(page_size=3)
    for _ in range(3):
        answer = await rig.viewer.list_instances(request)
        seen += [each.spec.instance_id for each in answer.instances]
        request.page_token = answer.next_page_token
    assert (set(seen), len(seen), request.page_token) == (every, 7, "")
    request = pb.ListInstancesRequest(page_size=3)
    foreign = pb.ListInstancesRequest(
        service="orders", page_token=(await rig.viewer.list_instances(request)).next_page_token
    )
    with pytest.raises(ServiceError) as caught:
        await rig.viewer.list_instances(foreign)
    assert caught.value.reason == "PAGE_TOKEN_FOREIGN"
    await rig.service.stop()


async def test_those_who_serve_are_called_the_same_zone_first_suspects_last() -> None:
    rig = await Rig.started()
    suspect = await rig.register("orders-S", metadata={"zone": "b"}, endpoints=[endpoint("s")])
    await rig.beat_for(7)
    await rig.register("orders-N", is_serving=False)
    far = await rig.register("orders-A", metadata={"zone": "a"}, endpoints=[endpoint("far")])
    near = await rig.register(
        "orders-B", metadata={"zone": "b"}, endpoints=[endpoint("::1a", 7), endpoint("near")]
    )
    await rig.beat_for(1)
    request = pb.ResolveServiceRequest(service="orders", environment="production", zone="b")
    answer = await rig.viewer.resolve_service(request)
    assert [found.address for found in answer.endpoints] == [
        "[::1a]:7",
        "near:50051",
        "far:50051",
        "s:50051",
    ]
    assert answer.endpoints[-1].status == pb.INSTANCE_STATUS_SUSPECT
    assert [e.fence for e in answer.endpoints] == [
        near.lease.fence,
        near.lease.fence,
        far.lease.fence,
        suspect.lease.fence,
    ]
    request.instance_name = "orders-A"
    (only,) = (await rig.viewer.resolve_service(request)).endpoints
    assert (only.address, only.weight, only.instance_id) == ("far:50051", 10, far.id)
    await rig.service.stop()


@pytest.mark.parametrize(
    ("service", "instance_name", "schema", "dns_name"),
    [
        ("orders", "", "orders", "orders"),
        ("orders", "orders", "orders", "orders"),
        ("orders", "orders-LH-2", "orders_lh_2", "orders-lh-2"),
    ],
)
async def test_names_follow_from_the_name_alone(
    service: str, instance_name: str, schema: str, dns_name: str
) -> None:
    rig = await Rig.started()
    request = pb.GetIdentityRequest(service=service, instance_name=instance_name)
    found = (await rig.viewer.get_identity(request)).identity
    assert (found.schema, found.namespace) == (schema, schema)
    assert (found.dns_name, found.acl_user) == (dns_name, dns_name)
    assert found.subject == f"plimsoll://local/orders/{instance_name or service}"
    await rig.service.stop()


BAD = [
    ({"instance_name": "orders_LH"}, 'instance_name is "orders_LH"'),
    ({"instance_name": "orders-L.H"}, 'instance_name is "orders-L.H"'),
    ({"instance_name": "orders-"}, 'instance_name is "orders-"'),
    ({"instance_name": "orders-" + "x" * 57}, "1 to 63 characters"),
    ({"instance_name": ""}, 'instance_name is ""'),
    ({"instance_name": "risk"}, 'must be "orders"'),
    ({"service": "Orders"}, 'service is "Orders"'),
    ({"service": "o" * 41, "instance_name": "o" * 41}, "at most 40 characters"),
    ({"service": "cooking", "instance_name": "cooking"}, "there is no service 'cooking'"),
    ({"endpoints": [endpoint("h", 0)]}, "port is 0, must be 1 to 65535"),
    ({"endpoints": [endpoint("h", 65536)]}, "port is 65536, must be 1 to 65535"),
    ({"endpoints": [endpoint("h"), endpoint("h")]}, "must have each once"),
    ({"endpoints": []}, "endpoints"),
    ({"endpoints": [endpoint("a b")]}, 'host is "a b"'),
    ({"endpoints": [endpoint("0.0.0.0")]}, "stands for many"),
    ({"endpoints": [endpoint("127.0.0.1")]}, "this machine's own"),
    ({"metadata": {"k": "x" * 256}}, "of more than 256 bytes: shorten k"),
    ({"metadata": {str(n): "" for n in range(33)}}, "metadata"),
    ({"weight": 0}, "weight is 0, must be 1 to 100"),
    ({"weight": 101}, "weight is 101, must be 1 to 100"),
    ({"instance_id": "seven"}, "instance_id"),
    ({"schema_override": "Upper"}, "schema_override"),
    ({"namespace_override": "9lives"}, "namespace_override"),
    ({"environment": ""}, "environment"),
]


@pytest.mark.parametrize(("changes", "told"), BAD, ids=[told for _, told in BAD])
async def test_bad_input_is_refused_by_rule_and_value(
    changes: dict[str, object], told: str
) -> None:
    rig = await Rig.started()
    spec = rig.spec("orders", **changes)
    with pytest.raises(ServiceError) as caught:
        await rig.of("orders" if spec.service != "cooking" else "cooking").register_instance(
            pb.RegisterInstanceRequest(request_id="r", instance=spec)
        )
    assert caught.value.code is StatusCode.INVALID_ARGUMENT
    details = caught.value.detail(BadRequest) or BadRequest()
    fields = [f"{f.field}: {f.description}" for f in details.field_violations]
    assert told in "; ".join([caught.value.message, *fields])
    await rig.service.stop()


ADDRESSES = [
    ("orders.example", "production", True),
    ("10.1.2.3", "production", True),
    ("fd00::7", "production", True),
    ("localhost", "production", False),
    ("api.localhost.", "production", False),
    ("127.8.9.1", "staging", False),
    ("::1", "production", False),
    ("::ffff:127.0.0.1", "production", False),
    ("127.0.0.1", "local", True),
    ("localhost", "development", True),
    ("*", "local", False),
    ("0.0.0.0", "local", False),
    ("::", "local", False),
    ("0", "local", False),
    ("127.1", "production", False),
    ("224.0.0.1", "production", False),
]


@pytest.mark.parametrize(("host", "environment", "is_routable"), ADDRESSES)
def test_an_advertised_host_must_be_reachable_from_elsewhere(
    host: str, environment: str, is_routable: bool
) -> None:
    assert (why_unroutable(host, environment) == "") == is_routable
