"""The files of one environment: `ca.pem`, and for each identity `<name>.pem` and `<name>.key`.

They may be replaced at any time, each as a whole (written beside, then renamed): what was read
last stays in use until certificate and key fit each other again.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from runtime.identity import Principal
from runtime.tls.certificate import Certified, certified
from runtime.tls.names import CertificateError, check_environment

AUTHORITIES = "ca.pem"  # Those whose certificates are trusted; two while one replaces the other.
OTHERS_BITS = 0o007  # Rights of those who are neither the owner nor of his group.

T = TypeVar("T")
Mark = tuple[tuple[int, int, int], ...]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Credentials:
    """What one identity shows and whom it trusts. PEM, as gRPC and files want it."""

    name: str
    certified: Certified  # By the first certificate of the chain.
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)
    authorities: bytes = field(repr=False)

    @property
    def serial(self) -> int:
        """Return the serial number of the certificate, which tells it from the one before."""
        return self.certified.serial

    @property
    def principal(self) -> Principal:
        """Return whom the certificate names."""
        return self.certified.principal

    def for_channel(self) -> grpc.ChannelCredentials:
        """Return what a gRPC channel connects with."""
        return grpc.ssl_channel_credentials(self.authorities, self.key, self.chain)


class TlsFolder:
    """Reads the files of one environment."""

    def __init__(self, path: Path, environment: str) -> None:
        check_environment(environment)
        self.path = path
        self.environment = environment

    def chain_path(self, name: str) -> Path:
        """Return where the certificate of `name` is, its own first."""
        return self.path / f"{name}.pem"

    def key_path(self, name: str) -> Path:
        """Return where the private key of `name` is."""
        return self.path / f"{name}.key"

    @property
    def authorities_path(self) -> Path:
        """Return where the certificates of the trusted authorities are."""
        return self.path / AUTHORITIES

    def read(self, name: str) -> Credentials:
        """Return the credentials of `name`. Raises CertificateError that says what to mend."""
        chain, key = self._bytes(self.chain_path(name)), self._bytes(self.key_path(name))
        authorities = self._bytes(self.authorities_path)
        self._check_rights(self.key_path(name))
        found = certified(_first(chain, self.chain_path(name)), self.environment)
        _first(authorities, self.authorities_path)
        if found.is_expired(time.time()):
            raise CertificateError(
                f"{self.chain_path(name)} expired at {found.not_after}, must be valid: "
                "put a new certificate and its key in its place"
            )
        self._check_fit(name, chain, key)
        return Credentials(name, found, chain, key, authorities)

    def mark(self, names: Sequence[str]) -> Mark:
        """Return what changes when a file of `names` is replaced. Raises CertificateError."""
        paths = [self.authorities_path]
        paths += [path for name in names for path in (self.chain_path(name), self.key_path(name))]
        try:
            found = [path.stat() for path in paths]
        except OSError as error:
            raise _unreadable(Path(str(error.filename)), error) from None
        return tuple((one.st_mtime_ns, one.st_ino, one.st_size) for one in found)

    def _bytes(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from None

    def _check_rights(self, path: Path) -> None:
        mode = path.stat().st_mode & 0o777
        if mode & OTHERS_BITS:
            raise CertificateError(
                f"{path} has mode {mode:04o}, must be closed to others: chmod 600 it"
            )

    def _check_fit(self, name: str, chain: bytes, key: bytes) -> None:
        path = self.key_path(name)
        try:
            private = load_pem_private_key(key, password=None)
        except Exception:  # noqa: BLE001 - Not `from error`: nobody knows what it quotes.
            raise CertificateError(
                f"{path} must be a private key as PEM without a password: write it anew"
            ) from None
        if _public(private.public_key()) != _public(_first(chain, path).public_key()):
            raise CertificateError(
                f"{path} is the key of another certificate, must be that of "
                f"{self.chain_path(name)}: put both in place"
            )


class Latest(Generic[T]):
    """What is made of the credentials of some names, made anew once their files have changed.

    While new files are not whole or not valid, what was made last is returned, and the reason
    is logged once. Safe to use from any thread.
    """

    def __init__(
        self, folder: TlsFolder, names: Sequence[str], make: Callable[[Sequence[Credentials]], T]
    ) -> None:
        self._folder, self._names, self._make = folder, names, make
        self._lock = Lock()
        self._complaint = ""
        self._mark, self._value = self._made()

    def get(self) -> T:
        """Return what was made of the files as they are now, or as they last were whole."""
        with self._lock:
            try:
                if self._folder.mark(self._names) != self._mark:
                    self._mark, self._value = self._made()
                    self._complaint = ""
            except CertificateError as error:
                self._complain(str(error))
            return self._value

    def _made(self) -> tuple[Mark, T]:
        mark = self._folder.mark(self._names)  # First: a change while reading is seen next time.
        return mark, self._make([self._folder.read(name) for name in self._names])

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            log.warning("certificates stay as they were: %s", text)


def _first(pem: bytes, path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(pem)[0]
    except ValueError:
        raise CertificateError(f"{path} must hold certificates as PEM: write it anew") from None


def _public(key: object) -> bytes:
    shown: bytes = key.public_bytes(  # type: ignore[attr-defined]
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return shown


def _unreadable(path: Path, error: OSError) -> CertificateError:
    return CertificateError(
        f"{path} cannot be read ({error.strerror}), must be there: issue it, or correct the folder"
    )
