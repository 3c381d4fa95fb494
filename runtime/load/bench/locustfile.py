"""A gRPC user as Locust's documentation has it: gRPC on gevent, timed by an interceptor."""

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import grpc
import grpc.experimental.gevent as grpc_gevent
from locust import User, events, task
from locust.env import Environment
from trading.echo.v1 import echo_pb2 as pb

grpc_gevent.init_gevent()
ECHO = "/trading.echo.v1.EchoService/Echo"


class Timing(grpc.UnaryUnaryClientInterceptor):
    """Tells Locust how long each call took."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def intercept_unary_unary(
        self, continuation: Callable[[Any, Any], Any], details: Any, request: Any
    ) -> Any:
        """Make the call, and wait for its answer."""
        began_s = time.perf_counter()
        error = None
        answer = None
        try:
            call = continuation(details, request)
            answer = call.result()
        except grpc.RpcError as found:
            error = found
        self._environment.events.request.fire(  # type: ignore[no-untyped-call]
            request_type="grpc",
            name=details.method,
            response_time=(time.perf_counter() - began_s) * 1000,
            response_length=answer.ByteSize() if answer is not None else 0,
            exception=error,
            context={},
        )
        return call


class EchoUser(User):
    """Calls again as soon as it is answered."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        channel = grpc.insecure_channel(environment.host or "")
        self._echo = grpc.intercept_channel(channel, Timing(environment)).unary_unary(
            ECHO,
            request_serializer=pb.EchoRequest.SerializeToString,
            response_deserializer=pb.EchoResponse.FromString,
        )
        self._calls = 0

    @task
    def echo(self) -> None:
        """Make one call."""
        self._calls += 1
        self._echo(pb.EchoRequest(request_id=f"r-{self._calls}", text="hello"), timeout=2.0)


class Marks:
    """When all users were there, and what had been used until then."""

    began_s = used_s = 0.0


@events.spawning_complete.add_listener  # type: ignore[untyped-decorator]
def _begin(**_: object) -> None:
    Marks.began_s, Marks.used_s = time.perf_counter(), _used_s()


@events.test_stop.add_listener  # type: ignore[untyped-decorator]
def _end(environment: Environment, **_: object) -> None:
    took_s, total = time.perf_counter() - Marks.began_s, environment.stats.total
    per_call_s = (_used_s() - Marks.used_s) / max(1, total.num_requests)
    figures = {"per_second": total.num_requests / took_s, "cpu_us": per_call_s * 1e6}
    sys.stdout.write(json.dumps({**figures, "failed": total.num_failures}) + "\n")


def _used_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
