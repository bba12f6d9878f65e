"""From a result to text: what the terminal shows, Markdown, HTML and CSV."""

from __future__ import annotations

from collections.abc import Callable

from fairaudit.changes import ComparisonResult
from fairaudit.exceptions import OptionError, nearest
from fairaudit.report.compared import compared_document, compared_text
from fairaudit.report.csv import changes_csv, csv_report
from fairaudit.report.html import html_of, html_report
from fairaudit.report.markdown import markdown_of, markdown_report
from fairaudit.report.text import text_report
from fairaudit.report.trend import trend_csv, trend_document, trend_text
from fairaudit.result import AuditResult
from fairaudit.trend import Trend

#: What makes each form of an audit, given the result and the width of the terminal.
FORMS: dict[str, Callable[[AuditResult, int], str]] = {
    "text": text_report,
    "md": lambda result, width: markdown_report(result),
    "html": lambda result, width: html_report(result),
    "csv": lambda result, width: csv_report(result),
}
#: The same of a comparison.
COMPARED: dict[str, Callable[[ComparisonResult, int], str]] = {
    "text": compared_text,
    "md": lambda result, width: markdown_of(compared_document(result)),
    "html": lambda result, width: html_of(compared_document(result)),
    "csv": lambda result, width: changes_csv(result),
}
#: And of a trend.
TRENDS: dict[str, Callable[[Trend, int], str]] = {
    "text": trend_text,
    "md": lambda trend, width: markdown_of(trend_document(trend)),
    "html": lambda trend, width: html_of(trend_document(trend)),
    "csv": lambda trend, width: trend_csv(trend),
}


def render(result: AuditResult | ComparisonResult | Trend, form: str, *, width: int = 120) -> str:
    """Render a result.

    Parameters
    ----------
    result : AuditResult, ComparisonResult or Trend
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
    if isinstance(result, ComparisonResult):
        return COMPARED[form](result, width)
    if isinstance(result, Trend):
        return TRENDS[form](result, width)
    return FORMS[form](result, width)
