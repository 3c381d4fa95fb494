"""Locust's own statistics, filled from the engines': its tables and charts show their figures.

Locust rounds what it shows to two digits, and what ends after an engine's last full second is
missing: the verdict and the reports do not come from here.
"""

import time
from typing import Any

from locust.stats import RequestStats, StatsEntry, StatsError, bucket_response_time

from runtime.load.histogram import Latencies


def add_second(stats: RequestStats, profile: str, line: dict[str, Any]) -> None:
    """Add what an engine says of one second, latencies from the intended instant."""
    for series, told in line["series"].items():
        kind, latencies = _kind(profile, series), Latencies.from_text(told["latencies"])
        for entry in (stats.entries[series, kind], stats.total):
            entry.extend(_entry(stats, entry, latencies, told["failed"]))


def add_failures(stats: RequestStats, profile: str, line: dict[str, Any]) -> None:
    """Add why units failed, of what an engine has measured."""
    for series, told in line["series"].items():
        kind = _kind(profile, series)
        for code, count in told["counts"].items():
            if code != "OK":
                error = StatsError(kind, series, code, count)
                stats.errors[StatsError.create_key(kind, series, code)] = error


def _kind(profile: str, series: str) -> str:
    return "RPC" if profile == series else profile


def _entry(stats: RequestStats, like: StatsEntry, latencies: Latencies, failed: int) -> StatsEntry:
    now_s, count = time.time(), latencies.total
    entry = StatsEntry(stats, like.name, like.method)
    entry.last_request_timestamp = now_s if count else like.last_request_timestamp
    entry.num_requests, entry.num_failures = count, failed
    if not count:
        return entry
    buckets = latencies.buckets()
    entry.num_reqs_per_sec[int(now_s)] = count
    entry.num_fail_per_sec[int(now_s)] = failed
    entry.total_response_time = round(sum(ms * seen for ms, seen in buckets))
    entry.min_response_time, entry.max_response_time = round(buckets[0][0]), round(buckets[-1][0])
    for ms, seen in buckets:
        entry.response_times[bucket_response_time(ms)] += seen
    return entry
