"""Rules and waivers: what one thing may be, and who answers for it where it is not."""

from __future__ import annotations

from datetime import date
from math import isfinite
from typing import Literal

from fairaudit.exceptions import OptionError
from fairaudit.gating.measures import BOUNDS, MEASURES, Bound
from fairaudit.provenance import Plain

#: The partition of a rule that holds for every one.
EVERY = "*"
#: Limits are fractions, so that 5 is most likely meant as 5 % and 15 certainly is.
HIGHEST = 10.0


class Rule(Plain, frozen=True, kw_only=True):
    """One thing that a result has to keep to, with exactly one of the three bounds.

    Parameters
    ----------
    name : str
        A name that no other rule of the policy has.
    measure : {"wer", "gap", "gap_absolute", "worst", "maximum"}
        What is limited: a WER, the gap of bottom against top, the cohort that was worst, or the highest
        WER of any; see `MEASURES`.
    partition : str, optional
        Its name; "*" for each that the result has; the whole log by default.
    cohorts : {"all", "bottom"} or tuple of str, optional
        Of which the WER is read: each and those without a cohort, the bottom as one, or those with these ids
        or names; "unassigned" is those without a cohort. All by default.
    max, max_increase, max_relative_increase : float, optional
        The limit, as a fraction: of the measure, of its absolute, or of its relative increase.
    min_speakers : int, optional
        A figure of fewer speakers is inconclusive.
    inconclusive : {"warn", "fail"}
        Whether not enough evidence makes the verdict inconclusive or a fail; never a pass.
    suppressed : {"block", "inform"}
        With "inform", cohorts of too few speakers to be shown do not hold up a release; they are listed.
    mode : {"enforce", "inform"}
        A rule that informs never blocks.

    Raises
    ------
    OptionError
        If it contradicts itself or a limit is out of range.

    Examples
    --------
    >>> rule = Rule(name="overall", measure="wer", max_relative_increase=0.05)
    >>> rule.bound, rule.limit
    ('max_relative_increase', 0.05)
    """

    name: str
    measure: Literal["wer", "gap", "gap_absolute", "worst", "maximum"]
    partition: str | None = None
    cohorts: Literal["all", "bottom"] | tuple[str, ...] | None = None
    max: float | None = None
    max_increase: float | None = None
    max_relative_increase: float | None = None
    min_speakers: int | None = None
    inconclusive: Literal["warn", "fail"] = "warn"
    suppressed: Literal["block", "inform"] = "block"
    mode: Literal["enforce", "inform"] = "enforce"

    def __post_init__(self) -> None:
        check(bool(self.name.strip()), "name", "a rule has no name", "any text")
        self._check_target()
        given = [bound for bound in BOUNDS if getattr(self, bound) is not None]
        what = f"rule '{self.name}' has {' and '.join(given) or 'no limit'}"
        check(len(given) == 1, "", what, f"exactly one of {', '.join(BOUNDS)}")
        allowed = MEASURES[self.measure].bounds
        what = f"rule '{self.name}': {self.measure} has no {self.bound}"
        check(self.bound in allowed, self.bound, what, ", ".join(allowed))
        self._check_limit()
        what = f"rule '{self.name}': min_speakers is {self.min_speakers}"
        check(self.min_speakers is None or self.min_speakers >= 1, "min_speakers", what, "at least 1")
        check(
            self.min_speakers is None or MEASURES[self.measure].has_speakers,
            "min_speakers",
            f"rule '{self.name}': {self.measure} is not of certain speakers",
            "no min_speakers",
        )
        check(
            self.suppressed == "block" or self._of_each_cohort,
            "suppressed",
            f"rule '{self.name}' lets cohorts go that are too small, but is not about each of a partition",
            'suppressed = "inform" with measure = "wer", a partition and cohorts = "all"',
        )

    def _check_target(self) -> None:
        rule = f"rule '{self.name}'"
        whole = self.partition is None
        named = whole or bool((self.partition or "").strip())
        check(
            named, "partition", f"{rule}: partition is empty", f'a name, "{EVERY}" for each, or no such key'
        )
        check(
            not whole or self.measure == "wer",
            "partition",
            f"{rule}: {self.measure} is of a partition, and none is named",
            f'a name, or "{EVERY}" for each',
        )
        check(
            self.cohorts is None or (not whole and self.measure == "wer"),
            "cohorts",
            f"{rule} has cohorts, but {'no partition' if whole else f'its measure is {self.measure}'}",
            'cohorts with measure = "wer" and a partition',
        )
        if isinstance(self.cohorts, tuple):
            check(bool(self.cohorts), "cohorts", f"{rule} has an empty list", "ids or names of cohorts")
            empty = not all(name.strip() for name in self.cohorts)
            check(not empty, "cohorts", f"{rule} has a cohort without a name", "ids or names of cohorts")
            what = f"{rule} names cohorts of every partition"
            check(self.partition != EVERY, "partition", what, "the name of one partition")

    def _check_limit(self) -> None:
        if self.bound == "max_increase" or self.measure == "gap_absolute":
            low, allowed = -HIGHEST, f"at least {-HIGHEST:g}"
        elif self.bound == "max" and self.measure in ("wer", "worst"):
            low, allowed = 0.0, "above 0"
        else:
            low, allowed = -1.0, "above -1"
        what = f"rule '{self.name}': {self.bound} is {self.limit:g}"
        within = isfinite(self.limit) and low < self.limit <= HIGHEST
        check(within, self.bound, what, f"{allowed}, at most {HIGHEST:g}; a fraction: 0.05 is 5 %")

    @property
    def bound(self) -> Bound:
        """Which of the three bounds it has."""
        return next(bound for bound in BOUNDS if getattr(self, bound) is not None)

    @property
    def needs_baseline(self) -> bool:
        """Whether it can be held to a comparison alone."""
        return self.bound != "max" or MEASURES[self.measure].instead is not None

    @property
    def _of_each_cohort(self) -> bool:
        return self.partition is not None and self.measure == "wer" and self.cohorts in (None, "all")

    @property
    def limit(self) -> float:
        """What it allows, as a fraction."""
        return float(getattr(self, self.bound))


