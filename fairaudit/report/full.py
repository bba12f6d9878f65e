"""The whole report as plain text, in the width of a terminal: all that Markdown and HTML hold."""

from __future__ import annotations

from collections.abc import Iterator

from fairaudit.report.blocks import (
    Block,
    Command,
    Document,
    Fact,
    Facts,
    Figure,
    Heading,
    Paragraph,
    Points,
    Table,
)
from fairaudit.report.terminal import NARROWEST, laid_out, wrapped

INDENT = "  "


def full_text(report: Document, width: int) -> str:
    """Render a report as text, without colour codes.

    Parameters
    ----------
    report : Document
    width : int
        Columns of the terminal. A table that needs more is written row by row, a line for each cell.

    Returns
    -------
    str
        Ends with a line end.

    Examples
    --------
    >>> from fairaudit.report.blocks import Section
    >>> why = Section("Why", (Paragraph("Few spoke."),))
    >>> report = Document("Audit", "Nothing was found.", (), (why,), "")
    >>> print(full_text(report, 80))
    Audit
    =====
    <BLANKLINE>
    Nothing was found.
    <BLANKLINE>
    Why
    ---
    <BLANKLINE>
    Few spoke.
    <BLANKLINE>
    """
    width = max(width, NARROWEST)
    parts = [_underlined(report.title, "="), wrapped(report.sentence, width)]
    parts += [text for block in report.opening for text in _block(block, width)]
    for section in report.sections:
        parts.append(_underlined(section.title, "-"))
        parts += [text for block in section.blocks for text in _block(block, width)]
    parts += [wrapped(report.made, width)] if report.made else []
    return "\n\n".join(parts) + "\n"


def _underlined(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}"


def _block(block: Block, width: int) -> Iterator[str]:
    """Yield the paragraphs of a block; of a figure what it shows in words."""
    match block:
        case Paragraph():
            yield wrapped(f"WARNING: {block.text}" if block.loud else block.text, width)
        case Heading():
            yield block.text.upper()
        case Points():
            yield from [block.title] if block.title else []
            yield "\n".join(wrapped(f"* {item}", width, INDENT) for item in block.items)
        case Facts():
            yield from [block.title] if block.title else []
            yield "\n".join(_fact(fact, width) for fact in block.rows)
        case Table():
            yield wrapped(block.caption, width)
            yield _table(block, width)
            notes = [f"[{number}] {note}" for number, note in enumerate(block.notes, start=1)]
            yield from ["\n".join(wrapped(note, width, INDENT) for note in notes)] if notes else []
        case Figure():
            yield wrapped(f"{block.caption} {block.alternative}", width)
        case Command():
            yield "\n".join(block.lines)


def _fact(fact: Fact, width: int) -> str:
    said = f"{fact.term}: {fact.value}"
    meaning = f"\n{INDENT}{wrapped(fact.meaning, width - len(INDENT), INDENT)}" if fact.meaning else ""
    return wrapped(said, width, INDENT) + meaning


def _table(table: Table, width: int) -> str:
    if not table.rows:
        return "none"
    text = laid_out(table, width, compact=True)
    if all(len(line) <= width for line in text.splitlines()):
        return text
    records = (
        "\n".join(
            wrapped(f"{INDENT if number else ''}{head}: {cell}", width, 2 * INDENT)
            for number, (head, cell) in enumerate(zip(table.head, row, strict=True))
        )
        for row in table.rows
    )
    return "\n".join(records)
