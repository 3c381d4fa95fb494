"""Every kind of strategy that is built. A new one is one line here."""

from collections.abc import Mapping
from itertools import pairwise

from runtime.atto import ATTO
from services.strategy.ema_cross import EMA_CROSS
from services.strategy.envelope import NWE
from services.strategy.kinds import Kind
from services.strategy.parameters import complete
from services.strategy.terms import Config, StrategyRefused
from services.strategy.vegas import VEGAS

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (EMA_CROSS, VEGAS, NWE)}


def kind_of(name: str) -> Kind:
    """Return a kind by its name. Raises StrategyRefused(KIND_NOT_BUILT)."""
    kind = KINDS.get(name)
    if kind is None:
        raise StrategyRefused(
            "KIND_NOT_BUILT",
            f"strategies of kind {name} are not built yet, must be one of {', '.join(KINDS)}",
            field="kind",
        )
    return kind


def checked(config: Config) -> Config:
    """Return `config` with complete parameters. Raises StrategyRefused, `field` the path.

    A position without any stop is never opened: NO_PROTECTION.
    """
    kind = kind_of(config.kind)
    full = Config(
        kind=config.kind,
        account=config.account,
        timeframe=config.timeframe,
        parameters=complete(kind.schema, config.parameters),
        sizing=config.sizing,
        exit=config.exit,
        max_entries=config.max_entries or 1,
    )
    kind.check(full)
    if full.sizing.amount_atto <= 0:
        raise StrategyRefused("SIZING_INVALID", "sizing must be above zero", field="sizing")
    if not full.exit.is_initial_stop_watched and not full.exit.max_loss_atto:
        raise StrategyRefused(
            "NO_PROTECTION",
            "both the initial stop and the greatest loss are off: leave one of them on",
            field="exit",
        )
    _check_exit(full, kind)
    return full


def _check_exit(config: Config, kind: Kind) -> None:
    """Refuse exit rules that contradict themselves or the kind. Raises StrategyRefused."""
    rules, name = config.exit, config.exit.indicator_target
    if name and name not in kind.outputs:
        raise StrategyRefused(
            "PARAMETER_INVALID",
            f"exit.indicator_target is {name}, must be one of {', '.join(kind.outputs)}",
            field="exit.indicator_target",
        )
    is_ascending = all(low < high for low, high in pairwise(rules.tiers_r_atto))
    if not is_ascending:
        raise StrategyRefused(
            "PARAMETER_INVALID",
            "exit.tier_r must ascend: the nearest tier first",
            field="exit.tier_r",
        )
    if not rules.max_loss_atto < ATTO:
        raise StrategyRefused(
            "PARAMETER_INVALID",
            "exit.max_loss must be less than 1: it is a share of the entry price",
            field="exit.max_loss",
        )
