"""Speaker vectors from a file or a column: unit vectors, summed exactly by speaker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Floats, Ints, to_unit
from fairaudit.exceptions import LogError

FORMATS = (
    "Parquet (speaker_id or utterance_id, and a list column embedding), "
    ".npz with ids and embeddings, or .npy with NAME.ids.txt"
)
#: How a file fails that is not what its name says.
OPENING_FAILS = (ValueError, TypeError, AttributeError, OSError, KeyError, EOFError, BadZipFile)


def read_vectors(path: str | Path) -> tuple[NDArray[np.object_], Floats]:
    """Read ids and vectors from a file.

    Parameters
    ----------
    path : str or Path
        See `FORMATS`. Nothing in the file is executed: object arrays are refused.

    Returns
    -------
    ids : ndarray of object (str), shape (n,)
    vectors : ndarray of float64, shape (n, n_dimensions)

    Raises
    ------
    LogError
        If the file cannot be read, ids are missing or doubled, or a vector is not finite or zero.
    """
    path = Path(path)
    if not path.is_file():
        raise LogError(f"no such file: {path}", where="--embeddings")
    readers = {".parquet": _parquet, ".npz": _npz, ".npy": _npy}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise LogError(f"unknown format of embeddings: {path.name}", where="--embeddings", allowed=FORMATS)
    try:
        raw, vectors = reader(path)
        ids = [_text(value) for value in raw]
    except OPENING_FAILS as error:
        if "pickle" in str(error):
            # numpy would have the user unpickle it.
            why = f"it holds Python objects, or is no {path.suffix} file"
        else:
            told = isinstance(error, ValueError | OSError)
            why = str(error) if told else f"it is no {path.suffix} file"
        raise LogError(
            f"cannot read embeddings: {why}", where=path.name, allowed=FORMATS + "; plain numbers only"
        ) from None
    texts = np.array(ids, dtype=object)
    if nameless := [row for row, text in enumerate(texts, 1) if not text]:
        raise LogError(
            f"{len(nameless):,} embeddings have no id",
            where=f"{path.name}, row {nameless[0]}",
            fix="name them",
        )
    if not len(texts):
        raise LogError(f"{path.name} holds no embeddings", where=path.name, allowed=FORMATS)
    if vectors.ndim != 2 or len(vectors) != len(texts):
        raise LogError(
            f"{len(texts)} ids, and embeddings of shape {vectors.shape}",
            where=path.name,
            allowed="one vector of equal length for each id",
        )
    names, times = np.unique(texts.astype(str), return_counts=True)
    if len(doubled := names[times > 1]):
        raise LogError(
            f"id '{doubled[0]}' has {times.max()} vectors", where=path.name, allowed="one for each id"
        )
    check(vectors, texts, path.name)
    return texts, vectors


def check(vectors: Floats, ids: Sequence[Any] | NDArray[Any], where: str) -> None:
    """Refuse vectors that are not finite, or zero: neither has a direction.

    Raises
    ------
    LogError
        Names the first id.
    """
    finite = np.isfinite(vectors).all(axis=1)
    nonzero = vectors.any(axis=1)
    for good, what in ((finite, "is not finite"), (nonzero, "is zero")):
        if not good.all():
            bad = int(np.flatnonzero(~good)[0])
            raise LogError(
                f"the embedding of '{ids[bad]}' {what} ({int((~good).sum())} such)",
                where=where,
                allowed="finite numbers, not all zero",
                fix="leave the vector out: its speaker is then unassigned",
            )


def sum_by_speaker(vectors: Floats, speakers: NDArray[np.object_], sums: dict[str, Ints]) -> None:
    """Scale vectors to length one and add them to the sums of their speakers, exactly.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, n_dimensions)
    speakers : ndarray of object (str), shape (n,)
    sums : dict of str to ndarray of int64
        Changed in place.
    """
    names, position = np.unique(speakers.astype(str), return_inverse=True)
    order = np.argsort(position, kind="stable")
    starts = np.searchsorted(position[order], np.arange(len(names)))
    for name, total in zip(names, np.add.reduceat(to_unit(vectors)[order], starts), strict=True):
        key = str(name)
        sums[key] = sums[key] + total if key in sums else total


def by_speaker(
    ids: NDArray[np.object_], vectors: Floats, speakers: set[str], utterances: Mapping[str, str], where: str
) -> dict[str, Ints]:
    """Sum vectors by speaker, whether their ids are those of speakers or of utterances.

    Parameters
    ----------
    ids : ndarray of object (str), shape (n,)
        At least one.
    vectors : ndarray of float64, shape (n, n_dimensions)
    speakers : set of str
        Of the log.
    utterances : mapping of str to str
        Utterance to speaker.
    where : str
        Name of the file.

    Raises
    ------
    LogError
        If no id is in the log, or as many are speakers as are utterances.
    """
    of_speakers = np.array([i in speakers for i in ids], dtype=bool)
    of_utterances = np.array([i in utterances for i in ids], dtype=bool)
    # Where every speaker has one utterance that is called like the speaker, both readings are one.
    alike = of_speakers.any() and all(utterances.get(i) == i for i in ids[of_speakers | of_utterances])
    if of_speakers.sum() == of_utterances.sum() and not alike:
        raise LogError(
            f"of {len(ids):,} ids of embeddings {of_speakers.sum():,} are speakers and "
            f"{of_utterances.sum():,} are utterances of the log; the first id is '{ids[0]}'",
            where=where,
            allowed="ids of speakers, or of utterances",
        )
    matched = of_speakers if of_speakers.sum() >= of_utterances.sum() else of_utterances
    owners = ids if matched is of_speakers else np.array([utterances.get(i) for i in ids], dtype=object)
    sums: dict[str, Ints] = {}
    sum_by_speaker(vectors[matched], owners[matched], sums)
    return sums


def matrix_of(column: Any, where: str, width: int | None = None) -> Floats:
    """Turn an Arrow list column without nulls into a matrix.

    Parameters
    ----------
    column : pyarrow.Array
    where : str
        For messages.
    width : int, optional
        Length that the lists must have; by default all the same.

    Raises
    ------
    LogError
        If the lists differ in length, or hold nulls.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (
        pa.types.is_list(column.type)
        or pa.types.is_large_list(column.type)
        or pa.types.is_fixed_size_list(column.type)
    ):
        raise LogError(
            f"embedding is of type {column.type}",
            where=where,
            allowed="a list of numbers",
            fix="write the log as Parquet or JSON lines, or give the vectors with --embeddings FILE",
        )
    lengths = {*pc.unique(pc.list_value_length(column)).to_pylist(), *([width] if width else [])}
    flat = pc.list_flatten(column)
    if len(lengths) > 1:
        raise LogError(
            f"embeddings of several lengths: {', '.join(map(str, sorted(lengths)[:5]))}",
            where=where,
            allowed="one length",
        )
    if flat.null_count or not (pa.types.is_floating(flat.type) or pa.types.is_integer(flat.type)):
        what = "null or NaN" if flat.null_count else f"values of type {flat.type}"
        raise LogError(f"an embedding holds {what}", where=where, allowed="numbers only")
    values: Floats = flat.to_numpy(zero_copy_only=False).astype(np.float64)
    return values.reshape(len(column), lengths.pop() if lengths else 0)


