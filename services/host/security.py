"""What a device shows to callers and to peers: a certificate for each service that it has."""

from collections.abc import Mapping
from pathlib import Path

from runtime.naming import Identity
from runtime.targets import Connection
from runtime.tls import ClientTls, ServerTls, TlsFolder, TlsTransport


class Secured:
    """The certificates of a device's services: those of their instances' names in one folder.

    Raises CertificateError that says which file is wrong and how to mend it.
    """

    def __init__(self, path: Path, environment: str, hosted: Mapping[str, Identity]) -> None:
        folder = TlsFolder(path, environment)
        names = {service: identity.instance_name for service, identity in hosted.items()}
        self.server = ServerTls(folder, *names.values())
        self.callers = {service: ClientTls(folder, name) for service, name in names.items()}

    def connection(self, caller: str, callee: str, address: str) -> Connection:
        """Open what carries the calls of `caller`, to whoever proves to be `callee`."""
        tls = self.callers[caller]
        return TlsTransport(address, tls, tls.server_name(callee))
