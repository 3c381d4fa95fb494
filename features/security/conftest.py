"""No store has a part in who may call: one kind of them is enough."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the same scenarios on other stores."""
    elsewhere = [item for item in items if HERE in item.path.parents and not _is_enough(item)]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]


def _is_enough(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    place = item.callspec.params["place"]
    return str(place) == "embedded"
