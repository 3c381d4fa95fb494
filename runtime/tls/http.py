"""The same identities over HTTP: contexts for `ssl`, both sides showing their certificates."""

import ssl
from collections.abc import Sequence

from runtime.tls.folder import Credentials, TlsFolder
from runtime.tls.names import CertificateError

LEAST = ssl.TLSVersion.TLSv1_2


def server_side(folder: TlsFolder, credentials: Credentials) -> ssl.SSLContext:
    """Return the context of a server that answers only who shows a trusted certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0  # Every connection shows its certificate anew.
    context.options |= ssl.OP_NO_TICKET
    return _completed(context, folder, credentials)


def client_side(folder: TlsFolder, credentials: Credentials) -> ssl.SSLContext:
    """Return the context of a client; whom it reaches is checked by the server's name."""
    return _completed(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), folder, credentials)


def chosen(
    contexts: Sequence[tuple[Sequence[str], ssl.SSLContext]], name: str | None
) -> ssl.SSLContext:
    """Return the context that shows the name a client asks for; the first when none does."""
    fitting = [context for names, context in contexts if name in names]
    return fitting[0] if fitting else contexts[0][1]


def _completed(
    context: ssl.SSLContext, folder: TlsFolder, credentials: Credentials
) -> ssl.SSLContext:
    context.minimum_version = LEAST
    context.verify_mode = ssl.CERT_REQUIRED
    name = credentials.name
    try:
        context.load_verify_locations(cadata=credentials.authorities.decode("ascii"))
        context.load_cert_chain(folder.chain_path(name), folder.key_path(name), password="")
    except (ssl.SSLError, OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise CertificateError(
            f"the files of {name} in {folder.path} cannot be used ({reason}): write them anew"
        ) from None
    return context
