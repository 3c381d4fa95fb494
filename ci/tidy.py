"""Hold the house to its rules: arrows between folders, banned calls, sizes.

Prints `path:line: error: X, use Y` for each breach and exits 1 when there is one.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GENERATED = ("contracts/python/", "contracts/third_party/")
OURS = ("runtime", "services", "fixtures", "features", "loadtests", "chaos", "plimsoll", "ci")

# Which of our packages a folder may import; `trading` and `buf` are the generated contracts.
CONTRACTS = {"trading", "buf"}
ARROWS: dict[str, set[str]] = {
    "contracts": CONTRACTS | {"runtime"},
    "runtime": {"runtime"},
    "services": CONTRACTS | {"runtime", "services"},
    "fixtures": CONTRACTS | {"runtime", "services", "fixtures"},
    "features": CONTRACTS | {"runtime", "fixtures", "features"},
    "loadtests": CONTRACTS | {"runtime", "loadtests"},
    "chaos": CONTRACTS | {"runtime", "fixtures", "chaos"},
    "plimsoll": CONTRACTS | set(OURS),
    "ci": {"ci"},
}
PACKAGES = CONTRACTS | set(OURS)
# What tries out the runtime needs some contract to call: the echo, or one of the platform's.
TRIALS_OF_RUNTIME = (
    "runtime/tests/",
    "runtime/bench/",
    "runtime/observe/bench.py",
    "runtime/observe/tests/",
    "runtime/fallback/tests/",
    "runtime/load/bench/",
    "runtime/load/tests/",
    "runtime/rest/tests/",
    "runtime/stores/tests/",
    "runtime/targets/tests/",
)
# Knows every service: the composition root and the process that hosts it.
ROOTS_OF_COMPOSITION = (
    "services/wiring.py",
    "services/host/surroundings.py",
    "services/host/opening.py",
    "services/host/device.py",
    "services/preparing.py",
    "services/__main__.py",
)
# Outside runtime/ these make a run depend on the machine instead of the seed.
BANNED = {
    "time.time": "environment.clock",
    "time.time_ns": "environment.clock",
    "time.sleep": "asyncio.sleep",
    "datetime.now": "environment.clock",
    "datetime.utcnow": "environment.clock",
    "datetime.datetime.now": "environment.clock",
    "datetime.date.today": "environment.clock",
    "date.today": "environment.clock",
    "uuid.uuid4": "environment.ids",
    "uuid4": "environment.ids",
    "threading.Thread": "environment.tasks",
    "asyncio.to_thread": "environment.tasks",
}
RANDOM = re.compile(r"^random\.(?!Random$)")
# Benchmarks read the machine's clock, and the process hands chance out: that is their job.
MEASURES = ("/bench.py", "/bench/", "services/__main__.py", "services/host/surroundings.py")

FILE_LINES, FUNCTION_LINES, LINE_COLUMNS, PARAMETERS, NESTING = 300, 50, 100, 5, 3
SCENARIO_STEPS, STEP_LINES = 7, 8
VAGUE_NAMES = {"utils", "helpers", "common", "base", "manager", "converters"}
# What is larger than the rule allows, and why.
EXCEPTIONS: dict[str, str] = {}


@dataclass(frozen=True, order=True)
class Breach:
    """One place that breaks a rule."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        """Return the line an editor can jump to."""
        return f"{self.path}:{self.line}: error: {self.message}"


Rule = Callable[[str, ast.Module], Iterator[tuple[int, str]]]


def arrows(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Each folder imports only what DESIGN's table allows it."""
    folder = path.split("/")[0]
    allowed = ARROWS.get(folder)
    if allowed is not None and path.startswith(TRIALS_OF_RUNTIME):
        allowed = allowed | CONTRACTS
    for line, module in _imports(tree):
        package = module.split(".")[0]
        if package not in PACKAGES or allowed is None:
            continue
        if package not in allowed:
            yield line, f"{folder}/ imports {module}, use only {', '.join(sorted(allowed))}"
        elif folder == package == "services" and path not in ROOTS_OF_COMPOSITION:
            own = ".".join(path.split("/")[:2]).removesuffix(".py")
            above = path.count("/") == 1 or path.startswith("services/tests/")
            allowed_here = (f"{own}.", "services.host.") if above else (f"{own}.",)
            if not f"{module}.".startswith(allowed_here):
                yield line, f"{own} imports {module}, use its port from trading.*"


