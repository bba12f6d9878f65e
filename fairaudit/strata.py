"""Strata: bottom and top by speaker and by the values of other columns, and what a model can tell from them.

What a log-linear model of rates needs before it is fitted: rows that say something of the ratio, and
terms none of which says what others say already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairaudit.counts import Bools, Floats, Ints, SpeakerCounts
from fairaudit.ranking import BOTTOM, TOP

#: What counts as nothing where the terms of a model are compared: they are zeros and ones.
ZERO = 1e-9

NO_WORDS = "no reference words"
NO_ERRORS = "a value without any error"
ONE_SPEAKER = "one speaker alone decides a term"


@dataclass(frozen=True, eq=False)
class Strata:
    """Counts by speaker, side and values.

    Parameters
    ----------
    speaker, side : ndarray of int64, shape (rows,)
        Rows are sorted by speaker; a side is BOTTOM or TOP.
    codes : ndarray of int64, shape (rows, columns)
        Of the values, -1 where one is missing.
    errors, words : ndarray of float64, shape (rows,)
    utterances : ndarray of int64, shape (rows,)
    """

    speaker: Ints
    side: Ints
    codes: Ints
    errors: Floats
    words: Floats
    utterances: Ints

    def take(self, rows: Bools) -> Strata:
        """Keep some rows."""
        whole = (self.speaker[rows], self.side[rows], self.codes[rows])
        return Strata(*whole, self.errors[rows], self.words[rows], self.utterances[rows])

    def combinations(self) -> tuple[Ints, Ints]:
        """Return the distinct combinations, the side first, and which of them each row has."""
        distinct, position = np.unique(np.column_stack([self.side, self.codes]), axis=0, return_inverse=True)
        return distinct, position


def strata_of(counts: SpeakerCounts, side: Ints, columns: Sequence[str]) -> Strata:
    """Add up the rows of bottom and top that agree in all columns: sums of Poisson counts lose nothing.

    Parameters
    ----------
    counts : SpeakerCounts
        With the columns as labels.
    side : ndarray of int64, shape (n_rows,)
    columns : sequence of str
    """
    rows = (side == BOTTOM) | (side == TOP)
    codes = [counts.labels(column).codes[rows] for column in columns]
    keys = np.column_stack([counts.speaker[rows], side[rows], *codes])
    distinct, position = np.unique(keys, axis=0, return_inverse=True)

    def added(values: Ints) -> Floats:
        return np.bincount(position, values[rows], len(distinct)).astype(np.float64)

    return Strata(
        distinct[:, 0],
        distinct[:, 1],
        distinct[:, 2:],
        added(counts.errors),
        added(counts.ref_words),
        added(counts.utterances).astype(np.int64),
    )


def informative(strata: Strata) -> tuple[Strata, dict[str, int], dict[str, int]]:
    """Leave out what says nothing of the ratio, or leaves a term of the model without an end.

    Returns
    -------
    strata : Strata
    left_out : dict of str to int
        Utterances by reason: rows without words, values without any error, and rows of a speaker
        without whom a term could not be estimated, so that its error cannot be either.
    speakers : dict of str to int
        Whose utterances these are, by reason.
    """
    left_out: dict[str, int] = {}
    gone: dict[str, set[int]] = {}
    checks = {NO_WORDS: _have_words, NO_ERRORS: _have_errors, ONE_SPEAKER: _have_others}
    while True:
        for reason, check in checks.items():
            keep = check(strata)
            if not keep.all():
                left_out[reason] = left_out.get(reason, 0) + int(strata.utterances[~keep].sum())
                gone.setdefault(reason, set()).update(strata.speaker[~keep].tolist())
                strata = strata.take(keep)
                break
        else:
            return strata, left_out, {why: len(who) for why, who in gone.items()}


def _have_words(strata: Strata) -> Bools:
    keep: Bools = strata.words > 0
    return keep


def _have_errors(strata: Strata) -> Bools:
    """Tell which rows have values that occur with errors; a rate of zero has no logarithm."""
    keep = np.ones(len(strata.words), dtype=bool)
    for codes in strata.codes.T:
        _, value = np.unique(codes, return_inverse=True)
        keep &= np.bincount(value, strata.errors)[value] > 0
    return keep


def _have_others(strata: Strata) -> Bools:
    """Tell which rows are not one speaker's alone in deciding a term; only the first such are False."""
    distinct, combination = strata.combinations()
    keep = np.ones(len(strata.words), dtype=bool)
    alone = np.flatnonzero(np.bincount(combination)[combination] == 1)
    speakers = [len(np.unique(strata.speaker[strata.side == side])) for side in (BOTTOM, TOP)]
    if not len(alone) or min(speakers) < 2:
        return keep
    basis, singular, _ = np.linalg.svd(_terms(distinct)[0], full_matrices=False)
    basis = basis[:, singular > singular[0] * ZERO]
    for speaker in np.unique(strata.speaker[alone]):
        rows = alone[strata.speaker[alone] == speaker]
        # Rows whose part of an orthonormal basis has norm one hold a direction that no other has.
        if np.linalg.norm(basis[combination[rows]], 2) > 1 - ZERO:
            keep[rows] = False
            break
    return keep


def _terms(combinations: Ints) -> tuple[Floats, Ints]:
    """Return one column per term, the side last, and the column of the log that each belongs to, or -1."""
    terms, owner = [np.ones(len(combinations))], [-1]
    for number, codes in enumerate(combinations.T[1:]):
        for value in np.unique(codes)[1:]:
            terms.append(codes == value)
            owner.append(number)
    terms.append(combinations[:, 0] == BOTTOM)
    return np.column_stack(terms).astype(np.float64), np.array([*owner, -1])


def design_of(
    strata: Strata, counts: SpeakerCounts, columns: Sequence[str]
) -> tuple[Floats | None, dict[str, str]]:
    """Return the model's terms per row, the side last, without those that say what others say already.

    Returns
    -------
    design : ndarray of float64, shape (rows, terms), or None
        None where the columns tell the side, so that nothing is left to compare.
    dropped : dict of str to str
        Columns without a term, and why.
    """
    distinct, combination = strata.combinations()
    terms, owner = _terms(distinct)
    basis = np.zeros((len(distinct), 0))
    keep = []
    for number, term in enumerate(terms.T):
        new = term - basis @ (basis.T @ term)
        new -= basis @ (basis.T @ new)
        length = np.linalg.norm(new)
        if length > ZERO * max(1.0, float(np.linalg.norm(term))):
            basis = np.column_stack([basis, new / length])
            keep.append(number)
    dropped = {}
    for number, column in enumerate(columns):
        if not (owner[keep] == number).any():
            values = [*counts.labels(column).values, "missing"]
            held = {values[code] for code in strata.codes[:, number]}
            one = f"has the one value '{min(held)}'" if len(held) == 1 else "says what other columns say"
            dropped[column] = one if held else "has no value"
    told_apart = bool(keep) and keep[-1] == terms.shape[1] - 1
    return (terms[combination][:, keep] if told_apart else None), dropped


def shared_rows(strata: Strata) -> Bools:
    """Tell which rows have a combination of values that both sides have."""
    _, values = np.unique(strata.codes, axis=0, return_inverse=True)
    on_side = [np.isin(values, values[strata.side == side]) for side in (BOTTOM, TOP)]
    shared: Bools = on_side[0] & on_side[1]
    return shared
