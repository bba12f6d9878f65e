"""The section of one partition: its gap, chance, cohorts and attributes."""

from __future__ import annotations

from fairaudit.evidence import AttributeGap
from fairaudit.report.blocks import Block, Facts, Paragraph, Section, Table
from fairaudit.report.evidence import evidence
from fairaudit.report.facts import chance_facts, gap_facts
from fairaudit.report.forest import forest
from fairaudit.report.notes import choices, is_of_half
from fairaudit.report.sentence import sentence_of
from fairaudit.report.summary import Footnotes
from fairaudit.report.texts import normalizer_table, texts_table
from fairaudit.report.wording import (
    DASH,
    between,
    capitalised,
    clean,
    cohort_name,
    cohorts_of,
    confidence_text,
    count,
    denominator_of,
    intersected,
    is_intersection,
    p_text,
    percent,
    setting,
    splits_of,
    title_of,
    worst_first,
)
from fairaudit.result import AuditResult, Cohort, Gap, PartitionResult, Unassigned
from fairaudit.tables import cohort_rows

#: Of the curve, the first point at or beyond each of these shares of speakers is shown.
SHARES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.30, 0.50, 0.75)


def partition_section(partition: PartitionResult, result: AuditResult) -> Section:
    """Return everything that was measured of one partition.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult
        Whose options and metric word the figures.

    Returns
    -------
    Section
    """
    blocks: list[Block | None] = [
        Paragraph(sentence_of(partition, result)),
        Paragraph(f"{_origin(partition)} The gap, both rates and the share: {splits_of(partition)}."),
        Paragraph(choices(partition)) if choices(partition) else None,
        Facts(gap_facts(partition, result), "Gap"),
        Facts(chance_facts(partition, result), "Chance"),
        forest(partition, result),
        _cohorts(partition, result),
        _reasons(partition.unassigned, result),
        _curve(partition),
        _attributes(partition, result),
        *evidence(partition, result),
        texts_table(partition, result),
        normalizer_table(partition, result),
    ]
    return Section(title_of(partition), tuple(block for block in blocks if block is not None))


def _origin(partition: PartitionResult) -> str:
    if partition.origin == "declared" and is_intersection(partition):
        columns = " and ".join(intersected(partition))
        return f"Each combination of values of the columns {columns} is a cohort."
    if partition.origin == "declared":
        return f"Each value of the column {clean(partition.name)} is a cohort."
    if partition.origin == "saved":
        on = (
            f", on the log with the digest {partition.discovered_on.sha256}"
            if partition.discovered_on
            else ""
        )
        return f"A saved partition, found earlier{on}."
    if partition.discoverer is None:
        return "Found by a search."
    named = [f"{name}: {setting(value)}" for name, value in partition.discoverer.parameters.items()]
    found = "Nothing was found" if partition.kind == "none" else "Found"
    by = f"{clean(partition.discoverer.name)} ({', '.join(named) or 'no parameters'})"
    return f"{found} by the discoverer {by}."


def _cohorts(partition: PartitionResult, result: AuditResult) -> Table | None:
    """Return the table of cohorts, the worst first, and of the rows without one."""
    if not partition.cohorts and partition.unassigned is None:
        return None
    name, footnotes = clean(result.metric.name), Footnotes()
    against = any(c.against_reference is not None for c in partition.cohorts)
    head = [
        "Cohort",
        "Side",
        "Rank",
        f"{name} (%)",
        f"{confidence_text(result)} interval",
        "Speakers",
        "Share of speakers (%)",
        "Utterances",
        capitalised(denominator_of(result)),
    ]
    sides = {row["cohort"]: row["side"] for row in cohort_rows(partition)}
    rows = [
        [cohort_name(c), sides[c.cohort], DASH if c.rank is None else str(c.rank), *_figures(c, footnotes)]
        for c in worst_first(partition.cohorts)
    ]
    if against:
        head.append("Gap against the reference (%)")
        for row, cohort in zip(rows, worst_first(partition.cohorts), strict=True):
            row.append(_against(cohort.against_reference))
    if partition.unassigned is not None:
        row = ["without a cohort", "unassigned", DASH, *_figures(partition.unassigned, footnotes)]
        rows.append([*row, DASH] if against else row)
    caption = f"{capitalised(cohorts_of(partition))}; rank 1 is the worst"
    if partition.kind == "none":
        caption = "There are no cohorts"
    return Table(caption, tuple(head), tuple(map(tuple, rows)), texts=2, notes=footnotes.texts())


def _figures(row: Cohort | Unassigned, footnotes: Footnotes) -> list[str]:
    no_interval = row.reason if row.wer is not None and row.low is None else None
    return [
        footnotes.mark(percent(row.wer), row.reason if row.wer is None else None),
        footnotes.mark(between(row.low, row.high), no_interval),
        count(row.speakers),
        percent(row.share.speakers if row.share else None),
        count(row.utterances),
        count(row.ref_words),
    ]


def _against(gap: Gap | None) -> str:
    """Return a cohort's gap against the reference, which has none itself."""
    if gap is None or gap.relative is None:
        return DASH
    return f"{percent(gap.relative)} ({between(gap.relative_low, gap.relative_high)})"


def _reasons(rows: Unassigned | None, result: AuditResult) -> Table | None:
    """Return why rows have no cohort, in utterances."""
    if rows is None or not rows.reasons:
        return None
    cells = tuple((clean(reason), count(n)) for reason, n in rows.reasons.items())
    where = " in the measured half" if is_of_half(rows, result) else ""
    return Table(f"Why rows{where} have no cohort", ("Reason", "Utterances"), cells)


def _curve(partition: PartitionResult) -> Table | None:
    """Return some points of the gap of the worst cohorts against everyone else."""
    points = [
        next((point for point in partition.gap_by_share if point.share >= share), None) for share in SHARES
    ]
    shown = list(dict.fromkeys(point for point in points if point is not None))
    if not shown:
        return None
    rows = tuple((percent(point.share), percent(point.relative)) for point in shown)
    head = ("Worst cohorts, together (% of speakers)", "Gap against everyone else (%)")
    return Table("Gap by share: gaps at different shares do not compare", head, rows)


def _attributes(partition: PartitionResult, result: AuditResult) -> Table | None:
    """Return every attribute that the search could have chosen, with its own gap."""
    if not partition.attributes:
        return None
    footnotes = Footnotes()
    head = (
        "Attribute",
        "Worse side in the first split",
        "Chosen in searches",
        f"{clean(result.metric.name)} gap (%)",
        f"{confidence_text(result)} interval",
        "Share of the worse side (%)",
        "p",
        "p, Holm",
    )
    chosen = partition.splits.chosen if partition.splits else {}
    rows = tuple(_attribute(a, chosen.get(a.name, 0), footnotes) for a in partition.attributes)
    caption = "Every attribute that the search tried, with a gap and a p of its own on held-out speakers"
    return Table(caption, head, rows, notes=footnotes.texts())


def _attribute(attribute: AttributeGap, chosen: int, footnotes: Footnotes) -> tuple[str, ...]:
    relative, no_interval = attribute.relative, attribute.low is None
    return (
        clean(attribute.name),
        clean(attribute.bottom) if attribute.bottom else DASH,
        str(chosen),
        footnotes.mark(percent(relative), attribute.reason if relative is None else None),
        footnotes.mark(
            between(attribute.low, attribute.high),
            attribute.reason if relative is not None and no_interval else None,
        ),
        percent(attribute.share),
        p_text(attribute.p_value),
        p_text(attribute.p_holm),
    )
