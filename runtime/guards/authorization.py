"""Lets a call through only for the roles and callers that its contract names (O5)."""

from collections.abc import AsyncIterator, Iterable
from functools import lru_cache

from google.protobuf.message import Message
from grpc import StatusCode

from runtime.errors import refusal
from runtime.identity import HEADER, PEER, Principal, peer_of, principal_of, to_header
from runtime.rpc import Call, Method, Policy, Port, Transport, methods
from runtime.single import Messages

ANY_SERVICE = "*"


class Authorization:
    """Fails closed: who is not named may not call."""

    def __init__(self, inner: Transport, ports: Iterable[Port]) -> None:
        self._inner = inner
        for method in (m for port in ports for m in methods(type(port))):
            if not (method.policy.roles or method.policy.callers):
                raise ValueError(
                    f"{method.path} states neither roles nor callers, must state one: add them "
                    "to its options in the contract and generate the ports again"
                )

    def call(self, method: Method, requests: AsyncIterator[Message], call: Call) -> Messages:
        """Pass the call on, or raise UNAUTHENTICATED or PERMISSION_DENIED."""
        if PEER in call.metadata:
            call = _verified(method, call)
        principal = principal_of(call)
        if principal is None:
            raise refusal(
                StatusCode.UNAUTHENTICATED,
                "NO_PRINCIPAL",
                f"{method.path} does not know who calls: connect through client_for",
                service=method.service,
            )
        if not is_permitted(principal, method.policy):
            raise refusal(
                StatusCode.PERMISSION_DENIED,
                "NOT_PERMITTED",
                f"{_described(principal)} may not call {method.path}: "
                f"it is for {_allowed(method.policy)}",
                service=method.service,
            )
        return self._inner.call(method, requests, call)


def _verified(method: Method, call: Call) -> Call:
    """Return `call` naming who makes it as the certificate allows, and the peer no more.

    What a service then passes on to another is its own call, not that of its peer.
    """
    metadata, peer = dict(call.metadata), peer_of(call)
    del metadata[PEER]
    if HEADER not in metadata and peer is not None:
        metadata[HEADER] = to_header(peer)
    call = call.with_metadata(metadata)
    principal = principal_of(call)
    if principal is not None and (peer is None or not may_claim(peer, principal)):
        raise refusal(
            StatusCode.PERMISSION_DENIED,
            "IDENTITY_MISMATCH",
            f"the call to {method.path} is from {_described(principal)}, must be from whom the "
            f"certificate names, {_described(peer) if peer else 'nobody'}: use your own",
            service=method.service,
        )
    return call


def may_claim(peer: Principal, principal: Principal) -> bool:
    """Return whether whom a certificate names may call as `principal`.

    A service may name any person it acts for, a person only himself and roles that he has.
    """
    if principal.service != peer.service:
        return False
    if peer.service:
        return True
    return principal.name == peer.name and principal.roles <= _effective(peer.roles)


def is_permitted(principal: Principal, policy: Policy) -> bool:
    """Return whether a role or the calling service of `principal` is named by `policy`."""
    callers = policy.callers
    if principal.service and (principal.service in callers or ANY_SERVICE in callers):
        return True
    return not policy.roles.isdisjoint(_effective(principal.roles))


@lru_cache(maxsize=256)
def _effective(roles: frozenset[str]) -> frozenset[str]:
    """Return `roles` with what they include: each is a viewer, an admin also operates."""
    implied = {"VIEWER"} if roles else set()
    if "ADMIN" in roles:
        implied.add("OPERATOR")
    return roles | implied


def _described(principal: Principal) -> str:
    through = f" through {principal.service}" if principal.service else ""
    return f"{principal.name}{through} (roles: {', '.join(sorted(principal.roles)) or 'none'})"


def _allowed(policy: Policy) -> str:
    roles, callers = sorted(policy.roles), sorted(policy.callers)
    return " and ".join(
        f"{kind} {', '.join(names)}"
        for kind, names in (("roles", roles), ("services", callers))
        if names
    )
