"""Cohorts against everybody else, and against all: log ratios that are told from what few errors give.

The jackknife's variance, but never less than what errors and speakers as they are in the whole log would
give, and nothing at all where hardly any errors are to be expected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fairaudit.counts import Bools, Floats, Ints, SpeakerCounts
from fairaudit.estimate import HALF_AN_ERROR, contrast, jackknife

#: Estimate, standard error, degrees of freedom, and what each speaker moves.
Compared = tuple[float, float, float, Floats]

WORST, EVERYONE_ELSE = 0, 1
#: Where fewer errors are to be expected on either side nothing is said: the jackknife cannot see their luck.
FEWEST_ERRORS = 5


@dataclass(frozen=True, eq=False)
class Against:
    """Log ratios of several cohorts to what each is compared with.

    Parameters
    ----------
    cohorts : list of int
        Those that could be compared.
    estimate, se, df : ndarray of float64, shape (n_cohorts,)
    deviations : ndarray of float64, shape (n_cohorts, n_speakers)
        By how much each log ratio moves without each speaker.
    """

    cohorts: list[int]
    estimate: Floats
    se: Floats
    df: Floats
    deviations: Floats


def against_rest(
    counts: SpeakerCounts, cohort: Ints, tested: Sequence[int], counted: Ints | None = None
) -> Against:
    """Compare each cohort with all other rows that have one; one half error is added to each side.

    The variance is at least that of Poisson errors of speakers who differ as all of them do: of few errors
    or speakers the jackknife may see too little.

    Parameters
    ----------
    counts : SpeakerCounts
    cohort : ndarray of int64, shape (n_rows,)
        -1 for rows that do not count.
    tested : sequence of int
        Cohorts that are compared.
    counted : ndarray of int64, shape (n_rows,), optional
        Errors of one kind; all errors by default.

    Returns
    -------
    Against
        Of the cohorts that can be compared: two speakers with words on both sides, and five errors to be
        expected.
    """
    inside = cohort >= 0
    counted = counts.errors if counted is None else counted
    errors, words = (v[inside][None].astype(float) for v in (counted, counts.ref_words))
    speaker = counts.speaker[inside]
    overall = errors.sum() / max(1.0, words.sum())
    between = _between(errors, words, speaker)

    def compared(number: int) -> Compared:
        group = np.where(cohort[inside] == number, WORST, EVERYONE_ELSE)[None]
        rates = jackknife(group, errors, words, speaker, 2, added=HALF_AN_ERROR)
        pair = contrast(rates, WORST, rates, EVERYONE_ELSE)
        signed = np.where(rates.slot == WORST, rates.deviation, -rates.deviation)
        moved = np.bincount(rates.unit, signed, len(counts.speakers)).astype(np.float64)
        # What is expected, not what is seen: cohorts with many errors by luck must not be the ones compared.
        expected = rates.words[0] * overall
        few = float(expected.min()) < FEWEST_ERRORS
        sides = (group[0] == WORST, group[0] == EVERYONE_ELSE)
        least = _least_variance(expected, between, *(_held(words, speaker, side) for side in sides))
        se = max(float(pair.se[0]), float(np.sqrt(least)))
        return float(pair.estimate[0]), np.nan if few else se, float(pair.df[0]), moved

    return _collected(compared, tested, len(counts.speakers))


def _between(errors: Floats, words: Floats, speaker: Ints) -> float:
    """Return the squared coefficient of variation of the speakers' own rates, beyond Poisson errors.

    By moments, ``max(0, (sum (e - p w)^2 - sum e) / (p^2 sum w^2))`` of the speakers' errors and words.
    """
    e, w = (np.bincount(speaker, values[0]) for values in (errors, words))
    p = e.sum() / max(1.0, w.sum())
    scale = p * p * (w * w).sum()
    return float(max(0.0, (((e - p * w) ** 2).sum() - e.sum()) / scale)) if scale > 0 else 0.0


def _held(words: Floats, speaker: Ints, side: Bools) -> Floats:
    """Return the share of the words of some rows that each speaker holds."""
    held: Floats = np.bincount(speaker, np.where(side, words[0], 0.0)).astype(np.float64)
    return held / max(1.0, float(held.sum()))


def _least_variance(expected: Floats | float, between: float, first: Floats, second: Floats) -> float:
    """Return the variance of a log ratio if errors were Poisson, and speakers as unlike as all of them are.

    A speaker who is on both sides moves them together.
    """
    errors = float(np.sum(1 / np.maximum(expected, 0.5)))
    return errors + between * float(((first - second) ** 2).sum())


def against_overall(counts: SpeakerCounts, cohort: Ints, shown: Sequence[int]) -> Against:
    """Compare each cohort with all rows that have one, itself among them."""
    inside = cohort >= 0
    errors, words = (v[inside][None].astype(float) for v in (counts.errors, counts.ref_words))
    speaker, n = counts.speaker[inside], len(counts.speakers)
    between = _between(errors, words, speaker)
    whole = jackknife(np.zeros((1, int(inside.sum())), dtype=np.int64), errors, words, speaker, 1)
    whole_moved = np.bincount(whole.unit, whole.deviation, n)

    def compared(number: int) -> Compared:
        group = np.where(cohort[inside] == number, WORST, -1)[None]
        rates = jackknife(group, errors, words, speaker, 1)
        pair = contrast(rates, WORST, whole, WORST)
        expected = float(rates.words[0, 0]) * float(np.exp(whole.estimate[0, 0]))
        few = expected < FEWEST_ERRORS
        moved = np.bincount(rates.unit, rates.deviation, n).astype(np.float64) - whole_moved
        sides = (group[0] == WORST, np.ones(len(speaker), dtype=bool))
        least = _least_variance(expected, between, *(_held(words, speaker, side) for side in sides))
        se = max(float(pair.se[0]), float(np.sqrt(least)))
        return float(pair.estimate[0]), np.nan if few else se, float(pair.df[0]), moved

    found = _collected(compared, shown, n)
    # A bound for all of them needs one for each.
    return found if len(found.cohorts) == len(shown) else _collected(compared, (), n)


def _collected(compared: Callable[[int], Compared], tested: Sequence[int], speakers: int) -> Against:
    kept, rows = [], []
    for number in tested:
        found = compared(number)
        if np.isfinite(found[:3]).all() and found[1] > 0 and found[2] > 0:
            kept.append(number)
            rows.append(found)
    return Against(
        cohorts=kept,
        estimate=np.array([row[0] for row in rows]),
        se=np.array([row[1] for row in rows]),
        df=np.array([row[2] for row in rows]),
        deviations=np.array([row[3] for row in rows]).reshape(len(rows), speakers),
    )
