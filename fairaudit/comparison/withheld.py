"""Small cohorts out of a comparison, once, when it is built, by the same rules as out of an audit.

Both releases are of the same speakers, so what gives a cell away in one gives it away in the other, and a
change of a cell that is kept back is kept back with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from fairaudit.cells import UNASSIGNED_CELL, Members, Protection, protection
from fairaudit.changes import Change, CohortChange, GapChange, PartitionChange, RateChange, SideChange
from fairaudit.rates import Gap
from fairaudit.rounding import four_digits, of_speakers, rounded, without_counts
from fairaudit.suppress import blank

C = TypeVar("C", bound=RateChange)


def withhold_all(found: Iterable[tuple[PartitionChange, Members]], fewest: int) -> list[PartitionChange]:
    """Suppress the partitions of one comparison, which may tell each other's totals.

    Parameters
    ----------
    found : iterable of tuple of PartitionChange and Members
    fewest : int
        Speakers that a shown figure needs (`min_speakers_shown`).
    """
    found = list(found)
    totals = {members.tabled for _, members in found if members.shows_total(fewest)}
    return [
        withhold(partition, members, fewest, total_known=members.tabled in totals | {members.everyone})
        for partition, members in found
    ]


def withhold(
    partition: PartitionChange, members: Members, fewest: int, *, total_known: bool = True
) -> PartitionChange:
    """Blank every figure that rests on, or would give away, too few speakers.

    Parameters
    ----------
    partition : PartitionChange
        `worst` and `maximum` are left as they are: they are of shown cohorts only.
    members : Members
    fewest : int
    total_known : bool
        Whether the sum of all cells is published elsewhere: by the log, or by another partition.
    """
    keep_back = protection(partition, members, fewest, total_known=total_known)
    reason = f"suppressed: fewer than {fewest} speakers, here or in what it could be subtracted from"
    bottom, top, rest = (
        _side(side, keep_back, fewest, reason) for side in (partition.bottom, partition.top, partition.rest)
    )
    hides_unassigned = UNASSIGNED_CELL in keep_back.hidden
    unassigned = partition.unassigned
    overall = withhold_rate(partition.overall, fewest)
    return msgspec.structs.replace(
        partition,
        overall=blanked(overall, reason) if keep_back.overall else overall,
        cohorts=tuple(_cohort(cohort, keep_back, fewest, reason) for cohort in partition.cohorts),
        unassigned=blanked(unassigned, reason) if unassigned and hides_unassigned else unassigned,
        unassigned_share=None if hides_unassigned or keep_back.overall else partition.unassigned_share,
        bottom=bottom,
        top=top,
        rest=rest,
        gap=_gap(partition.gap, (bottom, top), keep_back, reason),
    )


def withhold_rate(rates: C, fewest: int) -> C:
    """Blank rates of fewer than `fewest` speakers; none at all is no secret."""
    speakers = rates.baseline.speakers
    if not speakers or speakers >= fewest:
        return rates
    return blanked(rates, f"suppressed: fewer than {fewest} speakers")


def blanked(rates: C, reason: str) -> C:
    """Take every figure of both releases out, and that of their change."""
    sides = {name: blank(getattr(rates, name), reason) for name in ("baseline", "candidate")}
    return msgspec.structs.replace(rates, **sides, change=Change(reason=reason))


def _cohort(cohort: CohortChange, keep_back: Protection, fewest: int, reason: str) -> CohortChange:
    if cohort.cohort in keep_back.hidden:
        bare = blanked(cohort, reason)
        return msgspec.structs.replace(bare, suppressed=True, share=None, saved_share=None)
    if not keep_back.overall:
        return cohort
    share = of_speakers(cohort.share, cohort.baseline.speakers, fewest)
    return msgspec.structs.replace(cohort, share=share)


def _side(side: SideChange | None, keep_back: Protection, fewest: int, reason: str) -> SideChange | None:
    if side is None or not side.speakers:
        return side
    if side.speakers < fewest or keep_back.sides == "nothing":
        return msgspec.structs.replace(blanked(side, reason), share=None)
    if keep_back.sides == "counts":
        return side
    return msgspec.structs.replace(
        side,
        baseline=without_counts(side.baseline, fewest),
        candidate=without_counts(side.candidate, fewest),
        change=_rounded(side.change),
        share=of_speakers(side.share, side.speakers, fewest),
    )


def _gap(
    gap: GapChange | None, sides: tuple[SideChange | None, ...], keep_back: Protection, reason: str
) -> GapChange | None:
    if gap is None or gap.baseline.absolute is None:
        return gap
    if not all(side and side.baseline.wer is not None for side in sides):
        none = Gap(definition=gap.baseline.definition, reason=reason)
        return GapChange(baseline=none, candidate=none, change=Change(reason=reason))
    if keep_back.sides == "counts":
        return gap
    return GapChange(
        baseline=rounded(gap.baseline), candidate=rounded(gap.candidate), change=_rounded(gap.change)
    )


def _rounded(change: Change) -> Change:
    """Round a change to four digits and move its bounds along, as those of a gap."""
    plain: dict[str, Any] = {}
    if change.absolute is not None:
        plain["absolute"] = four_digits(change.absolute)
        for end in ("absolute_low", "absolute_high"):
            if (value := getattr(change, end)) is not None:
                plain[end] = value + plain["absolute"] - change.absolute
    if change.relative is not None and change.relative > -1:
        ratio = four_digits(1 + change.relative)
        plain["relative"] = ratio - 1
        for end in ("relative_low", "relative_high"):
            if (value := getattr(change, end)) is not None:
                plain[end] = (1 + value) * ratio / (1 + change.relative) - 1
    return msgspec.structs.replace(change, **plain)
