"""Who calls: a person with roles, a service, or a service on behalf of a person.

The name travels in clear and is believed: until calls carry tokens, whoever reaches a socket
can be anybody. So sockets listen on 127.0.0.1 only.
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs, urlencode

from runtime.rpc import Call

HEADER = "x-plimsoll-principal"


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
