"""Bugs of the state machine of orders."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "bust_changes_no_order",
        "A bust moves the order's state and leaves what it has filled.",
        (Edit("services.orders.effects:take_back", "sign=-1", "sign=0"),),
        experiment="exchange_takes_trades_back",
        check="orders_in_every_store",
    ),
    Plant(
        "correction_counts_twice",
        "A corrected trade is added without taking away what it corrects.",
        (
            Edit(
                "services.orders.effects:correct",
                "without = order.changed(_booked(order, event.former, sign=-1))",
                "without = order",
            ),
        ),
        experiment="exchange_takes_trades_back",
        check="orders_in_every_store",
    ),
    Plant(
        "doubt_never_followed",
        "An order in doubt waits for a report, and nobody asks the venue.",
        (
            Edit(
                "services.orders.doubt:Doubts.watch",
                "if key not in self._followed:",
                "if False:",
            ),
        ),
        experiment="execution_is_killed",
        check="every_order_resolved",
    ),
    Plant(
        "doubt_forgotten_at_restart",
        "After a restart I go on with pending orders, and with none that is in doubt.",
        (
            Edit(
                "services.orders.recovery:Recovery.go_on",
                "senders.doubts.watch(stored.key)",
                "pass",
            ),
        ),
        experiment="orders_crash_at_commits",
        check="every_order_resolved",
    ),
    Plant(
        "partial_fill_counts_as_whole",
        "The first trade of an order makes it FILLED.",
        (
            Edit(
                "services.orders.machine:_refined",
                ">= order.quantity_atto",
                "> 0",
            ),
        ),
        experiment="exchange_fills_in_parts",
        check="cum_plus_leaves_equals_order_qty",
    ),
)
