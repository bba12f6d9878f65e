"""Hexagons of one size on a fixed grid over the United States, and which of them may be shown.

The grid lies on Albers' equal-area plane of the contiguous states, so that its hexagons have the same area
everywhere: 100 km between opposite sides, 8,660 square kilometres. It depends on nothing in a log.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fairaudit.counts import Bools, Floats, Ints
from fairaudit.geography.projection import UNITED_STATES

#: Kilometres between opposite sides.
ACROSS = 100.0
#: Numbers of a hexagon in the grid, along a row and from row to row; 0, 0 is at 37.5° N, 96° W.
Hexagon = tuple[int, int]

#: From the middle of a hexagon to its corners, in kilometres.
_CORNERS = ACROSS / np.sqrt(3) * np.exp(1j * np.radians(90 + 60 * np.arange(6)))


def locate(latitude: ArrayLike, longitude: ArrayLike) -> tuple[Ints, Ints]:
    """Return in which hexagons points lie.

    Parameters
    ----------
    latitude, longitude : array-like of float
        In degrees.

    Returns
    -------
    column, row : ndarray of int64

    Examples
    --------
    >>> [numbers.tolist() for numbers in locate([37.5, 34.05], [-96.0, -118.24])]
    [[0, -19], [0, -2]]
    """
    x, y = UNITED_STATES.forward(latitude, longitude)
    row = y / (ACROSS * np.sqrt(3) / 2)
    column = x / ACROSS - row / 2
    # As the three coordinates of a cube, which add up to nothing: the one that is furthest off gives way.
    exact = np.stack([column, row, -column - row])
    cube = np.round(exact)
    off = np.abs(cube - exact)
    worst = off.argmax(axis=0)
    column_of = np.where(worst == 0, -cube[1] - cube[2], cube[0])
    row_of = np.where(worst == 1, -cube[0] - cube[2], cube[1])
    return column_of.astype(np.int64), row_of.astype(np.int64)


def middle(hexagon: Hexagon) -> tuple[float, float]:
    """Return the latitude and longitude of the middle of a hexagon."""
    column, row = hexagon
    latitude, longitude = UNITED_STATES.inverse(ACROSS * (column + row / 2), ACROSS * np.sqrt(3) / 2 * row)
    return float(latitude), float(longitude)


def corners(hexagon: Hexagon, size: float = 1.0) -> Floats:
    """Return the corners of a hexagon, counter-clockwise.

    Parameters
    ----------
    hexagon : tuple of 2 ints
    size : float
        Of the hexagon, as a fraction of the whole one around the same middle.

    Returns
    -------
    ndarray of float, shape (6, 2)
        Latitude and longitude in degrees.

    Examples
    --------
    >>> corners((0, 0)).round(2).tolist()[0]
    [38.01, -96.0]
    """
    column, row = hexagon
    at = ACROSS * (column + row / 2) + 1j * ACROSS * np.sqrt(3) / 2 * row + size * _CORNERS
    return np.column_stack(UNITED_STATES.inverse(at.real, at.imag))


def shown(speaker: Ints, latitude: Floats, longitude: Floats, fewest: int) -> tuple[Hexagon, ...]:
    """Choose the hexagons of one cohort that hold enough speakers, and leave out enough or none.

    Parameters
    ----------
    speaker : ndarray of int64, shape (n_rows,)
        Number of the speaker of each row of the cohort.
    latitude, longitude : ndarray of float64, shape (n_rows,)
        Of the ZIP code's middle, NaN where that is not known.
    fewest : int
        Speakers that a hexagon needs (`min_speakers_shown`).

    Returns
    -------
    tuple of tuple of 2 ints
        Sorted. Where fewer than `fewest` speakers, but not none, live in no shown hexagon, the one with
        the fewest speakers is left out as well.

    Examples
    --------
    >>> at = np.r_[np.full(12, -96.0), np.full(11, -80.0), np.full(3, -110.0)]
    >>> shown(np.arange(26), np.full(26, 37.5), at, 11), shown(np.arange(23), np.full(23, 37.5), at[:23], 11)
    (((0, 0),), ((0, 0), (13, 1)))
    """
    known: Bools = ~(np.isnan(latitude) | np.isnan(longitude))
    column, row = locate(latitude[known], longitude[known])
    places = np.unique(np.column_stack([column, row, speaker[known]]), axis=0)
    hexagons, of, counts = np.unique(places[:, :2], axis=0, return_inverse=True, return_counts=True)
    of = of.reshape(-1)
    kept: Bools = counts >= fewest
    left = set(speaker[~known].tolist()) | set(places[~kept[of], 2].tolist())
    if 0 < len(left) < fewest and kept.any():
        # Equal counts give way in the order of the grid.
        kept[np.flatnonzero(kept)[counts[kept].argmin()]] = False
    return tuple((int(c), int(r)) for c, r in hexagons[kept])
