"""Bugs of outboxes, streams and their readers."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "outbox_takes_one_event_of_a_commit",
        "I assumed that a transaction has one event, and put the first into the outbox.",
        (
            Edit(
                "services.orders.unit:Unit.flush",
                "for event, payload in pairs))",
                "for event, payload in pairs[:1]))",
            ),
        ),
        experiment="reports_come_twice",
        check="stream_entries_ordered",
    ),
)
