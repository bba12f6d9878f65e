"""Figures of two releases on the same speakers and utterances, and of the change between them.

A change is a contrast of paired rates: every speaker is left out with the rows of both releases at once,
so that what the releases have in common cancels, and no covariance has to be worked out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fairaudit import figures
from fairaudit.changes import Change, GapChange, RateChange
from fairaudit.counts import Bools, Floats, Ints, SpeakerCounts
from fairaudit.estimate import Contrast, Rates, Scale, contrast, jackknife
from fairaudit.figures import Aggregate, aggregate_ways
from fairaudit.ranking import BOTTOM, TOP
from fairaudit.result import Gap, Rate

NO_INTERVAL = "too few speakers for an interval"


def paired(baseline: Rates, candidate: Rates) -> Rates:
    """Return the change of each group's rate, as something that can be contrasted in turn.

    Parameters
    ----------
    baseline, candidate : Rates
        Of the same groups, rows and speakers, on the same scale.

    Returns
    -------
    Rates
        Estimate, deviations and variance are those of the difference, candidate minus baseline; errors
        are those of the candidate.

    Examples
    --------
    >>> group, words, speaker = np.zeros((1, 3), dtype=int), np.array([[10.0, 10.0, 10.0]]), np.arange(3)
    >>> first, second = (jackknife(group, np.array([e]), words, speaker, 1) for e in ([1., 2, 3], [2., 4, 6]))
    >>> change = paired(first, second)
    >>> np.exp(change.estimate).round(3), change.variance.round(6)
    (array([[2.]]), array([[0.]]))
    """
    deviation = candidate.deviation - baseline.deviation
    squares = np.bincount(baseline.slot, deviation * deviation, baseline.errors.size)
    n = baseline.speakers
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(n > 1, (n - 1) / n * squares.reshape(n.shape), np.inf)
    return replace(
        candidate,
        estimate=candidate.estimate - baseline.estimate,
        deviation=deviation,
        variance=np.where(np.isfinite(variance), variance, np.inf),
    )


@dataclass(frozen=True, eq=False)
class Both:
    """The rates of some groups in both releases, and their change, on one scale."""

    baseline: Rates
    candidate: Rates

    @property
    def change(self) -> Rates:
        """Candidate minus baseline."""
        return paired(self.baseline, self.candidate)

    def there(self, group: int) -> bool:
        """Tell whether a group has words."""
        return bool(self.baseline.words[0, group] > 0)

    def errors(self, group: int) -> tuple[float, float]:
        """Return the errors of the baseline and of the candidate."""
        return float(self.baseline.errors[0, group]), float(self.candidate.errors[0, group])


@dataclass(frozen=True, eq=False)
class Releases:
    """The counts of two releases on the same utterances: equal in all but errors.

    Parameters
    ----------
    baseline, candidate : SpeakerCounts
    """

    baseline: SpeakerCounts
    candidate: SpeakerCounts

    def select(self, rows: Bools) -> Releases:
        """Keep some rows of both."""
        return Releases(self.baseline.select(rows), self.candidate.select(rows))

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
        return Both(*(jackknife(group[None, rows], e, words, speaker, groups, scale=scale) for e in both))

    def pooled(self, rows: Bools, scale: Scale) -> Both:
        """Return the rates of some rows taken together."""
        return self.rates(np.zeros(self.baseline.rows, dtype=np.int64), rows, 1, scale)

    def rate_change(
        self, rows: Bools, confidence: float, effects: tuple[float, float] | None = None
    ) -> dict[str, Any]:
        """Return the fields of a RateChange for some rows.

        Parameters
        ----------
        rows : ndarray of bool, shape (n_rows,)
        confidence : float
        effects : tuple of float, optional
            Design effect of each release, for rows without errors.
        """
        first, second = effects or (None, None)
        plain = {
            "baseline": Rate(**figures.rate(self.baseline, rows, confidence, first)),
            "candidate": Rate(**figures.rate(self.candidate, rows, confidence, second)),
        }
        if plain["baseline"].wer is None:
            return plain | {"change": Change(reason=plain["baseline"].reason)}
        log, linear = (self.pooled(rows, scale) for scale in ("log", "linear"))
        return plain | {"change": change_of(log, linear, confidence)}


def change_of(log: Both, linear: Both, confidence: float, group: int = 0) -> Change:
    """Report the change of one group's rate.

    Parameters
    ----------
    log, linear : Both
        The same groups on both scales.
    confidence : float
    group : int
    """
    before, after = log.errors(group)
    ratio, difference = (figures.rate_contrast(both.change, group) for both in (log, linear))
    if ratio is None or difference is None:
        return Change(reason="no reference words")
    if not before and not after:
        return Change(absolute=0.0, reason="no errors in either release: no interval")
    if not before:
        return described(None, difference, confidence, "the baseline has no errors: no relative change")
    if not after:
        plain = described(None, difference, confidence, "the candidate has no errors: no relative interval")
        return Change(**{**_fields(plain), "relative": -1.0})
    return described(ratio, difference, confidence)


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
    ratio, difference = (contrast(both.change, BOTTOM, both.change, TOP) for both in (log, linear))
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
    highest = [[_highest(rates, groups) for rates in (b.baseline, b.candidate)] for b in (log, linear)]
    n_effective = min(log.baseline.n_effective[0, top] for top, _, _ in highest[0])
    contrasts = []
    for (_, before, before_without), (_, after, after_without) in highest:
        deviation = (after_without - after) - (before_without - before)
        n = len(deviation)
        se = np.sqrt((n - 1) / n * np.sum(deviation**2))
        contrasts.append(Contrast(*(np.array([v]) for v in (after - before, se, n_effective - 1))))
    errors = [r.errors[0, groups].max() for r in (log.baseline, log.candidate)]
    why = None if all(errors) else "no errors in one of the releases: no relative change"
    return described(contrasts[0] if all(errors) else None, contrasts[1], confidence, why)


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


def _fields(change: Change) -> dict[str, Any]:
    return {name: getattr(change, name) for name in change.__struct_fields__}
