"""What a comparison found: the change of every rate and gap from a baseline to a candidate release.

The shape is that of `fairaudit.result`, with `baseline`, `candidate` and `change` in the place of each
rate and gap. Nothing per speaker, nothing suppressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from fairaudit.exceptions import ResultError
from fairaudit.provenance import DiscoveredOn, LogSummary, Metric, Plain, Scoring, Source, Subject
from fairaudit.result import Gap, Rate, Share
from fairaudit.schema import decode, encode, schema_of

if TYPE_CHECKING:
    import pandas as pd


class Change(Plain, frozen=True, kw_only=True):
    """Candidate against baseline on the same utterances; signed, positive is worse.

    `absolute` is candidate minus baseline (a fraction), `relative` that over the baseline. `log_se` and `df`
    are those of the log ratio: the relative bounds are ``exp(log(1 + relative) -/+ t(df) * log_se) - 1``.
    `absolute_se` is that of the difference. A figure that does not exist is None, and `reason` says why.
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
    """A rate in both releases, on the same speakers and utterances."""

    baseline: Rate
    candidate: Rate
    change: Change


class CohortChange(RateChange, frozen=True, kw_only=True):
    """One cohort of a partition.

    `saved_share` is its share of speakers where the partition was found, those of all cohorts adding to one.
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
    and over all splits: then `cohorts` are those of the first way, and there are no counts.
    """

    cohorts: tuple[str, ...]
    share: Share | None

    @property
    def speakers(self) -> int | None:
        """Number of speakers, the same in both releases."""
        return self.baseline.speakers


class GapChange(Plain, frozen=True, kw_only=True):
    """A gap in both releases. `change` is that of the ratio of bottom and top, and of their difference."""

    baseline: Gap
    candidate: Gap
    change: Change


class PartitionChange(Plain, frozen=True, kw_only=True):
    """Everything that was compared in one partition.

    Attributes
    ----------
    exploratory : bool
        Whether the partition was found in one of the very logs that are compared. Only speakers among whom
        it was not found are measured then.
    vanished : tuple of str
        Cohorts of which nobody is left.
    worst : CohortChange or None
        The cohort that was worst on one half of the baseline's speakers, its change measured on the other
        half, both ways and over all splits: the worst of the baseline regresses to the mean. Named is that
        of the first split; `worst_chosen` counts how often each cohort was it, and `worst_reason` says why
        there is none.
    maximum : Change or None
        Change of the highest rate of any shown cohort, whichever that is in each release. The baseline's
        highest is a selection from the very speakers who are measured: `worst` is the honest one.
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
    """Which utterances of the two logs belong together: by id, and by an equal (normalised) reference."""

    matched: int
    baseline_only: int
    candidate_only: int
    different_reference: int


class MatchedPairs(Plain, frozen=True, kw_only=True):
    """The classical test of the overall change: matched pairs of utterances, two-sided.

    It takes utterances for independent; it is here for those who expect it.
    """

    statistic: float | None
    p_value: float | None
    reason: str | None = None


class ComparisonResult(Plain, frozen=True, kw_only=True):
    """The result of a comparison of two releases; `compare.json` is its JSON form.

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

    def to_json(self) -> str:
        """Return the JSON form: two-space indent, fields in the order of the schema."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str | bytes, where: str = "compare.json") -> ComparisonResult:
        """Read the JSON form; a newer schema is refused by name.

        Parameters
        ----------
        text : str or bytes
        where : str
            Name of the file, for messages.

        Raises
        ------
        ResultError
            If the text is not a comparison, or one of a newer schema.
        """
        return decode(text, cls, where)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `compare.json`."""
    return schema_of(ComparisonResult)
