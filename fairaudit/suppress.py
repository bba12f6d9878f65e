"""Small cohorts out of a result, once, when it is built: no result holds a suppressed figure.

A cell is a cohort or the unassigned row. Cells with too few speakers are blanked, and then the
smallest remaining ones too, until nothing published can be subtracted from something else published
to give a figure of too few speakers. Published sums are overall, bottom, top, rest and every point of
the gap-by-share curve.

References
----------
Hundepool, A. et al. (2012). Statistical Disclosure Control: primary and secondary cell suppression.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from fairaudit.result import Cohort, Gap, Gaps, PartitionResult, Rate, SharePoint, Side, Unassigned

R = TypeVar("R", bound=Rate)

#: Name of the unassigned row among the cells; no cohort can be called so, a space leads it.
UNASSIGNED_CELL = " unassigned"

_FIGURES = tuple(field for field in Rate.__struct_fields__ if field != "reason")


def suppress(partition: PartitionResult, fewest: int, everyone: int) -> PartitionResult:
    """Blank every figure of a partition that rests on, or would give away, too few speakers.

    Parameters
    ----------
    partition : PartitionResult
    fewest : int
        Speakers that a shown figure needs (`min_speakers_shown`).
    everyone : int
        Speakers of the whole log.
    """
    hidden = hidden_cells(partition, fewest)
    reason = f"suppressed: fewer than {fewest} speakers, here or in what it could be subtracted from"
    cohorts = tuple(_cohort(c, c.cohort in hidden, reason) for c in partition.cohorts)
    sides = {name: _side(getattr(partition, name), fewest, reason) for name in ("bottom", "top", "rest")}
    shown = {name for name, side in sides.items() if side is not None and side.wer is not None}
    unassigned = partition.unassigned
    if unassigned is not None and UNASSIGNED_CELL in hidden:
        unassigned = _unassigned(unassigned, reason)
    overall_shown = (partition.overall.speakers or 0) >= fewest
    in_sample = (
        partition.in_sample_gap if {"bottom", "top"} <= shown or _all_large(partition, fewest) else None
    )
    return msgspec.structs.replace(
        partition,
        cohorts=cohorts,
        unassigned=unassigned,
        **sides,
        overall=suppress_rate(partition.overall, fewest),
        gap=_gap(partition.gap, {"bottom", "top"} <= shown or partition.bottom is None, reason),
        gaps=Gaps(
            rest=_gap_or_none(partition.gaps.rest, {"bottom", "rest"} <= shown, reason),
            overall=_gap_or_none(partition.gaps.overall, "bottom" in shown and overall_shown, reason),
            reference=_gap_or_none(partition.gaps.reference, {"bottom", "top"} <= shown, reason),
        ),
        gap_by_share=_curve(partition, hidden, fewest),
        in_sample_gap=in_sample,
    )


def suppress_rate(rate: R, fewest: int) -> R:
    """Blank a rate of fewer than `fewest` speakers; none at all is no secret."""
    if rate.speakers is None or rate.speakers == 0 or rate.speakers >= fewest:
        return rate
    return _blank(rate, f"suppressed: fewer than {fewest} speakers")


def hidden_cells(partition: PartitionResult, fewest: int) -> set[str]:
    """Choose the cells that are blanked: the small ones, and what would give them away.

    Returns
    -------
    set of str
        Names of cohorts, and `UNASSIGNED_CELL`.
    """
    size = {c.cohort: c.speakers or 0 for c in partition.cohorts}
    if partition.unassigned is not None:
        size[UNASSIGNED_CELL] = partition.unassigned.speakers or 0
    hidden = {cell for cell, n in size.items() if 0 < n < fewest}
    sums = _published_sums(partition, size)
    changed = True
    while changed:
        changed = False
        for cells in sums:
            secret = sum(size[cell] for cell in cells & hidden)
            shown = sorted((size[cell], cell) for cell in cells - hidden if size[cell] > 0)
            if 0 < secret < fewest and shown:
                hidden.add(shown[0][1])
                changed = True
    return hidden


def _published_sums(partition: PartitionResult, size: dict[str, int]) -> list[set[str]]:
    cohorts = {c.cohort for c in partition.cohorts}
    sums = [cohorts, set(size)]
    named: set[str] = set()
    for side in (partition.bottom, partition.top):
        if side is not None and side.cohorts:
            sums.append(set(side.cohorts))
            named |= set(side.cohorts)
    sums.append(cohorts - named)
    return [cells for cells in sums if cells]


def _curve(partition: PartitionResult, hidden: set[str], fewest: int) -> tuple[SharePoint, ...]:
    """Keep the points of the curve whose steps, and whose two sides, hold enough speakers."""
    size = {c.cohort: c.speakers or 0 for c in partition.cohorts}
    order = [c.cohort for c in sorted(partition.cohorts, key=lambda c: c.rank or 0) if c.rank is not None]
    kept: list[SharePoint] = []
    step: set[str] = set()
    taken: set[str] = set()
    for cohort, point in zip(order, partition.gap_by_share, strict=False):
        step.add(cohort)
        taken.add(cohort)
        left = set(size) - taken
        if all(_safe(cells, size, hidden, fewest) for cells in (step, left)):
            kept.append(point)
            step = set()
    return tuple(kept)


def _safe(cells: set[str], size: dict[str, int], hidden: set[str], fewest: int) -> bool:
    secret = sum(size[cell] for cell in cells & hidden)
    return (secret == 0 or secret >= fewest) and sum(size[cell] for cell in cells) >= fewest


def _all_large(partition: PartitionResult, fewest: int) -> bool:
    sizes: Iterable[int] = (c.speakers or 0 for c in partition.cohorts)
    return all(n == 0 or n >= fewest for n in sizes)


def _cohort(cohort: Cohort, hide: bool, reason: str) -> Cohort:
    if not hide:
        return cohort
    return msgspec.structs.replace(
        _blank(cohort, reason), suppressed=True, share=None, against_reference=None
    )


def _unassigned(unassigned: Unassigned, reason: str) -> Unassigned:
    return msgspec.structs.replace(_blank(unassigned, reason), share=None, reasons={})


def _side(side: Side | None, fewest: int, reason: str) -> Side | None:
    if side is None or not side.speakers or side.speakers >= fewest:
        return side
    return msgspec.structs.replace(_blank(side, reason), share=None)


def _gap(gap: Gap, shown: bool, reason: str) -> Gap:
    return gap if shown or gap.relative is None else Gap(definition=gap.definition, reason=reason)


def _gap_or_none(gap: Gap | None, shown: bool, reason: str) -> Gap | None:
    return None if gap is None else _gap(gap, shown, reason)


def _blank(rate: R, reason: str) -> R:
    return msgspec.structs.replace(rate, **dict.fromkeys(_FIGURES), reason=reason)
