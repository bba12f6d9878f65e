"""What an audit found: frozen plain data with a JSON form. Nothing per speaker, nothing suppressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from fairaudit.evidence import (
    AttributeGap,
    Chance,
    Excess,
    Injection,
    InSample,
    KindGap,
    Layout,
    NormalizerGap,
    Overlap,
    SharePoint,
    Spatial,
    Splits,
    Stability,
    Trait,
)
from fairaudit.exceptions import ResultError
from fairaudit.provenance import (
    DiscoveredOn,
    DiscovererRecord,
    LogSummary,
    Metric,
    Plain,
    Scoring,
    Source,
    Subject,
    TextTally,
    UnderNormalizer,
)
from fairaudit.rates import AdjustedGap, Gap, Rate, Share
from fairaudit.schema import Stored, schema_of

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


#: Why there is no gap in a partition that divides nobody.
ONE_COHORT = "there is only one cohort: nothing to compare"


class Cohort(Rate, frozen=True, kw_only=True):
    """One row of a partition.

    Attributes
    ----------
    cohort, id, label
        Its name, the digest of its part of the rule, and what it is in words.
    rank
        The worst has 1; None where it is too small to be ranked.
    suppressed
        Whether its figures are withheld, being of too few speakers.
    share
        Its share of the measured.
    against_reference
        Its gap to the cohort that `--reference-cohort` names.
    against_rest
        Its gap to everybody else; the upper end holds for all cohorts of the partition together.
    status
        Whether it is really worse than everybody else, with control over all cohorts of the partition.
    p_adjusted
        p of its being no worse than everybody else, corrected likewise.
    excess
        Errors that would go if it fared like everybody else.
    kinds
        How its errors differ by kind, where it is in the bottom or flagged.
    profile
        Labels that are more common among its speakers, where it is in the bottom or flagged.
    text
        Its texts that are out of the ordinary.
    by_normalizer
        Its rate under every normaliser, where that was asked for.
    hexagons
        Where enough of its speakers live, by their ZIP codes: column and row of
        `fairaudit.geography.hexagons`.
    """

    cohort: str
    id: str
    label: str
    rank: int | None
    suppressed: bool
    share: Share | None
    against_reference: Gap | None = None
    against_rest: Gap | None = None
    status: Literal["flagged", "cleared", "undecided"] | None = None
    p_adjusted: float | None = None
    excess: Excess | None = None
    kinds: tuple[KindGap, ...] = ()
    profile: tuple[Trait, ...] = ()
    text: TextTally | None = None
    by_normalizer: tuple[UnderNormalizer, ...] = ()
    hexagons: tuple[tuple[int, int], ...] = ()


class Unassigned(Rate, frozen=True, kw_only=True):
    """The rows that could not be placed.

    Attributes
    ----------
    share
        Their share of the rows with and without a cohort.
    reasons
        Utterances by the reason why they have no place.
    text
        Their texts that are out of the ordinary.
    by_normalizer
        Their rate under every normaliser, where that was asked for.
    """

    share: Share | None
    reasons: dict[str, int]
    text: TextTally | None = None
    by_normalizer: tuple[UnderNormalizer, ...] = ()


class Side(Rate, frozen=True, kw_only=True):
    """Bottom, top or rest.

    Where speakers were held out, WER, interval and share are aggregated over all splits and the counts are
    the mean over them, rounded.

    Attributes
    ----------
    cohorts
        Its cohorts in the first split.
    share
        Its share of the measured.
    """

    cohorts: tuple[str, ...]
    share: Share | None


class Gaps(Plain, frozen=True, kw_only=True):
    """The bottom against other yardsticks than the top.

    Attributes
    ----------
    rest, overall, reference
        Against all that is neither bottom nor top, against all who are measured, and against the cohort that
        `--reference-cohort` names.
    """

    rest: Gap | None
    overall: Gap | None
    reference: Gap | None


class PartitionResult(Plain, frozen=True, kw_only=True):
    """Everything that was measured of one partition.

    Attributes
    ----------
    name
        Name of the discoverer, or of the columns.
    kind
        Kind of its rule.
    origin
        Found by a search, the values of a label column, or read from `partitions.json`.
    discovered_on
        The log in which it was found.
    digest, rule
        The rule that assigns rows to cohorts, and its digest.
    discoverer
        Who found it.
    exploratory
        Whether a saved partition is measured on the very log, or speakers, on which it was found.
    overall
        The rate of all who are measured.
    splits
        How the gap varied over the splits; None where nothing was named from the data.
    cohorts
        All cohorts, each with its figures.
    unassigned
        Rows that could not be placed.
    bottom, top, rest
        The worst cohorts, the best and all others.
    gap
        The headline: bottom against top.
    gaps
        The bottom against other yardsticks.
    in_sample_gap
        The gap on those who were searched.
    gap_by_share
        The gap of the worst cohorts, share by share.
    attributes
        All that the search could have chosen.
    stability
        How much a clustering depends on the seed.
    chance
        What gaps chance alone gives.
    adjusted_gaps
        The gap once columns are alike on both sides, where that was asked for.
    gap_by_normalizer
        The gap under every normaliser, where that was asked for.
    no_worse_than
        No cohort is worse than all speakers together by more than this fraction, at the level of the
        intervals.
    disparity
        Further figures of inequality; `fairaudit.evidence.DISPARITY` defines them.
    spatial
        Whether neighbours fare alike.
    injection
        What would have been found, where that was asked for.
    layout
        Where clusters of voices lie.
    extent
        How far a log with coordinates reaches, in whole degrees (south, north, west, east): at each edge, or
        beyond it, are at least `min_speakers_shown` speakers.
    """

    name: str
    kind: str
    origin: Literal["discovered", "declared", "saved"]
    discovered_on: DiscoveredOn | None
    digest: str | None
    rule: dict[str, Any] | None
    discoverer: DiscovererRecord | None
    exploratory: bool
    overall: Rate
    splits: Splits | None
    cohorts: tuple[Cohort, ...]
    unassigned: Unassigned | None
    bottom: Side | None
    top: Side | None
    rest: Side | None
    gap: Gap
    gaps: Gaps
    in_sample_gap: InSample | None
    gap_by_share: tuple[SharePoint, ...]
    attributes: tuple[AttributeGap, ...]
    stability: Stability | None
    chance: Chance | None
    adjusted_gaps: tuple[AdjustedGap, ...] = ()
    gap_by_normalizer: tuple[NormalizerGap, ...] = ()
    no_worse_than: float | None = None
    disparity: dict[str, float] = msgspec.field(default_factory=dict)
    spatial: Spatial | None = None
    injection: Injection | None = None
    layout: Layout | None = None
    extent: tuple[int, int, int, int] | None = None

    def _repr_html_(self) -> str:
        from fairaudit.report import notebook

        return notebook.of_partition(self)


class AuditResult(Stored, frozen=True, kw_only=True):
    """The result of an audit; `audit.json` is its JSON form.

    Attributes
    ----------
    schema_version
        Version of this form.
    fairaudit_version
        Version of fairaudit that made it.
    signature
        One line that says how the numbers were made, fit for a paper.
    created_at
        Time in UTC, or that of SOURCE_DATE_EPOCH.
    seed
        Seed of every random choice.
    options
        All options of the audit, by name, and which rows and columns were read.
    environment
        Versions of Python and of the packages that the numbers depend on.
    files
        Digests of the other files of the result, by name.
    subject
        The recogniser and the data, in the user's words.
    metric
        The ratio that is reported.
    metrics
        The headline figures, flat, for trackers of experiments.
    inputs
        Files, folders and tables that were read.
    scoring
        How text became counts, where it did.
    log
        What the log held.
    overall
        The rate of the whole log.
    skipped
        What was not partitioned by, each with the reason.
    partitions
        What was measured of each partition.
    overlap
        How far the bottoms of partitions are the same speakers.

    See Also
    --------
    fairaudit.audit : makes one.
    """

    schema_version: int
    fairaudit_version: str
    signature: str
    created_at: str
    seed: int
    options: dict[str, Any]
    environment: dict[str, str]
    files: dict[str, str]
    subject: Subject
    metric: Metric
    metrics: dict[str, float]
    inputs: tuple[Source, ...]
    scoring: Scoring | None
    log: LogSummary
    overall: Rate
    skipped: dict[str, str]
    partitions: tuple[PartitionResult, ...]
    overlap: tuple[Overlap, ...] = ()

    def __repr__(self) -> str:
        # Thousands of figures help nobody at a prompt.
        names = ", ".join(p.name for p in self.partitions)
        return f"<AuditResult of {self.log.speakers:,} speakers by {names or 'nothing'}; see .summary()>"

    def _repr_html_(self) -> str:
        from fairaudit.report import notebook

        return notebook.of_audit(self)

    def partition(self, name: str) -> PartitionResult:
        """Return one partition by name.

        Raises
        ------
        ResultError
            If the audit has no partition of that name.
        """
        for partition in self.partitions:
            if partition.name == name:
                return partition
        raise ResultError(
            f"no partition {name!r} in this result", allowed=", ".join(p.name for p in self.partitions)
        )

    def summary(self) -> pd.DataFrame:
        """Return the printed table: one row per partition, columns `tables.SUMMARY_COLUMNS`."""
        from fairaudit import tables

        return tables.summary(self)

    def cohorts(self) -> pd.DataFrame:
        """Return every cohort of every partition, worst first, columns `tables.COHORT_COLUMNS`."""
        from fairaudit import tables

        return tables.cohorts(self)

    def attributes(self) -> pd.DataFrame:
        """Return every attribute that a search tried, columns `tables.ATTRIBUTE_COLUMNS`."""
        from fairaudit import tables

        return tables.attributes(self)

    def to_geopandas(self) -> gpd.GeoDataFrame:
        """Return every cohort that lies on a map, with its area on land, columns `areas.AREA_COLUMNS`.

        Returns
        -------
        geopandas.GeoDataFrame
            One row a cohort, worst first, in EPSG:4326. Regions are clipped to land; the area of a ZIP cohort
            is the hexagons in which enough of its speakers live, and None where there is none. Fractions, not
            percentages.

        Raises
        ------
        ResultError
            If no partition of the audit lies on a map.
        """
        from fairaudit import areas

        return areas.frame(self)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `audit.json`, as it is published in the documentation.

    Examples
    --------
    >>> json_schema()["title"]
    'AuditResult'
    """
    return schema_of(AuditResult, "audit")
