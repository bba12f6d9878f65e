"""Errors by kind: what the recogniser does to the words of each cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairaudit.plot.choice import check, chosen
from fairaudit.plot.labels import named
from fairaudit.plot.rows import AROUND, rows_of, set_rows, worst_first
from fairaudit.plot.style import FAINT, INK, axes_of, key, styled
from fairaudit.result import AuditResult, Cohort, PartitionResult
from fairaudit.wording import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Of each kind of error its colour: dark, light and none, so that they differ in grey as well.
KINDS = {"substitutions": "#003f66", "deletions": "#e58a2b", "insertions": "white"}
#: Thickness of a bar in inches.
THICK = 0.17


def errors(result: AuditResult, *, partition: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the errors of each cohort by kind, the worst cohort on top.

    Substitutions, deletions and insertions per 100 reference words stand one after the other, so that the
    whole bar is the rate. Of more than 30 cohorts the 20 worst and the 10 best are drawn.

    Parameters
    ----------
    result : AuditResult
    partition : str, optional
        Name of a partition; may be left out where there is one.
    ax : Axes, optional
        Where to draw; by default in a figure of its own, which `plt.show` does not know.

    Returns
    -------
    Axes

    Raises
    ------
    OptionError
        If the result is of another kind, there is no such partition, or the log had no kinds of error.

    Examples
    --------
    >>> import pandas as pd
    >>> from fairaudit.auditing import audit
    >>> from fairaudit.readers import read_log
    >>> frame = pd.DataFrame({"speaker_id": [f"s{i}" for i in range(80)], "ref_words": 100,
    ...                       "substitutions": [9 + i % 5 for i in range(80)], "deletions": 2,
    ...                       "insertions": 1,
    ...                       "device": ["far field" if i % 2 else "headset" for i in range(80)]})
    >>> ax = errors(audit(read_log(frame), permutations=0))
    >>> [bars.get_label() for bars in ax.containers]
    ['substitutions', 'deletions', 'insertions']
    """
    check(result, "errors")
    fix = "audit a log with the columns substitutions, deletions and insertions, or with text"
    found = chosen(result.partitions, partition, "errors", "errors by kind", _with_kinds, fix)
    rows = rows_of(_with_kinds(found), [c for c in found.cohorts if c.wer is None])
    with styled():
        ax = axes_of(ax, AROUND + rows.height)
        set_rows(ax, rows)
        start = [0.0] * len(rows.drawn)
        for kind, colour in KINDS.items():
            lengths = [per_100_words(c, kind) for c in rows.drawn]
            ax.barh(
                rows.places, lengths, THICK, start, label=kind, color=colour, edgecolor=INK, linewidth=0.7,
            )  # fmt: skip
            start = [a + b for a, b in zip(start, lengths, strict=True)]
        ax.set_xlim(0.0, 1.12 * max(start) or 1.0)
        for place, end in zip(rows.places, start, strict=True):
            ax.annotate(
                f"{end:.1f}", (end, place), (4, 0), textcoords="offset points", va="center", color=INK
            )
        ax.spines["left"].set_visible(False)
        ax.grid(axis="x", color=FAINT, linewidth=0.6)
        ax.set_axisbelow(True)
        of = clean(result.metric.denominator).replace("_", " ").replace("ref ", "reference ")
        ax.set_xlabel(f"errors per 100 {of}, by {named(found.name)}", parse_math=False)
        key(ax)
    return ax


def per_100_words(cohort: Cohort, kind: str) -> float:
    """Return the errors of a kind per 100 reference words."""
    return 100.0 * float(getattr(cohort, kind)) / float(cohort.ref_words or 1)


def _with_kinds(partition: PartitionResult) -> list[Cohort]:
    shown = (c for c in partition.cohorts if c.wer is not None)
    return worst_first(c for c in shown if c.ref_words and None not in (getattr(c, kind) for kind in KINDS))
