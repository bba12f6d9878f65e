"""Tidy tables of a result: fixed columns of fixed types, fractions, NaN or <NA> where there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from fairaudit.frames import table
from fairaudit.rates import Gap
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
KINDS = ("substitutions", "deletions", "insertions")
#: Of a kind of error against everybody else: `substitutions_ratio` and so on.
KIND_FIGURES = ("ratio", "low", "high", "p_adjusted")
#: In the order of the file: who it is, its rate, then against the reference and against everybody else.
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
    "status",
    "p_adjusted",
    "rest_gap",
    "rest_low",
    "rest_high",
    "excess_errors",
    *(f"excess_{kind}" for kind in KINDS),
    *(f"{kind}_{figure}" for kind in KINDS for figure in KIND_FIGURES),
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
        row |= _gap_cells("reference", cohort.against_reference) | _gap_cells("rest", cohort.against_rest)
        excess = row["excess"] or {}
        row |= {f"excess_{kind}": excess.get(kind) for kind in ("errors", *KINDS)}
        kinds = {gap["kind"]: gap for gap in row["kinds"]}
        row |= {f"{k}_{figure}": kinds.get(k, {}).get(figure) for k in KINDS for figure in KIND_FIGURES}
        rows.append({column: row[column] for column in COHORT_COLUMNS})
    return rows


def _gap_cells(against: str, gap: Gap | None) -> dict[str, float | None]:
    return {
        f"{against}_gap": gap.relative if gap else None,
        f"{against}_low": gap.relative_low if gap else None,
        f"{against}_high": gap.relative_high if gap else None,
    }


def summary(result: AuditResult) -> pd.DataFrame:
    """Return one row per partition, columns `SUMMARY_COLUMNS`."""
    return table([summary_row(p) for p in result.partitions], SUMMARY_COLUMNS)


def cohorts(result: AuditResult) -> pd.DataFrame:
    """Return every cohort of every partition, worst first; unranked cohorts last."""
    return table([row for p in result.partitions for row in cohort_rows(p)], COHORT_COLUMNS)


def attributes(result: AuditResult) -> pd.DataFrame:
    """Return every attribute that a search tried, with its own honest gap."""
    return table([row for p in result.partitions for row in attribute_rows(p)], ATTRIBUTE_COLUMNS)


def attribute_rows(partition: PartitionResult) -> list[dict[str, Any]]:
    """Return the cells of a partition's attributes by `ATTRIBUTE_COLUMNS`."""
    return [{"partition": partition.name, **msgspec.to_builtins(a)} for a in partition.attributes]
