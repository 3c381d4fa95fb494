"""Which addresses somebody elsewhere can reach (D4). Plain values only."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from services.discovery.terms import DEVELOPMENT

_LOOKS_NUMERIC = re.compile(r"^[0-9.]+$|^0x|:")


def why_unroutable(host: str, environment: str) -> str:
    """Return what is wrong with an advertised host, "" when nothing is."""
    if host == "*":
        return "is a wildcard, must be one address that others can reach"
    address = _address(host)
    if address is None:
        if _LOOKS_NUMERIC.search(host):
            return "is no address, must be a name or an address that others can reach"
        name = host.rstrip(".").lower()
        is_loopback = name == "localhost" or name.endswith(".localhost")
    elif address.is_unspecified or address.is_multicast:
        return "stands for many, must be one address that others can reach"
    else:
        is_loopback = address.is_loopback
    if is_loopback and environment.partition("-")[0] not in DEVELOPMENT:
        return (
            f"is this machine's own, must be reachable from elsewhere in {environment}; "
            f"loopback is for {', '.join(DEVELOPMENT)}"
        )
    return ""


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
