"""A verdict as a report in plain blocks: what failed, what cannot be told, what passed, by which policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fairaudit.report.blocks import Block, Document, Fact, Facts, Paragraph, Points, Section
from fairaudit.report.verdict import findings_table, verdict_sentence
from fairaudit.report.wording import made_by
from fairaudit.verdict import Finding, Status, Verdict
from fairaudit.wording import capitalised, clean, count, counted

#: Title of the section of each status, and what the status means.
SECTIONS: dict[Status, tuple[str, str]] = {
    "fail": (
        "What failed",
        "The figure is beyond its limit by more than chance explains: its interval lies beyond it, and so "
        "does it after allowing for the number of findings.",
    ),
    "inconclusive": (
        "Not enough evidence",
        "The figure may or may not be within its limit; too little was heard to say. Each says what would "
        "settle it.",
    ),
    "waived": (
        "Waived",
        "Beyond the limit or not settled, and accepted by somebody who is named, until a day.",
    ),
    "pass": ("What is within its limit", "The interval lies within the limit."),
}
#: Most findings of a status that are listed; all are in verdict.json.
MOST_LISTED = 500
TITLES = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive"}
NOTHING = "nothing is enforced"
BLOCKS = (
    "The gate fails where a finding of an enforced rule fails, and is inconclusive where one cannot be "
    "settled and its rule says that this matters. Rules that inform do not count."
)


def verdict_document(verdict: Verdict) -> Document:
    """Put a verdict into words and tables.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    Document
        Plain text throughout; names of the user's are in it unescaped.
    """
    return Document(
        title=f"Fairness gate: {TITLES[verdict.status] if verdict.enforced else 'nothing is enforced'}",
        sentence=verdict_sentence(verdict),
        opening=(
            *(Paragraph(clean(warning), loud=True) for warning in verdict.warnings),
            Facts(tuple(_counts(verdict))),
            Paragraph(BLOCKS),
        ),
        sections=(*_findings(verdict), _based(verdict), _gated(verdict)),
        made=made_by(verdict.fairaudit_version, verdict.created_at),
    )


def _counts(verdict: Verdict) -> Iterator[Fact]:
    for status, (title, said) in SECTIONS.items():
        own = [f for f in verdict.findings if f.status == status]
        informs = sum(not f.blocks for f in own) if status in ("fail", "inconclusive") else 0
        value = counted(len(own), "finding")
        if informs:
            value += f", of which {count(informs)} do not count"
        yield Fact(title, value, said)


def _findings(verdict: Verdict) -> Iterator[Section]:
    for status, (title, said) in SECTIONS.items():
        own = [f for f in verdict.findings if f.status == status]
        if own:
            yield Section(title, tuple(_listed(own, said)))


def _listed(findings: Sequence[Finding], said: str) -> Iterator[Block]:
    yield Paragraph(said)
    yield findings_table(findings[:MOST_LISTED], caption="Findings, the worst first")
    if len(findings) > MOST_LISTED:
        yield Paragraph(f"{count(len(findings) - MOST_LISTED)} more are in verdict.json.")


def _based(verdict: Verdict) -> Section:
    """Say what data the result was made from, and what they are without."""
    basis = verdict.basis
    where = "; ".join(f"{clean(c)} is {' or '.join(map(clean, values))}" for c, values in basis.where.items())
    facts = [
        Fact("Data", f"{counted(basis.speakers, 'speaker')}, {counted(basis.utterances, 'utterance')}"),
        *([Fact("Only rows where", where)] if where else []),
        *(Fact(f"Left out: {clean(why)}", counted(n, "utterance")) for why, n in basis.excluded.items()),
        *(
            Fact(capitalised(clean(what).replace("_", " ")), counted(n, "utterance"))
            for what, n in (basis.pairing or {}).items()
        ),
    ]
    warned = [Points(tuple(map(clean, basis.warnings)), "Warnings of the result")] if basis.warnings else []
    return Section("What it is based on", (Facts(tuple(facts)), *warned))


def _gated(verdict: Verdict) -> Section:
    """Say what was gated, and by what."""
    facts = [
        *(Fact(f"Result, {clean(key)}", clean(value)) for key, value in verdict.result.items()),
        *(Fact(f"Policy, {clean(key)}", clean(value)) for key, value in verdict.policy.items()),
        Fact("Metric", clean(verdict.metric)),
        Fact("Confidence", f"{100 * verdict.confidence:g} %", "Of the intervals, and of the gate."),
        Fact("Waivers as of", verdict.waivers_as_of or "the policy has none"),
        Fact("Made", clean(verdict.created_at)),
        Fact("fairaudit", clean(verdict.fairaudit_version)),
    ]
    said = "The gate reads a saved result and recomputes nothing: fairaudit gate RESULT --policy POLICY.toml"
    return Section("How to reproduce", (Paragraph(said), Facts(tuple(facts))))
