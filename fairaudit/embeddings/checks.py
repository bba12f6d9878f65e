"""What every source of speaker vectors must keep: an id each, one length, finite, a direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Floats
from fairaudit.exceptions import LogError


class Found(NamedTuple):
    """What a file holds: ids as they were found, a row of the matrix for each, and where each was."""

    ids: Sequence[Any] | NDArray[Any]
    vectors: Floats
    place: Callable[[int], str] = lambda position: f"row {position + 1}"


def check(vectors: Floats, ids: Sequence[Any] | NDArray[Any], where: str) -> None:
    """Refuse vectors that are not finite, or zero: neither has a direction.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, n_dimensions)
    ids : sequence of str, length n
    where : str
        Name of the file, for the message.

    Raises
    ------
    LogError
        Names the first id.

    Examples
    --------
    >>> check(np.array([[1.0, 2.0], [0.0, 0.0]]), ["ann", "bob"], "v.npz")
    Traceback (most recent call last):
    ...
    fairaudit.exceptions.LogError: the embedding of 'bob' is zero (1 such)
    ...
    """
    finite = np.isfinite(vectors).all(axis=1)
    # A vector whose length is lost to rounding has no direction either.
    with np.errstate(over="ignore", invalid="ignore"):
        nonzero = (vectors * vectors).sum(axis=1) != 0
    for good, what in ((finite, "is not finite"), (nonzero, "is zero")):
        if not good.all():
            bad = int(np.flatnonzero(~good)[0])
            raise LogError(
                f"the embedding of '{ids[bad]}' {what} ({int((~good).sum())} such)",
                where=where,
                allowed="finite numbers, not all zero",
                fix="leave the vector out: its speaker is then unassigned",
            )


def check_ids(found: Found, where: str) -> NDArray[np.object_]:
    """Read the ids as text, and refuse missing and doubled ones and files that hold none.

    Returns
    -------
    ndarray of object (str), shape (n,)

    Raises
    ------
    LogError
        Names the row, line or entry of the first.
    """
    texts = np.array([_text(value) for value in found.ids], dtype=object)
    if nameless := [row for row, text in enumerate(texts) if not text]:
        raise LogError(
            f"{len(nameless):,} embeddings have no id",
            where=f"{where}, {found.place(nameless[0])}",
            allowed="an id for each: that of a speaker or of an utterance",
            fix="name them, or leave them out",
        )
    if not len(texts):
        raise LogError(
            f"{where} holds no embeddings",
            where=where,
            allowed="one vector or more",
            fix="see whether the extraction has failed",
        )
    if found.vectors.ndim != 2 or len(found.vectors) != len(texts):
        raise LogError(
            f"{len(texts)} ids, and embeddings of shape {found.vectors.shape}",
            where=where,
            allowed="one vector of equal length for each id",
            fix="write as many ids as vectors",
        )
    names, position, times = np.unique(texts.astype(str), return_inverse=True, return_counts=True)
    if (times > 1).any():
        doubled = int(np.flatnonzero(times > 1)[0])
        first, second = np.flatnonzero(position == doubled)[:2]
        raise LogError(
            f"id '{names[doubled]}' has {times[doubled]} vectors",
            where=f"{where}, {found.place(int(first))} and {found.place(int(second))}",
            allowed="one for each id",
            fix="leave all but one out, or average them",
        )
    return texts


def stack(ids: Sequence[str], vectors: Sequence[NDArray[Any]], where: str) -> Floats:
    """Make a matrix of vectors that were read one by one.

    Parameters
    ----------
    ids : sequence of str, length n
    vectors : sequence of ndarray, shape (n_dimensions,) each
    where : str
        Name of the file, for the message.

    Returns
    -------
    ndarray of float64, shape (n, n_dimensions)

    Raises
    ------
    LogError
        If they differ in length; names the first that differs from the first of all.

    Examples
    --------
    >>> stack(["ann", "bob"], [np.ones(2), np.ones(3)], "v.ark")
    Traceback (most recent call last):
    ...
    fairaudit.exceptions.LogError: embeddings of several lengths: 'ann' has 2 numbers, 'bob' has 3
    ...
    """
    for name, vector in zip(ids, vectors, strict=True):
        if len(vector) != len(vectors[0]):
            raise LogError(
                f"embeddings of several lengths: '{ids[0]}' has {len(vectors[0])} numbers, "
                f"'{name}' has {len(vector)}",
                where=where,
                allowed="one length",
                fix="give the vectors of one model only",
            )
    return np.array(vectors, dtype=np.float64).reshape(len(vectors), -1 if len(vectors) else 0)


def numbers(array: NDArray[Any]) -> Floats:
    """Turn an array of numbers into float64; refuse texts, truth values, complex numbers and objects."""
    if array.dtype.kind not in "fiu":
        raise ValueError(f"embeddings of type {array.dtype}")
    return array.astype(np.float64)


def single(array: NDArray[Any]) -> NDArray[Any]:
    """Turn an array that holds one vector, of shape (d,) or (1, d), into shape (d,)."""
    if not array.ndim or not array.size or array.size != array.shape[-1]:
        raise ValueError(f"an array of shape {array.shape} is not one vector")
    return array.reshape(-1)


def _text(value: Any) -> str:
    """Read an id as text: of bytes and of 12.0 what is meant, and of a missing one nothing."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, float):
        return "" if value != value else f"{value:.0f}" if value.is_integer() else str(value)
    return "" if value is None else str(value)
