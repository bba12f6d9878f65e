"""Why this cohort: which labels are over-represented in it. For clusters of voices, all that they mean.

References
----------
Katz, D. et al. (1978). Obtaining confidence intervals for the risk ratio in cohort studies. Biometrics
34, 469-474.
Fisher, R. A. (1935). The design of experiments: the exact test.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np

from fairaudit.counts import SpeakerCounts
from fairaudit.estimate import holm
from fairaudit.evidence import Trait

#: Traits that are reported of one cohort.
MOST_TRAITS = 8


#: Who has each value of each label column: sets of speakers.
Holders = Mapping[str, Mapping[str, Set[str]]]


def profile(
    members: Set[str],
    others: Set[str],
    holders: Holders,
    *,
    confidence: float,
    fewest: int,
) -> tuple[Trait, ...]:
    """Compare how common each label is among the speakers of a cohort and among the others.

    Parameters
    ----------
    members, others : set of str
        Speakers of the cohort, and all others that are tabled.
    holders : mapping of str to mapping of str to set of str
        By column and value, as `holders_of` gives them. A speaker has a value if any utterance has it.
    confidence : float
        Of the intervals.
    fewest : int
        Speakers that must have a value in the cohort for it to be told; and, of those in it without the
        value and of those elsewhere with and without it, that there must be if there are any.

    Returns
    -------
    tuple of Trait
        Values that are more common in the cohort, by corrected p and then lift; at most `MOST_TRAITS`.
        The correction is Holm's over all values of all columns, those that are not told among them.

    Examples
    --------
    >>> ids = [f"s{i:03}" for i in range(100)]
    >>> device = SpeakerCounts.of(ids, ref_words=[9] * 100, errors=[1] * 100,
    ...                           attributes={"device": ["far" if i < 40 else "near" for i in range(100)]})
    >>> holders = {"device": holders_of(device, "device")}
    >>> (trait,) = profile(set(ids[:25]), set(ids[25:]), holders, confidence=0.95, fewest=11)
    >>> trait.value, trait.lift, trait.p_adjusted < 0.001
    ('far', 5.0, True)
    """
    found = [
        (column, value, in_cohort, len(speakers & others))
        for column, values in holders.items()
        for value, speakers in values.items()
        if (in_cohort := len(speakers & members)) + len(speakers & others)
    ]
    adjusted = holm([_p_value(a, len(members), b, len(others)) for _, _, a, b in found])
    traits = []
    for (column, value, in_cohort, elsewhere), p in zip(found, adjusted, strict=True):
        figures = lift_of(in_cohort, len(members), elsewhere, len(others), confidence)
        cells = (len(members) - in_cohort, elsewhere, len(others) - elsewhere)
        told = in_cohort >= fewest and not any(0 < cell < fewest for cell in cells)
        if told and figures[0] > 1 and p is not None:
            # Of two digits, so that no count can be worked out of them.
            lift, low, high, p = (float(f"{figure:.2g}") for figure in (*figures, p))
            traits.append(Trait(column=column, value=value, lift=lift, low=low, high=high, p_adjusted=p))
    traits.sort(key=lambda trait: (trait.p_adjusted, -trait.lift, trait.column, trait.value))
    return tuple(traits[:MOST_TRAITS])


def lift_of(
    in_cohort: int, members: int, elsewhere: int, others: int, confidence: float
) -> tuple[float, float, float]:
    """Return how many times more common a value is in a cohort than elsewhere, with its interval.

    Katz's interval on the log scale. Where nobody elsewhere has the value, one half is added to both
    counts and one to both totals, so that the ratio is finite.

    Examples
    --------
    >>> [round(v, 2) for v in lift_of(20, 20, 10, 80, 0.95)]
    [8.0, 4.48, 14.28]
    """
    from scipy.special import ndtri

    a, n, b, m = float(in_cohort), float(members), float(elsewhere), float(others)
    if b == 0 or a == 0:
        a, n, b, m = a + 0.5, n + 1, b + 0.5, m + 1
    lift = (a / n) / (b / m)
    reach = float(np.exp(ndtri(0.5 + confidence / 2) * np.sqrt(max(0.0, 1 / a - 1 / n + 1 / b - 1 / m))))
    return lift, lift / reach, lift * reach


def _p_value(in_cohort: int, members: int, elsewhere: int, others: int) -> float:
    """Return the two-sided p of Fisher's exact test."""
    from scipy.stats import fisher_exact

    table = np.array([[in_cohort, members - in_cohort], [elsewhere, others - elsewhere]])
    return float(fisher_exact(table).pvalue)


def holders_of(counts: SpeakerCounts, column: str) -> dict[str, set[str]]:
    """Return the speakers who have each value of a label column.

    Parameters
    ----------
    counts : SpeakerCounts
        With the column as an attribute.
    column : str
    """
    labels = counts.labels(column)
    holders: dict[str, set[str]] = {value: set() for value in labels.values}
    for row in np.flatnonzero(labels.codes >= 0):
        holders[labels.values[labels.codes[row]]].add(str(counts.speakers[counts.speaker[row]]))
    return holders
