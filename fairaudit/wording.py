"""Numbers and names in words, as every table, sentence and figure writes them."""

from __future__ import annotations

import re
from math import floor, log10

from fairaudit.changes import CohortChange
from fairaudit.result import Cohort

#: Stands where there is no number; the reason is near it.
DASH = "\u2013"
#: Invisible characters that Persian and the scripts of India need.
JOINERS = "\u200c\u200d"
#: A space at which no line ends.
NO_BREAK = "\u00a0"
#: An interval that goes further than this fraction has no upper end that says anything.
UNBOUNDED = 10.0
#: How a cohort of ZIP codes is labelled, so that it is not taken for the people themselves.
PLACE = "people living in ZIP codes "
#: How a cluster of voices is labelled, which says no more than its name does.
VOICE = "speakers who sound alike, cluster "


def clean(text: str) -> str:
    r"""Return text of the user's on one line, without characters that command a terminal or turn it round.

    Examples
    --------
    >>> clean("red\x1b[31m\n(north)")
    'red\ufffd[31m (north)'
    """
    return "".join(c if c.isprintable() or c in JOINERS else "\ufffd" for c in " ".join(text.split()))


def glued(text: str) -> str:
    """Keep a number and what it counts on one line."""
    return re.sub(r"(\d) (%|points)|1 in 20", lambda found: found[0].replace(" ", NO_BREAK), text)


def capitalised(text: str) -> str:
    """Return a text with its first letter large and the others as they are."""
    return text[:1].upper() + text[1:]


def setting(value: object) -> str:
    """Return the value of an option or a parameter."""
    if value is None or value in ({}, []):
        return "not set"
    return clean(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def percent(fraction: float | None) -> str:
    """Return a fraction in per cent, without the sign: one digit after the point, more where it is tiny.

    Examples
    --------
    >>> percent(0.417), percent(-0.03), percent(0.0004), percent(12.5), percent(-0.0), percent(None)
    ('41.7', '-3.0', '0.04', '1,250', '0.0', '–')
    """
    if fraction is None:
        return DASH
    value = 100 * fraction
    if abs(value) >= 999.95:
        return f"{value:,.0f}"
    text = f"{value:.1f}" if abs(value) >= 0.095 else f"{value:.2f}"
    return "0.0" if float(text) == 0 else text


def share(fraction: float | None) -> str:
    """Return a share for a sentence: in whole per cent from one per cent on.

    Examples
    --------
    >>> share(0.1236), share(0.0081), share(0.0004)
    ('12 %', '0.8 %', '0.04 %')
    """
    if fraction is None:
        return DASH
    return f"{100 * fraction:.0f} %" if fraction >= 0.00995 else f"{percent(fraction)} %"


def p_text(p: float | None) -> str:
    """Return a p-value: three digits after the point, or two that count where it is smaller.

    A p-value of permutations is exact, (1 + r) / (1 + R), so it is never given as "less than".

    Examples
    --------
    >>> p_text(1 / 200), p_text(0.15), p_text(1.0), p_text(0.00149), p_text(1 / 10_000)
    ('0.005', '0.150', '1.000', '0.0015', '0.0001')
    """
    if p is None:
        return DASH
    digits = max(3, 1 - floor(log10(p))) if p > 0 else 3
    return re.sub(r"(\.\d{3}\d*?)0+$", r"\1", f"{p:.{digits}f}")


def tail_text(p: float | None) -> str:
    """Return a p-value of a distribution, which goes on where nobody can know it any more.

    Examples
    --------
    >>> tail_text(3e-13), tail_text(0.0214)
    ('below 0.0001', '0.021')
    """
    return "below 0.0001" if p is not None and p < 0.0001 else p_text(p)


def between(low: float | None, high: float | None) -> str:
    """Return an interval in per cent; an end beyond every figure that makes sense is not spelt out.

    Examples
    --------
    >>> between(-0.05, 0.31), between(0.0, 3_216_549.2), between(None, None)
    ('-5.0 to 31.0', '0.0 to over 1,000', '–')
    """
    if low is None or high is None:
        return DASH
    upper = f"over {percent(UNBOUNDED)}" if low < UNBOUNDED < high else percent(high)
    return f"{percent(low)} to {upper}"


def count(n: int | None) -> str:
    """Return a count with its thousands set apart."""
    return DASH if n is None else f"{n:,}"


def counted(n: int | None, noun: str) -> str:
    """Return a count and what is counted.

    Examples
    --------
    >>> counted(1, "speaker"), counted(1_200, "speaker")
    ('1 speaker', '1,200 speakers')
    """
    return f"{count(n)} {noun if n == 1 else noun + 's'}"


def cohort_name(cohort: Cohort | CohortChange) -> str:
    """Return what a cohort is called in tables: its label, and its name in files where that is not in it.

    Examples
    --------
    >>> from functools import partial
    >>> made = partial(Cohort, id="0", rank=1, suppressed=False, share=None)
    >>> cohort_name(made(cohort="US", label="accent is US"))
    'accent is US'
    >>> cohort_name(made(cohort="voice-03", label="speakers who sound alike, cluster 3"))
    'voice-03: speakers who sound alike, cluster 3'
    >>> cohort_name(made(cohort="age=70, sex=f", label="age is 70 and sex is f, except where town is Cork"))
    'age is 70 and sex is f, except where town is Cork'
    """
    name, label = clean(cohort.cohort), clean(cohort.label)
    if label.startswith(PLACE):
        # Its name is the column of a table of ZIP codes, which tells a reader nothing more.
        return label
    same = label.startswith(name.replace("=", " is ").replace(", ", " and "))
    return label if same or label.endswith(name) else f"{name}: {label}"
