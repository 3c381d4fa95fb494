"""Print how fast calls travel on this machine, beside the limits; exit 1 if one is missed."""

import sys
from functools import partial

from runtime.bench import echo
from runtime.bench.stopwatch import in_real_time, in_virtual_time

LOCAL_US_MAX = 8.0
SIMULATED_RPS_MIN = 20_000.0


def main() -> int:
    """Measure everything in one run, so that the figures can be compared."""
    bare_s = in_virtual_time(echo.no_transport)
    local_s = in_virtual_time(echo.local)
    _say("unary call, in one process", "µs", "× bare")
    for name, took_s in (
        ("method of the object itself", bare_s),
        ("local transport (both messages copied)", local_s),
        ("local transport, with a deadline", in_virtual_time(echo.local_with_deadline)),
        ("local transport, guards", in_virtual_time(echo.local_guarded)),
        ("client, local transport, guards", in_virtual_time(echo.local_client)),
    ):
        _say(f"  {name}", f"{took_s * 1e6:.2f}", f"{took_s / bare_s:.1f}")
    simulated_rps, whole_rps = in_virtual_time(echo.simulated)
    _say(f"simulated network, no rules, {echo.AT_ONCE} at once", "calls/s", "ratio")
    _say("  transport alone", f"{simulated_rps:,.0f}", "1.00")
    _say("  client, network, guards", f"{whole_rps:,.0f}", f"{simulated_rps / whole_rps:.2f}")
    for at_once in (1, echo.AT_ONCE):
        raw_rps, ours_rps = in_real_time(partial(echo.over_grpc, at_once=at_once))
        _say(f"gRPC echo, {at_once} at once, both sides in one process", "calls/s", "ratio")
        _say("  grpc.aio alone", f"{raw_rps:,.0f}", "1.00")
        _say("  client, transport, guards", f"{ours_rps:,.0f}", f"{raw_rps / ours_rps:.2f}")
    misses = _misses(local_s * 1e6, simulated_rps)
    for miss in misses:
        _say(miss, "", "")
    return 1 if misses else 0


def _misses(local_us: float, simulated_rps: float) -> list[str]:
    misses = []
    if local_us > LOCAL_US_MAX:
        misses.append(f"MISSED: a local call takes {local_us:.2f} µs, must take {LOCAL_US_MAX} µs")
    if simulated_rps < SIMULATED_RPS_MIN:
        misses.append(f"MISSED: simulated {simulated_rps:,.0f}/s, must be {SIMULATED_RPS_MIN:,.0f}")
    return misses


def _say(text: str, figure: str, ratio: str) -> None:
    sys.stdout.write(f"{text:<52}{figure:>10}{ratio:>10}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
