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
from fairaudit.schema import decode, encode, schema_of

if TYPE_CHECKING:
    import pandas as pd


#: Why there is no gap in a partition that divides nobody.
ONE_COHORT = "there is only one cohort: nothing to compare"


class Share(Plain, frozen=True, kw_only=True):
    """Fractions of the measured speakers, utterances and reference words."""

    speakers: float | None
    utterances: float | None
    ref_words: float | None


class Rate(Plain, frozen=True, kw_only=True):
    """A word error rate with its interval, and the counts behind it.

    Fractions, not percentages. `log_se` and `df` are those of log WER: the bounds are
    ``exp(log(wer) -/+ t(df) * log_se)``. A figure that does not exist is None, and `reason` says why.
    """

    speakers: int | None = None
    utterances: int | None = None
    ref_words: int | None = None
    errors: int | None = None
    substitutions: int | None = None
    deletions: int | None = None
    insertions: int | None = None
    wer: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    log_se: float | None = None
    df: float | None = None
    n_effective: float | None = None
    wer_speaker_mean: float | None = None
    reason: str | None = None


class Gap(Plain, frozen=True, kw_only=True):
    """One set of speakers against another; signed, and it may be negative.

    `relative` is (WER - reference WER) / reference WER, `absolute` their difference as a fraction,
    `relative_to_bottom` the same difference over the first WER.
    """

    definition: str
    relative: float | None = None
    relative_low: float | None = None
    relative_high: float | None = None
    absolute: float | None = None
    absolute_low: float | None = None
    absolute_high: float | None = None
    ratio: float | None = None
    log_se: float | None = None
    df: float | None = None
    relative_to_bottom: float | None = None
    reason: str | None = None


class AdjustedGap(Gap, frozen=True, kw_only=True):
    """The gap between bottom and top once the named columns are alike on both sides.

    `crude` is the gap without them, on the very same rows and ways. `dropped` tells of columns that say
    nothing; `ways` is in how many ways the model could be fitted, and `shared` the share of the words of
    bottom and top that are in combinations of values which both have.
    """

    columns: tuple[str, ...]
    crude: Gap | None
    dropped: dict[str, str] = msgspec.field(default_factory=dict)
    ways: int = 0
    shared: float | None = None


class Cohort(Rate, frozen=True, kw_only=True):
    """One row of a partition. Rank 1 is the worst; None where the cohort is too small to be ranked.

    `status` and `p_adjusted` say whether it is really worse than everybody else, with control over all
    cohorts of the partition; the upper end of `against_rest` holds for all of them together.
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
    profile: tuple[Trait, ...] = ()
    text: TextTally | None = None
    by_normalizer: tuple[UnderNormalizer, ...] = ()


class Unassigned(Rate, frozen=True, kw_only=True):
    """The rows that could not be placed, with the reasons in utterances."""

    share: Share | None
    reasons: dict[str, int]
    text: TextTally | None = None
    by_normalizer: tuple[UnderNormalizer, ...] = ()


class Side(Rate, frozen=True, kw_only=True):
    """Bottom, top or rest.

    `cohorts` are those of the first split. Where speakers were held out, WER, interval and share are
    aggregated over all splits and the counts are the mean over them, rounded.
    """

    cohorts: tuple[str, ...]
    share: Share | None


class Gaps(Plain, frozen=True, kw_only=True):
    """The bottom against other yardsticks than the top."""

    rest: Gap | None
    overall: Gap | None
    reference: Gap | None


class PartitionResult(Plain, frozen=True, kw_only=True):
    """Everything that was measured of one partition."""

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


class AuditResult(Plain, frozen=True, kw_only=True):
    """The result of an audit; `audit.json` is its JSON form.

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

    def to_json(self) -> str:
        """Return the JSON form: two-space indent, fields in the order of the schema.

        Raises
        ------
        ValueError
            If a number is not finite, which would be an error of ours.
        """
        return encode(self)

    @classmethod
    def from_json(cls, text: str | bytes, where: str = "audit.json") -> AuditResult:
        """Read the JSON form; an older schema is upgraded, a newer one refused by name.

        Parameters
        ----------
        text : str or bytes
        where : str
            Name of the file, for messages.

        Raises
        ------
        ResultError
            If the text is not an audit result, or one of a newer schema.
        """
        return decode(text, cls, where)

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


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `audit.json`, as it is published in the documentation.

    Examples
    --------
    >>> json_schema()["title"]
    'AuditResult'
    """
    return schema_of(AuditResult)
