"""Figures with fewer digits: so few that the counts behind them, which are withheld, cannot be worked out.

A rate, a ratio or a share of all digits is a fraction of whole numbers, and leads to them.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from fairaudit.rates import Gap, Rate, Share

R = TypeVar("R", bound=Rate)

#: What a rate could be subtracted by.
_COUNTS = (
    "speakers",
    "utterances",
    "ref_words",
    "errors",
    "substitutions",
    "deletions",
    "insertions",
    "n_effective",
    "wer_speaker_mean",
)


def without_counts(rate: R, fewest: int) -> R:
    """Take the counts off a rate, and round it so that they cannot be worked out."""
    why = f"counts withheld: they would give away figures of fewer than {fewest} speakers"
    plain: dict[str, Any] = dict.fromkeys(_COUNTS) | {"reason": rate.reason or why}
    if rate.wer:
        wer = plain["wer"] = four_digits(rate.wer)
        plain |= _four_digits_of_spread(rate)
        ends = {end: v for end in ("low", "high") if (v := getattr(rate, end)) is not None}
        plain |= {end: wer * (v / rate.wer) ** _widened(rate) for end, v in ends.items()}
    elif rate.high is not None:
        plain["high"] = four_digits(rate.high)
    return msgspec.structs.replace(rate, **plain)


def of_speakers(share: Share | None, speakers: float | None, fewest: int) -> Share | None:
    """Keep the share of speakers, roughly; more of it, and those of others, lead to counts.

    Parameters
    ----------
    share : Share or None
    speakers : float or None
        Whose share it is.
    fewest : int
    """
    if share is None:
        return None
    known = None if share.speakers is None else coarse_share(share.speakers, speakers, fewest)
    return Share(speakers=known, utterances=None, ref_words=None)


def coarse_share(share: float, speakers: float | None, fewest: int) -> float | None:
    """Round a share of speakers so that neither it nor all of its kind tell of how many they are shares.

    The whole is taken for the nearest multiple of twice `fewest`. Beside the number of speakers themselves,
    and beside the shares of all others, that leaves the whole open by as many; then two digits.

    Parameters
    ----------
    share : float
    speakers : float or None
        Whose share it is; None leaves nothing.
    fewest : int

    Examples
    --------
    27 of 60 are told as of 66, as they would be of all wholes from 55 to 77.

    >>> coarse_share(27 / 60, 27, 11), coarse_share(142 / 961, 142, 11)
    (0.41, 0.15)
    """
    if not speakers or not share:
        return None
    step = 2 * fewest
    whole = step * max(1, round(speakers / share / step))
    return min(1.0, float(f"{speakers / whole:.2g}"))


def rounded(gap: Gap) -> Gap:
    """Round a gap and its standard errors to four digits, and move its bounds along."""
    plain: dict[str, float] = {}
    if gap.absolute is not None:
        plain["absolute"] = four_digits(gap.absolute)
        if gap.absolute_low is not None and gap.absolute_high is not None:
            reach = four_digits((gap.absolute_high - gap.absolute_low) / 2)
            ends = plain["absolute"] - reach, plain["absolute"] + reach
            plain["absolute_low"], plain["absolute_high"] = map(ten_digits, ends)
    if gap.ratio is not None:
        ratio = four_digits(gap.ratio)
        plain |= {"ratio": ratio, "relative": ten_digits(ratio - 1)}
        plain |= {"relative_to_bottom": ten_digits(1 - 1 / ratio), **_four_digits_of_spread(gap)}
        for end in ("relative_low", "relative_high"):
            if (value := getattr(gap, end)) is not None:
                plain[end] = ratio * ((1 + value) / gap.ratio) ** _widened(gap) - 1
    return msgspec.structs.replace(gap, **plain)


def _four_digits_of_spread(figure: Rate | Gap) -> dict[str, float]:
    """Round a standard error and its degrees of freedom, which are functions of the counts as well."""
    return {name: four_digits(v) for name in ("log_se", "df") if (v := getattr(figure, name)) is not None}


def _widened(figure: Rate | Gap) -> float:
    """Return how many times as wide an interval is with the rounded standard error."""
    return four_digits(figure.log_se) / figure.log_se if figure.log_se else 1.0


def ten_digits(value: float) -> float:
    """Take off what subtracting leaves in the last digits: 0.124, not 0.12400000000000011."""
    return float(f"{value:.10g}")


def four_digits(value: float) -> float:
    """Round to four digits that count."""
    return float(f"{value:.4g}")
