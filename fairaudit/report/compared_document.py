"""The report of a comparison in plain blocks: first what everybody reads, then each partition in detail."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from fairaudit import plot
from fairaudit.changes import CohortChange, ComparisonResult, GapChange, PartitionChange
from fairaudit.report.blocks import (
    Block,
    Document,
    Fact,
    Facts,
    Figure,
    Heading,
    Paragraph,
    Points,
    Section,
    Table,
)
from fairaudit.report.compared import (
    changed_table,
    changes_table,
    most_changed_table,
    moved,
    sentence,
    title,
    told_of_cohorts,
    verdict_on,
)
from fairaudit.report.compared_notes import compared_remarks, compared_warnings
from fairaudit.report.coverage import joined_table, scoring_text
from fairaudit.report.reproduce import reproduced_section
from fairaudit.report.terms import compared_terms
from fairaudit.report.wording import (
    amount,
    change_text,
    confidence_text,
    gap_text,
    made_by,
    rate_text,
    unit_of,
)
from fairaudit.wording import DASH, capitalised, clean, cohort_name, counted, percent, tail_text

#: Cohorts that a text alternative names at either end.
NAMED = 3
WORST = (
    "Named on one half of the baseline's speakers and measured on the other half, both ways and over all "
    "splits: the worst of the baseline regresses to the mean, so on the speakers that named it any "
    "candidate would look better."
)
MAXIMUM = (
    "Of whichever cohort has the highest rate in each release. The baseline's highest is a selection from "
    "the speakers who are measured, so this flatters a candidate; the worst cohort does not."
)
GAP = "Relative: of the ratio of the bottom's rate to the top's. Both could be worse while the gap closes."
PLAINLY = (
    "Both releases recognised the same utterances of the same speakers. Negative is better: fewer errors. "
    "An interval is the range of changes that fits what was heard; how it is made is said under What was "
    "compared."
)
PAIRED = (
    "The same utterances through both releases. Every speaker is left out with the rows of both at once "
    "(jackknife), so that what the releases have in common cancels; Student's t on the effective number of "
    "speakers. Negative is better."
)
MATCHED = (
    "It takes the utterances of a speaker for independent, which they are not: it finds differences too "
    "often. It is here for those who expect it."
)
CHANGED = (
    "Each row is one group of speakers, those who got worse first. Worse or better: the interval of its "
    "change leaves 0 out. Of many cohorts a few will do so by chance, since the intervals are not "
    "corrected for their number; a gate corrects for it."
)
FORESTS = (
    "A mark is the change of a cohort, the line through it its interval. Left of 0 the candidate is better, "
    "right of it worse; a line that crosses 0 tells neither."
)


def compared_document(result: ComparisonResult) -> Document:
    """Put a comparison into words, tables and figures.

    Parameters
    ----------
    result : ComparisonResult

    Returns
    -------
    Document
        Plain text throughout; labels and names of the user's are in it unescaped.
    """
    said = compared_remarks(result)
    left_out = Points(tuple(said)) if said else Paragraph("Nothing.")
    changed = most_changed_table(result)
    return Document(
        title=title(result),
        sentence=_sentence(result),
        opening=(
            *compared_warnings(result),
            plain_changes(result),
            changes_table(result),
            Paragraph(PLAINLY),
        ),
        sections=(
            _compared(result),
            *([Section("Who got worse, and who better", (Paragraph(CHANGED), changed))] if changed else []),
            *_drawn(result),
            Section("What was left out", (left_out,)),
            Section("What the words mean", (Facts(compared_terms(result)),)),
            reproduced_section(result),
            *(_section(partition, result) for partition in result.partitions),
        ),
        made=made_by(result.fairaudit_version, result.created_at),
    )


def _sentence(result: ComparisonResult) -> str:
    """Say in counts of words what a comparison found; another metric is worded as a ratio."""
    overall, unit = result.overall, unit_of(result)
    before, after = overall.baseline.wer, overall.candidate.wer
    if before is None or after is None or unit is None or max(before, after) > 1:
        return sentence(result)
    return (
        f"Of 100 {unit}, {percent(before)} are wrong in the baseline and {percent(after)} in the candidate. "
        f"{told_of_cohorts(result)}"
    )


def plain_changes(result: ComparisonResult) -> Facts:
    """Say in plain words what became of everybody, and of whom it is told that they got worse or better.

    Parameters
    ----------
    result : ComparisonResult
    """
    facts = [Fact("Everybody", f"{clean(result.metric.name)} {moved(result.overall)}.")]
    told = [(p, c) for p in result.partitions for c in p.cohorts]
    for term, verdict in (("Got worse", "worse"), ("Got better", "better")):
        names = [f"{clean(c.label)} ({change_text(c.change)})" for _, c in told if verdict_on(c) == verdict]
        more = f"; and {counted(len(names) - NAMED, 'cohort')} more" if len(names) > NAMED else ""
        none = "No cohort, as far as this comparison can tell."
        facts.append(Fact(term, f"{'; '.join(names[:NAMED])}{more}." if names else none))
    sure = (
        f"Each change has its {confidence_text(result)} interval in brackets: the range that fits what was "
        "heard. Where it holds 0, the cohort may be better or worse; that is no proof that nothing "
        "changed."
    )
    return Facts((*facts, Fact("How sure that is", sure)))


def _compared(result: ComparisonResult) -> Section:
    """Say what was read and paired."""
    name, test = clean(result.metric.name), result.matched_pairs
    facts = [
        Fact("Baseline", clean(result.baseline.model or "not named")),
        Fact("Candidate", clean(result.candidate.model or "not named")),
        Fact("Dataset", clean(result.candidate.dataset or "not named")),
        Fact("Paired", amount(result)),
        Fact(f"{name} of all, baseline", rate_text(result.overall.baseline)),
        Fact(f"{name} of all, candidate", rate_text(result.overall.candidate)),
        Fact("Change", change_text(result.overall.change), PAIRED),
        Fact("Change in points", change_text(result.overall.change, absolute=True)),
        Fact("Text to counts", scoring_text(result)),
    ]
    if test is not None:
        said = clean(test.reason or DASH) if test.statistic is None else f"z = {test.statistic:.2f}"
        p = "" if test.p_value is None else f", p {tail_text(test.p_value)}"
        facts.append(Fact("Matched-pairs test on utterances", f"{said}{p}", MATCHED))
    joined = [joined_table(result)] if result.log.joined else []
    return Section("What was compared", (Facts(tuple(facts)), *joined))


def _drawn(result: ComparisonResult) -> Iterator[Section]:
    """Yield the figures, each with its table beside it."""
    for heading, said, draw in (
        ("Change of all cohorts", FORESTS, _forest),
        ("Both releases", "The rates of everybody and of each cohort, release by release.", _releases),
    ):
        blocks: list[Block] = [Paragraph(said)]
        for number, partition in enumerate(result.partitions, start=1):
            blocks += draw(partition, result, number)
        if len(blocks) > 1:
            yield Section(heading, tuple(blocks))


def _forest(partition: PartitionChange, result: ComparisonResult, number: int) -> list[Block]:
    shown = [c for c in partition.cohorts if c.change.relative is not None]
    table = changed_table(partition, result)
    if not shown or table is None:
        return []
    shown.sort(key=lambda c: -(c.change.relative or 0.0))
    ends = shown if len(shown) <= 2 * NAMED else [*shown[:NAMED], *shown[-NAMED:]]
    told = "; ".join(f"{cohort_name(c)}, {change_text(c.change)}" for c in ends)
    name = clean(result.metric.name)
    figure = Figure(
        f"forest-{number}",
        f"Change of {name} of each cohort by {clean(partition.name)}, those who got worse on top, with "
        f"{confidence_text(result)} intervals.",
        f"The changes of {counted(len(shown), 'cohort')} as marks on lines that are their intervals, and a "
        f"line at no change. From the worst to the best: {told}.",
        partial(plot.forest, result, partition=partition.name),
    )
    return [Heading(f"By {clean(partition.name)}"), figure, table]


def _releases(partition: PartitionChange, result: ComparisonResult, number: int) -> list[Block]:
    shown = [c for c in partition.cohorts if c.baseline.wer is not None and c.candidate.wer is not None]
    if not shown:
        return []
    shown.sort(key=lambda c: -(c.candidate.wer or 0.0))
    told = "; ".join(f"{cohort_name(c)}, {_rates(c)}" for c in shown[:NAMED])
    name, level = clean(result.metric.name), f"{confidence_text(result)} interval"
    figure = Figure(
        f"releases-{number}",
        f"{name} by {clean(partition.name)} in both releases.",
        f"Lines from the baseline to the candidate. Everybody: {moved(partition.overall)}. The highest of "
        f"the candidate: {told}.",
        partial(plot.trend, result, partition=partition.name),
    )
    rows = tuple((cohort_name(c), *_intervals(c)) for c in shown)
    head = ("Cohort", "Baseline (%)", level, "Candidate (%)", level)
    table = Table(f"{name} of both releases by {clean(partition.name)}", head, rows)
    return [Heading(f"By {clean(partition.name)}"), figure, table]


def _rates(cohort: CohortChange) -> str:
    return f"{percent(cohort.baseline.wer)} % to {percent(cohort.candidate.wer)} %"


def _intervals(cohort: CohortChange) -> Iterator[str]:
    for rate in (cohort.baseline, cohort.candidate):
        yield percent(rate.wer)
        yield DASH if rate.low is None else f"{percent(rate.low)} to {percent(rate.high)}"


def _gap(gap: GapChange) -> list[Fact]:
    """Say what became of a gap; in one line that there is none."""
    before, after = gap_text(gap.baseline), gap_text(gap.candidate)
    if before == after and gap.baseline.relative is None:
        return [Fact("Gap, bottom against top", before)]
    return [
        Fact("Gap, bottom against top", f"{before} before, {after} after"),
        Fact("Change of the gap", change_text(gap.change), GAP),
        Fact("Change of the gap in points", change_text(gap.change, absolute=True)),
    ]


def _section(partition: PartitionChange, result: ComparisonResult) -> Section:
    p = partition
    facts = [
        Fact("Everybody with a cohort", moved(p.overall)),
        *(Fact(capitalised(n), moved(s)) for n in ("bottom", "top", "rest") if (s := getattr(p, n))),
    ]
    if p.gap is not None:
        facts += _gap(p.gap)
    worst = f"{cohort_name(p.worst)}: {moved(p.worst)}" if p.worst else clean(p.worst_reason or DASH)
    facts.append(Fact("Worst cohort of the baseline", worst, WORST))
    facts.append(Fact("Highest rate", change_text(p.maximum) if p.maximum else DASH, MAXIMUM))
    block = Paragraph(capitalised(clean(p.reason)) + ".") if p.reason else Facts(tuple(facts))
    return Section(f"In detail: by {clean(p.name)}", (block,))
