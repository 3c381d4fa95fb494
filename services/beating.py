"""Whether the device of this container lives: `python -m services.beating`, exit status 0 or 1.

Asks /healthz of the port that PLIMSOLL_HTTP names, or the table of ports for a device; over TLS
where PLIMSOLL_TLS has certificates. Who answers need not prove anything: it is this machine.
"""

import http.client
import os
import ssl
import sys
from pathlib import Path

ANSWERS_WITHIN_S = 5
PORT = "8050"


def main() -> int:
    """Return 0 when the device answers that it lives."""
    port = int(os.environ.get("PLIMSOLL_HTTP", PORT).rpartition(":")[2])
    door: http.client.HTTPConnection
    if tls := os.environ.get("PLIMSOLL_TLS"):
        door = http.client.HTTPSConnection("127.0.0.1", port, context=_shown(Path(tls)))
    else:
        door = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN_S)
    try:
        door.timeout = ANSWERS_WITHIN_S
        door.request("GET", "/healthz")
        return int(door.getresponse().status != http.client.OK)
    except OSError as error:
        sys.stderr.write(f"no answer from port {port}: {error}\n")
        return 1
    finally:
        door.close()


def _shown(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    key = next(folder.glob("*.key"))
    context.load_cert_chain(key.with_suffix(".pem"), key)
    return context


if __name__ == "__main__":
    sys.exit(main())
