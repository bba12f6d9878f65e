"""What the terminal shows of a comparison."""

from __future__ import annotations

from fairaudit.changes import ComparisonResult
from fairaudit.report.blocks import Table
from fairaudit.report.compared import changed_table, changes_table, overall_text, sentence, title
from fairaudit.report.compared_notes import compared_remarks, compared_warnings
from fairaudit.report.terminal import NARROWEST, laid_out, wrapped
from fairaudit.report.wording import amount
from fairaudit.wording import capitalised, clean

#: Most cohorts of a partition that a terminal shows.
MOST_NAMED = 12


def compared_text(result: ComparisonResult, width: int = 120) -> str:
    """Render a comparison for a terminal, without colour codes.

    Parameters
    ----------
    result : ComparisonResult
    width : int
        Columns of the terminal, at least 80.
    """
    width = max(width, NARROWEST)
    table = changes_table(result)
    notes = [wrapped(f"[{n}] {note}", width, "    ") for n, note in enumerate(table.notes, start=1)]
    tables = [changed_table(p, result, most=MOST_NAMED) for p in result.partitions]
    parts = [
        wrapped(sentence(result), width),
        *(wrapped(f"WARNING: {warning.text}", width) for warning in compared_warnings(result)),
        laid_out(table, width, compact=True),
        "\n".join(notes),
        wrapped(f"{title(result)}. {capitalised(overall_text(result))}; {amount(result)}.", width),
        *(_laid_out(t, width) for t in tables if t),
        "\n".join(wrapped(f"* {remark}", width, "  ") for remark in compared_remarks(result)),
        wrapped(clean(result.signature), width),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _laid_out(table: Table, width: int) -> str:
    notes = [wrapped(f"[{n}] {note}", width, "    ") for n, note in enumerate(table.notes, start=1)]
    return "\n".join([wrapped(table.caption, width), laid_out(table, width, compact=True), *notes])
