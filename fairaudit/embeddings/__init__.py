"""Speaker vectors from a file or a column: unit vectors, summed exactly by speaker."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Floats
from fairaudit.embeddings.arrays import files_in, ids_beside, read_folder, read_npy, read_npz
from fairaudit.embeddings.checks import Found, check, check_ids
from fairaudit.embeddings.kaldi import read_ark, read_lines, read_scp
from fairaudit.embeddings.nemo import read_nemo
from fairaudit.embeddings.speakers import by_speaker, sum_by_speaker
from fairaudit.embeddings.tables import matrix_of, read_parquet
from fairaudit.exceptions import LogError
from fairaudit.log import file_sha256

__all__ = [
    "FORMATS",
    "by_speaker",
    "check",
    "digest",
    "matrix_of",
    "read_vectors",
    "sum_by_speaker",
    "vector_files",
]

#: What each kind of file holds, by the ending of its name.
KINDS = {
    ".parquet": "columns speaker_id or utterance_id, and a list column embedding",
    ".npz": "arrays ids and embeddings",
    ".npy": "a matrix, with its ids in NAME.ids.txt beside it",
    ".ark": "Kaldi vectors, binary or text",
    ".scp": "lines of an id and FILE:BYTE of a Kaldi .ark",
    ".pkl": "NeMo's pickled dict of id to numpy array",
}
FOLDER = "a folder of .npy, one vector each, as SpeechBrain writes them"
FORMATS = f"{', '.join(KINDS)}, or {FOLDER}"
READERS: dict[str, Callable[[Path], Found]] = {
    ".parquet": read_parquet,
    ".npz": read_npz,
    ".npy": read_npy,
    ".ark": read_ark,
    ".pkl": read_nemo,
}
#: How a file fails that is not what its name says.
OPENING_FAILS = (
    *(ValueError, TypeError, AttributeError, OSError, KeyError, EOFError, MemoryError, RuntimeError),
    *(BadZipFile, zlib.error),
)


def read_vectors(
    path: str | Path, moved: Mapping[str, str] | None = None
) -> tuple[NDArray[np.object_], Floats]:
    """Read ids and vectors from a file, or from a folder of files.

    Parameters
    ----------
    path : str or Path
        See `FORMATS`. Nothing in a file is executed: pickles are read as data, pipes and object arrays
        refused.
    moved : mapping of str to str, optional
        Old to new beginning of the paths that an .scp names, in whole parts: `{"/old/dir": "/new/dir"}`.

    Returns
    -------
    ids : ndarray of object (str), shape (n,)
    vectors : ndarray of float64, shape (n, n_dimensions)

    Raises
    ------
    LogError
        If the file cannot be read, ids are missing or doubled, or a vector is not finite or zero.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/ann.npy", [0.25, 0.5])
    ...     read_vectors(folder)
    (array(['ann'], dtype=object), array([[0.25, 0.5 ]]))
    """
    path = Path(path)
    kind = _kind(path, moved)
    try:
        if kind == "":
            found = read_folder(path)
        else:
            found = read_scp(path, moved or {}) if kind == ".scp" else READERS[kind](path)
        ids = check_ids(found, path.name)
    except OPENING_FAILS as error:
        if "pickle" in str(error):
            # numpy would have the user unpickle it.
            why = f"it holds Python objects, or is no {kind} file"
        else:
            told = isinstance(error, ValueError | OSError)
            why = str(error) if told else f"it is no {kind} file"
        raise LogError(
            f"cannot read embeddings: {why}",
            where=path.name,
            allowed=f"{KINDS.get(kind, FOLDER)}; plain numbers only",
            fix="see that the file is whole and is named after its format, or write it again",
        ) from None
    check(found.vectors, ids, path.name)
    return ids, found.vectors


def vector_files(path: str | Path, moved: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """List the files that vectors are read from: itself, and those that it names or that lie with it.

    Parameters
    ----------
    path : str or Path
    moved : mapping of str to str, optional
        As in `read_vectors`.

    Returns
    -------
    tuple of Path
        An .scp and each of its archives once, a .npy and its ids, the .npy of a folder; else the file.

    Raises
    ------
    LogError
        If one is not there.
    """
    path = Path(path)
    kind = _kind(path, moved)
    if kind == "":
        return tuple(files_in(path))
    if kind == ".scp":
        return path, *dict.fromkeys(line.path for line in read_lines(path, moved or {}))
    if kind == ".npy" and ids_beside(path).is_file():
        return path, ids_beside(path)
    return (path,)


def digest(path: str | Path, moved: Mapping[str, str] | None = None) -> str:
    """Return one SHA-256 for all files that vectors are read from, wherever they lie.

    Parameters
    ----------
    path : str or Path
    moved : mapping of str to str, optional
        As in `read_vectors`.

    Returns
    -------
    str
        Of a single file its own SHA-256. Of several that of their sorted digests and names, as
        `sha256sum FILES | sort | sha256sum` gives it in their folder: names are ids in a folder of .npy.

    Raises
    ------
    LogError
        If one is not there.
    """
    files = vector_files(path, moved)
    if files == (Path(path),):
        return file_sha256(Path(path))
    lines = sorted(f"{file_sha256(file)}  {file.name}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _kind(path: Path, moved: Mapping[str, str] | None) -> str:
    """Return the ending that says how a file is read, and nothing for a folder."""
    kind = path.suffix.lower()
    if moved and kind != ".scp":
        raise LogError(
            f"{path.name} names no other files",
            where="--embeddings-path",
            allowed="with an .scp, which names the files that hold its vectors",
            fix="leave the option out",
        )
    if path.is_dir():
        return ""
    if not path.is_file():
        raise LogError(f"no such file: {path}", where="--embeddings", allowed=FORMATS, fix="correct the path")
    if kind not in KINDS:
        raise LogError(
            f"unknown format of embeddings: {path.name}",
            where="--embeddings",
            allowed=FORMATS,
            fix="name the file after its format, or write the vectors as one of these",
        )
    return kind
