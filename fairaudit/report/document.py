"""A whole report of an audit in plain blocks, the same for Markdown and HTML.

First what everybody reads, then what words mean and how to reproduce it; details of partitions are an annex.
"""

from __future__ import annotations

from fairaudit.report.blocks import Document, Facts, Paragraph, Points, Section
from fairaudit.report.coverage import audited_section
from fairaudit.report.left_out import left_out_section
from fairaudit.report.meeting import meeting
from fairaudit.report.notes import disagreements, named_and_measured, warnings
from fairaudit.report.partitions import partition_section
from fairaudit.report.plain import plain_facts
from fairaudit.report.readers import readers_sections
from fairaudit.report.reproduce import reproduced_section
from fairaudit.report.sentence import sentence
from fairaudit.report.summary import legend, summary_table
from fairaudit.report.terms import SOURCES, terms
from fairaudit.report.wording import made_by, titled
from fairaudit.report.worst import worst_section
from fairaudit.result import AuditResult


def document(result: AuditResult) -> Document:
    """Put a result into words, tables and figures.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    Document
        Plain text throughout; labels and names of the user's are in it unescaped.
    """
    plain = plain_facts(result)
    met = meeting(result)
    return Document(
        title=titled(result),
        sentence=sentence(result),
        opening=(
            *warnings(result),
            *([plain] if plain else []),
            summary_table(result),
            Paragraph(legend(result)),
            *map(Paragraph, named_and_measured(result)),
            *map(Paragraph, disagreements(result)),
        ),
        sections=(
            audited_section(result),
            worst_section(result),
            *readers_sections(result),
            left_out_section(result),
            Section("What the words mean", (Facts(terms(result)), Points(SOURCES, "Sources", links=True))),
            reproduced_section(result),
            *(partition_section(partition, result) for partition in result.partitions),
            *([met] if met else []),
        ),
        made=made_by(result.fairaudit_version, result.created_at),
    )
