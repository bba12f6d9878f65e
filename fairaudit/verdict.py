"""What a gate says: findings, each with its measure, value, interval, limit and reason, and a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from fairaudit.provenance import Plain
from fairaudit.schema import Stored, schema_of

Status = Literal["pass", "fail", "inconclusive", "waived"]


class Finding(Plain, frozen=True, kw_only=True):
    """One rule applied to one figure.

    Attributes
    ----------
    rule
        Name of the rule.
    partition
        Partition that the figure is of; None for the whole log.
    cohort, cohort_id
        Name and id of the cohort. Where the rule is not of a cohort: overall, bottom, gap, worst or maximum.
    label
        What the figure is of, in words.
    measure, bound
        What the rule is about, and how it limits it.
    limit
        What the rule allows, as a fraction.
    value, low, high
        The measure, as a fraction, and the bounds of its interval.
    status
        Whether the figure keeps to the rule.
    mode
        Whether the rule counts, or only informs.
    blocks
        Whether this finding holds up the release.
    reason
        Why the status is what it is, in words.
    settles
        What would settle an inconclusive finding.
    p_value
        One-sided p of the figure being within the limit.
    p_adjusted
        The same corrected for the number of findings; a fail needs both its `low` beyond the limit and a
        small `p_adjusted`.
    speakers
        How many speakers the figure is of.
    exploratory
        Whether the partition was found in the very data that is gated, or on the very same speakers.
    suppressed
        Whether the cohort is of too few speakers to be shown.
    waiver
        Who answers for it, where somebody does.
    """

    rule: str
    partition: str | None
    cohort: str | None
    cohort_id: str | None
    label: str
    measure: str
    bound: Literal["max", "max_increase", "max_relative_increase"]
    limit: float
    value: float | None
    low: float | None
    high: float | None
    status: Status
    mode: Literal["enforce", "inform"]
    blocks: bool
    reason: str
    settles: str | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    speakers: int | None = None
    exploratory: bool = False
    suppressed: bool = False
    waiver: dict[str, Any] | None = None

    @property
    def subject(self) -> str:
        """What it is about: partition and cohort, as a waiver names them."""
        return " / ".join(name for name in (self.partition, self.cohort) if name) or self.label


class Basis(Plain, frozen=True, kw_only=True):
    """The data that a gated result was made from: how much it was, and what it was without.

    Attributes
    ----------
    utterances, speakers
        How many the result is of.
    where
        Columns by whose values rows were chosen, each with these values.
    excluded
        Utterances that were left out when the log was read, by reason.
    pairing
        Utterances of the two logs of a comparison, by whether they belong together.
    warnings
        Warnings of the result.
    """

    utterances: int
    speakers: int
    where: dict[str, tuple[str, ...]]
    excluded: dict[str, int]
    pairing: dict[str, int] | None
    warnings: tuple[str, ...]


class Verdict(Stored, frozen=True, kw_only=True):
    """The verdict of a gate; `verdict.json` is its JSON form. The worst findings come first.

    Attributes
    ----------
    schema_version
        Version of this form.
    kind
        What tells it from a result.
    fairaudit_version
        Version of fairaudit that made it.
    created_at
        Time in UTC, or that of SOURCE_DATE_EPOCH.
    status
        Whether the release passes.
    confidence
        Level of the intervals of the result.
    metric
        The ratio that is judged.
    result, policy
        What was gated and by what: names and digests.
    basis
        The data behind the result.
    waivers_as_of
        The day on which waivers were looked at; None where the policy has none.
    findings
        What came of each rule on each figure.
    warnings
        What limits the reading of the verdict.

    See Also
    --------
    fairaudit.gate : makes one.
    """

    schema_version: int
    kind: Literal["verdict"] = "verdict"
    fairaudit_version: str
    created_at: str
    status: Literal["pass", "fail", "inconclusive"]
    confidence: float
    metric: str
    result: dict[str, str]
    policy: dict[str, str]
    basis: Basis
    waivers_as_of: str | None
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Verdict: {self.status}, {len(self.findings):,} findings>"

    def _repr_html_(self) -> str:
        from fairaudit.report import notebook

        return notebook.of_verdict(self)

    @property
    def enforced(self) -> bool:
        """Whether any finding counts: a verdict of rules that only inform says nothing about a release."""
        return any_enforced(self.findings)


def any_enforced(findings: Iterable[Finding]) -> bool:
    """Tell whether any finding counts.

    Parameters
    ----------
    findings : iterable of Finding
    """
    return any(f.mode == "enforce" and (f.blocks or f.status in ("pass", "waived")) for f in findings)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `verdict.json`."""
    return schema_of(Verdict, "verdict")