def _text(value: Any) -> str:
    """Read an id as text: of bytes and of 12.0 what is meant, and of a missing one nothing."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, float):
        return "" if value != value else f"{value:.0f}" if value.is_integer() else str(value)
    return "" if value is None else str(value)


def _numbers(array: NDArray[Any]) -> Floats:
    if array.dtype.kind not in "fiu":
        raise ValueError(f"embeddings of type {array.dtype}")
    return array.astype(np.float64)


def _parquet(path: Path) -> tuple[Any, Floats]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    keys = [name for name in ("speaker_id", "utterance_id") if name in table.column_names]
    if len(keys) != 1 or "embedding" not in table.column_names:
        raise ValueError(f"columns are {', '.join(table.column_names)}")
    # Null is missing, as it is in the log.
    table = table.filter(pc.is_valid(table["embedding"]))
    return table[keys[0]].to_pylist(), matrix_of(table["embedding"].combine_chunks(), path.name)


def _npz(path: Path) -> tuple[Any, Floats]:
    # Opened here, so that it is closed whatever numpy makes of it.
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        if not {"ids", "embeddings"} <= set(arrays.files):
            raise ValueError(f"arrays are {', '.join(arrays.files)}")
        return arrays["ids"], _numbers(arrays["embeddings"])


def _npy(path: Path) -> tuple[Any, Floats]:
    names = path.with_suffix(".ids.txt")
    if not names.is_file():
        raise ValueError(f"{names.name} is not there")
    with path.open("rb") as stream:
        vectors = _numbers(np.load(stream, allow_pickle=False))
    return names.read_text(encoding="utf-8").splitlines(), vectors
