"""The two speaker-disjoint halves of a log, from a hash of the speaker."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Bools
from fairaudit.exceptions import OptionError

#: One bit of the digest for each split.
MOST_SPLITS = 256


def halves(speakers: NDArray[np.object_], seed: int, splits: int) -> Bools:
    """Put each speaker in one half, for each of several splits.

    Split k reads bit k of sha256("seed:speaker"): a speaker's half depends on nothing but the
    speaker's id and the seed, so it is the same on every machine and engine, and in next month's log.

    Parameters
    ----------
    speakers : ndarray of object (str), shape (n_speakers,)
    seed : int
    splits : int
        1 to 256.

    Returns
    -------
    ndarray of bool, shape (splits, n_speakers)
        True for half 1.

    Raises
    ------
    OptionError
        If `splits` is out of range.

    Examples
    --------
    >>> halves(np.array(["ann", "bob", "cy"], dtype=object), seed=7, splits=2).astype(int)
    array([[1, 0, 1],
           [1, 0, 0]])
    """
    if not 1 <= splits <= MOST_SPLITS:
        raise OptionError(f"splits is {splits}", where="--splits", allowed=f"1 to {MOST_SPLITS}")
    digests = b"".join(hashlib.sha256(f"{seed}:{speaker}".encode()).digest() for speaker in speakers)
    octets = np.frombuffer(digests, dtype=np.uint8).reshape(len(speakers), 32)
    return np.unpackbits(octets, axis=1, bitorder="little")[:, :splits].T.astype(bool)


def default_splits(speakers: int) -> int:
    """Return how many splits are taken: 11 below 10,000 speakers, 1 from there.

    One split is luck in a small log; from 10,000 speakers on it is not.
    """
    return 11 if speakers < 10_000 else 1
