"""What a gate says: findings, each with its measure, value, interval, limit and reason, and a verdict."""

from __future__ import annotations

from typing import Any, Literal

from fairaudit.provenance import Plain
from fairaudit.schema import decode, encode, schema_of

Status = Literal["pass", "fail", "inconclusive", "waived"]


class Finding(Plain, frozen=True, kw_only=True):
    """One rule applied to one figure.

    `value`, `low` and `high` are of the measure (fractions); `limit` is what the rule allows. `p_value` is
    one-sided, of the figure being within the limit, and `p_adjusted` the same corrected for the number of
    findings; a fail needs both its `low` beyond the limit and a small `p_adjusted`. `settles` says what would
    settle an inconclusive finding. `blocks` tells whether the verdict heeds it.

    Where the rule is not of a cohort, `cohort` is overall, bottom, gap, worst or maximum.
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
    waiver: dict[str, Any] | None = None

    @property
    def subject(self) -> str:
        """What it is about: partition and cohort, as a waiver names them."""
        return " / ".join(name for name in (self.partition, self.cohort) if name) or self.label


class Verdict(Plain, frozen=True, kw_only=True):
    """The verdict of a gate; `verdict.json` is its JSON form. The worst findings come first.

    `result` and `policy` name what was gated and by what, with their digests. `waivers_as_of` is the day on
    which waivers were looked at; None where the policy has none.

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
    waivers_as_of: str | None
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Verdict: {self.status}, {len(self.findings):,} findings>"

    def to_json(self) -> str:
        """Return the JSON form."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str | bytes, where: str = "verdict.json") -> Verdict:
        """Read the JSON form.

        Parameters
        ----------
        text : str or bytes
        where : str
            Name of the file, for messages.

        Raises
        ------
        ResultError
            If the text is not a verdict, or one of a newer schema.
        """
        return decode(text, cls, where)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `verdict.json`."""
    return schema_of(Verdict)
