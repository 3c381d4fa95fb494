"""`plimsoll stores` as an administrator meets it: what it says, and its statuses."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from plimsoll.__main__ import app
from plimsoll.failures import WrongUse

RUN = CliRunner()


def stores(*words: str, url: str) -> tuple[int, str]:
    """Return the status and what was printed; wrong use ends with status 2 and its message."""
    ended = RUN.invoke(app, ["stores", *words], env={"PLIMSOLL_STORE_URL": url})
    if isinstance(ended.exception, WrongUse):
        return 2, str(ended.exception)
    return ended.exit_code, ended.output


def test_a_schema_goes_forward_and_back_and_says_where_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'risk.sqlite'}"
    named = ("--service", "risk")
    status, text = stores("upgrade", *named, "--to", "0001", url=url)
    assert (status, text.split(";")[0][:20]) == (0, "risk: revision risk_")
    status, text = stores("check", *named, url=url)
    assert status == 1
    assert "the newest is risk_" in text
    assert "run plimsoll stores upgrade --service risk" in text
    assert stores("upgrade", *named, url=url)[0] == 0
    status, text = stores("check", *named, url=url)
    assert status == 0
    assert ", the newest;" in text
    status, text = stores("downgrade", *named, "--to", "base", url=url)
    assert status == 0
    assert text.endswith("; 0 tables\n")


@pytest.mark.parametrize(
    ("words", "url", "status", "message"),
    [
        (["check", "--service", "nobody"], "x", 2, "no service 'nobody' keeps tables, must be one"),
        (["check", "--service", "orders"], "x", 2, "'x' is no URL of a database"),
        (["check", "--service", "orders"], "sqlite:////no/file", 2, "there is no file /no/file"),
        (["upgrade", "--service", "orders"], "mysql://u:pw@127.0.0.1:1/s", 1, "Can't connect"),
        (["downgrade", "--service", "orders", "--to", "-2"], "sqlite:////no/x", 2, "not one of"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    words: list[str], url: str, status: int, message: str
) -> None:
    ended, text = stores(*words, url=url)
    assert (ended, message in text) == (status, True), text
    assert len(text.strip().splitlines()) == 1
    assert "pw" not in text
