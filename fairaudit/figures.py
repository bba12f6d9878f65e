"""From estimates to what is reported: rates, gaps and sides with their intervals and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairaudit.counts import Bools, SpeakerCounts
from fairaudit.estimate import Contrast, Rates, design_effect, jackknife, t_quantile, zero_error_high
from fairaudit.rates import Gap, Rate, Share
from fairaudit.result import Side

#: From this many splits on the two ways of a split count as independent.
SPLITS_INDEPENDENT = 11


@dataclass(frozen=True)
class Aggregate:
    """One figure over all ways: estimate, standard error and degrees of freedom."""

    estimate: float
    se: float
    df: float

    def bounds(self, confidence: float) -> tuple[float, float] | None:
        """Return estimate -/+ t(df) se, or None where that is not finite."""
        if not (self.df > 0 and np.isfinite(self.se)):
            return None
        reach = float(t_quantile(self.df, confidence)) * self.se
        return (self.estimate - reach, self.estimate + reach) if np.isfinite(reach) else None


def aggregate_ways(ways: Sequence[Contrast | None], per_split: int) -> Aggregate | None:
    """Average one figure over the ways of all splits.

    Parameters
    ----------
    ways : sequence of Contrast or None
        In the order of `Procedure.ways`; None where a way gives no figure.
    per_split : int
        Ways of a split: 2, or 1 where nothing is held out.

    Returns
    -------
    Aggregate or None
        The mean over splits of the mean of the ways; the standard error likewise, over the square
        root of two where there are at least 11 splits; the median of the degrees of freedom. None
        where fewer than half of all ways give the figure.
    """
    usable = [w if w is not None and np.isfinite([w.estimate[0], w.se[0]]).all() else None for w in ways]
    if sum(w is not None for w in usable) * 2 < len(ways):
        return None
    splits = [[w for w in usable[i : i + per_split] if w is not None] for i in range(0, len(ways), per_split)]
    splits = [split for split in splits if split]
    estimate = np.mean([np.mean([w.estimate[0] for w in split]) for split in splits])
    se = np.mean([np.mean([w.se[0] for w in split]) for split in splits])
    if len(ways) // per_split >= SPLITS_INDEPENDENT:
        se = se / np.sqrt(2)
    df = np.median([w.df[0] for split in splits for w in split])
    return Aggregate(float(estimate), float(se), float(df))


def gap(
    definition: str,
    ratio: Aggregate | None,
    difference: Aggregate | None,
    confidence: float,
    reason: str | None = None,
) -> Gap:
    """Report one set of speakers against another.

    Parameters
    ----------
    definition : str
        What is compared with what.
    ratio : Aggregate or None
        Of the log ratio.
    difference : Aggregate or None
        Of the difference, as a fraction.
    confidence : float
    reason : str, optional
        Why there is no relative gap.
    """
    plain: dict[str, Any] = {"definition": definition}
    if difference is not None:
        low, high = difference.bounds(confidence) or (None, None)
        plain |= {"absolute": difference.estimate, "absolute_low": low, "absolute_high": high}
    if ratio is not None:
        times = float(np.exp(ratio.estimate))
        plain |= {"relative": times - 1, "ratio": times, "log_se": ratio.se, "df": ratio.df}
        plain["relative_to_bottom"] = 1 - 1 / times
        bounds = ratio.bounds(confidence)
        with np.errstate(over="ignore"):
            ends = [float(np.exp(b)) - 1 for b in bounds] if bounds else [np.inf]
        if np.isfinite(ends).all():
            plain["relative_low"], plain["relative_high"] = ends
        else:
            plain["reason"] = "too few speakers for an interval"
    else:
        plain["reason"] = reason or "no gap can be given"
    return Gap(**plain)


def tally(counts: SpeakerCounts, rows: Bools) -> dict[str, Any]:
    """Add up some rows: speakers, utterances, words, errors by kind, and the mean WER of speakers."""
    speaker = counts.speaker[rows]
    present, position = np.unique(speaker, return_inverse=True)
    errors = np.bincount(position, counts.errors[rows], len(present))
    words = np.bincount(position, counts.ref_words[rows], len(present))
    spoken = words > 0
    return {
        "speakers": len(present),
        "utterances": int(counts.utterances[rows].sum()),
        "ref_words": int(counts.ref_words[rows].sum()),
        "errors": int(counts.errors[rows].sum()),
        **{kind: int(values[rows].sum()) for kind, values in counts.kinds.items()},
        "wer_speaker_mean": float((errors[spoken] / words[spoken]).mean()) if spoken.any() else None,
    }


def pooled(counts: SpeakerCounts, rows: Bools) -> Rates:
    """Return the rate of some rows taken together, on the log scale."""
    group = np.zeros((1, int(rows.sum())), dtype=np.int64)
    errors, words = (v[rows][None].astype(np.float64) for v in (counts.errors, counts.ref_words))
    return jackknife(group, errors, words, counts.speaker[rows], 1)


def rate(
    counts: SpeakerCounts, rows: Bools, confidence: float, effect: float | None = None
) -> dict[str, Any]:
    """Return the fields of a Rate for some rows.

    Parameters
    ----------
    counts : SpeakerCounts
    rows : ndarray of bool, shape (n_rows,)
    confidence : float
    effect : float, optional
        Design effect for a cohort without errors; by default that of the rows themselves.
    """
    plain = tally(counts, rows)
    if not plain["speakers"]:
        return plain | {"reason": "no speakers"}
    if not plain["ref_words"]:
        return plain | {"reason": "no reference words"}
    rates = pooled(counts, rows)
    plain |= {
        "wer": plain["errors"] / plain["ref_words"],
        "confidence": confidence,
        "n_effective": float(rates.n_effective[0, 0]),
    }
    if plain["speakers"] < 2:
        return plain | {"reason": "one speaker: no interval"}
    if not plain["errors"]:
        high = zero_error_high(plain["ref_words"], effect or design_effect(rates), confidence)
        return plain | {"low": 0.0, "high": high}
    whole = Aggregate(
        float(rates.estimate[0, 0]), float(np.sqrt(rates.variance[0, 0])), float(rates.n_effective[0, 0] - 1)
    )
    return plain | _around(_interval(whole, confidence), plain["wer"])


def side(
    cohorts: tuple[str, ...],
    tallies: Sequence[dict[str, Any]],
    shares: Sequence[Share],
    log_rate: Aggregate | None,
    confidence: float,
    effect: float,
) -> Side:
    """Report bottom, top or rest, aggregated over ways.

    Parameters
    ----------
    cohorts : tuple of str
        Of the first split.
    tallies : sequence of dict
        One for each way that names this side; see `tally`.
    shares : sequence of Share
    log_rate : Aggregate or None
    confidence : float
    effect : float
        Design effect, for a side without errors.
    """
    if not tallies:
        return Side(cohorts=cohorts, share=None, reason="no split leaves anybody in it")
    plain: dict[str, Any] = {name: _mean([t.get(name) for t in tallies]) for name in tallies[0]}
    plain |= {name: round(v) for name, v in plain.items() if v is not None and name != "wer_speaker_mean"}
    units = ("speakers", "utterances", "ref_words")
    share = Share(**{unit: _mean([getattr(s, unit) for s in shares]) for unit in units})
    if log_rate is None:
        return Side(cohorts=cohorts, share=share, **plain, reason="too few speakers for a rate")
    plain |= {"wer": float(np.exp(log_rate.estimate)), "confidence": confidence}
    if sum(t["errors"] for t in tallies) == 0:
        words = max(1, plain["ref_words"])
        return Side(
            cohorts=cohorts,
            share=share,
            **plain | {"wer": 0.0, "low": 0.0, "high": zero_error_high(words, effect, confidence)},
        )
    return Side(cohorts=cohorts, share=share, **plain | _interval(log_rate, confidence))


def rate_contrast(rates: Rates, group: int) -> Contrast | None:
    """Return one group's own log rate in the form that `aggregate_ways` takes."""
    if not rates.words[0, group] > 0:
        return None
    return Contrast(
        rates.estimate[:, group], np.sqrt(rates.variance[:, group]), rates.n_effective[:, group] - 1
    )


