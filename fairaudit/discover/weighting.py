"""Weights of speakers in a search, so that it is not owned by heavy talkers."""

from __future__ import annotations

from typing import Literal

import numpy as np

from fairaudit.counts import Floats, Ints
from fairaudit.estimate import has_travellers

Weight = Literal["damped", "words"]

#: Weighted sums are whole multiples of 1 / SCALE, hence exact whatever the order of summation.
SCALE = 2**12


def search_weights(errors: Floats, words: Floats, speaker: Ints, weight: Weight) -> tuple[Ints, Ints]:
    """Weight rows for a search: errors enter as weight x errors / words.

    ``damped`` gives a speaker of w words the weight ``w / (1 + w p phi)``, with p the overall rate and
    phi the squared between-speaker coefficient of variation of the rate, by moments:
    ``phi = max(0, (sum (e - p w)^2 - sum e) / (p^2 sum w^2))``. That is proportional to the inverse
    of the variance of the speaker's rate under overdispersed Poisson errors: a talker with ten times
    the words counts for more, but not for ten times as much.

    Parameters
    ----------
    errors, words : ndarray of float64, shape (replicates, rows)
    speaker : ndarray of int64, shape (rows,)
        Ascending.
    weight : {"damped", "words"}

    Returns
    -------
    weighted_errors, weights : ndarray of int64, shape (replicates, rows)
        In multiples of 1 / 4096.

    Examples
    --------
    >>> e, w = search_weights(np.array([[1.0, 90.0]]), np.array([[10.0, 100.0]]), np.arange(2), "words")
    >>> (w / SCALE).tolist(), (e / SCALE).tolist()
    ([[10.0, 100.0]], [[1.0, 90.0]])
    """
    if weight == "words":
        return _whole(errors), _whole(words)
    e, w = errors, words
    if has_travellers(speaker):
        starts = np.flatnonzero(np.r_[True, speaker[1:] != speaker[:-1]])
        e, w = np.add.reduceat(errors, starts, axis=1), np.add.reduceat(words, starts, axis=1)
    total = w.sum(axis=1, keepdims=True)
    p = np.divide(e.sum(axis=1, keepdims=True), total, out=np.zeros_like(total), where=total > 0)
    spread = ((e - p * w) ** 2).sum(axis=1, keepdims=True) - e.sum(axis=1, keepdims=True)
    scale = p * p * (w * w).sum(axis=1, keepdims=True)
    phi = np.maximum(0.0, np.divide(spread, scale, out=np.zeros_like(scale), where=scale > 0))
    factor = 1 / (1 + w * p * phi)
    if has_travellers(speaker):
        factor = factor[:, np.cumsum(np.r_[False, speaker[1:] != speaker[:-1]])]
    return _whole(errors * factor), _whole(words * factor)


def _whole(values: Floats) -> Ints:
    # In rows one after the other, as the search will read them.
    return np.rint(values * SCALE).astype(np.int64, order="C")
