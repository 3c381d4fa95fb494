"""Bugs of execution: reports of the venue, and orders that are worked in parts."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "last_report_never_looked_for",
        "A gap before a report shows that one is missing, and I only read on.",
        (
            Edit(
                "services.execution.reports:Reports._close_gap",
                "if missing <= 0 and not accounts:",
                "if True:",
            ),
        ),
        experiment="last_report_is_dropped",
        check="fill_booked_once",
    ),
    Plant(
        "twap_remainder_lost",
        "The lots that rounding leaves over after the last slice are in none.",
        (
            Edit(
                "services.execution.algorithms.schedule:cumulative_targets",
                "targets[-1] = quantity_lots",
                "targets[-1] = targets[-2]",
            ),
        ),
        experiment="worked_orders_outlive_execution",
        check="slices_on_schedule",
    ),
    Plant(
        "slice_ignores_what_is_filled",
        "A slice sends its target, not what is missing of it.",
        (
            Edit(
                "services.execution.algorithms.sizing:slice_lots",
                "target_lots - ledger.committed_lots",
                "target_lots",
            ),
        ),
        experiment="worked_orders_outlive_execution",
        check="slices_on_schedule",
    ),
    Plant(
        "venue_timeout_is_a_refusal",
        "A child without an answer is refused: after a timeout the venue has not taken it.",
        (
            Edit(
                "services.execution.sending:_not_placed",
                "refused(now, reason) if error.definite else unanswered(now)",
                "refused(now, reason)",
            ),
        ),
        experiment="exchange_forgets_for_a_while",
        check="no_fill_after_terminal",
        seeds=2,
    ),
)
