"""Cancels and replacements as execution is asked for them: a repeat is byte by byte the same."""

from google.type.decimal_pb2 import Decimal
from trading.execution.v1 import execution_pb2 as execution_pb

from runtime.atto import from_atto
from services.orders.states import Amendment
from services.orders.store import Stored


def cancel_request_id(stored: Stored) -> str:
    """Return the name of a cancel asked for now: the same when it must be repeated."""
    return f"{stored.order_id}-{stored.order.version}"


def replace_request_id(stored: Stored) -> str:
    """Return the name of a replacement asked for now: the same when it must be repeated."""
    return f"{stored.order_id}-r{stored.order.version}"


def cancel_of(stored: Stored, epoch: int) -> execution_pb.CancelExecutionRequest:
    """Return the cancel that an order has pending."""
    return execution_pb.CancelExecutionRequest(
        account=stored.account,
        client_order_id=stored.client_order_id,
        request_id=stored.pending_request_id,
        epoch=epoch,
    )


def replacement_of(
    stored: Stored, amendment: Amendment, epoch: int
) -> execution_pb.ReplaceExecutionRequest:
    """Return the replacement that an order has pending; what stays as it is, is left out."""
    request = execution_pb.ReplaceExecutionRequest(
        account=stored.account,
        client_order_id=stored.client_order_id,
        request_id=amendment.request_id,
        epoch=epoch,
    )
    if amendment.quantity_atto != stored.order.quantity_atto:
        request.quantity.value = from_atto(amendment.quantity_atto)
    _put(request.limit_price, amendment.limit_price_atto)
    _put(request.stop_price, amendment.stop_price_atto)
    return request


def _put(field: Decimal, value_atto: int | None) -> None:
    if value_atto is not None:
        field.value = from_atto(value_atto)
