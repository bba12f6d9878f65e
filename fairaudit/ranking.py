"""One ranking of cohorts, and from it bottom, top and rest. Always read off the discovery half."""

from __future__ import annotations

import numpy as np

from fairaudit.counts import Bools, Floats, Ints
from fairaudit.estimate import HALF_AN_ERROR, Rates

#: A cohort is ranked only with at least this many speakers in both halves.
FEWEST_RANKED = 5
#: Where nothing can be held out, a cohort needs just enough speakers for a variance.
FEWEST_IN_SAMPLE = 2

#: The pooled design effect weighs as much as a cohort's own variance of so many speakers.
PRIOR_SPEAKERS = 30

BOTTOM, TOP, REST = 0, 1, 2


def shrink(estimate: Floats, variance: Floats, eligible: Bools) -> Floats:
    """Shrink log rates towards the mean of their partition (empirical Bayes).

    ``m + tau^2 / (tau^2 + s^2) * (y - m)`` with DerSimonian and Laird's tau^2 and m weighted by
    ``1 / (tau^2 + s^2)``.

    Parameters
    ----------
    estimate, variance : ndarray of float64, shape (replicates, cohorts)
        Log rates and their sampling variances.
    eligible : ndarray of bool, shape (replicates, cohorts)

    Returns
    -------
    ndarray of float64, shape (replicates, cohorts)
        NaN where not eligible.

    References
    ----------
    DerSimonian, R. and Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical
    Trials 7, 177-188.

    Examples
    --------
    >>> shrink(np.array([[0.0, 1.0, 5.0]]), np.array([[0.01, 0.01, 9.0]]), np.array([[True] * 3])).round(2)
    array([[0.01, 0.99, 0.85]])
    """
    y = np.where(eligible, estimate, 0.0)
    # Speakers with exactly equal rates have no variance; the floor keeps the weights finite.
    s2 = np.where(eligible, np.maximum(variance, 1e-9), 1.0)
    w = np.where(eligible, 1 / s2, 0.0)
    k = eligible.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = w.sum(axis=1, keepdims=True)
        mean = (w * y).sum(axis=1, keepdims=True) / total
        q = (w * (y - mean) ** 2).sum(axis=1, keepdims=True)
        tau2 = np.maximum(0.0, (q - (k - 1)) / (total - (w * w).sum(axis=1, keepdims=True) / total))
        tau2 = np.where(np.isfinite(tau2), tau2, 0.0)
        v = np.where(eligible, 1 / (tau2 + s2), 0.0)
        centre = (v * y).sum(axis=1, keepdims=True) / v.sum(axis=1, keepdims=True)
    return np.where(eligible, centre + tau2 / (tau2 + s2) * (y - centre), np.nan)


def moderated(rates: Rates, eligible: Bools) -> Floats:
    """Return sampling variances of log rates, drawn towards that of the pooled design effect.

    ``s^2 = ((n - 1) v + 30 D / E) / (n - 1 + 30)``: v is a cohort's own jackknife variance, at least
    that of Poisson errors; D / E that of its errors under the design effect of all cohorts. Of seven
    speakers a variance is hardly known, and one that is small by luck would go unshrunk to an end of
    the ranking, as would a cohort that has no errors by luck.

    Parameters
    ----------
    rates : Rates
        On the log scale.
    eligible : ndarray of bool, shape (replicates, cohorts)

    Returns
    -------
    ndarray of float64, shape (replicates, cohorts)
        Meaningless where not eligible.

    References
    ----------
    Smyth, G. K. (2004). Linear models and empirical Bayes methods for assessing differential
    expression. Statistical Applications in Genetics and Molecular Biology 3, 3.
    """
    errors = np.maximum(rates.errors, HALF_AN_ERROR)
    own = np.where(eligible, np.maximum(rates.variance, 1 / errors), 0.0)
    known = np.where(eligible, rates.speakers - 1, 0.0)
    total = known.sum(axis=1, keepdims=True)
    pooled = (known * own * errors).sum(axis=1, keepdims=True)
    effect = np.divide(pooled, total, out=np.ones_like(total), where=total > 0)
    variance: Floats = (known * own + PRIOR_SPEAKERS * effect / errors) / (known + PRIOR_SPEAKERS)
    return variance


