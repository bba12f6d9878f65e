"""Unit vectors, summed exactly by speaker."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Floats, Ints, to_unit
from fairaudit.exceptions import LogError


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
