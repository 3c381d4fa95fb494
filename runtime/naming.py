"""What an instance is called everywhere: in DNS, as SQL schema, in Redis, as ACL user."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

SERVICE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SUFFIX = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
AREA = re.compile(r"[a-z][a-z0-9]*")
OVERRIDE = re.compile(r"[a-z][a-z0-9_]{0,62}")
SERVICE_CHARACTERS_MAX, INSTANCE_CHARACTERS_MAX = 40, 63
RESERVED = ("plimsoll", "default", "monitor", "backup", "admin")  # Streams of all; other users.


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of one instance of a service. Make it with `identity_of`."""

    service: str  # "orders"
    instance_name: str  # "orders" for the only one, "orders-LH" for a named one.
    schema: str  # MySQL database or SQLite file: "orders", "orders_lh".
    namespace: str  # Of its keys in Redis.
    acl_user: str  # In Redis; also its DNS name.

    @property
    def is_singleton(self) -> bool:
        """Whether this is the service's only instance, not a named one."""
        return self.instance_name == self.service

    def subject(self, environment: str) -> str:
        """Return the name in its certificate."""
        return f"plimsoll://{environment}/{self.service}/{self.instance_name}"

    def overridden(self, *, schema: str = "", namespace: str = "") -> "Identity":
        """Return the identity with another schema or namespace than the derived one."""
        for kind, name in (("schema", schema), ("namespace", namespace)):
            if name and not OVERRIDE.fullmatch(name):
                raise ValueError(
                    f"{kind} is {name!r}, must be a letter and at most 62 of a-z 0-9 _: "
                    "choose another"
                )
        changed = replace(self, schema=schema or self.schema, namespace=namespace or self.namespace)
        _check_reserved(changed)
        return changed


def identity_of(service: str, instance_name: str = "", *, area: str = "") -> Identity:
    """Return all names of an instance; the only instance of a service needs no name of its own.

    Two instances get different names, but for the case of letters (`check_distinct` tells).
    A service with a hyphen in its name says in `area` what its own schema is called.
    Raises ValueError when a name is not one.
    """
    if len(service) > SERVICE_CHARACTERS_MAX or not SERVICE.fullmatch(service):
        raise ValueError(
            f"service is {service!r}, must be words of a-z 0-9 joined by '-', the first "
            f"beginning with a letter, at most {SERVICE_CHARACTERS_MAX} characters: rename it"
        )
    instance_name = instance_name or service
    _check_instance(service, instance_name)
    if instance_name == service:
        schema = area or service
        if not AREA.fullmatch(schema):
            raise ValueError(
                f"area of {service} is {schema!r}, must be a letter and then a-z 0-9 only: "
                "declare one"
            )
    else:
        schema = instance_name.lower().replace("-", "_")
    identity = Identity(service, instance_name, schema, schema, instance_name.lower())
    _check_reserved(identity)
    return identity


def check_distinct(identities: Iterable[Identity]) -> None:
    """Raise ValueError when two instances would share a schema, a namespace or a user."""
    taken: dict[tuple[str, str], str] = {}
    for identity in identities:
        name = identity.instance_name
        for kind in ("schema", "namespace", "acl_user"):
            value = getattr(identity, kind)
            if (other := taken.setdefault((kind, value), name)) != name:
                raise ValueError(
                    f"{kind} of {name} is {value!r}, must be its own, and {other} has it: "
                    "rename one of the two"
                )
        if taken.setdefault(("name", name), identity.service) != identity.service:
            raise ValueError(f"{name} is an instance of two services: rename one of the two")


def _check_instance(service: str, instance_name: str) -> None:
    suffix = instance_name.removeprefix(f"{service}-")
    is_derived = suffix != instance_name and SUFFIX.fullmatch(suffix)
    if instance_name != service and not is_derived:
        raise ValueError(
            f"instance is {instance_name!r}, must be {service!r} or {service!r} + '-' + words of "
            "letters and digits joined by '-': rename it"
        )
    if len(instance_name) > INSTANCE_CHARACTERS_MAX:
        raise ValueError(
            f"instance {instance_name!r} has {len(instance_name)} characters, must have at most "
            f"{INSTANCE_CHARACTERS_MAX}: shorten it"
        )


def _check_reserved(identity: Identity) -> None:
    for name in (identity.namespace, identity.acl_user):
        if name in RESERVED:
            raise ValueError(f"{name!r} is not for instances, the platform uses it: rename it")
