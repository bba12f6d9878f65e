"""What was left out: excluded rows, speakers without a cohort, suppressed cohorts, what was skipped."""

from __future__ import annotations

from fairaudit.report.blocks import Block, Paragraph, Points, Section, Table
from fairaudit.report.notes import is_of_half, remarks
from fairaudit.report.wording import title_of
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.wording import clean, count

NOTHING = "Nothing: every row of the log was read, and every cohort is shown."


def left_out_section(result: AuditResult) -> Section:
    """Say what is not in the figures, and why.

    Parameters
    ----------
    result : AuditResult
    """
    said = remarks(result)
    blocks: list[Block] = [Points(said)] if said else [Paragraph(NOTHING)]
    if result.log.excluded:
        rows = tuple((clean(reason), count(n)) for reason, n in result.log.excluded.items())
        blocks.append(Table("Rows of the log that were left out", ("Reason", "Rows"), rows))
    blocks += [table for p in result.partitions if (table := _unplaced(p, result))]
    return Section("What was left out", tuple(blocks))


def _unplaced(partition: PartitionResult, result: AuditResult) -> Table | None:
    """Return why rows have no cohort, in utterances."""
    rows = partition.unassigned
    if rows is None or not rows.reasons:
        return None
    cells = tuple((clean(reason), count(n)) for reason, n in rows.reasons.items())
    where = " in the measured half" if is_of_half(rows, result) else ""
    caption = f"Why rows{where} have no cohort: {title_of(partition)}"
    return Table(caption, ("Reason", "Utterances"), cells)
