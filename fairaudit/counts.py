"""SpeakerCounts: additive word-error counts, one row per speaker and setting.

Everything after the seam reads these and nothing else: numbers per speaker, never per utterance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Components of unit vectors are whole multiples of 1 / UNIT, so that their sums are exact.
UNIT = 2**15


@dataclass(frozen=True, eq=False)
class Labels:
    """A text attribute: one code per row into sorted distinct values; -1 where it is missing.

    Parameters
    ----------
    values : tuple of str
        Distinct values, sorted.
    codes : ndarray of int64, shape (n_rows,)
        Index into `values`, or -1.

    Examples
    --------
    >>> Labels.of(["b", None, "a", "b"])
    Labels(values=('a', 'b'), codes=array([ 1, -1,  0,  1]))
    """

    values: tuple[str, ...]
    codes: Ints

    @classmethod
    def of(cls, texts: Any) -> Labels:
        """Code a sequence of texts, in which None is missing."""
        texts = np.asarray(texts, dtype=object)
        missing = np.array([text is None for text in texts], dtype=bool)
        values, codes = np.unique(np.where(missing, "", texts).astype(str), return_inverse=True)
        return cls(tuple(str(v) for v in values), codes.astype(np.int64)).compact(~missing)

    def compact(self, keep: Bools | None = None) -> Labels:
        """Drop values that no row has; rows outside `keep` become missing."""
        codes = self.codes if keep is None else np.where(keep, self.codes, -1)
        used = np.unique(codes[codes >= 0])
        renumbered = np.full(len(self.values) + 1, -1, dtype=np.int64)
        renumbered[used] = np.arange(len(used))
        return Labels(tuple(self.values[i] for i in used), renumbered[codes])

    def take(self, rows: NDArray[Any]) -> Labels:
        """Rows by mask or index, without values that are left unused."""
        return Labels(self.values, self.codes[rows]).compact()

    def texts(self) -> NDArray[np.object_]:
        """One text per row, None where it is missing."""
        return np.array([*self.values, None], dtype=object)[self.codes]


#: A text attribute, or numbers with NaN where they are missing (grid cells are whole numbers).
Attribute = Labels | Floats


@dataclass(frozen=True, eq=False)
class SpeakerCounts:
    """Word-error counts of speakers, apart by setting.

    Rows are sorted by speaker, so that everything computed from them is the same whatever the order
    of the log. A speaker in several settings (a traveller) has several rows.

    Parameters
    ----------
    speakers : ndarray of object (str), shape (n_speakers,)
        Speaker ids, sorted, each once.
    speaker : ndarray of int64, shape (n_rows,)
        Index into `speakers`, ascending.
    utterances, ref_words, errors : ndarray of int64, shape (n_rows,)
        Sums over the utterances of a row. `ref_words` and `errors` may be any whole-number
        denominator and numerator.
    kinds : mapping of str to ndarray of int64
        `substitutions`, `deletions` and `insertions` where the log has them, else empty.
    attributes : mapping of str to Labels or ndarray of float64
        The setting of each row: grid cells, ZIP codes, labels.
    embedding_sum : ndarray of int64, shape (n_speakers, n_dimensions), optional
        Sum of the speaker's unit vectors in multiples of 1 / 32768; a zero row where there is none.

    Examples
    --------
    >>> counts = SpeakerCounts.of(["b", "a", "b"], ref_words=[10, 20, 30], errors=[1, 2, 6])
    >>> counts.speakers.tolist(), counts.speaker.tolist(), counts.errors.tolist()
    (['a', 'b'], [0, 1], [2, 7])
    """

    speakers: NDArray[np.object_]
    speaker: Ints
    utterances: Ints
    ref_words: Ints
    errors: Ints
    kinds: Mapping[str, Ints] = field(default_factory=dict)
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    embedding_sum: Ints | None = None

    @classmethod
    def of(
        cls,
        speaker_ids: Any,
        *,
        ref_words: Any,
        errors: Any,
        utterances: Any = None,
        kinds: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
        embedding_sum: Mapping[str, Ints] | None = None,
    ) -> SpeakerCounts:
        """Group rows in any order by speaker and setting.

        Parameters
        ----------
        speaker_ids : sequence of str
        ref_words, errors, utterances : sequence of int
            `utterances` is one per row where it is left out.
        kinds : mapping of str to sequence of int, optional
        attributes : mapping of str to Labels, sequence of str or None, or ndarray of float64
        embedding_sum : mapping of speaker id to ndarray of int64, optional
        """
        ids = np.asarray(speaker_ids, dtype=object).astype(str)
        speakers, speaker = np.unique(ids, return_inverse=True)
        numbers = {"ref_words": ref_words, "errors": errors, **(kinds or {})}
        numbers["utterances"] = np.ones(len(ids), dtype=np.int64) if utterances is None else utterances
        sums = {name: np.asarray(values, dtype=np.int64) for name, values in numbers.items()}
        coded = {name: _attribute(values) for name, values in (attributes or {}).items()}
        return _grouped(speakers.astype(object), speaker.astype(np.int64), sums, coded, embedding_sum)

    @property
    def rows(self) -> int:
        """Number of rows: speakers times their settings."""
        return len(self.speaker)

    def settings_per_speaker(self) -> Ints:
        """Return the number of rows of each speaker, shape (n_speakers,)."""
        return np.bincount(self.speaker, minlength=len(self.speakers)).astype(np.int64)

    def labels(self, name: str) -> Labels:
        """Return a text attribute by name."""
        attribute = self.attributes[name]
        if not isinstance(attribute, Labels):
            raise TypeError(f"attribute {name!r} holds numbers, not text")
        return attribute

    def numbers(self, name: str) -> Floats:
        """Return a numeric attribute by name, NaN where it is missing."""
        attribute = self.attributes[name]
        if isinstance(attribute, Labels):
            raise TypeError(f"attribute {name!r} holds text, not numbers")
        return attribute

    def select(self, rows: NDArray[Any]) -> SpeakerCounts:
        """Keep some rows, and of the speakers only those that still have one.

        Parameters
        ----------
        rows : ndarray of bool, shape (n_rows,), or of ascending row numbers
        """
        speaker = self.speaker[rows]
        present, renumbered = np.unique(speaker, return_inverse=True)
        attributes = {
            name: values.take(rows) if isinstance(values, Labels) else values[rows]
            for name, values in self.attributes.items()
        }
        return SpeakerCounts(
            speakers=self.speakers[present],
            speaker=renumbered.astype(np.int64),
            utterances=self.utterances[rows],
            ref_words=self.ref_words[rows],
            errors=self.errors[rows],
            kinds={name: values[rows] for name, values in self.kinds.items()},
            attributes=attributes,
            embedding_sum=None if self.embedding_sum is None else self.embedding_sum[present],
        )

    def with_attributes(self, attributes: Mapping[str, Attribute]) -> SpeakerCounts:
        """Return the same rows with further attributes."""
        return replace(self, attributes={**self.attributes, **attributes})

    def has_embedding(self) -> Bools:
        """Return, for each row, whether its speaker has an embedding."""
        if self.embedding_sum is None:
            return np.zeros(self.rows, dtype=bool)
        found: Bools = np.any(self.embedding_sum != 0, axis=1)
        return found[self.speaker]

    def unit_vectors(self) -> Ints:
        """Return one unit vector per speaker, in multiples of 1 / 32768.

        Returns
        -------
        ndarray of int64, shape (n_speakers, n_dimensions)
        """
        if self.embedding_sum is None:
            raise TypeError("these counts hold no embeddings")
        return to_unit(self.embedding_sum.astype(np.float64))

    def sha256(self) -> str:
        """Digest of who spoke and what was counted, whatever the order of the rows.

        Attributes do not enter: the same log has the same digest for each of its partitions.
        """
        columns = (self.utterances, self.ref_words, self.errors)
        totals = [np.bincount(self.speaker, column, len(self.speakers)) for column in columns]
        digest = hashlib.sha256()
        for name, *numbers in zip(self.speakers, *totals, strict=True):
            digest.update(f"{len(name)}:{name}:{':'.join(str(int(v)) for v in numbers)}\n".encode())
        return digest.hexdigest()


def to_unit(vectors: Floats) -> Ints:
    """Scale vectors to length one and round them to multiples of 1 / 32768; zero rows stay zero.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, n_dimensions)

    Examples
    --------
    >>> to_unit(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[19661, 26214],
           [    0,     0]])
    """
    length = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    rounded: Ints = np.rint(unit * UNIT).astype(np.int64)
    return rounded


def merge(first: SpeakerCounts, second: SpeakerCounts) -> SpeakerCounts:
    """Add two shards of one log: equal to counting both in one pass.

    Parameters
    ----------
    first, second : SpeakerCounts
        With the same attributes and kinds.

    Examples
    --------
    >>> a = SpeakerCounts.of(["x"], ref_words=[5], errors=[1])
    >>> b = SpeakerCounts.of(["x", "y"], ref_words=[5, 8], errors=[1, 0])
    >>> merge(a, b).errors.tolist()
    [2, 0]
    """
    if set(first.attributes) != set(second.attributes) or set(first.kinds) != set(second.kinds):
        raise ValueError("shards to be merged must have the same attributes and kinds of error")
    pair = (first, second)
    names = ("utterances", "ref_words", "errors")
    numbers = {n: np.concatenate([getattr(c, n) for c in pair]) for n in names}
    attributes = {
        name: np.concatenate([c.labels(name).texts() for c in pair])
        if isinstance(first.attributes[name], Labels)
        else np.concatenate([c.numbers(name) for c in pair])
        for name in first.attributes
    }
    sums: dict[str, Ints] | None = None
    if first.embedding_sum is not None or second.embedding_sum is not None:
        sums = {}
        for counts in pair:
            if counts.embedding_sum is not None:
                for name, vector in zip(counts.speakers, counts.embedding_sum, strict=True):
                    sums[name] = sums[name] + vector if name in sums else vector
    return SpeakerCounts.of(
        np.concatenate([c.speakers[c.speaker] for c in pair]),
        ref_words=numbers["ref_words"],
        errors=numbers["errors"],
        utterances=numbers["utterances"],
        kinds={k: np.concatenate([c.kinds[k] for c in pair]) for k in first.kinds},
        attributes=attributes,
        embedding_sum=sums,
    )


def _attribute(values: Any) -> Attribute:
    if isinstance(values, Labels):
        return values
    array = np.asarray(values)
    return array.astype(np.float64) if array.dtype.kind in "fiu" else Labels.of(values)


def _grouped(
    speakers: NDArray[np.object_],
    speaker: Ints,
    sums: Mapping[str, Ints],
    attributes: Mapping[str, Attribute],
    embedding_sum: Mapping[str, Ints] | None,
) -> SpeakerCounts:
    """Sort by speaker and setting and add up rows that share both."""
    # Codes follow the sorted values and NaN sorts last, so the order is that of the values themselves.
    columns = [a.codes if isinstance(a, Labels) else a for a in attributes.values()]
    order = np.lexsort([*columns[::-1], speaker])
    new = np.zeros(len(order), dtype=bool)
    new[:1] = True
    for column in (speaker, *columns):
        ordered = column[order]
        both_missing = (ordered[1:] != ordered[1:]) & (ordered[:-1] != ordered[:-1])
        new[1:] |= (ordered[1:] != ordered[:-1]) & ~both_missing
    starts = np.flatnonzero(new)
    added = {name: np.add.reduceat(v[order], starts) if len(starts) else v[order] for name, v in sums.items()}
    kept = order[starts]
    matrix = None
    if embedding_sum is not None:
        width = len(next(iter(embedding_sum.values()), []))
        matrix = np.zeros((len(speakers), width), dtype=np.int64)
        for row, name in enumerate(speakers):
            if name in embedding_sum:
                matrix[row] = embedding_sum[name]
    return SpeakerCounts(
        speakers=speakers,
        speaker=speaker[kept],
        utterances=added.pop("utterances"),
        ref_words=added.pop("ref_words"),
        errors=added.pop("errors"),
        kinds=added,
        attributes={n: a.take(kept) if isinstance(a, Labels) else a[kept] for n, a in attributes.items()},
        embedding_sum=matrix,
    )
