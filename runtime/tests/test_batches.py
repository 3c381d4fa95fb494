"""What several services are told is looked at once, and what is wrong is refused every time."""

import pytest
from google.type.decimal_pb2 import Decimal
from trading.portfolio.v1 import portfolio_pb2
from trading.risk.v1 import risk_pb2
from trading.strategy.v1 import strategy_pb2
from trading.types.v1.event_pb2 import ORDER_CAUSE_SUBMITTED, EventHeader, OrderEvent
from trading.types.v1.order_pb2 import (
    ORDER_STATUS_NEW,
    ORDER_TYPE_MARKET,
    SIDE_BUY,
    TIME_IN_FORCE_DAY,
    Order,
    OrderSpec,
)

from runtime.errors import ServiceError
from runtime.guards.validation import VALID, VALID_MAX, check
from runtime.times import to_timestamp

TOLD = (
    risk_pb2.ReportOrderEventsRequest,
    strategy_pb2.ReportOrderEventsRequest,
    portfolio_pb2.ReportOrderEventsRequest,
)
SPEC = OrderSpec(
    client_order_id="o1",
    account="main",
    instrument="SQ01.XSIM",
    side=SIDE_BUY,
    type=ORDER_TYPE_MARKET,
    time_in_force=TIME_IN_FORCE_DAY,
    quantity=Decimal(value="1000"),
)


def event(sequence: int) -> OrderEvent:
    return OrderEvent(
        header=EventHeader(
            event_id=f"00000000-0000-5000-8000-{sequence:012}",
            sequence=sequence,
            source="orders",
            occurred_at=to_timestamp(10**18),
        ),
        order=Order(spec=SPEC, status=ORDER_STATUS_NEW),
        local_cause=ORDER_CAUSE_SUBMITTED,
    )


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    VALID.clear()


def test_batch_is_looked_at_once_for_all_whose_rules_are_the_same() -> None:
    for request in TOLD:
        check(request(events=[event(1), event(2)]), "orders")
    assert len(VALID) == 1


def test_what_is_known_is_little() -> None:
    for sequence in range(1, 2 * VALID_MAX):
        check(TOLD[0](events=[event(sequence)]), "risk")
    assert len(VALID) == VALID_MAX


def test_batch_that_breaks_its_contract_is_refused_every_time() -> None:
    check(TOLD[0](events=[event(1)]), "risk")
    unknown, unnamed = event(1), event(1)
    unknown.order.spec.side = 99  # type: ignore[assignment]
    unnamed.order.spec.client_order_id = "no name"
    for events in ([], [event(1), unnamed], [unnamed], [unknown]):
        for request in (*TOLD, *TOLD):
            with pytest.raises(ServiceError, match="breaks its contract: events"):
                check(request(events=events), "orders")
