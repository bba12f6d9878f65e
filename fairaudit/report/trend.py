"""More than two releases in order: each against the first and against the one before."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

from fairaudit.changes import Change, RateChange
from fairaudit.report.blocks import Document, Paragraph, Section, Table
from fairaudit.report.csv import cell
from fairaudit.report.terminal import NARROWEST, laid_out, wrapped
from fairaudit.report.wording import between, clean, cohort_name, confidence_text, percent
from fairaudit.trend import Trend

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
    for table in _tables(trend):
        parts.append(f"{wrapped(table.caption, width)}\n{laid_out(table, width, compact=True)}")
    return "\n\n".join([*parts, wrapped(SAID, width)]) + "\n"


def trend_document(trend: Trend) -> Document:
    """Put a trend into words and tables."""
    return Document(
        title=f"Trend over {len(trend.releases)} releases: {', '.join(map(clean, trend.releases))}",
        sentence=_sentence(trend),
        opening=(Paragraph(SAID),),
        sections=tuple(Section(table.caption, (table,)) for table in _tables(trend)),
    )


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


def _tables(trend: Trend) -> Iterator[Table]:
    """Yield the table of everybody, and one for each partition; what is suppressed is left to the CSV."""
    level = f"{confidence_text(trend.since_first[0])} interval"
    name = clean(trend.since_first[0].metric.name)
    head = ("Cohort", *(f"{clean(r)}: {name} (%)" for r in trend.releases))
    head += ("Since the first (%)", level, "Since the one before (%)", level)
    lines = list(_lines(trend))
    for partition in dict.fromkeys(line.partition for line in lines):
        own = [line for line in lines if line.partition == partition]
        rows = tuple(_row(line) for line in own if line.first[0].baseline.wer is not None)
        hidden = len(own) - len(rows)
        caption = f"By {clean(partition)}: the last release" if partition else "Everybody: the last release"
        caption += f"; {hidden} without a figure left out" if hidden else ""
        if rows:
            yield Table(caption, head, rows)


def _row(line: _Line) -> tuple[str, ...]:
    rates = [line.first[0].baseline, *(c.candidate for c in line.first)]
    moved = [text for c in (line.first[-1].change, line.previous[-1].change) for text in _change(c)]
    return (clean(line.label), *(percent(rate.wer) for rate in rates), *moved)


def _change(change: Change) -> tuple[str, str]:
    return percent(change.relative), between(change.relative_low, change.relative_high)
