"""`make bench`: what the specification bounds, measured in one run on this machine."""

import os
import platform
import subprocess
import sys

# Each prints its own figures beside their limits.
BENCHES = (
    "runtime.bench",
    "runtime.bench.targets",
    "runtime.observe.bench",
    "services.discovery.bench",
    "services.indicators.bench",
    "services.strategy.bench",
    "services.risk.bench",
    "services.portfolio.bench",
    "services.marketdata.bench",
    "services.marketdata.tick_bench",
    "services.orders.bench",
    "services.execution.bench",
    "fixtures.exchange.bench",
    "fixtures.market.bench",
    "runtime.stores.bench",
    "fixtures.stores.bench",
    "runtime.stores.spool_bench",
    "fixtures.stores.stream_bench",
    "fixtures.toxiproxy.bench",
    "fixtures.security.bench",
    "fixtures.hops_bench",
    "fixtures.checks.bench",
    "fixtures.devices.bench",
    "plimsoll.validate_bench",
    "plimsoll.day_bench",
)


def main() -> int:
    """Run every benchmark, one after the other; return 1 when one could not run."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    sys.stdout.write(f"machine: {machine}, {platform.system()} {platform.release()}\n")
    failed = [name for name in BENCHES if not _ran(name)]
    for name in failed:
        sys.stderr.write(f"bench: {name} failed\n")
    return 1 if failed else 0


def _ran(name: str) -> bool:
    sys.stdout.write(f"\n{name}\n")
    sys.stdout.flush()
    return subprocess.run([sys.executable, "-m", name], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
