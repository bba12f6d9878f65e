"""Where cohorts of voices lie to one another: their centroids in the plane that keeps most of the spread."""

from __future__ import annotations

import numpy as np

from fairaudit.counts import UNIT
from fairaudit.evidence import Layout, Place
from fairaudit.partition import Centroids, Partition

#: Digits after the point of a coordinate, whose unit is that of the unit vectors.
DIGITS = 4


def layout_of(partition: Partition) -> Layout | None:
    """Return the centroids of a partition by voice in their two principal components.

    It is worked out from the stored centroids alone, each counted once, so it tells of no cohort more than
    the rule does.

    Parameters
    ----------
    partition : Partition

    Returns
    -------
    Layout or None
        None for a partition of another kind. The sign of a component is such that its largest loading is
        positive.

    References
    ----------
    Pearson, K. (1901). On lines and planes of closest fit to systems of points in space.
    Philosophical Magazine 2, 559-572.

    Examples
    --------
    >>> from fairaudit.partition import Name
    >>> names = tuple(Name(c, c) for c in "abc")
    >>> found = layout_of(Centroids(((-UNIT, 0), (0, 0), (UNIT, 0)), names))
    >>> [(place.cohort, place.x, place.y) for place in found.places], found.explained
    ([('a', -1.0, 0.0), ('b', 0.0, 0.0), ('c', 1.0, 0.0)], (1.0, 0.0))
    """
    if not isinstance(partition, Centroids) or not partition.centroids:
        return None
    points = np.array(partition.centroids, dtype=np.float64) / UNIT
    points -= points.mean(axis=0)
    _, spread, loadings = np.linalg.svd(points, full_matrices=False)
    plane = np.zeros((len(points), 2))
    for number, loading in enumerate(loadings[:2]):
        plane[:, number] = points @ loading * np.sign(loading[np.abs(loading).argmax()])
    # A component of nothing but rounding errors is none; adding nought takes the sign off a nought.
    plane = np.round(plane, DIGITS) + 0.0
    squares = np.r_[spread**2, 0.0, 0.0]
    first, second = np.round(squares[:2] / max(squares.sum(), np.finfo(float).tiny), DIGITS).tolist()
    places = (
        Place(cohort=name.cohort, x=x, y=y)
        for name, (x, y) in zip(partition.names, plane.tolist(), strict=True)
    )
    return Layout(places=tuple(places), explained=(first, second))
