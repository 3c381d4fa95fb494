"""Ports of trading/echo/v1/echo.proto. Generated: edit that, then `make generate`."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.echo.v1 import echo_pb2 as pb


class EchoService(Port):
    """Says back what it hears: one method of each kind of RPC."""

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["EchoService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "echo": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"TRADER"}),
            callers=frozenset({"gateway"}),
            target_rps=500.0,
            p99_ms=50.0,
            audited=True,
        ),
        "watch_echoes": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=100.0,
            p99_ms=50.0,
        ),
        "collect_echoes": Policy(
            deadline_s=10.0,
            idempotency=Idempotency.NOT_IDEMPOTENT,
            roles=frozenset({"TRADER"}),
        ),
        "exchange_echoes": Policy(
            deadline_s=None,
            idempotency=Idempotency.NOT_IDEMPOTENT,
            roles=frozenset({"TRADER"}),
        ),
    }

    async def echo(self, request: pb.EchoRequest, call: Call = Call()) -> pb.EchoResponse:
        """Answers with the text of the request.

        Repeating a request_id returns the first answer.
        Errors: ALREADY_EXISTS (request_id with another text).
        """
        raise unimplemented(self)

    def watch_echoes(
        self, request: pb.WatchEchoesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchEchoesResponse, None]:
        """Streams what was said after after_sequence, in sequence order, without end.

        The first message is a heartbeat with the current sequence.
        Errors: OUT_OF_RANGE (after_sequence is ahead of everything said).
        """
        raise unimplemented(self)

    async def collect_echoes(
        self, request: AsyncIterator[pb.CollectEchoesRequest], call: Call = Call()
    ) -> pb.CollectEchoesResponse:
        """Hears texts until the caller ends the stream, then answers once with all of them joined."""
        raise unimplemented(self)

    def exchange_echoes(
        self, request: AsyncIterator[pb.ExchangeEchoesRequest], call: Call = Call()
    ) -> AsyncGenerator[pb.ExchangeEchoesResponse, None]:
        """Answers each text with itself, in order, until the caller ends the stream."""
        raise unimplemented(self)
