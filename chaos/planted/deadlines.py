"""Bugs by which work goes on for a caller that waits no more."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "deadline_not_propagated",
        "Each call that a service makes for its caller gets its method's own time, from now on.",
        (
            Edit(
                "runtime.client:Client.call",
                "call.started(method.policy.deadline_s, metadata)",
                "Call(metadata=metadata).started(method.policy.deadline_s)",
            ),
        ),
        experiment="trading_day",
        check="deadlines_never_grow",
    ),
    Plant(
        "deadline_begins_anew_on_arrival",
        "The guard gives a call the time of the contract, without looking at what is left of it.",
        (
            Edit(
                "runtime.guards.expiry:Expiry.call",
                "call.started(method.policy.deadline_s)",
                "Call(metadata=call.metadata).started(method.policy.deadline_s)",
            ),
        ),
        experiment="trading_day",
        check="deadlines_never_grow",
    ),
    Plant(
        "venue_has_a_second_whoever_waits",
        "I gave the venue its usual second to take an order, however long the caller still waits.",
        (
            Edit(
                "services.execution.starts:Starts._send",
                "PLACE_TIMEOUT_S if left_s is None else max(left_s - MARGIN_S, 0.001)",
                "PLACE_TIMEOUT_S",
            ),
        ),
        experiment="trading_day",
        check="deadlines_never_grow",
    ),
)
