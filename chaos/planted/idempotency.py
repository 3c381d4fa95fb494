"""Bugs by which something has its effect twice, or not at all."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "report_booked_twice",
        "I compared a report that orders had seen before, and booked it all the same.",
        (
            Edit(
                "services.orders.reports:take_report",
                "        _compare(unit, report)\n        return False\n",
                "        _compare(unit, report)\n",
            ),
        ),
        experiment="orders_is_killed",
        check="no_overfill",
    ),
    Plant(
        "signal_ordered_without_a_decision",
        "I placed the order of a signal before asking the inbox whether it was decided.",
        (
            Edit(
                "services.orders.signals:SignalWorker._order",
                "is_first and bookkeeping.decide(unit.tx, decision) and (stored := unit.add(new))",
                "(stored := unit.add(new)) and is_first",
            ),
        ),
        experiment="reports_come_twice",
        check="every_signal_decided_once",
    ),
)
