"""What a rule can be about: measures, the bounds that each takes, and what they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Bound = Literal["max", "max_increase", "max_relative_increase"]
BOUNDS: tuple[Bound, ...] = ("max", "max_increase", "max_relative_increase")


@dataclass(frozen=True)
class Measure:
    """What a rule can be about: the bounds that it takes, and what they read in each kind of result.

    `instead` is what a rule reads of an audit where the measure is of comparisons alone.
    """

    bounds: tuple[Bound, ...]
    audit: str
    comparison: str
    has_speakers: bool = True
    instead: str | None = None


MEASURES: dict[str, Measure] = {
    "wer": Measure(
        BOUNDS,
        "the WER of everybody, of each cohort, or of the bottom",
        "`max`: that of the candidate; an increase: its change",
    ),
    "gap": Measure(
        ("max", "max_relative_increase"),
        "the relative gap of bottom against top",
        "`max`: that of the candidate; the increase: by how much the ratio of bottom and top grew",
    ),
    "gap_absolute": Measure(
        ("max", "max_increase"),
        "the gap of bottom against top in points",
        "`max`: that of the candidate; the increase: its change in points",
    ),
    "worst": Measure(
        BOUNDS,
        'nothing: use `cohorts = "bottom"`',
        "the cohort that was worst on one half of the baseline, measured on the other half",
        instead='cohorts = "bottom"',
    ),
    "maximum": Measure(
        ("max_increase", "max_relative_increase"),
        'nothing: use `cohorts = "all"`',
        "the change of the highest WER of any cohort",
        has_speakers=False,
        instead='cohorts = "all"',
    ),
}
