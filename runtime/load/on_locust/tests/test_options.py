"""What is asked of a run is understood, or refused in words that say what to ask instead."""

from pathlib import Path
from typing import Any

import pytest
from configargparse import ArgumentParser  # type: ignore[import-untyped]

from runtime.load.on_locust.options import Asked, WrongUse, add_options, seconds
from runtime.load.plan import Gate, Profile

PROFILE = Profile("SUBMIT", "an order", 200.0, (Gate("booked", 500.0),), "a:B", arrivals="burst")


def given(*words: str, **variables: str) -> dict[str, Any]:
    """Return what Locust's kind of parser makes of words and of environment variables."""
    parser: Any = ArgumentParser()
    parser.add_argument("--host")
    add_options(parser)
    options: dict[str, Any] = vars(parser.parse_args(words, env_vars=variables))
    return options


def test_what_is_not_said_is_as_the_specification_has_it() -> None:
    asked = Asked.of(given("--host", "h:1"))
    plan = asked.plan(PROFILE, 2.0, seed=7)
    assert (plan.warmup_s, plan.duration_s, asked.repeats, asked.multiple) == (10, 60, 3, 2)
    assert plan.profile == PROFILE
    assert (plan.rate, plan.seed) == (400.0, 7)
    assert plan.target.address_of("anything") == "h:1"


def test_options_can_be_given_by_variables() -> None:
    asked = Asked.of(given("--host", "h:1", LOCUST_MULTIPLE="3", LOCUST_WARM_UP="1m"))
    assert (asked.multiple, asked.warmup_s) == (3.0, 60.0)


def test_services_may_be_in_different_places() -> None:
    target = Asked.of(given("--targets", "orders=a:1, *=c:3,risk=b:2", "--host", "d:4")).target
    assert [target.address_of(name) for name in ("orders", "risk", "other")] == [
        "a:1",
        "b:2",
        "c:3",
    ]


def test_arrivals_that_are_asked_for_take_the_place_of_the_profiles() -> None:
    asked = Asked.of(given("--host", "h:1", "--arrivals", "ramp"))
    assert asked.plan(PROFILE, 1.0, seed=1).profile.arrivals == "ramp"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no address"),
        (("--targets", "orders=nowhere"), 'has "orders=nowhere", must be like'),
        (("--targets", "127.0.0.1:50"), "must be like orders="),
        (("--host", "h:1", "--multiple", "0"), "--multiple is 0, must be more than 0"),
        (("--host", "h:1", "--duration", "0"), "--duration is 0, must be more than 0"),
        (("--host", "h:1", "--warm-up=-1"), "--warm-up is -1, must be at least 0"),
        (("--host", "h:1", "--repeats", "-1"), "--repeats is -1, must be more than 0"),
        (("--host", "h:1", "--certificates", "not/there"), "must be a folder"),
    ],
)
def test_wrong_use_is_told_in_words(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(WrongUse, match=said.replace("(", "\\(")):
        Asked.of(given(*words))


def test_a_web_form_gives_every_value_as_text() -> None:
    form = {**given("--host", "h:1"), "multiple": "1.5", "repeats": "2", "load_seed": "9"}
    asked = Asked.of(form)
    assert (asked.multiple, asked.repeats, asked.seed) == (1.5, 2, 9)


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("1.5", 1.5), ("90s", 90), ("10m", 600), ("1h", 3600)]
)
def test_time_spans_are_those_of_locust(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "10d", "1h30", "soon"])
def test_what_is_no_time_span_is_refused(text: str) -> None:
    with pytest.raises(WrongUse, match="is no time span"):
        seconds(text)


def test_folders_of_certificates_that_are_there_are_taken(tmp_path: Path) -> None:
    asked = Asked.of(given("--host", "h:1", "--certificates", str(tmp_path)))
    assert asked.target.certificates == str(tmp_path)
