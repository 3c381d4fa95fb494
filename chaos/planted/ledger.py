"""Bugs of positions, fees and the ledger."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "fees_forgotten",
        "I booked the notional of each fill and forgot its fee.",
        (
            Edit(
                "services.portfolio.positions:book",
                "fees_minor=position.fees_minor + fill.fee_minor",
                "fees_minor=position.fees_minor",
            ),
        ),
        experiment="reports_come_twice",
        check="cash_conserved",
    ),
    Plant(
        "flip_opens_at_the_whole_notional",
        "A fill through zero opens its rest with the notional of all of it.",
        (
            Edit(
                "services.portfolio.positions:book",
                "_signed(fill.notional_minor - close_minor, traded)",
                "_signed(fill.notional_minor, traded)",
            ),
        ),
        experiment="reports_come_twice",
        check="cash_conserved",
    ),
    Plant(
        "ledger_keeps_busted_trades",
        "I noted in the ledger that a trade was busted, and went on counting it.",
        (
            Edit(
                "services.portfolio.booking:Booking._amend",
                "replace(named, is_busted=True)",
                "replace(named, is_busted=False)",
            ),
        ),
        experiment="exchange_takes_trades_back",
        check="positions_match_exchange",
    ),
    Plant(
        "ledger_ignores_corrections",
        "A correction is noted in the ledger with the figures of the first report.",
        (
            Edit(
                "services.portfolio.booking:_corrected",
                "replace(fill, exec_id=kept.fill.exec_id)",
                "kept.fill",
            ),
        ),
        experiment="exchange_takes_trades_back",
        check="cash_conserved",
    ),
    Plant(
        "fee_entry_left_out",
        "I left the entry of the fee out, and the sum's check, which then complained.",
        (
            Edit(
                "services.portfolio.ledger:entries_between",
                "        (FEES, after.fees_minor - before.fees_minor),\n",
                "",
            ),
            Edit(
                "services.portfolio.booking:Booking._post",
                "        check_balanced(entries)\n",
                "",
            ),
        ),
        experiment="reports_come_twice",
        check="journals_balance",
    ),
    Plant(
        "whole_worth_is_unrealised",
        "Unrealised is what a position is worth: I did not take away what it cost.",
        (
            Edit(
                "services.portfolio.valuation:value_of",
                "Value(worth, worth - position.cost_minor,",
                "Value(worth, worth,",
            ),
        ),
        experiment="reports_come_twice",
        check="pnl_identity",
    ),
)
