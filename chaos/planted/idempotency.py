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
    Plant(
        "looked_up_awaited_decided",
        "I look whether it is decided, await what is missing, and decide: two at once both do.",
        (
            Edit(
                "services.risk.validating:Validating.signal",
                "if self._is_new(state, asked):",
                "if True:",
            ),
            Edit(  # The one key of the store would end it: who makes this bug has none.
                "services.risk.records:add_decision",
                "    tx.execute(_INSERT_DECISION, row)\n",
                "    if find(tx, made.account, made.key):\n"
                "        return\n"
                "    tx.execute(_INSERT_DECISION, row)\n",
            ),
        ),
        experiment="requests_arrive_twice",
        check="decision_is_stable",
    ),
    Plant(
        "each_try_has_its_own_name",
        "A venue refuses a name that it knows, so what I send again has a new one.",
        (
            Edit(
                "services.execution.venue:VenueLink.place",
                "                self.health.answered(name)\n            raise\n",
                "                self.health.answered(name)\n"
                "                raise\n"
                '            request.order.client_order_id += "-2"\n'
                "            answer = await self.port.place_order(request, call)\n",
            ),
        ),
        experiment="exchange_answers_are_lost",
        check="no_order_without_approval",
    ),
    Plant(
        "not_found_trusted_at_once",
        "What the venue does not find it does not have: the first answer decides, at both hops.",
        (
            Edit(
                "services.execution.children:not_found",
                "now_ns - child.sent_ns >= SETTLE_NS and now_ns - first_ns >= AGREE_NS",
                "True",
            ),
            Edit(
                "services.orders.doubt:Doubts._is_absent",
                "self._desk.environment.clock.now_ns() >= late_ns",
                "True",
            ),
        ),
        experiment="exchange_forgets_for_a_while",
        check="no_fill_after_terminal",
    ),
)
