"""What a comparison found: the change of every rate and gap from a baseline to a candidate release.

The shape is that of `fairaudit.result`, with `baseline`, `candidate` and `change` in the place of each
rate and gap. Nothing per speaker, nothing suppressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from fairaudit.exceptions import ResultError
from fairaudit.provenance import DiscoveredOn, LogSummary, Metric, Plain, Scoring, Source, Subject
from fairaudit.rates import Gap, Rate, Share
from fairaudit.schema import Stored, schema_of

if TYPE_CHECKING:
    import pandas as pd

#: Intervals of fewer speakers do not cover what they promise, whatever they look like.
FEWEST_SPEAKERS = 5


class Change(Plain, frozen=True, kw_only=True):
    """Candidate against baseline on the same utterances; signed, positive is worse.

    A figure that does not exist is None, and `reason` says why.

    Attributes
    ----------
    absolute
        Candidate minus baseline, as a fraction.
    absolute_low, absolute_high
        Bounds of its interval.
    absolute_se
        Standard error of the difference.
    relative
        The difference over the baseline.
    relative_low, relative_high
        Bounds of its interval: ``exp(log(1 + relative) -/+ t(df) * log_se) - 1``.
    log_se, df
        Standard error of the log ratio, and its degrees of freedom.
    reason
        Why a figure is missing.
    """

    absolute: float | None = None
    absolute_low: float | None = None
    absolute_high: float | None = None
    absolute_se: float | None = None
    relative: float | None = None
    relative_low: float | None = None
    relative_high: float | None = None
    log_se: float | None = None
    df: float | None = None
    reason: str | None = None


class RateChange(Plain, frozen=True, kw_only=True):
    """A rate in both releases, on the same speakers and utterances.

    Attributes
    ----------
    baseline, candidate
        The rate in this release.
    change
        The change from one to the other.
    measured_speakers
        For figures without counts, that were named on one half of the speakers and measured on the other: the
        least number of measured speakers over the ways. None where the counts are there.
    """

    baseline: Rate
    candidate: Rate
    change: Change
    measured_speakers: int | None = None


class CohortChange(RateChange, frozen=True, kw_only=True):
    """One cohort of a partition.

    Attributes
    ----------
    cohort, id, label
        Its name, the digest of its part of the rule, and what it is in words.
    suppressed
        Whether its figures are withheld, being of too few speakers.
    share
        Its share of the measured.
    saved_share
        Its share of speakers where the partition was found, those of all cohorts adding to one.
    """

    cohort: str
    id: str
    label: str
    suppressed: bool
    share: Share | None
    saved_share: float | None = None


class SideChange(RateChange, frozen=True, kw_only=True):
    """Bottom, top or rest.

    As saved; or of a label column, named on one half of the baseline and measured on the other, both ways
    and over all splits: then there are no counts.

    Attributes
    ----------
    cohorts
        Its cohorts as saved, or in the first way.
    share
        Its share of the measured.
    """

    cohorts: tuple[str, ...]
    share: Share | None

    @property
    def speakers(self) -> int | None:
        """Number of speakers, the same in both releases."""
        return self.baseline.speakers


class GapChange(Plain, frozen=True, kw_only=True):
    """A gap in both releases.

    Attributes
    ----------
    baseline, candidate
        The gap in this release.
    change
        The change of the ratio of bottom and top, and of their difference.
    """

    baseline: Gap
    candidate: Gap
    change: Change


class PartitionChange(Plain, frozen=True, kw_only=True):
    """Everything that was compared in one partition.

    Attributes
    ----------
    name
        Name of the discoverer, or of the columns.
    kind
        Kind of its rule.
    origin
        Read from `partitions.json`, or the values of a label column.
    discovered_on
        The log in which it was found.
    digest
        Digest of the rule.
    exploratory
        Whether the partition was found in one of the very logs that are compared, or on the very same
        speakers. Only the half among whom it was not found is measured then.
    overall
        The rate of all who are measured.
    cohorts
        All cohorts, each with its change.
    unassigned, unassigned_share
        Rows that could not be placed, and their share of the speakers.
    vanished
        Cohorts of which nobody is left.
    bottom, top, rest
        The worst cohorts, the best and all others.
    gap
        The gap of bottom against top, and its change.
    worst
        The cohort that was worst on one half of the baseline's speakers, its change measured on the other
        half, both ways and over all splits: the worst of the baseline regresses to the mean. Named is that
        of the first split.
    maximum
        Change of the highest rate of any shown cohort, whichever that is in each release. The baseline's
        highest is a selection from the very speakers who are measured: `worst` is the honest one.
    worst_chosen
        How often each cohort was the worst.
    worst_reason
        Why there is no `worst`.
    warnings
        What limits the reading of this partition.
    reason
        Why a figure is missing.
    """

    name: str
    kind: str
    origin: Literal["saved", "declared"]
    discovered_on: DiscoveredOn | None
    digest: str | None
    exploratory: bool
    overall: RateChange
    cohorts: tuple[CohortChange, ...]
    unassigned: RateChange | None
    unassigned_share: float | None
    vanished: tuple[str, ...]
    bottom: SideChange | None
    top: SideChange | None
    rest: SideChange | None
    gap: GapChange | None
    worst: CohortChange | None
    maximum: Change | None
    worst_chosen: dict[str, int] = msgspec.field(default_factory=dict)
    worst_reason: str | None = None
    warnings: tuple[str, ...] = ()
    reason: str | None = None


class Pairing(Plain, frozen=True, kw_only=True):
    """Which utterances of the two logs belong together: by id, and by an equal (normalised) reference.

    Attributes
    ----------
    matched
        Utterances that are in both logs.
    baseline_only, candidate_only
        Utterances in this log alone.
    different_reference
        Utterances of one id whose references differ.
    """

    matched: int
    baseline_only: int
    candidate_only: int
    different_reference: int


class MatchedPairs(Plain, frozen=True, kw_only=True):
    """The classical test of the overall change: matched pairs of utterances, two-sided.

    It takes utterances for independent; it is here for those who expect it.

    Attributes
    ----------
    statistic
        The mean difference over its standard error.
    p_value
        p of no change.
    reason
        Why there is none.
    """

    statistic: float | None
    p_value: float | None
    reason: str | None = None


class ComparisonResult(Stored, frozen=True, kw_only=True):
    """The result of a comparison of two releases; `compare.json` is its JSON form.

    Attributes
    ----------
    schema_version
        Version of this form.
    kind
        What tells it from an audit.
    fairaudit_version
        Version of fairaudit that made it.
    signature
        One line that says how the numbers were made, fit for a paper.
    created_at
        Time in UTC, or that of SOURCE_DATE_EPOCH.
    seed
        Seed of every random choice.
    options
        All options of the comparison, by name, and which rows and columns were read.
    environment
        Versions of Python and of the packages that the numbers depend on.
    files
        Digests of the other files of the result, by name.
    baseline, candidate
        Each release and its data, in the user's words.
    metric
        The ratio that is reported.
    metrics
        The headline figures, flat, for trackers of experiments.
    inputs
        Files, folders and tables that were read.
    scoring
        How text became counts, where it did.
    log
        The utterances that are compared.
    pairing
        Which utterances belong together.
    overall
        The rate of the whole log.
    matched_pairs
        The classical test of its change.
    partitions
        What was compared in each partition.
    skipped
        What was not compared, each with the reason.

    See Also
    --------
    fairaudit.compare : makes one.
    """

    schema_version: int
    kind: Literal["comparison"] = "comparison"
    fairaudit_version: str
    signature: str
    created_at: str
    seed: int
    options: dict[str, Any]
    environment: dict[str, str]
    files: dict[str, str]
    baseline: Subject
    candidate: Subject
    metric: Metric
    metrics: dict[str, float]
    inputs: tuple[Source, ...]
    scoring: Scoring | None
    log: LogSummary
    pairing: Pairing
    overall: RateChange
    matched_pairs: MatchedPairs | None
    partitions: tuple[PartitionChange, ...]
    skipped: dict[str, str] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        names = ", ".join(p.name for p in self.partitions)
        return f"<ComparisonResult of {self.log.speakers:,} speakers by {names or 'nothing'}>"

    def _repr_html_(self) -> str:
        from fairaudit.report import notebook

        return notebook.of_comparison(self)

    def partition(self, name: str) -> PartitionChange:
        """Return one partition by name.

        Raises
        ------
        ResultError
            If the comparison has no partition of that name.
        """
        for partition in self.partitions:
            if partition.name == name:
                return partition
        raise ResultError(
            f"no partition {name!r} in this comparison", allowed=", ".join(p.name for p in self.partitions)
        )

    def changes(self) -> pd.DataFrame:
        """Return every rate and its change, columns `change_tables.CHANGE_COLUMNS`."""
        from fairaudit import change_tables

        return change_tables.changes(self)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `compare.json`."""
    return schema_of(ComparisonResult, "compare")
