"""More than two releases in order: each against the first and against the one before."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import StringIO

from fairaudit import plot
from fairaudit.changes import Change, RateChange
from fairaudit.provenance import Source, Subject
from fairaudit.rates import Rate
from fairaudit.report.blocks import Document, Facts, Figure, Paragraph, Section, Table
from fairaudit.report.compared_document import plain_changes
from fairaudit.report.csv import cell
from fairaudit.report.reproduce import reproduced_section
from fairaudit.report.terminal import NARROWEST, laid_out, wrapped
from fairaudit.report.terms import compared_terms
from fairaudit.report.wording import change_text, confidence_text, made_by, unit_of
from fairaudit.trend import Trend
from fairaudit.wording import between, clean, cohort_name, counted, percent

TREND_COLUMNS = (
    "partition",
    "cohort",
    "label",
    "release",
    "wer",
    "low",
    "high",
    "since_first",
    "since_first_low",
    "since_first_high",
    "since_previous",
    "since_previous_low",
    "since_previous_high",
    "reason",
)
#: Cohorts that a text alternative names.
MOST_NAMED = 4
SAID = (
    "Each release against the first and against the one before, paired, on the same utterances and the same "
    "cohorts. Negative is better. The intervals are not corrected for their number."
)


@dataclass(frozen=True)
class _Line:
    """What is followed over the releases: everybody, or a cohort."""

    partition: str
    cohort: str
    label: str
    first: tuple[RateChange, ...]
    previous: tuple[RateChange, ...]


def trend_text(trend: Trend, width: int = 120) -> str:
    """Render a trend for a terminal.

    Parameters
    ----------
    trend : Trend
    width : int
        Columns of the terminal, at least 80.
    """
    width = max(width, NARROWEST)
    parts = [wrapped(_sentence(trend), width)]
    for _, table in _tables(trend):
        parts.append(f"{wrapped(table.caption, width)}\n{laid_out(table, width, compact=True)}")
    return "\n\n".join([*parts, wrapped(SAID, width)]) + "\n"


def trend_document(trend: Trend) -> Document:
    """Put a trend into words, tables and a figure of each partition.

    Parameters
    ----------
    trend : Trend
    """
    last, tables = trend.since_first[-1], list(_tables(trend, intervals=True))
    figures = {p.name: _figure(trend, p.name, number) for number, p in enumerate(last.partitions, start=1)}
    return Document(
        title=f"Trend over {len(trend.releases)} releases: {', '.join(map(clean, trend.releases))}",
        sentence=_in_words(trend),
        opening=(
            Paragraph("From the first release to the last:"),
            plain_changes(last),
            Paragraph(SAID),
            *(table for partition, table in tables if not partition),
        ),
        sections=(
            *(
                Section(f"By {clean(partition)}", (*figures[partition], table))
                for partition, table in tables
                if partition
            ),
            Section("What the words mean", (Facts(compared_terms(last)),)),
            reproduced_section(
                last, _logs(trend), [subject.model for subject in _subjects(trend)], _folders(trend)
            ),
        ),
        made=made_by(last.fairaudit_version, last.created_at),
    )


def _subjects(trend: Trend) -> list[Subject]:
    return [trend.since_first[0].baseline, *(c.candidate for c in trend.since_first)]


def _folders(trend: Trend) -> str:
    """Name the folders of the comparisons that a trend is made of."""
    last = len(trend.releases)
    pairs = dict.fromkeys(
        f"{number}-against-{against}" for number in range(2, last + 1) for against in (1, number - 1)
    )
    *others, final = pairs
    return (
        f"compare.json of the folders {', '.join(others)} and {final}" if others else f"{final}/compare.json"
    )


def _logs(trend: Trend) -> list[Source]:
    """Return the logs, the first release first."""
    inputs = [trend.since_first[0].inputs, *(c.inputs for c in trend.since_first)]
    roles = ["baseline", *("candidate" for _ in trend.since_first)]
    return [s for sources, role in zip(inputs, roles, strict=True) for s in sources if s.role == role]


def _figure(trend: Trend, partition: str, number: int) -> tuple[Figure, ...]:
    """Return the rates over the releases; nothing where no cohort has one in each."""
    own = [line for line in _lines(trend) if line.partition == partition]
    shown = [line for line in own if line.first[0].baseline.wer is not None]
    if not shown:
        return ()
    shown.sort(key=lambda line: -(line.first[-1].candidate.wer or 0.0))
    told = "; ".join(
        f"{clean(line.label)}, {percent(line.first[0].baseline.wer)} % to "
        f"{percent(line.first[-1].candidate.wer)} %"
        for line in shown[:MOST_NAMED]
    )
    name = clean(trend.since_first[0].metric.name)
    figure = Figure(
        f"trend-{number}",
        f"{name} by {clean(partition)}, release by release.",
        f"A line for everybody and for each of {counted(len(shown), 'cohort')} over "
        f"{counted(len(trend.releases), 'release')}. From the first to the last, the highest first: {told}.",
        partial(plot.trend, trend, partition=partition),
    )
    return (figure,)


def trend_csv(trend: Trend) -> str:
    """Render a trend as CSV with the columns `TREND_COLUMNS`, a row for each cohort and release."""
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(TREND_COLUMNS)
    for line in _lines(trend):
        named = (line.partition, line.cohort, line.label)
        for number, release in enumerate(trend.releases):
            rates = line.first[max(0, number - 1)]
            rate = rates.candidate if number else rates.baseline
            changes = (line.first[number - 1].change, line.previous[number - 1].change) if number else ()
            moved = [v for c in changes for v in (c.relative, c.relative_low, c.relative_high)] or [None] * 6
            row = (*named, release, rate.wer, rate.low, rate.high, *moved, rate.reason)
            writer.writerow([cell(value) for value in row])
    return written.getvalue()


def _sentence(trend: Trend) -> str:
    last, name = trend.since_first[-1], clean(trend.since_first[-1].metric.name)
    rates = [trend.since_first[0].overall.baseline, *(c.overall.candidate for c in trend.since_first)]
    told = ", ".join(
        f"{clean(release)} {percent(rate.wer)} %" for release, rate in zip(trend.releases, rates, strict=True)
    )
    change = last.overall.change
    moved = f"{percent(change.relative)} % ({between(change.relative_low, change.relative_high)})"
    return f"{name} of all: {told}; from first to last {moved}."


def _in_words(trend: Trend) -> str:
    """Say it in counts of words; another metric is worded as a ratio."""
    last = trend.since_first[-1]
    rates = [trend.since_first[0].overall.baseline, *(c.overall.candidate for c in trend.since_first)]
    shown = [rate.wer for rate in rates if rate.wer is not None]
    if unit_of(last) is None or len(shown) < len(rates) or max(shown) > 1:
        return _sentence(trend)
    told = [f"{percent(wer)} in {clean(name)}" for wer, name in zip(shown, trend.releases, strict=True)]
    first, *others = told
    return (
        f"Of 100 {unit_of(last)}, {first.replace(' in ', ' were wrong in ', 1)}, {', '.join(others[:-1])}"
        f"{' and ' if len(others) > 1 else ''}{others[-1]}: {change_text(last.overall.change)}."
    )


def _lines(trend: Trend) -> Iterator[_Line]:
    first, previous = trend.since_first, trend.since_previous
    yield _Line("", "", "everybody", tuple(c.overall for c in first), tuple(c.overall for c in previous))
    for number, partition in enumerate(first[0].partitions):
        for place, cohort in enumerate(partition.cohorts):
            yield _Line(
                partition.name,
                cohort.cohort,
                cohort_name(cohort),
                tuple(c.partitions[number].cohorts[place] for c in first),
                tuple(c.partitions[number].cohorts[place] for c in previous),
            )


def _tables(trend: Trend, *, intervals: bool = False) -> Iterator[tuple[str, Table]]:
    """Yield the table of everybody and of each partition, with its name; the suppressed are in the CSV.

    A terminal has no room for the intervals of the rates.
    """
    level = f"{confidence_text(trend.since_first[0])} interval"
    name = clean(trend.since_first[0].metric.name)
    head = ("Cohort", *(f"{clean(r)}: {name} (%)" for r in trend.releases))
    head += ("Since the first (%)", level, "Since the one before (%)", level)
    lines = list(_lines(trend))
    for partition in dict.fromkeys(line.partition for line in lines):
        own = [line for line in lines if line.partition == partition]
        if intervals:
            # As the lines of the plot end, the highest first.
            own.sort(key=lambda line: -(line.first[-1].candidate.wer or 0.0))
        rows = tuple(
            _row(line, intervals=intervals) for line in own if line.first[0].baseline.wer is not None
        )
        hidden = len(own) - len(rows)
        caption = f"By {clean(partition)}: the last release" if partition else "Everybody: the last release"
        caption += f"; {hidden} without a figure left out" if hidden else ""
        if rows:
            yield partition, Table(caption, head, rows)


def _row(line: _Line, *, intervals: bool) -> tuple[str, ...]:
    rates = [line.first[0].baseline, *(c.candidate for c in line.first)]
    moved = [text for c in (line.first[-1].change, line.previous[-1].change) for text in _change(c)]
    return (clean(line.label), *(_rate(rate, interval=intervals) for rate in rates), *moved)


def _rate(rate: Rate, *, interval: bool) -> str:
    ends = f" ({between(rate.low, rate.high)})" if interval and rate.low is not None else ""
    return f"{percent(rate.wer)}{ends}"


def _change(change: Change) -> tuple[str, str]:
    return percent(change.relative), between(change.relative_low, change.relative_high)
