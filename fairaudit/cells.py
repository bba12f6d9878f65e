"""Which cells and sums of a partition must be kept back, so that none gives a small group away.

A cell is a cohort or the unassigned row. Cells of too few speakers are hidden, and then the smallest
remaining ones too, until nothing published can be subtracted from something else published to give a
figure of too few speakers. Published sums are the log, overall, bottom, top and rest, and every point
of the gap-by-share curve. Where hiding cells cannot help, such as where overall differs from the log
by three speakers without a ZIP code, sums are kept back themselves.

References
----------
Hundepool, A. et al. (2012). Statistical Disclosure Control: primary and secondary cell suppression.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from fairaudit.result import PartitionResult

#: Names of cells beside the cohorts; no cohort can be called so, a space leads them.
UNASSIGNED_CELL, ELSEWHERE = " unassigned", " elsewhere"
SIDES = ("bottom", "top", "rest")

Sums = Mapping[str, Set[str]]


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
    """

    cells: Mapping[str, frozenset[int]]
    curve: Mapping[str, frozenset[int]]
    everyone: frozenset[int]
    left_out: frozenset[int]
    reference: str | None = None

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
        small = (self.cells[UNASSIGNED_CELL], self.elsewhere)
        return not any(0 < len(speakers) < fewest for speakers in small)


@dataclass(frozen=True, eq=False)
class Protection:
    """What is kept back.

    Parameters
    ----------
    hidden : set of str
        Names of cells.
    sums : mapping of str to set of str
        The cells of each sum that stays published, the log itself apart.
    counts : bool
        Whether the counts behind bottom, top and rest are kept back.
    """

    hidden: frozenset[str]
    sums: Sums
    counts: bool

    @property
    def overall(self) -> bool:
        """Whether overall is kept back."""
        return "overall" not in self.sums


def protection(partition: PartitionResult, members: Members, fewest: int, *, total_known: bool) -> Protection:
    """Choose what is kept back of a partition.

    Hidden cells that are in exactly the same published sums form a block. Nothing that is published
    tells less than a whole block, so each must hold nobody or enough speakers.

    Parameters
    ----------
    partition : PartitionResult
    members : Members
    fewest : int
        Speakers that a shown figure needs (`min_speakers_shown`).
    total_known : bool
        Whether the sum of all cells is published elsewhere: by the log, or by another partition.
    """
    who = {**members.cells, ELSEWHERE: members.elsewhere}
    hidden = {cell for cell, speakers in who.items() if 0 < len(speakers) < fewest} | {ELSEWHERE}
    sums = _published_sums(partition, members, total_known)
    while block := small_block(hidden, sums, who, fewest):
        alike = [c for c in who if c not in hidden and who[c] and _signature(c, sums) == block[0]]
        if alike:
            hidden.add(min(alike, key=lambda cell: (len(who[cell]), cell)))
        elif fewer := _merged(block[1], sums, who):
            sums = fewer
        else:
            break
    counts = not all(name in sums for name in SIDES)
    if partition.origin == "discovered":
        counts |= _halves_tell(partition, members, fewest)
    elif counts:
        hidden |= _unknown_words(partition, hidden, who)
    return Protection(frozenset(hidden - {ELSEWHERE}), sums, counts)


def small_block(
    hidden: Set[str], sums: Sums, who: Mapping[str, frozenset[int]], fewest: int
) -> tuple[frozenset[str], str] | None:
    """Return the sums and a cell of a block of hidden cells with too few speakers, or None."""
    blocks: dict[frozenset[str], list[str]] = {}
    for cell in sorted(hidden):
        blocks.setdefault(_signature(cell, sums), []).append(cell)
    for signature, cells in blocks.items():
        if 0 < len(union(who, cells)) < fewest:
            return signature, cells[0]
    return None


def union(who: Mapping[str, frozenset[int]], cells: Iterable[str]) -> frozenset[int]:
    """Return the speakers of several cells; one who travels between them counts once."""
    return frozenset().union(*(who[cell] for cell in cells))


def _published_sums(partition: PartitionResult, members: Members, total_known: bool) -> Sums:
    cohorts = frozenset(c.cohort for c in partition.cohorts)
    sums = {"overall": cohorts}
    if partition.bottom and partition.top:
        bottom, top = frozenset(partition.bottom.cohorts), frozenset(partition.top.cohorts)
        sums |= {"bottom": bottom, "top": top, "rest": cohorts - bottom - top}
    if total_known:
        sums["total"] = frozenset(members.cells)
    return sums


def _halves_tell(partition: PartitionResult, members: Members, fewest: int) -> bool:
    """Tell whether the counts of bottom, top and rest would give a small one, or who is left out, away.

    They are means over both ways of every split: twice their sum is that of everyone with a cohort.
    """
    sides = [side for name in SIDES if (side := getattr(partition, name)) is not None]
    return any(0 < n < fewest for n in (*(side.speakers or 0 for side in sides), len(members.left_out)))


def _unknown_words(
    partition: PartitionResult, hidden: Set[str], who: Mapping[str, frozenset[int]]
) -> set[str]:
    """Choose further cells, so that the words of at least two sides are not known.

    The rates of bottom, top and rest stay published without their counts. With the words of only one
    of them unknown, its rate would tell how many errors a small cell has beyond that rate.
    """
    named = [frozenset(side.cohorts) for name in SIDES if (side := getattr(partition, name)) is not None]
    whole = [sorted((len(who[c]), c) for c in cells if who[c]) for cells in named if not cells & hidden]
    smallest = sorted(cells[0] for cells in whole if cells)
    lacking = 2 - sum(bool(cells & hidden) for cells in named)
    return {cell for _, cell in smallest[: max(0, lacking)]}


def _signature(cell: str, sums: Sums) -> frozenset[str]:
    return frozenset(name for name, cells in sums.items() if cell in cells)


def _merged(cell: str, sums: Sums, who: Mapping[str, frozenset[int]]) -> Sums:
    """Keep back the fewest sums that tell a cell's block from other cells; empty where none can."""
    own = _signature(cell, sums)
    for kept_back in ({"overall"}, {*SIDES}, {"overall", *SIDES}):
        fewer = {name: cells for name, cells in sums.items() if name not in kept_back}
        like = _signature(cell, fewer)
        others = (c for c in who if who[c] and _signature(c, sums) != own)
        if any(_signature(other, fewer) == like for other in others):
            return fewer
    return {}
