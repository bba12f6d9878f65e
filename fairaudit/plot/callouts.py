"""Figures written on a map, each near its place and off the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import cos, hypot, radians, sin
from typing import TYPE_CHECKING, Any

from fairaudit.plot.style import INK, SIDES, TEXT, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Points of the text.
SIZE = TEXT - 1.0
#: Width of a character and height of a line, in sizes of the text.
CHARACTER, LINE = 0.58, 1.2
#: A text may lie on its own area where that holds so much of it.
WITHIN = 0.95
#: Points that a text goes further rather than hide what is written about.
HIDING = 250
#: And rather than lie on land at all.
ON_LAND = 45
#: And rather than have its line cross another text.
CROSSING = 120
#: Distances, in points, and directions, in degrees, at which a place is looked for.
DISTANCES, DIRECTIONS = (0, 22, 32, 44, 58, 74, 92, 112, 136), range(0, 360, 20)

_Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Callout:
    """A text about a point.

    Parameters
    ----------
    x, y : float
        On the map.
    text : str
    side : {"bottom", "top", "rest"}
    area : shapely geometry
        What the text is about; on the map.
    """

    x: float
    y: float
    text: str
    side: str
    area: Any


def write(ax: Axes, callouts: Sequence[Callout], bounds: _Box, land: Any) -> None:
    """Write texts beside their points, with a line to it where they had to move.

    Parameters
    ----------
    ax : Axes
    callouts : sequence of Callout
        Those that matter most first: they stay closest.
    bounds : tuple of 4 floats
        West, south, east and north of the map; the sizes of texts follow from its width.
    land : shapely geometry
        On the map; a text that must move rather goes to the sea.
    """
    import shapely

    unit = (bounds[2] - bounds[0]) / (72 * WIDTH)
    about = shapely.union_all([c.area for c in callouts])
    shapely.prepare(about)
    shapely.prepare(land)
    written: list[_Box] = []
    for callout in callouts:
        lines = callout.text.split("\n")
        wide = (max(map(len, lines)) * CHARACTER * SIZE + 6) * unit
        high = (len(lines) * LINE * SIZE + 5) * unit
        x, y = _free(callout, (wide, high), written, (about, land), bounds, unit)
        written.append(_around(x, y, wide, high))
        _one(ax, callout, x, y, led=abs(x - callout.x) > wide / 2 or abs(y - callout.y) > high / 2)


def _free(
    callout: Callout,
    size: tuple[float, float],
    others: Sequence[_Box],
    hides: tuple[Any, Any],
    bounds: _Box,
    unit: float,
) -> tuple[float, float]:
    """Return the nearest place at which a text covers nothing that is written about, or else the least."""
    import shapely

    wide, high = size
    best = (float("inf"), callout.x, callout.y)
    for distance, direction in product(DISTANCES, DIRECTIONS):
        x = callout.x + distance * unit * 1.5 * cos(radians(direction))
        y = callout.y + distance * unit * sin(radians(direction))
        box = _around(x, y, wide, high)
        moved = hypot(x - callout.x, y - callout.y) / unit
        inside = _overlap(box, bounds) > wide * high * 0.999
        cost = moved + 1000 * sum(_overlap(box, other) for other in others) / (wide * high)
        if moved:
            way = shapely.LineString([(callout.x, callout.y), (x, y)])
            cost += CROSSING * sum(way.intersects(shapely.box(*other)) for other in others)
        # What is dear already need not be looked at closely.
        if inside and cost < best[0]:
            own, about, land = (_part_on(box, area) for area in (callout.area, *hides))
            cost += 0.0 if own >= WITHIN else HIDING * about + ON_LAND * land
            best = min(best, (round(cost, 6), x, y))
    return best[1], best[2]


def _one(ax: Axes, callout: Callout, x: float, y: float, *, led: bool) -> None:
    """Write a text, with a line to its point where that does not lie under it."""
    colour, marker = SIDES[callout.side]
    if led:
        ax.plot(
            [callout.x, x], [callout.y, y], color=INK, linewidth=0.8, zorder=7, scalex=False, scaley=False
        )
        ax.plot(
            [callout.x], [callout.y], marker=marker, markersize=5, color=colour, markeredgecolor="white",
            zorder=9, scalex=False, scaley=False,
        )  # fmt: skip
    frame = {"boxstyle": "round,pad=0.22", "facecolor": "white", "edgecolor": colour, "linewidth": 0.9}
    ax.text(
        x, y, callout.text, ha="center", va="center", fontsize=SIZE, linespacing=1.1, color=INK, zorder=8,
        parse_math=False, bbox=frame | {"alpha": 0.94},
    )  # fmt: skip


def _part_on(box: _Box, area: Any) -> float:
    """Return the fraction of a box that lies on an area."""
    import shapely

    whole = shapely.box(*box)
    return float(shapely.area(shapely.intersection(whole, area)) / whole.area)


def _around(x: float, y: float, wide: float, high: float) -> _Box:
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _overlap(a: _Box, b: _Box) -> float:
    across, up = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return across * up if across > 0 and up > 0 else 0.0
