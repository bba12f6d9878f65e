"""The printed table: a row for each partition, the published columns first."""

from __future__ import annotations

from fairaudit.report.blocks import Table
from fairaudit.report.wording import chance_asked, confidence_text, splits_of, title_of
from fairaudit.result import ONE_COHORT, AuditResult, PartitionResult
from fairaudit.tables import summary_row
from fairaudit.wording import between, clean, p_text, percent

#: So many columns of the table are the published ones.
PUBLISHED = 3


class Footnotes:
    """Reasons in the order in which cells refer to them; equal ones share a number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, cell: str, reason: str | None) -> str:
        """Add the number of a reason to a cell; without a reason the cell stays."""
        if not reason:
            return cell
        return f"{cell}[{self._numbers.setdefault(clean(reason), len(self._numbers) + 1)}]"

    def texts(self) -> tuple[str, ...]:
        """Return the reasons, the first with number 1."""
        return tuple(self._numbers)


def headings(result: AuditResult) -> tuple[str, ...]:
    """Return the heads of the columns; the name of the metric is in them."""
    name = clean(result.metric.name)
    return (
        "Cohort discovery",
        f"{name} gap (%)",
        "Bottom-cohort share (%)",
        f"{confidence_text(result)} interval",
        f"Bottom {name} (%)",
        f"Top {name} (%)",
        "Chance gap, 1 in 20 (%)",
        "p",
        "p, Holm",
        "In-sample gap (%)",
    )


def summary_table(result: AuditResult) -> Table:
    """Return the printed table, with a footnote for every number that does not exist.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    Table
        Ten columns. p is in-sample where too few speakers could be held out, and marked so.
    """
    footnotes = Footnotes()
    rows = tuple(_cells(partition, result, footnotes) for partition in result.partitions)
    caption = f"Bottom against top by partition, {clean(result.metric.name)}"
    return Table(caption, headings(result), rows, notes=footnotes.texts())


def legend(result: AuditResult) -> str:
    """Say on whom the columns were measured, and what they are."""
    where: dict[str, list[str]] = {}
    for partition in result.partitions:
        where.setdefault(splits_of(partition), []).append(clean(partition.name))
    measured = [f"{how} ({', '.join(names)})" if len(where) > 1 else how for how, names in where.items()]
    return (
        f"Gap, both rates and share: {'; '.join(measured)}. Chance gap, 1 in 20: the gap that chance alone "
        "exceeds once in 20 audits. p: how often chance alone gives a gap as clear as this one; Holm: "
        "corrected for all partitions. In-sample gap: on the very speakers who were searched, too large; for "
        "comparison only."
    )


def _cells(partition: PartitionResult, result: AuditResult, footnotes: Footnotes) -> tuple[str, ...]:
    row, mark = summary_row(partition), footnotes.mark
    gap, bottom, top = partition.gap, partition.bottom, partition.top
    only_interval = gap.relative is not None and gap.relative_low is None
    return (
        title_of(partition),
        mark(percent(row["gap"]), gap.reason if gap.relative is None else None),
        percent(row["bottom_share"]),
        mark(between(row["gap_low"], row["gap_high"]), gap.reason if only_interval else None),
        mark(percent(row["bottom_wer"]), bottom.reason if bottom and bottom.wer is None else None),
        mark(percent(row["top_wer"]), top.reason if top and top.wer is None else None),
        percent(row["chance_p95"]),
        _p_cell(partition, result, footnotes),
        p_text(row["p_value_holm"]),
        mark(percent(row["in_sample_gap"]), _why_no_in_sample(partition)),
    )


def _p_cell(partition: PartitionResult, result: AuditResult, footnotes: Footnotes) -> str:
    """Return p; the in-sample one, labelled so, where there is no other."""
    chance = partition.chance
    if chance is None:
        why = None if chance_asked(result) else "chance was not asked for (no permutations)"
        return footnotes.mark(p_text(None), why)
    if chance.p_value is not None:
        return p_text(chance.p_value)
    if chance.in_sample_p_value is not None:
        why = "in-sample p: too few speakers can be held out, so it is that of the gap in the whole log"
        return footnotes.mark(p_text(chance.in_sample_p_value), why)
    alone = partition.gap.reason == ONE_COHORT
    return footnotes.mark(p_text(None), ONE_COHORT if alone else "too few speakers for a p-value")


def _why_no_in_sample(partition: PartitionResult) -> str | None:
    found = partition.in_sample_gap
    if found is not None and found.relative is not None:
        return None
    if partition.origin == "saved":
        return "nothing was searched: the partition is saved"
    if any(c.suppressed for c in partition.cohorts):
        return "suppressed: too few speakers to be shown"
    return partition.gap.reason or "bottom or top has no errors, or no words, among the searched speakers"
