"""Bugs of the simulated venue, which every other check takes at its word."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "fee_rounded_down",
        "I divided for the fee and took the whole number below.",
        (
            Edit(
                "fixtures.exchange.terms:FeeSchedule.taker_minor",
                "-(-abs(notional_minor) * numerator // denominator)",
                "abs(notional_minor) * numerator // denominator",
            ),
        ),
        experiment="reports_come_twice",
        check="fees_match_schedule",
    ),
    Plant(
        "latest_order_first",
        "Of the orders of a price the one that came last trades first.",
        (
            Edit(
                "fixtures.exchange.book:BookSide.best_within",
                "next(iter(level.values()))",
                "next(reversed(level.values()))",
            ),
        ),
        experiment="cancels_cross_fills",
        check="price_time_priority",
    ),
    Plant(
        "better_price_is_not_the_best",
        "The best price is noted when a side is empty, and not when a better one comes.",
        (
            Edit(
                "fixtures.exchange.book:BookSide.add",
                "if self._best_level is None or key < self._best_key:",
                "if self._best_level is None:",
            ),
        ),
        experiment="cancels_cross_fills",
        check="price_time_priority",
    ),
    Plant(
        "busted_lots_are_nowhere",
        "A bust of an order that has ended takes its lots away, and counts them as nothing else.",
        (
            Edit(
                "fixtures.exchange.rectifying:Rectifier._give_back",
                "            order.canceled_lots += lots\n",
                "",
            ),
        ),
        experiment="exchange_takes_trades_back",
        check="exchange_quantity_conserved",
    ),
    Plant(
        "equal_prices_do_not_meet",
        "A bid meets an ask that is below it; at the same price both rest.",
        (
            Edit(
                "fixtures.exchange.book:BookSide.best_within",
                "self._best_key > self._sign",
                "self._best_key >= self._sign",
            ),
        ),
        experiment="cancels_cross_fills",
        check="book_never_crossed",
    ),
)
