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

    Attributes
    ----------
    column, value
        Column and value of the label.
    lift
        How many times as common it is.
    low, high
        Bounds of the interval of `lift`.
    p_adjusted
        Fisher's exact p, corrected by Holm for all values of all columns.
    """

    column: str
    value: str
    lift: float
    low: float
    high: float
    p_adjusted: float


class Excess(Plain, frozen=True, kw_only=True):
    """Errors that would go if a cohort fared like everybody else: (WER - WER of the others) x words.

    Negative where it fares better.

    Attributes
    ----------
    errors
        Errors of all kinds.
    substitutions, deletions, insertions
        Errors of this kind; None where the log has no kinds of error.
    """

    errors: float
    substitutions: float | None
    deletions: float | None
    insertions: float | None


class KindGap(Plain, frozen=True, kw_only=True):
    """One kind of error of a cohort against everybody else.

    Attributes
    ----------
    kind
        Substitutions, deletions or insertions.
    rate, rest
        Errors of the kind for each reference word, of the cohort and of all others.
    ratio
        The two compared, one half error added to each side; None, like what follows, where fewer than five
        errors of the kind were to be expected on a side.
    low, high
        Bounds of the interval of this ratio alone.
    p_adjusted
        Two-sided p, corrected by Holm for all kinds of all cohorts that were compared.
    """

    kind: str
    rate: float
    rest: float
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p_adjusted: float | None = None


class Overlap(Plain, frozen=True, kw_only=True):
    """How far the bottoms of two partitions are the same speakers.

    Attributes
    ----------
    a, b
        Names of the partitions.
    share
        Fraction of the speakers in the bottom of `a` who are also in the bottom of `b`. None where too few
        speakers would be told of.
    expected
        The same fraction of all speakers who have a cohort in both.
    p_value
        p of Fisher's exact test.
    reason
        Why a figure is missing.
    both_read
        Columns that both rules read. Where there are any, the bottoms overlap or exclude each other by
        construction, and there is no p.
    nested
        Whether one of the rules reads no columns but those.
    """

    a: str
    b: str
    share: float | None
    expected: float | None
    p_value: float | None
    reason: str | None = None
    both_read: tuple[str, ...] = ()
    nested: bool = False


class Spatial(Plain, frozen=True, kw_only=True):
    """Moran's I of the speakers' rates over their locations, with the p of its permutations.

    Attributes
    ----------
    moran_i
        Near 1 where neighbours fare alike, below 0 where they differ.
    expected
        What it is where location says nothing.
    p
        How often chance reaches it.
    speakers
        Number of those with a location and words.
    neighbours
        Nearest speakers with whom each is compared.
    permutations
        Number of permutations of rates over locations.
    reason
        Why a figure is missing.
    """

    moran_i: float | None
    expected: float | None
    p: float | None
    speakers: int | None = None
    neighbours: int | None = None
    permutations: int | None = None
    reason: str | None = None


class Place(Plain, frozen=True, kw_only=True):
    """Where a cohort's centroid lies in a layout.

    Attributes
    ----------
    cohort
        Cohort whose centroid it is.
    x, y
        Its coordinates in the first and the second component, in units of the unit vectors.
    """

    cohort: str
    x: float
    y: float


class Layout(Plain, frozen=True, kw_only=True):
    """The centroids of a partition by voice in their two principal components.

    It is worked out from the stored centroids alone, so it tells of small cohorts no more than the rule does.

    Attributes
    ----------
    places
        Where each cohort's centroid lies.
    explained
        Fraction of the spread between centroids that each component keeps.
    """

    places: tuple[Place, ...]
    explained: tuple[float, float]


class InjectedGap(Plain, frozen=True, kw_only=True):
    """A gap that was injected, and how often it was found.

    Attributes
    ----------
    gap
        Relative size of the gap.
    found
        Fraction of the injections that the audit told from chance.
    """

    gap: float
    found: float


class Injection(Plain, frozen=True, kw_only=True):
    """What the audit would have found in this very log.

    Errors were multiplied in a random region, ZIP set, cluster or label of the permuted log, and the whole
    procedure ran again.

    Attributes
    ----------
    share
        About which share of the speakers the injected cohorts held.
    replicates
        Number of injections for each size.
    found
        Each size, and how often it was found.
    detectable
        The gap that would be found four times in five; None where the largest is found less often.
    """

    share: float
    replicates: int
    found: tuple[InjectedGap, ...]
    detectable: float | None


class InSample(Plain, frozen=True, kw_only=True):
    """The gap on the very speakers that were searched: optimistic, shown for comparison only.

    Attributes
    ----------
    relative, absolute
        The gap, as a fraction and in points, as on held-out speakers.
    searched
        Who was searched and measured.
    """

    relative: float | None
    absolute: float | None
    searched: Literal["half", "whole log"]


class SharePoint(Plain, frozen=True, kw_only=True):
    """The gap of the worst cohorts up to a cumulated share of speakers, against everyone else.

    Attributes
    ----------
    share
        Share of the speakers that these cohorts hold.
    relative
        The gap; None where it does not exist.
    ref_words
        Share of the reference words that they hold.
    """

    share: float
    relative: float | None
    ref_words: float | None = None


class AttributeGap(Plain, frozen=True, kw_only=True):
    """One attribute that a search could have chosen, with its own honest gap.

    Attributes
    ----------
    name
        Name of the attribute.
    bottom
        Which side was named worst in the first split, in words.
    chosen
        Whether the search chose this one in the first split.
    relative, low, high
        The gap between its two sides, and the bounds of its interval.
    share
        Share of the speakers on the side that was named worst.
    p_value, p_holm
        How often chance gives a gap as clear; and the same corrected by Holm for the number of attributes.
    reason
        Why a figure is missing.
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

    Attributes
    ----------
    normalizer
        Name of the normaliser.
    bottom_wer, top_wer
        The rates under it.
    relative
        The gap between them.
    """

    normalizer: str
    bottom_wer: float | None
    top_wer: float | None
    relative: float | None


class Splits(Plain, frozen=True, kw_only=True):
    """How the honest gap varied over the splits, and what the search chose in them.

    Attributes
    ----------
    n
        Number of splits of the speakers in halves.
    ways
        In how many ways, two for each split, there was a gap.
    q05, median, q95
        Quantiles of the relative gap over the splits.
    chosen
        Attributes, and in how many ways the search chose each.
    """

    n: int
    ways: int
    q05: float | None
    median: float | None
    q95: float | None
    chosen: dict[str, int]


class Chance(Plain, frozen=True, kw_only=True):
    """What the same procedure gives when speakers' errors are permuted against their attributes.

    Attributes
    ----------
    replicates
        Number of permuted logs.
    gaps
        The relative gap in each; None where it gave none.
    p95
        The gap that chance alone exceeds in one audit of twenty.
    in_sample_mean
        Mean of the gaps on the very speakers that were searched.
    in_sample_p_value
        How often chance gives an in-sample gap as clear as that of the log.
    p_floor
        The least p that so many permutations can give.
    p_value
        How often chance gives a gap as clear as that of the log.
    p_value_holm
        The same corrected by Holm for the number of partitions.
    """

    replicates: int
    gaps: tuple[float | None, ...]
    p95: float | None
    in_sample_mean: float | None
    in_sample_p_value: float | None
    p_floor: float
    p_value: float | None
    p_value_holm: float | None


class Stability(Plain, frozen=True, kw_only=True):
    """How much the clustering depends on the seed.

    Attributes
    ----------
    adjusted_rand
        Mean adjusted Rand index against the clustering that was used: 1 where all are alike.
    seeds
        Number of other seeds.
    """

    adjusted_rand: float
    seeds: int
