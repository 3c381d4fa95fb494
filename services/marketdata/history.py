"""Pages of stored candles, for ListCandles."""

from sqlalchemy import Connection
from trading.marketdata.v1 import marketdata_pb2 as pb

from runtime.paging import place_of, size_of, token_of
from runtime.times import to_ns
from services.marketdata import store

CANDLES_TAG = bytes([1 << 3 | 2])  # Field 1, `candles`, length-delimited.
CONTINUED = 128
BEGINNING_NS = -(2**63)
END_NS = 2**63 - 1


def list_page(tx: Connection, request: pb.ListCandlesRequest) -> pb.ListCandlesResponse:
    """Return the page that `request` asks for. Raises ForeignToken for another's token."""
    span = _span(tx, request)
    size = size_of(request.page_size)
    is_first_seen = request.revision == pb.REVISION_VIEW_AS_FIRST_SEEN
    rows = store.page(tx, span, size + 1, is_first_seen=is_first_seen)
    response = _response([row.body for row in rows[:size]])
    if len(rows) > size:
        # The end travels along: what is stored meanwhile belongs to no page of this query.
        end_ns = min(span["to_ns"], store.last_open(tx, span) + 1)
        response.next_page_token = token_of(request, f"{rows[size].open_ns}.{end_ns}")
    return response


def _response(bodies: list[bytes]) -> pb.ListCandlesResponse:
    """Return the response with these candles, put together as bytes and parsed at once.

    Parsing each candle and copying it into the response takes four times as long.
    """
    parts: list[bytes] = []
    for body in bodies:
        parts += (CANDLES_TAG, _varint(len(body)), body)
    return pb.ListCandlesResponse.FromString(b"".join(parts))


def _varint(number: int) -> bytes:
    """Return the wire form of a length (protobuf encoding, base 128 varints)."""
    out = bytearray()
    while number > CONTINUED - 1:
        out.append(number % CONTINUED | CONTINUED)
        number //= CONTINUED
    out.append(number)
    return bytes(out)


def _span(tx: Connection, request: pb.ListCandlesRequest) -> store.Values:
    place = place_of(request, request.page_token)
    span = {"i": request.instrument, "t": int(request.timeframe)}
    if place:
        from_ns, _, to_ns_text = place.partition(".")
        return span | {"from_ns": int(from_ns), "to_ns": int(to_ns_text)}
    span["from_ns"] = to_ns(request.from_time) if request.HasField("from_time") else BEGINNING_NS
    span["to_ns"] = to_ns(request.to_time) if request.HasField("to_time") else END_NS
    if request.last_count:
        nth_ns = store.nth_newest_open(tx, span, request.last_count)
        span["from_ns"] = span["from_ns"] if nth_ns is None else nth_ns
    return span
