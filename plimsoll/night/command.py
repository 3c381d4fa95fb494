"""`plimsoll nightly-summary`: the page of a night."""

import sys
from pathlib import Path

from plimsoll.failures import STATUS
from plimsoll.night.page import parts, render
from plimsoll.night.reading import read_night

PAGE = "summary.html"


def run_nightly_summary(folder: Path) -> int:
    """Write the page into the folder of a night; return the exit status of what it comes to."""
    night = read_night(folder)
    page = folder / PAGE
    page.write_text(render(night, lambda path: (folder / path).exists()), encoding="utf-8")
    for path, problem in night.broken.items():
        sys.stdout.write(f"cannot be read: {path}: {problem}\n")
    for name, counted in parts(night):
        sys.stdout.write(f"{name}: {counted}\n")
    said = "nothing was run" if night.is_empty else night.verdict
    sys.stdout.write(f"{night.name}: {said}\nreport: {page}\n")
    return STATUS[night.verdict]
