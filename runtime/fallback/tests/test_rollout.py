"""Shares of calls are exact enough, the same every time, and can be turned at any moment."""

import random

import pytest
from trading.echo.v1.echo_port import EchoService

from runtime.fallback import Rollout, Way, parsed_shares
from runtime.identity import Principal, as_principal
from runtime.rpc import Call, methods, only
from runtime.tests.echoing import ANA, asked

ECHO, WATCH, *_ = methods(EchoService)
KEYS = [f"r-{i}" for i in range(4_000)]


def by_rest(rollout: Rollout) -> set[str]:
    """Return the keys whose calls go by REST."""
    return {
        key
        for key in KEYS
        if rollout.way(ECHO, only(asked("a", request_id=key)), Call()) is Way.REST
    }


def test_quarter_of_the_calls_goes_by_rest_and_the_same_again() -> None:
    """A share of 25 % of 4,000 keys is 1,000 ± 27: 900 to 1,100 is beyond three deviations."""
    rollout = Rollout({"echo": 25})
    assert 900 < len(by_rest(rollout)) < 1_100
    assert by_rest(rollout) == by_rest(Rollout({"echo": 25}))


def test_larger_share_only_adds_calls() -> None:
    shares = [by_rest(Rollout({"echo": percent})) for percent in (0, 10, 50, 100)]
    assert shares[0] == set()
    assert shares[0] < shares[1] < shares[2] < shares[3] == set(KEYS)


def test_share_is_turned_while_calls_run() -> None:
    rollout = Rollout({"echo": 100})
    assert len(by_rest(rollout)) == len(KEYS)
    rollout.set("echo", 0)
    assert by_rest(rollout) == set()
    assert (rollout.percent("echo"), rollout.percent("orders")) == (0, 0)


def test_services_without_a_share_have_the_common_one() -> None:
    assert len(by_rest(Rollout({"orders": 0}, percent_rest=100))) == len(KEYS)


def test_sticky_callers_see_one_way_only() -> None:
    rollout = Rollout({"echo": 50}, is_sticky=True)
    ways = {}
    for number in range(100):
        call = as_principal(Call(), Principal(f"ana-{number}", ANA.roles))
        seen = {rollout.way(ECHO, only(asked("a", request_id=key)), call) for key in KEYS[:20]}
        (ways[number],) = seen
    assert 25 < list(ways.values()).count(Way.REST) < 75


def test_chance_is_the_rngs() -> None:
    first, again = (by_rest(Rollout({"echo": 25}, rng=random.Random(7))) for _ in range(2))
    assert first == again
    assert first != by_rest(Rollout({"echo": 25}))


def test_calls_without_a_key_are_shared_by_their_request_id_or_in_turn() -> None:
    rollout, watch = Rollout({"echo": 50}), only(asked("a"))
    traced = [
        rollout.way(WATCH, watch, Call(metadata={"x-request-id": f"q-{i}"})) for i in range(200)
    ]
    nameless = [rollout.way(WATCH, watch, Call()) for _ in range(200)]
    for ways in (traced, nameless):
        assert 60 < ways.count(Way.REST) < 140


def test_settings_are_read() -> None:
    assert parsed_shares("orders=25, risk=100", {"orders", "risk"}) == {"orders": 25, "risk": 100}
    assert parsed_shares("") == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("orders", "no share, must be like orders=25"),
        ("orders=", "no share"),
        ("=5", "no share"),
        ("orders=-5", "no share"),
        ("orders=2.5", "no share"),
        ("orders=101", r"is 101 %, must be 0\.\.100"),
        ("orders=1,orders=2", "orders stands twice"),
        ("odrers=1", "odrers in 'odrers=1' is no service, must be one of orders, risk"),
    ],
)
def test_settings_that_mean_nothing_are_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parsed_shares(text, {"orders", "risk"})
