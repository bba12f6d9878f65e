"""Reference and hypothesis text to substitutions, deletions, insertions and reference words.

Words are what white space separates after normalising. The alignment is rapidfuzz's, which jiwer uses
too: the fewest errors in all, and of several such alignments the one that its edit operations spell.
An empty reference has no words, and every word of its hypothesis is an insertion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from fairaudit.counts import Ints
from fairaudit.exceptions import OptionError, nearest
from fairaudit.provenance import Scoring

#: Ways to normalise text before it is scored.
NORMALIZERS = ("none", "basic", "whisper-en")

PACKAGE = "whisper-normalizer"


def normalizer(name: str) -> Callable[[str], str]:
    """Return a normaliser by name.

    Parameters
    ----------
    name : {"none", "basic", "whisper-en"}
        `none` leaves the text as it is; the others are Whisper's basic and English normalisers.

    Raises
    ------
    OptionError
        If the name is not known.

    Examples
    --------
    >>> normalizer("whisper-en")("Mister Smith's colour, okay?")
    'mister smith is color okay'
    """
    if name not in NORMALIZERS:
        raise OptionError(
            f"unknown normalizer '{name}'", where="--normalizer", allowed=nearest(name, NORMALIZERS)
        )
    if name == "none":
        return str
    if name == "basic":
        from whisper_normalizer.basic import BasicTextNormalizer

        basic: Callable[[str], str] = BasicTextNormalizer()
        return basic
    from whisper_normalizer.english import EnglishTextNormalizer

    english: Callable[[str], str] = EnglishTextNormalizer()
    return english


@cache
def scoring_record(name: str) -> Scoring:
    """Return the record of a normaliser: name, version, and digest of the files that define it."""
    digest = hashlib.sha256()
    if name == "none":
        return Scoring(normalizer=name, version="", sha256=digest.hexdigest())
    import whisper_normalizer

    folder = Path(whisper_normalizer.__file__).parent
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".py", ".json"):
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return Scoring(normalizer=name, version=version(PACKAGE), sha256=digest.hexdigest())


def score(references: Sequence[str], hypotheses: Sequence[str], name: str = "none") -> dict[str, Ints]:
    """Count the errors of each utterance.

    Parameters
    ----------
    references, hypotheses : sequence of str
        Of equal length.
    name : str
        Normaliser of both sides.

    Returns
    -------
    dict of str to ndarray of int64, shape (n_utterances,)
        `ref_words`, `substitutions`, `deletions`, `insertions`.

    Examples
    --------
    >>> counts = score(["a b c", ""], ["a x c d", "oh"])
    >>> {kind: values.tolist() for kind, values in counts.items()}
    {'ref_words': [3, 0], 'substitutions': [1, 0], 'deletions': [0, 0], 'insertions': [1, 1]}
    """
    from rapidfuzz.distance import Levenshtein

    normalize = normalizer(name)
    table = np.zeros((len(references), 4), dtype=np.int64)
    kinds = {"replace": 1, "delete": 2, "insert": 3}
    for row, (reference, hypothesis) in enumerate(zip(references, hypotheses, strict=True)):
        words = normalize(reference).split()
        table[row, 0] = len(words)
        if reference == hypothesis:
            continue
        spoken = normalize(hypothesis).split()
        if words != spoken:
            for operation in Levenshtein.editops(words, spoken):
                table[row, kinds[operation.tag]] += 1
    names = ("ref_words", "substitutions", "deletions", "insertions")
    return {column: table[:, number] for number, column in enumerate(names)}
