"""What the terminal shows: the sentence, the table, who is in the bottom, and what must be said."""

from __future__ import annotations

from fairaudit.report.blocks import Table
from fairaudit.report.notes import remarks, warnings
from fairaudit.report.sentence import headline, sentence
from fairaudit.report.summary import legend, summary_table
from fairaudit.report.terminal import NARROWEST, laid_out, wrapped
from fairaudit.report.wording import (
    amount,
    clean,
    cohorts_of,
    counted,
    gap_text,
    rate_text,
    subject_of,
    titled,
    worst_first,
)
from fairaudit.result import AuditResult, PartitionResult

#: Most cohorts of the bottom, or against the reference, that are named.
MOST_NAMED = 8


def text_report(result: AuditResult, width: int = 120) -> str:
    """Render a result for a terminal, without colour codes.

    Parameters
    ----------
    result : AuditResult
    width : int
        Columns of the terminal, at least 80.

    Returns
    -------
    str
        Ends with a line end.
    """
    width = max(width, NARROWEST)
    table = summary_table(result)
    parts = [
        wrapped(sentence(result), width),
        *(wrapped(f"WARNING: {warning.text}", width) for warning in warnings(result)),
        laid_out(table, width),
        *_paragraphs(result, table, width),
        wrapped(clean(result.signature), width),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _paragraphs(result: AuditResult, table: Table, width: int) -> list[str]:
    footnotes = [wrapped(f"[{n}] {note}", width, "    ") for n, note in enumerate(table.notes, start=1)]
    points = [wrapped(f"* {remark}", width, "  ") for remark in remarks(result)]
    blocks = (
        footnotes,
        [_everyone(result, width)],
        [wrapped(legend(result), width)],
        _bottom(result, width),
        *(_against_reference(partition, result, width) for partition in result.partitions),
        points,
    )
    return ["\n".join(lines) for lines in blocks if lines]


def _everyone(result: AuditResult, width: int) -> str:
    rate = f"{clean(result.metric.name)} {rate_text(result.overall)}"
    return wrapped(f"{titled(result)}. The whole log: {rate}; {amount(result)}.", width)


def _bottom(result: AuditResult, width: int) -> list[str]:
    """Name the worst-served cohorts of the partition that the sentence is about."""
    partition = headline(result)
    if partition is None or partition.bottom is None or not partition.bottom.cohorts:
        return []
    members = worst_first(c for c in partition.cohorts if c.cohort in partition.bottom.cohorts)
    lines = [wrapped(f"Bottom by {subject_of(partition)}, {cohorts_of(partition)}:", width)]
    for cohort in members[:MOST_NAMED]:
        speakers = f", {counted(cohort.speakers, 'speaker')}" if cohort.speakers is not None else ""
        rate = f"{clean(result.metric.name)} {rate_text(cohort)}{speakers}"
        lines.append(wrapped(f"  {clean(cohort.label)}: {rate}", width, "    "))
    more = len(members) - MOST_NAMED
    return [*lines, f"  and {more} more"] if more > 0 else lines


def _against_reference(partition: PartitionResult, result: AuditResult, width: int) -> list[str]:
    """List the gap of each cohort against the reference, the worst-ranked first."""
    compared = [(c, gap) for c in worst_first(partition.cohorts) if (gap := c.against_reference)]
    if not compared:
        return []
    reference = clean(str(result.options.get("reference_cohort")))
    lines = [wrapped(f"Each cohort against the reference, {reference}, on all speakers:", width)]
    for cohort, gap in compared[:MOST_NAMED]:
        text = f"  {clean(cohort.label)}: {clean(result.metric.name)} gap {gap_text(gap)}"
        lines.append(wrapped(text, width, "    "))
    more = len(compared) - MOST_NAMED
    return [*lines, f"  and {more} more, in cohorts.csv"] if more > 0 else lines
