"""What the texts of a cohort were like: missing, empty or looped, and its rates under other normalisers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from fairaudit.checks import OTHER
from fairaudit.config import AuditOptions
from fairaudit.counts import Bools, SpeakerCounts
from fairaudit.evidence import NormalizerGap
from fairaudit.partition import UNASSIGNED, Name, from_plain
from fairaudit.placing import place
from fairaudit.planning import Target
from fairaudit.provenance import TextTally, UnderNormalizer
from fairaudit.result import PartitionResult, Side
from fairaudit.split import halves
from fairaudit.target import tabled_rows


def with_texts(
    result: PartitionResult, target: Target, counts: SpeakerCounts, options: AuditOptions, normalizer: str
) -> PartitionResult:
    """Add to the result of a partition what the texts of its cohorts were like.

    Parameters
    ----------
    result : PartitionResult
        Not suppressed yet.
    target : Target
    counts : SpeakerCounts
        Of all rows that were scored and of those without a hypothesis, by the settings that the target
        reads; `kinds` are the tallies.
    options : AuditOptions
    normalizer : str
        The one of the audit.
    """
    if result.rule is None:
        return result
    counts, reasons = place(target.source, target.name, counts, options.zip_table)
    placed: Bools = reasons == ""
    halved = halves(counts.speakers, options.seed, 1)
    tabled = tabled_rows(target, counts, placed, halved, result.exploratory)
    names = tuple(Name(cohort=c.cohort, label=c.label) for c in result.cohorts)
    cohort = np.full(counts.rows, UNASSIGNED)
    cohort[placed] = from_plain(result.rule, names).assign(counts.select(placed))

    def texts_of(rows: Bools) -> dict[str, Any]:
        return {
            "text": text_tally(counts, rows),
            "by_normalizer": under_normalizers(counts, rows, normalizer),
        }

    def rates_of(side: Side) -> tuple[UnderNormalizer, ...]:
        members = [number for number, name in enumerate(names) if name.cohort in side.cohorts]
        return under_normalizers(counts, tabled & np.isin(cohort, members), normalizer)

    described = [
        msgspec.structs.replace(row, **texts_of(tabled & (cohort == number)))
        for number, row in enumerate(result.cohorts)
    ]
    left = result.unassigned
    if left is not None:
        left = msgspec.structs.replace(left, **texts_of(tabled & (cohort == UNASSIGNED)))
    gaps: tuple[NormalizerGap, ...] = ()
    if result.bottom is not None and result.top is not None:
        gaps = _gaps(rates_of(result.bottom), rates_of(result.top))
    return msgspec.structs.replace(result, cohorts=tuple(described), unassigned=left, gap_by_normalizer=gaps)


def _gaps(bottom: Iterable[UnderNormalizer], top: Iterable[UnderNormalizer]) -> tuple[NormalizerGap, ...]:
    return tuple(
        NormalizerGap(
            normalizer=low.normalizer,
            bottom_wer=low.wer,
            top_wer=high.wer,
            relative=low.wer / high.wer - 1 if low.wer is not None and high.wer else None,
        )
        for low, high in zip(bottom, top, strict=True)
    )


def text_tally(counts: SpeakerCounts, rows: Bools) -> TextTally:
    """Count the utterances of some rows whose text is missing, empty or looped.

    Parameters
    ----------
    counts : SpeakerCounts
        With the flags of `fairaudit.log.FLAGS` among its `kinds`.
    rows : ndarray of bool, shape (n_rows,)
    """

    def total(flag: str) -> int:
        return int(counts.kinds[flag][rows].sum()) if flag in counts.kinds else 0

    return TextTally(
        utterances=int(counts.utterances[rows].sum()),
        missing=total("missing_hypothesis"),
        empty_reference=total("empty_reference"),
        empty_hypothesis=total("empty_hypothesis"),
        looped=total("looped"),
    )


def under_normalizers(counts: SpeakerCounts, rows: Bools, own: str) -> tuple[UnderNormalizer, ...]:
    """Return the rate of some rows under every normaliser that was asked for, that of the audit first.

    Parameters
    ----------
    counts : SpeakerCounts
    rows : ndarray of bool, shape (n_rows,)
    own : str
        The normaliser of the audit.
    """
    words, errors = OTHER
    others = [name.removeprefix(words) for name in counts.kinds if name.startswith(words)]
    if not others:
        return ()
    columns = {own: (counts.ref_words, counts.errors)}
    columns |= {name: (counts.kinds[words + name], counts.kinds[errors + name]) for name in others}
    rates = []
    for name, (of_words, of_errors) in columns.items():
        total, wrong = int(of_words[rows].sum()), int(of_errors[rows].sum())
        wer = wrong / total if total else None
        rates.append(UnderNormalizer(normalizer=name, ref_words=total, errors=wrong, wer=wer))
    return tuple(rates)
