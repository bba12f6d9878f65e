"""Tidy tables of a result: fixed columns, fractions, NaN where there is no number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from fairaudit.result import AuditResult, PartitionResult

if TYPE_CHECKING:
    import pandas as pd

SUMMARY_COLUMNS = (
    "partition",
    "gap",
    "bottom_share",
    "gap_low",
    "gap_high",
    "bottom_wer",
    "top_wer",
    "chance_p95",
    "p_value",
    "p_value_holm",
    "in_sample_gap",
    "in_sample_p_value",
    "reason",
)
COHORT_COLUMNS = (
    "partition",
    "cohort",
    "id",
    "label",
    "rank",
    "side",
    "suppressed",
    "speakers",
    "utterances",
    "ref_words",
    "errors",
    "substitutions",
    "deletions",
    "insertions",
    "wer",
    "low",
    "high",
    "wer_speaker_mean",
    "n_effective",
    "share_speakers",
    "share_utterances",
    "share_ref_words",
    "reference_gap",
    "reference_low",
    "reference_high",
    "reason",
)
ATTRIBUTE_COLUMNS = (
    "partition",
    "name",
    "bottom",
    "chosen",
    "relative",
    "low",
    "high",
    "share",
    "p_value",
    "p_holm",
    "reason",
)


def summary_row(partition: PartitionResult) -> dict[str, Any]:
    """Return the cells of a partition's row in the printed table, by `SUMMARY_COLUMNS`."""
    gap, chance, bottom, top = partition.gap, partition.chance, partition.bottom, partition.top
    return {
        "partition": partition.name,
        "gap": gap.relative,
        "bottom_share": bottom.share.speakers if bottom and bottom.share else None,
        "gap_low": gap.relative_low,
        "gap_high": gap.relative_high,
        "bottom_wer": bottom.wer if bottom else None,
        "top_wer": top.wer if top else None,
        "chance_p95": chance.p95 if chance else None,
        "p_value": chance.p_value if chance else None,
        "p_value_holm": chance.p_value_holm if chance else None,
        "in_sample_gap": partition.in_sample_gap.relative if partition.in_sample_gap else None,
        "in_sample_p_value": chance.in_sample_p_value if chance else None,
        "reason": gap.reason,
    }


def cohort_rows(partition: PartitionResult) -> list[dict[str, Any]]:
    """Return the cells of a partition's cohorts by `COHORT_COLUMNS`, worst first."""
    sides = {"bottom": partition.bottom, "top": partition.top}
    of_cohort = {c: name for name, side in sides.items() if side for c in side.cohorts}
    rows = []
    for cohort in sorted(partition.cohorts, key=lambda c: (c.rank is None, c.rank or 0)):
        row = msgspec.to_builtins(cohort)
        row["partition"] = partition.name
        row["side"] = of_cohort.get(cohort.cohort, "rest")
        share = row["share"] or {}
        row |= {f"share_{unit}": share.get(unit) for unit in ("speakers", "utterances", "ref_words")}
        gap = cohort.against_reference
        row["reference_gap"] = gap.relative if gap else None
        row["reference_low"] = gap.relative_low if gap else None
        row["reference_high"] = gap.relative_high if gap else None
        rows.append({column: row[column] for column in COHORT_COLUMNS})
    return rows


def summary(result: AuditResult) -> pd.DataFrame:
    """Return one row per partition, columns `SUMMARY_COLUMNS`."""
    return _frame([summary_row(p) for p in result.partitions], SUMMARY_COLUMNS)


def cohorts(result: AuditResult) -> pd.DataFrame:
    """Return every cohort of every partition, worst first; unranked cohorts last."""
    return _frame([row for p in result.partitions for row in cohort_rows(p)], COHORT_COLUMNS)


def attributes(result: AuditResult) -> pd.DataFrame:
    """Return every attribute that a search tried, with its own honest gap."""
    return _frame([row for p in result.partitions for row in attribute_rows(p)], ATTRIBUTE_COLUMNS)


def attribute_rows(partition: PartitionResult) -> list[dict[str, Any]]:
    """Return the cells of a partition's attributes by `ATTRIBUTE_COLUMNS`."""
    return [{"partition": partition.name, **msgspec.to_builtins(a)} for a in partition.attributes]


def _frame(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(columns))
