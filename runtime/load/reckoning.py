"""From notes to figures: corrected and uncorrected latencies, seconds, order, steadiness."""

from collections import Counter

import numpy as np
from grpc import StatusCode

from runtime.load.histogram import Latencies
from runtime.load.measured import Second, Series, StreamSeen
from runtime.load.meter import Delivered, Ended

NAMES = {code.value[0]: code.name for code in StatusCode}
STEADY_S = 3.0  # The end of the warm-up, which is held against the measured time.
# Still warming up is a median so many times the measured one, and so much above it. A median
# that rises is no reason: that is what an overload looks like, and it must fail, not be void.
UNSTEADY_TIMES, UNSTEADY_MS = 2.0, 10.0


def series_of(ended: Ended, begin_s: float, duration_s: float) -> Series:
    """Return the series of what ended, all of it due in the measured time from `begin_s` on."""
    seen = one_after_the_other(ended)
    return Series(
        corrected=Latencies.of(well(ended).latencies_s),
        uncorrected=Latencies.of(well(seen).service_times_s),
        counts=dict(Counter(NAMES[int(code)] for code in ended.codes)),
        timeline=_timeline(ended, begin_s, duration_s),
    )


def well(ended: Ended) -> Ended:
    """Return what ended well: a refusal takes no time, and would make the rest look fast."""
    return ended.of(ended.codes == 0)


def second_of(number: int, ended: Ended) -> Second:
    """Return a second in which this ended."""
    failed = int(np.count_nonzero(ended.codes))
    return Second(number, failed, Latencies.of(well(ended).latencies_s))


def one_after_the_other(ended: Ended) -> Ended:
    """Return what one caller who waits for each answer would have seen.

    Of what was sent while the call before was under way he knows nothing: he would have sent it
    later. So one stall is one slow call to him, however many it kept waiting.
    """
    order = np.argsort(ended.sent_s, kind="stable")
    sent_s, ended_s = ended.sent_s[order], ended.ended_s[order]
    seen = np.zeros(len(order), bool)
    place = 0
    while place < len(order):
        seen[order[place]] = True
        place = max(place + 1, int(np.searchsorted(sent_s, ended_s[place])))
    return ended.of(seen)


def stream_of(delivered: Delivered) -> StreamSeen:
    """Return order and ages of the messages of one stream."""
    sequences, first_places = np.unique(delivered.sequences, return_index=True)
    firsts = delivered.sequences[np.sort(first_places)]  # Each sequence when it came first.
    behind = np.maximum.accumulate(firsts) > firsts if len(firsts) else firsts
    span = int(sequences[-1] - sequences[0]) + 1 if len(sequences) else 0
    return StreamSeen(
        messages=len(delivered.sequences),
        gaps=span - len(sequences),
        out_of_order=int(np.count_nonzero(behind)),
        repeats=len(delivered.sequences) - len(sequences),
        age=Latencies.of(delivered.ages_s[~np.isnan(delivered.ages_s)]),
    )


def unsteadiness(warmup: Ended, measured: Ended, begin_s: float) -> str:
    """Return why the warm-up had not ended when the measured time began; "" if it had."""
    warmup, measured = well(warmup), well(measured)
    last = warmup.latencies_s[warmup.intended_s >= begin_s - STEADY_S]
    if not len(measured.ended_s):
        return ""  # There is nothing to be void: nothing was answered.
    last = last if len(last) else warmup.latencies_s
    if not len(last):
        return "nothing was answered in the warm-up: it must be longer"
    before_ms = float(np.median(last)) * 1e3
    after_ms = float(np.median(measured.latencies_s)) * 1e3
    if before_ms <= after_ms * UNSTEADY_TIMES + UNSTEADY_MS:
        return ""
    return (
        f"the median was {before_ms:.1f} ms in the last {STEADY_S:g} s of the warm-up and "
        f"{after_ms:.1f} ms when measured: the warm-up must be longer"
    )


def _timeline(ended: Ended, begin_s: float, duration_s: float) -> tuple[Second, ...]:
    seconds = np.maximum(0, np.floor(ended.ended_s - begin_s)).astype(np.int64)
    count = max(int(np.ceil(duration_s)), int(seconds.max(initial=-1)) + 1)
    return tuple(second_of(number, ended.of(seconds == number)) for number in range(count))
