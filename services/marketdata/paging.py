"""Pages of named things, and of candles; a token belongs to the query it was given for."""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from runtime.digest import digest
from services.marketdata.refusals import MarketDataRefused, Refusal

T = TypeVar("T")
PAGE_SIZE_DEFAULT = 100
DIGEST_LENGTH = 16


def size_of(page_size: int) -> int:
    """Return how many items a page has; 0 asks for the default."""
    return page_size or PAGE_SIZE_DEFAULT


def token_of(query: Message, place: str) -> str:
    """Return the token with which `query` goes on at `place`."""
    return f"{_fingerprint(query, place)}.{place}"


def place_of(query: Message, token: str) -> str:
    """Return where the page of `token` begins; "" on the first page.

    Raises MarketDataRefused when the token was given for another query.
    """
    if not token:
        return ""
    fingerprint, _, place = token.partition(".")
    if fingerprint != _fingerprint(query, place):
        raise MarketDataRefused(
            Refusal.PAGE_TOKEN_FOREIGN,
            f"page_token {token!r} was given for another query: repeat that query with it,"
            " or leave it out",
        )
    return place


def page_of(
    items: Sequence[T], name: Callable[[T], str], query: Message, request: tuple[int, str]
) -> tuple[Sequence[T], str]:
    """Return the page of `items` (ordered by name) that (page_size, token) asks for, and the
    token of the next one, which is empty on the last page."""
    page_size, token = request
    place = place_of(query, token)
    rest = [item for item in items if name(item) > place]
    page = rest[: size_of(page_size)]
    is_last = len(page) == len(rest)
    return page, "" if is_last else token_of(query, name(page[-1]))


def _fingerprint(query: Message, place: str) -> str:
    """Return what names a place in a query: all of its request but the page's size and token."""
    bare = type(query).FromString(query.SerializeToString())
    bare.ClearField("page_size")
    bare.ClearField("page_token")
    return hashlib.sha256(digest(bare) + place.encode()).hexdigest()[:DIGEST_LENGTH]
