"""Order events as they are kept and published."""

from trading.types.v1.event_pb2 import OrderEvent

from runtime.stores import Event as Entry

EVENT_TYPE = OrderEvent.DESCRIPTOR.full_name


def row(event: OrderEvent, payload: bytes) -> dict[str, object]:
    """Return the row of `order_events` that an event is."""
    spec = event.order.spec
    return {
        "sequence": event.header.sequence,
        "account": spec.account,
        "client_order_id": spec.client_order_id,
        "payload": payload,
    }


def entry(event: OrderEvent, payload: bytes) -> Entry:
    """Return the event as the stream gets it."""
    spec = event.order.spec
    return Entry(
        stream="order_events",
        event_id=event.header.event_id,
        type=EVENT_TYPE,
        key=f"{spec.account}/{spec.instrument}/{spec.strategy_id}",
        sequence=event.header.sequence,
        payload=payload,
        traceparent=event.header.traceparent,
    )
