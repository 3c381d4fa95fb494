"""Calls go to whatever serves a contract now; what is gone answers nothing more."""

from collections.abc import AsyncGenerator, AsyncIterator

import pytest
from google.protobuf.message import Message
from grpc import StatusCode
from trading.risk.v1 import risk_pb2
from trading.risk.v1.risk_port import RiskService

from runtime.errors import ServiceError
from runtime.routes import Routes
from runtime.rpc import Call, Method, connect


class Beating:
    """A target that beats for ever."""

    async def call(
        self, method: Method, requests: AsyncIterator[Message], call: Call
    ) -> AsyncGenerator[Message, None]:
        while True:
            yield risk_pb2.WatchRiskEventsResponse(is_heartbeat=True)


async def test_a_stream_ends_when_its_target_is_withdrawn_or_replaced() -> None:
    routes = Routes()
    routes.serve(RiskService, Beating())
    client = connect(RiskService, routes)
    stream = client.watch_risk_events(risk_pb2.WatchRiskEventsRequest())
    assert (await anext(stream)).is_heartbeat
    routes.serve(RiskService, Beating())
    with pytest.raises(ServiceError) as raised:
        await anext(stream)
    assert raised.value.code is StatusCode.UNAVAILABLE


async def test_a_stream_of_a_target_that_outlives_its_place_goes_on_until_that_ends() -> None:
    routes = Routes()
    routes.serve(RiskService, Beating())
    stream = connect(RiskService, routes).watch_risk_events(risk_pb2.WatchRiskEventsRequest())
    await anext(stream)
    with routes.outlived(RiskService):
        routes.serve(RiskService, Beating())
        assert (await anext(stream)).is_heartbeat
    with pytest.raises(ServiceError):
        await anext(stream)
