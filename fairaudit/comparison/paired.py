"""The rates of two releases on the same speakers, their change, and what neither of them shows.

A change is a contrast of paired rates: every speaker is left out with the rows of both releases at once,
so that what the releases have in common cancels, and no covariance has to be worked out. What cancels
leaves no variance either: of two releases that differ in three errors, three speakers tell all that the
jackknife knows. So the half width of every change also covers the errors by which releases may differ
without a sign of it: as many as may hide behind no error at all, 3.689 D (`estimate.zero_error_high`), D the
design effect of so few. The two are parts of one uncertainty, and their squares add.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fairaudit.counts import Floats, Ints
from fairaudit.estimate import (
    HALF_AN_ERROR,
    Contrast,
    Rates,
    Scale,
    contrast,
    t_quantile,
    zero_error_high,
)
from fairaudit.figures import rate_contrast
from fairaudit.ranking import BOTTOM, TOP


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
    >>> from fairaudit.estimate import jackknife
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
        # What words that fail independently would give cancels with the words: both releases heard the same.
        least=np.zeros_like(candidate.least),
    )


@dataclass(frozen=True)
class Differing:
    """How the errors of two releases differ: in clumps, and in some speakers more than in others.

    Parameters
    ----------
    clump : float
        Errors by which an utterance differs that differs at all.
    spread : float
        Squared coefficient of variation between speakers of how often an utterance differs.
    """

    clump: float = 1.0
    spread: float = 0.0

    @classmethod
    def of(cls, utterances: Ints, errors: Ints, words: Ints, speaker: Ints) -> Differing:
        """Estimate both, the spread by moments.

        Parameters
        ----------
        utterances, errors, words, speaker : ndarray of int64, shape (n_rows,)
            Of each row: utterances that differ, by how many errors, and reference words.

        Examples
        --------
        >>> Differing.of(np.array([3, 0]), np.array([6, 0]), np.array([50, 50]), np.arange(2)).clump
        2.0
        """
        total = float(utterances.sum())
        if not total:
            return cls()
        by_speaker = (np.bincount(speaker, values).astype(np.float64) for values in (utterances, words))
        x, w = by_speaker
        p = total / w.sum()
        spread = (np.sum((x - p * w) ** 2) - total) / (p * p * np.sum(w * w))
        return cls(float(errors.sum()) / total, max(0.0, float(spread)))

    def effect(self, n_effective: float, confidence: float) -> float:
        """Return the design effect of what may hide among so many speakers, at least 1.

        No utterance differs in n speakers with the probability exp(-m), m the number that was to be
        expected; where it varies by speaker that number must be about 1 + spread x m / n times as large.
        """
        hidden = zero_error_high(1.0, 1.0, confidence)
        return self.clump * (1 + self.spread * hidden / max(n_effective, 1.0))


@dataclass(frozen=True, eq=False)
class Both:
    """The rates of some groups in both releases, and their change, on one scale.

    Parameters
    ----------
    baseline, candidate : Rates
    scale : {"log", "linear"}
    differing : Differing
    confidence : float
    """

    baseline: Rates
    candidate: Rates
    scale: Scale
    differing: Differing
    confidence: float

    def there(self, group: int) -> bool:
        """Tell whether a group has words."""
        return bool(self.baseline.words[0, group] > 0)

    def errors(self, group: int) -> tuple[float, float]:
        """Return the errors of the baseline and of the candidate."""
        return float(self.baseline.errors[0, group]), float(self.candidate.errors[0, group])

    @property
    def change(self) -> Rates:
        """Candidate minus baseline, as the jackknife has it."""
        return paired(self.baseline, self.candidate)

    def rate_change(self, group: int, least: float = 0.0) -> Contrast | None:
        """Return the change of one group's rate, whose half width covers `least` at any rate."""
        plain = rate_contrast(self.change, group)
        return None if plain is None else self.widened(plain, max(least, self.unseen(group, group)))

    def gap_change(self) -> Contrast:
        """Return the change of the gap between bottom and top: what is not seen of either may widen it."""
        change = self.change
        sides = [self.unseen(side, side) for side in (BOTTOM, TOP)]
        return self.widened(contrast(change, BOTTOM, change, TOP), float(np.linalg.norm(sides)))

    def unseen(self, before: int, after: int) -> float:
        """Return by how much a change may be larger or smaller than two releases of so few errors show.

        Parameters
        ----------
        before, after : int
            Groups whose rates the baseline and the candidate are compared by; mostly the same.

        Returns
        -------
        float
            At 95 %, of 3.689 D further errors: on the log scale over the errors of the release that has
            fewer, on the linear one over the words.
        """
        rates = (self.baseline, before), (self.candidate, after)
        effect = self.differing.effect(min(of.n_effective[0, g] for of, g in rates), self.confidence)
        if self.scale == "linear":
            return zero_error_high(min(of.words[0, g] for of, g in rates), effect, self.confidence)
        fewer = max(HALF_AN_ERROR, min(of.errors[0, g] for of, g in rates))
        return float(np.log1p(zero_error_high(fewer, effect, self.confidence)))

    def widened(self, plain: Contrast, reach: float) -> Contrast:
        """Add to a standard error what makes the half width at this confidence cover `reach` as well."""
        df: Floats = np.where(plain.df > 0, plain.df, np.nan)
        unseen = np.nan_to_num(reach / t_quantile(df, self.confidence))
        return replace(plain, se=np.hypot(plain.se, unseen))
