"""Bugs of breakers, and of those whose calls a breaker refuses."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "refused_call_is_poison",
        "An outage is a call with an unknown end; what was refused for certain is a bad payload.",
        (
            Edit(
                "runtime.stores.consumer:_is_passing",
                "error.is_unsent or ",
                "",
            ),
        ),
        experiment="risk_hangs",
        check="no_lost_signal",
    ),
    Plant(
        "breaker_waits_anew_after_each_refusal",
        "A breaker's pause counts from the last call it refused: who goes on keeps it open.",
        (
            Edit(
                "runtime.targets.breaker:Breaker._refusal",
                "self.calls_refused += 1",
                "self.calls_refused += 1\n        self.since_s = asyncio.get_running_loop().time()",
            ),
        ),
        experiment="portfolio_hangs",
        check="everything_recovers_in_time",
    ),
    Plant(
        "breaker_lets_no_trial_through",
        "An open breaker waits for a new connection; I forgot that an old one may answer again.",
        (
            Edit(
                "runtime.targets.breaker:Breaker._admit",
                "if left_s > 0 and not self._is_back():",
                "if not self._is_back():",
            ),
        ),
        experiment="portfolio_hangs",
        check="everything_recovers_in_time",
    ),
)
