"""The part of a report that everybody reads: all cohorts, map, voices, curves, kinds of error, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fairaudit.curve import MATCHED_SHARES, gap_at
from fairaudit.report.adjusted import adjusted_table
from fairaudit.report.blocks import Block, Heading, Paragraph, Section, Table
from fairaudit.report.cohorts import cohorts_table
from fairaudit.report.evidence import STATUS, kinds_table, traits
from fairaudit.report.figures import (
    KINDS,
    curve_figure,
    errors_figure,
    forest_figure,
    map_figure,
    voices_figure,
)
from fairaudit.report.summary import Footnotes
from fairaudit.report.wording import (
    by_partition,
    by_rate,
    confidence_text,
    denominator_of,
    order_of,
    title_of,
    unit_of,
    worst_first,
)
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.wording import DASH, between, clean, cohort_name, count, percent

#: A label counts as more common where its corrected p is at most this.
COMMON = 0.05
Made = Callable[[PartitionResult, AuditResult], Block | None]

MAP = (
    "A region, and people living in ZIP codes of some kind, are places and not the people themselves: "
    "somebody who lives there need not have what the place is named after. Hatched areas tell little: too "
    "few speakers to show, or not told from everybody else."
)
VOICES = (
    "Each circle is a group of speakers whose voices a speaker model hears as alike. A cluster is not an "
    "identity: it may follow accent, age, gender, microphone or room, and only the labels under Why these "
    "cohorts say what it has to do with."
)
CURVES = (
    "A small group can be served much worse, a large one hardly can. So gaps compare only at equal shares of "
    "speakers: take the worst cohorts together until they hold a share, and compare them with everyone else. "
    "Which are the worst was read off one half of the speakers, and the gaps are of the other half, so they "
    "differ from those of all speakers."
)
UNREAD = (
    "suppressed: the words that its cohorts hold would tell of too few speakers, and without them there is "
    "no reading at other shares"
)
ERRORS = (
    "A substitution is a wrong word, a deletion a word that the recogniser left out, an insertion a word "
    "that nobody said. Many deletions point at speech that was not heard, many substitutions at words or "
    "accents that are not known."
)
WHY = (
    "What goes with being in these cohorts. It is no proof of a cause: a label that is more common there may "
    "only go along with what makes recognition hard."
)
NO_BASELINE = (
    "This report is of one release. Once there is another, fairaudit compare BASELINE CANDIDATE --partitions "
    "partitions.json says for each of these cohorts whether it got better or worse."
)


def readers_sections(result: AuditResult) -> Iterator[Section]:
    """Yield what stands between the worst-served cohorts and what was left out.

    Parameters
    ----------
    result : AuditResult
    """
    name = clean(result.metric.name)
    intervals = (
        f"A mark is the {name} of a cohort, the line through it its {confidence_text(result)} interval: "
        "where two lines overlap widely, the cohorts may well be served alike."
    )
    parts: tuple[tuple[str, str, tuple[Made, ...]], ...] = (
        ("All cohorts", intervals, (forest_figure, cohorts_table)),
        ("Where they live", MAP, (map_figure, _map_table)),
        ("How they sound", VOICES, (voices_figure, _voices_table)),
    )
    for title, said, made in parts:
        yield from _section(title, said, result, made)
    curve = curve_figure(result)
    if curve is not None:
        yield Section("The gap at each share of speakers", (Paragraph(CURVES), curve, _curves_table(result)))
    said = ERRORS.replace("word", (unit_of(result) or "units").removesuffix("s"))
    yield from _section("Errors by kind", said, result, (errors_figure, _errors_table, kinds_table))
    yield from _section("Why these cohorts", WHY, result, (traits, adjusted_table))
    yield Section("Change since the baseline", (Paragraph(NO_BASELINE),))


def _section(title: str, said: str, result: AuditResult, made: tuple[Made, ...]) -> Iterator[Section]:
    """Yield a section with what is made of each partition, where anything is."""
    blocks: list[Block] = [Paragraph(said)]
    for partition in result.partitions:
        own = [block for make in made if (block := make(partition, result)) is not None]
        own = [by_partition(block, partition) if isinstance(block, Table) else block for block in own]
        if own:
            blocks += [Heading(title_of(partition)), *own]
    if len(blocks) > 1:
        yield Section(title, tuple(blocks))


def _map_table(partition: PartitionResult, result: AuditResult) -> Table | None:
    """Return what the map shows: each cohort, its rate, how it compares, and how many speakers it has."""
    if map_figure(partition, result) is None:
        return None
    rows = tuple(
        (
            cohort_name(c),
            STATUS[c.status],
            percent(c.wer),
            between(c.low, c.high),
            percent(c.against_rest.relative if c.against_rest else None),
            count(c.speakers),
        )
        for c in by_rate(partition.cohorts)
    )
    level = f"{confidence_text(result)} interval"
    head = (
        "Cohort",
        "Verdict",
        f"{clean(result.metric.name)} (%)",
        level,
        "Above everyone else (%)",
        "Speakers",
    )
    return Table("What the map shows, the highest rate first", head, rows, texts=2)


def _voices_table(partition: PartitionResult, result: AuditResult) -> Table | None:
    """Return the clusters with their shares and rates, the highest rate first."""
    if voices_figure(partition, result) is None:
        return None
    name = clean(result.metric.name)
    rows = tuple(
        (
            cohort_name(c),
            "; ".join(f"{clean(t.column)} is {clean(t.value)}" for t in c.profile if t.p_adjusted <= COMMON)
            or DASH,
            percent(c.share.speakers if c.share else None),
            percent(c.wer),
        )
        for c in by_rate(partition.cohorts)
    )
    head = ("Cohort", "Labels that are more common here", "Share of speakers (%)", f"{name} (%)")
    return Table("Clusters of voices, the highest rate first", head, rows, texts=2)


def _curves_table(result: AuditResult) -> Table:
    """Return the gap against everyone else of all partitions at equal shares, which alone compare."""
    footnotes = Footnotes()
    rows = tuple(
        (_curve_title(p, footnotes), *(_gap_cell(p, share) for share in MATCHED_SHARES))
        for p in result.partitions
        if p.gap_by_share
    )
    head = ("Partition", *(f"{100 * share:g} %" for share in MATCHED_SHARES))
    caption = (
        "Gap of the worst cohorts against everyone else (%), at equal shares of speakers: the cohort in "
        "which a share ends is split, and counts in proportion. In brackets: within the worst cohort, of "
        "which a part is taken that fares like the whole"
    )
    return Table(caption, head, rows, notes=footnotes.texts())


def _curve_title(partition: PartitionResult, footnotes: Footnotes) -> str:
    """Name a partition, with a note where too little of its curve is shown to read it at other shares."""
    read = any(gap_at(partition.gap_by_share, share) is not None for share in MATCHED_SHARES)
    return footnotes.mark(title_of(partition), None if read else UNREAD)


def _gap_cell(partition: PartitionResult, share: float) -> str:
    """Return the gap at a share, in brackets where the worst cohort alone has more speakers."""
    points = partition.gap_by_share
    text = percent(gap_at(points, share))
    return f"({text})" if text != DASH and share < points[0].share else text


def _errors_table(partition: PartitionResult, result: AuditResult) -> Table | None:
    """Return the errors of each cohort by kind, per 100 of what the metric is divided by."""
    if errors_figure(partition, result) is None:
        return None
    rows = tuple(
        (cohort_name(c), *(percent((getattr(c, kind) or 0) / c.ref_words) for kind in KINDS), percent(c.wer))
        for c in worst_first(partition.cohorts)
        if c.wer is not None and c.substitutions is not None and c.ref_words
    )
    head = ("Cohort", "Substitutions", "Deletions", "Insertions", "Together")
    return Table(f"Errors per 100 {denominator_of(result)}, {order_of(partition)}", head, rows)