def share_of(counts: SpeakerCounts, part: Bools, whole: Bools) -> Share:
    """Return which fraction of the speakers, utterances and words of `whole` is in `part`."""

    def fraction(count: float, total: float) -> float:
        return float(count / total) if total else 0.0

    speakers = [len(np.unique(counts.speaker[rows])) for rows in (part, whole)]
    return Share(
        speakers=fraction(*speakers),
        utterances=fraction(counts.utterances[part].sum(), counts.utterances[whole].sum()),
        ref_words=fraction(counts.ref_words[part].sum(), counts.ref_words[whole].sum()),
    )


def as_rate(plain: dict[str, Any]) -> Rate:
    """Make a Rate of the fields that `rate` returns."""
    return Rate(**plain)


def _interval(log_rate: Aggregate, confidence: float) -> dict[str, Any]:
    """Return the stored interval of a log rate, or the reason why there is none."""
    bounds = log_rate.bounds(confidence)
    with np.errstate(over="ignore"):
        ends = [float(np.exp(b)) for b in bounds] if bounds else [np.inf]
    if not np.isfinite(ends).all():
        return {"reason": "one speaker holds nearly all the words: no interval"}
    return {"low": ends[0], "high": ends[1], "log_se": log_rate.se, "df": log_rate.df}


def _around(interval: dict[str, Any], value: float) -> dict[str, Any]:
    """Keep the value inside its interval, whose ends went through a logarithm and back."""
    ends = {"low": min, "high": max}
    return interval | {end: nearer(interval[end], value) for end, nearer in ends.items() if end in interval}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None
