"""Further figures of how unequally a recogniser serves speakers and cohorts, each defined once.

References
----------
DerSimonian, R. and Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical Trials 7.
Gini, C. (1912). Variabilita e mutabilita.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fairaudit.counts import Floats, Ints, SpeakerCounts
from fairaudit.evidence import DISPARITY, Excess
from fairaudit.rates import Rate
from fairaudit.result import Cohort, PartitionResult, Side


def disparity(partition: PartitionResult) -> dict[str, float]:
    """Return the further figures of a partition by the names of `DISPARITY`; absent where there is none.

    Parameters
    ----------
    partition : PartitionResult
        Suppressed already: only what is shown enters. It holds the Gini coefficient of its speakers, and the
        share of the errors that falls on the bottom.
    """
    shown = [c for c in partition.cohorts if c.wer is not None and c.ref_words]
    figures: dict[str, float | None] = {}
    if len(shown) >= 2:
        rates = np.array([c.wer for c in shown], dtype=np.float64)
        words = np.array([c.ref_words for c in shown], dtype=np.float64)
        pooled = float((rates * words).sum() / words.sum())
        figures = {
            "worst_cohort_wer": float(rates.max()),
            "worst_over_best": float(rates.max() / rates.min()) if rates.min() > 0 else None,
            "macro_wer": float(rates.mean()),
            "macro_over_pooled": float(rates.mean() / pooled) if pooled else None,
            "between_cohort_sd": between_cohort_sd(shown),
        }
    figures["speaker_gini"] = partition.disparity.get("speaker_gini")
    if (share := _words_at_bottom(partition.bottom)) is not None:
        figures["bottom_share_of_errors"] = partition.disparity.get("bottom_share_of_errors")
        figures["bottom_share_of_words"] = share
    return {name: figures[name] for name in DISPARITY if figures.get(name) is not None}  # type: ignore[misc]


def between_cohort_sd(cohorts: Sequence[Cohort]) -> float | None:
    """Return the standard deviation of log WER between cohorts beyond what sampling gives.

    The moment estimate of DerSimonian and Laird from the cohorts' log rates and standard errors, not
    below 0. None with fewer than two cohorts that have a standard error.

    Parameters
    ----------
    cohorts : sequence of Cohort
    """
    known = [c for c in cohorts if c.wer and c.log_se]
    if len(known) < 2:
        return None
    estimate = np.log(np.array([c.wer for c in known], dtype=np.float64))
    weight = 1 / np.array([c.log_se for c in known], dtype=np.float64) ** 2
    mean = (weight * estimate).sum() / weight.sum()
    q = (weight * (estimate - mean) ** 2).sum()
    spread = weight.sum() - (weight**2).sum() / weight.sum()
    return float(np.sqrt(max(0.0, (q - (len(known) - 1)) / spread))) if spread > 0 else None


def speaker_gini(counts: SpeakerCounts, cohort: Ints) -> float | None:
    """Return the Gini coefficient of the speakers' WER, each weighted by the words spoken.

    Half the mean absolute difference between two words' speakers' WER, over the mean WER.

    Parameters
    ----------
    counts : SpeakerCounts
    cohort : ndarray of int64, shape (n_rows,)
        -1 for rows that do not count.

    Examples
    --------
    >>> counts = SpeakerCounts.of(["a", "b"], ref_words=[100, 100], errors=[0, 20])
    >>> speaker_gini(counts, np.array([0, 0]))
    0.5
    """
    inside = cohort >= 0
    speaker, n = counts.speaker[inside], len(counts.speakers)
    errors, words = (np.bincount(speaker, v[inside], n) for v in (counts.errors, counts.ref_words))
    spoken = words > 0
    errors, words = errors[spoken], words[spoken]
    if not errors.sum():
        return None
    order = np.argsort(errors / words, kind="stable")
    return _area(words[order].astype(np.float64), errors[order].astype(np.float64))


def excess(row: Rate, rest: Mapping[str, float]) -> Excess | None:
    """Return the errors that would go if some speakers fared like the rest, by kind.

    Parameters
    ----------
    row : Rate
    rest : mapping of str to float
        Rate of everybody else by `errors` and kind of error.
    """
    words = row.ref_words
    if words is None or row.errors is None or "errors" not in rest:
        return None

    def more(kind: str) -> float | None:
        count = getattr(row, kind)
        return None if count is None or kind not in rest else float(count - rest[kind] * words)

    total = more("errors")
    assert total is not None
    return Excess(
        errors=total,
        substitutions=more("substitutions"),
        deletions=more("deletions"),
        insertions=more("insertions"),
    )


def rates_of_rest(counts: SpeakerCounts, cohort: Ints, number: int) -> dict[str, float]:
    """Return the rates of all cohorts but one, by `errors` and kind of error; empty without words."""
    others = (cohort >= 0) & (cohort != number)
    words = float(counts.ref_words[others].sum())
    if not words:
        return {}
    sums = {"errors": counts.errors, **counts.kinds}
    return {kind: float(values[others].sum()) / words for kind, values in sums.items()}


def _words_at_bottom(bottom: Side | None) -> float | None:
    """Return the share of the words at the bottom; None where there is none, or it is withheld."""
    return None if bottom is None or bottom.wer is None or bottom.share is None else bottom.share.ref_words


def _area(words: Floats, errors: Floats) -> float:
    """Return one minus twice the area under the Lorenz curve of errors over words."""
    before = np.cumsum(errors) - errors
    area = (words * (before + errors / 2)).sum() / (words.sum() * errors.sum())
    return float(1 - 2 * area)
