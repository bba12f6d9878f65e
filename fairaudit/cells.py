"""Which cells and sums of a partition must be kept back, so that none gives a small group away.

A cell is a cohort or the unassigned row. Published sums over cells are the log, overall, bottom, top,
rest and every point of the gap-by-share curve. Cells of too few speakers are hidden, and then the
cheapest further choice is made of which nothing can be worked out about too few speakers by adding and
subtracting: the smallest remaining cells, overall, or the counts behind bottom, top and rest, whose
rates may stay. Whether something can be worked out is a question of linear algebra, and asked as such.

References
----------
Hundepool, A. et al. (2012). Statistical Disclosure Control: primary and secondary cell suppression.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, Literal, Protocol

import numpy as np

#: Names of cells beside the cohorts; no cohort can be called so, a space leads them.
UNASSIGNED_CELL, ELSEWHERE = " unassigned", " elsewhere"
SIDES = ("bottom", "top", "rest")

#: What stays published of bottom, top and rest.
Level = Literal["counts", "rates", "nothing"]
Who = Mapping[str, frozenset[int]]
Sums = Mapping[str, Set[str]]


class Celled(Protocol):
    """What is read of a partition's figures, be they of an audit or of a comparison."""

    @property
    def origin(self) -> str:
        """Discovered, declared or saved."""

    @property
    def cohorts(self) -> Sequence[Any]:
        """The cohorts, each with its name."""

    @property
    def bottom(self) -> Any:
        """The bottom, with its cohorts and its number of speakers; so are top and rest."""

    @property
    def top(self) -> Any:
        """The top."""

    @property
    def rest(self) -> Any:
        """The rest."""


@dataclass(frozen=True, eq=False)
class Members:
    """Who is in the cells of a partition, by number of the speaker; never part of a result.

    Parameters
    ----------
    cells : mapping of str to set of int
        Of each cohort, and of `UNASSIGNED_CELL`, in the rows that are tabled.
    curve : mapping of str to set of int
        Of each cohort in the rows of the gap-by-share curve.
    everyone : set of int
        In the log.
    left_out : set of int
        With a row in the log that has no cohort, tabled or not.
    reference : str, optional
        The reference cohort.
    smaller_side : float
        Speakers of bottom or top, whichever has fewer, in a way; the mean over ways.
    placed, bottom : set of int
        With a cohort, and in the bottom, of the first split's partition: of the whole log.
    reads : set of str
        Columns of the log that the rule of the first split reads.
    """

    cells: Who
    curve: Who
    everyone: frozenset[int]
    left_out: frozenset[int]
    reference: str | None = None
    smaller_side: float = float("inf")
    placed: frozenset[int] = frozenset()
    bottom: frozenset[int] = frozenset()
    reads: frozenset[str] = frozenset()

    @property
    def tabled(self) -> frozenset[int]:
        """The speakers of all cells."""
        return union(self.cells, self.cells)

    @property
    def elsewhere(self) -> frozenset[int]:
        """The speakers of the log who are in no cell, such as those of the searched half."""
        return self.everyone - self.tabled

    def shows_total(self, fewest: int) -> bool:
        """Tell whether the total of the cells can be read off the result of their partition."""
        small = (self.cells[UNASSIGNED_CELL], self.elsewhere, self.tabled)
        return not any(0 < len(speakers) < fewest for speakers in small)


@dataclass(frozen=True, eq=False)
class Protection:
    """What is kept back.

    Parameters
    ----------
    hidden : set of str
        Names of cells.
    overall : bool
        Whether overall is kept back.
    sides : {"counts", "rates", "nothing"}
        What stays published of bottom, top and rest: all, rates without counts, or nothing.
    sums : mapping of str to set of str
        The cells of each sum that stays published, the log itself apart.
    """

    hidden: frozenset[str]
    overall: bool
    sides: Level
    sums: Sums


def protection(partition: Celled, members: Members, fewest: int, *, total_known: bool) -> Protection:
    """Choose what is kept back of a partition, as little as possible.

    Parameters
    ----------
    partition : PartitionResult or PartitionChange
    members : Members
    fewest : int
        Speakers that a shown figure needs (`min_speakers_shown`).
    total_known : bool
        Whether the sum of all cells is published elsewhere: by the log, or by another partition.
    """
    who = {**members.cells, ELSEWHERE: members.elsewhere}
    small = {cell for cell, speakers in who.items() if 0 < len(speakers) < fewest} | {ELSEWHERE}
    sides, groups = _sides(partition, fewest), _groups(partition)
    for level, overall, further in _choices(groups, small, who, linked=bool(sides)):
        sums = _published(partition, members, sides if level == "counts" else {}, overall, total_known)
        hidden = small | further
        if not _tells(hidden, sums, sides if level == "rates" else {}, who, fewest):
            break
    searched = partition.origin != "saved"
    if searched and level == "counts" and _halves_tell(partition, members, fewest):
        level = "rates"
    return Protection(frozenset(hidden - {ELSEWHERE}), overall, level, sums)


