"""What the platform reads from a certificate: whose it is, its number, and how long it is good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from cryptography import x509

from runtime.identity import Principal
from runtime.tls.names import CertificateError, principal_of_uris


@dataclass(frozen=True)
class Certified:
    """What a certificate says, whoever signed it."""

    principal: Principal
    serial: int
    not_after: datetime

    def is_expired(self, now_s: float) -> bool:
        """Return whether it is too old at `now_s`, in seconds since the epoch."""
        return now_s > self._not_after_s

    @cached_property
    def _not_after_s(self) -> float:
        return self.not_after.timestamp()


def identity_of_certificate(certificate: bytes | Mapping[str, Any], environment: str) -> Principal:
    """Return whom a verified certificate names: a service instance, or a person with roles.

    `certificate` is DER or what `ssl.SSLSocket.getpeercert()` returns. Raises CertificateError
    when it names nobody, or somebody of another environment.
    """
    return certified_peer(certificate, environment).principal


def certified_peer(certificate: bytes | Mapping[str, Any], environment: str) -> Certified:
    """Return what a peer's certificate says, be it DER, PEM or a `getpeercert()`."""
    if isinstance(certificate, bytes):
        return _read(certificate, environment)
    if not certificate:
        raise CertificateError("the peer showed no certificate, must show one: connect with it")
    uris = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "URI"]
    not_after = datetime.strptime(certificate["notAfter"], "%b %d %H:%M:%S %Y GMT")
    return Certified(
        principal_of_uris(uris, environment),
        int(certificate["serialNumber"], 16),
        not_after.replace(tzinfo=UTC),
    )


def certified(certificate: x509.Certificate, environment: str) -> Certified:
    """Return what a certificate says. Raises CertificateError when it names nobody."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        uris: list[str] = []
    else:
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return Certified(
        principal_of_uris(uris, environment),
        certificate.serial_number,
        certificate.not_valid_after_utc,
    )


@lru_cache(maxsize=1024)  # A connection shows the same one with every call.
def _read(data: bytes, environment: str) -> Certified:
    load = x509.load_pem_x509_certificate if data[:1] == b"-" else x509.load_der_x509_certificate
    try:
        return certified(load(data), environment)
    except ValueError as error:
        raise CertificateError(f"the peer's certificate cannot be read: {error}") from None
