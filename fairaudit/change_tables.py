"""The tidy table of a comparison: fixed columns, fractions, a row for everything that has a rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fairaudit.changes import CohortChange, ComparisonResult, PartitionChange, RateChange
from fairaudit.frames import table

if TYPE_CHECKING:
    import pandas as pd

CHANGE_COLUMNS = (
    "partition",
    "what",
    "cohort",
    "id",
    "label",
    "suppressed",
    "speakers",
    "utterances",
    "ref_words",
    "baseline_errors",
    "baseline_wer",
    "baseline_low",
    "baseline_high",
    "candidate_errors",
    "candidate_wer",
    "candidate_low",
    "candidate_high",
    "change",
    "change_low",
    "change_high",
    "change_absolute",
    "change_absolute_low",
    "change_absolute_high",
    "log_se",
    "df",
    "share_speakers",
    "saved_share",
    "reason",
)


def changes(result: ComparisonResult) -> pd.DataFrame:
    """Return every rate of a comparison and its change, columns `CHANGE_COLUMNS`.

    Parameters
    ----------
    result : ComparisonResult

    Returns
    -------
    DataFrame
        Counts are Int64, text is string, flags are boolean and everything else is float64; NaN or <NA>
        where there is nothing.
    """
    return table(change_rows(result), CHANGE_COLUMNS)


def change_rows(result: ComparisonResult) -> list[dict[str, Any]]:
    """Return the cells of that table: the whole log, then each partition with its cohorts.

    `what` is overall, cohort, bottom, top, rest, unassigned or worst.
    """
    rows = [_row(None, "overall", result.overall)]
    for partition in result.partitions:
        rows += _rows(partition)
    return rows


def _rows(partition: PartitionChange) -> Iterator[dict[str, Any]]:
    yield _row(partition, "overall", partition.overall)
    for cohort in partition.cohorts:
        yield _row(partition, "cohort", cohort)
    for what in ("bottom", "top", "rest", "unassigned", "worst"):
        rates = getattr(partition, what)
        if rates is not None:
            yield _row(partition, what, rates)


def _row(partition: PartitionChange | None, what: str, rates: RateChange) -> dict[str, Any]:
    change, baseline = rates.change, rates.baseline
    row = dict.fromkeys(CHANGE_COLUMNS) | {
        "partition": partition.name if partition else None,
        "what": what,
        "label": what,
        "change": change.relative,
        "change_low": change.relative_low,
        "change_high": change.relative_high,
        "change_absolute": change.absolute,
        "change_absolute_low": change.absolute_low,
        "change_absolute_high": change.absolute_high,
        "log_se": change.log_se,
        "df": change.df,
        "reason": change.reason or baseline.reason,
    }
    row |= {name: getattr(baseline, name) for name in ("speakers", "utterances", "ref_words")}
    for side in ("baseline", "candidate"):
        rate = getattr(rates, side)
        row |= {f"{side}_{name}": getattr(rate, name) for name in ("errors", "wer", "low", "high")}
    share = getattr(rates, "share", None)
    row["share_speakers"] = share.speakers if share else None
    if isinstance(rates, CohortChange):
        row |= {name: getattr(rates, name) for name in ("cohort", "id", "label", "suppressed", "saved_share")}
    return row