def blocks_are_large(hidden: Set[str], sums: Sums, who: Who, fewest: int) -> bool:
    """Tell whether hidden cells that are in the same sums hold nobody or enough speakers together."""
    return all(
        len(speakers) == 0 or len(speakers) >= fewest for speakers in _blocks(hidden, sums, who).values()
    )


def union(who: Who, cells: Iterable[str]) -> frozenset[int]:
    """Return the speakers of several cells; one who travels between them counts once."""
    return frozenset().union(*(who[cell] for cell in cells))


def _sides(partition: Celled, fewest: int) -> dict[str, frozenset[str]]:
    """Return the cells of bottom, top and rest where they are shown and are sums over cells.

    Those of a discovered partition are means over the partitions of all splits. Those of a declared one are
    means over halves, which may name others than the first; taken for sums they tell no less.
    """
    if partition.origin == "discovered":
        return {}
    shown = {name: side for name in SIDES if (side := getattr(partition, name)) is not None}
    return {n: frozenset(side.cohorts) for n, side in shown.items() if (side.speakers or 0) >= fewest}


def _groups(partition: Celled) -> list[list[str]]:
    """Return the cells among which a further one may be hidden: each side's, and the unassigned one."""
    side = {c: name for name in ("bottom", "top") if (s := getattr(partition, name)) for c in s.cohorts}
    groups: dict[str, list[str]] = {}
    for cohort in partition.cohorts:
        groups.setdefault(side.get(cohort.cohort, "rest"), []).append(cohort.cohort)
    return [*groups.values(), [UNASSIGNED_CELL]]


def _choices(
    groups: list[list[str]], small: Set[str], who: Who, *, linked: bool
) -> Iterator[tuple[Level, bool, set[str]]]:
    """List what may be kept back, the cheapest first: level of the sides, overall, further cells."""
    large = [sorted((len(who[c]), c) for c in cells if c not in small and who[c]) for cells in groups]
    smallest = [[cells[0]] if cells else [] for cells in large]
    further = [
        [x for pick in picks for x in pick] for picks in product(*([[], s] if s else [[]] for s in smallest))
    ]
    further.sort(key=lambda cells: (len(cells), sum(n for n, _ in cells), [c for _, c in cells]))
    everything = [x for cells in large for x in cells]
    levels: tuple[Level, ...] = ("counts", "rates", "nothing") if linked else ("counts",)
    for level, overall in product(levels, (False, True)):
        for cells in further:
            yield level, overall, {cell for _, cell in cells}
    yield levels[-1], True, {cell for _, cell in everything}


def _published(
    partition: Celled, members: Members, sides: Sums, overall: bool, total_known: bool
) -> dict[str, Set[str]]:
    sums: dict[str, Set[str]] = dict(sides)
    if not overall:
        sums["overall"] = frozenset(c.cohort for c in partition.cohorts)
    if total_known:
        sums["total"] = frozenset(members.cells)
    return sums


def _blocks(hidden: Set[str], sums: Sums, who: Who) -> dict[frozenset[str], frozenset[int]]:
    """Join hidden cells that are in exactly the same sums: nothing tells one of them alone."""
    blocks: dict[frozenset[str], frozenset[int]] = {}
    for cell in sorted(hidden):
        signature = frozenset(name for name, cells in sums.items() if cell in cells)
        blocks[signature] = blocks.get(signature, frozenset()) | who[cell]
    return blocks


def _tells(hidden: Set[str], sums: Sums, rates: Sums, who: Who, fewest: int) -> bool:
    """Tell whether some combination of what is published speaks of too few speakers alone.

    A sum is two equations about the blocks of hidden cells, one for errors and one for words; a rate r
    without its counts is one: errors less r times words is nothing. The values of the rates do not
    matter, as long as they are not the same.
    """
    blocks = [(s, speakers) for s, speakers in _blocks(hidden, {**sums, **rates}, who).items() if speakers]
    every = np.ones(len(blocks))
    about = {name: np.array([name in s for s, _ in blocks], dtype=float) for name in (*sums, *rates)}
    rows = [np.r_[v, 0 * v] for v in (every, *(about[n] for n in sums))]
    rows += [np.r_[0 * v, v] for v in (every, *(about[n] for n in sums))]
    rows += [np.r_[about[n], -(1 + number) * about[n]] for number, n in enumerate(rates)]
    known = np.array(rows)
    rank = np.linalg.matrix_rank(known) if blocks else 0
    numbers = range(len(blocks))
    for group in (g for size in numbers for g in combinations(numbers, size + 1)):
        if not 0 < len(frozenset().union(*(blocks[i][1] for i in group))) < fewest:
            continue
        others = [i for i in numbers if i not in group]
        columns = others + [i + len(blocks) for i in others]
        if rank > (np.linalg.matrix_rank(known[:, columns]) if columns else 0):
            return True
    return False


def _halves_tell(partition: Celled, members: Members, fewest: int) -> bool:
    """Tell whether the counts of bottom, top and rest would give a small one, or who is left out, away.

    They are means over both ways of every split: twice their sum is that of everyone with a cohort.
    """
    sides = [side for name in SIDES if (side := getattr(partition, name)) is not None]
    return any(0 < n < fewest for n in (*(side.speakers or 0 for side in sides), len(members.left_out)))
