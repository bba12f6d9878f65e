"""Small cohorts out of a result, once, when it is built: no result holds a suppressed figure.

What `fairaudit.cells` keeps back is blanked here, with the reason. Bottom, top and rest may lose their
counts alone, and keep rates of four digits: without counts nothing can be subtracted, and counts cannot
be worked out of so few digits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from fairaudit.cells import (
    SIDES,
    UNASSIGNED_CELL,
    Members,
    Protection,
    blocks_are_large,
    protection,
    union,
)
from fairaudit.evidence import SharePoint, Spatial, Splits
from fairaudit.rates import Gap, Rate
from fairaudit.result import Cohort, Gaps, PartitionResult, Side, Unassigned
from fairaudit.rounding import coarse_share, four_digits, of_speakers, rounded, ten_digits, without_counts

R = TypeVar("R", bound=Rate)

#: What is said of a cohort beside its rate.
_SAID = ("against_reference", "against_rest", "status", "p_adjusted", "excess", "text")

_FIGURES = tuple(field for field in Rate.__struct_fields__ if field != "reason")


def suppress_all(found: Iterable[tuple[PartitionResult, Members]], fewest: int) -> list[PartitionResult]:
    """Suppress the partitions of one audit, which may tell each other's totals.

    Parameters
    ----------
    found : iterable of tuple of PartitionResult and Members
    fewest : int
        Speakers that a shown figure needs (`min_speakers_shown`).
    """
    found = list(found)
    totals = {members.tabled for _, members in found if members.shows_total(fewest)}
    return [
        suppress(partition, members, fewest, total_known=members.tabled in totals | {members.everyone})
        for partition, members in found
    ]


def suppress(
    partition: PartitionResult, members: Members, fewest: int, *, total_known: bool = True
) -> PartitionResult:
    """Blank every figure of a partition that rests on, or would give away, too few speakers.

    Parameters
    ----------
    partition : PartitionResult
    members : Members
    fewest : int
        Speakers that a shown figure needs (`min_speakers_shown`).
    total_known : bool
        Whether the sum of all cells is published elsewhere: by the log, or by another partition.
    """
    keep_back = protection(partition, members, fewest, total_known=total_known)
    reason = f"suppressed: fewer than {fewest} speakers, here or in what it could be subtracted from"
    sides = {name: _side(getattr(partition, name), keep_back, fewest, reason) for name in SIDES}
    if keep_back.sides == "nothing":
        sides = {name: _blank_side(side, reason) for name, side in sides.items()}
    if members.smaller_side < fewest and all(_is_shown(sides[name]) for name in ("bottom", "top")):
        # The small cohort is bottom in some ways and top in others, and in the means of both.
        sides |= {name: _blank_side(sides[name], reason) for name in ("bottom", "top")}
    shown = {name for name, side in sides.items() if _is_shown(side)}
    both = {"bottom", "top"} <= shown
    # Without a bottom there is no gap, and a reason already.
    headline = both or partition.bottom is None
    # Without a bottom it is that of the whole log, whose bottom and top are not reported.
    in_sample = both or (partition.bottom is None and not keep_back.hidden - {UNASSIGNED_CELL})
    in_sample = in_sample and members.smaller_side >= fewest
    overall = suppress_rate(partition.overall, fewest)
    gaps = partition.gaps
    return msgspec.structs.replace(
        partition,
        cohorts=tuple(_cohort(c, members, keep_back, fewest, reason) for c in partition.cohorts),
        unassigned=_unassigned(partition.unassigned, keep_back, fewest, reason),
        **sides,
        overall=blank(overall, reason) if keep_back.overall else overall,
        splits=partition.splits if both or partition.splits is None else _spreadless(partition.splits),
        gap=_gap(partition.gap, headline, keep_back, reason),
        gaps=Gaps(
            rest=gaps.rest and _gap(gaps.rest, {"bottom", "rest"} <= shown, keep_back, reason),
            # It would tell overall's rate, and that its words and errors beyond the small group's.
            overall=gaps.overall
            and _gap(gaps.overall, "bottom" in shown and not keep_back.overall, keep_back, reason),
            reference=gaps.reference and _gap(gaps.reference, headline, keep_back, reason),
        ),
        gap_by_share=_curve(partition, members, keep_back, fewest),
        in_sample_gap=partition.in_sample_gap if in_sample else None,
        # Rates of all digits, which would lead to counts that are withheld.
        gap_by_normalizer=partition.gap_by_normalizer if both and keep_back.sides == "counts" else (),
        # It is of every cohort that was compared, those that are hidden by now among them.
        no_worse_than=None
        if keep_back.overall or any(c.status and c.cohort in keep_back.hidden for c in partition.cohorts)
        else partition.no_worse_than,
        disparity={} if keep_back.overall or overall.speakers is None else partition.disparity,
        adjusted_gaps=partition.adjusted_gaps if both and keep_back.sides != "nothing" else (),
        spatial=_spatial(partition.spatial, members, fewest),
    )


def _spatial(spatial: Spatial | None, members: Members, fewest: int) -> Spatial | None:
    """Keep the number of speakers who have a place only where it does not tell how few have none."""
    if spatial is None or not 0 < len(members.everyone - members.placed) < fewest:
        return spatial
    return msgspec.structs.replace(spatial, speakers=None)


def suppress_rate(rate: R, fewest: int) -> R:
    """Blank a rate of fewer than `fewest` speakers; none at all is no secret."""
    if rate.speakers is None or rate.speakers == 0 or rate.speakers >= fewest:
        return rate
    return blank(rate, f"suppressed: fewer than {fewest} speakers")


def _curve(
    partition: PartitionResult, members: Members, keep_back: Protection, fewest: int
) -> tuple[SharePoint, ...]:
    """Keep the points of the curve whose steps, and whose two sides, hold enough speakers."""
    who, sums = members.curve, dict(keep_back.sums)
    order = [c.cohort for c in sorted(partition.cohorts, key=lambda c: c.rank or 0) if c.rank is not None]
    # What is tabled on other rows than the curve cannot be subtracted from it.
    aligned = all(members.cells[cell] == speakers for cell, speakers in who.items())
    if aligned and keep_back.sides == "rates" and partition.origin != "discovered":
        # A point would tell the words behind a rate that is shown without its counts.
        return ()
    secret = keep_back.hidden if aligned else frozenset()
    kept: list[SharePoint] = []
    taken: set[str] = set()
    step: set[str] = set()
    for cohort, point in zip(order, partition.gap_by_share, strict=False):
        step.add(cohort)
        taken.add(cohort)
        large = all(len(union(who, part)) >= fewest for part in (step, set(who) - taken))
        with_point = {**sums, f"point {len(kept)}": frozenset(taken)}
        if large and blocks_are_large(secret, with_point, members.cells, fewest):
            kept.append(_coarse_point(point, len(union(who, taken)), keep_back, fewest))
            sums, step = with_point, set()
    return tuple(kept)


def _coarse_point(point: SharePoint, speakers: int, keep_back: Protection, fewest: int) -> SharePoint:
    """Round a point where its digits would lead to how many speakers have a cohort, and how many none."""
    if not keep_back.overall and UNASSIGNED_CELL not in keep_back.hidden:
        return point
    relative, words = point.relative, point.ref_words
    return SharePoint(
        share=coarse_share(point.share, speakers, fewest) or 0.0,
        relative=None if relative is None else ten_digits(four_digits(1 + relative) - 1),
        # The words of everyone would lead to overall.
        ref_words=None if keep_back.overall or words is None else float(f"{words:.2g}"),
    )


def _cohort(cohort: Cohort, members: Members, keep_back: Protection, fewest: int, reason: str) -> Cohort:
    if cohort.cohort in keep_back.hidden:
        bare = blank(cohort, reason)
        return msgspec.structs.replace(
            bare,
            suppressed=True,
            share=None,
            **dict.fromkeys(_SAID),
            kinds=(),
            profile=(),
            by_normalizer=(),
            hexagons=(),
        )
    against = cohort.against_reference
    if against is not None and members.reference in keep_back.hidden:
        against = Gap(definition=against.definition, reason=reason)
    cohort = msgspec.structs.replace(cohort, against_reference=against)
    if not keep_back.overall:
        return cohort
    # What the rest is would tell overall.
    gone = dict.fromkeys(("against_rest", "excess", "status", "p_adjusted"))
    share = of_speakers(cohort.share, cohort.speakers, fewest)
    return msgspec.structs.replace(cohort, share=share, kinds=(), **gone)


def _unassigned(
    unassigned: Unassigned | None, keep_back: Protection, fewest: int, reason: str
) -> Unassigned | None:
    if unassigned is None:
        return None
    if UNASSIGNED_CELL in keep_back.hidden:
        bare = blank(unassigned, reason)
        return msgspec.structs.replace(bare, share=None, reasons={}, text=None, by_normalizer=())
    if not keep_back.overall:
        return unassigned
    share = of_speakers(unassigned.share, unassigned.speakers, fewest)
    return msgspec.structs.replace(unassigned, share=share)


def _side(side: Side | None, keep_back: Protection, fewest: int, reason: str) -> Side | None:
    if side is None or not side.speakers:
        return side
    if side.speakers < fewest:
        return _blank_side(side, reason)
    if keep_back.sides == "counts":
        return side
    share = of_speakers(side.share, side.speakers, fewest)
    return msgspec.structs.replace(without_counts(side, fewest), share=share)


def _is_shown(side: Side | None) -> bool:
    return side is not None and side.wer is not None


def _blank_side(side: Side | None, reason: str) -> Side | None:
    return None if side is None else msgspec.structs.replace(blank(side, reason), share=None)


def _spreadless(splits: Splits) -> Splits:
    return msgspec.structs.replace(splits, q05=None, median=None, q95=None)


def _gap(gap: Gap, shown: bool, keep_back: Protection, reason: str) -> Gap:
    if gap.relative is None and gap.absolute is None:
        return gap
    if not shown:
        return Gap(definition=gap.definition, reason=reason)
    return gap if keep_back.sides == "counts" else rounded(gap)


def blank(rate: R, reason: str) -> R:
    """Take every figure out of a rate."""
    return msgspec.structs.replace(rate, **dict.fromkeys(_FIGURES), reason=reason)
