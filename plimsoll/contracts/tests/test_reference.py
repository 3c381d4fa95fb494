"""The reference is current, and says what the contracts say."""

from pathlib import Path

from plimsoll.contracts import mothers
from plimsoll.contracts.generation import image
from plimsoll.contracts.reference import pages, write_reference
from plimsoll.contracts.tools import ROOT


def test_the_reference_is_current() -> None:
    assert not write_reference(check_only=True)


def test_every_link_within_the_reference_leads_somewhere() -> None:
    texts = pages(image())
    for name, text in texts.items():
        for part in text.split("](")[1:]:
            page, _, anchor = part.partition(")")[0].partition("#")
            target = texts.get(page or name)
            if target is None:
                assert (ROOT / "docs/contracts" / page).resolve().exists(), page
            else:
                headings = [line.lstrip("# ") for line in target.splitlines() if line[:2] == "##"]
                anchors = {heading.replace(".", "").lower() for heading in headings}
                assert not anchor or anchor in anchors, f"{name}: {anchor}"


def test_a_method_is_shown_with_all_it_states() -> None:
    row = next(line for line in pages(image())["echo.md"].splitlines() if "[Echo](" in line)
    said = ("unary", "2 s", "by key `request_id`", "trader", "gateway", "500/s, p99 50 ms")
    assert [cell.strip() for cell in row.split("|")[2:-1]] == list(said)


def test_what_else_a_method_states_is_shown_below_it() -> None:
    text = pages(image())["exchange.md"]
    assert "- is never sent again by the runtime" in text.partition("### PlaceOrder")[2][:2000]
    assert "- is audited" in pages(image())["echo.md"]
    assert "- is urgent" in text.partition("### CancelOrder")[2][:1000]


def test_a_reason_is_shown_with_its_limit_and_whether_it_is_waived() -> None:
    text = pages(image())["types.md"]
    row = next(line for line in text.splitlines() if "RISK_REASON_POSITION_LIMIT" in line)
    assert "signal and order | 20 % of equity | yes |" in row


def test_rules_are_shown_in_words(workspace: Path) -> None:
    mothers.write_ping(workspace)
    text = pages(image(root=workspace))["ping.md"]
    assert "| `request_id` 1 | string | not empty | Makes a repeat recognizable. |" in text
    assert "| `parts` 4 | list of [Part](#part) |  | Several. |" in text


def test_an_edit_and_a_page_without_a_contract_are_noticed(workspace: Path) -> None:
    mothers.write_ping(workspace)
    write_reference(root=workspace)
    folder = workspace / "docs/contracts"
    (folder / "ping.md").write_text("edited")
    (folder / "gone.md").write_text("")
    changes = write_reference(root=workspace, check_only=True)
    assert [path.name for path in changes.written] == ["ping.md"]
    assert [path.name for path in changes.removed] == ["gone.md"]
    write_reference(root=workspace)
    assert not write_reference(root=workspace, check_only=True)
