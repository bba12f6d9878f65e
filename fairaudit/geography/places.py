"""Places: the coordinate grid, and names for boxes of coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from math import asin, ceil, degrees, floor, radians, sin
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairaudit.counts import Floats, Ints
from fairaudit.geography.outlines import countries, states

#: A state or country is named if it makes at least this share of a region's land, or the region this share of
#: it.
OF_REGION, OF_STATE = 0.02, 0.10
#: From this share on it counts as wholly covered: its empty rim often lies beyond the last speaker.
WHOLE = 0.98
#: Most of them that a label names.
MOST_NAMED = 3
#: In a log that reaches beyond the US, a region is named after states if they make this share of it.
MOSTLY_LAND = 0.5
#: Degrees to which the ends of land are rounded, outward.
ROUNDED = 0.05
#: Digits after the point; edges lie on a grid of 0.001 degrees or coarser, so different ones stay so.
DECIMALS = 3


class _Box(NamedTuple):
    south: float
    north: float
    west: float
    east: float


class _Land(NamedTuple):
    """States or countries on the cylindrical equal-area plane, where a box of degrees is a box as well."""

    nouns: tuple[str, str]  # what one is called, and several
    names: tuple[str, ...]
    outlines: NDArray[np.object_]
    bounds: Floats  # one row of west, south, east, north for each
    areas: Floats


WORLD = _Box(-90, 90, -180, 180)
#: The 50 states, DC, Puerto Rico and the Virgin Islands, and up to a degree around them.
US = _Box(17, 72, -180, -64)


def cells(degrees: ArrayLike, grid: float) -> Floats:
    """Return the number of each coordinate's grid cell: floor(round(degrees / grid, 9)).

    Cell `c` holds the coordinates from `c * grid` up to, not including, `(c + 1) * grid`. Rounding
    first keeps a coordinate that lies on an edge in the cell that begins there, whatever the last
    bits of its quotient: 0.15 / 0.05 is just under 3.

    Parameters
    ----------
    degrees : array-like of float
        Latitudes or longitudes in degrees.
    grid : float
        Edge of a cell in degrees.

    Returns
    -------
    array of float
        Whole numbers in the shape of `degrees`, NaN where a coordinate is NaN.

    Examples
    --------
    >>> cells([34.05, 34.0999, 0.15, -118.25, -0.01, float("nan")], 0.05).tolist()
    [681.0, 681.0, 3.0, -2365.0, -1.0, nan]
    """
    quotients = np.asarray(degrees, dtype=np.float64) / grid
    return np.asarray(np.floor(np.round(quotients, 9)))


def region_label(
    south: float | None,
    north: float | None,
    west: float | None,
    east: float | None,
    *,
    extent: tuple[float, float, float, float],
) -> str:
    """Describe a box of coordinates by the US states or the countries in it and by its bounding degrees.

    A state is left out if it makes under 2 % of the box's US land and the box under 10 % of the
    state. In a US log the degrees are those of the named land: a box that is open to the west ends at
    the coast, not in Hawaii. In a log that reaches beyond the US, the degrees are those of the box,
    and one of which US land makes under half is named after countries, by the same rule. A box without
    land has no names.

    Parameters
    ----------
    south, north, west, east : float or None
        Edges in degrees; None is open.
    extent : tuple of 4 floats
        Lowest and highest latitude, then lowest and highest longitude of the log, to which the box
        is clipped.

    Returns
    -------
    str
        Different for boxes of one log that do not overlap.

    Examples
    --------
    >>> region_label(33.75, 34.3, -118.6, None, extent=(25, 49, -124, -117.85))
    'part of California (33.75 to 34.3° N, 118.6 to 117.85° W)'
    >>> region_label(45.25, 45.55, None, -122.35, extent=(18.9, 49, -160.3, -67))
    'part of Oregon (45.25 to 45.55° N, 124 to 122.35° W)'
    >>> region_label(48.1, None, 5.9, 15, extent=(36, 55, -9, 30))
    'parts of Germany, Czechia, France and 4 more countries (48.1 to 55° N, 5.9 to 15° E)'
    """
    low, high, left, right = extent
    box = _Box(
        *_clipped(south, north, low, high, WORLD.south, WORLD.north),
        *_clipped(west, east, left, right, WORLD.west, WORLD.east),
    )
    if (south, north, west, east) == (None,) * 4:
        return f"everywhere in the log ({_degrees(box)})"
    us_log = _within(_Box(*extent), US)
    in_us = us_log and _within(box, US)
    land = _states()
    covered, bounds = _covered(box, land)
    if not in_us and covered.sum() < MOSTLY_LAND * _size(box):
        if us_log:
            # Nobody of the log lives there.
            return _degrees(box)
        land = _countries()
        covered, bounds = _covered(box, land)
    order = _named(covered, land)
    if not len(order):
        return _degrees(box)
    if in_us:
        box = _around(bounds[order], box)
    return f"{_listed(order, covered, land)} ({_degrees(box)})"


def _clipped(
    lower: float | None, upper: float | None, low: float, high: float, lowest: float, highest: float
) -> tuple[float, float]:
    """Clip a range to the data, or, where it lies beyond them, to the globe."""
    least = lowest if lower is None else max(lower, lowest)
    most = highest if upper is None else min(upper, highest)
    within = max(least, low), min(most, high)
    return within if within[0] < within[1] else (least, most)


def _span(lower: float, upper: float, signs: str) -> str:
    """Write a range with the letters of the negative and the positive side."""
    lower, upper = round(lower, DECIMALS), round(upper, DECIMALS)
    if lower < 0 < upper:
        return f"{-lower:g}° {signs[0]} to {upper:g}° {signs[1]}"
    return f"{abs(lower):g} to {abs(upper):g}° {signs[0] if lower < 0 else signs[1]}"


def _degrees(box: _Box) -> str:
    return f"{_span(box.south, box.north, 'SN')}, {_span(box.west, box.east, 'WE')}"


def _around(bounds: Floats, box: _Box) -> _Box:
    """Return the degrees of bounds, rounded outward, but not beyond the box: two regions stay apart."""
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)

    def outward(edge: float, to: Callable[[float], int]) -> float:
        return to(round(edge / ROUNDED, 6)) * ROUNDED

    return _Box(
        max(box.south, outward(degrees(asin(south)), floor)),
        min(box.north, outward(degrees(asin(north)), ceil)),
        max(box.west, outward(degrees(west), floor)),
        min(box.east, outward(degrees(east), ceil)),
    )


def _listed(order: Ints, covered: Floats, land: _Land) -> str:
    """Join the names of states or countries, the whole ones before the parts, the surplus as a number."""
    is_whole = covered >= WHOLE * land.areas
    shown, more = order[:MOST_NAMED], len(order) - MOST_NAMED
    whole = [land.names[i] for i in shown if is_whole[i]]
    parts = [land.names[i] for i in shown if not is_whole[i]]
    surplus = [f"{more} more {land.nouns[more > 1]}"] if more > 0 else []
    if not is_whole[order].any():
        parts, surplus = parts + surplus, []
    of_parts = [f"part{'s' if len(parts) > 1 else ''} of {_joined(parts)}"] if parts else []
    if surplus and parts:
        # The comma ends the list of parts.
        return f"{', '.join(whole + of_parts)}, and {surplus[0]}"
    return _joined(whole + of_parts + surplus)


def _joined(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _named(covered: Floats, land: _Land) -> Ints:
    """Return the numbers of the states or countries that a label names, by covered land, largest first."""
    named = (covered > 0) & ((covered >= OF_REGION * covered.sum()) | (covered >= OF_STATE * land.areas))
    # Equal areas stay in the order of names.
    order = np.argsort(-covered, kind="stable")
    kept: Ints = order[named[order]]
    return kept


def _covered(box: _Box, land: _Land) -> tuple[Floats, Floats]:
    """Return how much of each state or country lies in a box, and the bounds of that, on the plane."""
    import shapely

    west, south, east, north = _on_plane(box)
    lower, upper = land.bounds[:, :2], land.bounds[:, 2:]
    inside = ((lower >= (west, south)) & (upper <= (east, north))).all(axis=1)
    touching = ((upper > (west, south)) & (lower < (east, north))).all(axis=1) & ~inside
    clipped = shapely.clip_by_rect(land.outlines[touching], west, south, east, north)
    covered, bounds = np.where(inside, land.areas, 0.0), land.bounds.copy()
    covered[touching], bounds[touching] = shapely.area(clipped), shapely.bounds(clipped)
    return covered, bounds


@cache
def _states() -> _Land:
    return _land(("state", "states"), states())


@cache
def _countries() -> _Land:
    return _land(("country", "countries"), countries())


def _land(nouns: tuple[str, str], outlines: Mapping[str, Any]) -> _Land:
    import shapely

    def on_plane(degrees: Floats) -> Floats:
        return np.column_stack([np.radians(degrees[:, 0]), np.sin(np.radians(degrees[:, 1]))])

    placed = shapely.transform(np.array(list(outlines.values())), on_plane)
    return _Land(nouns, tuple(outlines), placed, shapely.bounds(placed), shapely.area(placed))


def _size(box: _Box) -> float:
    """Return the area of a box on the equal-area plane."""
    west, south, east, north = _on_plane(box)
    return (east - west) * (north - south)


def _on_plane(box: _Box) -> tuple[float, float, float, float]:
    """Return a box's west, south, east and north on the equal-area plane."""
    return radians(box.west), sin(radians(box.south)), radians(box.east), sin(radians(box.north))


def _within(box: _Box, other: _Box) -> bool:
    return (
        other.south <= box.south
        and box.north <= other.north
        and other.west <= box.west
        and box.east <= other.east
    )
