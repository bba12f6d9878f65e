"""report.html: the same report in one file that needs nothing else, on a screen, a phone or paper."""

from __future__ import annotations

from fairaudit.report.blocks import Document
from fairaudit.report.document import document
from fairaudit.report.wording import glued
from fairaudit.result import AuditResult

TEMPLATE = "report.html.j2"
#: Longer tables are folded after so many rows.
ROWS_SHOWN = 30


def html_report(result: AuditResult) -> str:
    """Render a result as HTML: no script, nothing from elsewhere, everything escaped.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    str
    """
    return html_of(document(result))


def html_of(report: Document) -> str:
    """Render a report as HTML: no script, nothing from elsewhere, everything escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("fairaudit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["glued"] = glued
    environment.filters["kind"] = lambda block: type(block).__name__
    template = environment.get_template(TEMPLATE)
    return template.render(report=report, rows_shown=ROWS_SHOWN)
