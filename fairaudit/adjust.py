"""The gap between bottom and top given other columns: what remains where like is compared with like.

A Poisson model of the errors, with the log of the reference words as offset, the side as the term that
is read, and each value of each column as a term of its own. Errors of a speaker are not independent,
so the standard error is clustered by speaker.

References
----------
Liang, K.-Y. and Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models.
Biometrika 73, 13-22.
Mancl, L. A. and DeRouen, T. A. (2001). A covariance estimator for GEE with improved small-sample
properties. Biometrics 57, 126-134.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fairaudit.counts import Bools, Floats, Ints, SpeakerCounts
from fairaudit.estimate import Contrast, contrast, jackknife
from fairaudit.ranking import BOTTOM, TOP
from fairaudit.strata import Strata, design_of, informative, shared_rows, strata_of

#: The sum of the scores, as a share of all errors, at which a fit has converged.
SCORE = 1e-10


@dataclass(frozen=True, eq=False)
class Adjusted:
    """A gap before and after adjustment, both of the same rows.

    Parameters
    ----------
    columns : tuple of str
        The columns that were adjusted for.
    adjusted, crude : Contrast or None
        Log of bottom rate over top rate, as a batch of one. `adjusted` is None where it cannot be
        fitted, and `crude` where one side has no words or errors.
    reason : str or None
        Why there is no adjusted gap.
    dropped : mapping of str to str
        Columns that were left out of the model, and why.
    left_out, left_out_speakers : mapping of str to int
        Utterances that were left out, and the speakers whose they are, by reason.
    utterances : int
        Of bottom and top, those that were left out among them.
    shared : float
        Of the words of both sides, the share in combinations of values that both sides have: what
        the adjusted gap rests on.
    """

    columns: tuple[str, ...]
    adjusted: Contrast | None
    crude: Contrast | None
    reason: str | None = None
    dropped: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    left_out_speakers: Mapping[str, int] = field(default_factory=dict)
    utterances: int = 0
    shared: float = 0.0


def adjusted_gap(counts: SpeakerCounts, side: Ints, columns: Sequence[str]) -> Adjusted:
    """Compare bottom and top given some columns.

    ``log E[errors] = log words + a + b [side is bottom] + sum of one term per value of each column``;
    `b` is the log ratio of the two rates where the columns have the same values. Fitted by
    generalised estimating equations with independence as the working correlation, so that speakers
    are weighted by their words as in the crude gap; the covariance is Mancl and DeRouen's, which
    allows for few speakers. Missing values are a value of their own, named ``missing``.

    Parameters
    ----------
    counts : SpeakerCounts
        With the columns as labels.
    side : ndarray of int64, shape (rows,)
        BOTTOM or TOP; rows of any other side are not read.
    columns : sequence of str
        Attributes of `counts`; numbers are made labels by `fairaudit.classes.binned` before.

    Returns
    -------
    Adjusted
        The degrees of freedom are Satterthwaite's over the effective numbers of speakers of both
        sides, as in the crude gap, of the rows with values that both sides have.

    Examples
    --------
    Speakers of the bottom err as often as others; they only speak in noise more often.

    >>> device = np.array(["car", "car", "car", "desk"] * 20 + ["car", "desk", "desk", "desk"] * 20)
    >>> errors = np.where(device == "car", 20, 5) + np.arange(160) % 3
    >>> counts = SpeakerCounts.of(np.arange(160) // 4 + 100, ref_words=[100] * 160, errors=errors,
    ...                           attributes={"device": device})
    >>> gap = adjusted_gap(counts, np.where(counts.speaker < 20, BOTTOM, TOP), ["device"])
    >>> np.exp(gap.crude.estimate).round(2), np.exp(gap.adjusted.estimate).round(2)
    (array([1.77]), array([1.]))
    """
    whole = strata_of(counts, side, columns)
    strata, left_out, left_out_speakers = informative(whole)
    crude, shared = _crude(strata), shared_rows(strata)
    design, dropped = design_of(strata, counts, columns)
    kept = tuple(column for column in columns if column not in dropped)
    reason = _why_not(strata, shared, design, kept)
    adjusted = None
    if reason is None:
        assert design is not None
        log_ratio, se = _fitted(strata, design)
        rates = jackknife(*_as_groups(strata.take(shared)), 2)
        adjusted = Contrast(log_ratio, se, contrast(rates, BOTTOM, rates, TOP).df)
        if not np.isfinite([log_ratio, se]).all():
            adjusted, reason = None, "the model has no finite solution"
    share = float(strata.words[shared].sum() / strata.words.sum()) if len(strata.words) else 0.0
    utterances = int(whole.utterances.sum())
    return Adjusted(kept, adjusted, crude, reason, dropped, left_out, left_out_speakers, utterances, share)


def _why_not(strata: Strata, shared: Bools, design: Floats | None, columns: tuple[str, ...]) -> str | None:
    """Return why no model can be fitted, or None."""
    lacking = _lacking(strata, "")
    if lacking:
        return lacking
    if not columns:
        return "no column is left to adjust for"
    if design is None or not shared.any():
        what = f"value of {columns[0]}" if len(columns) == 1 else f"combination of {', '.join(columns)}"
        return f"bottom and top share no {what}"
    speakers = len(np.unique(strata.speaker))
    if speakers <= design.shape[1]:
        return f"too few speakers: {speakers} for a model of {design.shape[1]} terms"
    return _lacking(strata.take(shared), f" where both have the same {' and '.join(columns)}")


def _lacking(strata: Strata, where: str) -> str | None:
    """Return what one side has too little of, or None."""
    for side, name in ((BOTTOM, "bottom"), (TOP, "top")):
        rows = strata.side == side
        speakers = len(np.unique(strata.speaker[rows]))
        if speakers < 2:
            return f"too few speakers: the {name} has {speakers}{where}"
        if not strata.errors[rows].any():
            return f"the {name} has no errors{where}"
    return None


def _as_groups(strata: Strata) -> tuple[Ints, Floats, Floats, Ints]:
    return strata.side[None], strata.errors[None], strata.words[None], strata.speaker


def _crude(strata: Strata) -> Contrast | None:
    rates = jackknife(*_as_groups(strata), 2)
    if not (rates.words[0] > 0).all() or not rates.errors[0, TOP] > 0:
        return None
    return contrast(rates, BOTTOM, rates, TOP)


def _fitted(strata: Strata, design: Floats) -> tuple[Floats, Floats]:
    """Return the log ratio of the sides and its standard error, shape (1,) each; NaN without a solution."""
    from statsmodels.genmod.cov_struct import Independence
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_estimating_equations import GEE

    model = GEE(
        strata.errors,
        design,
        groups=strata.speaker,
        family=Poisson(),
        cov_struct=Independence(),
        offset=np.log(strata.words),
    )
    with warnings.catch_warnings():
        # What it warns of is seen in the numbers, and told as the reason.
        warnings.simplefilter("ignore")
        try:
            fit = model.fit(cov_type="bias_reduced", ctol=SCORE * strata.errors.sum())
        except np.linalg.LinAlgError:
            fit = None
    if fit is None or not fit.converged:
        return np.full(1, np.nan), np.full(1, np.nan)
    return np.asarray(fit.params[-1:]), np.asarray(fit.bse[-1:])
