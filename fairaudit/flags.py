"""Which cohorts of a partition are really worse: each against the rest, all of them at once.

Every cohort is compared with everybody else by the log ratio of their rates, studentised by the
jackknife. Its one-sided p is corrected for the number of cohorts; and one factor of the standard error
serves all upper bounds together, from the joint distribution of the studentised ratios, which the
speakers' own jackknife deviations give (a multiplier bootstrap; each cohort keeps its own t).

References
----------
Holm, S. (1979). A simple sequentially rejective multiple test procedure.
Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal
Statistical Society B 57, 289-300.
Chernozhukov, V., Chetverikov, D. and Kato, K. (2013). Gaussian approximations and multiplier bootstrap
for maxima of sums of high-dimensional random vectors. Annals of Statistics 41, 2786-2819.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fairaudit.against import Against, against_overall, against_rest
from fairaudit.counts import Floats, Ints, SpeakerCounts
from fairaudit.estimate import holm

Correction = Literal["holm", "bh"]
Status = Literal["flagged", "cleared", "undecided"]

#: A bound of more than this, as a fraction, says nothing and is not given.
LARGEST_BOUND = 10.0
#: Draws of the multiplier bootstrap: the 95 % quantile is then known to about 0.15 points of its level.
DRAWS = 20_000


@dataclass(frozen=True)
class Flag:
    """One cohort against the rest.

    Parameters
    ----------
    log_ratio, se, df : float
    upper : float
        Of the log ratio; all cohorts' upper bounds hold together at the level.
    p_value, p_adjusted : float
        One-sided, that it is no worse than the rest.
    status : {"flagged", "cleared", "undecided"}
    """

    log_ratio: float
    se: float
    df: float
    upper: float
    p_value: float
    p_adjusted: float
    status: Status


def flags(
    counts: SpeakerCounts,
    cohort: Ints,
    tested: Sequence[int],
    *,
    confidence: float,
    margin: float,
    correction: Correction,
    seed: Sequence[int],
) -> dict[int, Flag]:
    """Compare each cohort with the rest, with simultaneous control.

    Parameters
    ----------
    counts : SpeakerCounts
    cohort : ndarray of int64, shape (n_rows,)
        Cohort of each row that counts, -1 for the others.
    tested : sequence of int
        Cohorts that are compared; the rest is everybody else, of whatever cohort.
    confidence : float
        One minus the error rate over all tested cohorts.
    margin : float
        A cohort is cleared if it is worse than the rest by no more than this fraction.
    correction : {"holm", "bh"}
        Holm keeps the chance of any false flag, Benjamini-Hochberg the expected fraction of them.
    seed : sequence of int
        Of the multiplier bootstrap.

    Returns
    -------
    dict of int to Flag
        Of the cohorts that can be compared: two speakers with words on both sides, and five errors to be
        expected.

    Examples
    --------
    >>> counts = SpeakerCounts.of([f"s{i:02}" for i in range(60)], ref_words=[100] * 60,
    ...                           errors=[30 + i % 7 if i < 20 else 10 + i % 5 for i in range(60)])
    >>> found = flags(counts, np.arange(60) // 20, [0, 1, 2], confidence=0.95, margin=0.1,
    ...               correction="holm", seed=[1])
    >>> [found[number].status for number in (0, 1, 2)]
    ['flagged', 'cleared', 'cleared']
    """
    against = against_rest(counts, cohort, tested)
    if not against.cohorts:
        return {}
    reach = simultaneous_reach(against, confidence, seed)
    p_values = _upper_tail(against.estimate / against.se, against.df)
    adjusted = (holm if correction == "holm" else benjamini_hochberg)(p_values.tolist())
    found = {}
    for i, number in enumerate(against.cohorts):
        upper = float(against.estimate[i] + reach[i] * against.se[i])
        p = adjusted[i]
        assert p is not None
        worse = p <= 1 - confidence
        status: Status = "flagged" if worse else "cleared" if upper <= np.log1p(margin) else "undecided"
        found[number] = Flag(
            log_ratio=float(against.estimate[i]),
            se=float(against.se[i]),
            df=float(against.df[i]),
            upper=upper,
            p_value=float(p_values[i]),
            p_adjusted=p,
            status=status,
        )
    return found


def worst_excess(
    counts: SpeakerCounts, cohort: Ints, shown: Sequence[int], *, confidence: float, seed: Sequence[int]
) -> float | None:
    """Return X such that no cohort is worse than all speakers by more than X, at the level.

    Parameters
    ----------
    counts : SpeakerCounts
    cohort : ndarray of int64, shape (n_rows,)
        -1 for rows that do not count.
    shown : sequence of int
        Cohorts that the statement is about.
    confidence : float
    seed : sequence of int

    Returns
    -------
    float or None
        A fraction: the largest of the simultaneous upper bounds of WER over overall WER, minus 1. None
        where none of the cohorts can be compared, or one has too few speakers for any bound.
    """
    against = against_overall(counts, cohort, shown)
    if not against.cohorts:
        return None
    reach = simultaneous_reach(against, confidence, seed)
    with np.errstate(over="ignore"):
        excess = float(np.expm1(np.max(against.estimate + reach * against.se)))
    return excess if excess <= LARGEST_BOUND else None


def simultaneous_reach(against: Against, confidence: float, seed: Sequence[int]) -> Floats:
    """Return for each cohort by how many standard errors its upper bound lies above its estimate.

    The chance that any cohort's truth lies above its bound is ``1 - confidence``. Each cohort has the t
    quantile, at its own degrees of freedom, of one common level.

    Parameters
    ----------
    against : Against
    confidence : float
    seed : sequence of int

    Examples
    --------
    >>> one = Against([0], np.zeros(1), np.ones(1), np.full(1, 1e6), np.ones((1, 400)) / 20)
    >>> simultaneous_reach(one, 0.95, [1]).round(1)
    array([1.6])
    """
    from scipy.special import ndtr, stdtrit

    length = np.sqrt((against.deviations**2).sum(axis=1, keepdims=True))
    unit = np.divide(against.deviations, length, out=np.zeros_like(against.deviations), where=length > 0)
    # Normal multipliers of the speakers give normal sums, of which the correlations are all that counts.
    values, axes = np.linalg.eigh(unit @ unit.T)
    root = axes * np.sqrt(np.maximum(values, 0.0))
    draws = root @ np.random.default_rng(seed).standard_normal((len(root), DRAWS))
    level = float(ndtr(np.quantile(draws.max(axis=0), confidence)))
    # Rounded, so that the order in which a machine adds up makes no difference.
    reach: Floats = np.asarray(stdtrit(against.df, max(round(level, 5), confidence)), dtype=np.float64)
    return reach


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that those at or below q are false in an expected fraction q at most.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5])
    [0.04, 0.05333333333333333, 0.05333333333333333, 0.5]
    """
    from scipy.stats import false_discovery_control

    return [float(p) for p in false_discovery_control(p_values)] if p_values else []


def comparable_cohorts(counts: SpeakerCounts, cohort: Ints, cohorts: int, fewest: int) -> list[int]:
    """Return the cohorts of at least so many speakers: figures of the others are not shown.

    Parameters
    ----------
    counts : SpeakerCounts
    cohort : ndarray of int64, shape (n_rows,)
    cohorts : int
    fewest : int
    """
    return [
        number
        for number in range(cohorts)
        if len(np.unique(counts.speaker[cohort == number])) >= max(2, fewest)
    ]


def _upper_tail(statistic: Floats, df: Floats) -> Floats:
    from scipy.special import stdtr

    tail: Floats = stdtr(df, -statistic)
    return tail
