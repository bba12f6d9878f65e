"""Reference and hypothesis text to substitutions, deletions, insertions and reference words.

Words are what white space separates after normalising; characters are those of these words joined by
single spaces, spaces counted. The errors of an utterance are the fewest that turn its reference into its
hypothesis, each of weight 1. Several alignments may have that many errors and differ in what they call
them (one substitution more, one deletion and one insertion fewer ...). The tie rule is jiwer's: the
alignment that rapidfuzz's `Levenshtein.editops` spells. Errors and reference words do not depend on it.
An empty reference has no words, and every word of its hypothesis is an insertion.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
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
    measured = measure(references, hypotheses, name, unit=unit)
    return {kind: values for kind, values in measured.items() if kind != REFERENCE}


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
    if unit not in UNITS:
        raise OptionError(f"unknown unit '{unit}'", where="unit", allowed=nearest(unit, UNITS))
    rows = _measured(references, hypotheses, bounded(name), unit == "words")
    *columns, digests = np.array(rows, dtype=np.int64).reshape(-1, 7).T
    return {**_columns(*columns), REFERENCE: digests}


def other_columns(name: str) -> dict[str, str]:
    """Name the columns that hold what a further normaliser gives.

    Examples
    --------
    >>> other_columns("basic")
    {'ref_words': 'fairaudit:ref_words:basic', 'errors': 'fairaudit:errors:basic'}
    """
    words, errors = OTHER
    return {"ref_words": words + name, "errors": errors + name}


def _measured(
    references: Sequence[str], hypotheses: Sequence[str], normalize: Callable[[str], str], by_word: bool
) -> array[int]:
    """Return seven numbers for each utterance: those that `_columns` takes, and the digest of the reference.

    One loop without calls of our own, since a call costs as much as a tenth of the alignment.
    """
    rows = array("q")
    said: Sequence[str]
    heard: Sequence[str]
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        said = heard = normalize(reference).split()
        if reference != hypothesis:
            heard = normalize(hypothesis).split()
        words, spoken = len(said), len(heard)
        text = " ".join(said)
        if not by_word:
            said, heard = text, " ".join(heard)
        length, other = len(said), len(heard)
        substitutions = errors = 0
        if said != heard:
            operations = editops(said, heard)
            errors = len(operations)
            substitutions = errors - abs(length - other)
            if substitutions > 1:
                substitutions = [tag for tag, _, _ in operations.as_list()].count("replace")
        rows.extend(
            (
                words,
                spoken,
                length,
                other,
                substitutions,
                errors,
                crc32(text.encode("utf-8", "surrogatepass")),
            )
        )
    return rows


def _columns(
    words: Ints, spoken: Ints, lengths: Ints, other_lengths: Ints, substitutions: Ints, errors: Ints
) -> dict[str, Ints]:
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
