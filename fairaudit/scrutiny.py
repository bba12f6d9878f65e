"""What is said of each cohort beyond its rate: whether it is really worse, its excess errors, its traits."""

from __future__ import annotations

import msgspec
import numpy as np

from fairaudit.cohorts import Table
from fairaudit.config import AuditOptions
from fairaudit.counts import Bools, Ints, SpeakerCounts
from fairaudit.disparity import excess, rates_of_rest, speaker_gini
from fairaudit.estimate import t_quantile
from fairaudit.evidence import Trait
from fairaudit.flags import LARGEST_BOUND, Flag, comparable_cohorts, flags, worst_excess
from fairaudit.kinds import kind_gaps
from fairaudit.profile import Holders, profile
from fairaudit.rates import Gap
from fairaudit.result import PartitionResult


def with_scrutiny(
    result: PartitionResult, table: Table, options: AuditOptions, holders: Holders
) -> PartitionResult:
    """Add to each cohort its status, its excess errors and, at the bottom or flagged, its kinds and traits.

    Parameters
    ----------
    result : PartitionResult
        Not suppressed yet.
    table : Table
        Of the same partition.
    options : AuditOptions
    holders : mapping of str to mapping of str to set of str
        Speakers by column and value; see `fairaudit.profile.holders_of`.
    """
    m = table.measurement
    cohort = np.where(table.assigned, m.cohort, -1)
    tested = comparable_cohorts(m.counts, cohort, len(result.cohorts), options.min_speakers_shown)
    seed = (options.seed, *result.name.encode())
    found = flags(
        m.counts,
        cohort,
        tested,
        confidence=options.confidence,
        margin=options.margin,
        correction=options.correction,
        seed=seed,
    )
    kinds = kind_gaps(m.counts, cohort, tested, confidence=options.confidence)
    unequal = {
        "speaker_gini": speaker_gini(m.counts, cohort),
        "bottom_share_of_errors": m.errors_at_bottom(),
    }
    bottom = result.bottom.cohorts if result.bottom else ()
    rows = []
    for number, row in enumerate(result.cohorts):
        row = msgspec.structs.replace(
            row,
            excess=excess(row, rates_of_rest(m.counts, cohort, number)),
            **_flagged(found.get(number), number in tested, options.confidence),
        )
        if row.cohort in bottom or row.status == "flagged":
            row = msgspec.structs.replace(row, kinds=kinds.get(number, ()))
        if row.cohort in bottom or row.status == "flagged" or result.kind == "centroids":
            own = {name: values for name, values in holders.items() if name not in m.partition.requires}
            row = msgspec.structs.replace(row, profile=_traits(m.counts, cohort, number, own, options))
        rows.append(row)
    return msgspec.structs.replace(
        result,
        cohorts=tuple(rows),
        disparity={name: value for name, value in unequal.items() if value is not None},
        no_worse_than=worst_excess(m.counts, cohort, tested, confidence=options.confidence, seed=seed),
    )


def _flagged(flag: Flag | None, is_tested: bool, confidence: float) -> dict[str, object]:
    """Return the fields of a cohort that a flag fills; one with too few errors is undecided."""
    if flag is None:
        return {"status": "undecided"} if is_tested else {}
    reach = float(t_quantile(flag.df, confidence)) * flag.se
    with np.errstate(over="ignore"):
        low, high = (float(np.expm1(end)) for end in (flag.log_ratio - reach, flag.upper))
    ratio = float(np.exp(flag.log_ratio))
    gap = Gap(
        definition="against all other cohorts; the upper end holds for all cohorts together",
        relative=ratio - 1,
        relative_low=low,
        relative_high=high if high <= LARGEST_BOUND else None,
        ratio=ratio,
        log_se=flag.se,
        df=flag.df,
    )
    return {"against_rest": gap, "status": flag.status, "p_adjusted": flag.p_adjusted}


def _traits(
    counts: SpeakerCounts,
    cohort: Ints,
    number: int,
    holders: Holders,
    options: AuditOptions,
) -> tuple[Trait, ...]:
    members, others = _speakers(counts, cohort == number), _speakers(counts, cohort >= 0)
    return profile(
        members,
        others - members,
        holders,
        confidence=options.confidence,
        fewest=options.min_speakers_shown,
    )


def _speakers(counts: SpeakerCounts, rows: Bools) -> set[str]:
    return set(counts.speakers[np.unique(counts.speaker[rows])].tolist())
