"""The section of one partition: how it was found, its gap, chance, and every attribute that was tried."""

from __future__ import annotations

from fairaudit.evidence import AttributeGap
from fairaudit.report.blocks import Block, Facts, Paragraph, Section, Table
from fairaudit.report.evidence import evidence
from fairaudit.report.facts import chance_facts, gap_facts
from fairaudit.report.figures import chance_figure, chance_table
from fairaudit.report.notes import choices
from fairaudit.report.sentence import sentence_of
from fairaudit.report.summary import Footnotes
from fairaudit.report.texts import normalizer_table, texts_table
from fairaudit.report.wording import (
    by_partition,
    confidence_text,
    intersected,
    is_intersection,
    splits_of,
    title_of,
)
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.wording import DASH, between, clean, p_text, percent, setting

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
    where = f"The gap, both rates and the share: {splits_of(partition)}."
    blocks: list[Block | None] = [
        Paragraph(sentence_of(partition, result)),
        Paragraph(f"{_origin(partition)} {where}"),
        Paragraph(choices(partition)) if choices(partition) else None,
        Facts(gap_facts(partition, result), "Gap"),
        Facts(chance_facts(partition, result), "Chance"),
        chance_figure(partition, result),
        chance_table(partition) if chance_figure(partition, result) else None,
        _curve(partition),
        _attributes(partition, result),
        *evidence(partition, result),
        texts_table(partition, result),
        normalizer_table(partition, result),
    ]
    title = f"In detail: {title_of(partition)}"
    own = [by_partition(b, partition) if isinstance(b, Table | Facts) else b for b in blocks if b is not None]
    return Section(title, tuple(own))


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
    named = [
        f"{name}: {setting(value)}"
        for name, value in partition.discoverer.parameters.items()
        if value not in (None, {}, [])
    ]
    found = "Nothing was found" if partition.kind == "none" else "Found"
    by = f"{clean(partition.discoverer.name)} ({', '.join(named) or 'no parameters'})"
    return f"{found} by the discoverer {by}."


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
