"""How the partitions of an audit meet: who is at the bottom of two of them."""

from __future__ import annotations

from collections.abc import Sequence

from fairaudit.evidence import Overlap
from fairaudit.report.blocks import Section, Table
from fairaudit.report.wording import title_of
from fairaudit.result import AuditResult
from fairaudit.wording import clean, percent, tail_text


def meeting(result: AuditResult) -> Section | None:
    """Return how the partitions of an audit compare with each other.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    Section or None
        None where there is nothing to compare.
    """
    overlap = _overlap(result)
    return Section("How the partitions meet", (overlap,)) if overlap else None


def _overlap(result: AuditResult) -> Table | None:
    if not result.overlap:
        return None
    titles = {p.name: title_of(p) for p in result.partitions}
    rows = tuple(
        (
            titles.get(o.a, clean(o.a)),
            titles.get(o.b, clean(o.b)),
            percent(o.share),
            percent(o.expected),
            tail_text(o.p_value) if o.reason is None else clean(o.reason),
        )
        for o in _each_pair(result.overlap)
    )
    head = ("Of the bottom of", "in the bottom of", "are (%)", "by chance (%)", "p")
    caption = "Whether those at the bottom of one partition are at the bottom of another, too"
    return Table(caption, head, rows, texts=2)


def _each_pair(overlaps: Sequence[Overlap]) -> list[Overlap]:
    """Return one direction of each pair: of the partition that comes first."""
    seen: set[frozenset[str]] = set()
    kept = []
    for overlap in overlaps:
        pair = frozenset((overlap.a, overlap.b))
        if pair not in seen:
            seen.add(pair)
            kept.append(overlap)
    return kept
