"""What engines have measured: added up, and sent as JSON."""

import json
from dataclasses import replace

from runtime.load.histogram import Latencies
from runtime.load.measured import Measured, Second, Series, StreamSeen
from runtime.load.traffic import Remainder

FAST, SLOW = Latencies.of([0.01, 0.02]), Latencies.of([0.3])


def series(latencies: Latencies, failed: int, second: int) -> Series:
    counts = {"OK": latencies.total, "UNAVAILABLE": failed}
    timeline = (Second(0, 0, Latencies.of()), Second(second, failed, latencies))
    return Series(latencies, latencies, counts, timeline)


ONE = Measured(
    profile="ECHO",
    multiple=2.0,
    rate=100.0,
    parts=1,
    warmup_s=10.0,
    duration_s=60.0,
    seed=1,
    scheduled=10,
    sent=9,
    late=2,
    dropped=1,
    lateness=FAST,
    series={"echo": series(FAST, 1, 1), "own": series(FAST, 0, 1)},
    streams={"ticks": StreamSeen(5, 1, 1, 0, FAST)},
    cpu_share=0.2,
    rss_bytes=5,
    remainder=Remainder(backlog=1, facts={"signals_per_s": 10.0}),
)
OTHER = replace(
    ONE,
    series={"echo": series(SLOW, 0, 2)},
    streams={"ticks": StreamSeen(7, 0, 0, 2, SLOW), "quotes": StreamSeen(1, 0, 0, 0, SLOW)},
    cpu_share=0.3,
    rss_bytes=4,
    is_steady=False,
    unsteady_reason="slow",
    is_interrupted=True,
    remainder=Remainder(lost=1, doubled=2, unresolved=3, facts={"signals_per_s": 15.0}),
)


def test_a_measurement_comes_back_from_json() -> None:
    for one in (ONE, OTHER):
        assert Measured.from_object(json.loads(json.dumps(one.to_object()))) == one


def test_engines_that_share_a_rate_are_added_up() -> None:
    both = Measured.merged([ONE, OTHER])
    assert (both.rate, both.parts, both.multiple, both.duration_s) == (200.0, 2, 2.0, 60.0)
    assert (both.scheduled, both.sent, both.late, both.dropped) == (20, 18, 4, 2)
    assert both.lateness.total == 4
    assert both.remainder == Remainder(1, 3, 1, 2, {"signals_per_s": 25.0})


def test_of_generators_the_worst_counts() -> None:
    both = Measured.merged([ONE, OTHER])
    assert (both.cpu_share, both.rss_bytes) == (0.3, 5)
    assert (both.is_steady, both.unsteady_reason, both.is_interrupted) == (False, "slow", True)


def test_series_are_added_up_by_name_and_second() -> None:
    both = Measured.merged([ONE, OTHER]).series
    assert both["echo"].corrected == Latencies.merged([FAST, SLOW])
    assert both["echo"].counts == {"OK": 3, "UNAVAILABLE": 1}
    assert [(one.second, one.ended) for one in both["echo"].timeline] == [(0, 0), (1, 3), (2, 1)]
    assert both["own"].counts["OK"] == 2


def test_streams_are_added_up_by_name() -> None:
    ticks = Measured.merged([ONE, OTHER]).streams["ticks"]
    assert (ticks.messages, ticks.gaps, ticks.out_of_order, ticks.repeats) == (12, 1, 1, 2)
    assert ticks.age.total == 3
