"""Bugs of trading modes: what an operator stops goes on, or what may go on is stopped."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "halt_forgotten_by_risk",
        "After a restart every scope of risk is ACTIVE until somebody sets its mode again.",
        (
            Edit(
                "services.risk.desk:load",
                "state.set_mode(mode, asked)",
                "pass",
            ),
        ),
        experiment="an_operator_halts_trading",
        check="halt_stops_orders",
    ),
    Plant(
        "free_until_told_otherwise",
        "Execution that was restarted goes on at once: what it has not heard of is not set.",
        (
            Edit(
                "services.execution.modes:Modes.stops",
                "if not self.is_told:",
                "if False:",
            ),
        ),
        experiment="an_operator_halts_trading",
        check="halt_stops_orders",
        seeds=2,
    ),
    Plant(
        "halt_for_strategies_only",
        "The mode of an account counts for orders of its strategies, a person's pass.",
        (
            Edit(
                "services.risk.rules:Modes.strictest",
                "(ScopeKind.ACCOUNT, account)",
                '(ScopeKind.ACCOUNT, account if strategy_id else "")',
            ),
        ),
        experiment="an_operator_halts_trading",
        check="halt_stops_orders",
    ),
    Plant(
        "halt_leaves_live_orders",
        "A halt keeps new orders back, and what works at the venue works on.",
        (
            Edit(
                "services.orders.halts:HaltReader._take",
                "await self._cancel_all(mode)",
                "pass",
            ),
        ),
        experiment="an_operator_halts_trading",
        check="halt_cancels_orders",
    ),
    Plant(
        "workers_not_told_of_modes",
        "I note a mode when it is told and wake nobody: workers see it at their next slice.",
        (
            Edit(
                "services.execution.listening:Listening._see",
                'if was_silent or message.HasField("mode"):',
                "if was_silent:",
            ),
        ),
        experiment="an_operator_halts_trading",
        check="halt_cancels_orders",
    ),
    Plant(
        "reduce_only_refuses_all",
        "Only ACTIVE lets orders pass: I forgot that REDUCE_ONLY is there for those that reduce.",
        (
            Edit(
                "services.risk.exposures:mode_blocked",
                " or (mode is REDUCE_ONLY and case.is_reducing)",
                "",
            ),
        ),
        experiment="an_operator_halts_trading",
        check="reducing_is_never_blocked",
    ),
)
