"""Puts every form of a result into a folder."""

import json
from pathlib import Path

from runtime.load.report import rows
from runtime.load.report.junit import junit
from runtime.load.report.page import page
from runtime.load.report.result import Result

JSON, SUMMARY, TIMELINE = "load.json", "load.csv", "load-seconds.csv"
JUNIT, PAGE = "load-junit.xml", "load.html"


def write(result: Result, folder: Path) -> list[Path]:
    """Write all reports into `folder`, which is made if need be; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        JSON: json.dumps(result.to_object(), separators=(",", ":")),
        SUMMARY: rows.summary(result),
        TIMELINE: rows.timeline(result),
        JUNIT: junit(result),
        PAGE: page(result),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def read(path: Path) -> Result:
    """Return the result that was written as JSON to `path`."""
    return Result.from_object(json.loads(path.read_text(encoding="utf-8")))
