"""The whole report on a terminal: as much as Markdown and HTML hold, and no wider than the terminal."""

import re

import pytest
import reported
import test_report_others as others

from fairaudit.report import render
from fairaudit.report.blocks import Document, Facts, Section, Table
from fairaudit.report.document import document
from fairaudit.report.full import full_text


def letters(text):
    """Leave out where lines end, spaces, and the minus and dashes that forms write differently."""
    return re.sub(r"\s|\u2013|-|\u2212", "", text)


@pytest.mark.parametrize("width", [80, 120])
def test_every_cell_and_every_fact_of_the_report_is_there_within_the_width(width):
    result = reported.rich_result()
    text = full_text(document(result), width)
    shown = letters(text)
    blocks = [block for section in document(result).sections for block in section.blocks]
    tables = [block for block in blocks if isinstance(block, Table)]
    facts = [fact for block in blocks if isinstance(block, Facts) for fact in block.rows]
    assert len(tables) > 5
    assert len(facts) > 10
    for fact in facts:
        assert letters(f"{fact.term}: {fact.value}") in shown
    for table in tables:
        for row in table.rows:
            # Cells that are broken over lines stand beside each other: their words are there one by one.
            for word in " ".join(row).split():
                assert letters(word)[:20] in shown
    spaces = [line for line in text.splitlines() if len(line) > width and " " in line.strip()]
    assert spaces == []


def test_a_table_too_wide_for_the_terminal_is_written_row_by_row():
    head = tuple(f"a heading with several words, number {n}" for n in range(30))
    wide = Table("Wide", head, (tuple(str(1000 + n) for n in range(30)),))
    report = Document("Title", "Sentence.", (), (Section("One", (wide,)),), "")
    lines = full_text(report, 80).splitlines()
    assert "  a heading with several words, number 29: 1029" in lines
    assert max(map(len, lines)) <= 80


def test_every_kind_of_result_has_it():
    for made in (others.comparison(), others.trend(), others.everything()):
        whole = render(made, "full", width=100)
        assert len(whole) > len(render(made, "text", width=100))
        assert whole.endswith("\n")