def rank(rates: Rates, eligible: Bools) -> Ints:
    """Order the cohorts of each replicate, the worst first and those not eligible last.

    Log rates are shrunk with their moderated variances; zero errors enter as one half. Ties (among
    them all cohorts where tau^2 is 0) are broken by the raw log rate, then by the order of the cohorts
    in the partition.

    Parameters
    ----------
    rates : Rates
        Of the cohorts, on the log scale, in the discovery half.
    eligible : ndarray of bool, shape (replicates, cohorts)

    Returns
    -------
    ndarray of int64, shape (replicates, cohorts)
        Cohort numbers.
    """
    # Of two cohorts shrinkage never changes the order.
    raw = np.where(eligible, rates.estimate, -np.inf)
    shrunk = raw
    if rates.groups > 2:
        shrunk = np.where(eligible, shrink(raw, moderated(rates, eligible), eligible), -np.inf)
    number = np.broadcast_to(np.arange(rates.groups), raw.shape)
    order: Ints = np.lexsort((number, -raw, -shrunk, ~eligible), axis=-1)
    return order


def sides(
    order: Ints,
    eligible: Bools,
    speakers: Floats,
    total: Floats,
    bottom_share: float,
    reference: int | None = None,
) -> Ints:
    """Name bottom, top and rest among ranked cohorts.

    Bottom is the worst cohort, then the next ones while their speakers stay within `bottom_share` of
    all that are assigned; top likewise from the other end, never a cohort of the bottom. With a
    reference cohort, that one is the top.

    Parameters
    ----------
    order : ndarray of int64, shape (replicates, cohorts)
        From `rank`.
    eligible : ndarray of bool, shape (replicates, cohorts)
    speakers : ndarray of float64, shape (replicates, cohorts)
        In the discovery half.
    total : ndarray of float64, shape (replicates,)
        Assigned speakers of the discovery half.
    bottom_share : float
        Fraction of speakers.
    reference : int, optional
        Number of the reference cohort.

    Returns
    -------
    ndarray of int64, shape (replicates, cohorts)
        BOTTOM, TOP or REST for each cohort; all REST where fewer than two cohorts are eligible.

    Examples
    --------
    >>> n = np.array([[5.0, 6.0, 80.0, 9.0]])
    >>> sides(np.array([[3, 0, 1, 2]]), np.array([[True] * 4]), n, n.sum(axis=1), 0.15).tolist()
    [[0, 2, 1, 0]]
    """
    ranked = np.take_along_axis(eligible, order, axis=1)
    if reference is not None:
        ranked &= order != reference
    size = np.where(ranked, np.take_along_axis(speakers, order, axis=1), 0.0)
    limit = (bottom_share * total)[:, None]
    bottom = _from_the_end(ranked, size, limit)
    if reference is None:
        # The best eligible cohort is never bottom, so that something is left to compare with.
        last = ranked & (np.cumsum(ranked[:, ::-1], axis=1)[:, ::-1] == 1)
        bottom &= ~last
        left = ranked & ~bottom
        top = _from_the_end(left[:, ::-1], size[:, ::-1], limit)[:, ::-1]
    else:
        top = (order == reference) & np.take_along_axis(eligible, order, axis=1)
    both = bottom.any(axis=1, keepdims=True) & top.any(axis=1, keepdims=True)
    side = np.where(both & bottom, BOTTOM, np.where(both & top, TOP, REST))
    named = np.empty_like(side)
    np.put_along_axis(named, order, side, axis=1)
    return named


def _from_the_end(ranked: Bools, size: Floats, limit: Floats) -> Bools:
    """Mark the first ranked cohort, and the next ones while the sum of sizes stays within the limit."""
    first = ranked & (np.cumsum(ranked, axis=1) == 1)
    taken: Bools = ranked & ((np.cumsum(np.where(ranked, size, 0.0), axis=1) <= limit) | first)
    return taken
