"""Guards refuse before any effect, count everything, and agree on every transport."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import ClassVar

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.type.decimal_pb2 import Decimal
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st
from trading.echo.v1 import echo_pb2 as pb
from trading.echo.v1.echo_port import EchoService
from trading.types.v1.order_pb2 import OrderSpec

from runtime.errors import BadRequest, ServiceError
from runtime.guards import guarded
from runtime.guards.authorization import is_permitted
from runtime.guards.enums import unknown_values
from runtime.guards.validation import check
from runtime.identity import Principal, as_principal
from runtime.local import LocalTransport
from runtime.measurements import BOUNDS_S, Measurements, Series
from runtime.rpc import Call, Policy, connect
from runtime.tests.echoing import ANA, Echo, asked, echo_client
from runtime.trace import Traces

ECHO, WATCH = (f"/trading.echo.v1.EchoService/{name}" for name in ("Echo", "WatchEchoes"))


def test_method_for_nobody_cannot_be_served() -> None:
    class Open(Echo):
        POLICIES: ClassVar[Mapping[str, Policy]] = {
            **EchoService.POLICIES,
            "echo": Policy(deadline_s=1.0),
        }

    with pytest.raises(ValueError, match=r"EchoService/Echo states neither roles nor callers"):
        guarded([Open()])


@pytest.mark.parametrize(
    ("principal", "is_let_through"),
    [
        (Principal("a", frozenset({"TRADER"})), True),
        (Principal("a", frozenset({"VIEWER"})), False),
        (Principal("a"), False),
        (Principal("gateway", service="gateway"), True),
        (Principal("risk", service="risk"), False),
        (Principal("a", frozenset({"TRADER"}), service="risk"), True),
        (Principal("gateway"), False),  # A person who is called like a service is none.
        (Principal("*"), False),
    ],
    ids=str,
)
def test_role_or_calling_service_opens_the_door(principal: Principal, is_let_through: bool) -> None:
    assert is_permitted(principal, EchoService.POLICIES["echo"]) is is_let_through


@given(st.frozensets(st.sampled_from(["TRADER", "OPERATOR", "ADMIN", "AUDITOR"]), min_size=1))
def test_every_role_is_a_viewers_too(roles: frozenset[str]) -> None:
    assert is_permitted(Principal("a", roles), Policy(roles=frozenset({"VIEWER"})))


def test_admin_operates_but_does_not_trade() -> None:
    admin = Principal("a", frozenset({"ADMIN"}))
    assert is_permitted(admin, Policy(roles=frozenset({"OPERATOR"})))
    assert not is_permitted(admin, Policy(roles=frozenset({"TRADER"})))


@given(
    st.builds(Principal, st.text(), st.frozensets(st.text()), st.text()),
    st.frozensets(st.text(min_size=1)),
    st.frozensets(st.text(min_size=1)),
)
def test_who_is_not_named_is_not_let_through(
    principal: Principal, roles: frozenset[str], callers: frozenset[str]
) -> None:
    named = (roles & (principal.roles | {"VIEWER", "OPERATOR"})) or (
        callers & {principal.service, "*"}
    )
    if not named:
        assert not is_permitted(principal, Policy(roles=roles, callers=callers))


def test_every_violation_is_listed_and_three_are_shown() -> None:
    with pytest.raises(ServiceError, match=r"^INVALID_ARGUMENT: EchoRequest breaks") as caught:
        check(pb.EchoRequest(price=Decimal(value="1e5")), "echo")
    found = caught.value.detail(BadRequest)
    assert found is not None
    assert [v.field for v in found.field_violations] == ["request_id", "text", "price"]
    assert all(v.description for v in found.field_violations)
    assert caught.value.reason == "CONTRACT_VIOLATED"


def test_what_a_rule_cannot_be_asked_of_is_invalid_and_no_bug() -> None:
    """Its quantities are compared, and one of them is no number."""
    order = OrderSpec(quantity=Decimal(value="5"))
    order.algorithm.display_quantity.SetInParent()
    with pytest.raises(ServiceError, match=r"OrderSpec breaks its contract: .*display") as caught:
        check(order, "orders")
    assert (caught.value.code, caught.value.definite) == (StatusCode.INVALID_ARGUMENT, True)
    assert caught.value.reason == "CONTRACT_VIOLATED"


def test_unknown_enum_values_are_found_wherever_they_are() -> None:
    message = nested_message()
    assert [(path, number) for path, number in unknown_values(message)] == [
        ("side", 7),
        ("sides[1]", 8),
        ("inner.side", 9),
        ("inners[1].side", 10),
        ('by_name["b"].side', 11),
        ("itself.itself.side", 12),
    ]
    with pytest.raises(ServiceError, match=r"side: is 7, must be a value.*and 3 more") as caught:
        check(message, "echo")
    assert caught.value.code is StatusCode.INVALID_ARGUMENT


def test_message_without_unknown_enum_values_passes() -> None:
    message = nested_message()
    message.Clear()
    check(message, "echo")
    check(pb.EchoRequest(request_id="a", text="b"), "echo")


async def test_every_call_is_counted_once_with_its_code() -> None:
    counts = Measurements()
    client = measured_client(counts)
    for text in ("a", "b", "refuse", "bug", ""):
        await quietly(client.echo(asked(text)))
    await quietly(client.echo(asked("slow"), Call(timeout_s=0.5)))
    await quietly(client.echo(asked("a"), Call(timeout_s=0.001)))
    codes = {code: s.count for code, s in counts.of(ECHO).by_code.items()}
    assert codes == {
        "OK": 2,
        "FAILED_PRECONDITION": 1,
        "UNKNOWN": 1,
        "INVALID_ARGUMENT": 1,
        "DEADLINE_EXCEEDED": 2,
    }
    assert counts.of(ECHO).in_flight == 0
    assert counts.of(ECHO).by_code["DEADLINE_EXCEEDED"].longest_s == 0.5


async def test_service_that_takes_longer_than_its_contract_is_ended() -> None:
    service = Echo()
    stranger = connect(EchoService, LocalTransport([service], guarded))
    with pytest.raises(ServiceError) as caught:
        await stranger.echo(asked("slow"), as_principal(Call(), ANA))
    assert caught.value.code is StatusCode.DEADLINE_EXCEEDED
    assert service.cancelled == 1
    assert asyncio.get_running_loop().time() == 2


async def test_stream_left_early_is_counted_as_cancelled() -> None:
    counts = Measurements()
    watch = measured_client(counts).watch_echoes(pb.WatchEchoesRequest())
    await anext(watch)
    assert counts.of(WATCH).in_flight == 1
    await asyncio.sleep(3)
    await watch.aclose()
    assert counts.of(WATCH).in_flight == 0
    assert counts.count(WATCH, "CANCELLED") == 1
    assert counts.of(WATCH).by_code["CANCELLED"].total_s == 3


async def test_refused_stranger_is_counted() -> None:
    counts = Measurements()
    stranger = connect(EchoService, LocalTransport([Echo()], lambda p: guarded(p, counts)))
    await quietly(stranger.echo(asked("a")))
    assert counts.count(ECHO, "UNAUTHENTICATED") == 1


@given(st.lists(st.floats(0, 200)))
def test_every_duration_falls_into_one_bucket(durations_s: list[float]) -> None:
    series = Series()
    for duration_s in durations_s:
        series.add(duration_s)
    assert sum(series.buckets) == series.count == len(durations_s)
    for index, bound_s in enumerate(BOUNDS_S):
        assert sum(series.buckets[: index + 1]) == sum(d <= bound_s for d in durations_s)


@pytest.mark.parametrize(
    "parent",
    ["", "00-zz", f"00-{'0' * 32}-{'1' * 16}-01", f"ff-{'1' * 32}-{'1' * 16}-01"],
)
async def test_malformed_trace_is_replaced_never_refused(parent: str) -> None:
    service = Echo()
    transport = LocalTransport([service], lambda p: guarded(p, rng=random.Random(1)))
    call = as_principal(Call(metadata={"traceparent": parent}), ANA)
    await connect(EchoService, transport).echo(asked("a"), call)
    assert service.calls[0].metadata["traceparent"] != parent


def test_proper_trace_is_kept_and_new_ones_are_distinct_and_repeatable() -> None:
    own = Call(metadata={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "x-request-id": "q"})
    assert Traces(random.Random(1)).traced(own) is own
    runs = []
    for _ in range(2):
        traces = Traces(random.Random(1))
        runs.append([traces.traced(Call()).metadata["traceparent"] for _ in range(100)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 100


def measured_client(counts: Measurements) -> EchoService:
    return echo_client(LocalTransport([Echo()], lambda ports: guarded(ports, counts)))


async def quietly(work: object) -> None:
    await asyncio.gather(work, return_exceptions=True)  # type: ignore[call-overload]


def nested_message() -> Message:
    """Return a message with an unknown enum value at every kind of place."""
    file = descriptor_pb2.FileDescriptorProto(name="nested.proto", package="t", syntax="proto3")
    file.enum_type.add(name="Side").value.add(name="SIDE_UNSPECIFIED", number=0)
    outer = file.message_type.add(name="Outer")
    entry = outer.nested_type.add(name="ByNameEntry")
    entry.options.map_entry = True
    kind = descriptor_pb2.FieldDescriptorProto
    for number, (owner, name, label, of) in enumerate(
        [
            (outer, "side", kind.LABEL_OPTIONAL, ".t.Side"),
            (outer, "sides", kind.LABEL_REPEATED, ".t.Side"),
            (outer, "inner", kind.LABEL_OPTIONAL, ".t.Inner"),
            (outer, "inners", kind.LABEL_REPEATED, ".t.Inner"),
            (outer, "by_name", kind.LABEL_REPEATED, ".t.Outer.ByNameEntry"),
            (outer, "itself", kind.LABEL_OPTIONAL, ".t.Outer"),
            (file.message_type.add(name="Inner"), "side", kind.LABEL_OPTIONAL, ".t.Side"),
        ],
        start=1,
    ):
        is_enum = of == ".t.Side"
        of_type = kind.TYPE_ENUM if is_enum else kind.TYPE_MESSAGE
        owner.field.add(name=name, number=number, label=label, type=of_type, type_name=of)
    entry.field.add(name="key", number=1, label=kind.LABEL_OPTIONAL, type=kind.TYPE_STRING)
    entry.field.add(
        name="value",
        number=2,
        label=kind.LABEL_OPTIONAL,
        type=kind.TYPE_MESSAGE,
        type_name=".t.Inner",
    )
    pool = DescriptorPool()
    pool.Add(file)
    make: Callable[..., Message] = GetMessageClass(pool.FindMessageTypeByName("t.Outer"))
    return make(
        side=7,
        sides=[0, 8],
        inner={"side": 9},
        inners=[{}, {"side": 10}],
        by_name={"a": {}, "b": {"side": 11}},
        itself={"itself": {"side": 12}},
    )
