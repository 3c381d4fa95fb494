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
    Plant(
        "outbox_written_after_the_commit",
        "I put events into the outbox once they are committed: with the next commit.",
        (
            Edit(
                "services.orders.unit:Unit.flush",
                "(event_rows.entry(event, payload) for event, payload in pairs))",
                "vars(self._memory).pop('late', ()))\n"
                "        vars(self._memory)['late'] = [event_rows.entry(*pair) for pair in pairs]",
            ),
        ),
        experiment="orders_is_killed",
        check="stream_entries_ordered",
    ),
    Plant(
        "lost_entries_never_published_again",
        "What Redis has lost is lost: the relay goes on behind it.",
        (
            Edit(
                "runtime.stores.relay:Relay._publish_again",
                "for stream, mark in missing.items():",
                "for stream, mark in ():",
            ),
        ),
        experiment="redis_fails_over",
        check="outbox_on_stream",
    ),
    Plant(
        "resumed_one_too_far",
        "I keep the sequence that is expected next, and resume after it.",
        (
            Edit(
                "services.orders.reports:ReportReader._take",
                "sequence = seen(batch)",
                "sequence = seen(batch) + 1",
            ),
        ),
        experiment="orders_is_killed",
        check="everything_recovers_in_time",
    ),
    Plant(
        "cursor_moved_before_the_work",
        "Orders moves the ledger's cursor before the ledger has answered, which minds no gap.",
        (
            Edit(
                "services.orders.feedback:Feedback._report_some",
                "        try:\n            known = ",
                "        await self._move(found[-1][0])\n        try:\n            known = ",
            ),
            Edit(
                "services.portfolio.posting:_check_no_gap",
                "if event.header.sequence != expected:",
                "if False:",
            ),
        ),
        experiment="portfolio_is_killed",
        check="stream_gap_free",
    ),
    Plant(
        "settled_before_decided",
        "I marked a signal as settled and then decided it: what failed is not tried again.",
        (
            Edit(
                "services.orders.signals:SignalWorker.handle",
                "            await self._decide(_signal(entry), entry)\n"
                "            self._mark(entry.sequence)",
                "            self._mark(entry.sequence)\n"
                "            await self._decide(_signal(entry), entry)",
            ),
        ),
        experiment="risk_is_down",
        check="every_signal_decided_once",
    ),
    Plant(
        "close_only_with_a_range",
        "A candle of which only the close is known has it for open, high and low.",
        (
            Edit(
                "services.marketdata.messages:write_candle",
                "value: Decimal | None = getattr(candle, name)",
                "is_priced = name in ('open', 'high', 'low')\n"
                "        value: Decimal | None = getattr(candle, name)\n"
                "        value = candle.close if value is None and is_priced else value",
            ),
        ),
        experiment="trading_day",
        check="close_only_has_no_range",
    ),
    Plant(
        "stops_without_an_inbox",
        "Moving a stop twice is as moving it once, so I keep no inbox row for such a signal.",
        (
            Edit(
                "services.orders.signals:SignalWorker._adjust_stop",
                "            is_first = self._inbox.first_time(unit.tx, CONSUMER, entry.event_id)\n"
                "            if not is_first or not bookkeeping",
                "            if not bookkeeping",
            ),
        ),
        experiment="trading_day",
        check="stream_entries_taken_in",
    ),
)
