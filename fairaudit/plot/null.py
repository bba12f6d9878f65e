"""Chance: the gaps that the same procedure gives on permuted logs, and where this audit's gap lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairaudit.plot.choice import check, chosen
from fairaudit.plot.labels import named, percent
from fairaudit.plot.style import INK, REST, axes_of, in_per_cent, styled
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.wording import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Bars of the histogram.
BARS = 25
HEIGHT = 2.7
#: Colour, dash and height of the line of the observed gap, and of the one that chance exceeds once in 20.
OBSERVED, ONCE_IN_20 = ("#b34700", "-", 1.0), ("#0072b2", (0, (4, 2)), 0.82)


def chance(result: AuditResult, *, partition: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the gaps that chance alone gave, with the gap of the audit among them.

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
        Gaps are fractions, the ticks are percentages. p is stated; it is that of the clearness of the gap
        (its log over its standard error), so it can differ a little from the share of larger gaps.

    Raises
    ------
    OptionError
        If the result is of another kind, there is no such partition, or it has no chance gaps.

    Examples
    --------
    >>> import pandas as pd
    >>> from fairaudit.auditing import audit
    >>> from fairaudit.readers import read_log
    >>> frame = pd.DataFrame({"speaker_id": [f"s{i}" for i in range(80)], "ref_words": 100,
    ...                       "errors": [20 + i % 5 if i % 2 else 10 + i % 3 for i in range(80)],
    ...                       "device": ["far field" if i % 2 else "headset" for i in range(80)]})
    >>> ax = chance(audit(read_log(frame), permutations=19))
    >>> [text.get_text() for text in ax.texts][-1]
    'p = 0.05 of 19 permutations'
    """
    check(result, "chance")
    fix = "audit with permutations, and with enough speakers to hold half of them out"
    found = chosen(result.partitions, partition, "chance", "chance gaps", _gaps, fix)
    assert found.chance is not None
    gaps, p95, observed = _gaps(found), found.chance.p95, found.gap.relative
    with styled():
        ax = axes_of(ax, HEIGHT)
        ax.hist(gaps, bins=min(BARS, max(5, len(gaps) // 4)), color=REST, edgecolor="white", linewidth=0.6)
        left, right = (of([*gaps, *(v for v in (p95, observed) if v is not None)]) for of in (min, max))
        ax.set_xlim(left - 0.04 * (right - left), right + 0.04 * (right - left))
        ax.set_ylim(top=1.6 * ax.get_ylim()[1])
        if p95 is not None:
            _line(ax, p95, f"chance exceeds {percent(p95)} %\nonce in 20", *ONCE_IN_20)
        if observed is not None:
            _line(ax, observed, f"this audit: {percent(observed)} %\n{_p(found)}", *OBSERVED)
        in_per_cent(ax.xaxis)
        ax.set_xlabel(f"{clean(result.metric.name)} gap (%) by {named(found.name)}", parse_math=False)
        ax.set_ylabel("permuted logs")
    return ax


def _line(ax: Axes, value: float, text: str, colour: str, dash: Any, height: float) -> None:
    """Draw an upright line, and say what it is on the side where there is more room."""
    ax.axvline(value, 0.0, height, color=colour, linestyle=dash, linewidth=1.8)
    to_left = value > sum(ax.get_xlim()) / 2
    for number, line in enumerate(text.split("\n")):
        ax.annotate(
            line, (value, height), (-5 if to_left else 5, -12 * number), xycoords=ax.get_xaxis_transform(),
            textcoords="offset points", ha="right" if to_left else "left", va="top", color=INK,
        )  # fmt: skip


def _p(partition: PartitionResult) -> str:
    assert partition.chance is not None
    p, replicates = partition.chance.p_value, partition.chance.replicates
    return f"p = {p:.3g} of {replicates:,} permutations" if p is not None else "no p"


def _gaps(partition: PartitionResult) -> list[float]:
    return [gap for gap in partition.chance.gaps if gap is not None] if partition.chance else []
