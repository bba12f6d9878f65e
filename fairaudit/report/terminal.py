"""Paragraphs and tables in the width of a terminal, without colour codes."""

from __future__ import annotations

import textwrap
from io import StringIO
from typing import Literal

from fairaudit.report.blocks import Table
from fairaudit.wording import NO_BREAK, glued

#: Narrower than this nothing is legible; a narrower terminal wraps the lines itself.
NARROWEST = 80
#: Lines of the heads, columns that the names of the partitions need then, and space between columns.
LAYOUTS = ((1, 48, 2), (2, 24, 2), (3, 20, 2), (4, 12, 1))
#: Number of the column with the interval, which may stand on two lines.
INTERVAL = 3


def wrapped(text: str, width: int, indent: str = "") -> str:
    """Wrap a paragraph; a number and its per cent sign stay together."""
    lines = textwrap.wrap(glued(text), width, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines).replace(NO_BREAK, " ")


def laid_out(table: Table, width: int, *, compact: bool = False) -> str:
    """Lay a table out with rich, in the widths of `_columns`.

    Parameters
    ----------
    table : Table
    width : int
        Columns of the terminal.
    compact : bool
        No lines between the rows, and a first column that is as wide as it must be.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    heads, widths, space = _columns(table, width, compact=compact)
    grid = Grid(
        box=box.SIMPLE_HEAD,
        padding=(0, space - 1, 0, 0),
        pad_edge=False,
        leading=0 if compact else 1,
        show_edge=False,
    )
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


def _columns(table: Table, width: int, *, compact: bool) -> tuple[list[str], list[int], int]:
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
        if lines > 3 and len(columns) >= INTERVAL:
            # The interval stands on two lines as well.
            columns[INTERVAL - 1] = [part for cell in columns[INTERVAL - 1] for part in _halves(cell)]
        widths = [
            max(map(len, (*head.split("\n"), *cells))) for head, cells in zip(heads, columns, strict=True)
        ]
        left = width - sum(widths) - space * len(widths)
        if left >= min(longest, names):
            break
    first = min(left, longest)
    return [table.head[0], *heads], [first if compact and first > 0 else max(names, first), *widths], space


def _halves(interval: str) -> list[str]:
    return interval.replace(" to ", " to\n").split("\n")


def _broken(head: str, lines: int) -> str:
    """Break a head into at most so many lines, as narrow as that can be."""
    for width in range(1, len(head) + 1):
        parts = textwrap.wrap(glued(head), width, break_long_words=False)
        if len(parts) <= lines and max(map(len, parts)) <= width:
            return "\n".join(parts)
    return head
