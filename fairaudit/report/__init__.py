"""From a result to text: what the terminal shows, Markdown, HTML and CSV."""

from __future__ import annotations

from collections.abc import Callable

from fairaudit.exceptions import OptionError, nearest
from fairaudit.report.csv import csv_report
from fairaudit.report.html import html_report
from fairaudit.report.markdown import markdown_report
from fairaudit.report.text import text_report
from fairaudit.result import AuditResult

#: What makes each form of a result, given the result and the width of the terminal.
FORMS: dict[str, Callable[[AuditResult, int], str]] = {
    "text": text_report,
    "md": lambda result, width: markdown_report(result),
    "html": lambda result, width: html_report(result),
    "csv": lambda result, width: csv_report(result),
}


def render(result: AuditResult, form: str, *, width: int = 120) -> str:
    """Render a result.

    Parameters
    ----------
    result : AuditResult
    form : {"text", "md", "html", "csv"}
    width : int
        Columns of the terminal, for text; at least 80.

    Returns
    -------
    str
        Ends with a line end. Equal results give equal text.

    Raises
    ------
    OptionError
        If the form is not known.
    """
    if form not in FORMS:
        raise OptionError(f"no report of the form '{form}'", where="--format", allowed=nearest(form, FORMS))
    return FORMS[form](result, width)
