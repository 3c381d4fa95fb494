"""Each rule of the house is seen to catch its breach, and the house itself is tidy."""

import pytest

from ci import tidy

LONG_FUNCTION = "def f() -> None:\n" + "    x = 1\n" * 51

BREACHES = {
    "a service importing another service": (
        "services/orders/service.py",
        "from services.risk import Risk\n",
        "services.orders imports services.risk, use its port",
    ),
    "the runtime importing the contracts": (
        "runtime/rpc.py",
        "from trading.orders.v1 import orders_pb2\n",
        "runtime/ imports trading.orders.v1, use only runtime",
    ),
    "a load test importing services": (
        "loadtests/order_burst.py",
        "import services.orders\n",
        "loadtests/ imports services.orders",
    ),
    "a domain module importing protobuf": (
        "services/orders/domain.py",
        "from google.protobuf.message import Message\n",
        "a domain module imports google.protobuf.message, use plain values",
    ),
    "the machine's clock in a service": (
        "services/orders/service.py",
        "import time\n\nNOW = time.time()\n",
        "calls time.time, use environment.clock",
    ),
    "unseeded chance in a fixture": (
        "fixtures/exchange/book.py",
        "import random\n\nX = random.random()\n",
        "calls random.random, use environment.rng",
    ),
    "a long function": ("plimsoll/x.py", LONG_FUNCTION, "f has 52 lines, use at most 50"),
    "many parameters": (
        "plimsoll/x.py",
        "def f(a: int, b: int, c: int, d: int, e: int, g: int) -> None: ...\n",
        "f takes 6 parameters, use at most 5",
    ),
    "deep nesting": (
        "plimsoll/x.py",
        "def f() -> None:\n    if 1:\n        for _ in ():\n            while 1:\n"
        "                with x:\n                    pass\n",
        "f nests 4 deep, use at most 3",
    ),
    "a long line": ("plimsoll/x.py", f"X = '{'x' * 100}'\n", "106 columns, use at most 100"),
    "a long file": ("plimsoll/x.py", "X = 1\n" * 301, "301 lines, use at most 300"),
    "a vague name": ("runtime/utils.py", "X = 1\n", "is called utils"),
    "a branching step": (
        "features/orders/steps.py",
        "@when('x')\ndef step() -> None:\n    if True:\n        pass\n",
        "step step branches or loops",
    ),
}


@pytest.mark.parametrize(("path", "text", "message"), BREACHES.values(), ids=BREACHES.keys())
def test_a_breach_is_named_with_its_place_and_its_cure(path: str, text: str, message: str) -> None:
    found = [str(breach) for breach in tidy.check_python(path, text)]
    assert any(message in line and line.startswith(f"{path}:") for line in found), found


def test_a_scenario_keeps_to_seven_steps_and_one_event() -> None:
    steps = "".join(f"    And fact {n}\n" for n in range(6))
    text = f"Feature: x\n  Scenario: It should trade\n    Given a\n    When b\n    When c\n{steps}"
    found = " ".join(str(breach) for breach in tidy.check_feature("features/x.feature", text))
    assert "9 steps" in found
    assert "more than one When" in found
    assert 'says "should"' in found


def test_a_seeded_generator_and_the_composition_root_are_allowed() -> None:
    seeded = "import random\n\nRNG = random.Random(7)\n"
    assert not list(tidy.check_python("fixtures/x.py", seeded))
    root = "from services.orders import Orders\nfrom services.risk import Risk\n"
    assert not list(tidy.check_python("services/wiring.py", root))


def test_the_house_is_tidy(capsys: pytest.CaptureFixture[str]) -> None:
    assert tidy.main() == 0, capsys.readouterr().out
