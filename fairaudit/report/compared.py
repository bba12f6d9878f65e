"""A comparison in words and tables, the same for a terminal, Markdown and HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import inf

from fairaudit.changes import (
    FEWEST_SPEAKERS,
    Change,
    CohortChange,
    ComparisonResult,
    PartitionChange,
    RateChange,
)
from fairaudit.provenance import Subject
from fairaudit.report.blocks import Table
from fairaudit.report.summary import Footnotes
from fairaudit.report.wording import change_text, confidence_text
from fairaudit.wording import DASH, between, capitalised, clean, cohort_name, count, counted, percent

#: Most cohorts of a partition that are listed as worse, and as better.
MOST_LISTED = 6


def title(result: ComparisonResult) -> str:
    """Return what was compared, in the words of the user.

    Parameters
    ----------
    result : ComparisonResult
    """
    first, second = (clean(subject.model or name) for subject, name in named(result))
    on = f" on {clean(result.candidate.dataset)}" if result.candidate.dataset else ""
    return f"Comparison of releases: {first} to {second}{on}"


def sentence(result: ComparisonResult) -> str:
    """Say what a comparison found, in one or two sentences on one line.

    Parameters
    ----------
    result : ComparisonResult
    """
    return f"{capitalised(overall_text(result))}. {told_of_cohorts(result)}"


def told_of_cohorts(result: ComparisonResult) -> str:
    """Say how many cohorts got worse and better, each by its own interval.

    Parameters
    ----------
    result : ComparisonResult
    """
    told_of = Counter(verdict_on(c) for p in result.partitions for c in p.cohorts)
    worse, better, unclear = (told_of[verdict] for verdict in ("worse", "better", "undecided"))
    shown = worse + better + unclear
    if not shown:
        return "No cohort has a change with an interval that may be shown."
    told = f"{worse} got worse, {better} better, and for {unclear} it cannot be told"
    return f"Of {counted(shown, 'cohort')} that can be compared, {told}, each by its own interval."


def changes_table(result: ComparisonResult) -> Table:
    """Return the printed table: a row for each partition.

    Parameters
    ----------
    result : ComparisonResult
    """
    name, level, footnotes = clean(result.metric.name), f"{confidence_text(result)} interval", Footnotes()
    head = (
        "Cohorts by",
        f"{name} change (%)",
        level,
        "Worst cohort's change (%)",
        level,
        "Gap change (%)",
        level,
    )
    rows = []
    for p in result.partitions:
        worst = p.worst.change if p.worst else Change(reason=p.reason or p.worst_reason)
        gap = p.gap.change if p.gap else Change(reason=p.reason)
        cells = [
            cell for change in (p.overall.change, worst, gap) for cell in change_cells(change, footnotes)
        ]
        rows.append((clean(p.name), *cells))
    return Table(f"Change of {name} by partition, paired", head, tuple(rows), notes=footnotes.texts())


def change_cells(change: Change, footnotes: Footnotes) -> tuple[str, str]:
    """Return a change and its interval, with footnotes where there is none.

    Parameters
    ----------
    change : Change
    footnotes : Footnotes
    """
    no_interval = change.relative is not None and change.relative_low is None
    return (
        footnotes.mark(percent(change.relative), change.reason if change.relative is None else None),
        footnotes.mark(
            between(change.relative_low, change.relative_high), change.reason if no_interval else None
        ),
    )


def overall_text(result: ComparisonResult) -> str:
    """Say what became of the rate of everybody.

    Parameters
    ----------
    result : ComparisonResult
    """
    name, overall = clean(result.metric.name), result.overall
    if overall.baseline.wer is None:
        return f"{name} of all: {clean(overall.baseline.reason or DASH)}"
    return (
        f"{name} of all went from {percent(overall.baseline.wer)} % to {percent(overall.candidate.wer)} %: "
        f"{change_text(overall.change)}"
    )


def named(result: ComparisonResult) -> Iterable[tuple[Subject, str]]:
    """Yield both releases, each with the name of its file.

    Parameters
    ----------
    result : ComparisonResult
    """
    for role, subject in (("baseline", result.baseline), ("candidate", result.candidate)):
        yield subject, next((source.name for source in result.inputs if source.role == role), role)


def moved(rates: RateChange) -> str:
    """Say what became of a rate.

    Parameters
    ----------
    rates : RateChange
    """
    if rates.baseline.wer is None:
        return clean(rates.baseline.reason or DASH)
    before, after = percent(rates.baseline.wer), percent(rates.candidate.wer)
    return f"{before} % to {after} %, {change_text(rates.change)}"


def changed_table(
    partition: PartitionChange, result: ComparisonResult, most: int | None = None
) -> Table | None:
    """Return the table of cohorts, those that got worse first.

    Parameters
    ----------
    partition : PartitionChange
    result : ComparisonResult
    most : int, optional
    """
    footnotes, level = Footnotes(), f"{confidence_text(result)} interval"
    head = ("Cohort", "Baseline (%)", "Candidate (%)", "Change (%)", level, "Points", "Speakers", "Share (%)")
    ordered = sorted(partition.cohorts, key=_order)
    # A terminal has no room for rows without a figure.
    shown = [c for c in ordered if most is None or c.baseline.wer is not None][:most]
    rows = [_row(cohort, footnotes) for cohort in shown]
    if not rows:
        return None
    more = f"; {len(ordered) - len(rows)} more in changes.csv" if len(ordered) > len(rows) else ""
    caption = f"Cohorts by {clean(partition.name)}, by their change{more}"
    return Table(caption, head, tuple(rows), notes=footnotes.texts())


def _order(cohort: CohortChange) -> tuple[bool, float, str]:
    change = cohort.change.relative
    return cohort.baseline.wer is None, -(inf if change is None else change), cohort.cohort


def _row(cohort: CohortChange, footnotes: Footnotes) -> tuple[str, ...]:
    change = cohort.change
    return (
        cohort_name(cohort),
        percent(cohort.baseline.wer),
        percent(cohort.candidate.wer),
        *change_cells(change, footnotes),
        percent(change.absolute),
        count(cohort.baseline.speakers),
        percent(cohort.share.speakers if cohort.share else None),
    )


def verdict_on(cohort: CohortChange) -> str:
    """Say whether the interval of a change leaves 0 out: worse, better or undecided.

    Of so few speakers that a gate would not go by the interval it is undecided.

    Parameters
    ----------
    cohort : CohortChange
    """
    low, high = cohort.change.relative_low, cohort.change.relative_high
    if low is None or high is None:
        return DASH
    if (cohort.baseline.speakers or 0) < FEWEST_SPEAKERS:
        return "undecided"
    return "worse" if low > 0 else "better" if high < 0 else "undecided"


def most_changed_table(result: ComparisonResult) -> Table | None:
    """Return the cohorts of all partitions that got worse or better, and the worst of the baseline.

    Parameters
    ----------
    result : ComparisonResult

    Returns
    -------
    Table or None
        None where no cohort is to be told of.
    """
    footnotes = Footnotes()
    told = []
    for p in result.partitions:
        bottom = p.bottom.cohorts if p.bottom else ()
        ordered = sorted(p.cohorts, key=_order)
        worse = [c for c in ordered if verdict_on(c) == "worse"]
        better = [c for c in reversed(ordered) if verdict_on(c) == "better"]
        kept = [*worse[:MOST_LISTED], *[c for c in ordered if c.cohort in bottom], *better[:MOST_LISTED]]
        told += [(p, c) for c in {c.cohort: c for c in kept}.values()]
    if not told:
        return None
    head = (
        "Cohort",
        "By",
        "Side",
        "Verdict",
        "Baseline (%)",
        "Candidate (%)",
        "Change (%)",
        f"{confidence_text(result)} interval",
        "Speakers",
    )
    rows = tuple(
        (
            clean(c.label),
            clean(p.name),
            "bottom" if p.bottom and c.cohort in p.bottom.cohorts else DASH,
            verdict_on(c),
            percent(c.baseline.wer),
            percent(c.candidate.wer),
            *change_cells(c.change, footnotes),
            count(c.baseline.speakers),
        )
        for p, c in told
    )
    caption = (
        "Cohorts of every partition: those who got worse, the bottom, and those who got better, at most "
        f"{MOST_LISTED} of each"
    )
    return Table(caption, head, rows, texts=4, notes=footnotes.texts())
