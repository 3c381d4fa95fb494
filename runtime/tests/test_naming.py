"""An instance's names follow from one another, and no two instances share one (N1 to N3)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.naming import Identity, check_distinct, identity_of

services = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
suffixes = st.from_regex(r"[A-Za-z0-9]{1,4}(-[A-Za-z0-9]{1,4}){0,2}", fullmatch=True)


def test_only_instance_has_the_names_of_its_service() -> None:
    assert identity_of("orders") == Identity("orders", "orders", "orders", "orders", "orders")
    assert identity_of("orders") == identity_of("orders", "orders")
    assert identity_of("orders").is_singleton


def test_named_instance_has_names_of_its_own() -> None:
    named = identity_of("trading-system-engine", "trading-system-engine-LH")
    assert named.schema == named.namespace == "trading_system_engine_lh"
    assert named.acl_user == "trading-system-engine-lh"
    assert named.subject("staging") == (
        "plimsoll://staging/trading-system-engine/trading-system-engine-LH"
    )
    assert not named.is_singleton


def test_service_of_several_words_declares_its_area() -> None:
    assert identity_of("trading-system-engine", area="trading").schema == "trading"
    with pytest.raises(ValueError, match="declare one"):
        identity_of("trading-system-engine")


@pytest.mark.parametrize(
    ("service", "instance"),
    [
        ("Orders", ""),
        ("orders_lh", ""),
        ("9orders", ""),
        ("orders-", ""),
        ("", ""),
        ("o" * 41, ""),
        ("orders", "orders-"),
        ("orders", "orders_LH"),
        ("orders", "ordersLH"),
        ("orders", "strategy-LH"),
        ("orders", "orders-LH\n"),
        ("orders", "orders-" + "x" * 57),
        ("plimsoll", ""),
        ("monitor", ""),
    ],
)
def test_name_that_is_none_is_refused(service: str, instance: str) -> None:
    with pytest.raises(ValueError, match=r"rename it|shorten it"):
        identity_of(service, instance)


@given(st.lists(st.tuples(services, st.none() | suffixes), min_size=2, max_size=8))
def test_different_instances_have_different_names(named: list[tuple[str, str | None]]) -> None:
    """But for case: `orders-LH` and `orders-lh` would be one name in DNS."""
    found: dict[str, tuple[str, str]] = {}
    for service, suffix in named:
        try:
            identity = identity_of(service, f"{service}-{suffix}" if suffix else "")
        except ValueError:
            continue  # A reserved word.
        key = (service, identity.instance_name.lower())
        for name in (identity.schema, f":{identity.namespace}", f"@{identity.acl_user}"):
            assert found.setdefault(name, key) == key
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", identity.schema)


def test_names_that_differ_in_case_alone_are_found() -> None:
    check_distinct([identity_of("orders"), identity_of("orders", "orders-LH")])
    with pytest.raises(ValueError, match="schema of orders-lh is 'orders_lh'"):
        check_distinct([identity_of("orders", "orders-LH"), identity_of("orders", "orders-lh")])


def test_service_that_extends_another_is_found() -> None:
    with pytest.raises(ValueError, match="two services"):
        check_distinct(
            [identity_of("orders", "orders-fast-1"), identity_of("orders-fast", "orders-fast-1")]
        )


def test_override_is_checked_and_takes_part() -> None:
    moved = identity_of("orders", "orders-LH").overridden(schema="old_orders", namespace="o2")
    assert (moved.schema, moved.namespace, moved.acl_user) == ("old_orders", "o2", "orders-lh")
    for wrong in ("Orders", "1o", "o-2", "o" * 64, "o:*"):
        with pytest.raises(ValueError, match="must be a letter"):
            identity_of("orders").overridden(schema=wrong)
    with pytest.raises(ValueError, match="not for instances"):
        identity_of("orders").overridden(namespace="plimsoll")
    with pytest.raises(ValueError, match="namespace of risk is 'orders'"):
        check_distinct([identity_of("orders"), identity_of("risk").overridden(namespace="orders")])
