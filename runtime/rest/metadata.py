"""A call's metadata as HTTP headers, and back: nothing is lost, and nothing slips in."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

from grpc import StatusCode

from runtime.errors import ServiceError, refusal
from runtime.rest.problems import HttpRefusal
from runtime.rest.wire import HEADERS_BYTES_MAX, IDEMPOTENCY_KEY, TIMEOUT_MS
from runtime.rpc import Method

QUOTED = "plimsoll-metadata-"  # Carries what is no header by itself, percent-encoded.
# HTTP's own, and this transport's: never metadata, whoever sends them.
RESERVED = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-encoding", "content-length"),
        *("content-type", "cookie", "date", "expect", "host", "keep-alive", "te", "trailer"),
        *("transfer-encoding", "upgrade", "user-agent", IDEMPOTENCY_KEY, TIMEOUT_MS),
    }
)
_KEY = re.compile(r"[0-9a-z_.-]+").fullmatch  # What gRPC lets a key be,
_HEADER = re.compile(r"[0-9a-z.-]+").fullmatch  # and what every proxy lets pass.
_VALUE = re.compile(r"[ -~]*").fullmatch
_MILLISECONDS = re.compile(r"[0-9]{1,9}").fullmatch


def to_headers(method: Method, metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that carry `metadata`. Raises INTERNAL for what cannot travel."""
    headers = {}
    for key, value in metadata.items():
        if not (isinstance(value, str) and _KEY(key) and _VALUE(value)):
            raise _not_sent(method, key, value)
        if _passes_as_it_is(key, value):
            headers[key] = value
        else:
            headers[QUOTED + quote(key, safe="").replace("_", "%5F")] = quote(value, safe="")
    return headers


def from_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the metadata that headers carry.

    Raises INVALID_ARGUMENT for what stands twice or is not printable ASCII: which of two
    callers is meant must not depend on who reads.
    """
    metadata: dict[str, str] = {}
    size = 0
    for raw_name, raw_value in raw:
        size += len(raw_name) + len(raw_value) + 4
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in RESERVED:
            continue
        if name.startswith(QUOTED):
            name, value = unquote(name.removeprefix(QUOTED)).lower(), unquote(value)
        if name in metadata or not _VALUE(value):
            raise _unclear(name)
        metadata[name] = value
    if size > HEADERS_BYTES_MAX:
        raise HttpRefusal(
            431,
            StatusCode.RESOURCE_EXHAUSTED,
            "HEADERS_TOO_LARGE",
            f"the headers have {size} bytes, must have at most {HEADERS_BYTES_MAX}: send less",
        )
    return metadata


def timeout_s(text: str | None) -> float | None:
    """Return the seconds that a `Plimsoll-Timeout-Ms` allows; None without one."""
    if text is None:
        return None
    if not _MILLISECONDS(text):
        raise HttpRefusal(
            400,
            StatusCode.INVALID_ARGUMENT,
            "UNREADABLE_TIMEOUT",
            f"Plimsoll-Timeout-Ms is {text[:40]!r}, must be whole milliseconds: write digits only",
        )
    return int(text) / 1000


def _passes_as_it_is(key: str, value: str) -> bool:
    return (
        key not in RESERVED
        and not key.startswith(QUOTED)
        and _HEADER(key) is not None
        and value.strip() == value
        and value != ""
    )


def _not_sent(method: Method, key: object, value: object) -> ServiceError:
    return refusal(
        StatusCode.INTERNAL,
        "NOT_SENT",
        f"REST could not send {method.path}: metadata {key!r} is {value!r}; metadata must be text "
        "with lower-case keys and printable ASCII values",
        service=method.service,
    )


def _unclear(name: str) -> HttpRefusal:
    return HttpRefusal(
        400,
        StatusCode.INVALID_ARGUMENT,
        "UNCLEAR_METADATA",
        f"the header {name!r} stands twice or is not printable ASCII: send it once, as text",
    )
