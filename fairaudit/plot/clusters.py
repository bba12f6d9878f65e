"""Voice clusters: where their centroids lie to one another, how large they are and how they are served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fairaudit.plot.choice import check, chosen
from fairaudit.plot.labels import percent, shortened
from fairaudit.plot.style import INK, SIDES, SOFT, axes_of, in_per_cent, key, styled
from fairaudit.result import AuditResult, Cohort, PartitionResult
from fairaudit.wording import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 4.6
#: Area of a circle in square points for each per cent of the speakers, and the least that can be seen.
AREA, LEAST = 40.0, 18.0
#: Shares that the key may show; it shows the largest that there is, and about half of it.
SIZES = (0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
#: Area of a cohort whose share is not shown.
HOLLOW = 60.0
#: Its outline.
DASHED = (0, (2, 1.2))
#: Steps of the colours, from light to dark; of cividis, which the colour-blind read alike.
STEPS = 8
#: Where the name of a cohort may stand, in points from its circle: the first of those where it covers least.
OFFSETS = tuple(
    (x, y * distance)
    for distance in (1, 2, 3, 4)
    for x, y in ((0, 22), (0, -22), (70, 14), (-70, 14), (70, -14), (-70, -14))
)


def voices(result: AuditResult, *, partition: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw voice clusters: their centroids in two principal components.

    The area of a circle is the cluster's share of the speakers, its colour the rate, darker where it is
    higher. The bottom has a ring and its name. Clusters that are too small to be shown are hollow and
    dashed, and all of one size.

    Parameters
    ----------
    result : AuditResult
    partition : str, optional
        Name of a partition; may be left out where there is one by voice.
    ax : Axes, optional
        Where to draw; by default in a figure of its own, which `plt.show` does not know.

    Returns
    -------
    Axes
        Coordinates are those of the unit vectors, up to a turn.

    Raises
    ------
    OptionError
        If the result is of another kind, there is no such partition, or it has no voice clusters.

    Examples
    --------
    >>> import pandas as pd
    >>> from fairaudit.auditing import audit
    >>> from fairaudit.readers import read_log
    >>> frame = pd.DataFrame({"speaker_id": [f"s{i}" for i in range(80)], "ref_words": 100,
    ...                       "errors": [20 + i % 5 if i % 2 else 10 + i % 3 for i in range(80)],
    ...                       "embedding": [[1.0, i % 7] if i % 2 else [-1.0, i % 5] for i in range(80)]})
    >>> finders = {"voice": {"min_speakers": 11}}
    >>> ax = voices(audit(read_log(frame), permutations=0, parameters=finders))
    >>> ax.get_ylabel()
    'second (0 % of the spread)'
    """
    check(result, "voices")
    fix = "audit a log with speaker embeddings by voice (--by voice --embeddings FILE)"
    found = chosen(result.partitions, partition, "voices", "voice clusters", _has_rates, fix)
    assert found.layout is not None
    at = {place.cohort: (place.x, place.y) for place in found.layout.places}
    shown = sorted((c for c in found.cohorts if c.wer is not None), key=lambda c: -_share(c))
    hidden = [c for c in found.cohorts if c.wer is None]
    with styled():
        ax = axes_of(ax, HEIGHT)
        if hidden:
            x, y = zip(*(at[c.cohort] for c in hidden), strict=True)
            ax.scatter(
                x, y, HOLLOW, facecolor="none", edgecolor=SOFT, linestyle=DASHED, linewidth=1.0,
                label="not shown",
            )  # fmt: skip
        _circles(ax, shown, at, clean(result.metric.name))
        bottom = [c for c in shown if found.bottom and c.cohort in found.bottom.cohorts]
        for cohort in bottom:
            ax.scatter(
                *at[cohort.cohort], _ring(cohort), facecolor="none", edgecolor=SIDES["bottom"][0],
                linewidth=2.0, zorder=4,
            )  # fmt: skip
        ax.margins(0.12)
        ax.set_aspect("equal", adjustable="datalim")
        first, second = (f"{100 * part:.0f} % of the spread" for part in found.layout.explained)
        ax.set_xlabel(f"first principal component of the centroids ({first})")
        ax.set_ylabel(f"second ({second})")
        _key(ax, shown, bool(bottom))
        _name(ax, bottom, shown, at)
    return ax


def _has_rates(partition: PartitionResult) -> bool:
    return partition.layout is not None and any(c.wer is not None for c in partition.cohorts)


