"""The smallest gap that a log can show: from how much its speakers vary, whoever they are.

Errors are read in one way only: how far all speakers' errors scatter about the rate of the whole log.
Nothing here depends on which cohort the errors are in.

References
----------
Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences: effect size at given power.
Kish, L. (1965). Survey Sampling: effective sample size of unequal weights.
Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairaudit.counts import Bools, Floats, SpeakerCounts
from fairaudit.estimate import has_travellers, t_quantile
from fairaudit.figures import SPLITS_INDEPENDENT

#: A gap is detectable if an audit shows it four times in five, with a two-sided 95 % interval.
POWER, CONFIDENCE = 0.80, 0.95
#: Fewer speakers seldom leave at least five in both halves: of 11 in 45 % of splits, of 12 in 61 %.
FEWEST_SPEAKERS = 12
#: A cohort that has to be found needs so many times the gap of one that is known (benchmarks/calibration).
SEARCH_COST = 2.0
#: No recogniser is a hundred times worse for anybody: beyond, there is nothing to detect with.
LARGEST_GAP = 99.0


@dataclass(frozen=True)
class Spread:
    """How much speakers vary about the rate of the whole log, by moments.

    The errors of a row (a speaker in a setting) have the variance ``p w + p^2 phi w^2``: that of Poisson
    errors, and that of rates whose squared coefficient of variation is phi.

    Parameters
    ----------
    rate : float
        Errors over words of the whole log (p).
    rows : float
        phi between rows.
    shared : float
        The part of it that all rows of a speaker have in common, at most `rows`.
    """

    rate: float
    rows: float
    shared: float

    @classmethod
    def of(cls, counts: SpeakerCounts) -> Spread | None:
        """Measure the spread of a log; None without two speakers, words or errors.

        Parameters
        ----------
        counts : SpeakerCounts

        Examples
        --------
        >>> counts = SpeakerCounts.of(["a", "b", "c"], ref_words=[100, 100, 100], errors=[10, 20, 30])
        >>> spread = Spread.of(counts)
        >>> round(spread.rate, 2), round(spread.rows, 2)
        (0.2, 0.2)
        """
        e, w = counts.errors.astype(np.float64), counts.ref_words.astype(np.float64)
        errors, words, squares = e.sum(), w.sum(), (w * w).sum()
        if len(counts.speakers) < 2 or errors == 0 or words == 0 or words * words <= squares:
            return None
        rate = errors / words
        residual = e - rate * w
        # A speaker draws the rate of the log towards their own.
        own = 1 / (1 - squares / (words * words))
        scattered = (residual * residual).sum()
        rows = max(0.0, (own * scattered - errors) / (rate * rate * squares))
        shared = rows
        if has_travellers(counts.speaker):
            together = _squares_by_speaker(residual, counts) - scattered
            pairs = _squares_by_speaker(w, counts) - squares
            shared = float(np.clip(together / (rate * rate * pairs), 0.0, rows)) if pairs > 0 else 0.0
        return cls(float(rate), float(rows), float(shared))

    def variance(self, counts: SpeakerCounts, first: Bools, second: Bools) -> tuple[float, float, float]:
        """Return the variance of log WER of two cohorts, and of the log of their ratio.

        ``v = 1 / (p W) + phi / n_eff`` for a cohort of W words; where speakers are in both, what their rows
        have in common cancels.

        Parameters
        ----------
        counts : SpeakerCounts
        first, second : ndarray of bool, shape (n_rows,)
            Rows of two cohorts, each with words; no row is in both.
        """
        w = counts.ref_words.astype(np.float64)
        weights = [np.where(rows, w, 0.0) / w[rows].sum() for rows in (first, second)]
        poisson = [1 / (self.rate * w[rows].sum()) for rows in (first, second)]
        one, other = (p + self._between(counts, weight) for p, weight in zip(poisson, weights, strict=True))
        return one, other, sum(poisson) + self._between(counts, weights[0] - weights[1])

    def _between(self, counts: SpeakerCounts, weight: Floats) -> float:
        own, common = (weight * weight).sum(), _squares_by_speaker(weight, counts)
        return float((self.rows - self.shared) * own + self.shared * common)


@dataclass(frozen=True)
class Whole:
    """The variance of a whole log's log WER, from which that of any part is scaled.

    Parameters
    ----------
    words : float
        The part of the variance that falls with words, 1 / errors.
    between : float
        The part that falls with speakers only, phi / n_eff.
    n_effective : float
        ``(sum w)^2 / sum w^2`` over the speakers' words.
    splits : int
        That an audit takes.
    """

    words: float
    between: float
    n_effective: float
    splits: int

    @classmethod
    def of(cls, totals: SpeakerCounts, spread: Spread, splits: int) -> Whole:
        """Measure a log that is counted by speaker alone."""
        w = totals.ref_words.astype(np.float64)
        n_effective = w.sum() ** 2 / (w * w).sum()
        return cls(1 / (spread.rate * w.sum()), spread.rows / n_effective, float(n_effective), splits)

    def gap(self, share: float, other: float, *, speakers: float = 1.0, words: float = 1.0) -> float | None:
        """Return the smallest gap between two cohorts of given shares of the speakers.

        Parameters
        ----------
        share, other : float
            Fractions of the speakers, and so of the words.
        speakers, words : float
            So many times the speakers of this log, and so many times the words of each.

        Returns
        -------
        float or None
            Relative; None where no gap could be shown.

        Examples
        --------
        >>> log = Whole(words=0.0002, between=0.0005, n_effective=400, splits=11)
        >>> round(log.gap(0.1, 0.9), 2), round(log.gap(0.1, 0.9, speakers=2), 2)
        (0.31, 0.21)
        """
        v = (self.words / words + self.between) / speakers
        n = self.n_effective * speakers
        return smallest_gap(v / share, v / other, v / share + v / other, (n * share, n * other), self.splits)


def smallest_gap(
    first: float, second: float, joint: float, n_effective: tuple[float, float], splits: int
) -> float | None:
    """Return the smallest relative gap that an audit shows at the power of 80 %.

    ``exp((x + t_80) se) - 1``. The interval of an audit excludes nought where its estimate exceeds t_975 of
    its own standard errors. Bottom and top are named on one half and measured on the other: an estimate
    that would be x standard errors on all speakers comes out as ``x (2 Phi(x) - 1) - 2 Phi'(x)``, since a
    half sometimes names them the wrong way round.

    Parameters
    ----------
    first, second, joint : float
        Variances of the log WER of two cohorts and of the log of their ratio, on all speakers.
    n_effective : tuple of two floats
        Effective numbers of speakers.
    splits : int

    Returns
    -------
    float or None
        None where there are too few speakers for an interval, or none that is of use.

    Examples
    --------
    >>> round(smallest_gap(0.004, 0.004, 0.008, (400.0, 400.0), 11), 3)
    0.304
    """
    # Each half has half of the speakers, and figures that rest on it have their degrees of freedom.
    df1, df2 = (n / 2 - 1 for n in n_effective)
    if min(df1, df2) <= 0 or joint <= 0:
        return None
    df = (first + second) ** 2 / (first * first / df1 + second * second / df2)
    # Below eleven splits the standard error of a half stands for that of both.
    reported = 1.0 if splits >= SPLITS_INDEPENDENT else float(np.sqrt(2))
    threshold = _before_naming(float(t_quantile(df, CONFIDENCE)) * reported)
    exponent = (threshold + float(t_quantile(df, 2 * POWER - 1))) * float(np.sqrt(joint))
    # More digits would be false, and would tell the rate of the log.
    gap = round(float(np.expm1(min(exponent, 100.0))), 4)
    return gap if gap <= LARGEST_GAP else None


def _before_naming(wanted: float) -> float:
    """Return how large an estimate must be on all speakers to come out as `wanted` after the naming."""
    from scipy.special import ndtr

    x = wanted
    for _ in range(50):
        density = float(np.exp(-x * x / 2) / np.sqrt(2 * np.pi))
        right = 2 * float(ndtr(x)) - 1
        x -= (x * right - 2 * density - wanted) / (right + 4 * x * density)
    return x


def _squares_by_speaker(values: Floats, counts: SpeakerCounts) -> float:
    """Add values up by speaker, and then their squares."""
    sums = np.bincount(counts.speaker, values, len(counts.speakers))
    return float((sums * sums).sum())
