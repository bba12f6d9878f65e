"""The table of a partition's cohorts, the worst first, and of the rows without one."""

from __future__ import annotations

from fairaudit.rates import Gap
from fairaudit.report.blocks import Table
from fairaudit.report.summary import Footnotes
from fairaudit.report.wording import cohorts_of, confidence_text, denominator_of, order_of, worst_first
from fairaudit.result import AuditResult, Cohort, PartitionResult, Unassigned
from fairaudit.tables import cohort_rows
from fairaudit.wording import DASH, UNBOUNDED, between, capitalised, clean, cohort_name, count, percent

#: Columns that say something of ranked cohorts alone.
SIDE_AND_RANK = slice(1, 3)


def cohorts_table(partition: PartitionResult, result: AuditResult) -> Table | None:
    """Return the table of cohorts, the worst first, and of the rows without one.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult

    Returns
    -------
    Table or None
        None where no row has a cohort and none lacks one.
    """
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
    caption = f"{capitalised(cohorts_of(partition))}; {order_of(partition)}"
    if partition.kind == "none":
        caption = "There are no cohorts"
    ranked = any(c.rank is not None for c in partition.cohorts)
    if not ranked:
        for row in (head, *rows):
            del row[SIDE_AND_RANK]
    return Table(
        caption, tuple(head), tuple(map(tuple, rows)), texts=2 if ranked else 1, notes=footnotes.texts()
    )


def _figures(row: Cohort | Unassigned, footnotes: Footnotes) -> list[str]:
    no_interval = row.reason if row.wer is not None and row.low is None else None
    if row.high is not None and row.high > UNBOUNDED:
        no_interval = "too few speakers, or too unequal ones, for an upper end"
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