def _share(cohort: Cohort) -> float:
    return (cohort.share.speakers or 0.0) if cohort.share else 0.0


def _area(share: float) -> float:
    return max(LEAST, 100 * AREA * share)


def _circles(ax: Axes, shown: Sequence[Cohort], at: dict[str, tuple[float, float]], name: str) -> None:
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm
    from matplotlib.ticker import MaxNLocator

    rates = [c.wer or 0.0 for c in shown]
    low, high = min(rates), max(rates)
    edges = MaxNLocator(STEPS, min_n_ticks=5, steps=[1, 2, 2.5, 5, 10]).tick_values(
        low, max(high, low + 1e-4)
    )
    x, y = zip(*(at[c.cohort] for c in shown), strict=True)
    circles = ax.scatter(
        x, y, [_area(_share(c)) for c in shown], rates, cmap=colormaps["cividis_r"],
        norm=BoundaryNorm(edges, 256), edgecolor=INK, linewidth=0.8, alpha=None, zorder=3,
    )  # fmt: skip
    figure = ax.get_figure()
    assert figure is not None
    bar = figure.colorbar(circles, ax=ax, shrink=0.75, aspect=22, pad=0.02)
    bar.set_label(f"{name} (%)", parse_math=False)
    bar.outline.set_visible(False)
    in_per_cent(bar.ax.yaxis)


def _ring(cohort: Cohort) -> float:
    """Return the area of the ring around a cohort's circle."""
    return float((_area(_share(cohort)) ** 0.5 + 7.0) ** 2)


def _name(
    ax: Axes, bottom: Sequence[Cohort], shown: Sequence[Cohort], at: dict[str, tuple[float, float]]
) -> None:
    """Write the names and rates of the bottom where they cover the fewest circles."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    point = 72.0 / figure.dpi
    taken = [tuple(point * v for v in ax.transData.transform(at[c.cohort])) for c in shown]
    left, low, right, high = (float(point * end) for end in ax.bbox.extents)
    box = (left, low, right, high)
    for cohort in bottom:
        text = f"{shortened(cohort.cohort, 18, 1)}: {percent(cohort.wer or 0.0)} %"
        x, y = (point * v for v in ax.transData.transform(at[cohort.cohort]))
        half = 2.7 * len(text)
        dx, dy = min(OFFSETS, key=lambda offset: _covered(x + offset[0], y + offset[1], half, taken, box))
        taken += [(x + dx + part * half, y + dy) for part in (-0.8, -0.4, 0.0, 0.4, 0.8)]
        name = ax.annotate(
            text, at[cohort.cohort], (dx, dy), textcoords="offset points", ha="center", va="center", zorder=5,
            parse_math=False, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.8},
            arrowprops={
                "arrowstyle": "-", "color": INK, "linewidth": 0.7, "shrinkB": _ring(cohort) ** 0.5 / 2,
            },
        )  # fmt: skip
        name.set_in_layout(False)


def _covered(
    x: float,
    y: float,
    half: float,
    taken: Sequence[tuple[float, ...]],
    box: tuple[float, float, float, float],
) -> int:
    """Count what a name would lie on: circles, names that are there already, and the edge of the axes."""
    left, bottom, right, top = box
    outside = not (left < x - half and x + half < right and bottom + 8 < y < top - 8)
    return 100 * outside + sum(abs(a - x) < half + 8 and abs(b - y) < 14 for a, b in taken)


def _key(ax: Axes, shown: Sequence[Cohort], ring: bool) -> None:
    """Say above the axes what the sizes and the rings are."""
    from matplotlib.lines import Line2D

    largest = max(_share(c) for c in shown)
    most = max((size for size in SIZES if size <= largest), default=largest)
    nice = [*[size for size in SIZES if size <= most / 2][-1:], most]
    plain: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": INK, "markeredgewidth": 0.8}
    entries = [(f"{100 * size:.2g} % of the speakers", _area(size) ** 0.5, plain) for size in nice]
    if ring:
        orange: dict[str, Any] = {
            "markerfacecolor": "none",
            "markeredgecolor": SIDES["bottom"][0],
            "markeredgewidth": 2.0,
        }
        entries.append(("bottom", 11.0, orange))
    for label, size, colours in entries:
        # An empty plot would set the limits of the axes anew.
        ax.add_line(Line2D([], [], marker="o", linestyle="", markersize=size, label=label, **colours))
    key(ax)
