"""The figures of an audit: what is drawn, and the same in words for those who cannot see it."""

from __future__ import annotations

from functools import partial
from math import ceil

from fairaudit import plot
from fairaudit.areas import is_on_map
from fairaudit.report.blocks import Figure, Table
from fairaudit.report.wording import (
    cohorts_of,
    confidence_text,
    denominator_of,
    rate_text,
    subject_of,
    worst_first,
)
from fairaudit.result import AuditResult, Cohort, PartitionResult
from fairaudit.wording import capitalised, clean, cohort_name, counted, p_text, percent

#: Cohorts that a text alternative names at either end.
NAMED = 3
#: Shares of speakers at which a text alternative reads a curve.
SHARES = (0.05, 0.10, 0.20)
KINDS = ("substitutions", "deletions", "insertions")


def forest_figure(partition: PartitionResult, result: AuditResult) -> Figure | None:
    """Return the rates of a partition's cohorts with their intervals; None where there are none.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult
    """
    shown = [c for c in partition.cohorts if c.wer is not None]
    if not shown:
        return None
    name = clean(result.metric.name)
    everyone = (
        f" All measured speakers: {rate_text(partition.overall)}."
        if partition.overall.wer is not None
        else ""
    )
    caption = (
        f"{name} of each cohort by {subject_of(partition)} with {confidence_text(result)} intervals, "
        f"{_top(partition)}; {cohorts_of(partition)}."
    )
    return Figure(
        _name("forest", partition, result),
        caption,
        f"{name} of {counted(len(shown), 'cohort')} as marks on lines that are their intervals. "
        f"{_ends(shown)}{everyone}",
        partial(plot.forest, result, partition=partition.name),
    )


def errors_figure(partition: PartitionResult, result: AuditResult) -> Figure | None:
    """Return the errors of each cohort by kind; None where the log has no kinds of error.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult
    """
    shown = [c for c in worst_first(partition.cohorts) if c.wer is not None and c.substitutions is not None]
    shown = [c for c in shown if c.ref_words]
    if not shown:
        return None
    unit = denominator_of(result)
    told = "; ".join(f"{cohort_name(c)}: {_by_kind(c)}" for c in shown[:NAMED])
    most = max(KINDS, key=lambda kind: sum(getattr(c, kind) or 0 for c in shown))
    return Figure(
        _name("errors", partition, result),
        f"Errors per 100 {unit} by kind, each cohort by {subject_of(partition)}, {_top(partition)}.",
        f"A bar for each of {counted(len(shown), 'cohort')}, made of substitutions, deletions and "
        f"insertions per 100 {unit}. {capitalised(told)}. Over all of them {most} are the most frequent "
        "kind.",
        partial(plot.errors, result, partition=partition.name),
    )


def chance_figure(partition: PartitionResult, result: AuditResult) -> Figure | None:
    """Return the gaps that chance alone gave, with the audit's own; None without permutations.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult
    """
    chance = partition.chance
    gaps = sorted(gap for gap in chance.gaps if gap is not None) if chance else []
    if chance is None or not gaps or partition.gap.relative is None:
        return None
    beyond = sum(gap >= partition.gap.relative for gap in gaps)
    once = f"; once in 20 above {percent(chance.p95)} %" if chance.p95 is not None else ""
    p = f" p is {p_text(chance.p_value)}." if chance.p_value is not None else ""
    return Figure(
        _name("chance", partition, result),
        f"The gap of this audit by {subject_of(partition)} among the gaps that chance alone gave.",
        f"A histogram of the gaps of {counted(len(gaps), 'permuted log')}: from {percent(gaps[0])} to "
        f"{percent(gaps[-1])} %, half of them below {percent(gaps[len(gaps) // 2])} %{once}. The gap of "
        f"this audit, {percent(partition.gap.relative)} %, is a line; {counted(beyond, 'permuted gap')} "
        f"reach it.{p}",
        partial(plot.chance, result, partition=partition.name),
    )


