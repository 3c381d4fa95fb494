"""Ports of trading/strategy/v1/strategy.proto. Generated: edit that, then `make generate`."""

from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.strategy.v1 import strategy_pb2 as pb


class StrategyService(Port):
    """Hosts strategies, evaluates each confirmed candle once, and publishes their signals.

    Promises that a candle is evaluated once per running strategy, however often it is delivered;
    that a signal is stored and published together or not at all; and that the same candles and
    order events lead to the same decisions, live, in a replay and in a simulation. A strategy
    knows its position from order events alone: it never assumes that a signal was filled.

    A signal to OPEN with a target_position also turns round what is held: no CLOSE comes with it.
    CLOSE and ADJUST_STOP name the direction of the position they are about; the stop_price of a
    CLOSE is the stop that was touched, its target the one that was reached, and with a quantity it
    closes that much. At most one signal of an action is made per candle.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["StrategyService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "create_strategy": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"TRADER"}),
            target_rps=1.0,
            p99_ms=100.0,
            audited=True,
            intent=True,
        ),
        "update_strategy": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"TRADER"}),
            target_rps=1.0,
            p99_ms=100.0,
            audited=True,
            intent=True,
        ),
        "start_strategy": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"RISK_OFFICER", "TRADER"}),
            callers=frozenset({"risk"}),
            target_rps=1.0,
            p99_ms=200.0,
            audited=True,
            intent=True,
        ),
        "pause_strategy": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"RISK_OFFICER", "TRADER"}),
            callers=frozenset({"risk"}),
            target_rps=1.0,
            p99_ms=200.0,
            audited=True,
        ),
        "stop_strategy": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"RISK_OFFICER", "TRADER"}),
            callers=frozenset({"risk"}),
            target_rps=1.0,
            p99_ms=200.0,
            audited=True,
        ),
        "get_strategy": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=10.0,
            p99_ms=50.0,
        ),
        "list_strategies": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=10.0,
            p99_ms=50.0,
        ),
        "evaluate_candle": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER"}),
            callers=frozenset({"backtesting"}),
            target_rps=20.0,
            p99_ms=50.0,
        ),
        "list_signals": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"orders"}),
            target_rps=20.0,
            p99_ms=50.0,
        ),
        "watch_signals": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            roles=frozenset({"TRADER", "VIEWER"}),
            callers=frozenset({"*"}),
            target_rps=25.0,
            p99_ms=30.0,
        ),
        "report_order_events": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="events.header.event_id",
            callers=frozenset({"orders"}),
            target_rps=20.0,
            p99_ms=40.0,
            items_per_call=256,
        ),
    }

    async def create_strategy(
        self, request: pb.CreateStrategyRequest, call: Call = Call()
    ) -> pb.CreateStrategyResponse:
        """Creates a strategy in the state CREATED; nothing is evaluated until it is started.

        Repeating a request_id returns the first answer. With validate_only nothing is stored and
        the answer is what would have been.
        Errors: INVALID_ARGUMENT with reason PARAMETER_INVALID (details name the path) or
        SIZING_INVALID; UNIMPLEMENTED with reason KIND_NOT_BUILT; NOT_FOUND with reason
        INSTRUMENT_UNKNOWN; FAILED_PRECONDITION with reason NOT_TRADABLE or NO_PROTECTION;
        ALREADY_EXISTS (request_id with another body).
        """
        raise unimplemented(self)

    async def update_strategy(
        self, request: pb.UpdateStrategyRequest, call: Call = Call()
    ) -> pb.UpdateStrategyResponse:
        """Replaces parameters, exit or sizing as config_version + 1, in force from the next candle.

        Instruments and timeframe may change in the state CREATED only.
        Errors: those of CreateStrategy; NOT_FOUND with reason STRATEGY_UNKNOWN; ABORTED with reason
        ETAG_MISMATCH; FAILED_PRECONDITION with reason WRONG_STATE.
        """
        raise unimplemented(self)

    async def start_strategy(
        self, request: pb.StartStrategyRequest, call: Call = Call()
    ) -> pb.StartStrategyResponse:
        """Starts a strategy, or resumes a paused one: it evaluates every candle from now on.

        It is WARMING until the first instrument is warm, then RUNNING.
        Errors: NOT_FOUND with reason STRATEGY_UNKNOWN; FAILED_PRECONDITION with reason NOT_WARM
        (metadata instrument, have, need; not with is_cold_start_allowed), CANDLE_KIND_INSUFFICIENT,
        NOT_TRADABLE or WRONG_STATE (stopped or failed).
        """
        raise unimplemented(self)

    async def pause_strategy(
        self, request: pb.PauseStrategyRequest, call: Call = Call()
    ) -> pb.PauseStrategyResponse:
        """Pauses a strategy: it opens nothing more, its exits continue. Pausing twice changes nothing.

        Errors: NOT_FOUND with reason STRATEGY_UNKNOWN; FAILED_PRECONDITION with reason WRONG_STATE.
        """
        raise unimplemented(self)

    async def stop_strategy(
        self, request: pb.StopStrategyRequest, call: Call = Call()
    ) -> pb.StopStrategyResponse:
        """Stops a strategy for good: it evaluates nothing more. Stopping twice changes nothing.

        With is_flatten it first closes what it holds: it is PAUSED and is_stopping until order
        events say that it is flat, then STOPPED. Order events are taken in every state.
        Errors: NOT_FOUND with reason STRATEGY_UNKNOWN.
        """
        raise unimplemented(self)

    async def get_strategy(
        self, request: pb.GetStrategyRequest, call: Call = Call()
    ) -> pb.GetStrategyResponse:
        """Returns a strategy: configuration, state, what it holds, how warm it is, what it counted.

        Errors: NOT_FOUND with reason STRATEGY_UNKNOWN.
        """
        raise unimplemented(self)

    async def list_strategies(
        self, request: pb.ListStrategiesRequest, call: Call = Call()
    ) -> pb.ListStrategiesResponse:
        """Returns the strategies in the order of their creation.

        Errors: INVALID_ARGUMENT with reason PAGE_TOKEN_FOREIGN.
        """
        raise unimplemented(self)

    async def evaluate_candle(
        self, request: pb.EvaluateCandleRequest, call: Call = Call()
    ) -> pb.EvaluateCandleResponse:
        """Answers what a strategy would decide after the last of the candles given; stores nothing.

        A strategy by id decides with the position it holds, a configuration as if it held none.
        Fewer candles than warm-up takes are evaluated as NOT_WARM.
        Errors: those of CreateStrategy for a configuration; NOT_FOUND with reason STRATEGY_UNKNOWN or
        INSTRUMENT_UNKNOWN; INVALID_ARGUMENT with reason CANDLES_MIXED, or CANDLES_UNSORTED as of
        ComputeIndicators.
        """
        raise unimplemented(self)

    async def list_signals(
        self, request: pb.ListSignalsRequest, call: Call = Call()
    ) -> pb.ListSignalsResponse:
        """Returns signals in the order in which they were stored.

        Errors: INVALID_ARGUMENT with reason PAGE_TOKEN_FOREIGN.
        """
        raise unimplemented(self)

    def watch_signals(
        self, request: pb.WatchSignalsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchSignalsResponse, None]:
        """Streams every published signal after after_sequence, in sequence order, without end.

        The first message is a heartbeat with the current sequence; more follow while nothing else
        is sent.
        Errors: OUT_OF_RANGE (after_sequence is older than what is kept: list, then watch),
        RESOURCE_EXHAUSTED (the reader is too slow; resume from the last sequence it has).
        """
        raise unimplemented(self)

    async def report_order_events(
        self, request: pb.ReportOrderEventsRequest, call: Call = Call()
    ) -> pb.ReportOrderEventsResponse:
        """Learns what became of orders: fills move the positions of the strategies they belong to.

        Promises that every event up to `last_sequence` is durable. Events apply in sequence order,
        all or none of a call; those taken before are passed over, those of no strategy or of an
        unknown one are counted and have no effect.
        Errors: ABORTED with reason EVENT_GAP when the first new event is not the next one
        (metadata expected: send again from that sequence).
        """
        raise unimplemented(self)
