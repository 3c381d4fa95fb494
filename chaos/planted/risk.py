"""Bugs of risk: holds, limits, and what it knows of positions."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "hold_never_released",
        "An order that is over keeps its hold: only fills released any.",
        (
            Edit(
                "services.risk.following:Following._follow_order",
                "            account.end(name, step.time_ns)\n"
                "            self.changed[account.name, name] = None\n",
                "            pass\n",
            ),
        ),
        experiment="reports_come_twice",
        check="holds_equal_open_orders",
    ),
    Plant(
        "hold_released_too_early",
        "I released the hold when the venue had taken the order, not as it filled.",
        (
            Edit(
                "services.risk.following:followed",
                "leaves = max(step.leaves_atto, pending or 0)",
                "leaves = pending or 0",
            ),
        ),
        experiment="exchange_fills_in_parts",
        check="holds_equal_open_orders",
    ),
    Plant(
        "risk_keeps_busted_trades",
        "Risk goes on counting a fill that the venue has taken back.",
        (
            Edit(
                "services.risk.following:Following._amend",
                "replace(named, is_busted=True)",
                "replace(named, is_busted=False)",
            ),
        ),
        experiment="exchange_takes_trades_back",
        check="positions_in_every_store",
    ),
    Plant(
        "limits_checked_without_a_hold",
        "I checked limits against orders known from events, so two of one moment both fit.",
        (Edit("services.risk.deciding:hold_for", "    account.put(held)\n", ""),),
        experiment="trading_day",
        check="risk_limits_never_exceeded",
    ),
    Plant(
        "positions_lost_at_restart",
        "Risk starts flat: it counts only the fills of its own life.",
        (
            Edit(
                "services.risk.store:load",
                "account.set_holding(row.instrument, held, book.price_atto(row.instrument))",
                "pass",
            ),
        ),
        experiment="every_service_restarts",
        check="positions_in_every_store",
    ),
    Plant(
        "losing_streak_never_stops",
        "I compare losses in a row with ten times their limit: tenths are for warnings only.",
        (
            Edit(
                "services.risk.breakers:of_strategy",
                "losses * 10 >= most * tenths",
                "losses >= most * tenths",
            ),
        ),
        experiment="trading_day",
        check="breaker_fires_when_due",
    ),
    Plant(
        "doubt_blocks_nobody",
        "An order in doubt has its hold already: I saw no need to block others beside it.",
        (
            Edit(
                "services.risk.exposures:in_doubt_block",
                "if case.is_in_doubt and not is_doubtful else PASS",
                "if False else PASS",
            ),
        ),
        experiment="exchange_is_out",
        check="one_open_order_in_doubt",
    ),
    Plant(
        "hold_released_by_time",
        "A hold that shows no life for a minute is given back, whatever orders says of its order.",
        (
            Edit(
                "services.risk.vigil:Vigil._do_due",
                "[n for n in still if statuses[n] in NEVER_LEFT]",
                "still",
            ),
        ),
        experiment="risk_hears_nothing_of_orders",
        check="risk_limits_never_exceeded",
    ),
)
