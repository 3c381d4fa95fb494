"""Any slip in a file that ships is harmless, or named where it is.

Hypothesis draws the file, the line and the slip. Where a slip breaks what another line says (a
device is renamed that a link names), that line is named, and the message has the word.
"""

import re

from hypothesis import given
from hypothesis import strategies as st

from runtime.topology import FOLDER, Finding, TopologyError, names, parse
from runtime.topology.tests.files import SERVICES

SHIPPED = {name: (FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in names()}
QUANTITY = re.compile(r"\s+(cpus|memory|latency|bandwidth): (.+)")
KEY = re.compile(r"\s*(?:- )?(\w+):")
NO_QUANTITY = ("", "soon", "-1", "7 parsec", "[1, 2]", "{a: 1}", "nan", "0x10", '"1 kg"', "0 x")
WORD = re.compile(r"[A-Za-z][\w-]*")

files = st.sampled_from(sorted(SHIPPED))


def findings_of(lines: list[str]) -> tuple[Finding, ...]:
    """Return what is wrong with a file; nothing when it is right."""
    try:
        parse("\n".join(lines) + "\n", SERVICES, "x.yaml")
    except TopologyError as error:
        return error.findings
    return ()


def drawn_line(data: st.DataObject, lines: list[str], wanted: re.Pattern[str]) -> int:
    """Draw a line that matches, counted from 0."""
    return data.draw(st.sampled_from([n for n, line in enumerate(lines) if wanted.match(line)]))


@given(files, st.sampled_from(NO_QUANTITY), st.data())
def test_a_wrong_quantity_is_named_at_its_line(name: str, wrong: str, data: st.DataObject) -> None:
    lines = SHIPPED[name].splitlines()
    n = drawn_line(data, lines, QUANTITY)
    key = lines[n].split(":")[0]
    lines[n] = f"{key}: {wrong}"
    found = findings_of(lines)
    assert [finding.line for finding in found] == [n + 1]
    assert found[0].message.startswith(f"{key.strip()} of ")


@given(files, st.data())
def test_a_key_that_is_misspelt_is_named_at_its_line(name: str, data: st.DataObject) -> None:
    lines = SHIPPED[name].splitlines()
    n = drawn_line(data, lines, KEY)
    lines[n] = KEY.sub(lambda m: m[0][:-1] + "x:", lines[n], count=1)
    key = KEY.match(SHIPPED[name].splitlines()[n])
    assert key is not None
    found = findings_of(lines)
    is_device = key[0].startswith("  ") and lines[n].endswith(":")
    if is_device:  # Free to be renamed, but for the links that name it.
        assert all(f"a link names '{key[1]}'" in finding.message for finding in found)
        assert all(f"write {key[1]}x" in finding.message for finding in found)
    else:
        assert any(f.line == n + 1 and f"write {key[1]}" in f.message for f in found)


@given(files, st.data())
def test_a_line_that_is_doubled_is_named_at_its_line(name: str, data: st.DataObject) -> None:
    lines = SHIPPED[name].splitlines()
    n = drawn_line(data, lines, KEY)
    lines.insert(n, lines[n])
    assert {finding.line for finding in findings_of(lines)} & {n + 1, n + 2}


@given(files, st.data())
def test_a_line_that_is_missing_is_missed(name: str, data: st.DataObject) -> None:
    lines = SHIPPED[name].splitlines()
    n = drawn_line(data, lines, KEY)
    gone = lines.pop(n)
    found = findings_of(lines)
    if not gone.strip().startswith(("standbys", "links")):
        assert is_named(found, n, gone) or is_named(found, n + 1)


@given(files, st.sampled_from([*SERVICES, "nobody", "", "riskk"]), st.data())
def test_a_wrong_service_is_named_at_its_line(name: str, new: str, data: st.DataObject) -> None:
    lines = SHIPPED[name].splitlines()
    n = drawn_line(data, lines, re.compile(r"\s+(services|standbys): "))
    key, _, listed = lines[n].partition(": ")
    services = listed.strip("[]").split(", ")
    old = data.draw(st.sampled_from(services))
    lines[n] = f"{key}: [{', '.join(new if s == old else s for s in services)}]"
    found = findings_of(lines)
    # One standby less is a choice. One twice is named where it stands the second time.
    is_choice = new == old or (not new and key.strip() == "standbys")
    assert is_named(found, n + 1, new, old) or is_choice


@given(files, st.characters(codec="utf-8", exclude_characters="\n"), st.data())
def test_any_single_character_is_harmless_or_named(
    name: str, character: str, data: st.DataObject
) -> None:
    lines = SHIPPED[name].splitlines()
    n = drawn_line(data, lines, re.compile(r"\s*[^#\s]"))
    at = data.draw(st.integers(0, len(lines[n])))
    cut = data.draw(st.integers(0, 1))
    before, lines[n] = lines[n], f"{lines[n][:at]}{character}{lines[n][at + cut :]}"
    found = findings_of(lines)
    assert all(1 <= finding.line <= len(lines) + 1 for finding in found)
    assert not found or is_named(found, n + 1, before, lines[n])


def is_named(found: tuple[Finding, ...], line: int, *texts: str) -> bool:
    """Tell whether a finding is at the line or points at it, or has a word that was or is there."""
    pointed = {int(n) for f in found for n in re.findall(r"line (\d+)", f.message)}
    near = {line, line + 1} if any("is no YAML" in f.message for f in found) else {line}
    at_line = near & {f.line for f in found} or line in pointed
    return bool(at_line) or any(mentions(found, text) for text in texts)


def mentions(found: tuple[Finding, ...] | list[Finding], text: str) -> bool:
    """Tell whether a finding has a word of the text in it."""
    words = set(WORD.findall(text))
    return any(words & set(WORD.findall(finding.message)) for finding in found)
