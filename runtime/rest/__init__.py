"""Every RPC as JSON over HTTP, derived from its contract: one more transport, and its server.

    POST /rpc/<package>.<Service>/<Method>

A side that is one message is `application/json`, in protobuf's JSON. A side that streams is
`application/x-ndjson`: requests are one message per line; each line of an answer is
`{"message": …}`, and the last one `{"end": {}}` or `{"error": …}`, so that a stream that was
cut can be told from one that ended. Errors are RFC 9457 with every detail of the status.

Importing this imports aiohttp: do so only where HTTP is spoken.
"""

from runtime.rest.client import RestTransport, open_session
from runtime.rest.pages import Pages, Probe
from runtime.rest.server import RestServer, serve_rest

__all__ = ["Pages", "Probe", "RestServer", "RestTransport", "open_session", "serve_rest"]
