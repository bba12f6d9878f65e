"""Names and figures as they stand in a plot: on few lines, and short enough for them."""

from __future__ import annotations

from textwrap import wrap

from fairaudit import wording
from fairaudit.changes import CohortChange
from fairaudit.result import Cohort
from fairaudit.wording import PLACE, VOICE, clean, cohort_name

#: Characters of a line of a label, and lines of it.
LINE, LINES = 32, 2
#: A minus sign as wide as a plus; a hyphen is easily missed in a plot.
MINUS = "\u2212"


def shortened(text: str, line: int = LINE, lines: int = LINES) -> str:
    r"""Break a text into lines; what does not fit gives way to an ellipsis.

    Examples
    --------
    >>> shortened("people living in ZIP codes where most are Asian")
    'people living in ZIP codes where\nmost are Asian'
    >>> shortened("a rather long name", line=12, lines=1)
    'a rather lo…'
    """
    parts = wrap(clean(text), line, break_on_hyphens=False)
    if len(parts) <= lines:
        return "\n".join(parts)
    last = " ".join(parts[lines - 1 :])[: line - 1].rstrip(" ,")
    return "\n".join([*parts[: lines - 1], f"{last}…"])


def label_of(cohort: Cohort | CohortChange) -> str:
    """Return what stands beside the row of a cohort: its label, and its name where that is not in it."""
    label = clean(cohort.label)
    if label.startswith(VOICE):
        return shortened(clean(cohort.cohort))
    if label.startswith(PLACE):
        return shortened(label, lines=LINES + 1)
    return shortened(cohort_name(cohort))


def named(partition: str) -> str:
    """Return what a partition is called in the label of an axis.

    Examples
    --------
    >>> named("accent")
    'accent'
    """
    return shortened(partition, 28, 1)


def percent(fraction: float) -> str:
    """Return a fraction in per cent, without the sign.

    Examples
    --------
    >>> percent(0.417), percent(-0.03), percent(12.5)
    ('41.7', '−3.0', '1,250')
    """
    return wording.percent(fraction).replace("-", MINUS)


def with_interval(value: float, low: float | None, high: float | None) -> str:
    """Return a figure with its interval, in per cent.

    Examples
    --------
    >>> with_interval(0.12, 0.1, 0.14), with_interval(0.12, None, None)
    ('12.0 (10.0 to 14.0)', '12.0')
    """
    return percent(value) + (f" ({percent(low)} to {percent(high)})" if None not in (low, high) else "")  # type: ignore[arg-type]
