"""report.md: the report as a document that reads well as it is and where Markdown is rendered."""

from __future__ import annotations

import re
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
    Section,
    Table,
)
from fairaudit.report.document import document
from fairaudit.result import AuditResult

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def markdown_report(result: AuditResult) -> str:
    """Render a result as Markdown, in the dialect of GitHub.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    str
        Labels and names of the user's are escaped: they cannot make a table, a link or a tag.
    """
    return markdown_of(document(result))


def markdown_of(report: Document) -> str:
    """Render a report as Markdown, in the dialect of GitHub; what is the user's is escaped.

    Parameters
    ----------
    report : Document
    """
    parts = [f"# {escaped(report.title)}", f"**{escaped(report.sentence)}**"]
    parts += [text for block in report.opening for text in _block(block)]
    for section in report.sections:
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    r"""Escape what Markdown or HTML would read as markup.

    Examples
    --------
    >>> escaped("<b>a|b</b> *c* `d` [e](f)")
    '&lt;b&gt;a\\|b&lt;/b&gt; \\*c\\* \\`d\\` \\[e\\](f)'
    """
    text = re.sub(r"[\\`*_{}\[\]|#~!]", r"\\\g<0>", text)
    text = re.sub(r"[&<>]", lambda found: _ENTITIES[found[0]], text)
    # At the start of a line a number or a sign can begin a list, a heading's rule or a line across.
    return re.sub(r"^(\d*)([-+=.)])(?!\d)", r"\1\\\2", text)


def _section(section: Section) -> Iterator[str]:
    yield f"## {escaped(section.title)}"
    for block in section.blocks:
        yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    """Yield the paragraphs of a block; a figure is told in words."""
    match block:
        case Paragraph():
            yield f"> **Warning:** {escaped(block.text)}" if block.loud else escaped(block.text)
        case Points():
            yield from _title(block.title)
            yield "\n".join(f"- {escaped(item)}" for item in block.items)
        case Facts():
            yield from _title(block.title)
            yield "\n".join(_fact(fact) for fact in block.rows)
        case Table():
            yield f"**{escaped(block.caption)}**"
            yield table_text(block)
            yield from ([_notes(block)] if block.notes else [])
        case Heading():
            yield from _title(block.text)
        case Figure():
            yield f"**Figure.** {escaped(block.caption)} {escaped(block.alternative)}"
        case Command():
            # Indented code cannot be ended by anything that stands in it.
            yield "\n".join(f"    {line}" for line in continued(block))


def continued(command: Command) -> Iterator[str]:
    """Yield the lines of a command as a shell reads them.

    Parameters
    ----------
    command : Command
    """
    *lines, last = command.lines
    yield from (f"{line} \\" for line in lines)
    yield last


def _title(title: str) -> Iterator[str]:
    if title:
        yield f"### {escaped(title)}"


def _fact(fact: Fact) -> str:
    if not fact.meaning:
        return f"- **{escaped(fact.term)}:** {escaped(fact.value)}"
    return f"- **{escaped(fact.term)}: {escaped(fact.value.removesuffix('.'))}.** {escaped(fact.meaning)}"


def table_text(table: Table) -> str:
    """Return a table without its caption, in the dialect of GitHub.

    Parameters
    ----------
    table : Table
    """
    rule = ["---" if number < table.texts else "---:" for number in range(len(table.head))]
    rows = [[escaped(cell) for cell in row] for row in (table.head, *table.rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:]))


def _notes(table: Table) -> str:
    return "\n".join(f"- \\[{number}\\] {escaped(note)}" for number, note in enumerate(table.notes, start=1))
