"""The token that proves an order passed the risk checks: risk signs it, execution verifies it.

Source: specification of the pipeline, section 7 (K3).
"""

import hashlib
import hmac


def approval_token(
    key: bytes, decision_id: str, order_digest: bytes, limits_version: int, expires_at_ns: int
) -> bytes:
    """Return the HMAC-SHA256 over what was approved, 32 bytes.

    Every part is preceded by its length, so no two approvals share a signed text.
    `expires_at_ns` is UTC nanoseconds; a limits version is never negative.
    """
    parts = (
        decision_id.encode(),
        order_digest,
        limits_version.to_bytes(8, "big"),
        expires_at_ns.to_bytes(8, "big"),
    )
    signed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(key, signed, hashlib.sha256).digest()


def is_approved(expected: bytes, token: bytes) -> bool:
    """Return whether `token` is the expected one, without telling by time how much of it is."""
    return hmac.compare_digest(expected, token)
