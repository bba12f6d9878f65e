"""Vectors as numpy writes them: .npz, .npy with its ids beside it, and a folder of one .npy each."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from fairaudit.embeddings.checks import Found, numbers, single, stack
from fairaudit.exceptions import LogError


def read_npz(path: Path) -> Found:
    """Read the arrays `ids` and `embeddings`."""
    # Opened here, so that it is closed whatever numpy makes of it.
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        if not {"ids", "embeddings"} <= set(arrays.files):
            raise ValueError(f"arrays are {', '.join(arrays.files)}")
        return Found(arrays["ids"], numbers(arrays["embeddings"]))


def ids_beside(path: Path) -> Path:
    """Name the file of the ids of a .npy: one in each line."""
    return path.with_suffix(".ids.txt")


def read_npy(path: Path) -> Found:
    """Read a matrix, and the ids of its rows from the file beside it."""
    names = ids_beside(path)
    if not names.is_file():
        raise ValueError(f"{names.name} is not there")
    return Found(names.read_text(encoding="utf-8").splitlines(), numbers(_load(path)))


def files_in(folder: Path) -> list[Path]:
    """List the .npy of a folder by name; those of folders in it are not looked at."""
    return sorted(file for file in folder.iterdir() if file.suffix == ".npy" and file.is_file())


def read_folder(folder: Path) -> Found:
    """Read one vector from each .npy of a folder, as SpeechBrain writes them: the stem is the id.

    Raises
    ------
    LogError
        Names the first file that holds no vector.
    """
    files = files_in(folder)
    ids, vectors = [file.stem for file in files], []
    for file in files:
        try:
            vectors.append(single(numbers(_load(file))))
        except (ValueError, EOFError, MemoryError, OSError, BadZipFile) as error:
            # What numpy says of objects would have the user unpickle them.
            why = "it holds Python objects, or is no .npy file" if "pickle" in str(error) else str(error)
            raise LogError(
                f"cannot read embeddings: {why}",
                where=f"{folder.name}/{file.name}",
                allowed="one vector of plain numbers in each .npy of the folder",
                fix="write it again with numpy.save, or take it out of the folder",
            ) from None
    return Found(ids, stack(ids, vectors, folder.name), lambda position: files[position].name)


def _load(path: Path) -> NDArray[Any]:
    with path.open("rb") as stream:
        array: NDArray[Any] = np.load(stream, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError("it is no .npy file")
    return array
