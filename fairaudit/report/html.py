"""report.html: the same report in one file that needs nothing else, on a screen, a phone or paper."""

from __future__ import annotations

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
    return template.render(report=document(result), rows_shown=ROWS_SHOWN)