class Waiver(Plain, frozen=True, kw_only=True):
    """A fail that somebody answers for until a day, up to a value. Everything is required.

    Parameters
    ----------
    cohort : str
        An id or a name; where the rule is not of a cohort, overall, bottom, gap, worst or maximum.
    partition : str
        Name of the partition; overall where the rule has none.
    rule : str
        Name of the rule.
    reason, approver, note : str
        Why, who answers for it, and where more is said.
    expires : date
        The last day on which it holds.
    max_value : float
        Up to which it holds, as a fraction.

    Raises
    ------
    OptionError
        If a text is empty or the value is out of range.
    """

    cohort: str
    partition: str
    rule: str
    reason: str
    approver: str
    note: str
    expires: date
    max_value: float

    def __post_init__(self) -> None:
        for key in ("cohort", "partition", "rule", "reason", "approver", "note"):
            check(bool(getattr(self, key).strip()), key, f"{key} of a waiver is empty", "some text")
        what = f"max_value is {self.max_value}"
        within = isfinite(self.max_value) and self.max_value <= HIGHEST
        allowed = f"at most {HIGHEST:g}: the fraction up to which it holds; 0.05 is 5 %"
        check(within, "max_value", what, allowed)


def check(holds: bool, key: str, what: str, allowed: str) -> None:
    """Refuse a part of a policy unless something holds.

    Parameters
    ----------
    holds : bool
    key : str
        The key that is at fault; an empty text where it is not one alone.
    what, allowed : str

    Raises
    ------
    OptionError
    """
    if not holds:
        raise OptionError(what, where=key or None, allowed=allowed)