def purity(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Only servicers, stores and the wiring of a service know protobuf, SQL or the loop."""
    parts = path.split("/")
    if parts[0] != "services" or "domain" not in parts[-1]:
        return
    for line, module in _imports(tree):
        if module.split(".")[0] in {"google", "grpc", "sqlalchemy", "redis", "asyncio", "trading"}:
            yield line, f"a domain module imports {module}, use plain values"


def banned_calls(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Time, chance and ids come from the environment."""
    if path.startswith(("runtime/", "ci/")) or any(m in path for m in MEASURES):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name in BANNED:
            yield node.lineno, f"calls {name}, use {BANNED[name]}"
        elif RANDOM.match(name):
            yield node.lineno, f"calls {name}, use environment.rng"


def sizes(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Functions stay small enough to read at a glance."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES:
            yield node.lineno, f"{node.name} has {length} lines, use at most {FUNCTION_LINES}"
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        count = len([a for a in given if a.arg not in {"self", "cls"}])
        if count > PARAMETERS and not (_takes_fixtures(path) or _is_command(node)):
            yield node.lineno, f"{node.name} takes {count} parameters, use at most {PARAMETERS}"
        if (depth := _depth(node)) > NESTING:
            yield node.lineno, f"{node.name} nests {depth} deep, use at most {NESTING}"


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a function is a command of the shell: its options are its parameters."""
    return any(ast.unparse(decorator) == "app.command()" for decorator in node.decorator_list)


def steps(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """A Gherkin step is short and goes straight on."""
    if not path.startswith("features/"):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not _is_step(node):
            continue
        body = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
        if body > STEP_LINES:
            yield node.lineno, f"step {node.name} has {body} lines, use at most {STEP_LINES}"
        for inner in ast.walk(node):
            if isinstance(inner, ast.If | ast.For | ast.While | ast.AsyncFor):
                yield inner.lineno, f"step {node.name} branches or loops, use a function it calls"


PYTHON_RULES: tuple[Rule, ...] = (arrows, purity, banned_calls, sizes, steps)


def check_python(path: str, text: str) -> Iterator[Breach]:
    """Return every breach of one Python file."""
    lines = text.splitlines()
    if len(lines) > FILE_LINES and path not in EXCEPTIONS:
        yield Breach(path, len(lines), f"{len(lines)} lines, use at most {FILE_LINES}")
    if Path(path).stem in VAGUE_NAMES:
        yield Breach(path, 1, f"is called {Path(path).stem}, use the noun it is about")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS:
            yield Breach(path, number, f"{len(line)} columns, use at most {LINE_COLUMNS}")
    tree = ast.parse(text)
    for rule in PYTHON_RULES:
        for line_number, message in rule(path, tree):
            yield Breach(path, line_number, message)


def check_feature(path: str, text: str) -> Iterator[Breach]:
    """Return every breach of one Gherkin file: few steps, one When, a rule as title."""
    for title, start, block in _scenarios(text):
        keywords = [line.split()[0] for line in block if line]
        stated = [k for k in keywords if k in {"Given", "When", "Then", "And", "But", "*"}]
        if len(stated) > SCENARIO_STEPS:
            yield Breach(path, start, f"{len(stated)} steps, use at most {SCENARIO_STEPS}")
        if keywords.count("When") > 1:
            yield Breach(path, start, "more than one When, use one event per scenario")
        if " should " in f" {title} ":
            yield Breach(path, start, 'title says "should", use the present tense')


def main() -> int:
    """Check every file git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py", "*.feature"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    breaches: list[Breach] = []
    for path in sorted(set(listed.stdout.split())):
        file = ROOT / path
        if path.startswith(GENERATED) or not file.exists():
            continue
        check = check_python if path.endswith(".py") else check_feature
        breaches.extend(check(path, file.read_text(encoding="utf-8")))
    for breach in sorted(breaches):
        sys.stdout.write(f"{breach}\n")
    return 1 if breaches else 0


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def _takes_fixtures(path: str) -> bool:
    return "/tests/" in path or path.startswith("features/") or path.endswith("conftest.py")


def _is_step(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = [ast.unparse(d).split("(")[0].split(".")[-1] for d in node.decorator_list]
    return any(name in {"given", "when", "then"} for name in names)


def _depth(node: ast.AST) -> int:
    blocks = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        chained = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        deepest = max(deepest, _depth(child) + (isinstance(child, blocks) and not chained))
    return deepest


def _scenarios(text: str) -> Iterator[tuple[str, int, list[str]]]:
    title, start, block = "", 0, list[str]()
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith(("Scenario", "Background:")):
            if start:
                yield title, start, block
            title, start, block = line.partition(":")[2].strip(), number, []
        elif start and not line.startswith(("#", "@", "|", '"""')):
            block.append(line)
    if start:
        yield title, start, block


if __name__ == "__main__":
    sys.exit(main())
