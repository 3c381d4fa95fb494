"""`plimsoll trace` shows a trace as a tree, and says what to do when it cannot."""

from pathlib import Path

import pytest

from plimsoll.failures import WrongUse
from plimsoll.trace import run_trace
from runtime.observe.recorder import SpanRecorder
from runtime.observe.spans import Kind, Span, SpanContext

FIRST, SECOND = "a" * 32, "b" * 32


def span(number: int, parent: int = 0, trace_id: str = FIRST, kind: Kind = Kind.SERVER) -> Span:
    return Span(
        name=f"EchoService/Call{number}",
        kind=kind,
        service="echo",
        instance_name="echo-LH",
        context=SpanContext(trace_id, f"{number:016x}"),
        parent_id=f"{parent:016x}" if parent else "",
        start_ns=number * 1_000_000,
        duration_ns=2_500_000,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file with a trace of four spans, and one of a consumer that is linked to it."""
    path = tmp_path / "spans.jsonl"
    recorder = SpanRecorder(path)
    failed = span(3, parent=2)
    failed.code, failed.attributes = "UNAVAILABLE", {"attempt": 2, "client_order_id": "ana-1"}
    batch = span(5, trace_id=SECOND, kind=Kind.CONSUMER)
    batch.links = (span(2).context, SpanContext("c" * 32, "d" * 16))
    for one in (failed, span(4, parent=1), span(2, parent=1), batch, span(1, kind=Kind.CLIENT)):
        recorder.take(one)
    recorder.close()
    return path


def test_a_trace_is_a_tree_with_links(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_trace(file, "aaaa") == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "→ echo-LH EchoService/Call1  2.500 ms  OK",
        "├── ● echo-LH EchoService/Call2  2.500 ms  OK",
        "│   ├── ● echo-LH EchoService/Call3  2.500 ms  UNAVAILABLE  attempt 2  ana-1",
        "│   └── ⇢ « echo-LH EchoService/Call5  2.500 ms  OK  linked to 1 more",
        "└── ● echo-LH EchoService/Call4  2.500 ms  OK",
    ]


def test_without_an_id_traces_are_listed_the_longest_first(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_trace(file.parent, "") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == [
        FIRST, "1970-01-01", "00:00:00.001000", "5.500", "ms", "4", "1", "echo",
        "EchoService/Call1", "UNAVAILABLE",
    ]  # fmt: skip
    assert lines[2].startswith(SECOND)
    assert lines[-1].endswith(f"plimsoll trace {file.parent} {FIRST[:12]}")


def test_a_trace_whose_beginning_is_missing_is_shown_in_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = SpanRecorder(tmp_path / "spans.jsonl")
    recorder.take(span(3, parent=9))
    recorder.take(span(4, parent=8))
    recorder.close()
    run_trace(tmp_path, FIRST)
    assert [line[:28] for line in capsys.readouterr().out.splitlines()] == [
        "● echo-LH EchoService/Call3 ",
        "● echo-LH EchoService/Call4 ",
    ]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ('{"format": "plimsoll-history/1"}\n', "holds a history, which has no spans: run it again"),
        ('{"format": "plimsoll-spans/1"}\n', "holds no spans: nothing was traced"),
        ("hello\n", r":1: error: not a file of spans, must begin with format plimsoll-spans/1"),
        ('{"format": "plimsoll-spans/1"}\n{"na\n', r":2: error: .*the line was cut off"),
        ('{"format": "plimsoll-spans/1"}\n{}\n', r":2: error: a span has no 'name'"),
        ('{"format": "plimsoll-spans/1"}\n[]\n', r":2: error: not a span"),
    ],
    ids=["history", "empty", "foreign", "cut off", "no span", "list"],
)
def test_a_file_that_cannot_be_shown_is_named(tmp_path: Path, content: str, error: str) -> None:
    path = tmp_path / "file.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(WrongUse, match=error):
        run_trace(path, "")


def test_an_id_must_be_of_one_trace(file: Path) -> None:
    with pytest.raises(WrongUse, match=r"no trace of .* has the id 'ff': list them with plimsoll"):
        run_trace(file, "ff")
    recorder = SpanRecorder(file.parent / "more.jsonl")
    recorder.take(span(7, trace_id="ab" * 16))
    recorder.close()
    with pytest.raises(WrongUse, match=r"2 traces begin with 'a' .*: give more of the id"):
        run_trace(file.parent, "a")
    with pytest.raises(WrongUse, match="cannot be read"):
        run_trace(file.parent / "missing", "")


def test_a_trace_over_devices_says_where_each_part_of_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asking, answering = span(1, kind=Kind.CLIENT), span(2, parent=1)
    asking.attributes, answering.attributes = {"device": "state"}, {"device": "compute"}
    recorder = SpanRecorder(tmp_path / "spans.jsonl")
    for one in (answering, asking):
        recorder.take(one)
    recorder.close()
    run_trace(tmp_path, FIRST)
    assert [line.split("  ")[0].rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "→ state/echo-LH EchoService/Call1",
        "└── ● compute/echo-LH EchoService/Call2",
    ]
