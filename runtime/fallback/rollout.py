"""Which share of a service's calls goes by REST: a flag that may be turned while calls run."""

import hashlib
import random
from collections.abc import AsyncIterator, Collection, Mapping
from enum import Enum

from google.protobuf.message import Message

from runtime.identity import HEADER
from runtime.request_key import key_of
from runtime.rpc import Call, Method
from runtime.single import Only
from runtime.trace import REQUEST_ID

WHOLE = 100  # Shares are in percent.


class Way(Enum):
    """How a call may travel."""

    GRPC = "grpc"
    REST = "rest"

    @property
    def other(self) -> "Way":
        """The other one."""
        return Way.GRPC if self is Way.REST else Way.REST


class Rollout:
    """Says for each call by which way it goes.

    A call is on one side of the line by what it is, so the same one goes the same way again,
    and a larger share only adds calls to it: by its contract's key, else by its request id.
    Sticky, by its caller instead, who then sees one way only. With an `rng`, by chance.
    """

    def __init__(
        self,
        shares: Mapping[str, int] | None = None,
        *,
        percent_rest: int = 0,
        is_sticky: bool = False,
        rng: random.Random | None = None,
    ) -> None:
        """Send `shares` of services, `percent_rest` of all others, by REST."""
        self._percent_rest = _checked("every other service", percent_rest)
        self._shares = {name: _checked(name, share) for name, share in (shares or {}).items()}
        self._is_sticky = is_sticky
        self._rng = rng
        self._nameless = 0

    @property
    def shares(self) -> Mapping[str, int]:
        """The percentages of the services that have one of their own."""
        return dict(self._shares)

    def set(self, service: str, percent: int) -> None:
        """Send `percent` of the calls to `service` by REST, from the next one on."""
        self._shares[service] = _checked(service, percent)

    def percent(self, service: str) -> int:
        """Return how much of a service's calls goes by REST."""
        return self._shares.get(service, self._percent_rest)

    def way(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Way:
        """Return the way that a call is to take."""
        percent = self.percent(method.service)
        if percent in (0, WHOLE):
            return Way.REST if percent else Way.GRPC
        if self._rng is not None and not self._is_sticky:
            place = self._rng.random() * WHOLE
        else:
            place = _place(method.service, self._mark(method, requests, call))
        return Way.REST if place < percent else Way.GRPC

    def _mark(self, method: Method, requests: AsyncIterator[Message], call: Call) -> str:
        """Return what decides about a call."""
        if self._is_sticky:
            return call.metadata.get(HEADER, "")
        key = key_of(method, requests.message) if isinstance(requests, Only) else ""
        if key:
            return key
        if REQUEST_ID in call.metadata:
            return f"{method.path} {call.metadata[REQUEST_ID]}"
        self._nameless += 1
        return f"{method.path} {self._nameless}"


def parsed_shares(text: str, known: Collection[str] = ()) -> dict[str, int]:
    """Return the percentages that a setting like "orders=25,risk=100" gives to services.

    An empty text gives none. Raises ValueError for what is none, stands twice, or, if `known`
    services are given, is none of them.
    """
    shares: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, share = (piece.strip() for piece in part.partition("="))
        if not (name and equals and share.isascii() and share.isdigit()):
            raise ValueError(
                f"{part!r} in {text!r} is no share, must be like orders=25: correct it"
            )
        if name in shares:
            raise ValueError(f"{name} stands twice in {text!r}, must stand once: leave one out")
        if known and name not in known:
            raise ValueError(
                f"{name} in {text!r} is no service, must be one of {', '.join(sorted(known))}"
            )
        shares[name] = _checked(name, int(share))
    return shares


def _checked(name: str, percent: int) -> int:
    if not 0 <= percent <= WHOLE:
        raise ValueError(f"the share of {name} is {percent} %, must be 0..100: correct it")
    return percent


def _place(service: str, mark: str) -> float:
    """Return where on the line from 0 to 100 a call stands: the same in every process."""
    digest = hashlib.blake2b(f"{service} {mark}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 * WHOLE
