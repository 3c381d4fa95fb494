"""Reads the lists that options have: services, instances, peers."""

from collections.abc import Collection, Mapping

from runtime.naming import Identity, identity_of
from runtime.stores.deployment import Manifest
from services.host.settings.places import places_of, written

NONE = "none"  # Of all services.


def chosen_of(text: str, manifests: Mapping[str, Manifest]) -> list[str]:
    """Return the services of a list like `orders,risk` in start order; all of an empty one."""
    if text == NONE:
        return []
    chosen = [name for name in text.split(",") if name] or list(manifests)
    for name in chosen:
        _check_known(name, manifests)
    return [service for service in manifests if service in chosen]


def standbys_of(
    text: str, chosen: Collection[str], manifests: Mapping[str, Manifest]
) -> tuple[str, ...]:
    """Return the services of a list that may be started here later; none of an empty one."""
    found = chosen_of(text, manifests) if text else []
    if both := [name for name in found if name in chosen]:
        raise ValueError(
            f"{', '.join(both)} is among the services and the standbys, must be among one of them: "
            "a service stands by where it does not run"
        )
    return tuple(found)


def peers_of(text: str, known: Collection[str]) -> dict[str, str]:
    """Return the places of a list like `orders=10.0.0.1:50050/8050`, by service.

    Of a service that stands there twice the last one counts.
    """
    found = {}
    for pair in filter(None, text.split(",")):
        service, is_pair, places = pair.partition("=")
        if not is_pair:
            raise ValueError(f"peer {pair!r} must be like orders=10.0.0.1:50050: correct it")
        _check_known(service, known)
        try:
            found[service] = written(places_of(places))
        except ValueError as error:
            raise ValueError(f"peer {pair!r}: {error}") from None
    return found


def _check_known(service: str, known: Collection[str]) -> None:
    if service not in known:
        raise ValueError(
            f"there is no service {service!r}, must be one of {', '.join(known)}: correct it"
        )


def identities_of(text: str, manifests: Mapping[str, Manifest]) -> list[Identity]:
    """Return the instances of a list like `orders-LH,strategy-LH`."""
    found = []
    for name in filter(None, text.split(",")):
        owners = [s for s in manifests if name == s or name.startswith(f"{s}-")]
        if not owners:
            raise ValueError(
                f"instance {name!r} is of no service, must begin with one of "
                f"{', '.join(manifests)}: correct it"
            )
        found.append(identity_of(max(owners, key=len), name))
    return found
