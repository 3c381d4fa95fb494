"""A result as JUnit XML: a suite for each run, a case for each thing that it had to keep."""

from xml.etree import ElementTree as Xml

from runtime.load.report.result import Result, Run
from runtime.load.verdict import Outcome, unkept


def junit(result: Result) -> str:
    """Return the document. What is void is an error there: nobody knows whether it failed."""
    root = Xml.Element("testsuites", name="load")
    for name, number, run in result.numbered():
        _suite(root, f"{name} at {run.measured.multiple:g}x, run {number}", run)
    if result.checks:
        suite = Xml.SubElement(root, "testsuite", name="checks")
        for name, found in result.checks.items():
            _case(suite, name, "failure", found)
    for suite in [root, *root.iter("testsuite")]:
        cases = list(suite.iter("testcase"))
        suite.set("tests", str(len(cases)))
        for kind in ("failure", "error"):
            suite.set(f"{kind}s", str(sum(case.find(kind) is not None for case in cases)))
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: Xml.Element, name: str, run: Run) -> None:
    suite = Xml.SubElement(root, "testsuite", name=name, time=f"{run.measured.duration_s:g}")
    verdict = run.verdict
    is_void = verdict.outcome is Outcome.VOID
    _case(suite, "the run is valid", "error", "; ".join(verdict.reasons) if is_void else "")
    if is_void:
        return
    promises = "all is offered, and done once"
    _case(suite, promises, "failure", "; ".join(unkept(run.profile, run.measured)))
    for figure in verdict.figures:
        if figure.limit_ms:
            title = f"{figure.series} {figure.name} is at most {figure.limit_ms:g} ms"
            found = "" if figure.is_kept else f"it is {figure.estimate.value:,.1f} ms"
            _case(suite, title, "failure", found)


def _case(suite: Xml.Element, title: str, kind: str, found: str) -> None:
    case = Xml.SubElement(suite, "testcase", name=title, classname=suite.get("name", ""))
    if found:
        Xml.SubElement(case, kind, message=found)
