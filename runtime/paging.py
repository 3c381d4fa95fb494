"""Page tokens: where a page begins, bound to the query they were given for."""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from runtime.digest import digest

T = TypeVar("T")
PAGE_SIZE_DEFAULT = 100
FINGERPRINT_LENGTH = 16


class ForeignToken(ValueError):
    """A page token was given for another query."""


def token_of(query: Message, place: str) -> str:
    """Return the token with which `query` goes on behind `place`."""
    return f"{_fingerprint(query, place)}.{place}"


def place_of(query: Message, token: str) -> str:
    """Return behind what the page of `token` begins; "" on the first page.

    Raises ForeignToken when the token was given for another query.
    """
    if not token:
        return ""
    fingerprint, _, place = token.partition(".")
    if fingerprint != _fingerprint(query, place):
        raise ForeignToken(
            f"page_token {token!r} was given for another query: repeat that query with it, "
            "or leave it out"
        )
    return place


def size_of(page_size: int) -> int:
    """Return how many items a page has; 0 asks for the default."""
    return page_size or PAGE_SIZE_DEFAULT


def page_of(
    items: Sequence[T], name: Callable[[T], str], query: Message, request: tuple[int, str]
) -> tuple[Sequence[T], str]:
    """Return the page of `items` (ordered by name) that (page_size, token) asks for, and the
    token of the next one, which is empty on the last page.

    Raises ForeignToken when the token was given for another query.
    """
    page_size, token = request
    place = place_of(query, token)
    rest = [item for item in items if name(item) > place]
    page = rest[: size_of(page_size)]
    is_last = len(page) == len(rest)
    return page, "" if is_last else token_of(query, name(page[-1]))


def _fingerprint(query: Message, place: str) -> str:
    """Name a place in a query: all of its request but the page's size and token."""
    bare = type(query).FromString(query.SerializeToString())
    bare.ClearField("page_size")
    bare.ClearField("page_token")
    return hashlib.sha256(digest(bare) + place.encode()).hexdigest()[:FINGERPRINT_LENGTH]
