"""One routine for every figure and its interval: the delete-one-speaker jackknife.

Utterances of a speaker are correlated and word totals are very unequal, so a speaker is removed
whole. Figures of many permuted logs are computed together: the first axis of every array here is the
replicate, and a single log is a batch of one.

References
----------
Efron, B. and Stein, C. (1981). The jackknife estimate of variance. Annals of Statistics 9, 586-596.
Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components.
Kish, L. (1965). Survey Sampling: effective sample size of unequal weights.
Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of
Statistics 6, 65-70.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fairaudit.counts import Bools, Floats, Ints

#: A replicate's errors are floored here on the log scale, so that log WER stays finite.
HALF_AN_ERROR = 0.5

Scale = Literal["log", "linear"]


@dataclass(frozen=True, eq=False)
class Rates:
    """Pooled rates of groups of speakers with their jackknife variances.

    All arrays of shape (replicates, groups) unless said otherwise. A variance is infinite where it
    cannot be had: fewer than two speakers, or one speaker who holds all the words.

    Parameters
    ----------
    errors, words, speakers : ndarray
        Plain sums, and the number of distinct speakers.
    n_effective : ndarray
        ``(sum w)^2 / sum w^2`` over the speakers' words; 0 for an empty group.
    estimate : ndarray
        The rate, or its log. NaN where a group has no words.
    variance : ndarray
    least : ndarray
        The variance if each word were an independent trial, below which `variance` is not let.
    unit, slot : ndarray of int64, shape (entries,)
        Speaker and flat group (replicate x groups + group) of each deviation.
    deviation : ndarray, shape (entries,)
        Estimate without the speaker, minus the estimate.
    travellers : bool
        Whether a speaker may be in more than one group.
    """

    errors: Floats
    words: Floats
    speakers: Floats
    n_effective: Floats
    estimate: Floats
    variance: Floats
    least: Floats
    unit: Ints
    slot: Ints
    deviation: Floats
    travellers: bool

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.errors.shape[1])


@dataclass(frozen=True, eq=False)
class Contrast:
    """One group's estimate minus another's, per replicate: arrays of shape (replicates,)."""

    estimate: Floats
    se: Floats
    df: Floats


def jackknife(
    group: Ints,
    errors: Floats,
    words: Floats,
    speaker: Ints,
    groups: int,
    *,
    scale: Scale = "log",
    added: float = 0.0,
) -> Rates:
    """Estimate the rate of each group and its variance by leaving out one speaker at a time.

    ``v = (n - 1) / n * sum((theta_-i - theta)^2)``, a speaker's rows of a group removed all at once; at
    least ``(1 - rate) / errors`` on the log scale, which is that of words that fail independently: of few
    errors, one here and one there, speakers may seem to be alike, and the jackknife takes the luck of the
    errors themselves for none.

    Parameters
    ----------
    group : ndarray of int64, shape (replicates, rows) or (1, rows)
        Group of each row; -1 for rows that belong to none.
    errors, words : ndarray of float64, shape (replicates, rows)
    speaker : ndarray of int64, shape (rows,)
    groups : int
    scale : {"log", "linear"}
        Log for rates and ratios, linear for differences.
    added : float
        Errors added to each group, as the permutation statistic wants one half.

    Examples
    --------
    >>> r = jackknife(np.array([[0, 0, 0]]), np.array([[1., 4., 9.]]), np.array([[70., 70., 70.]]),
    ...               np.arange(3), 1)
    >>> np.exp(r.estimate).round(3), np.sqrt(r.variance).round(3)
    (array([[0.067]]), array([[0.58]]))
    """
    replicates, rows = errors.shape
    found = np.broadcast_to(group >= 0, errors.shape)
    slot: Ints = (group + np.arange(replicates)[:, None] * groups)[found]
    unit: Ints = np.broadcast_to(speaker, (replicates, rows))[found]
    e, w = errors[found], words[found]
    travellers = has_travellers(speaker)
    if travellers:
        slot, unit, e, w = _per_speaker(slot, unit, e, w)
    size = replicates * groups
    n = _sums(slot, None, size)
    total_e, total_w, squares = _sums(slot, e, size), _sums(slot, w, size), _sums(slot, w * w, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = _estimate(total_e + added, total_w, scale)
        deviation = _estimate(total_e[slot] - e + added, total_w[slot] - w, scale) - estimate[slot]
        variance = np.where(n > 1, (n - 1) / n * _sums(slot, deviation * deviation, size), np.inf)
        n_effective = np.where(squares > 0, total_w * total_w / squares, 0.0)
    least = _least(estimate, total_w, scale)
    variance = np.where(np.isfinite(variance), np.maximum(variance, least), np.inf)
    shape = (replicates, groups)
    return Rates(
        errors=total_e.reshape(shape),
        words=total_w.reshape(shape),
        speakers=n.reshape(shape),
        n_effective=n_effective.reshape(shape),
        estimate=estimate.reshape(shape),
        variance=variance.reshape(shape),
        least=least.reshape(shape),
        unit=unit,
        slot=slot,
        deviation=deviation,
        travellers=travellers,
    )


def contrast(first: Rates, i: int, second: Rates, j: int) -> Contrast:
    """Compare two groups of speakers, who may be partly the same.

    Where no speaker is in both groups the variances add, each with its own n; otherwise the two are
    recomputed together without each speaker of the union. Degrees of freedom are Satterthwaite's
    over the effective numbers of speakers of both.

    Parameters
    ----------
    first, second : Rates
        With the same number of replicates; may be the same object.
    i, j : int
        Group of `first`, group of `second`.
    """
    v1, v2 = first.variance[:, i], second.variance[:, j]
    df1, df2 = first.n_effective[:, i] - 1, second.n_effective[:, j] - 1
    variance = v1 + v2
    if first is not second or first.travellers:
        variance = _joint_variance(first, i, second, j, variance)
    if first is second:
        # Errors of a speaker on both sides are others on each. Of two objects they may be the same errors.
        variance = np.maximum(variance, first.least[:, i] + first.least[:, j])
    with np.errstate(divide="ignore", invalid="ignore"):
        df = (v1 + v2) ** 2 / (v1 * v1 / df1 + v2 * v2 / df2)
    # Equal speakers with equal rates have no variance to weigh by; the smaller group decides then.
    df = np.where(np.isfinite(df), df, np.minimum(df1, df2))
    return Contrast(first.estimate[:, i] - second.estimate[:, j], np.sqrt(variance), df)


def _joint_variance(first: Rates, i: int, second: Rates, j: int, apart: Floats) -> Floats:
    """Recompute the variance over the union of speakers where some are in both groups."""
    entries1, entries2 = first.slot % first.groups == i, second.slot % second.groups == j
    units = 1 + int(max(first.unit.max(initial=0), second.unit.max(initial=0)))
    key1 = first.slot[entries1] // first.groups * units + first.unit[entries1]
    key2 = second.slot[entries2] // second.groups * units + second.unit[entries2]
    shared = np.intersect1d(key1, key2, assume_unique=True)
    keys, position = np.unique(np.concatenate([key1, key2]), return_inverse=True)
    signed = np.concatenate([first.deviation[entries1], -second.deviation[entries2]])
    moved = _sums(position, signed, len(keys))
    n = _sums(keys // units, None, len(apart))
    with np.errstate(divide="ignore", invalid="ignore"):
        joint = (n - 1) / n * _sums(keys // units, moved * moved, len(apart))
    overlapping = np.isin(np.arange(len(apart)), shared // units)
    return np.where(overlapping & np.isfinite(apart), joint, apart)


def t_quantile(df: Floats | float, confidence: float) -> Floats:
    """Return the two-sided Student t quantile for a confidence level.

    Examples
    --------
    >>> t_quantile(10.0, 0.95).round(3)
    np.float64(2.228)
    """
    from scipy.special import stdtrit

    return np.asarray(stdtrit(df, 0.5 + confidence / 2), dtype=np.float64)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values for their number by Holm's step-down; None stays None and does not count.

    Examples
    --------
    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, index) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        adjusted[index] = highest
    return adjusted


def zero_error_high(words: float, design_effect: float, confidence: float) -> float:
    """Return the upper bound of a rate without a single error: 3.689 D / W at 95 %.

    The exact Poisson bound for no event, widened by the design effect of clustering by speaker.

    Examples
    --------
    >>> round(zero_error_high(1000, 1.0, 0.95), 6)
    0.003689
    """
    return float(-np.log((1 - confidence) / 2) * max(1.0, design_effect) / words)


def design_effect(rates: Rates) -> float:
    """Return how many times the variance of a pooled rate exceeds that of Poisson errors, at least 1.

    Parameters
    ----------
    rates : Rates
        On the log scale, one replicate and one group.
    """
    effect = float(rates.variance[0, 0] * max(rates.errors[0, 0], HALF_AN_ERROR))
    return max(1.0, effect) if np.isfinite(effect) else 1.0


def distinct_speakers(group: Ints, speaker: Ints, groups: int) -> Floats:
    """Count the distinct speakers of each group.

    Parameters
    ----------
    group : ndarray of int64, shape (replicates, rows)
        -1 for rows in no group.
    speaker : ndarray of int64, shape (rows,)
    groups : int

    Returns
    -------
    ndarray of float64, shape (replicates, groups)

    Examples
    --------
    >>> distinct_speakers(np.array([[0, 0, 1, -1]]), np.array([0, 0, 0, 1]), 2)
    array([[1., 1.]])
    """
    replicates = len(group)
    found = group >= 0
    slot = (group + np.arange(replicates)[:, None] * groups)[found]
    unit = np.broadcast_to(speaker, group.shape)[found]
    if has_travellers(speaker):
        size = int(speaker.max(initial=0)) + 1
        slot = np.unique(slot * size + unit) // size
    return _sums(slot, None, replicates * groups).reshape(replicates, groups)


def has_travellers(speaker: Ints) -> bool:
    """Tell whether a speaker has more than one row; rows are sorted by speaker."""
    return bool(np.any(speaker[1:] == speaker[:-1]))


def is_estimable(rates: Rates) -> Bools:
    """Tell where a rate has words, and at least two speakers to take a variance from."""
    return (rates.words > 0) & np.isfinite(rates.variance)


def _estimate(errors: Floats, words: Floats, scale: Scale) -> Floats:
    words = np.where(words > 0, words, np.nan)
    if scale == "linear":
        return errors / words
    rate: Floats = np.log(np.maximum(errors, HALF_AN_ERROR) / words)
    return rate


def _least(estimate: Floats, words: Floats, scale: Scale) -> Floats:
    """Return the variance of a rate, or of its log, if each word were an independent trial."""
    rate = np.exp(estimate) if scale == "log" else estimate
    # A rate of more than 1, from insertions, is none of trials: nothing is known of its variance then.
    failing = np.where(rate > 0, np.maximum(0.0, 1 - rate), 0.0)
    power = -1 if scale == "log" else 1
    with np.errstate(divide="ignore", invalid="ignore"):
        least: Floats = np.where(failing > 0, failing * rate**power / words, 0.0)
    return least


def _per_speaker(slot: Ints, unit: Ints, e: Floats, w: Floats) -> tuple[Ints, Ints, Floats, Floats]:
    """Add up the rows that a speaker has in the same group."""
    size = int(unit.max(initial=0)) + 1
    keys, position = np.unique(slot * size + unit, return_inverse=True)
    return keys // size, keys % size, _sums(position, e, len(keys)), _sums(position, w, len(keys))


def _sums(slot: Ints, values: Floats | None, size: int) -> Floats:
    """Add up values, or count entries, by slot."""
    return np.bincount(slot, values, size).astype(np.float64)
