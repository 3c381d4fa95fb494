"""Which request a call belongs to: W3C trace context and a request id, carried in metadata."""

import random
import re

from runtime.rpc import Call

TRACEPARENT = "traceparent"
REQUEST_ID = "x-request-id"
# Version 00 of https://www.w3.org/TR/trace-context/; ids of zeros only are not ids.
_PROPER = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


def traced(call: Call, rng: random.Random) -> Call:
    """Return `call` with its trace context, or with a new one if it has none that is proper."""
    metadata = call.metadata
    parent, request_id = metadata.get(TRACEPARENT), metadata.get(REQUEST_ID)
    if parent and request_id and _PROPER(parent):
        return call
    if not (parent and _PROPER(parent)):
        parent = f"00-{rng.getrandbits(128) | 1:032x}-{rng.getrandbits(64) | 1:016x}-01"
    if not request_id:
        request_id = f"{rng.getrandbits(64):016x}"
    return call.with_metadata({**metadata, TRACEPARENT: parent, REQUEST_ID: request_id})
