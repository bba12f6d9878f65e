"""The release trend: the rate of each cohort, release by release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairaudit.changes import CohortChange, ComparisonResult, PartitionChange, RateChange
from fairaudit.plot.choice import check, chosen
from fairaudit.plot.labels import label_of, named, shortened
from fairaudit.plot.reach import reach
from fairaudit.plot.style import COLOURS, DASHES, FAINT, INK, SHAPES, SOFT, axes_of, in_per_cent, styled
from fairaudit.rates import Rate
from fairaudit.trend import Trend
from fairaudit.wording import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 3.8
#: Most cohorts that are named; of more, so many of the worst and of the best of the last release.
MOST, WORST, BEST = 6, 4, 2
#: How far the intervals of neighbouring cohorts are moved apart, in releases.
APART = 0.035


@dataclass(frozen=True)
class _Line:
    """What is followed over the releases."""

    label: str
    rates: tuple[Rate, ...]

    @property
    def last(self) -> float:
        """The rate of the last release."""
        return self.rates[-1].wer or 0.0


def trend(trend: Trend | ComparisonResult, *, partition: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the rate of everybody and of each cohort over the releases, with intervals.

    Of more than six cohorts the four worst and the two best of the last release are named and have
    intervals; the others are thin lines. An interval that goes on beyond the axis ends in an arrowhead.

    Parameters
    ----------
    trend : Trend or ComparisonResult
        Of a comparison: its two releases.
    partition : str, optional
        Name of a partition; may be left out where there is one.
    ax : Axes, optional
        Where to draw; by default in a figure of its own, which `plt.show` does not know.

    Returns
    -------
    Axes
        Rates are fractions, the ticks are percentages. The intervals are those of each rate, and too wide to
        judge a change by: that is paired, see `forest` of a comparison.

    Raises
    ------
    OptionError
        If the result is of another kind, there is no such partition, or no cohort of it has a rate.

    Examples
    --------
    >>> import pandas as pd
    >>> from fairaudit.comparison import compare
    >>> from fairaudit.readers import read_log
    >>> ids = [f"{i:02}" for i in range(80)]
    >>> frame = pd.DataFrame({"utterance_id": ids, "speaker_id": ids, "ref_words": 100,
    ...                       "errors": [20 + i % 5 for i in range(80)],
    ...                       "device": ["far field" if i % 2 else "headset" for i in range(80)]})
    >>> logs = read_log(frame), read_log(frame.assign(errors=[16 + i % 5 for i in range(80)]))
    >>> ax = trend(compare(*logs, by=["device"]))
    >>> [text.get_text() for text in ax.get_xticklabels()]
    ['baseline', 'candidate']
    """
    check(trend, "trend")
    since_first = trend.since_first if isinstance(trend, Trend) else (trend,)
    fix = "gather more speakers, or lower min_speakers_shown where the corpus is public"
    found = chosen(since_first[0].partitions, partition, "trend", "rates of cohorts to draw", _shown, fix)
    of_each = [c.partition(found.name) for c in since_first]
    lines = [
        _Line(shortened(label_of(cohort), 24), _rates([p.cohorts[number] for p in of_each]))
        for number, cohort in enumerate(found.cohorts)
        if cohort.baseline.wer is not None
    ]
    lines.sort(key=lambda line: -line.last)
    everybody = _Line("everybody", _rates([c.overall for c in since_first]))
    named = [*lines[:WORST], *lines[-BEST:]] if len(lines) > MOST else lines
    moved = [(number - (len(named) - 1) / 2) * APART for number in range(len(named))]
    with styled():
        ax = axes_of(ax, HEIGHT)
        others = lines[WORST:-BEST] if named is not lines else []
        for line in others:
            ax.plot(*_points(line), color=SOFT, linewidth=0.6, zorder=1)
        for number, line in enumerate(named):
            _draw(ax, line, number, moved[number])
        if everybody.rates[0].wer is not None:
            places, rates = _points(everybody)
            ax.plot(places, rates, color=INK, linewidth=2.6, zorder=4, label="everybody")
        if others:
            ax.plot([], [], color=SOFT, linewidth=0.6, label=f"{len(others)} more, in between")
        values = [rate for line in (everybody, *lines) for rate in _points(line)[1]]
        ax.set_ylim(
            *reach(values, (end for line in named for rate in line.rates for end in (rate.low, rate.high)))
        )
        for number, line in enumerate(named):
            _mark_cut(ax, line, COLOURS[number % len(COLOURS)], moved[number])
        _finish(ax, trend, since_first[0], found.name)
    return ax


def _releases(trend: Trend | ComparisonResult) -> tuple[str, ...]:
    if isinstance(trend, Trend):
        return trend.releases
    return trend.baseline.model or "baseline", trend.candidate.model or "candidate"


def _shown(partition: PartitionChange) -> list[CohortChange]:
    return [c for c in partition.cohorts if c.baseline.wer is not None]


def _rates(changes: Sequence[RateChange]) -> tuple[Rate, ...]:
    return (changes[0].baseline, *(change.candidate for change in changes))


def _points(line: _Line) -> tuple[list[int], list[float]]:
    known = [(place, rate.wer) for place, rate in enumerate(line.rates) if rate.wer is not None]
    return [place for place, _ in known], [rate for _, rate in known]


def _draw(ax: Axes, line: _Line, number: int, moved: float) -> None:
    colour = COLOURS[number % len(COLOURS)]
    places, rates = _points(line)
    ax.plot(
        [place + moved for place in places], rates, color=colour, linestyle=DASHES[number % len(DASHES)],
        marker=SHAPES[number % len(SHAPES)], markersize=5.5, linewidth=1.5, markeredgecolor="white",
        markeredgewidth=0.5, zorder=3, label=line.label,
    )  # fmt: skip
    ends = [(place + moved, rate.low, rate.high) for place, rate in enumerate(line.rates)]
    known = [end for end in ends if end[1] is not None and end[2] is not None]
    if known:
        at, low, high = zip(*known, strict=True)
        ax.vlines(at, low, high, colors=colour, linewidth=1.0, zorder=2)


def _mark_cut(ax: Axes, line: _Line, colour: str, moved: float) -> None:
    """Put an arrowhead where an interval goes on beyond the axis."""
    low, high = ax.get_ylim()
    for place, rate in enumerate(line.rates):
        for end, edge, shape in ((rate.low, low, "v"), (rate.high, high, "^")):
            if end is not None and not low <= end <= high:
                ax.plot(place + moved, edge, shape, color=colour, markersize=5.0, clip_on=False, zorder=3)


def _finish(ax: Axes, trend: Trend | ComparisonResult, one: ComparisonResult, by: str) -> None:
    releases = _releases(trend)
    ax.set_xticks(range(len(releases)), [shortened(r, 20, 1) for r in releases])
    for tick in ax.get_xticklabels():
        tick.set_parse_math(False)
    ax.set_xlim(-0.3, len(releases) - 0.7)
    in_per_cent(ax.yaxis)
    ax.grid(axis="y", color=FAINT, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_ylabel(f"{clean(one.metric.name)} (%) by {named(by)}", parse_math=False)
    ax.set_xlabel("release")
    legend = ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), labelspacing=0.7)
    for text in legend.get_texts():
        text.set_parse_math(False)
