"""Gap by share: what the gap would be if more, or fewer, cohorts were taken together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fairaudit.exceptions import OptionError
from fairaudit.plot.choice import check
from fairaudit.plot.labels import shortened
from fairaudit.plot.style import COLOURS, DASHES, FAINT, INK, SHAPES, SOFT, axes_of, in_per_cent, styled
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.wording import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

HEIGHT = 3.4
#: Space that a label needs, as a fraction of the axes' height, and most labels that stand beside lines.
APART, BESIDE = 0.065, 12
#: A line that ends at this share or a larger one is named in the margin.
NEAR = 0.85


def gap_by_share(result: AuditResult, *, ax: Axes | None = None) -> Axes:
    """Draw the gap of the worst cohorts against everyone else, at each cumulated share, for all partitions.

    Gaps at different shares do not compare: this shows them at each.

    Parameters
    ----------
    result : AuditResult
    ax : Axes, optional
        Where to draw; by default in a figure of its own, which `plt.show` does not know.

    Returns
    -------
    Axes
        A line for each partition that has a curve. Values are fractions, the ticks are percentages.

    Raises
    ------
    OptionError
        If the result is of another kind, or no partition has a curve.

    Examples
    --------
    >>> import pandas as pd
    >>> from fairaudit.auditing import audit
    >>> from fairaudit.readers import read_log
    >>> frame = pd.DataFrame({"speaker_id": [f"s{i}" for i in range(80)], "ref_words": 100,
    ...                       "errors": [20 + i % 5 if i % 2 else 10 + i % 3 for i in range(80)],
    ...                       "device": ["far field" if i % 2 else "headset" for i in range(80)]})
    >>> ax = gap_by_share(audit(read_log(frame), permutations=0))
    >>> ax.texts[0].get_text()
    'device'
    """
    check(result, "gap_by_share")
    drawn = [(p, points) for p in result.partitions if (points := _points(p))]
    if not drawn:
        raise OptionError(
            "no partition of this result has a gap by share",
            where="plot.gap_by_share(result)",
            allowed="a result with a partition of two ranked cohorts or more",
            fix="gather more speakers, or lower min_speakers_shown where the corpus is public",
        )
    with styled():
        ax = axes_of(ax, HEIGHT)
        ax.axhline(0.0, color=SOFT, linewidth=0.8)
        lines = []
        for number, (partition, points) in enumerate(drawn):
            shares, gaps = zip(*points, strict=True)
            lines += ax.plot(
                shares, gaps, color=COLOURS[number % len(COLOURS)], linestyle=DASHES[number % len(DASHES)],
                marker=SHAPES[number % len(SHAPES)], markersize=4.5, linewidth=1.6, markeredgecolor="white",
                markeredgewidth=0.5, label=shortened(partition.name, 20, 1),
            )  # fmt: skip
        ax.set_xlim(0.0, 1.0)
        in_per_cent(ax.xaxis)
        in_per_cent(ax.yaxis)
        ax.grid(color=FAINT, linewidth=0.6)
        ax.set_axisbelow(True)
        ax.set_xlabel("cumulated share of the speakers (%), the worst cohorts first")
        ax.set_ylabel(f"{clean(result.metric.name)} gap against the rest (%)", parse_math=False)
        _name(ax, lines)
    return ax


def _points(partition: PartitionResult) -> list[tuple[float, float]]:
    return [(p.share, p.relative) for p in partition.gap_by_share if p.relative is not None]


def _end(line: Line2D) -> tuple[float, float]:
    shares, gaps = (np.asarray(values, dtype=float) for values in line.get_data())
    return float(shares[-1]), float(gaps[-1])


def _name(ax: Axes, lines: Sequence[Line2D]) -> None:
    """Write the name of each line at its end, or in the margin where it ends near it; of many, in a key."""
    if len(lines) > BESIDE:
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return
    low, high = ax.get_ylim()
    place = -1.0
    for line in sorted(lines, key=lambda line: _end(line)[1]):
        share, gap = _end(line)
        inside = share < NEAR
        if not inside:
            place = max((gap - low) / (high - low), place + APART)
        lead = {
            "arrowstyle": "-",
            "color": line.get_color(),
            "linewidth": 0.7,
            "relpos": (0, 0.5),
            "shrinkA": 1,
            "shrinkB": 3,
        }
        name = ax.annotate(
            str(line.get_label()), (share, gap), (7, 0) if inside else (1.03, place),
            textcoords="offset points" if inside else "axes fraction", va="center", color=INK,
            parse_math=False, arrowprops=None if inside else lead, zorder=4,
        )  # fmt: skip
        if inside:
            name.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
