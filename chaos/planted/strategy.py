"""Bugs of strategies, and of what becomes of their signals."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "signal_without_votes",
        "I left the votes out of opening signals: nobody reads them.",
        (
            Edit(
                "services.strategy.proposing:_wanted",
                "votes=wish.votes",
                "votes=()",
            ),
        ),
        experiment="reports_come_twice",
        check="signal_implies_reason",
    ),
    Plant(
        "wall_clock_dates_decisions",
        "I dated decisions by the machine's clock, not by the one that was given.",
        (
            Edit(
                "services.orders.signals:SignalWorker._decision",
                "self._environment.clock.now_ns()",
                '__import__("time").time_ns()',
            ),
        ),
        experiment="reports_come_twice",
        check="no_lost_signal",
    ),
    Plant(
        "strategy_keeps_busted_trades",
        "A bust leaves the fill of the strategy as it was.",
        (
            Edit(
                "services.strategy.order_events:_Fills._corrected",
                "0 if is_bust else",
                "fills[at].quantity_atto if is_bust else",
            ),
        ),
        experiment="exchange_takes_trades_back",
        check="positions_in_every_store",
    ),
    Plant(
        "strategy_adds_what_it_sells",
        "The strategy adds every fill to what it holds, sales too.",
        (
            Edit(
                "services.strategy.order_events:_signed_quantity",
                "else -quantity_atto",
                "else quantity_atto",
            ),
        ),
        experiment="reports_come_twice",
        check="positions_in_every_store",
    ),
    Plant(
        "filtered_signals_are_published",
        "Each signal says whether it was filtered, so I published all of them.",
        (
            Edit(
                "services.strategy.changes:Changes._write_signals",
                "if draft.is_published:",
                "if draft is not None:",
            ),
        ),
        experiment="bars_touch_stops_and_targets",
        check="filtered_never_ordered",
    ),
)
