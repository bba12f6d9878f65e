"""What is reported of a partition beside its rates and gaps: chance, splits, traits, overlap and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from fairaudit.provenance import Plain

#: Further figures of how unequally cohorts and speakers are served, by name, each with its definition.
DISPARITY: Mapping[str, str] = {
    "worst_cohort_wer": "the highest WER of a cohort that is shown",
    "worst_over_best": "the highest WER of a cohort over the lowest",
    "macro_wer": "the mean WER of the cohorts, each counted once",
    "macro_over_pooled": "that mean over the WER of all their words together",
    "between_cohort_sd": "standard deviation of log WER between cohorts, with the sampling noise taken out: "
    "about the fraction by which cohorts differ",
    "speaker_gini": "Gini coefficient of the speakers' WER, weighted by their words: 0 where all are alike; "
    "sampling noise raises it",
    "bottom_share_of_errors": "fraction of all errors that falls on the bottom",
    "bottom_share_of_words": "fraction of all reference words that the bottom speaks",
}


class Trait(Plain, frozen=True, kw_only=True):
    """A label that is more common among the speakers of a cohort than among all others.

    `lift` is how many times, with its interval; `p_adjusted` is Fisher's exact p, corrected by Holm for
    all values of all columns.
    """

    column: str
    value: str
    lift: float
    low: float
    high: float
    p_adjusted: float


class Excess(Plain, frozen=True, kw_only=True):
    """Errors that would go if a cohort fared like everybody else: (WER - WER of the others) x words.

    Negative where it fares better. Kinds are None where the log has no kinds of error.
    """

    errors: float
    substitutions: float | None
    deletions: float | None
    insertions: float | None


class Overlap(Plain, frozen=True, kw_only=True):
    """Of the speakers in the bottom of partition `a`, the fraction that is also in the bottom of `b`.

    `expected` is the fraction of all speakers who have a cohort in both; `p_value` that of Fisher's exact
    test. None, with a reason, where too few speakers would be told of.
    """

    a: str
    b: str
    share: float | None
    expected: float | None
    p_value: float | None
    reason: str | None = None


class Spatial(Plain, frozen=True, kw_only=True):
    """Moran's I of the speakers' rates over their locations, with the p of its permutations."""

    moran_i: float | None
    expected: float | None
    p: float | None
    speakers: int | None = None
    neighbours: int | None = None
    permutations: int | None = None
    reason: str | None = None


class InjectedGap(Plain, frozen=True, kw_only=True):
    """A gap that was injected, and the fraction of the injections that the audit told from chance."""

    gap: float
    found: float


class Injection(Plain, frozen=True, kw_only=True):
    """What the audit would have found in this very log.

    Errors were multiplied in a random region, ZIP set, cluster or label of the permuted log, holding about
    `share` of the speakers, and the whole procedure ran again, `replicates` times for each size.
    `detectable` is the gap that would be found four times in five; None where the largest is
    found less often.
    """

    share: float
    replicates: int
    found: tuple[InjectedGap, ...]
    detectable: float | None


class InSample(Plain, frozen=True, kw_only=True):
    """The gap on the very speakers that were searched: optimistic, shown for comparison only."""

    relative: float | None
    absolute: float | None
    searched: Literal["half", "whole log"]


class SharePoint(Plain, frozen=True, kw_only=True):
    """The gap of the worst cohorts up to a cumulated share of speakers, against everyone else."""

    share: float
    relative: float | None


class AttributeGap(Plain, frozen=True, kw_only=True):
    """One attribute that a search could have chosen, with its own honest gap.

    `bottom` words the side that was named worst in the first split.
    """

    name: str
    bottom: str | None
    chosen: bool
    relative: float | None
    low: float | None
    high: float | None
    share: float | None
    p_value: float | None
    p_holm: float | None
    reason: str | None = None


class NormalizerGap(Plain, frozen=True, kw_only=True):
    """The gap between the bottom and top of the first split as one normaliser would have it.

    On the speakers that the cohorts are tabled on; the first normaliser is that of the audit.
    """

    normalizer: str
    bottom_wer: float | None
    top_wer: float | None
    relative: float | None


class Splits(Plain, frozen=True, kw_only=True):
    """How the honest gap varied over the splits, and what the search chose in them."""

    n: int
    ways: int
    q05: float | None
    median: float | None
    q95: float | None
    chosen: dict[str, int]


class Chance(Plain, frozen=True, kw_only=True):
    """What the same procedure gives when speakers' errors are permuted against their attributes."""

    replicates: int
    gaps: tuple[float | None, ...]
    p95: float | None
    in_sample_mean: float | None
    in_sample_p_value: float | None
    p_floor: float
    p_value: float | None
    p_value_holm: float | None


class Stability(Plain, frozen=True, kw_only=True):
    """Agreement of the clustering over seeds (mean adjusted Rand index against the one used)."""

    adjusted_rand: float
    seeds: int
