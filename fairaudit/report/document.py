"""A whole report in plain blocks, the same for Markdown and HTML."""

from __future__ import annotations

from fairaudit.report.blocks import Document, Fact, Facts, Paragraph, Points, Section, Table
from fairaudit.report.evidence import meeting
from fairaudit.report.notes import remarks, warnings
from fairaudit.report.partitions import partition_section
from fairaudit.report.sentence import sentence
from fairaudit.report.summary import legend, summary_table
from fairaudit.report.terms import SOURCES, terms
from fairaudit.report.wording import Result, amount, clean, count, rate_text, setting, titled
from fairaudit.result import AuditResult


def document(result: AuditResult) -> Document:
    """Put a result into words, tables and figures.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    Document
        Plain text throughout; labels and names of the user's are in it unescaped.
    """
    return Document(
        title=titled(result),
        sentence=sentence(result),
        opening=(*warnings(result), summary_table(result), Paragraph(legend(result))),
        sections=(
            _audited(result),
            *(partition_section(partition, result) for partition in result.partitions),
            *((met,) if (met := meeting(result)) else ()),
            Section("What the words mean", (Facts(terms(result)), Points(SOURCES, "Sources"))),
            _reproduced(result),
        ),
    )


def _audited(result: AuditResult) -> Section:
    """Say what was read, and what was left out."""
    facts = [
        Fact("Model", clean(result.subject.model or "not named")),
        Fact("Dataset", clean(result.subject.dataset or "not named")),
        Fact("Log", amount(result)),
        Fact(
            f"{clean(result.metric.name)} of all",
            rate_text(result.overall),
            "Of every speaker in the log.",
        ),
        Fact("Text to counts", scoring_text(result)),
    ]
    said = remarks(result)
    return Section(
        "What was audited",
        (
            Facts(tuple(facts)),
            *((Points(said, "To know"),) if said else ()),
            inputs_table(result),
            *((joined_table(result),) if result.log.joined else ()),
        ),
    )


def scoring_text(result: Result) -> str:
    """Say how text became counts."""
    if result.scoring is None:
        return "the log has counts; no text was scored"
    version = f" of whisper-normalizer {clean(result.scoring.version)}" if result.scoring.version else ""
    return f"normaliser {clean(result.scoring.normalizer)}{version}"


def inputs_table(result: Result) -> Table:
    """Return the files that were read, with their digests."""
    rows = tuple(
        (clean(s.name), clean(s.role), clean(s.format or "table"), s.sha256, count(s.rows))
        for s in result.inputs
    )
    return Table("What was read", ("Name", "Role", "Format", "SHA-256", "Rows"), rows, texts=4)


def joined_table(result: Result) -> Table:
    """Say how well the files that were joined fit the log."""
    rows = tuple(
        (
            clean(j.role),
            f"{j.key}, {j.matched_by}",
            f"{count(j.rows_matched)} of {count(j.rows)}",
            f"{count(j.utterances_matched)} of {count(j.utterances)}",
        )
        for j in result.log.joined
    )
    head = ("File", "Joined by", "Its rows that are in the log", "Rows of the log that are in it")
    return Table("What was joined", head, rows, texts=2)


def _reproduced(result: AuditResult) -> Section:
    """Say how to get the same numbers."""
    options = "; ".join(f"{name}: {setting(value)}" for name, value in result.options.items())
    versions = ", ".join(f"{clean(name)} {clean(version)}" for name, version in result.environment.items())
    facts = (
        Fact("Signature", clean(result.signature)),
        Fact("Made", clean(result.created_at)),
        Fact("fairaudit", clean(result.fairaudit_version)),
        Fact("Seed", str(result.seed)),
        Fact("Options", options),
        Fact("Versions", versions),
        Fact("Digest of the counts", result.log.sha256, "The same whatever the order of the rows."),
    )
    digests = tuple((clean(p.name), p.kind, p.digest or "none") for p in result.partitions)
    return Section(
        "How to reproduce",
        (
            Paragraph("Equal input, options and seed give equal numbers. Everything is in audit.json."),
            Facts(facts),
            Table("Digests of the rules", ("Partition", "Kind", "SHA-256"), digests, texts=3),
        ),
    )
