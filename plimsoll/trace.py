"""`plimsoll trace`: one trace as a tree, from a file of spans."""

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from fixtures.saved import is_history
from plimsoll.failures import WrongUse
from runtime.observe.recorder import SpansError, load
from runtime.observe.spans import Kind, Span
from runtime.observe.story import Node, Stories, Summary
from runtime.times import NS_PER_S

LISTED_MAX = 40
WIDTH = 160  # Off a terminal: a tree is not worth breaking its lines for.
MARKS = {Kind.CLIENT: "→", Kind.SERVER: "●", Kind.PRODUCER: "»", Kind.CONSUMER: "«"}
CALM = ("OK", "CANCELLED")


def run_trace(path: Path, trace_id: str) -> int:
    """Print the trace whose id begins with `trace_id`, or a list of all; return the status."""
    stories = Stories(_spans(path))
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    if not trace_id:
        _print_list(console, path, stories.summaries())
        return 0
    for root in stories.tree(_chosen(path, stories, trace_id)):
        console.print(_branch(root, Tree(_line(root))))
    return 0


def _spans(path: Path) -> list[Span]:
    """Return the spans of a file, or of all files of a folder."""
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    found = [span for file in files if not is_history(file) for span in _loaded(file)]
    if found:
        return found
    if any(map(is_history, files)):
        raise WrongUse(
            f"{path} holds a history, which has no spans: run it again as "
            "PLIMSOLL_SPANS=spans.jsonl plimsoll trial …, then trace spans.jsonl"
        )
    raise WrongUse(
        f"{path} holds no spans: nothing was traced, or nothing was called; set PLIMSOLL_SPANS to "
        "a file, and OTEL_TRACES_SAMPLER_ARG=1 to keep every trace"
    )


def _loaded(file: Path) -> list[Span]:
    try:
        return load(file)
    except SpansError as error:
        raise WrongUse(str(error)) from error


def _chosen(path: Path, stories: Stories, prefix: str) -> str:
    found = stories.named(prefix)
    if len(found) == 1:
        return found[0]
    if not found:
        raise WrongUse(
            f"no trace of {path} has the id {prefix!r}: list them with plimsoll trace {path}"
        )
    shown = ", ".join(one[: len(prefix) + 4] for one in found[:3])
    raise WrongUse(f"{len(found)} traces begin with {prefix!r} ({shown}, …): give more of the id")


def _print_list(console: Console, path: Path, summaries: list[Summary]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("trace", "begins", "takes", "spans", "services", "first", "ended"):
        table.add_column(title, justify="right" if title in ("takes", "spans") else "left")
    for one in summaries[:LISTED_MAX]:
        table.add_row(
            one.trace_id,
            f"{datetime.fromtimestamp(one.start_ns / NS_PER_S, UTC):%Y-%m-%d %H:%M:%S.%f}",
            _duration(one.duration_ns),
            str(one.spans),
            str(one.services),
            escape(f"{one.service} {one.name}"),
            _coloured(one.code),
        )
    console.print(table)
    if (left := len(summaries) - LISTED_MAX) > 0:
        console.print(f"and {left} shorter ones")
    console.print(f"one of them as a tree: plimsoll trace {path} {summaries[0].trace_id[:12]}")


def _branch(node: Node, tree: Tree) -> Tree:
    for child in node.children:
        _branch(child, tree.add(_line(child)))
    return tree


def _line(node: Node) -> str:
    """Return a span in a line: where, what, how long, how it ended, and what it was about."""
    span = node.span
    way = "⇢ " if node.is_linked else ""
    device = span.attributes.get("device", "")
    at = f"[cyan]{escape(str(device))}[/]/" if device else ""
    who = f"{at}[bold]{escape(span.instance_name)}[/]"
    parts = [
        f"{way}{MARKS[span.kind]} {who} {escape(span.name)}",
        _duration(span.duration_ns),
        _coloured(span.code),
    ]
    if attempt := span.attributes.get("attempt"):
        parts.append(f"attempt {attempt}")
    if attempts := span.attributes.get("attempts"):
        parts.append(f"{attempts} attempts")
    for name in ("reason", "client_order_id", "signal_id"):
        if value := span.attributes.get(name):
            parts.append(f"[dim]{escape(str(value))}[/]")
            break
    if more := len(span.links) - 1:
        parts += [f"[dim]linked to {more} more[/]"] if more > 0 else []
    return "  ".join(parts)


def _duration(duration_ns: int) -> str:
    if duration_ns < NS_PER_S // 10:
        return f"{duration_ns / 1e6:.3f} ms"
    return f"{duration_ns / NS_PER_S:.3f} s"


def _coloured(code: str) -> str:
    return f"[{'green' if code in CALM else 'red'}]{escape(code)}[/]"
