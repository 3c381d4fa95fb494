import os
import random
import subprocess
import sys
import uuid

from hypothesis import given
from hypothesis import strategies as st

from runtime.ids import Ids, derived_rng


@given(st.integers(), st.text())
def test_same_seed_and_name_make_the_same_ids(seed: int, service: str) -> None:
    first, again = (Ids(derived_rng(seed, service)) for _ in range(2))
    assert [first.new() for _ in range(5)] == [again.new() for _ in range(5)]


@given(st.integers(), st.integers(), st.text(), st.text())
def test_another_seed_or_name_makes_other_ids(
    seed: int, other_seed: int, service: str, other_service: str
) -> None:
    if (seed, service) != (other_seed, other_service):
        first, second = derived_rng(seed, service), derived_rng(other_seed, other_service)
        assert first.getrandbits(128) != second.getrandbits(128)


def test_ids_are_proper_and_distinct() -> None:
    ids = Ids(random.Random(1))
    made = [ids.new() for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert all(uuid.UUID(i).version == 4 and str(uuid.UUID(i)) == i for i in made)


def test_ids_do_not_depend_on_the_hash_seed_of_the_process() -> None:
    program = "from runtime.ids import *; print(Ids(derived_rng(7, 'orders')).new())"
    answers = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert answers[0] == answers[1]
