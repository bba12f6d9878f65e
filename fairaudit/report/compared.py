"""A comparison in words, tables and figures, the same for a terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from fairaudit.changes import Change, CohortChange, ComparisonResult, PartitionChange, RateChange
from fairaudit.provenance import Subject
from fairaudit.report.blocks import Block, Document, Fact, Facts, Paragraph, Points, Section, Table
from fairaudit.report.document import inputs_table, joined_table, scoring_text
from fairaudit.report.notes import excluded, independent, lowered, narrowed, skipped, unchecked
from fairaudit.report.summary import Footnotes
from fairaudit.report.terminal import NARROWEST, laid_out, wrapped
from fairaudit.report.wording import (
    DASH,
    amount,
    between,
    capitalised,
    change_text,
    clean,
    cohort_name,
    confidence_text,
    count,
    counted,
    gap_text,
    percent,
    rate_text,
    setting,
    tail_text,
)

#: Most cohorts of a partition that a terminal shows.
MOST_NAMED = 12
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
PAIRED = (
    "The same utterances through both releases. Every speaker is left out with the rows of both at once "
    "(jackknife), so that what the releases have in common cancels; Student's t on the effective number of "
    "speakers. Negative is better."
)
MATCHED = (
    "It takes the utterances of a speaker for independent, which they are not: it finds differences too "
    "often. It is here for those who expect it."
)


def compared_document(result: ComparisonResult) -> Document:
    """Put a comparison into words and tables.

    Parameters
    ----------
    result : ComparisonResult

    Returns
    -------
    Document
        Plain text throughout; labels and names of the user's are in it unescaped.
    """
    return Document(
        title=title(result),
        sentence=sentence(result),
        opening=(*_warnings(result), changes_table(result), Paragraph(PAIRED)),
        sections=(
            _compared(result),
            *(_section(partition, result) for partition in result.partitions),
            _reproduced(result),
        ),
    )


def compared_text(result: ComparisonResult, width: int = 120) -> str:
    """Render a comparison for a terminal, without colour codes.

    Parameters
    ----------
    result : ComparisonResult
    width : int
        Columns of the terminal, at least 80.
    """
    width = max(width, NARROWEST)
    table = changes_table(result)
    notes = [wrapped(f"[{n}] {note}", width, "    ") for n, note in enumerate(table.notes, start=1)]
    tables = [_cohorts(p, result, most=MOST_NAMED) for p in result.partitions]
    parts = [
        wrapped(sentence(result), width),
        *(wrapped(f"WARNING: {warning.text}", width) for warning in _warnings(result)),
        laid_out(table, width, compact=True),
        "\n".join(notes),
        wrapped(f"{title(result)}. {capitalised(_overall(result))}; {amount(result)}.", width),
        *(_laid_out(t, width) for t in tables if t),
        "\n".join(wrapped(f"* {remark}", width, "  ") for remark in _remarks(result)),
        wrapped(clean(result.signature), width),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _laid_out(table: Table, width: int) -> str:
    notes = [wrapped(f"[{n}] {note}", width, "    ") for n, note in enumerate(table.notes, start=1)]
    return "\n".join([wrapped(table.caption, width), laid_out(table, width, compact=True), *notes])


def title(result: ComparisonResult) -> str:
    """Return what was compared, in the words of the user."""
    first, second = (clean(subject.model or name) for subject, name in _named(result))
    on = f" on {clean(result.candidate.dataset)}" if result.candidate.dataset else ""
    return f"Comparison of releases: {first} to {second}{on}"


def sentence(result: ComparisonResult) -> str:
    """Say what a comparison found, in one or two sentences on one line."""
    shown = [c for p in result.partitions for c in p.cohorts if c.change.relative_low is not None]
    worse = sum((c.change.relative_low or 0) > 0 for c in shown)
    better = sum((c.change.relative_high or 0) < 0 for c in shown)
    text = f"{capitalised(_overall(result))}."
    if not shown:
        return f"{text} No cohort has a change with an interval that may be shown."
    told = f"{worse} got worse, {better} better, and for {len(shown) - worse - better} it cannot be told"
    return (
        f"{text} Of {counted(len(shown), 'cohort')} that can be compared, {told}, each by its own interval."
    )


def changes_table(result: ComparisonResult) -> Table:
    """Return the printed table: a row for each partition."""
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
        cells = [cell for change in (p.overall.change, worst, gap) for cell in _cells(change, footnotes)]
        rows.append((clean(p.name), *cells))
    return Table(f"Change of {name} by partition, paired", head, tuple(rows), notes=footnotes.texts())


def _cells(change: Change, footnotes: Footnotes) -> tuple[str, str]:
    no_interval = change.relative is not None and change.relative_low is None
    return (
        footnotes.mark(percent(change.relative), change.reason if change.relative is None else None),
        footnotes.mark(
            between(change.relative_low, change.relative_high), change.reason if no_interval else None
        ),
    )


def _overall(result: ComparisonResult) -> str:
    name, overall = clean(result.metric.name), result.overall
    if overall.baseline.wer is None:
        return f"{name} of all: {clean(overall.baseline.reason or DASH)}"
    return (
        f"{name} of all went from {percent(overall.baseline.wer)} % to {percent(overall.candidate.wer)} %: "
        f"{change_text(overall.change)}"
    )


def _named(result: ComparisonResult) -> Iterable[tuple[Subject, str]]:
    for role, subject in (("baseline", result.baseline), ("candidate", result.candidate)):
        yield subject, next((source.name for source in result.inputs if source.role == role), role)


def _warnings(result: ComparisonResult) -> tuple[Paragraph, ...]:
    names = [clean(p.name) for p in result.partitions if p.exploratory]
    texts = [independent(result), *map(clean, result.log.warnings)]
    if names:
        texts.append(
            f"Exploratory: {', '.join(names)} found in one of these very logs. Only the half of the speakers "
            "among whom it was not found is measured; another log would be the test."
        )
    texts += [f"{clean(p.name)}: {clean(text)}" for p in result.partitions for text in p.warnings]
    return tuple(Paragraph(capitalised(text), loud=True) for text in texts if text)


def _remarks(result: ComparisonResult) -> list[str]:
    """Return what was left out, suppressed, not placed or vanished."""
    texts = [_paired(result), narrowed(result), excluded(result), unchecked(result)]
    for p in result.partitions:
        name = clean(p.name)
        hidden = [c for c in p.cohorts if c.suppressed]
        if hidden:
            why = clean(hidden[0].change.reason or "suppressed")
            are = "is" if len(hidden) == 1 else "are"
            texts.append(f"{name}: {len(hidden)} of {counted(len(p.cohorts), 'cohort')} {are} {why}.")
        if p.vanished:
            texts.append(f"{name}: nobody is left of {', '.join(map(clean, p.vanished))}.")
        if p.unassigned is not None:
            share = f", {percent(p.unassigned_share)} % of speakers" if p.unassigned_share is not None else ""
            texts.append(f"{name}: without a cohort{share}: {_moved(p.unassigned)}.")
    texts += [skipped(result, "compared"), lowered(result)]
    return [text for text in texts if text]


def _paired(result: ComparisonResult) -> str:
    pairing = result.pairing
    left = (
        (pairing.baseline_only, "in the baseline alone"),
        (pairing.candidate_only, "in the candidate alone"),
        (pairing.different_reference, "with another reference"),
    )
    told = ", ".join(f"{count(n)} {where}" for n, where in left if n)
    paired = f"{counted(pairing.matched, 'utterance')} paired"
    return (
        f"{capitalised(paired)}; left out: {told}." if told else f"{capitalised(paired)}, all of both logs."
    )


def _moved(rates: RateChange) -> str:
    if rates.baseline.wer is None:
        return clean(rates.baseline.reason or DASH)
    before, after = percent(rates.baseline.wer), percent(rates.candidate.wer)
    return f"{before} % to {after} %, {change_text(rates.change)}"


def _section(partition: PartitionChange, result: ComparisonResult) -> Section:
    p = partition
    facts = [
        Fact("Everybody with a cohort", _moved(p.overall)),
        *(Fact(capitalised(n), _moved(s)) for n in ("bottom", "top", "rest") if (s := getattr(p, n))),
    ]
    if p.gap is not None:
        gap = f"{gap_text(p.gap.baseline)} before, {gap_text(p.gap.candidate)} after"
        facts += [
            Fact("Gap, bottom against top", gap),
            Fact("Change of the gap", change_text(p.gap.change), GAP),
            Fact("Change of the gap in points", change_text(p.gap.change, absolute=True)),
        ]
    worst = f"{cohort_name(p.worst)}: {_moved(p.worst)}" if p.worst else clean(p.worst_reason or DASH)
    facts.append(Fact("Worst cohort of the baseline", worst, WORST))
    facts.append(Fact("Highest rate", change_text(p.maximum) if p.maximum else DASH, MAXIMUM))
    blocks: list[Block | None] = [
        Paragraph(capitalised(clean(p.reason)) + ".") if p.reason else Facts(tuple(facts)),
        _cohorts(p, result),
    ]
    return Section(f"By {clean(p.name)}", tuple(block for block in blocks if block is not None))


def _cohorts(partition: PartitionChange, result: ComparisonResult, most: int | None = None) -> Table | None:
    """Return the table of cohorts, those that got worse first."""
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
        *_cells(change, footnotes),
        percent(change.absolute),
        count(cohort.baseline.speakers),
        percent(cohort.share.speakers if cohort.share else None),
    )


def _compared(result: ComparisonResult) -> Section:
    """Say what was read and paired, and what was left out."""
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
    blocks: list[Block] = [
        Facts(tuple(facts)),
        Points(tuple(_remarks(result)), "To know"),
        inputs_table(result),
    ]
    if result.log.joined:
        blocks.append(joined_table(result))
    return Section("What was compared", tuple(blocks))


def _reproduced(result: ComparisonResult) -> Section:
    options = "; ".join(f"{name}: {setting(value)}" for name, value in result.options.items())
    versions = ", ".join(f"{clean(name)} {clean(version)}" for name, version in result.environment.items())
    facts = (
        Fact("Signature", clean(result.signature)),
        Fact("Made", clean(result.created_at)),
        Fact("Seed", str(result.seed)),
        Fact("Options", options),
        Fact("Versions", versions),
    )
    digests = tuple((clean(p.name), p.kind, p.digest or "none") for p in result.partitions)
    return Section(
        "How to reproduce",
        (Facts(facts), Table("Digests of the rules", ("Partition", "Kind", "SHA-256"), digests, texts=3)),
    )
