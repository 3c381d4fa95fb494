"""The fingerprint of a message: what two services compare to know they mean the same."""

import hashlib

from google.protobuf.message import Message


def digest(message: Message) -> bytes:
    """Return the SHA-256 of the deterministic serialization of `message`, 32 bytes.

    Equal messages of one build of the contracts have equal digests; fields the reader
    does not know are part of it.
    """
    return hashlib.sha256(message.SerializeToString(deterministic=True)).digest()
