"""Mutual TLS with an identity for each service: files, credentials, peers.

    server.listen(address, ServerTls(TlsFolder(path, "demo"), "orders"))
    tls = ClientTls(TlsFolder(path, "demo"), "risk")
    transport = TlsTransport(address, tls, tls.server_name("orders"))

Both sides show a certificate of a trusted authority. Over HTTP, `ServerTls.http_context()`,
`ClientTls.http_context()` and `identity_of_certificate` keep the same rules.
"""

from runtime.tls.certificate import identity_of_certificate
from runtime.tls.client import ClientTls
from runtime.tls.folder import TlsFolder
from runtime.tls.names import CertificateError, server_name
from runtime.tls.server import ServerTls
from runtime.tls.transport import TlsTransport

__all__ = [
    "CertificateError",
    "ClientTls",
    "ServerTls",
    "TlsFolder",
    "TlsTransport",
    "identity_of_certificate",
    "server_name",
]
