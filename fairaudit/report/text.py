"""What the terminal shows: the sentence, the table, who is in the bottom, and what must be said."""

from __future__ import annotations

import textwrap
from io import StringIO
from typing import Literal

from fairaudit.report.blocks import Table
from fairaudit.report.notes import remarks, warnings
from fairaudit.report.sentence import headline, sentence
from fairaudit.report.summary import legend, summary_table
from fairaudit.report.wording import (
    NO_BREAK,
    amount,
    clean,
    cohorts_of,
    counted,
    gap_text,
    glued,
    rate_text,
    subject_of,
    titled,
    worst_first,
)
from fairaudit.result import AuditResult, PartitionResult

#: Narrower than this nothing is legible; a narrower terminal wraps the lines itself.
NARROWEST = 80
#: Most cohorts of the bottom, or against the reference, that are named.
MOST_NAMED = 8
#: Lines of the heads, columns that the names of the partitions need then, and space between columns.
LAYOUTS = ((1, 48, 2), (2, 24, 2), (3, 20, 2), (4, 12, 1))
#: Number of the column with the interval, which may stand on two lines.
INTERVAL = 3


def text_report(result: AuditResult, width: int = 120) -> str:
    """Render a result for a terminal, without colour codes.

    Parameters
    ----------
    result : AuditResult
    width : int
        Columns of the terminal, at least 80.

    Returns
    -------
    str
        Ends with a line end.
    """
    width = max(width, NARROWEST)
    table = summary_table(result)
    parts = [
        _wrapped(sentence(result), width),
        *(_wrapped(f"WARNING: {warning.text}", width) for warning in warnings(result)),
        _table(table, width),
        *_paragraphs(result, table, width),
        _wrapped(clean(result.signature), width),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _paragraphs(result: AuditResult, table: Table, width: int) -> list[str]:
    footnotes = [_wrapped(f"[{n}] {note}", width, "    ") for n, note in enumerate(table.notes, start=1)]
    points = [_wrapped(f"* {remark}", width, "  ") for remark in remarks(result)]
    blocks = (
        footnotes,
        [_everyone(result, width)],
        [_wrapped(legend(result), width)],
        _bottom(result, width),
        *(_against_reference(partition, result, width) for partition in result.partitions),
        points,
    )
    return ["\n".join(lines) for lines in blocks if lines]


def _everyone(result: AuditResult, width: int) -> str:
    rate = f"{clean(result.metric.name)} {rate_text(result.overall)}"
    return _wrapped(f"{titled(result)}. The whole log: {rate}; {amount(result)}.", width)


def _bottom(result: AuditResult, width: int) -> list[str]:
    """Name the worst-served cohorts of the partition that the sentence is about."""
    partition = headline(result)
    if partition is None or partition.bottom is None or not partition.bottom.cohorts:
        return []
    members = worst_first(c for c in partition.cohorts if c.cohort in partition.bottom.cohorts)
    lines = [_wrapped(f"Bottom by {subject_of(partition)}, {cohorts_of(partition)}:", width)]
    for cohort in members[:MOST_NAMED]:
        speakers = f", {counted(cohort.speakers, 'speaker')}" if cohort.speakers is not None else ""
        rate = f"{clean(result.metric.name)} {rate_text(cohort)}{speakers}"
        lines.append(_wrapped(f"  {clean(cohort.label)}: {rate}", width, "    "))
    more = len(members) - MOST_NAMED
    return [*lines, f"  and {more} more"] if more > 0 else lines


def _against_reference(partition: PartitionResult, result: AuditResult, width: int) -> list[str]:
    """List the gap of each cohort against the reference, the worst-ranked first."""
    compared = [(c, gap) for c in worst_first(partition.cohorts) if (gap := c.against_reference)]
    if not compared:
        return []
    reference = clean(str(result.options.get("reference_cohort")))
    lines = [_wrapped(f"Each cohort against the reference, {reference}, on all speakers:", width)]
    for cohort, gap in compared[:MOST_NAMED]:
        text = f"  {clean(cohort.label)}: {clean(result.metric.name)} gap {gap_text(gap)}"
        lines.append(_wrapped(text, width, "    "))
    more = len(compared) - MOST_NAMED
    return [*lines, f"  and {more} more, in cohorts.csv"] if more > 0 else lines


def _wrapped(text: str, width: int, indent: str = "") -> str:
    """Wrap a paragraph; a number and its per cent sign stay together."""
    lines = textwrap.wrap(glued(text), width, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines).replace(NO_BREAK, " ")


def _table(table: Table, width: int) -> str:
    """Lay the table out with rich, in the widths of `_columns`."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    heads, widths, space = _columns(table, width)
    grid = Grid(box=box.SIMPLE_HEAD, padding=(0, space - 1, 0, 0), pad_edge=False, leading=1, show_edge=False)
    for number, (head, wide) in enumerate(zip(heads, widths, strict=True)):
        justify: Literal["left", "right"] = "left" if number < table.texts else "right"
        grid.add_column(Text(head), justify=justify, width=wide, overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(cell) for cell in row))
    written = StringIO()
    # Where the names of user and metric are too long, lines are too: rich would cut numbers short instead.
    width = max(width, sum(widths) + space * (len(widths) - 1))
    Console(file=written, width=width, color_system=None, force_terminal=False, force_jupyter=False).print(
        grid
    )
    lines = written.getvalue().replace(NO_BREAK, " ").strip("\n").splitlines()
    return "\n".join(line.rstrip() for line in lines)


def _columns(table: Table, width: int) -> tuple[list[str], list[int], int]:
    """Break the heads into as few lines as the width allows.

    Returns
    -------
    heads : list of str
    widths : list of int
    space : int
        Between two columns.
    """
    longest = max(len(row[0]) for row in (table.head, *table.rows))
    for lines, names, space in LAYOUTS:
        heads = [_broken(head, lines) for head in table.head[1:]]
        columns = [[row[n] for row in table.rows] for n in range(1, len(table.head))]
        if lines > 3:
            # The interval stands on two lines as well.
            columns[INTERVAL - 1] = [part for cell in columns[INTERVAL - 1] for part in _halves(cell)]
        widths = [
            max(map(len, (*head.split("\n"), *cells))) for head, cells in zip(heads, columns, strict=True)
        ]
        left = width - sum(widths) - space * len(widths)
        if left >= min(longest, names):
            break
    return [table.head[0], *heads], [max(names, min(left, longest)), *widths], space


def _halves(interval: str) -> list[str]:
    return interval.replace(" to ", " to\n").split("\n")


def _broken(head: str, lines: int) -> str:
    """Break a head into at most so many lines, as narrow as that can be."""
    for width in range(1, len(head) + 1):
        parts = textwrap.wrap(glued(head), width, break_long_words=False)
        if len(parts) <= lines and max(map(len, parts)) <= width:
            return "\n".join(parts)
    return head
