"""The worst-served cohorts of all partitions in one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fairaudit.report.blocks import Block, Paragraph, Section, Table
from fairaudit.report.evidence import STATUS
from fairaudit.report.sentence import has_gap, is_told
from fairaudit.report.summary import Footnotes
from fairaudit.report.wording import by_rate, confidence_text, subject_of, worst_first
from fairaudit.result import AuditResult, Cohort, PartitionResult
from fairaudit.wording import DASH, between, clean, count, percent

#: Most cohorts of a partition that are listed, and so many of the highest rates.
MOST_LISTED, HIGHEST = 8, 3


def worst_section(result: AuditResult) -> Section:
    """List the cohorts at the bottom of each partition, those that are really worse, and the highest rates.

    Parameters
    ----------
    result : AuditResult
    """
    name, footnotes = clean(result.metric.name), Footnotes()
    rows = [row for p in result.partitions for row in _rows(p, footnotes)]
    if not rows:
        return Section("Who is served worst", (Paragraph("No cohort has a figure that may be shown."),))
    head = (
        "Cohort",
        "By, and why it is listed",
        "Verdict",
        f"{name} (%)",
        f"{confidence_text(result)} interval",
        "Speakers",
        "Above everyone else (%)",
        "from, to (%)",
    )
    margin = percent(float(result.options.get("margin", 0.1)))
    said = (
        f"Each row is one group of speakers. Its {name} counts their own errors; the interval is the range "
        "that fits what was heard of them, so that few speakers give a wide one. Above everyone else: how "
        "much higher it is than that of all other speakers. Verdict: worse means that chance does not "
        "explain it, after allowing for all the cohorts that were looked at; not worse, that it is at "
        f"most {margin} % above; undecided, that too little was heard to say either."
    )
    table = Table(
        "The worst-served cohorts of every partition", head, tuple(rows), texts=3, notes=footnotes.texts()
    )
    blocks: list[Block] = [
        Paragraph(said),
        *([Paragraph(apart)] if (apart := _told_apart(result)) else []),
        table,
    ]
    return Section("Who is served worst", tuple(blocks))


def _told_apart(result: AuditResult) -> str:
    """Reconcile a gap that is told from chance with a bottom of which no cohort is told to be worse."""
    names = [
        subject_of(p)
        for p in result.partitions
        if has_gap(p) and is_told(p, result) and not _any_worse(p) and p.bottom and p.bottom.cohorts
    ]
    if not names:
        return ""
    return (
        f"By {' and by '.join(names)} the gap is told from chance although no cohort of the bottom is called "
        "worse by itself: the gap takes together what was found on both halves of the speakers, a row is one "
        "cohort on one half, of which less was heard."
    )


def _any_worse(partition: PartitionResult) -> bool:
    bottom = partition.bottom.cohorts if partition.bottom else ()
    return any(c.status == "flagged" or c.status is None for c in partition.cohorts if c.cohort in bottom)


def _rows(partition: PartitionResult, footnotes: Footnotes) -> Iterator[tuple[str, ...]]:
    bottom = set(partition.bottom.cohorts) if partition.bottom else set()
    ranked = worst_first(c for c in partition.cohorts if c.wer is not None)
    listed = [(c, "bottom") for c in ranked if c.cohort in bottom]
    listed += [(c, "worse than others") for c in ranked if c.status == "flagged" and c.cohort not in bottom]
    more = len(listed) - MOST_LISTED
    for number, (cohort, why) in enumerate(listed[:MOST_LISTED], start=1):
        cut = more > 0 and number == MOST_LISTED
        said = f"{more} more by {subject_of(partition)} are listed under All cohorts" if cut else None
        yield _cells(partition, cohort, footnotes.mark(why, said), footnotes)
    for cohort in _highest(ranked, [c for c, _ in listed]):
        why = footnotes.mark("highest rate", _chosen(partition, bottom=bool(bottom)))
        yield _cells(partition, cohort, why, footnotes)


def _highest(ranked: Sequence[Cohort], listed: Sequence[Cohort]) -> Iterator[Cohort]:
    """Yield the highest rates that are not listed and are above one that is."""
    # The rate of a single speaker has no interval, and says the least.
    highest = sorted(by_rate(ranked), key=lambda c: c.low is None)[:HIGHEST]
    lowest = min((c.wer or 0.0 for c in listed), default=-1.0)
    yield from (c for c in highest if c not in listed and (c.wer or 0.0) > lowest)


def _chosen(partition: PartitionResult, *, bottom: bool) -> str:
    if bottom:
        return (
            "not among the worst on the half of the speakers that named the bottom, but highest among those "
            "who are shown: such a selection looks worse than it is"
        )
    return (
        f"{clean(partition.name)}: no bottom was named on held-out speakers; the highest rates are a "
        "selection from the very speakers that are shown, so they look worse than they are"
    )


def _cells(partition: PartitionResult, cohort: Cohort, why: str, footnotes: Footnotes) -> tuple[str, ...]:
    rest = cohort.against_rest
    return (
        clean(cohort.label),
        f"{subject_of(partition)}, {why}",
        STATUS[cohort.status],
        percent(cohort.wer),
        footnotes.mark(between(cohort.low, cohort.high), cohort.reason if cohort.low is None else None),
        count(cohort.speakers),
        percent(rest.relative if rest else None),
        between(rest.relative_low, rest.relative_high) if rest else DASH,
    )
