"""A file that is wrong is refused with all that is wrong with it, each at its line."""

from pathlib import Path

import pytest

from runtime.topology import TopologyError, load, parse
from runtime.topology.findings import any_of
from runtime.topology.tests.files import SERVICES, TWO

EVERY = any_of(sorted(SERVICES))
PLACES = "left, right, mysql, redis or exchange"


def findings_of(text: str) -> list[str]:
    """Return what is wrong with a file, as `line: message`."""
    with pytest.raises(TopologyError) as refused:
        parse(text, SERVICES, "x.yaml")
    assert all(finding.path == "x.yaml" for finding in refused.value.findings)
    return [f"{finding.line}: {finding.message}" for finding in refused.value.findings]


def with_line(number: int, new: str) -> str:
    """Return the valid file with another line."""
    lines = TWO.splitlines()
    lines[number - 1] = new
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("line", "new", "message"),
    [
        (
            5,
            "    cpu: 1.5",
            "5: 'cpu' is no key of device left, must be cpus, memory, services or standbys: "
            "write cpus",
        ),
        (5, "    cpus: 0", "5: cpus of device left is '0', must be a number above 0, such as 1.5"),
        (5, "    cpus: -1", "5: cpus of device left is '-1', must be a number above 0"),
        (
            6,
            "    memory: 512 MB",
            "6: memory of device left is '512 MB', must be at least 192 MiB, such as 512 MiB: "
            "write 512 MiB",
        ),
        (6, "    memory: 100 MiB", "6: memory of device left is '100 MiB', must be at least"),
        (6, "    memory: 512", "add the unit, write 512 MiB or GiB"),
        (6, "", "4: device left has no memory, must have at least 192 MiB, such as 512 MiB: add"),
        (6, "    memory: 1 GiB # and\n    memory: 2 GiB", "7: 'memory' is here a second time "),
        (7, "    services: marketdata", "7: services of device left is 'marketdata', must be a l"),
        (7, "    services:", "7: services of device left is empty, must be a list of services: "),
        (
            7,
            "    services: [marketdata, indicator, portfolio]",
            f"7: device left lists 'indicator', must be {EVERY}: write indicators",
        ),
        (7, "    services: [marketdata, 'x y', portfolio]", f"must be {EVERY}: remove it"),
        (
            7,
            "    services: [marketdata, portfolio]",
            "3: indicators is on no device, must be on one: add it to the services of a device",
        ),
        (
            7,
            "    services: [marketdata, indicators, portfolio, risk]",
            "14: risk runs on right, and on left (line 7) as well, must be listed once: remove",
        ),
        (
            7,
            "    services: [marketdata, indicators, portfolio, portfolio]",
            "7: portfolio is listed twice for left, first in line 7, must be listed once: remove",
        ),
        (
            8,
            "    standbys: [portfolio]",
            "8: left is the standby of portfolio and runs it, must be another device: list it",
        ),
        (8, "    standbys: [marketdata]", "18: marketdata has a standby on right, and on left (l"),
        (8, "    standbys: [risks]", "8: device left lists 'risks', must be"),
        (
            13,
            "      - risk: 1",
            "13: an item of services of device right is a mapping, must be the",
        ),
        (9, "  Right:", "9: a device is called 'Right', must be a letter and at most 39 of a-z"),
        (9, "  mysql:", "9: a device is called mysql, must not be called mysql, redis or exchang"),
        (20, "  latency: 1 ms2", "20: latency of default_link is '1 ms2', must be a time one way"),
        (21, "  bandwidth: 0 kB/s", "21: bandwidth of default_link is '0 kB/s', must be a rate e"),
        (23, "  - between: [left, rigth]", f"23: a link names 'rigth', must be {PLACES}: write ri"),
        (23, "  - between: [left, left]", "23: a link joins left with itself, must join two plac"),
        (23, "  - between: [redis, mysql]", "23: a link joins redis and mysql, must have a device"),
        (23, "  - between: [left]", "23: between of link 1 is [left], must be a pair of devices, "),
        (26, "  - between: [left, right]", "26: left and right are joined a second time (first in"),
        (24, "    latency: soon", "24: latency of the link between right and left is 'soon', must"),
        (22, "links: many\nrest:", "22: links is 'many', must be a list of links: correct it"),
        (3, "device:", "3: 'device' is no key of the topology, must be name, title, devices, def"),
        (1, "name: Two", "1: name is 'Two', must be a letter and at most 39 of a-z 0-9 -, as its"),
        (2, 'title: "a\\nb"', "2: title is 'a\\nb', must be a line of 1 to 100 characters"),
    ],
)
def test_each_slip_is_named_with_its_line_and_the_way_out(
    line: int, new: str, message: str
) -> None:
    assert any(message in found for found in findings_of(with_line(line, new))), findings_of(
        with_line(line, new)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: is empty, must be a topology: copy one of those that ship"),
        ("# only a remark\n", "1: is empty, must be a topology: copy one of those that ship"),
        ("- a\n- b\n", "1: the topology is [a, b], must be a mapping of name, title, devices, "),
        ("name: a\n bad: b\n", "2: is no YAML: mapping values are not allowed here; correct "),
        ("name: two\nx: [1,\ny: 2\nz: 3\n", "2: is no YAML while parsing a flow sequence: "),
        ("name: 'two\nx: y\n", "1: is no YAML while scanning a quoted scalar: found unexpected "),
        ("name: a\nkey\n\nb: c\n", "2: is no YAML: a key has no ':' after it; add it"),
        ("a:\n  b: c\n d: e\n", "3: is no YAML: it is indented by 1, must be by 0 as in line 1 or"),
        ("name: a\n\tb: c\n", "2: is no YAML: found character '\\t' that cannot start any token"),
        ("name: two\n---\nname: two\n", "2: a second document begins here, must be one: remove"),
        ("name: &a two\ntitle: *a\n", "1: &a is an anchor, must not be given: remove it"),
        ("name: &a two\ntitle: *a\n", "2: *a is an alias, must be the thing itself: write it out"),
        ("name: !!int 3\n", "1: tag:yaml.org,2002:int is a tag, must not be given: remove it"),
        ("name: a\n[1]: b\n", "2: a key is a list or a mapping, must be a word: rename it"),
        ("name: a\nb: \x07\n", "2: has the character '\\x07', must be printable text: remove it"),
        ("name: a\n#\u2028\n", "2: has the character '\\u2028', must be printable text: remove it"),
        ("name: a\r# b\r\n", "1: has the character '\\r', must be printable text: remove it"),
        ("x: " + "[" * 5000, "1: is nested 9 deep, must be at most 8: close a bracket"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_where_it_goes_wrong(text: str, message: str) -> None:
    assert any(found.startswith(message) for found in findings_of(text)), findings_of(text)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = TWO.replace("1.5", "none").replace("3 ms", "3 m").replace("- risk", "- rick")
    assert [found.split(":")[0] for found in findings_of(text)] == ["5", "14", "24"]


def test_texts_that_yaml_takes_for_something_else_stay_texts() -> None:
    text = TWO.replace("title: Two devices", "title: no").replace("right", "on")
    assert parse(text, SERVICES, "x.yaml").title == "no"
    assert tuple(parse(text, SERVICES, "x.yaml").devices) == ("left", "on")


def test_a_device_with_nothing_to_do_is_refused_and_a_spare_one_is_not() -> None:
    spare = "  spare:\n    cpus: 1\n    memory: 256 MiB\n    services: []\n"
    idle = TWO.replace("default_link:", f"{spare}default_link:")
    assert findings_of(idle) == [
        "19: device spare has nothing to do, must have services or standbys: add one, or remove "
        "the device"
    ]
    used = TWO.replace("default_link:", f"{spare}    standbys: [strategy]\ndefault_link:")
    assert parse(used, SERVICES, "x.yaml").standby_of("strategy") == "spare"


def test_a_finding_begins_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(with_line(5, "    cpus: many"), encoding="utf-8")
    with pytest.raises(TopologyError) as refused:
        load(path, SERVICES)
    assert str(refused.value).startswith(f"{path}:5: cpus of device left is 'many', must be")


def test_an_unknown_name_is_answered_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(TWO, encoding="utf-8")
    assert load("two", SERVICES, folder=tmp_path).name == "two"
    with pytest.raises(TopologyError) as refused:
        load("tow", SERVICES, folder=tmp_path)
    assert str(refused.value) == (
        "tow: is no topology, must be two, or the path of a file: write two"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.yaml", "is not there, must be a file: name bytes.yaml of its folder"),
        ("", "cannot be read (Is a directory), must be a file: name another"),
        ("bytes.yaml", ":2: has the byte 0xff, must be UTF-8: save it as such"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"name: two\ntitle: \xff\n")
    with pytest.raises(TopologyError) as refused:
        load(f"{tmp_path}/{name}", SERVICES)
    assert message in str(refused.value)
