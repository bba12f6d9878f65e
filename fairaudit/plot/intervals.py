"""The forest plot: each cohort's rate, or its change, with the interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairaudit.changes import CohortChange, ComparisonResult, PartitionChange, SideChange
from fairaudit.plot.choice import check, chosen
from fairaudit.plot.labels import named, with_interval
from fairaudit.plot.reach import reach
from fairaudit.plot.rows import AROUND, C, Rows, beside, rows_of, set_rows, worst_first
from fairaudit.plot.style import FAINT, SIDES, SOFT, axes_of, in_per_cent, key, styled
from fairaudit.result import AuditResult, Cohort, PartitionResult, Side
from fairaudit.wording import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: What helps where nothing can be drawn.
FIX = "gather more speakers, or lower min_speakers_shown where the corpus is public"


@dataclass(frozen=True)
class _Mark:
    """A figure with its interval, and the side that it is on."""

    value: float
    low: float | None
    high: float | None
    side: str


def forest(
    result: AuditResult | ComparisonResult, *, partition: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the cohorts of a partition, the worst on top, each with its interval.

    Of an audit: their rates, and a line at that of all measured speakers. Of a comparison: the relative
    change of their rates with its paired interval, and a line at no change. Bottom, top and rest differ in
    shape and colour. Of more than 30 cohorts the 20 worst and the 10 best are drawn.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
    partition : str, optional
        Name of a partition; may be left out where there is one.
    ax : Axes, optional
        Where to draw; by default in a figure of its own, which `plt.show` does not know.

    Returns
    -------
    Axes
        Values are fractions, the ticks are percentages. ``ax.figure.savefig("forest.pdf")`` saves it.

    Raises
    ------
    OptionError
        If the result is of another kind, there is no such partition, or no cohort of it has a figure.

    References
    ----------
    Lewis, S. and Clarke, M. (2001). Forest plots: trying to see the wood and the trees. BMJ 322, 1479-1480.

    Examples
    --------
    >>> import pandas as pd
    >>> from fairaudit.auditing import audit
    >>> from fairaudit.readers import read_log
    >>> frame = pd.DataFrame({"speaker_id": [f"s{i}" for i in range(80)], "ref_words": 100,
    ...                       "errors": [20 + i % 5 if i % 2 else 10 + i % 3 for i in range(80)],
    ...                       "device": ["far field" if i % 2 else "headset" for i in range(80)]})
    >>> ax = forest(audit(read_log(frame), permutations=0))
    >>> ax.get_xlabel()
    'WER (%) by device, with 95 % intervals'
    """
    check(result, "forest")
    if isinstance(result, ComparisonResult):
        return _of_comparison(result, partition, ax)
    return _of_audit(result, partition, ax)


def _of_audit(result: AuditResult, partition: str | None, ax: Axes | None) -> Axes:
    found = chosen(result.partitions, partition, "forest", "rates of cohorts to draw", _rates, FIX)
    rows = rows_of(_rates(found), [c for c in found.cohorts if c.wer is None])
    sides = _sides(found.bottom, found.top)
    marks = [_Mark(c.wer or 0.0, c.low, c.high, sides.get(c.cohort, "rest")) for c in rows.drawn]
    overall = found.overall.wer
    line = None if overall is None else (overall, "all measured speakers")
    said = f"{clean(result.metric.name)} (%) by {named(found.name)}, with {_level(result)} intervals"
    return _drawn(ax, rows, marks, said, line)


def _of_comparison(result: ComparisonResult, partition: str | None, ax: Axes | None) -> Axes:
    found = chosen(result.partitions, partition, "forest", "changes of cohorts to draw", _changes, FIX)
    rows = rows_of(_changes(found), [c for c in found.cohorts if c.change.relative is None])
    sides = _sides(found.bottom, found.top)
    changes = [(c.change, sides.get(c.cohort, "rest")) for c in rows.drawn]
    marks = [_Mark(c.relative or 0.0, c.relative_low, c.relative_high, side) for c, side in changes]
    name, by = clean(result.metric.name), named(found.name)
    said = f"change of {name} (%) by {by}, with {_level(result)} intervals; left is better"
    return _drawn(ax, rows, marks, said, (0.0, "no change"))


def _rates(partition: PartitionResult) -> list[Cohort]:
    return worst_first(c for c in partition.cohorts if c.wer is not None)


def _changes(partition: PartitionChange) -> list[CohortChange]:
    shown = [c for c in partition.cohorts if c.change.relative is not None]
    return sorted(shown, key=lambda c: -(c.change.relative or 0.0))


def _sides(bottom: Side | SideChange | None, top: Side | SideChange | None) -> dict[str, str]:
    return {c: name for name, side in (("bottom", bottom), ("top", top)) if side for c in side.cohorts}


def _level(result: AuditResult | ComparisonResult) -> str:
    return f"{100 * float(result.options.get('confidence', 0.95)):g} %"


def _drawn(
    ax: Axes | None, rows: Rows[C], marks: Sequence[_Mark], said: str, line: tuple[float, str] | None
) -> Axes:
    with styled():
        ax = axes_of(ax, AROUND + rows.height)
        set_rows(ax, rows)
        alone = {mark.side for mark in marks} == {"rest"}
        for side, (colour, shape) in SIDES.items():
            own = [(y, m) for y, m in zip(rows.places, marks, strict=True) if m.side == side]
            if own:
                _draw_side(ax, own, "cohort" if alone else side, colour, shape)
        if line is not None:
            ax.axvline(line[0], color=SOFT, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1, label=line[1])
        values = [m.value for m in marks] + ([line[0]] if line else [])
        ax.set_xlim(*reach(values, (end for m in marks for end in (m.low, m.high))))
        _mark_cut(ax, rows, marks)
        for place, mark in zip(rows.places, marks, strict=True):
            beside(ax, place, with_interval(mark.value, mark.low, mark.high), left=False)
        ax.spines["left"].set_visible(False)
        ax.grid(axis="x", color=FAINT, linewidth=0.6)
        ax.set_axisbelow(True)
        in_per_cent(ax.xaxis)
        ax.set_xlabel(said, parse_math=False)
        key(ax)
    return ax


def _draw_side(ax: Axes, own: Sequence[tuple[float, _Mark]], label: str, colour: str, shape: str) -> None:
    known = [(y, m.low, m.high) for y, m in own if m.low is not None and m.high is not None]
    if known:
        places, low, high = zip(*known, strict=True)
        ax.hlines(places, low, high, colors=colour, linewidth=1.6, zorder=2)
    places, values = zip(*((y, m.value) for y, m in own), strict=True)
    ax.plot(
        values, places, shape, color=colour, markersize=6.0 if shape == "D" else 6.5, zorder=3, label=label,
        markeredgecolor="white", markeredgewidth=0.6,
    )  # fmt: skip


def _mark_cut(ax: Axes, rows: Rows[C], marks: Sequence[_Mark]) -> None:
    """Put an arrowhead where an interval goes on beyond the axis."""
    left, right = ax.get_xlim()
    for place, mark in zip(rows.places, marks, strict=True):
        colour = SIDES[mark.side][0]
        for end, edge, shape in ((mark.low, left, "<"), (mark.high, right, ">")):
            if end is not None and not left <= end <= right:
                ax.plot(edge, place, shape, color=colour, markersize=5.0, clip_on=False, zorder=3)
