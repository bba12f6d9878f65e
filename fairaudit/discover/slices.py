"""Slices of label columns with many errors: a bounded greedy search over values and pairs of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Bools, Floats, Ints, SpeakerCounts
from fairaudit.discover import check_at_least
from fairaudit.discover.candidates import Candidates
from fairaudit.discover.growth import x_log
from fairaudit.discover.weighting import SCALE, Weight, search_weights
from fairaudit.exceptions import OptionError
from fairaudit.partition import UNASSIGNED, Combinations, Name
from fairaudit.partition.labels import Combination, has, name_of, taken_before

NONE = -1


@dataclass(frozen=True)
class Slices:
    """Slices of label columns that have more errors than the rest: one value, or two of two columns.

    Greedy: of all slices with enough speakers inside and outside, the one is taken whose Poisson
    likelihood ratio against everyone else is largest among those with a higher rate; its rows are
    set aside, and the search goes on among the others, at most `max_slices` times. A slice of two
    columns that is not told apart from one of its two parents gives way to the parent. Everyone whom
    no slice takes is one cohort more.

    Parameters
    ----------
    columns : tuple of str
        Label columns to search, in the order in which ties are broken. By default those that an audit
        takes unasked: 2 to 50 values that are not numbers.
    depth : int
        Most columns that a slice reads, 1 or 2.
    max_slices : int
        Most slices.
    min_speakers : int
        Distinct speakers that a slice, and everyone else, needs in the searched half.
    clear : float
        Standard errors (the root of twice the log likelihood ratio) by which a slice differs clearly:
        one of two columns from its parents, and every slice after the first from everyone else.
    overlap : float
        Of two slices that share at least this fraction of all their speakers, only the first is a
        candidate: the one of fewer columns, or of the column that is named earlier.
    weight : {"damped", "words"}
        `damped`: a speaker of w words weighs w / (1 + w p phi), so that heavy talkers do not own the
        search. `words`: plain sums. See `fairaudit.discover.weighting.search_weights`.

    Examples
    --------
    >>> accent, device = (np.arange(400) // n % 2 for n in (1, 2))
    >>> counts = SpeakerCounts.of([f"s{i:03}" for i in range(400)], ref_words=[100] * 400,
    ...     errors=np.where(accent & device, 20, 10) + np.arange(400) % 3,
    ...     attributes={"accent": [f"a{i}" for i in accent], "device": [f"d{i}" for i in device]})
    >>> [name.cohort for name in Slices(("accent", "device")).fit(counts).names]
    ['accent=a1, device=d1', 'everyone else']
    """

    name: ClassVar[str] = "slices"
    reads_errors: ClassVar[bool] = True

    columns: tuple[str, ...] = ()
    depth: int = 2
    max_slices: int = 5
    min_speakers: int = 30
    clear: float = 2.5
    overlap: float = 0.8
    weight: Weight = "damped"

    def __post_init__(self) -> None:
        check_at_least(self.name, {"depth": self.depth, "max_slices": self.max_slices}, 1)
        check_at_least(self.name, {"min_speakers": self.min_speakers}, 2)
        check_at_least(self.name, {"clear": self.clear}, 0)
        for parameter, value, right, allowed in (
            ("depth", self.depth, self.depth <= 2, "1 or 2"),
            ("overlap", self.overlap, 0 < self.overlap <= 1, "above 0, at most 1"),
            (
                "columns",
                ",".join(self.columns),
                len(set(self.columns)) == len(self.columns),
                "each column once",
            ),
        ):
            if not right:
                where = f"--set slices.{parameter}"
                raise OptionError(f"slices.{parameter} is {value}", where=where, allowed=allowed)

    @property
    def requires(self) -> tuple[str, ...]:
        """The columns that are searched."""
        return self.columns

    def unplaced(self, counts: SpeakerCounts) -> NDArray[np.object_]:
        """Return an empty text for each row: one that lacks a value is in no slice that names the column."""
        return np.full(counts.rows, "", dtype=object)

    def fit(self, counts: SpeakerCounts) -> Combinations:
        """Find slices.

        Parameters
        ----------
        counts : SpeakerCounts
            With the columns as attributes.

        Returns
        -------
        Combinations
            Slices in the order in which they were taken, then everyone else; everyone is one cohort
            where no slice is admissible.
        """
        found = self.fit_many(counts, counts.errors[None].astype(float), counts.ref_words[None].astype(float))
        rules = (*(found.slices[number] for number in found.taken[:, 0] if number != NONE), ())
        names = (name_of(rule, taken_before(rules, n) if rule else ()) for n, rule in enumerate(rules))
        return Combinations(rules, tuple(names))

    def fit_many(self, counts: SpeakerCounts, errors: Floats, ref_words: Floats) -> FoundSlices:
        """Find slices in each replicate; see `fairaudit.discover.FitsMany`."""
        candidates = Candidates.of(counts, self.columns, self.depth, self.min_speakers, self.overlap)
        e, w = search_weights(errors, ref_words, counts.speaker, self.weight)
        # One column for each replicate, so that rows are added up side by side.
        e, w = np.ascontiguousarray(e.T), np.ascontiguousarray(w.T)
        alive = np.ones(e.shape, dtype=bool)
        taken = np.full((self.max_slices, e.shape[1]), NONE)
        going = np.arange(e.shape[1])
        for step in range(self.max_slices if candidates.slices else 0):
            worst = self._worst(candidates, e[:, going], w[:, going], alive[:, going], step == 0)
            going, worst = going[worst != NONE], worst[worst != NONE]
            if not len(going):
                break
            taken[step, going] = worst
            inside = candidates.rows[worst].toarray().T > 0
            alive[:, going] &= ~inside
            e[:, going] *= ~inside
            w[:, going] *= ~inside
        return FoundSlices(candidates.slices, taken)

    def _worst(self, candidates: Candidates, errors: Ints, weights: Ints, alive: Bools, first: bool) -> Ints:
        """Return the number of the slice that each replicate takes next, or NONE."""
        tally = _Tally.of(candidates, errors, weights)
        inside, outside = candidates.speakers(alive)
        enough = (inside >= self.min_speakers) & (outside >= self.min_speakers)
        gain = np.where(enough, tally.gain(), -np.inf)
        best = self._grouped(candidates, tally, gain)
        least = 0.0 if first else self._least_gain
        return np.where(gain[best, np.arange(len(best))] > least, best, NONE)

    @property
    def _least_gain(self) -> float:
        return self.clear**2 / 2 * SCALE

    def _grouped(self, candidates: Candidates, tally: _Tally, gain: Floats) -> Ints:
        """Take the slice of the largest gain, or its parent where the two are not told apart."""
        best = gain.argmax(axis=0)
        replicate = np.arange(len(best))
        parents = candidates.parents[best].T
        own = gain[parents, replicate]
        alike = tally.gain_within(best, parents) <= self._least_gain
        own = np.where((parents != NONE) & alike, own, -np.inf)
        parent = own.argmax(axis=0)
        grouped: Ints = np.where(np.isfinite(own[parent, replicate]), parents[parent, replicate], best)
        return grouped


@dataclass(frozen=True, eq=False)
class _Tally:
    """Weighted errors and weights in each slice and in all rows that are left, by replicate."""

    errors: Ints
    weights: Ints
    all_errors: Ints
    all_weights: Ints

    @classmethod
    def of(cls, candidates: Candidates, errors: Ints, weights: Ints) -> _Tally:
        return cls(
            candidates.rows @ errors, candidates.rows @ weights, errors.sum(axis=0), weights.sum(axis=0)
        )

    def gain(self) -> Floats:
        """Return the log likelihood ratio of each slice against the rest; -inf where it is not worse."""
        return _gain(self.errors, self.weights, self.all_errors, self.all_weights)

    def gain_within(self, child: Ints, parents: Ints) -> Floats:
        """Return that of one slice in each replicate against the rest of its parents, shape as `parents`."""
        replicate = np.arange(len(child))
        return _gain(
            self.errors[child, replicate],
            self.weights[child, replicate],
            self.errors[parents, replicate],
            self.weights[parents, replicate],
        )


def _gain(errors: Ints, weights: Ints, all_errors: Ints, all_weights: Ints) -> Floats:
    """Return the gain of dividing all into a part and the rest; -inf where the part is not the worse."""
    rest_e, rest_w = all_errors - errors, all_weights - weights
    one, other, both = (np.maximum(w, 1) for w in (weights, rest_w, all_weights))
    gain = x_log(errors, one) + x_log(rest_e, other) - x_log(all_errors, both)
    worse = (weights > 0) & (rest_w > 0) & (errors / one > rest_e / other)
    # Equal rates leave a gain of rounding errors only.
    return np.where(worse & (gain > 1e-9 * (1 + all_errors)), gain, -np.inf)


class FoundSlices:
    """The slices that each replicate took, in order; see `fairaudit.discover.Fits`.

    Parameters
    ----------
    slices : tuple of combinations
    taken : ndarray of int64, shape (steps, replicates)
        Number of a slice, or -1.
    """

    def __init__(self, slices: tuple[Combination, ...], taken: Ints) -> None:
        self.attributes: tuple[str, ...] = ()
        self.chosen: Ints = np.zeros(0, dtype=np.int64)
        self.cohorts = int((taken != NONE).sum(axis=0).max(initial=0)) + 1
        self.slices = slices
        self.taken = taken

    def assign(self, counts: SpeakerCounts) -> Ints:
        """See `fairaudit.discover.Fits.assign`."""
        used, which = np.unique(self.taken, return_inverse=True)
        inside = np.array([has(counts, self.slices[n]) if n != NONE else [False] * counts.rows for n in used])
        cohort = np.full((self.taken.shape[1], counts.rows), UNASSIGNED)
        for step, numbers in enumerate(which.reshape(self.taken.shape)):
            cohort[(cohort == UNASSIGNED) & inside[numbers]] = step
        left = (self.taken != NONE).sum(axis=0)[:, None]
        return np.where(cohort == UNASSIGNED, left, cohort)

    def assign_attribute(self, attribute: int, counts: SpeakerCounts) -> Ints:
        """See `fairaudit.discover.Fits`: the search chooses slices, no attribute."""
        raise IndexError(attribute)

    def attribute_names(self, attribute: int) -> tuple[Name, Name]:
        """See `fairaudit.discover.Fits`: the search chooses slices, no attribute."""
        raise IndexError(attribute)
