"""What a partition could place of a log, and what gap it could show there. Reads no cohort's errors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairaudit.aggregate import aggregate
from fairaudit.config import AuditOptions
from fairaudit.counts import Bools, SpeakerCounts
from fairaudit.estimate import distinct_speakers
from fairaudit.log import UtteranceLog
from fairaudit.placing import place
from fairaudit.planning import Target
from fairaudit.power import FEWEST_SPEAKERS, Spread, Whole, smallest_gap
from fairaudit.ranking import FEWEST_RANKED
from fairaudit.readiness import Detectable, PartitionCheck, ValueCheck
from fairaudit.split import halves

#: The cohort whose gap is worked out for a search, unless it would be too small to be found.
SEARCHED_SHARE = 0.10
#: A gap is measured on one half at a time, and shown if the mean half has enough speakers.
HALVES = 2
NO_SPREAD = "the log has no errors, or a single speaker: how much speakers vary is not known"
FEW_TALKERS = "a few speakers hold nearly all the words"


def gap_of_shares(
    totals: SpeakerCounts,
    spread: Spread | None,
    splits: int,
    share: float,
    other: float,
    min_speakers_shown: int,
) -> Detectable:
    """Work out the smallest gap between two cohorts of given shares of the speakers.

    Parameters
    ----------
    totals : SpeakerCounts
        One row per speaker.
    spread : Spread or None
        Of the whole log, whoever is in `totals`.
    splits : int
        That an audit takes.
    share, other : float
    min_speakers_shown : int

    Examples
    --------
    >>> counts = SpeakerCounts.of([f"s{i:03}" for i in range(300)], ref_words=[200] * 300,
    ...                           errors=[20 + 9 * (i % 3) for i in range(300)])
    >>> found = gap_of_shares(counts, Spread.of(counts), 11, 0.1, 0.9, 11)
    >>> found.speakers, round(found.relative, 2), round(found.twice_the_speakers, 2)
    (30, 0.16, 0.11)
    """
    speakers = round(share * len(totals.speakers))
    needs = f"at least {FEWEST_RANKED} in both halves"
    plain: dict[str, Any] = {
        "cohort": share,
        "against": other,
        "speakers": speakers,
        "suppressed": speakers < HALVES * min_speakers_shown,
    }
    if spread is None:
        return Detectable(**plain, reason=NO_SPREAD)
    if speakers < FEWEST_SPEAKERS:
        why = f"too few speakers: a cohort needs about {FEWEST_SPEAKERS}, for {needs}"
        return Detectable(**plain, reason=why)
    whole = Whole.of(totals, spread, splits)
    gap = whole.gap(share, other)
    if gap is None:
        return Detectable(**plain, reason=FEW_TALKERS)
    return Detectable(
        **plain,
        relative=gap,
        twice_the_speakers=whole.gap(share, other, speakers=2),
        twice_the_words=whole.gap(share, other, words=2),
    )


def prospect(log: UtteranceLog, target: Target, options: AuditOptions, splits: int) -> PartitionCheck:
    """Say what a partition can place, why not the rest, and what of it could be compared.

    Parameters
    ----------
    log : UtteranceLog
    target : Target
        From `fairaudit.planning.plan`.
    options : AuditOptions
    splits : int
        That an audit takes.
    """
    counts = aggregate(log, target.requires, grid=target.grid)
    counts, reasons = place(target.source, target.name, counts, options.zip_table)
    placed: Bools = reasons == ""
    speakers = len(np.unique(counts.speaker[placed]))
    plain: dict[str, Any] = {
        "name": target.name,
        "kind": "label" if target.declared else "search",
        "speakers": speakers,
        "utterances": int(counts.utterances[placed].sum()),
        "ref_words": int(counts.ref_words[placed].sum()),
        "unplaced": _unplaced(counts, reasons),
        "unplaced_speakers": len(counts.speakers) - speakers,
    }
    if not placed.any():
        return PartitionCheck(**plain, enough=False, reason="no row of the log can be placed")
    if target.declared:
        return PartitionCheck(**plain, **_label(target.name, counts, options, splits))
    return PartitionCheck(**plain, **_search(target, counts, placed, options, splits))


def _unplaced(counts: SpeakerCounts, reasons: NDArray[np.object_]) -> dict[str, int]:
    named = sorted({reason for reason in reasons if reason})
    return {reason: int(counts.utterances[reasons == reason].sum()) for reason in named}


def _search(
    target: Target, counts: SpeakerCounts, placed: Bools, options: AuditOptions, splits: int
) -> dict[str, Any]:
    """Say whether a search has the speakers for two cohorts in both halves."""
    own = counts.select(placed)
    speakers, fewest = len(own.speakers), getattr(target.finder, "min_speakers", None)
    each = max(fewest or 0, FEWEST_RANKED)
    if speakers < 4 * each:
        why = (
            f"too few speakers: {speakers}, where two cohorts of at least {each} in both halves "
            f"need {4 * each}"
        )
        return {"min_speakers": fewest, "enough": False, "reason": why}
    share = max(SEARCHED_SHARE, 2 * each / speakers)
    spread = Spread.of(_by_speaker(counts))
    found = gap_of_shares(_by_speaker(own), spread, splits, share, 1 - share, options.min_speakers_shown)
    return {"min_speakers": fewest, "enough": True, "reason": None, "detectable": found}


def _by_speaker(counts: SpeakerCounts) -> SpeakerCounts:
    return SpeakerCounts.of(counts.speakers[counts.speaker], ref_words=counts.ref_words, errors=counts.errors)


def _label(column: str, counts: SpeakerCounts, options: AuditOptions, splits: int) -> dict[str, Any]:
    """Say of each value how much there is, the most speakers first, and what gap it could show."""
    labels = counts.labels(column)
    ranked = _ranked(counts, column, halves(counts.speakers, options.seed, splits))
    # An audit gives a gap where at least half of the ways leave two cohorts to compare.
    enough = bool((ranked.sum(axis=1) >= 2).mean() >= 0.5)
    spread = Spread.of(counts)
    why: str | None
    values = []
    for code, value in enumerate(labels.values):
        own, rest = labels.codes == code, (labels.codes >= 0) & (labels.codes != code)
        if ranked[:, code].mean() < 0.5:
            gap, why = None, f"fewer than {FEWEST_RANKED} speakers in a half"
        elif not enough:
            gap, why = None, "no other value has enough speakers"
        else:
            gap, why = _gap(counts, own, rest, spread, splits)
        speakers = len(np.unique(counts.speaker[own]))
        values.append(
            ValueCheck(
                value=value,
                speakers=speakers,
                utterances=int(counts.utterances[own].sum()),
                ref_words=int(counts.ref_words[own].sum()),
                suppressed=speakers < options.min_speakers_shown,
                gap_suppressed=speakers < HALVES * options.min_speakers_shown,
                smallest_gap=gap,
                reason=why,
            )
        )
    why = f"fewer than two values with at least {FEWEST_RANKED} speakers in both halves"
    return {
        "enough": enough,
        "reason": None if enough else why,
        "values": tuple(sorted(values, key=lambda row: (-row.speakers, row.value))),
    }


def _ranked(counts: SpeakerCounts, column: str, halved: Bools) -> Bools:
    """Tell in which splits each value has enough speakers in both halves, shape (splits, values)."""
    labels, half = counts.labels(column), halved[:, counts.speaker]
    first, second = (
        distinct_speakers(np.where(side, labels.codes, -1), counts.speaker, len(labels.values))
        for side in (half, ~half)
    )
    ranked: Bools = np.minimum(first, second) >= FEWEST_RANKED
    return ranked


def _gap(
    counts: SpeakerCounts, own: Bools, rest: Bools, spread: Spread | None, splits: int
) -> tuple[float | None, str | None]:
    """Return the smallest gap of some rows against others, or None and the reason."""
    if spread is None:
        return None, NO_SPREAD
    if not (counts.ref_words[own].any() and counts.ref_words[rest].any()):
        return None, "no reference words"
    variances = spread.variance(counts, own, rest)
    gap = smallest_gap(*variances, (_effective(counts, own), _effective(counts, rest)), splits)
    return gap, None if gap is not None else FEW_TALKERS


def _effective(counts: SpeakerCounts, rows: Bools) -> float:
    """Return the effective number of speakers of some rows."""
    words = np.bincount(counts.speaker[rows], counts.ref_words[rows])
    return float(words.sum() ** 2 / (words * words).sum())
