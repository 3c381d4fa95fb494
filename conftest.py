"""Every async test runs in virtual time, unless it says that it needs the real one."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
from hypothesis import settings

from runtime.virtual import VirtualLoop

# The same examples in every run, and no example fails because the machine is busy.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a user choose the worlds that features run in."""
    parser.addoption(
        "--world",
        action="append",
        choices=("simulated", "embedded"),
        help="run features in this world only; may be repeated (default: every world)",
    )


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Choose the loop: sockets and threads have no virtual time."""
    if item.get_closest_marker("real_time"):
        return {"real_time": asyncio.new_event_loop}
    return {"virtual": VirtualLoop}
