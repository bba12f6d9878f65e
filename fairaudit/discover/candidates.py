"""Candidate slices: what a search over label columns chooses among. Errors are not read here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from fairaudit.counts import Bools, Ints, SpeakerCounts
from fairaudit.estimate import has_travellers
from fairaudit.partition.labels import Combination

#: Slices that are compared with all others at once.
COMPARED_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class Candidates:
    """Slices of one log, those of one column first, and who is in them.

    Parameters
    ----------
    slices : tuple of tuples of (str, str)
    rows : scipy.sparse.csr_array of int64, shape (slices, rows)
        1 where a row is in a slice.
    speaker : ndarray of int64, shape (rows,)
    """

    slices: tuple[Combination, ...]
    rows: Any
    speaker: Ints

    @classmethod
    def of(
        cls, counts: SpeakerCounts, columns: Sequence[str], depth: int, min_speakers: int, overlap: float
    ) -> Candidates:
        """List the slices that have enough speakers inside and outside, near-duplicates once.

        Parameters
        ----------
        counts : SpeakerCounts
        columns : sequence of str
        depth : int
            Most columns that a slice reads.
        min_speakers : int
        overlap : float
            Of two slices whose rows in common are at least this fraction of the rows in either, the
            later one is left out.
        """
        from scipy.sparse import csr_array

        slices: list[Combination] = []
        members: list[Ints] = []
        for size in range(1, depth + 1):
            for chosen in combinations(columns, size):
                for rule, rows in _supported(counts, chosen, min_speakers):
                    slices.append(rule)
                    members.append(rows)
        starts = np.cumsum([0, *map(len, members)])
        rows = np.concatenate(members) if members else np.zeros(0, dtype=np.int64)
        shape = (len(slices), counts.rows)
        every = cls(
            tuple(slices), csr_array((np.ones(len(rows), np.int64), rows, starts), shape), counts.speaker
        )
        outside = every.speakers(np.ones((counts.rows, 1), dtype=bool))[1][:, 0]
        wide = every.keep(outside >= min_speakers)
        return wide.keep(~wide._is_duplicate(overlap))

    def keep(self, some: Bools) -> Candidates:
        """Keep some of the slices."""
        slices = tuple(rule for rule, kept in zip(self.slices, some, strict=True) if kept)
        return replace(self, slices=slices, rows=self.rows[np.flatnonzero(some)])

    @cached_property
    def parents(self) -> Ints:
        """The numbers of the slices of one column that each slice of two is part of.

        Returns
        -------
        ndarray of int64, shape (slices, 2)
            -1 for a slice of one column, and where the parent is no candidate.
        """
        numbers = {rule: number for number, rule in enumerate(self.slices)}
        return np.array(
            [
                [numbers.get((condition,), -1) for condition in rule] if len(rule) == 2 else [-1, -1]
                for rule in self.slices
            ],
            dtype=np.int64,
        ).reshape(-1, 2)

    def speakers(self, alive: Bools) -> tuple[Ints, Ints]:
        """Count the distinct speakers in each slice and outside of it.

        Parameters
        ----------
        alive : ndarray of bool, shape (rows, replicates)
            Rows that count.

        Returns
        -------
        inside, outside : ndarray of int64, shape (slices, replicates)
            A speaker who has rows in both counts in both.
        """
        there = alive.astype(np.int64)
        if not has_travellers(self.speaker):
            inside = self.rows @ there
            return inside, there.sum(axis=0) - inside
        starts = np.flatnonzero(np.r_[True, self.speaker[1:] != self.speaker[:-1]])
        per_speaker = np.add.reduceat(there, starts, axis=0)
        # One entry for each slice and each speaker who is in it.
        entries = self.rows.tocoo()
        speakers = len(starts)
        number = np.cumsum(np.r_[False, self.speaker[1:] != self.speaker[:-1]])
        pairs, pair = np.unique(entries.row * speakers + number[entries.col], return_inverse=True)
        within = _ones(pair, entries.col, (len(pairs), len(there))) @ there
        by_slice = _ones(pairs // speakers, np.arange(len(pairs)), (len(self.slices), len(pairs)))
        inside = by_slice @ (within > 0).astype(np.int64)
        whole = (within > 0) & (within == per_speaker[pairs % speakers])
        outside = (per_speaker > 0).sum(axis=0) - by_slice @ whole.astype(np.int64)
        return inside, outside

    def _is_duplicate(self, overlap: float) -> Bools:
        """Tell which slices have nearly the rows of one before them that is kept."""
        size = np.asarray(self.rows.sum(axis=1)).ravel()
        duplicate = np.zeros(len(size), dtype=bool)
        for start in range(0, len(size), COMPARED_AT_ONCE):
            both = (self.rows[start : start + COMPARED_AT_ONCE] @ self.rows.T).tocoo()
            later, earlier = both.row + start, both.col
            near = both.data >= overlap * (size[later] + size[earlier] - both.data)
            near &= earlier < later
            for one, other in sorted(zip(later[near].tolist(), earlier[near].tolist(), strict=True)):
                duplicate[one] |= not duplicate[other]
        return duplicate


def _supported(
    counts: SpeakerCounts, columns: Sequence[str], min_speakers: int
) -> list[tuple[Combination, Ints]]:
    """List the combinations of values that enough speakers have, each with its rows."""
    labels = [counts.labels(column) for column in columns]
    rows = np.flatnonzero(np.all([label.codes >= 0 for label in labels], axis=0))
    sizes = tuple(max(1, len(label.values)) for label in labels)
    code = np.ravel_multi_index(tuple(label.codes[rows] for label in labels), sizes)
    found, number = np.unique(code, return_inverse=True)
    # Rows are sorted by speaker, so sorting by combination puts a speaker's rows together.
    order = np.argsort(number, kind="stable")
    by_number, speaker = number[order], counts.speaker[rows[order]]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (by_number[1:] != by_number[:-1]) | (speaker[1:] != speaker[:-1])
    speakers = np.bincount(by_number[new], minlength=len(found))
    parts = np.split(rows[order], np.flatnonzero(by_number[1:] != by_number[:-1]) + 1)
    listed = []
    for which in np.flatnonzero(speakers >= min_speakers):
        values = np.unravel_index(found[which], sizes)
        rule = zip(columns, (label.values[v] for label, v in zip(labels, values, strict=True)), strict=True)
        listed.append((tuple(rule), parts[which]))
    return listed


def _ones(row: Ints, column: Ints, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(row), dtype=np.int64), (row, column)), shape=shape)