def chance_table(partition: PartitionResult) -> Table | None:
    """Return what a histogram of chance gaps shows, in percentiles; None without permutations.

    Parameters
    ----------
    partition : PartitionResult
    """
    gaps = sorted(gap for gap in partition.chance.gaps if gap is not None) if partition.chance else []
    if not gaps:
        return None
    rows = [
        # The next gap above, as the gap that chance alone exceeds once in 20 is read off.
        (f"{100 * part:g} %", percent(gaps[ceil(part * (len(gaps) - 1))]))
        for part in (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
    ]
    rows.append(("this audit", percent(partition.gap.relative)))
    head = ("So many permuted logs are at or below", "Gap (%)")
    return Table("The gaps that chance alone gave", head, tuple(rows))


def curve_figure(result: AuditResult) -> Figure | None:
    """Return the gaps of all partitions at each share of speakers; None where none has a curve.

    Parameters
    ----------
    result : AuditResult
    """
    told = [text for p in result.partitions if (text := _curve(p))]
    if not told:
        return None
    return Figure(
        "gap-by-share",
        "Gap of the worst cohorts, taken together, against everyone else, by how many of the speakers they "
        "hold.",
        f"A line for each partition. {' '.join(told)}",
        partial(plot.gap_by_share, result),
    )


def map_figure(partition: PartitionResult, result: AuditResult) -> Figure | None:
    """Return where the cohorts live; None for a partition that does not lie on a map.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult
    """
    shown = [c for c in partition.cohorts if c.wer is not None]
    if not is_on_map(partition) or not shown:
        return None
    hidden, undecided = len(partition.cohorts) - len(shown), sum(c.status == "undecided" for c in shown)
    hatched = [
        f"{counted(undecided, 'cohort')} not told from everybody else" if undecided else "",
        f"{counted(hidden, 'cohort')} not shown" if hidden else "",
    ]
    told = " and ".join(text for text in hatched if text)
    return Figure(
        _name("map", partition, result),
        f"Where the cohorts by {subject_of(partition)} live; darker is worse.",
        f"A map of {counted(len(partition.cohorts), 'cohort')}, coloured by {clean(result.metric.name)}. "
        f"{_ends(shown)}{_hexagons(shown)}{f' Hatched: {told}.' if told else ''}",
        partial(plot.regions, result, partition=partition.name),
    )


def voices_figure(partition: PartitionResult, result: AuditResult) -> Figure | None:
    """Return the clusters of voices in a plane; None for a partition of another kind.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult
    """
    shown = [c for c in partition.cohorts if c.wer is not None]
    if partition.layout is None or not shown:
        return None
    bottom = partition.bottom.cohorts if partition.bottom else ()
    marked = "; ".join(cohort_name(c) for c in shown if c.cohort in bottom) or "none"
    return Figure(
        _name("voices", partition, result),
        "Clusters of voices: near each other where they sound alike, as large as their share of speakers.",
        f"{counted(len(shown), 'cluster')} as circles in the plane of the first two principal components "
        f"of their centroids, coloured by {clean(result.metric.name)}. {_ends(shown)} Marked as the "
        f"bottom: {marked}.",
        partial(plot.voices, result, partition=partition.name),
    )


def _name(kind: str, partition: PartitionResult, result: AuditResult) -> str:
    """Name a figure by the place of its partition: names of the user's are no ids."""
    names = [p.name for p in result.partitions]
    return f"{kind}-{names.index(partition.name) + 1}"


def _top(partition: PartitionResult) -> str:
    """Say which cohort is drawn on top."""
    ranked = any(c.rank is not None for c in partition.cohorts)
    return f"the {'worst-ranked' if ranked else 'highest rate'} on top"


def _hexagons(cohorts: list[Cohort]) -> str:
    """Say how much of the map is drawn of cohorts of ZIP codes."""
    told = [f"{counted(len(c.hexagons), 'hexagon')} of {cohort_name(c)}" for c in cohorts if c.hexagons]
    return f" Drawn are {'; '.join(told)}." if told else ""


def _ends(cohorts: list[Cohort]) -> str:
    """Name the highest and the lowest rates."""
    ordered = sorted(cohorts, key=lambda c: -(c.wer or 0.0))
    if len(ordered) <= 2 * NAMED:
        return f"From the highest: {'; '.join(map(_rated, ordered))}."
    highest, lowest = ordered[:NAMED], ordered[: -NAMED - 1 : -1]
    return f"Highest: {'; '.join(map(_rated, highest))}. Lowest: {'; '.join(map(_rated, lowest))}."


def _rated(cohort: Cohort) -> str:
    return f"{cohort_name(cohort)}, {rate_text(cohort)}"


def _by_kind(cohort: Cohort) -> str:
    words = cohort.ref_words or 1
    return ", ".join(f"{percent((getattr(cohort, kind) or 0) / words)} {kind}" for kind in KINDS)


def _curve(partition: PartitionResult) -> str:
    """Read a curve at a few shares, and at its beginning."""
    points = [point for point in partition.gap_by_share if point.relative is not None]
    if not points:
        return ""
    read = [points[0], *(next((p for p in points if p.share >= share), points[-1]) for share in SHARES)]
    told = [f"{percent(p.relative)} % at {percent(p.share)} % of speakers" for p in dict.fromkeys(read)]
    return f"By {subject_of(partition)}: {', '.join(told)}."
