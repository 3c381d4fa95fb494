"""What both sides of a REST call agree on: names, media types, sizes."""

import socket

from runtime.limits import MESSAGE_BYTES_MAX

PREFIX = "/rpc"
JSON, NDJSON, PROBLEM = "application/json", "application/x-ndjson", "application/problem+json"
TIMEOUT_MS, IDEMPOTENCY_KEY = "plimsoll-timeout-ms", "idempotency-key"

URL_BYTES_MAX = 8 * 1024
HEADERS_BYTES_MAX = 16 * 1024
DEPTH_MAX = 32
JSON_BYTES_MAX = 2 * MESSAGE_BYTES_MAX  # Base64, names and digits take more room than bytes.
ANSWER_S = 0.005  # Kept of the caller's time for the answer's way back.
ANSWER_MS = round(ANSWER_S * 1000)

# The kernel grows its buffers to megabytes if left alone: a slow reader would not be felt.
SOCKET_BYTES = 128 * 1024
CHUNK_BYTES = 64 * 1024


def with_small_buffers(sock: socket.socket) -> socket.socket:
    """Return `sock` with buffers that let a service run only a little ahead of its reader."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
    return sock
