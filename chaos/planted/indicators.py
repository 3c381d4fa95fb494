"""Bugs of indicators, and of what strategies know of them."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "candle_counts_twice",
        "What comes on the stream is taken in, also what the history that I just read had already.",
        (
            Edit(
                "services.indicators.watching:Watching.take",
                "candle.revision or (open_ns <= line.last_ns and not item.is_backfill)",
                "candle.revision",
            ),
        ),
        experiment="candles_are_read_late",
        check="averages_follow_from_closes",
    ),
    Plant(
        "value_before_warm",
        "I counted bars from 0, and gave values one bar too early.",
        (
            Edit(
                "services.indicators.series:Indicator.warm_after",
                "self.definition.warm_after(self.setup)",
                "self.definition.warm_after(self.setup) - 1",
            ),
        ),
        experiment="trading_day",
        check="no_value_before_warm",
    ),
    Plant(
        "newest_point_decides",
        "I take the newest indicator values that have come, which are those of the candle at hand.",
        (
            Edit(
                "services.strategy.points:Watched.find",
                "self._points.get((need.instrument, need.open_ns))",
                "self._points.get(max((key for key in self._points if key[0] == need.instrument), "
                "default=None))",
            ),
        ),
        experiment="strategy_is_killed",
        check="crossings_are_signalled",
    ),
)
