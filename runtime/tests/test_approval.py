from google.protobuf.struct_pb2 import Struct

from runtime.approval import approval_token, is_approved
from runtime.digest import digest

KEY = b"k" * 32
TOKEN = approval_token(KEY, "d-1", b"\x01" * 32, 3, 1_000)


def test_any_changed_part_changes_the_token() -> None:
    others = [
        approval_token(b"x" * 32, "d-1", b"\x01" * 32, 3, 1_000),
        approval_token(KEY, "d-2", b"\x01" * 32, 3, 1_000),
        approval_token(KEY, "d-1", b"\x02" * 32, 3, 1_000),
        approval_token(KEY, "d-1", b"\x01" * 32, 4, 1_000),
        approval_token(KEY, "d-1", b"\x01" * 32, 3, 1_001),
    ]
    assert len({TOKEN, *others}) == 6
    assert not any(is_approved(TOKEN, other) for other in others)


def test_the_same_parts_make_the_same_token() -> None:
    again = approval_token(KEY, "d-1", b"\x01" * 32, 3, 1_000)
    assert is_approved(TOKEN, again)


def test_bytes_moved_between_parts_change_the_token() -> None:
    assert approval_token(KEY, "ab", b"c", 1, 1) != approval_token(KEY, "a", b"bc", 1, 1)


def test_a_message_digest_does_not_hang_on_the_order_of_its_map() -> None:
    forward, backward = Struct(), Struct()
    for name in ("a", "b", "c"):
        forward[name] = 1
    for name in ("c", "b", "a"):
        backward[name] = 1
    assert digest(forward) == digest(backward)
    backward["c"] = 2
    assert digest(forward) != digest(backward)
