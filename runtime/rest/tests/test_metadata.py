"""Metadata crosses HTTP unchanged, and no header can pass for another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading.echo.v1.echo_port import EchoService

from runtime.errors import ServiceError
from runtime.rest.metadata import RESERVED, from_headers, timeout_s, to_headers
from runtime.rpc import methods

ECHO = methods(EchoService)[0]
KEYS = st.one_of(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789_.-", min_size=1, max_size=20),
    st.sampled_from(sorted(RESERVED)),
    st.just("plimsoll-metadata-host"),
)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as they arrive: a server may see any case, and no blanks at the ends."""
    return [(k.title().encode(), v.strip().encode()) for k, v in headers.items()]


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_all_metadata_crosses_unchanged(metadata: dict[str, str]) -> None:
    headers = to_headers(ECHO, metadata)
    assert not RESERVED.intersection(headers)
    assert from_headers(raw(headers)) == metadata


@pytest.mark.parametrize(
    "metadata", [{"Upper": "a"}, {"x": "é"}, {"x": 1}, {"x": "a\r\nhost: b"}, {"": "a"}], ids=str
)
def test_metadata_that_cannot_travel_is_named(metadata: dict[str, str]) -> None:
    with pytest.raises(ServiceError, match="lower-case keys") as caught:
        to_headers(ECHO, metadata)
    assert caught.value.reason == "NOT_SENT"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"X-Plimsoll-Principal", b"ana"), (b"x-plimsoll-principal", b"eve")],
        [(b"X-Colour", b"blue"), (b"Plimsoll-Metadata-x-colour", b"red")],
        [(b"Plimsoll-Metadata-x", b"a%0D%0Ab")],
        [(b"X-Colour", "grün".encode())],
    ],
    ids=["twice", "twice, once quoted", "control characters", "not ASCII"],
)
def test_unclear_header_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(ServiceError, match="stands twice or is not printable ASCII"):
        from_headers(headers)


def test_headers_are_limited_as_a_whole() -> None:
    with pytest.raises(ServiceError, match="at most 16384: send less"):
        from_headers([(f"x-{i}".encode(), b"v" * 1_000) for i in range(17)])


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1e3", "٣", "1234567890"])
def test_timeout_is_whole_milliseconds(text: str) -> None:
    with pytest.raises(ServiceError, match="whole milliseconds"):
        timeout_s(text)
    assert timeout_s("1500") == 1.5
    assert timeout_s(None) is None
