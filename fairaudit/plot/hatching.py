"""Hatches, as lines that end where an area ends.

A hatch of matplotlib's own is a pattern in SVG, and each area that is filled with one takes a hundred
kilobytes of a page that is printed to PDF; a few lines take next to nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: Directions of the lines, anticlockwise from the east in degrees: of no hatch, one way, and both ways.
Hatch = tuple[int, ...]
NONE: Hatch = ()
ONE_WAY: Hatch = (45,)
BOTH_WAYS: Hatch = (45, 135)
#: Points between the lines of each hatch, and their width.
APART, WIDTH = {ONE_WAY: 5.0, BOTH_WAYS: 4.0}, 0.7
#: Half the width and half the height of the box of a key, in points, and the points between its lines.
BOX, BOX_APART = (7.5, 3.0), 3.0


def lines(area: Any, hatch: Hatch, apart: float) -> Any:
    """Return the lines of a hatch over an area.

    Lines of equal distance lie on one grid, so that those of neighbours meet.

    Parameters
    ----------
    area : shapely geometry
    hatch : tuple of int
        Directions: 45, 135.
    apart : float
        Between two lines, in the units of the area.

    Returns
    -------
    shapely geometry
        Lines; empty where there is no hatch.

    Examples
    --------
    >>> import shapely
    >>> found = lines(shapely.box(0, 0, 10, 10), ONE_WAY, 5 * 2**0.5)
    >>> [line.length for line in found.geoms]
    [14.142135623730951]
    """
    import shapely

    west, south, east, north = area.bounds
    found = []
    for direction in hatch:
        # Of these lines y - up * x is a multiple of the step.
        up, step = (1 if direction == 45 else -1), apart * 2**0.5
        ends = [y - up * x for x in (west, east) for y in (south, north)]
        starts = step * np.arange(np.ceil(min(ends) / step), np.floor(max(ends) / step) + 1)
        every = [[(west, up * west + start), (east, up * east + start)] for start in starts.tolist()]
        # Each direction by itself: lines that cross would be cut where they do.
        found += shapely.get_parts(shapely.intersection(shapely.MultiLineString(every), area)).tolist()
    return shapely.MultiLineString([p for p in found if p.geom_type == "LineString" and not p.is_empty])


def in_key(hatch: Hatch, colour: Any) -> Any:
    """Return the lines of a hatch as they lie over the box of a key: a handle without a label."""
    import shapely
    from matplotlib.lines import Line2D
    from matplotlib.path import Path

    wide, high = BOX
    drawn = shapely.get_parts(lines(shapely.box(-wide, -high, wide, high), hatch, BOX_APART))
    every = Path.make_compound_path(*(Path(np.asarray(line.coords)) for line in drawn))
    # A marker is scaled to its size, which is that of its furthest point.
    size = 2 * float(np.abs(every.vertices).max())
    return Line2D(
        [], [], linestyle="", marker=every, markersize=size, markerfacecolor="none", markeredgecolor=colour,
        markeredgewidth=WIDTH,
    )  # fmt: skip
