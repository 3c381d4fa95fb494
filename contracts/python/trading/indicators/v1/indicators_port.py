"""Ports of trading/indicators/v1/indicators.proto. Generated: edit that, then `make generate`."""

from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.indicators.v1 import indicators_pb2 as pb


class IndicatorService(Port):
    """Computes named indicators for batches and for live streams.

    Promises that equal anchors (the candle a kernel started from) give equal bits, whichever way
    was taken; that nothing is said before an indicator is warm (never zero, never NaN); and that
    later candles never change earlier values. Candles count as they were first seen: a correction
    changes no value. Keeps nothing durable: everything is computed again from candles.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["IndicatorService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "list_indicators": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=5.0,
            p99_ms=50.0,
        ),
        "compute_indicators": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=100.0,
            p99_ms=40.0,
        ),
        "watch_indicators": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER"}),
            callers=frozenset({"*"}),
            target_rps=100.0,
            p99_ms=20.0,
        ),
    }

    async def list_indicators(
        self, request: pb.ListIndicatorsRequest, call: Call = Call()
    ) -> pb.ListIndicatorsResponse:
        """Returns the indicators that are built, with their parameters, outputs and warm-up, by kind.

        For all of them: nothing is said before warm-up. A candle that lacks what an indicator needs
        has no value and leaves it as it was. A gap in time does not reset it. An output that has no
        value for another reason says so in `absence`; it is absent then, never zero and never NaN.
        Errors: INVALID_ARGUMENT with reason PAGE_TOKEN_FOREIGN.
        """
        raise unimplemented(self)

    async def compute_indicators(
        self, request: pb.ComputeIndicatorsRequest, call: Call = Call()
    ) -> pb.ComputeIndicatorsResponse:
        """Computes indicators over candles given, a span of stored ones, or the newest stored ones.

        The anchor is the first of these candles. One series per output, in the order of the specs;
        fewer candles than warm-up takes give an empty series, not an error. Candles of which none
        carries what an indicator needs are refused; where only some lack it, these have no value.
        Errors: INVALID_ARGUMENT with reason PARAMETER_UNKNOWN, PARAMETER_OUT_OF_RANGE,
        NAMES_COLLIDE, CANDLES_UNSORTED, CANDLE_FOREIGN (not of the instrument and timeframe) or
        CANDLE_UNCONFIRMED (only the last of the candles given may be forming); UNIMPLEMENTED with
        reason KIND_NOT_BUILT; FAILED_PRECONDITION with reason CANDLE_KIND_INSUFFICIENT (metadata
        indicator, needs, has); NOT_FOUND with reason NO_CANDLES; RESOURCE_EXHAUSTED with reason
        TOO_MANY_POINTS (over 2,000,000 values in one call).
        """
        raise unimplemented(self)

    def watch_indicators(
        self, request: pb.WatchIndicatorsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchIndicatorsResponse, None]:
        """Streams one point per confirmed candle and instrument, without end, in the order in which
        market data shows the candles.

        The first message is a heartbeat; more follow while nothing else is sent. With after_time the
        points of stored candles after it come first. The point after missing candles says "GAP". A
        candle that lacks what an indicator needs leaves its outputs in `missing`.
        Errors: those of ComputeIndicators for the specs; NOT_FOUND (unknown instrument);
        RESOURCE_EXHAUSTED (the reader is too slow; resume from the last open time it has).
        """
        raise unimplemented(self)
