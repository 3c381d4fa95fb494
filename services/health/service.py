"""Health: answers from what each service of the process knows of its stores."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from grpc import StatusCode
from trading.health.v1 import health_pb2 as pb
from trading.health.v1.health_port import HealthService

from runtime.clock import Clock
from runtime.environment import Environment
from runtime.errors import refusal
from runtime.rpc import Call
from runtime.stores.standing import Standing, worst
from runtime.times import to_duration, to_timestamp

# What each service of the process was built with; None while its stores are not open.
Environments = Callable[[], Mapping[str, Environment | None]]


class Health(HealthService):
    """Tells how the services of this process are. It keeps nothing."""

    def __init__(self, environments: Environments, clock: Clock) -> None:
        self._environments = environments
        self._clock = clock

    async def get_health(
        self, request: pb.GetHealthRequest, call: Call = Call()
    ) -> pb.GetHealthResponse:
        """Answer how each service is: whether it serves, and what it promises about its data."""
        environments = self._environments()
        if request.service and request.service not in environments:
            raise refusal(
                StatusCode.NOT_FOUND,
                "SERVICE_UNKNOWN",
                f"{request.service} is not in this process, which has {', '.join(environments)}",
                service="health",
            )
        asked = [request.service] if request.service else list(environments)
        found = await asyncio.gather(*[_health(name, environments[name]) for name in asked])
        return pb.GetHealthResponse(
            services=found,
            time=to_timestamp(self._clock.now_ns()),
        )


async def _health(name: str, environment: Environment | None) -> pb.ServiceHealth:
    if environment is None:
        return pb.ServiceHealth(
            service=name,
            instance_name=name,
            status=pb.SERVING_STATUS_STARTING,
            durability=pb.DURABILITY_STATE_REFUSING,
        )
    found = await environment.durability.look()
    return pb.ServiceHealth(
        service=name,
        instance_name=environment.identity.instance_name,
        status=pb.SERVING_STATUS_SERVING,
        durability=_state(worst(found)),
        data=data_of(found),
    )


def data_of(found: Sequence[Standing]) -> list[pb.DataDurability]:
    """Return standings as health tells them."""
    return [_data(one) for one in found]


def _data(one: Standing) -> pb.DataDurability:
    message = pb.DataDurability(
        kind=pb.DataKind.Value(f"DATA_KIND_{one.data}"),
        state=_state(one),
        store=one.store,
        depth=one.depth,
        reason=one.reason,
    )
    if one.depth:
        message.age.CopyFrom(to_duration(round(one.age_s * 1e9)))
    if one.since_ns is not None:
        message.since.CopyFrom(to_timestamp(one.since_ns))
    return message


def _state(one: Standing) -> pb.DurabilityState.ValueType:
    return pb.DurabilityState.Value(f"DURABILITY_STATE_{one.state}")
