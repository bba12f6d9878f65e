"""How cohorts are filled on a map: the colour of the rate, and hatches for what is not shown or not told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairaudit.plot.ground import Ground, path_of
from fairaudit.plot.hatching import APART, BOTH_WAYS, NONE, ONE_WAY, WIDTH, Hatch, in_key, lines
from fairaudit.plot.labels import percent
from fairaudit.plot.style import SOFT, in_per_cent
from fairaudit.result import Cohort

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Classes of the colours, from light to dark; of cividis, which the colour-blind read alike.
CLASSES = 7
#: Hatches of what is not shown, and of what is not told from everybody else.
HIDDEN, OPEN = BOTH_WAYS, ONE_WAY
NO_FIGURE = "#eef0f2"


@dataclass(frozen=True)
class Look:
    """How a cohort is filled.

    Parameters
    ----------
    face : colour
    hatch : tuple of int
        Directions of its lines.
    line : colour
        Of them.
    """

    face: Any
    hatch: Hatch
    line: Any


@dataclass(frozen=True)
class Fills:
    """The colours of a map.

    Parameters
    ----------
    colours : matplotlib ScalarMappable or None
        Of the rates; None where none is shown.
    """

    colours: Any

    @classmethod
    def of(cls, cohorts: Sequence[Cohort]) -> Fills:
        """Choose round classes for the rates of cohorts."""
        from matplotlib import colormaps
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import BoundaryNorm
        from matplotlib.ticker import MaxNLocator

        rates = [c.wer for c in cohorts if c.wer is not None]
        if not rates:
            return cls(None)
        low, high = min(rates), max(rates)
        edges = MaxNLocator(CLASSES, steps=[1, 2, 2.5, 5, 10]).tick_values(low, max(high, low + 1e-4))
        return cls(ScalarMappable(BoundaryNorm(edges, 256), colormaps["cividis_r"]))

    def look(self, cohort: Cohort) -> Look:
        """Return the face of a cohort, its hatch and the colour of that."""
        if cohort.wer is None:
            return Look(NO_FIGURE, HIDDEN, SOFT)
        face = self.colours.to_rgba(cohort.wer)
        dark = face[0] * 0.3 + face[1] * 0.59 + face[2] * 0.11 < 0.45
        line = (1, 1, 1, 0.5) if dark else (0.11, 0.13, 0.15, 0.4)
        return Look(face, OPEN if is_open(cohort) else NONE, line)

    def bar(self, ax: Axes, text: str) -> None:
        """Put the bar of the colours below a map."""
        figure = ax.get_figure()
        if self.colours is None or figure is None:
            return
        bar = figure.colorbar(self.colours, ax=ax, location="bottom", shrink=0.6, aspect=32, pad=0.01)
        bar.set_label(text, parse_math=False)
        bar.outline.set_visible(False)
        in_per_cent(bar.ax.xaxis)


def is_open(cohort: Cohort) -> bool:
    """Tell whether a rate is shown, but not told from that of everybody else."""
    return cohort.wer is not None and cohort.status not in ("flagged", "cleared")


def hatches(cohorts: Sequence[Cohort]) -> list[tuple[Any, str]]:
    """Return what the key says of the hatches that the cohorts have."""
    entries = []
    if any(is_open(c) for c in cohorts):
        entries.append((box(Look("white", OPEN, SOFT)), "hatched: not told from everybody else"))
    if any(c.wer is None for c in cohorts):
        entries.append((box(Look(NO_FIGURE, HIDDEN, SOFT)), "not shown: too few speakers"))
    return entries


def box(look: Look, edge: Any = SOFT, width: float = 0.6) -> tuple[Any, ...]:
    """Return the box of a look in the key, hatched where that is."""
    from matplotlib.patches import Patch

    face = Patch(facecolor=look.face, edgecolor=edge, linewidth=width)
    return (face, in_key(look.hatch, look.line)) if look.hatch else (face,)


def legend(ax: Axes, entries: Sequence[tuple[Any, str]], columns: int) -> None:
    """Put the key above the map, where it covers nothing; an entry is what is drawn and what is said."""
    if entries:
        ax.legend(
            *zip(*entries, strict=True),
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=columns,
            borderaxespad=0.2,
            columnspacing=1.2,
            handlelength=1.8,
            handletextpad=0.5,
        )


def fill(ax: Axes, base: Ground, areas: Sequence[Any], look: Look, zorder: float) -> None:
    """Fill areas on the plane, and hatch them where their look says so."""
    import shapely

    patch(ax, areas, {"facecolor": look.face, "linewidth": 0, "zorder": zorder})
    if look.hatch and areas:
        over = lines(shapely.union_all(areas), look.hatch, APART[look.hatch] * base.point)
        drawn = {"facecolor": "none", "edgecolor": look.line, "linewidth": WIDTH, "zorder": zorder}
        patch(ax, [over], drawn)


def patch(ax: Axes, areas: Sequence[Any], look: Mapping[str, Any]) -> None:
    """Draw areas or lines on the plane as one patch; `look` are properties of a matplotlib patch."""
    from matplotlib.patches import PathPatch

    areas = [area for area in areas if not area.is_empty]
    if areas:
        # Not `add_patch`, which would look for the limits of every curve; a map has its own.
        ax.add_artist(PathPatch(path_of(areas), **look))


def figures(cohort: Cohort) -> str:
    """Return the rate of a cohort and its interval, as they stand on a map."""
    text = f"{percent(cohort.wer or 0.0)} %"
    if cohort.low is None or cohort.high is None:
        return text
    return f"{text} ({percent(cohort.low)}\N{EN DASH}{percent(cohort.high)})"
