"""The calling side of mutual TLS: what a caller shows, and whom it wants to reach."""

import ssl
from functools import cached_property

import grpc

from runtime.identity import Principal
from runtime.tls.folder import Credentials, Latest, TlsFolder
from runtime.tls.http import client_side
from runtime.tls.names import server_name


class ClientTls:
    """What one identity shows to servers. Raises CertificateError when files cannot be used.

    A channel keeps what it was opened with, also when it connects again: `TlsTransport` is what
    moves to new files.
    """

    def __init__(self, folder: TlsFolder, name: str) -> None:
        self._folder, self._name = folder, name
        self._environment = folder.environment
        self._latest = Latest(folder, (name,), lambda all_of: all_of[0])

    @property
    def latest(self) -> Credentials:
        """Return what the next connection shows: another object once the files have changed."""
        return self._latest.get()

    @property
    def principal(self) -> Principal:
        """Return who this is, by its certificate."""
        return self.latest.principal

    def server_name(self, service: str, instance_name: str = "") -> str:
        """Return the name to demand of a server: of any instance of `service`, or of one."""
        return server_name(self._environment, service, instance_name)

    def credentials(self) -> grpc.ChannelCredentials:
        """Return what a gRPC channel connects with."""
        return self.latest.for_channel()

    def http_context(self) -> ssl.SSLContext:
        """Return the context of the files as they are now; ask again for each connection.

        Give `server_name(...)` as the server's host name, which the context checks.
        """
        return self._contexts.get()

    @cached_property
    def _contexts(self) -> Latest[ssl.SSLContext]:
        """What HTTP needs, made when it is first asked for: it takes longer than all else."""
        return Latest(
            self._folder, (self._name,), lambda all_of: client_side(self._folder, all_of[0])
        )
