"""Bugs of cancels, and of orders that are worked over time beside them."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "cancel_answer_is_the_end",
        "The venue has answered the cancel, so the order is CANCELED, whatever reports say.",
        (
            Edit(
                "services.orders.cancels:Cancels._call",
                "            if not await decided.within(TIMEOUT_S):",
                "            from services.orders.wire import Because, OrderCause\n\n"
                "            because = Because(OrderCause.ORDER_CAUSE_CANCEL_REQUESTED)\n"
                "            gone = Event(Kind.CANCELED, 0)\n"
                "            await desk.recorder.write(\n"
                "                lambda unit: unit.apply(unit.order(stored.key), gone, because)\n"
                "            )\n"
                "            if False:",
            ),
        ),
        experiment="cancels_cross_fills",
        check="no_fill_after_terminal",
    ),
    Plant(
        "wish_to_cancel_not_in_the_plan",
        "I kept the wish to cancel with the parent only, as for orders that have one child.",
        (
            Edit(
                "services.execution.changes:Changes._want",
                "            plans.keep(tx, plan)\n",
                "",
            ),
            Edit(
                "services.execution.changes:Changes.cancel",
                "await asyncio.wait_for(agent.ended.wait(), timeout_s(call))",
                "pass",
            ),
        ),
        experiment="cancels_cross_fills",
        check="no_child_after_cancel",
    ),
    Plant(
        "nothing_open_nothing_to_cancel",
        "A parent without an open child has nothing to cancel, so I let it be.",
        (
            Edit(
                "services.execution.situations:look",
                "is_canceled=plan.is_cancel_wanted",
                "is_canceled=plan.is_cancel_wanted and bool(children)",
            ),
        ),
        experiment="cancels_cross_fills",
        check="everything_recovers_in_time",
    ),
    Plant(
        "refused_cancel_never_asked_again",
        "A child whose cancel the venue refused stays asked for good.",
        (
            Edit(
                "services.execution.canceling:Canceling._ask",
                "self.asked.discard(number)",
                "pass",
            ),
        ),
        experiment="cancels_cross_fills",
        check="everything_recovers_in_time",
    ),
    Plant(
        "own_trades_count_as_others",
        "POV takes its share of all that is traded, its own trades among it.",
        (
            Edit(
                "services.execution.algorithms.sizing:volume_of_others",
                "market_lots - ledger.committed_lots",
                "market_lots",
            ),
        ),
        experiment="cancels_cross_fills",
        check="participation_within_cap",
    ),
    Plant(
        "limit_ignored_by_children",
        "A child is priced at the touch within the collar; the limit is for the parent.",
        (
            Edit(
                "services.execution.algorithms.prices:bounded",
                "if terms.limit_ticks:",
                "if False:",
            ),
        ),
        experiment="cancels_cross_fills",
        check="limit_never_violated",
    ),
)
