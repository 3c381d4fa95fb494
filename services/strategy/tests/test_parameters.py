"""Configurations: what is filled in, and what is refused with its path."""

from math import inf, nan
from typing import Any

import pytest

from runtime.atto import ATTO
from services.strategy.registry import checked
from services.strategy.terms import (
    Config,
    ExitRules,
    Sizing,
    SizingWay,
    StrategyRefused,
)
from services.strategy.tests.mothers import setting

TEN = Sizing(SizingWay.TARGET_POSITION, 10 * ATTO)


def refusal(kind: str = "EMA_CROSS", **changes: Any) -> StrategyRefused:
    arguments: dict[str, Any] = {"parameters": {}, "sizing": TEN} | changes
    with pytest.raises(StrategyRefused) as refused:
        checked(Config(kind=kind, account="main", timeframe=2, **arguments))
    return refused.value


def test_parameters_left_out_have_their_defaults() -> None:
    config = checked(Config("EMA_CROSS", "main", 2, {"fast": 5}, TEN))
    assert config.parameters == {"fast": 5.0, "slow": 26.0, "mode": "STOP_AND_REVERSE"}
    assert config.max_entries == 1


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ({"fast": nan}, "parameters.fast"),
        ({"fast": inf}, "parameters.fast"),
        ({"fast": 0}, "parameters.fast"),
        ({"fast": 2.5}, "parameters.fast"),
        ({"fast": "12"}, "parameters.fast"),
        ({"fast": True}, "parameters.fast"),
        ({"fast": None}, "parameters.fast"),
        ({"slow": 5_001}, "parameters.slow"),
        ({"fast": 26, "slow": 26}, "parameters.fast"),
        ({"mode": "SHORT_ONLY"}, "parameters.mode"),
        ({"mode": 1}, "parameters.mode"),
        ({"period": 5}, "parameters.period"),
    ],
)
def test_a_parameter_out_of_its_schema_is_refused_with_its_path(
    parameters: dict[str, object], path: str
) -> None:
    refused = refusal(parameters=parameters)
    assert (refused.reason, refused.field) == ("PARAMETER_INVALID", path)


@pytest.mark.parametrize("kind", ["MOON"])
def test_a_kind_that_is_not_built_says_so(kind: str) -> None:
    refused = refusal(kind)
    assert refused.reason == "KIND_NOT_BUILT"
    assert "not built yet" in str(refused)


def test_a_strategy_without_any_stop_is_refused() -> None:
    naked = ExitRules(max_loss_atto=0, is_initial_stop_watched=False)
    assert refusal(exit=naked).reason == "NO_PROTECTION"
    assert setting(exit=ExitRules(max_loss_atto=0))
    assert setting(exit=ExitRules(is_initial_stop_watched=False))


def test_a_sizing_that_names_no_position_cannot_reverse() -> None:
    risk = Sizing(SizingWay.RISK_SHARE, ATTO // 100)
    assert refusal(sizing=risk).reason == "SIZING_INVALID"
    assert setting(sizing=risk, parameters={"mode": "LONG_ONLY"})


def test_nothing_cannot_be_wanted() -> None:
    assert refusal(sizing=Sizing(SizingWay.QUANTITY, 0)).reason == "SIZING_INVALID"
