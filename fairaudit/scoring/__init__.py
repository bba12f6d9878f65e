"""Reference and hypothesis text to substitutions, deletions, insertions and reference words.

Words are what white space separates after normalising; characters are those of these words joined by
single spaces, spaces counted. The errors of an utterance are the fewest that turn its reference into its
hypothesis, each of weight 1. Several alignments may have that many errors and differ in what they call
them (one substitution more, one deletion and one insertion fewer ...). The tie rule is jiwer's: the
alignment that rapidfuzz's `Levenshtein.editops` spells. Errors and reference words do not depend on it.
An empty reference has no words, and every word of its hypothesis is an insertion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

import numpy as np
from rapidfuzz.distance.Levenshtein import editops

from fairaudit.checks import OTHER, REFERENCE
from fairaudit.counts import Ints
from fairaudit.exceptions import OptionError, nearest
from fairaudit.scoring.normalizers import NORMALIZERS, bounded, normalizer, scoring_record

__all__ = ["NORMALIZERS", "UNITS", "measure", "normalizer", "other_columns", "score", "scoring_record"]

#: What errors are counted in: words give the WER, characters the CER.
UNITS = ("words", "characters")
#: A hypothesis of more than this many times the words of its reference is a loop of the recogniser.
LOOP = 5

#: Words of a reference, and of its hypothesis unless that is the same text.
Pair = tuple[list[str], list[str] | None]


def score(
    references: Sequence[str], hypotheses: Sequence[str], name: str = "none", *, unit: str = "words"
) -> dict[str, Ints]:
    """Count the errors of each utterance.

    Parameters
    ----------
    references, hypotheses : sequence of str
        Of equal length.
    name : str
        Normaliser of both sides, one of `NORMALIZERS`.
    unit : {"words", "characters"}
        What is counted. Spaces between words are characters.

    Returns
    -------
    dict of str to ndarray of int64, shape (n_utterances,)
        `ref_words` (in units), `substitutions`, `deletions`, `insertions`, and 0 or 1 in
        `empty_reference`, `empty_hypothesis` (no words after normalising) and `looped` (more than five
        times as many words as a reference that is not empty; always by words).

    Raises
    ------
    OptionError
        If the normaliser or the unit is not known.

    Notes
    -----
    An alignment of E errors between n and m units has E = S + D + I and n - m = D - I, so that S is all
    that is left to know, and is E - |n - m| where that is below 2.

    Examples
    --------
    >>> counts = score(["a b c", ""], ["a x c d", "oh"])
    >>> {kind: values.tolist() for kind, values in counts.items()}
    {'ref_words': [3, 0], 'substitutions': [1, 0], 'deletions': [0, 0], 'insertions': [1, 1],
     'empty_reference': [0, 1], 'empty_hypothesis': [0, 0], 'looped': [0, 0]}
    >>> score(["on a mat"], ["on the mat"], unit="characters")["ref_words"].tolist()
    [8]
    """
    return _columns(_split(references, hypotheses, name), unit)


def measure(
    references: Sequence[str], hypotheses: Sequence[str], name: str = "none", *, unit: str = "words"
) -> dict[str, Ints]:
    """Count the errors of each utterance, and digest its normalised reference.

    Parameters
    ----------
    references, hypotheses, name, unit
        As for `score`.

    Returns
    -------
    dict of str to ndarray of int64, shape (n_utterances,)
        That of `score`, and under `fairaudit.checks.REFERENCE` the CRC-32 of the normalised reference: of
        two different references with one id, one pair in 4 billion has the same.
    """
    digests: list[int] = []
    columns = _columns(_digested(_split(references, hypotheses, name), digests), unit)
    return {**columns, REFERENCE: np.array(digests, dtype=np.int64)}


def other_columns(name: str) -> dict[str, str]:
    """Name the columns that hold what a further normaliser gives.

    Examples
    --------
    >>> other_columns("basic")
    {'ref_words': 'fairaudit:ref_words:basic', 'errors': 'fairaudit:errors:basic'}
    """
    words, errors = OTHER
    return {"ref_words": words + name, "errors": errors + name}


def _split(references: Sequence[str], hypotheses: Sequence[str], name: str) -> Iterator[Pair]:
    """Give the words of each reference and hypothesis, None for a hypothesis of the same text.

    One by one: thousands of lists that are kept would keep the garbage collector busy.
    """
    normalize, pairs = bounded(name), zip(references, hypotheses, strict=True)
    if name == "none":
        return ((r.split(), None if r == h else h.split()) for r, h in pairs)
    return ((normalize(r).split(), None if r == h else normalize(h).split()) for r, h in pairs)


def _digested(pairs: Iterable[Pair], digests: list[int]) -> Iterator[Pair]:
    """Note the digest of each reference in passing."""
    for said, heard in pairs:
        digests.append(crc32(" ".join(said).encode("utf-8", "surrogatepass")))
        yield said, heard


def _joined(pairs: Iterable[Pair], lengths: list[int]) -> Iterator[tuple[str, str | None]]:
    """Join words to texts of characters, and note the numbers of words in passing."""
    for said, heard in pairs:
        lengths += (len(said), len(said if heard is None else heard))
        yield " ".join(said), None if heard is None else " ".join(heard)


def _counted(pairs: Iterable[tuple[Sequence[str], Sequence[str] | None]]) -> Ints:
    """Return both lengths, the substitutions and the errors of each pair, shape (4, n_utterances).

    One loop without calls of our own, since a call costs as much as a tenth of the alignment.
    """
    rows: list[tuple[int, int, int, int]] = []
    add = rows.append
    for said, heard in pairs:
        length = len(said)
        if heard is None or said == heard:
            add((length, length, 0, 0))
            continue
        other = len(heard)
        operations = editops(said, heard)
        errors = len(operations)
        substitutions = errors - abs(length - other)
        if substitutions > 1:
            substitutions = [tag for tag, _, _ in operations.as_list()].count("replace")
        add((length, other, substitutions, errors))
    return np.array(rows, dtype=np.int64).reshape(-1, 4).T


def _columns(pairs: Iterable[Pair], unit: str) -> dict[str, Ints]:
    if unit not in UNITS:
        raise OptionError(f"unknown unit '{unit}'", where="unit", allowed=nearest(unit, UNITS))
    if unit == "words":
        lengths, other_lengths, substitutions, errors = _counted(pairs)
        words, spoken = lengths, other_lengths
    else:
        numbers: list[int] = []
        lengths, other_lengths, substitutions, errors = _counted(_joined(pairs, numbers))
        words, spoken = np.array(numbers, dtype=np.int64).reshape(-1, 2).T
    shorter = lengths - other_lengths
    return {
        "ref_words": lengths,
        "substitutions": substitutions,
        "deletions": (errors - substitutions + shorter) // 2,
        "insertions": (errors - substitutions - shorter) // 2,
        "empty_reference": (words == 0).astype(np.int64),
        "empty_hypothesis": (spoken == 0).astype(np.int64),
        "looped": ((words > 0) & (spoken > LOOP * words)).astype(np.int64),
    }
