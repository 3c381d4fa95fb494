"""The serving side of mutual TLS: what a server shows, and who its peers are."""

import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import grpc
from grpc import StatusCode

from runtime.errors import ServiceError, refusal
from runtime.identity import Principal
from runtime.tls.certificate import certified_peer
from runtime.tls.folder import Credentials, Latest, TlsFolder
from runtime.tls.http import chosen, server_side
from runtime.tls.names import CertificateError, instance_of, server_names

PEER_CERTIFICATE = "x509_pem_cert"  # How gRPC calls the certificate that it has verified.


class ServerTls:
    """What a server shows and demands: `Server.listen(address, ServerTls(folder, "orders"))`.

    A server of several services is given the names of all: who connects to a service is shown
    the certificate of that one, and of the first when it does not say whom it wants. New files
    are used from the next connection on; open connections go on with what they began with.
    Raises CertificateError when the files cannot be used.
    """

    def __init__(self, folder: TlsFolder, *names: str) -> None:
        if not names:
            raise CertificateError("a server shows no certificate, must show one: name whose")
        self._folder, self._names = folder, names
        self._environment = folder.environment
        self._latest = Latest(folder, names, list)
        # Told the code and reason of each call that is turned away here. Whose handshake fails
        # makes no call: gRPC tells nobody of it.
        self.on_refusal: Callable[[str, str], object] = lambda _code, _reason: None

    def credentials(self) -> grpc.ServerCredentials:
        """Return what gRPC listens with; every client must show a certificate."""
        shown = self._latest.get()

        def fetch() -> Any:  # Asked before each handshake, from gRPC's own threads.
            nonlocal shown
            before, shown = shown, self._latest.get()
            return None if shown is before else _configuration(shown)

        return grpc.dynamic_ssl_server_credentials(
            _configuration(shown), fetch, require_client_authentication=True
        )

    def http_context(self) -> ssl.SSLContext:
        """Return the context that an HTTP server listens with; it follows the files as well."""
        context = self._contexts.get()[0][1]

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            connection.context = chosen(self._contexts.get(), name)

        context.sni_callback = choose
        return context

    def peer(self, authentication: Mapping[str, Iterable[bytes]]) -> Principal:
        """Return who is at the other end, by gRPC's `auth_context()`. Raises UNAUTHENTICATED."""
        return self.peer_of(next(iter(authentication.get(PEER_CERTIFICATE, ())), None))

    def peer_of(self, certificate: bytes | Mapping[str, Any] | None) -> Principal:
        """Return who shows `certificate`: DER, PEM or a `getpeercert()`, verified already.

        Raises UNAUTHENTICATED when it names nobody of this environment, or has expired since
        the connection was opened.
        """
        try:
            return self._known(certificate)
        except ServiceError as error:
            self.on_refusal(error.code.name, error.reason)
            raise

    def _known(self, certificate: bytes | Mapping[str, Any] | None) -> Principal:
        try:
            found = certified_peer(certificate or {}, self._environment)
        except CertificateError as error:
            raise _unknown(str(error)) from None
        if found.is_expired(time.time()):
            raise _unknown(f"the certificate expired at {found.not_after}: connect with a new one")
        return found.principal

    @cached_property
    def _contexts(self) -> Latest[list[tuple[Sequence[str], ssl.SSLContext]]]:
        """What HTTP needs, made when it is first asked for: it takes longer than all else."""
        return Latest(self._folder, self._names, lambda all_of: _contexts(self._folder, all_of))


def _unknown(text: str) -> ServiceError:
    return refusal(StatusCode.UNAUTHENTICATED, "NO_IDENTITY", text, service="runtime")


def _configuration(all_of: Sequence[Credentials]) -> grpc.ServerCertificateConfiguration:
    pairs = [(one.key, one.chain) for one in all_of]
    return grpc.ssl_server_certificate_configuration(pairs, all_of[0].authorities)


def _contexts(
    folder: TlsFolder, all_of: Sequence[Credentials]
) -> list[tuple[Sequence[str], ssl.SSLContext]]:
    return [(_names(folder.environment, one), server_side(folder, one)) for one in all_of]


def _names(environment: str, credentials: Credentials) -> list[str]:
    who = credentials.principal
    return server_names(environment, instance_of(who.service, who.name)) if who.service else []
