"""What the terminal shows: the sentence, the table, who is in the bottom, and what must be said."""

from __future__ import annotations

from fairaudit.report.adjusted import adjusted_text
from fairaudit.report.blocks import Table
from fairaudit.report.evidence import detectable_text
from fairaudit.report.notes import disagreements, remarks, warnings
from fairaudit.report.plain import also_told, in_short
from fairaudit.report.sentence import headline, sentence
from fairaudit.report.summary import legend, summary_table
from fairaudit.report.terminal import NARROWEST, laid_out, wrapped
from fairaudit.report.wording import (
    amount,
    cohorts_of,
    confidence_text,
    gap_text,
    rate_text,
    subject_of,
    titled,
    worst_first,
)
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.wording import clean, counted, percent

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
        [wrapped(text, width) for text in disagreements(result)],
        _bottom(result, width),
        _also_told(result, width),
        *(_against_reference(partition, result, width) for partition in result.partitions),
        [wrapped(text, width) for text in _asked_for(result)],
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
    lines += [f"  and {more} more"] if more > 0 else []
    return lines + [wrapped(text, width) for text in _flagged(partition, result)]


def _also_told(result: AuditResult, width: int) -> list[str]:
    """Name the bottom of every other partition whose gap is told from chance, in a line each."""
    partition = headline(result)
    others = also_told(partition, result) if partition else []
    lines = [wrapped(f"  {in_short(p, result)}", width, "    ") for p in others]
    return ["Also told from chance (rates over both halves of the speakers):", *lines] if lines else []


def _flagged(partition: PartitionResult, result: AuditResult) -> list[str]:
    """Say how many cohorts are worse than everybody else, and how much worse any may be; if any is."""
    compared = [c for c in partition.cohorts if c.status is not None]
    worse = [c for c in compared if c.status == "flagged"]
    if not worse:
        return []
    are = "is" if len(worse) == 1 else "are"
    text = f"Of {counted(len(compared), 'cohort')} that {'was' if len(compared) == 1 else 'were'} compared, "
    text += f"{len(worse)} {are} worse than everybody else (corrected p)."
    if partition.no_worse_than is not None:
        text += (
            f" No cohort that is shown is worse than all speakers by more than "
            f"{percent(partition.no_worse_than)} %, at about {confidence_text(result)}."
        )
    return [text]


def _asked_for(result: AuditResult) -> list[str]:
    """Answer what was asked for beside the gap: gaps that were injected, and other things made alike."""
    lines = []
    for partition in result.partitions:
        by = f"By {subject_of(partition)}"
        if result.options.get("inject"):
            injection = partition.injection
            said = detectable_text(injection) if injection else "no gaps could be injected"
            lines.append(f"{by}: {said}.")
        if result.options.get("adjust"):
            gaps = partition.adjusted_gaps
            lines += [f"{by}, {adjusted_text(gap)}." for gap in gaps] or [f"{by}: no adjusted gap is shown."]
    return lines


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
