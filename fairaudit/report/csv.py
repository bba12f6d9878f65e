"""cohorts.csv: every cohort of every partition, for a spreadsheet or a data frame."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import msgspec

from fairaudit.change_tables import CHANGE_COLUMNS, change_rows
from fairaudit.changes import ComparisonResult
from fairaudit.result import AuditResult, PartitionResult, Unassigned
from fairaudit.tables import COHORT_COLUMNS, cohort_rows

#: A text that starts so is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_report(result: AuditResult) -> str:
    r"""Render the cohorts as CSV with the columns `tables.COHORT_COLUMNS`.

    Cohorts stand worst first. The rows without a cohort follow at the end of each partition: cohort, id
    and rank are empty there, and label and side are "unassigned". Fractions, not percentages; where there
    is no number the cell is empty. A text that a spreadsheet would take for a formula (it starts with =,
    +, -, @, a tab or a carriage return) gets an apostrophe in front.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    str
        Lines end with "\n".
    """
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COHORT_COLUMNS)
    for partition in result.partitions:
        for row in _rows(partition):
            writer.writerow([cell(row[column]) for column in COHORT_COLUMNS])
    return written.getvalue()


def changes_csv(result: ComparisonResult) -> str:
    """Render a comparison as CSV with the columns `change_tables.CHANGE_COLUMNS`, in fractions."""
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(CHANGE_COLUMNS)
    for row in change_rows(result):
        writer.writerow([cell(row[column]) for column in CHANGE_COLUMNS])
    return written.getvalue()


def _rows(partition: PartitionResult) -> list[dict[str, Any]]:
    rows = cohort_rows(partition)
    return (
        rows if partition.unassigned is None else [*rows, _unassigned(partition.name, partition.unassigned)]
    )


def _unassigned(partition: str, rows: Unassigned) -> dict[str, Any]:
    figures = {name: value for name, value in msgspec.to_builtins(rows).items() if name in COHORT_COLUMNS}
    share = {
        f"share_{unit}": getattr(rows.share, unit, None) for unit in ("speakers", "utterances", "ref_words")
    }
    names = {"partition": partition, "label": "unassigned", "side": "unassigned"}
    empty = dict.fromkeys(COHORT_COLUMNS)
    return {**empty, **figures, **share, **names, "suppressed": rows.utterances is None}


def cell(value: Any) -> Any:
    """Return a cell of CSV: empty for None, and never a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
