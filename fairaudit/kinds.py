"""How the errors of a cohort differ: substitutions, deletions, insertions, each against everybody else's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairaudit.against import Against, against_rest
from fairaudit.counts import Ints, SpeakerCounts
from fairaudit.estimate import holm, t_quantile
from fairaudit.evidence import KindGap

#: A ratio beyond this, or its inverse, says nothing and is not given as a bound.
LARGEST_RATIO = 100.0

#: Of one kind in one cohort: rate, rate of the others, log ratio, standard error, degrees of freedom.
Compared = tuple[float, float, float, float, float]


def kind_gaps(
    counts: SpeakerCounts, cohort: Ints, tested: Sequence[int], *, confidence: float
) -> dict[int, tuple[KindGap, ...]]:
    """Compare each kind of error of each cohort with that of everybody else.

    The log ratio of the two rates and its jackknife interval, as of all errors; p is two-sided, since a
    cohort may have more of one kind and fewer of another, and is corrected by Holm for all kinds of all
    tested cohorts. So the few that are read, such as those of the bottom, may be picked by their rates.

    Parameters
    ----------
    counts : SpeakerCounts
    cohort : ndarray of int64, shape (n_rows,)
        -1 for rows that do not count.
    tested : sequence of int
        Cohorts that are compared; the others are everybody else, of whatever cohort.
    confidence : float
        Of each interval alone.

    Returns
    -------
    dict of int to tuple of KindGap
        Of each tested cohort, in the order of `counts.kinds`; empty where the log has no kinds. Without a
        ratio where fewer than five errors of the kind are to be expected on a side.

    Examples
    --------
    >>> counts = SpeakerCounts.of([f"s{i:02}" for i in range(60)], ref_words=[200] * 60,
    ...     errors=[30 + i % 3 if i < 30 else 20 + i % 3 for i in range(60)],
    ...     kinds={"substitutions": [10] * 60, "insertions": [0] * 60,
    ...            "deletions": [20 + i % 3 if i < 30 else 10 + i % 3 for i in range(60)]})
    >>> worse = kind_gaps(counts, np.arange(60) // 30, [0, 1], confidence=0.95)[0]
    >>> [(gap.kind, gap.ratio and round(gap.ratio, 1)) for gap in worse]
    [('substitutions', 1.0), ('insertions', None), ('deletions', 1.9)]
    """
    found = {
        (number, kind): one
        for kind, counted in counts.kinds.items()
        for number, one in _compared(counts, cohort, tested, counted).items()
    }
    compared = {key: one for key, one in found.items() if np.isfinite(one[2])}
    adjusted = dict(zip(compared, holm([_two_sided(one) for one in compared.values()]), strict=True))
    return {
        number: tuple(
            _gap(kind, found[number, kind], adjusted.get((number, kind)), confidence)
            for kind in counts.kinds
            if (number, kind) in found
        )
        for number in tested
    }


def _compared(
    counts: SpeakerCounts, cohort: Ints, tested: Sequence[int], counted: Ints
) -> dict[int, Compared]:
    """Return the rates and their comparison for one kind, of each cohort with words on both sides."""
    against: Against = against_rest(counts, cohort, tested, counted)
    position = {number: i for i, number in enumerate(against.cohorts)}
    found = {}
    for number in tested:
        sides = (cohort == number, (cohort >= 0) & (cohort != number))
        words = [int(counts.ref_words[side].sum()) for side in sides]
        if not all(words):
            continue
        own, rest = (float(counted[side].sum() / w) for side, w in zip(sides, words, strict=True))
        i = position.get(number)
        log_ratio, se, df = (
            np.nan if i is None else float(v[i]) for v in (against.estimate, against.se, against.df)
        )
        found[number] = (own, rest, log_ratio, se, df)
    return found


def _two_sided(one: Compared) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(one[4], -abs(one[2]) / one[3]))


def _gap(kind: str, one: Compared, p: float | None, confidence: float) -> KindGap:
    own, rest, log_ratio, se, df = one
    if p is None:
        return KindGap(kind=kind, rate=own, rest=rest)
    reach = float(t_quantile(df, confidence)) * se
    with np.errstate(over="ignore"):
        low, high = (float(np.exp(end)) for end in (log_ratio - reach, log_ratio + reach))
    told = high <= LARGEST_RATIO and low >= 1 / LARGEST_RATIO
    return KindGap(
        kind=kind,
        rate=own,
        rest=rest,
        ratio=float(np.exp(log_ratio)),
        low=low if told else None,
        high=high if told else None,
        p_adjusted=p,
    )
