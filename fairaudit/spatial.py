"""Spatial evidence: whether speakers who live near each other are recognised alike.

Moran's I of the word error rate over location. It looks for any pattern in space and draws no borders,
so it stands beside a tree that does: a tree without a gap and a high I mean a pattern that boxes miss.

References
----------
Moran, P. A. P. (1950). Notes on continuous stochastic phenomena. Biometrika 37, 17-23.
Assuncao, R. M. and Reis, E. A. (1999). A new proposal to adjust Moran's I for population density.
Statistics in Medicine 18, 2147-2162.
Rey, S. J. and Anselin, L. (2007). PySAL: a Python library of spatial analytical methods. Review of
Regional Studies 37, 5-27: the packages libpysal and esda.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from fairaudit.chance import permuted_rows
from fairaudit.counts import Floats, Ints, SpeakerCounts

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: A cell inside a fully inhabited grid has eight others around it (the queen's moves).
NEIGHBOURS = 8
PERMUTATIONS = 999
#: Below this many cells each has nearly half of all as neighbours, and no pattern could be seen.
FEWEST_CELLS = 20
#: Distances that differ by less than this share are the same: what rounding leaves of a tie.
TIE = 1e-9
#: Permuted logs are looked at together up to about this many rows in all.
ROWS_AT_ONCE = 200_000
EXTRA = "esda and libpysal are not installed: pip install 'fairaudit-asr[spatial]'"


@dataclass(frozen=True)
class SpatialEvidence:
    """Moran's I of the speakers' WER, or the reason why there is none.

    Parameters
    ----------
    speakers, cells : int
        Speakers with a place and words, and the grid cells where they live.
    neighbours : int
        Nearest cells that a cell is compared with; all that are as near as the last of them count.
    permutations : int
    moran_i : float or None
        Near 1 where neighbours are alike, about `expected` where space means nothing.
    expected : float or None
        ``-1 / (cells - 1)``.
    p_value : float or None
        One-sided: how often permuted speakers give an I at least as high.
    reason : str or None
        Why there is no I.
    """

    speakers: int
    cells: int
    neighbours: int
    permutations: int
    moran_i: float | None = None
    expected: float | None = None
    p_value: float | None = None
    reason: str | None = None


def spatial_evidence(
    counts: SpeakerCounts,
    *,
    grid: float,
    seed: Sequence[int],
    neighbours: int = NEIGHBOURS,
    permutations: int = PERMUTATIONS,
) -> SpatialEvidence:
    """Measure how alike the word error rates of neighbouring places are.

    Speakers of a grid cell are added up. A cell's rate is standardised by its mean and variance under
    an empirical Bayes model, ``z = (rate - m) / sqrt(a + m / words)``, so that cells of few words do
    not count as extreme. ``I = sum z_i (mean of z over the neighbours of i) / sum z_i^2``, z centred.
    For p whole speakers change places, as everywhere in this package, and all of it is computed anew:
    to permute the cells instead would take a city of many speakers to vary as much as a village.

    Parameters
    ----------
    counts : SpeakerCounts
        With `latitude` and `longitude` as numbers of grid cells; rows without are not read.
    grid : float
        Edge of a grid cell in degrees.
    seed : sequence of int
    neighbours : int
    permutations : int

    Returns
    -------
    SpatialEvidence

    Examples
    --------
    >>> south, east = (axis.ravel() for axis in np.mgrid[700:708, -2000:-1992])
    >>> counts = SpeakerCounts.of(np.arange(64) + 100, ref_words=[200] * 64,
    ...     errors=np.where(south < 704, 40, 20) + np.arange(64) % 3,
    ...     attributes={"latitude": south.astype(float), "longitude": east.astype(float)})
    >>> found = spatial_evidence(counts, grid=0.05, seed=[1])
    >>> round(found.moran_i, 2), round(found.expected, 3), found.p_value
    (0.81, -0.016, 0.001)
    """
    latitude, longitude = counts.numbers("latitude"), counts.numbers("longitude")
    own = counts.select(~np.isnan(latitude) & ~np.isnan(longitude) & (counts.ref_words > 0))
    places = np.column_stack([own.numbers("latitude"), own.numbers("longitude")])
    distinct, cell = np.unique(places, axis=0, return_inverse=True)
    found: dict[str, Any] = {
        "speakers": len(own.speakers),
        "cells": len(distinct),
        "neighbours": neighbours,
        "permutations": permutations,
    }
    reason = _why_not(own, len(distinct), neighbours)
    if reason:
        return SpatialEvidence(**found, reason=reason)
    near = nearest_cells((distinct + 0.5) * grid, neighbours)
    errors, words = own.errors.astype(np.float64), own.ref_words.astype(np.float64)
    moran = _Moran(cell, near)
    i, expected = _by_esda(moran.by_cell(errors), moran.by_cell(words), near)
    if not np.isfinite(i):
        return SpatialEvidence(**found, reason="all cells have the same WER")
    rows = permuted_rows(own, np.random.default_rng(seed))
    reached, at_once = 0, max(1, ROWS_AT_ONCE // own.rows)
    for first in range(0, permutations, at_once):
        batch = np.stack([next(rows) for _ in range(min(at_once, permutations - first))])
        # Equal sums may differ in the last digit.
        reached += int((moran.of(errors[batch], words[batch]) >= i - 1e-9 * abs(i)).sum())
    p_value = (1 + reached) / (1 + permutations) if permutations else None
    return SpatialEvidence(**found, moran_i=i, expected=expected, p_value=p_value)


def nearest_cells(degrees: Floats, neighbours: int) -> csr_array:
    """Return which cells are neighbours, each row summing to one.

    Distance is that of the great circle. On a grid many cells are equally near, so all that are as
    near as the last wanted one are taken: which of them came first in the log cannot matter.

    Parameters
    ----------
    degrees : ndarray of float64, shape (cells, 2)
        Latitude and longitude of the centres, all different.
    neighbours : int
        Fewer than cells.

    Returns
    -------
    csr_array of float64, shape (cells, cells)

    Examples
    --------
    >>> nearest_cells(np.array([[40.0, 0.0], [40.0, 1.0], [40.0, 2.0]]), 1).toarray()
    array([[0. , 1. , 0. ],
           [0.5, 0. , 0.5],
           [0. , 1. , 0. ]])
    """
    from scipy.sparse import csr_array
    from scipy.spatial import KDTree

    latitude, longitude = np.radians(degrees).T
    # A chord is longer exactly where the arc over it is.
    points = np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
    tree = KDTree(points)
    distances, _ = tree.query(points, k=neighbours + 1)
    reach = np.asarray(distances)[:, -1] * (1 + TIE)
    found = tree.query_ball_point(points, reach, return_sorted=True)
    index = [[other for other in others if other != own] for own, others in enumerate(found)]
    size = np.array([len(others) for others in index])
    starts = np.concatenate([[0], np.cumsum(size)])
    shape = (len(points), len(points))
    return csr_array((np.repeat(1.0 / size, size), np.concatenate(index), starts), shape=shape)


class _Moran:
    """Moran's I of many logs whose speakers have changed places.

    Parameters
    ----------
    cell : ndarray of int64, shape (rows,)
    near : csr_array, shape (cells, cells)
        Each row sums to one.
    """

    def __init__(self, cell: Ints, near: csr_array) -> None:
        from scipy.sparse import csr_array

        self.near = near
        shape = (near.shape[0], len(cell))
        self.in_cell = csr_array((np.ones(len(cell)), (cell, np.arange(len(cell)))), shape=shape)

    def by_cell(self, values: Floats) -> Floats:
        """Add up the rows of each cell; the cells come first."""
        return np.asarray(self.in_cell @ values.T)

    def of(self, errors: Floats, words: Floats) -> Floats:
        """Return I of each log from its rows' counts, shape (replicates, rows); NaN if rates are equal."""
        z = standardised(self.by_cell(errors), self.by_cell(words))
        z -= z.mean(axis=0)
        with np.errstate(invalid="ignore"):
            return np.asarray((z * (self.near @ z)).sum(axis=0) / (z * z).sum(axis=0))


