"""Figures of two releases on the same speakers and utterances, and of the change between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from fairaudit import figures
from fairaudit.changes import Change, GapChange, RateChange
from fairaudit.comparison.paired import Both, Differing
from fairaudit.counts import Bools, Floats, Ints, SpeakerCounts
from fairaudit.estimate import Contrast, Rates, Scale, contrast, jackknife
from fairaudit.figures import Aggregate, aggregate_ways
from fairaudit.ranking import BOTTOM, TOP
from fairaudit.rates import Gap, Rate

NO_INTERVAL = "too few speakers for an interval"


@dataclass(frozen=True, eq=False)
class Releases:
    """The counts of two releases on the same utterances: equal in all but errors.

    Parameters
    ----------
    baseline, candidate : SpeakerCounts
    utterances, errors : ndarray of int64, shape (n_rows,)
        How many utterances of each row differ, and by how many errors, whatever their signs.
    confidence : float
        Of the intervals.
    """

    baseline: SpeakerCounts
    candidate: SpeakerCounts
    utterances: Ints
    errors: Ints
    confidence: float

    @cached_property
    def differing(self) -> Differing:
        """How errors differ, over all speakers: those of one cohort may be too few to tell."""
        counts = self.baseline
        return Differing.of(self.utterances, self.errors, counts.ref_words, counts.speaker)

    def select(self, rows: Bools) -> Releases:
        """Keep some rows of both."""
        baseline, candidate = self.baseline.select(rows), self.candidate.select(rows)
        return Releases(baseline, candidate, self.utterances[rows], self.errors[rows], self.confidence)

    def rates(self, group: Ints, rows: Bools, groups: int, scale: Scale) -> Both:
        """Return the rates of groups of rows in both releases.

        Parameters
        ----------
        group : ndarray of int64, shape (n_rows,)
            -1 for rows that belong to none.
        rows : ndarray of bool, shape (n_rows,)
        groups : int
        scale : {"log", "linear"}
        """
        words = self.baseline.ref_words[rows][None].astype(np.float64)
        speaker = self.baseline.speaker[rows]
        both = (counts.errors[rows][None].astype(np.float64) for counts in (self.baseline, self.candidate))
        first, second = (jackknife(group[None, rows], e, words, speaker, groups, scale=scale) for e in both)
        return Both(first, second, scale, self.differing, self.confidence)

    def pooled(self, rows: Bools, scale: Scale) -> Both:
        """Return the rates of some rows taken together."""
        return self.rates(np.zeros(self.baseline.rows, dtype=np.int64), rows, 1, scale)

    def rate_change(self, rows: Bools, effects: tuple[float, float] | None = None) -> dict[str, Any]:
        """Return the fields of a RateChange for some rows.

        Parameters
        ----------
        rows : ndarray of bool, shape (n_rows,)
        effects : tuple of float, optional
            Design effect of each release, for rows without errors.
        """
        first, second = effects or (None, None)
        plain = {
            "baseline": Rate(**figures.rate(self.baseline, rows, self.confidence, first)),
            "candidate": Rate(**figures.rate(self.candidate, rows, self.confidence, second)),
        }
        before, after = plain["baseline"], plain["candidate"]
        if before.wer is None:
            return plain | {"change": Change(reason=before.reason)}
        # A change is not known better than a rate of zero is.
        least = max((rate.high for rate in (before, after) if not rate.errors and rate.high), default=0.0)
        difference = self.pooled(rows, "linear").rate_change(0, least)
        if before.errors and after.errors:
            ratio = self.pooled(rows, "log").rate_change(0)
            return plain | {"change": described(ratio, difference, self.confidence)}
        return plain | {"change": _without_errors(before, after, difference, self.confidence)}


def _without_errors(
    baseline: Rate, candidate: Rate, difference: Contrast | None, confidence: float
) -> Change:
    """Report the change of a rate that is zero in one of the releases: it has no logarithm.

    A candidate without errors is bounded by what its own interval allows, over the baseline's rate.
    """
    if baseline.errors and baseline.wer:
        why = "the candidate has no errors: no standard error of a ratio"
        plain = described(None, difference, confidence, why)
        bounds: dict[str, Any] = {"relative": -1.0}
        if candidate.high is not None:
            bounds |= {"relative_low": -1.0, "relative_high": candidate.high / baseline.wer - 1}
        return msgspec.structs.replace(plain, **bounds)
    which = "the baseline has" if candidate.errors else "both releases have"
    return described(None, difference, confidence, f"{which} no errors: no relative change")


def described(
    ratio: Contrast | None, difference: Contrast | None, confidence: float, reason: str | None = None
) -> Change:
    """Report a change from the contrasts of its log ratio and of its difference.

    Parameters
    ----------
    ratio, difference : Contrast or None
        Of one replicate.
    confidence : float
    reason : str, optional
        Why there is no ratio.
    """
    plain: dict[str, Any] = {"reason": reason}
    if difference is not None:
        plain["absolute"] = float(difference.estimate[0])
        if (whole := _whole(difference)) and (bounds := whole.bounds(confidence)):
            plain |= {"absolute_low": bounds[0], "absolute_high": bounds[1], "absolute_se": whole.se}
    if ratio is not None:
        plain["relative"] = float(np.expm1(ratio.estimate[0]))
        plain |= _ratio_interval(_whole(ratio), confidence)
    return Change(**plain)


def averaged(ratio: Aggregate | None, difference: Aggregate | None, confidence: float, reason: str) -> Change:
    """Report a change that is aggregated over ways."""
    ratios, differences = (
        None if a is None else Contrast(*(np.array([v]) for v in (a.estimate, a.se, a.df)))
        for a in (ratio, difference)
    )
    return described(ratios, differences, confidence, None if ratio else reason)


def gap_change(log: Both, linear: Both, confidence: float) -> GapChange:
    """Report the gap of bottom and top in both releases, and its change.

    Parameters
    ----------
    log, linear : Both
        Of the groups BOTTOM, TOP and REST.
    confidence : float

    Returns
    -------
    GapChange
        The relative change is that of the ratio of the bottom's rate to the top's, the absolute one that
        of their difference.
    """
    definition = "bottom against top, as saved"
    if not (log.there(BOTTOM) and log.there(TOP)):
        nobody = "the saved bottom or top has no speakers here"
        none = Gap(definition=definition, reason=nobody)
        return GapChange(baseline=none, candidate=none, change=Change(reason=nobody))
    gaps = [
        _gap(definition, of_log, of_linear, confidence)
        for of_log, of_linear in (
            (log.baseline, linear.baseline),
            (log.candidate, linear.candidate),
        )
    ]
    ratio, difference = log.gap_change(), linear.gap_change()
    # A gap of a side without errors has no ratio in one of the releases.
    errors = (*log.errors(BOTTOM), *log.errors(TOP))
    why = None if all(errors) else "bottom or top has no errors in one of the releases: no relative change"
    change = described(ratio if all(errors) else None, difference, confidence, why)
    return GapChange(baseline=gaps[0], candidate=gaps[1], change=change)


def highest_change(log: Both, linear: Both, among: Sequence[int], confidence: float) -> Change | None:
    """Report the change of the highest rate of several groups, whichever that is in each release.

    Parameters
    ----------
    log, linear : Both
    among : sequence of int
        Groups that are looked at.
    confidence : float

    Returns
    -------
    Change or None
        None where there is no group with at least two speakers and words.
    """
    enough = np.isfinite(log.change.variance[0]) & (log.baseline.words[0] > 0)
    groups = [g for g in among if enough[g]]
    if not groups:
        return None
    contrasts = [_highest_contrast(both, groups) for both in (log, linear)]
    errors = [r.errors[0, groups].max() for r in (log.baseline, log.candidate)]
    why = None if all(errors) else "no errors in one of the releases: no relative change"
    return described(contrasts[0] if all(errors) else None, contrasts[1], confidence, why)


def _highest_contrast(both: Both, groups: Sequence[int]) -> Contrast:
    """Return the change of the highest rate on one scale."""
    (first, before, before_without), (second, after, after_without) = (
        _highest(rates, groups) for rates in (both.baseline, both.candidate)
    )
    deviation = (after_without - after) - (before_without - before)
    n = len(deviation)
    se = np.sqrt((n - 1) / n * np.sum(deviation**2))
    df = min(both.baseline.n_effective[0, group] for group in (first, second)) - 1
    plain = Contrast(*(np.array([value]) for value in (after - before, se, df)))
    return both.widened(plain, both.unseen(first, second))


def mean_rate(whole: Aggregate | None, confidence: float, reason: str) -> Rate:
    """Report a rate that is aggregated over ways, without counts."""
    if whole is None:
        return Rate(reason=reason)
    bounds = whole.bounds(confidence)
    low, high = np.exp(bounds).tolist() if bounds else (None, None)
    return Rate(
        wer=float(np.exp(whole.estimate)),
        low=low,
        high=high,
        confidence=confidence,
        log_se=whole.se,
        df=whole.df,
        reason=None if bounds else NO_INTERVAL,
    )


def as_rate_change(plain: dict[str, Any]) -> RateChange:
    """Make a RateChange of the fields that `Releases.rate_change` returns."""
    return RateChange(**plain)


def _highest(rates: Rates, groups: Sequence[int]) -> tuple[int, float, Floats]:
    """Return the group with the highest rate, that rate, and the highest one without each speaker."""
    order = sorted(groups, key=lambda g: -rates.estimate[0, g])
    entries = np.isin(rates.slot, order)
    units, unit = np.unique(rates.unit[entries], return_inverse=True)
    slot = rates.slot[entries]
    # Of the groups that a speaker is in, the rates without the speaker.
    without = np.full(len(units), -np.inf)
    np.maximum.at(
        without, unit, np.nan_to_num(rates.estimate[0, slot] + rates.deviation[entries], nan=-np.inf)
    )
    # And the first of the others, which for nearly all speakers is the highest.
    left = np.arange(len(units))
    for group in order:
        inside = np.isin(left, unit[slot == group])
        without[left[~inside]] = np.maximum(without[left[~inside]], rates.estimate[0, group])
        left = left[inside]
    return order[0], float(rates.estimate[0, order[0]]), without


def _gap(definition: str, log: Rates, linear: Rates, confidence: float) -> Gap:
    ratio = contrast(log, BOTTOM, log, TOP) if log.errors[0, TOP] > 0 else None
    difference = contrast(linear, BOTTOM, linear, TOP)
    of_ratio, of_difference = (aggregate_ways([c], 1) for c in (ratio, difference))
    return figures.gap(
        definition, of_ratio, of_difference, confidence, "the top has no errors to compare with"
    )


def _ratio_interval(whole: Aggregate | None, confidence: float) -> dict[str, Any]:
    bounds = whole.bounds(confidence) if whole else None
    with np.errstate(over="ignore"):
        ends = np.expm1(bounds).tolist() if bounds else [np.inf]
    if whole is None or not np.isfinite(ends).all():
        return {"reason": NO_INTERVAL}
    return {"relative_low": ends[0], "relative_high": ends[1], "log_se": whole.se, "df": whole.df}


def _whole(one: Contrast) -> Aggregate | None:
    return aggregate_ways([one], 1)
