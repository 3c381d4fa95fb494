"""Which request a call belongs to: W3C trace context and a request id, carried in metadata."""

import random
import re
from collections.abc import Mapping

from runtime.rpc import Call

TRACEPARENT = "traceparent"
REQUEST_ID = "x-request-id"
BAGGAGE = "baggage"  # W3C: what a whole conversation is called, such as correlation_id=7f3.
# Version 00 of https://www.w3.org/TR/trace-context/; ids of zeros only are not ids.
_PROPER = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


def is_traced(metadata: Mapping[str, str]) -> bool:
    """Return whether `metadata` holds a request id and a proper trace context."""
    return REQUEST_ID in metadata and _PROPER(metadata.get(TRACEPARENT, "")) is not None


class Traces:
    """Begins traces: no two alike, the same ones again from the same seed.

    No span is recorded here. The span id, which a header must have, repeats the second half of
    the trace id: who records spans then knows that there is no such span to be part of.
    """

    def __init__(self, rng: random.Random) -> None:
        self._origin = f"{rng.getrandbits(64):016x}"
        self._begun = 0

    def complete(self, metadata: dict[str, str]) -> None:
        """Add a request id and a trace context where `metadata` holds no proper ones."""
        self._begun += 1
        number = f"{self._begun:016x}"
        if not _PROPER(metadata.get(TRACEPARENT, "")):
            metadata[TRACEPARENT] = f"00-{self._origin}{number}-{number}-01"
        if not metadata.get(REQUEST_ID):
            metadata[REQUEST_ID] = f"{self._origin}-{number}"

    def complete_request(self, metadata: dict[str, str]) -> None:
        """Add a request id if `metadata` has none."""
        if not metadata.get(REQUEST_ID):
            self._begun += 1
            metadata[REQUEST_ID] = f"{self._origin}-{self._begun:016x}"

    def traced(self, call: Call) -> Call:
        """Return `call` with a trace: its own, if it brings one."""
        if is_traced(call.metadata):
            return call
        metadata = dict(call.metadata)
        self.complete(metadata)
        return call.with_metadata(metadata)
