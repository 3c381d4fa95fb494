"""The names in a certificate: whose it is, and what a caller must find in it.

A service instance is `plimsoll://<environment>/<service>/<instance>`, a person
`plimsoll://<environment>/person/<name>` with one `plimsoll://<environment>/role/<ROLE>` for
each role, all as URIs among the alternative names of the subject.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

from runtime.identity import Principal
from runtime.naming import Identity, identity_of

SCHEME = "plimsoll://"
PERSON, ROLE = "person", "role"  # Never names of services.
DOMAIN = "plimsoll.internal"
ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,30}")
ROLE_NAME = re.compile(r"[A-Z][A-Z_]{0,63}")


class CertificateError(Exception):
    """A certificate, or the files it comes from, cannot be used. Never holds a key."""


def check_environment(environment: str) -> None:
    """Raise CertificateError when `environment` cannot stand in a certificate."""
    if not ENVIRONMENT.fullmatch(environment):
        raise CertificateError(
            f"environment is {environment!r}, must be a letter and at most 30 of a-z 0-9 -: "
            "choose another"
        )


def person_subject(environment: str, name: str) -> str:
    """Return the URI of a person."""
    return f"{SCHEME}{environment}/{PERSON}/{quote(name, safe='')}"


def role_subject(environment: str, role: str) -> str:
    """Return the URI that gives a person a role."""
    return f"{SCHEME}{environment}/{ROLE}/{role}"


def instance_of(service: str, instance_name: str = "") -> Identity:
    """Return the identity of an instance as certificates tell it, whatever its schema is called.

    Raises ValueError when a name is not one.
    """
    return identity_of(service, instance_name, area=service.replace("-", ""))


def server_name(environment: str, service: str, instance_name: str = "") -> str:
    """Return the DNS name that a caller demands of the server it reaches.

    Without `instance_name` every instance of the service has it: "orders.demo.plimsoll.internal".
    """
    whole = f"{service}.{environment}.{DOMAIN}"
    return f"{instance_name.lower()}.{whole}" if instance_name else whole


def server_names(environment: str, identity: Identity) -> list[str]:
    """Return every DNS name that stands in the certificate of an instance."""
    service, instance = identity.service, identity.instance_name
    return [server_name(environment, service), server_name(environment, service, instance)]


def principal_of_uris(uris: Iterable[str], environment: str) -> Principal:
    """Return whom the URIs of a certificate name in `environment`.

    Raises CertificateError unless they are one service instance, or one person with roles.
    """
    ours = [uri for uri in uris if uri.startswith(SCHEME)]
    roles = frozenset(uri.rpartition("/")[2] for uri in ours if _parts(uri)[1] == ROLE)
    subjects = [uri for uri in ours if _parts(uri)[1] != ROLE]
    if len(subjects) != 1:
        raise CertificateError(
            f"the certificate names {subjects or 'nobody'}, must name one service instance or "
            f"person as {SCHEME}{environment}/...: issue another"
        )
    if strangers := [uri for uri in ours if _parts(uri)[0] != environment]:
        raise CertificateError(
            f"the certificate names {', '.join(strangers)}, must be of environment "
            f"{environment}: use one that was issued for it"
        )
    return _principal(subjects[0], roles)


def _principal(subject: str, roles: frozenset[str]) -> Principal:
    _, kind, name = _parts(subject)
    if kind == PERSON and unquote(name) and all(map(ROLE_NAME.fullmatch, roles)):
        return Principal(unquote(name), roles)
    if kind != PERSON and not roles:
        try:
            return Principal(instance_of(kind, name).instance_name, service=kind)
        except ValueError as error:
            raise CertificateError(f"the certificate names {subject}: {error}") from error
    raise CertificateError(
        f"the certificate names {subject} with roles {sorted(roles)}, must be a person with "
        "roles in capitals, or a service without: issue another"
    )


def _parts(uri: str) -> tuple[str, str, str]:
    """Return environment, service or kind, and name; "" for what a URI does not have."""
    parts = uri.removeprefix(SCHEME).split("/")
    if len(parts) != 3 or not all(parts):
        return "", "", ""
    return parts[0], parts[1], parts[2]