def standardised(errors: Floats, words: Floats) -> Floats:
    """Standardise rates by their empirical Bayes mean and variance (Assuncao and Reis 1999).

    Parameters
    ----------
    errors, words : ndarray of float64, shape (cells,) or (cells, replicates)
        Words above zero.

    Examples
    --------
    >>> standardised(np.array([30., 25., 25., 15.]), np.array([100., 100., 110., 90.])).round(2)
    array([ 1.34,  0.27, -0.23, -1.43])
    """
    rate = errors / words
    mean = errors.sum(axis=0) / words.sum(axis=0)
    between = (words * (rate - mean) ** 2).sum(axis=0) / words.sum(axis=0) - mean / words.mean(axis=0)
    variance = between + mean / words
    # Rates that differ less than Poisson counts would have no variance of their own.
    variance = np.where(variance < 0, mean / words, variance)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((rate - mean) / np.sqrt(variance))


def _why_not(counts: SpeakerCounts, cells: int, neighbours: int) -> str | None:
    if not counts.rows:
        return "no speaker has a place and words"
    if cells == 1:
        return "all speakers live in one grid cell"
    fewest = max(FEWEST_CELLS, neighbours + 2)
    if cells < fewest:
        return f"too few places: {cells} grid cells, where at least {fewest} are needed"
    if not counts.errors.any():
        return "no errors"
    if find_spec("esda") is None or find_spec("libpysal") is None:
        return EXTRA
    return None


def _by_esda(errors: Floats, words: Floats, near: csr_array) -> tuple[float, float]:
    """Return I and its expectation under no pattern, as PySAL computes them."""
    with warnings.catch_warnings():
        # In a notebook without widgets, esda's import of tqdm warns of them.
        warnings.filterwarnings("ignore", "IProgress not found")
        from esda.moran import Moran_Rate
    from libpysal.weights import W

    others = {own: near.indices[a:b].tolist() for own, (a, b) in enumerate(_ranges(near))}
    weights = W(others, silence_warnings=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        moran = Moran_Rate(errors, words, weights, permutations=0)
    return float(moran.I), float(moran.EI)


def _ranges(near: csr_array) -> Any:
    return zip(near.indptr[:-1], near.indptr[1:], strict=True)
