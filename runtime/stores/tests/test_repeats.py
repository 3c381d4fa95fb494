"""A seed makes the same history in every process, whatever the hash seed of Python is."""

import os
import subprocess
import sys


def history(seed: int, hash_seed: int) -> str:
    return subprocess.run(
        [sys.executable, "-m", "runtime.stores.tests.story", str(seed)],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_seed_tells_the_same_story_in_every_process() -> None:
    first, again, other = history(7, 1), history(7, 2), history(8, 1)
    assert len(first) == 64
    assert first == again
    assert first != other
