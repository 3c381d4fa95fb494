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
)
