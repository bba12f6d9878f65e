"""The figures that results are made of: a rate, a gap between two, and a share; fractions throughout."""

from __future__ import annotations

import msgspec

from fairaudit.provenance import Plain


class Share(Plain, frozen=True, kw_only=True):
    """Fractions of the measured speakers, utterances and reference words.

    Attributes
    ----------
    speakers, utterances, ref_words
        Fraction of these; None where it would tell of too few speakers.
    """

    speakers: float | None
    utterances: float | None
    ref_words: float | None


class Rate(Plain, frozen=True, kw_only=True):
    """A word error rate with its interval, and the counts behind it.

    Fractions, not percentages. A figure that does not exist is None, and `reason` says why.

    Attributes
    ----------
    speakers, utterances
        How many the rate is of.
    ref_words
        Words of the references, which the rate is over.
    errors
        Substitutions, deletions and insertions together.
    substitutions, deletions, insertions
        Errors of this kind; None where the log has no kinds.
    wer
        Errors over reference words; can exceed 1.
    low, high
        Bounds of its interval: ``exp(log(wer) -/+ t(df) * log_se)``, unless they come from a bootstrap.
    confidence
        Level of the interval.
    log_se, df
        Standard error of log WER, and its degrees of freedom.
    n_effective
        How many speakers of equally many words the speakers are worth.
    wer_speaker_mean
        Mean of the speakers' own rates, each counted once.
    reason
        Why a figure is missing.
    """

    speakers: int | None = None
    utterances: int | None = None
    ref_words: int | None = None
    errors: int | None = None
    substitutions: int | None = None
    deletions: int | None = None
    insertions: int | None = None
    wer: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    log_se: float | None = None
    df: float | None = None
    n_effective: float | None = None
    wer_speaker_mean: float | None = None
    reason: str | None = None


class Gap(Plain, frozen=True, kw_only=True):
    """One set of speakers against another; signed, and it may be negative.

    Attributes
    ----------
    definition
        Who is compared with whom.
    relative
        (WER - reference WER) / reference WER.
    relative_low, relative_high
        Bounds of its interval.
    absolute
        WER - reference WER, as a fraction.
    absolute_low, absolute_high
        Bounds of its interval.
    ratio
        WER over reference WER.
    log_se, df
        Standard error of the log ratio, and its degrees of freedom.
    relative_to_bottom
        (WER - reference WER) / WER.
    reason
        Why a figure is missing.
    """

    definition: str
    relative: float | None = None
    relative_low: float | None = None
    relative_high: float | None = None
    absolute: float | None = None
    absolute_low: float | None = None
    absolute_high: float | None = None
    ratio: float | None = None
    log_se: float | None = None
    df: float | None = None
    relative_to_bottom: float | None = None
    reason: str | None = None


class AdjustedGap(Gap, frozen=True, kw_only=True):
    """The gap between bottom and top once the named columns are alike on both sides.

    Attributes
    ----------
    columns
        Columns that are made alike.
    crude
        The gap without them, on the very same rows and ways.
    dropped
        Columns that say nothing, each with the reason.
    ways
        In how many ways the model could be fitted.
    shared
        Share of the words of bottom and top in combinations of values which both have.
    left_out
        Share of the utterances of bottom and top that the model does without, by reason; None where they are
        of fewer speakers than may be told of.
    """

    columns: tuple[str, ...]
    crude: Gap | None
    dropped: dict[str, str] = msgspec.field(default_factory=dict)
    ways: int = 0
    shared: float | None = None
    left_out: dict[str, float | None] = msgspec.field(default_factory=dict)
