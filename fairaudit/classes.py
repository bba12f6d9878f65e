"""Classes of numbers: a numeric column as labels, in the order of the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from fairaudit.counts import Floats, Ints, Labels

#: Name of the column of these classes.
UTTERANCE_LENGTH = "utterance_length"
#: The classes of an utterance's reference words, and where each begins.
LENGTHS = {0: "0", 1: "1-2", 3: "3-5", 6: "6-10", 11: "11-20", 21: "21+"}
#: Digits of the edges of classes that are cut at quantiles.
DIGITS = 3


def binned(values: Floats, edges: Sequence[float] | None = None, *, classes: int = 4) -> Labels:
    """Turn numbers into classes with readable names, in ascending order.

    Parameters
    ----------
    values : ndarray of float64, shape (n_rows,)
        NaN is missing and stays so.
    edges : sequence of float, optional
        Where classes begin, but for the first. By default quantiles of the values, rounded to
        three significant digits so that they can be said.
    classes : int
        Number of classes where there are no edges; fewer where quantiles coincide.

    Returns
    -------
    Labels
        Values in the order of the numbers, not of the text; classes that no row has are not named.

    Examples
    --------
    >>> binned(np.array([18, 35, 64, 71, np.nan]), [30, 60])
    Labels(values=('under 30', '30 to under 60', '60 and over'), codes=array([ 0,  1,  2,  2, -1]))
    >>> binned(np.arange(100.0), classes=2).values
    ('under 49', '49 and over')
    """
    known = ~np.isnan(values)
    if edges is None:
        wanted = np.arange(1, classes) / classes
        cut = np.quantile(values[known], wanted, method="inverted_cdf") if known.any() else ()
        edges = [float(f"{edge:.{DIGITS}g}") for edge in cut]
    at = np.unique(np.asarray(edges, dtype=np.float64))
    codes = np.searchsorted(at, values, side="right")
    return Labels(names_between(at), np.where(known, codes, -1).astype(np.int64)).compact()


def names_between(edges: Sequence[float] | Floats) -> tuple[str, ...]:
    """Name the classes that ascending edges cut.

    Examples
    --------
    >>> names_between([30, 60])
    ('under 30', '30 to under 60', '60 and over')
    """
    said = [f"{edge:.12g}" for edge in edges]
    between = (f"{low} to under {high}" for low, high in pairwise(said))
    return (f"under {said[0]}", *between, f"{said[-1]} and over") if said else ("any",)


def utterance_length(ref_words: Ints) -> Labels:
    """Return the class of each utterance's length, shortest first; see `LENGTHS`.

    Parameters
    ----------
    ref_words : ndarray of int64, shape (n_utterances,)

    Examples
    --------
    >>> utterance_length(np.array([2, 3, 40, 20]))
    Labels(values=('1-2', '3-5', '11-20', '21+'), codes=array([0, 1, 3, 2]))
    """
    codes = np.searchsorted(list(LENGTHS), ref_words, side="right") - 1
    return Labels(tuple(LENGTHS.values()), codes.astype(np.int64)).compact()
