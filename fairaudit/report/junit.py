"""A verdict as JUnit XML, which CI systems show as tests.

A fail is a failure; what is inconclusive or waived is skipped, with the reason. Findings that only inform are
properties, since a skipped test of theirs would look like one that was to be run. Properties also tell what
was gated, and of how much data.

References
----------
The schema that Jenkins' xUnit plugin publishes and checks by, junit-10.xsd, whose elements GitLab and GitHub
read too. It has `skipped` in a suite, and not in the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree

from fairaudit.gating import in_words
from fairaudit.verdict import Finding, Verdict
from fairaudit.wording import clean


def junit_report(verdict: Verdict) -> str:
    """Render a verdict as JUnit XML.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    str
        A test for each finding of a rule that is enforced: its class is the rule, its name partition and
        cohort. Where two would be called alike, a name ends with the id of the cohort, or a number.
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
    for name, value in _properties(verdict):
        ElementTree.SubElement(properties, "property", name=clean(name), value=clean(value))
    for finding, name in zip(tests, _names(tests), strict=True):
        _case(suite, finding, name)
    totals = ("name", "tests", "failures", "errors", "time")
    whole = ElementTree.Element("testsuites", {key: suite.attrib[key] for key in totals})
    whole.append(suite)
    ElementTree.indent(whole)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(whole, encoding="unicode")}\n'


def _informs(finding: Finding) -> bool:
    return finding.mode == "inform" or (not finding.blocks and finding.status == "inconclusive")


def _properties(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield what is known of the whole."""
    yield "verdict", verdict.status if verdict.enforced else "nothing is enforced"
    yield "policy", verdict.policy["name"]
    yield from verdict.result.items()
    basis = verdict.basis
    yield "utterances", str(basis.utterances)
    yield "speakers", str(basis.speakers)
    for name, n in (basis.pairing or {}).items():
        yield f"pairing: {name}", str(n)
    for column, values in basis.where.items():
        yield f"where: {column}", ", ".join(values)
    for reason, n in basis.excluded.items():
        yield f"excluded: {reason}", str(n)
    for warning in verdict.warnings:
        yield "warning", warning
    for f in verdict.findings:
        if _informs(f):
            yield f"informs: {f.rule}, {f.subject}", f"{f.status}: {f.reason}"


def _names(tests: list[Finding]) -> Iterator[str]:
    """Yield the name of each test, of which no two of a class are alike."""
    plain = Counter((clean(f.rule), clean(f.subject)) for f in tests)
    told: Counter[tuple[str, str]] = Counter()
    for f in tests:
        rule, name = clean(f.rule), clean(f.subject)
        if plain[rule, name] > 1 and f.cohort_id:
            name = f"{name} ({clean(f.cohort_id)})"
        told[rule, name] += 1
        yield name if told[rule, name] == 1 else f"{name} ({told[rule, name]})"


def _case(suite: ElementTree.Element, finding: Finding, name: str) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=clean(finding.rule), name=name, time="0")
    said = clean(in_words(finding))
    if finding.status == "fail":
        failure = ElementTree.SubElement(case, "failure", message=clean(finding.reason), type=finding.bound)
        failure.text = said
    elif finding.status != "pass":
        ElementTree.SubElement(case, "skipped", message=f"{finding.status}: {said}")
