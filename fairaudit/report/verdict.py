"""A verdict in words: for a terminal, for the summary of a job, and as annotations of one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from fairaudit.gating import in_words
from fairaudit.report.blocks import Table
from fairaudit.report.markdown import escaped, table_text
from fairaudit.report.terminal import NARROWEST, laid_out, wrapped
from fairaudit.verdict import Finding, Verdict
from fairaudit.wording import DASH, between, clean, count, counted, percent

#: Most findings that are listed; the rest are counted, and are all in verdict.json.
MOST_IN_TERMINAL, MOST_IN_SUMMARY = 40, 200
#: GitHub shows ten annotations of a kind for each step.
MOST_ANNOTATIONS = 10
#: Longer texts of the user's are cut, so that a summary keeps within what CI systems take.
LONGEST = 300
LEVELS = {"fail": "error", "inconclusive": "warning", "waived": "notice"}
HEAD = ("Status", "Rule", "Partition / cohort", "Why", "Value", "Interval", "Limit", "Speakers")
#: Column that a terminal has no room for, and where figures and their limit stand in the others.
WHY, VALUE, LIMIT = 3, 3, 5


def verdict_sentence(verdict: Verdict) -> str:
    """Say the verdict in one sentence.

    Parameters
    ----------
    verdict : Verdict
    """
    blocking = Counter(f.status for f in verdict.findings if f.blocks)
    other = Counter(f.status for f in verdict.findings if not f.blocks)
    parts = [
        f"{count(blocking['fail'])} failed" if blocking["fail"] else "",
        f"{count(blocking['inconclusive'])} without enough evidence" if blocking["inconclusive"] else "",
        f"{count(other['waived'])} waived" if other["waived"] else "",
        f"{count(other['pass'])} within the limit" if other["pass"] else "",
        f"{count(n)} that do not count" if (n := other["fail"] + other["inconclusive"]) else "",
    ]
    said = ", ".join(part for part in parts if part)
    # Exit code 0, since the policy says so itself; but it is no pass of anything.
    head = verdict.status.upper() if verdict.enforced else "Nothing is enforced"
    return f"{head}: of {counted(len(verdict.findings), 'finding')}, {said}."


def verdict_text(verdict: Verdict, width: int = 120) -> str:
    """Render a verdict for a terminal.

    Parameters
    ----------
    verdict : Verdict
    width : int
        Columns of the terminal, at least 80.
    """
    width = max(width, NARROWEST)
    shown, more = _shown(verdict.findings, MOST_IN_TERMINAL)
    said = [f for f in shown if f.status != "pass"]
    parts = [
        laid_out(findings_table(shown, in_terminal=True), width, compact=True),
        *([more] if more else []),
        "\n".join(wrapped(f"* {text}", width, "  ") for text in _reasons(said)),
        "\n".join(wrapped(f"WARNING: {_said(warning)}", width, "  ") for warning in verdict.warnings),
        wrapped(verdict_sentence(verdict), width),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def verdict_markdown(verdict: Verdict) -> str:
    """Render a verdict for the summary of a job, in the dialect of GitHub.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    str
        Well under 1 MiB, whatever the number of findings: the worst are listed, the rest counted.
    """
    shown, more = _shown([f for f in verdict.findings if f.status != "waived"], MOST_IN_SUMMARY)
    waived, further = _shown([f for f in verdict.findings if f.status == "waived"], MOST_IN_SUMMARY)
    parts = [
        "# Fairness gate",
        f"**{escaped(verdict_sentence(verdict))}**",
        *(f"> **Warning:** {escaped(_said(warning))}" for warning in verdict.warnings[:MOST_IN_SUMMARY]),
    ]
    for title, findings, rest in (("Waived", waived, further), ("Findings, worst first", shown, more)):
        if findings:
            parts += [f"## {title}", table_text(findings_table(findings)), *([rest] if rest else [])]
    named = [f"{key} {_said(value)}" for key, value in sorted(verdict.result.items())]
    policy = f"policy {_said(verdict.policy['name'])}, sha256 {verdict.policy['sha256']}"
    made = f"fairaudit {verdict.fairaudit_version}"
    parts.append(escaped(f"Gated: {'; '.join(named)}. By {policy}. {made}."))
    return "\n\n".join(parts) + "\n"


def no_verdict_markdown(why: str) -> str:
    """Render for the summary of a job that there is no verdict.

    Parameters
    ----------
    why : str
        What was wrong.
    """
    return f"# Fairness gate\n\n**There is no verdict: {escaped(_said(why))}**\n"


def verdict_annotations(verdict: Verdict) -> str:
    """Render what did not pass as workflow commands of GitHub Actions, one line each.

    Parameters
    ----------
    verdict : Verdict

    References
    ----------
    GitHub Docs, Workflow commands for GitHub Actions.
    """
    lines: list[str] = []
    told: Counter[str] = Counter()
    for finding in verdict.findings:
        if finding.status == "pass":
            continue
        level = LEVELS[finding.status] if finding.blocks or finding.status == "waived" else "notice"
        told[level] += 1
        if told[level] <= MOST_ANNOTATIONS:
            title = _property(f"fairness gate: {finding.status}")
            lines.append(f"::{level} title={title}::{_message(in_words(finding))}")
    rest = sum(max(0, n - MOST_ANNOTATIONS) for n in told.values())
    if rest:
        lines.append(
            f"::notice title=fairness gate::{count(rest)} more are in the summary and in verdict.json"
        )
    return "".join(f"{line}\n" for line in lines)


def _shown(findings: Sequence[Finding], most: int) -> tuple[list[Finding], str]:
    """Return the findings that are listed, and what is said of the others."""
    rest = Counter(f.status for f in findings[most:])
    named = ", ".join(f"{count(n)} {status}" for status, n in sorted(rest.items()))
    return list(findings[:most]), f"And {named}: all are in verdict.json." if rest else ""


def findings_table(findings: Iterable[Finding], *, caption: str = "", in_terminal: bool = False) -> Table:
    """Return findings as a table.

    Parameters
    ----------
    findings : iterable of Finding
    caption : str
    in_terminal : bool
        Without the reasons, for which a terminal has no room.
    """
    rows = [list(_cells(finding)) for finding in findings]
    head = list(HEAD)
    if in_terminal:
        for row in (head, *rows):
            del row[WHY]
        for row in rows:
            # The limit has their unit, and there is no room to say it three times.
            row[VALUE:LIMIT] = [cell.removesuffix(" %").removesuffix(" points") for cell in row[VALUE:LIMIT]]
    return Table(caption, tuple(head), tuple(map(tuple, rows)), texts=WHY if in_terminal else WHY + 1)


def _cells(finding: Finding) -> Iterator[str]:
    """Yield the cells of a row in the order of `HEAD`."""
    informs = " (informs)" if finding.mode == "inform" else ""
    unit = "points" if finding.bound == "max_increase" or finding.measure == "gap_absolute" else "%"
    yield finding.status + informs
    yield _said(finding.rule)
    yield _said(finding.subject)
    yield _said(f"{finding.reason}{_settling(finding)}")
    value, ends = percent(finding.value), between(finding.low, finding.high)
    yield value if value == DASH else f"{value} {unit}"
    yield ends if ends == DASH else f"{ends} {unit}"
    kind = "" if finding.bound == "max" else "increase "
    yield f"{kind}{percent(finding.limit)} {unit}"
    yield count(finding.speakers)


def _settling(finding: Finding) -> str:
    return f"; what settles it: {finding.settles}" if finding.settles else ""


def _reasons(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield what is said of findings, once where the same is said of several."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for f in findings:
        groups.setdefault((f.status, f.rule, f.reason, _settling(f)), []).append(f)
    for (status, rule, reason, settling), group in groups.items():
        more = f" and {count(len(group) - 1)} more" if len(group) > 1 else ""
        yield f"{status}: {_said(f'{rule}, {group[0].subject}{more}: {reason}{settling}')}"


def _said(text: str) -> str:
    """Return text that names of the user's are in: on one line, not too long, and no command of a CI system.

    GitHub's runner reads a line of standard output that begins with two colons or ##[ as a command.
    """
    text = clean(text).replace("::", ": :").replace("##[", "# #[")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} \u2026"


def _message(text: str) -> str:
    return clean(text)[:LONGEST].replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
