"""The speaker bootstrap: percentile intervals from logs whose speakers were drawn anew.

An alternative to the jackknife of `fairaudit.estimate`, for those who are asked for a bootstrap.
Whole speakers are drawn, and never an utterance is touched: a resampled log is a vector of how often
each speaker was drawn, and the sums of all groups are one product of such vectors with the speakers'
counts.

References
----------
Efron, B. and Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman and Hall, chapters
13 (percentile interval) and 12.5 (which order statistics).
Field, C. A. and Welsh, A. H. (2007). Bootstrapping clustered data. Journal of the Royal Statistical
Society B 69, 369-390: drawing whole clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairaudit.counts import Floats, Ints

REPLICATES = 2000
#: Replicates times speakers that are drawn at once: few enough to stay in a processor's cache.
DRAWS_AT_ONCE = 200_000


@dataclass(frozen=True, eq=False)
class Replicates:
    """Sums of groups of speakers in resampled logs.

    Parameters
    ----------
    errors, words : ndarray of float64, shape (replicates, groups)
        Whole numbers.
    speakers : ndarray of int64, shape (n_speakers,)
        Who was drawn from.
    seed : tuple of int
    """

    errors: Floats
    words: Floats
    speakers: Ints
    seed: tuple[int, ...]

    def rate(self, group: int) -> Floats:
        """Return a group's rate in each replicate, NaN where nobody with words was drawn."""
        return _divided(self.errors[:, group], self.words[:, group])

    def is_same_draw(self, other: Replicates) -> bool:
        """Tell whether both come from the same resampled logs."""
        return (
            self.seed == other.seed
            and len(self.errors) == len(other.errors)
            and np.array_equal(self.speakers, other.speakers)
        )


@dataclass(frozen=True)
class Bounds:
    """A percentile interval.

    Parameters
    ----------
    low, high : float
        NaN where there are too few defined replicates; `high` is infinite where a ratio has no error
        to compare with in more replicates than the interval may leave out.
    undefined : int
        Replicates that give no figure: nobody with words was drawn, or a ratio is 0 / 0. The bounds
        are those of the others.
    """

    low: float
    high: float
    undefined: int


def resample(
    group: Ints,
    errors: Floats,
    words: Floats,
    speaker: Ints,
    groups: int,
    *,
    seed: Sequence[int],
    replicates: int = REPLICATES,
) -> Replicates:
    """Draw as many speakers as there are, with replacement, and add up each group.

    All speakers with a row here are drawn from, those in no group too, so that groups which are
    resampled together, or with the same seed, can be compared even where they share speakers.

    Parameters
    ----------
    group : ndarray of int64, shape (1, rows)
        Group of each row; -1 for rows that belong to none. As `fairaudit.estimate.jackknife` takes
        it for one replicate, like what follows.
    errors, words : ndarray of float64, shape (1, rows)
        Whole numbers, so that sums are exact and equal on any number of threads.
    speaker : ndarray of int64, shape (rows,)
    groups : int
    seed : sequence of int
        Equal seed and speakers give equal draws.
    replicates : int

    Returns
    -------
    Replicates

    Examples
    --------
    >>> group = np.repeat([[0, 1]], 50, axis=1)
    >>> errors, words = np.arange(100.0)[None] % 7 + 10 * (1 - group), np.full((1, 100), 100.0)
    >>> drawn = resample(group, errors, words, np.arange(100), 2, seed=[1])
    >>> bounds = percentile(ratio(drawn, 0, drawn, 1), 0.95)
    >>> round(bounds.low, 1), round(bounds.high, 1), bounds.undefined
    (3.7, 5.5, 0)
    """
    from scipy.sparse import csr_array

    speakers, position = np.unique(speaker, return_inverse=True)
    found = group[0] >= 0
    # One row per sum and one column per speaker; a speaker has few groups, so most of it is empty.
    sum_of = np.concatenate([group[0][found], group[0][found] + groups])
    values = np.concatenate([errors[0][found], words[0][found]])
    table = csr_array((values, (sum_of, np.tile(position[found], 2))), shape=(2 * groups, len(speakers)))
    sums = np.empty((replicates, 2 * groups))
    generator = np.random.default_rng(seed)
    at_once = max(1, DRAWS_AT_ONCE // max(1, len(speakers)))
    for first in range(0, replicates, at_once):
        batch = min(at_once, replicates - first)
        sums[first : first + batch] = (table @ _times_drawn(len(speakers), batch, generator)).T
    return Replicates(sums[:, :groups], sums[:, groups:], speakers, tuple(seed))


def ratio(first: Replicates, i: int, second: Replicates, j: int) -> Floats:
    """Return one group's rate over another's in each replicate.

    Parameters
    ----------
    first, second : Replicates
        May be the same object; else of the same speakers and seed.
    i, j : int
        Group of `first`, group of `second`; they may share speakers.

    Returns
    -------
    ndarray of float64, shape (replicates,)
        Infinite where only the second group has no errors; NaN for 0 / 0 and where a rate is NaN.

    Raises
    ------
    ValueError
        If the two were not drawn together.
    """
    _check(first, second)
    return _divided(first.rate(i), second.rate(j))


def difference(first: Replicates, i: int, second: Replicates, j: int) -> Floats:
    """Return one group's rate minus another's in each replicate; parameters as for `ratio`."""
    _check(first, second)
    return first.rate(i) - second.rate(j)


def percentile(values: Floats, confidence: float) -> Bounds:
    """Return the percentile interval of a figure.

    With B defined replicates in ascending order and k = floor((B + 1) (1 - confidence) / 2), the
    bounds are the k-th and the (B + 1 - k)-th of them: the 50th and the 1951st of 2,000 at 95 %.

    Parameters
    ----------
    values : ndarray of float64, shape (replicates,)
        NaN where a replicate gives no figure.
    confidence : float

    Examples
    --------
    >>> percentile(np.arange(1.0, 2001.0), 0.95)
    Bounds(low=50.0, high=1951.0, undefined=0)
    """
    defined = np.sort(values[~np.isnan(values)])
    undefined = len(values) - len(defined)
    # (1 - 0.95) / 2 is a little above 0.025, and 0.9 leaves a little under 0.05.
    k = int(np.floor(round((len(defined) + 1) * (1 - confidence) / 2, 9)))
    if k < 1:
        return Bounds(np.nan, np.nan, undefined)
    return Bounds(float(defined[k - 1]), float(defined[-k]), undefined)


def _times_drawn(n: int, replicates: int, generator: np.random.Generator) -> Ints:
    """Return how often each speaker is drawn, shape (n, replicates): multinomial counts."""
    drawn = generator.integers(0, n, (replicates, n))
    drawn *= replicates
    drawn += np.arange(replicates)[:, None]
    return np.bincount(drawn.ravel(), minlength=n * replicates).reshape(n, replicates)


def _divided(numerator: Floats, denominator: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(numerator / denominator)


def _check(first: Replicates, second: Replicates) -> None:
    if not (first is second or first.is_same_draw(second)):
        raise ValueError("two groups can be compared only in the same resampled logs: same speakers and seed")
