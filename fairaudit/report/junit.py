"""A verdict as JUnit XML, which CI systems show as tests.

A fail is a failure; what is inconclusive or waived is skipped, with the reason. Findings that only inform are
properties, since a skipped test of theirs would look like one that was to be run.

References
----------
The schema that Jenkins' xUnit plugin publishes, junit-10.xsd, whose elements GitLab and GitHub read too.
"""

from __future__ import annotations

from xml.etree import ElementTree

from fairaudit.gating import in_words
from fairaudit.report.wording import clean
from fairaudit.verdict import Finding, Verdict


def junit_report(verdict: Verdict) -> str:
    """Render a verdict as JUnit XML.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    str
        A test for each finding of a rule that is enforced: its class is the rule, its name the cohort.
    """
    tests = [f for f in verdict.findings if not _informs(f)]
    suite = ElementTree.Element(
        "testsuite",
        name="fairaudit gate",
        tests=str(len(tests)),
        failures=str(sum(f.status == "fail" for f in tests)),
        errors="0",
        skipped=str(sum(f.status in ("inconclusive", "waived") for f in tests)),
        time="0",
        timestamp=verdict.created_at[:19],
    )
    properties = ElementTree.SubElement(suite, "properties")
    said = {"verdict": verdict.status, "policy": verdict.policy["name"], **verdict.result}
    rows = [*said.items(), *(("warning", warning) for warning in verdict.warnings)]
    rows += [
        (f"informs: {f.rule}, {f.subject}", f"{f.status}: {f.reason}")
        for f in verdict.findings
        if _informs(f)
    ]
    for name, value in rows:
        ElementTree.SubElement(properties, "property", name=clean(name), value=clean(value))
    for finding in tests:
        _case(suite, finding)
    whole = ElementTree.Element(
        "testsuites", {key: suite.attrib[key] for key in ("name", "tests", "failures", "errors")}
    )
    whole.append(suite)
    ElementTree.indent(whole)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(whole, encoding="unicode")}\n'


def _informs(finding: Finding) -> bool:
    return finding.mode == "inform" or (not finding.blocks and finding.status == "inconclusive")


def _case(suite: ElementTree.Element, finding: Finding) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=clean(finding.rule), name=clean(finding.subject), time="0"
    )
    said = clean(in_words(finding))
    if finding.status == "fail":
        failure = ElementTree.SubElement(case, "failure", message=clean(finding.reason), type=finding.bound)
        failure.text = said
    elif finding.status != "pass":
        ElementTree.SubElement(case, "skipped", message=f"{finding.status}: {said}")
