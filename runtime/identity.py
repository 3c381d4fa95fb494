"""Who calls: a person with roles, a service, or a service on behalf of a person.

Callers name themselves in a header. Behind mutual TLS the server adds whom the certificate
names, and the authorization guard believes the header no further than that. In clear text the
header alone is believed, so plain sockets listen on 127.0.0.1 only. In one process, and in the
simulated world, the link itself names the caller.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlencode

from runtime.rpc import Call

HEADER = "x-plimsoll-principal"
PEER = "x-plimsoll-peer"  # Set by the server's own door, which drops it from what arrives.


@dataclass(frozen=True)
class Principal:
    """Who is calling. `service` is "" for a person, else the calling service's identity."""

    name: str
    roles: frozenset[str] = frozenset()
    service: str = ""


def principal_of(call: Call) -> Principal | None:
    """Return who makes `call`, or None when it does not say so in a form we know."""
    text = call.metadata.get(HEADER)
    return parse_header(text) if text else None


def as_principal(call: Call, principal: Principal) -> Call:
    """Return `call`, made by `principal`."""
    return call.with_metadata({**call.metadata, HEADER: to_header(principal)})


def peer_of(call: Call) -> Principal | None:
    """Return whom a verified certificate names as the caller; None without such a one."""
    text = call.metadata.get(PEER)
    return parse_header(text) if text else None


def received(metadata: Iterable[tuple[str, Any]], peer: Principal | None = None) -> dict[str, str]:
    """Return the metadata that a server lets in: the text, and the `peer` that it has verified.

    What claims to be a peer in what arrives is left out.
    """
    known = {
        key: value
        for key, value in metadata
        if isinstance(value, str) and key not in ("user-agent", PEER)
    }
    if peer is not None:
        known[PEER] = to_header(peer)
    return known


@lru_cache(maxsize=4096)
def to_header(principal: Principal) -> str:
    """Return the metadata value that names `principal`: printable ASCII, in one order."""
    roles = ",".join(sorted(principal.roles))
    return urlencode({"name": principal.name, "roles": roles, "service": principal.service})


@lru_cache(maxsize=4096)
def parse_header(text: str) -> Principal | None:
    """Return the principal that a metadata value names; None if it is not one."""
    try:
        fields = parse_qs(text, keep_blank_values=True, strict_parsing=True)
        (name,), (roles,), (service,) = fields["name"], fields["roles"], fields["service"]
    except (KeyError, ValueError):
        return None  # An identity we cannot read is no identity.
    if not name:
        return None
    return Principal(name, frozenset(filter(None, roles.split(","))), service)
