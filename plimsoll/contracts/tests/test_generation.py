"""Generated code is current, complete and readable; a contract that says too little has none."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from trading.echo.v1.echo_port import EchoService

from plimsoll.contracts import mothers
from plimsoll.contracts.generation import GENERATED, generate
from plimsoll.contracts.tools import ROOT, ToolFailed
from runtime.rpc import Idempotency, Policy

SAFE = "idempotency: IDEMPOTENCY_SAFE deadline: {seconds: 1} roles: [ROLE_VIEWER] load: {}"
STREAM = "stream PingResponse"


def without(name: str) -> str:
    return "\n".join(line for line in mothers.POLICY.splitlines() if not line.startswith(name))


def with_key(key: str) -> str:
    return mothers.POLICY.replace("request_id", key)


BAD = {
    "NoPolicy": (mothers.ping("", method="NoPolicy"), "states no policy"),
    "NoDeadline": (mothers.ping(without("deadline"), method="NoDeadline"), "states no deadline"),
    "EndlessUnary": (
        mothers.ping(
            mothers.POLICY.replace("{seconds: 1}", "{}"),
            method="EndlessUnary",
        ),
        "is unary and has no deadline",
    ),
    "NoIdempotency": (
        mothers.ping(without("idempotency"), method="NoIdempotency"),
        "states no idempotency",
    ),
    "NoRoles": (mothers.ping(without("roles"), method="NoRoles"), "states no roles"),
    "NoLoad": (mothers.ping(without("load"), method="NoLoad"), "states no load"),
    "NoKey": (mothers.ping(without("key"), method="NoKey"), "without a key"),
    "KeyOfSafe": (mothers.ping(f'{SAFE} key: "request_id"', method="KeyOfSafe"), "must be IDEMP"),
    "UnknownKey": (mothers.ping(with_key("id"), method="UnknownKey"), 'has no field "id"'),
    "OptionalKey": (mothers.ping(with_key("note"), method="OptionalKey"), '"note" may be empty'),
    "OptionalPart": (
        mothers.ping(with_key("part.name"), method="OptionalPart"),
        '"part" may be empty',
    ),
    "NumberKey": (mothers.ping(with_key("count"), method="NumberKey"), "without a string"),
    "MessageKey": (mothers.ping(with_key("parts"), method="MessageKey"), "which is a message"),
    "DryRun": (
        mothers.ping(f"{SAFE} validate_only: true", method="DryRun"),
        "request has no such bool",
    ),
    "NoSnapshot": (
        mothers.ping(
            f'{SAFE} stream: {{delivery: DELIVERY_RESYNC key: "text"}}',
            method="NoSnapshot",
            answer=STREAM,
        ),
        "must name its `key` and its `snapshot`",
    ),
    "UnaryStream": (
        mothers.ping(f"{SAFE} stream: {{delivery: DELIVERY_LOSSLESS}}", method="UnaryStream"),
        "answers once",
    ),
}


@pytest.fixture(scope="module")
def complaints(make_workspace: Callable[[], Path]) -> str:
    root = make_workspace()
    mothers.write_ping(root, *(method for method, _ in BAD.values()))
    with pytest.raises(ToolFailed) as failed:
        generate(root=root)
    assert not (root / GENERATED / "trading/ping").exists()
    return str(failed.value)


@pytest.mark.parametrize("name", BAD)
def test_a_method_that_says_too_little_fails_generation(name: str, complaints: str) -> None:
    line = next(line for line in complaints.splitlines() if f"error: {name} " in line)
    assert re.search(r"trading/ping/v1/ping\.proto:\d+: error: ", line)
    assert BAD[name][1] in line


def test_an_error_names_the_line_of_its_method(workspace: Path) -> None:
    file = mothers.write_ping(workspace, mothers.ping(), mothers.ping("", method="Pong"))
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "rpc Pong" in text)
    with pytest.raises(ToolFailed, match=f"ping.proto:{line}: error: Pong states no policy"):
        generate(root=workspace)


@pytest.mark.parametrize("key", ["request_id", "parts.name", "request_id+count"])
def test_a_key_may_be_a_field_a_field_of_each_item_or_several(key: str, workspace: Path) -> None:
    mothers.write_ping(workspace, mothers.ping(with_key(key)))
    generate(root=workspace)
    port = (workspace / GENERATED / "trading/ping/v1/ping_port.py").read_text()
    assert f'key="{key}"' in port


def test_a_stream_may_state_that_it_has_no_end(workspace: Path) -> None:
    endless = SAFE.replace("{seconds: 1}", "{}")
    mothers.write_ping(workspace, mothers.ping(endless, answer=STREAM))
    generate(root=workspace)
    port = (workspace / GENERATED / "trading/ping/v1/ping_port.py").read_text()
    assert "deadline_s=None" in port
    assert "-> AsyncGenerator[pb.PingResponse, None]:" in port


@pytest.mark.parametrize(
    ("stated", "complaint"),
    [
        ('without: "risk"', '"risk" is not in its depends_on: add it there'),
        ('without: "pong" refuses: ["Pang"]', 'it has no method "Pang"'),
        ('without: "pong"}, {without: "pong"', '"pong" is stated twice: make it one'),
    ],
)
def test_a_degraded_mode_that_cannot_be_fails_generation(
    stated: str, complaint: str, workspace: Path
) -> None:
    option = f'depends_on: ["pong"] degraded: [{{{stated}}}]'
    mothers.write_ping(
        workspace,
        f"  option (trading.options.v1.service) = {{\n{option}\n}};\n",
        mothers.ping(),
    )
    with pytest.raises(ToolFailed, match=re.escape(complaint)):
        generate(["ping"], root=workspace)


def test_generated_code_is_current() -> None:
    assert not generate(check_only=True)


def test_generated_code_does_not_depend_on_hash_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    assert not generate(check_only=True)


def test_an_edit_a_stale_and_a_missing_file_are_noticed(workspace: Path) -> None:
    mothers.write_ping(workspace)
    generate(root=workspace)
    folder = workspace / GENERATED / "trading"
    port, messages = folder / "ping/v1/ping_port.py", folder / "ping/v1/ping_pb2.py"
    port.write_text(port.read_text().replace("deadline_s=1.0", "deadline_s=9.0"))
    messages.unlink()
    (folder / "gone_pb2.py").write_text("")
    changes = generate(root=workspace, check_only=True)
    assert changes.written == tuple(
        GENERATED / "trading/ping/v1" / name for name in ("ping_pb2.py", "ping_port.py")
    )
    assert changes.removed == (GENERATED / "trading/gone_pb2.py",)
    assert "deadline_s=9.0" in port.read_text()
    generate(root=workspace)
    assert not generate(root=workspace, check_only=True)
    assert "deadline_s=1.0" in port.read_text()


def test_one_area_is_generated_while_another_is_broken(workspace: Path) -> None:
    mothers.write_ping(workspace)
    broken = workspace / "contracts/proto/trading/pong/v1/pong.proto"
    broken.parent.mkdir(parents=True)
    broken.write_text("in the middle of an edit")
    generate(["ping"], root=workspace)
    assert (workspace / GENERATED / "trading/ping/v1/ping_port.py").exists()
    with pytest.raises(ToolFailed, match=r"pong\.proto"):
        generate(root=workspace)


def test_an_area_that_does_not_exist_is_named_with_those_that_do(workspace: Path) -> None:
    with pytest.raises(
        ToolFailed, match="pang is not an area of the contracts, must be of options"
    ):
        generate(["pang"], root=workspace)


def test_a_port_says_its_whole_policy() -> None:
    assert EchoService.POLICIES["echo"] == Policy(
        deadline_s=2.0,
        idempotency=Idempotency.IDEMPOTENT_BY_KEY,
        key="request_id",
        roles=frozenset({"TRADER"}),
        callers=frozenset({"gateway"}),
        target_rps=500.0,
        p99_ms=50.0,
        audited=True,
    )
    assert EchoService.POLICIES["exchange_echoes"].deadline_s is None


def test_ports_are_laid_out_as_the_formatter_would() -> None:
    ports = sorted((ROOT / GENERATED).rglob("*_port.py"))
    assert ports
    for port in ports:
        command = [
            sys.executable,
            "-m",
            "ruff",
            "format",
            "--diff",
            "--stdin-filename",
            "port.py",
            "-",
        ]
        done = subprocess.run(
            command, input=port.read_text(), capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert done.returncode == 0, f"{port}\n{done.stdout}"


def test_callers_of_a_port_are_type_checked(tmp_path: Path) -> None:
    caller = tmp_path / "caller.py"
    caller.write_text(
        "from trading.echo.v1 import echo_pb2 as pb\n"
        "from trading.echo.v1.echo_port import EchoService\n\n\n"
        "async def say(echo: EchoService) -> str:\n"
        "    answer = await echo.echo(pb.EchoRequest(text='hi'))\n"
        "    async for said in echo.watch_echoes(pb.WatchEchoesRequest()):\n"
        "        reveal_type(said.sequence)\n"
        "    await echo.echo(pb.WatchEchoesRequest())\n"
        "    return answer.text\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", caller],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert 'Revealed type is "int"' in done.stdout
    assert 'incompatible type "WatchEchoesRequest"; expected "EchoRequest"' in done.stdout
    assert "Found 1 error" in done.stdout
