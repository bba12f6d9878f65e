"""From a result to text: what the terminal shows, Markdown, HTML, a model card, CSV and GeoJSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from fairaudit.changes import ComparisonResult
from fairaudit.exceptions import OptionError, nearest
from fairaudit.report.blocks import Document
from fairaudit.report.compared_document import compared_document
from fairaudit.report.compared_text import compared_text
from fairaudit.report.csv import changes_csv, csv_report
from fairaudit.report.document import document
from fairaudit.report.full import full_text
from fairaudit.report.geojson import geojson_report
from fairaudit.report.html import html_of, html_report
from fairaudit.report.markdown import markdown_of, markdown_report
from fairaudit.report.model_card import model_card
from fairaudit.report.text import text_report
from fairaudit.report.trend import trend_csv, trend_document, trend_text
from fairaudit.result import AuditResult
from fairaudit.trend import Trend
from fairaudit.verdict import Verdict

F = TypeVar("F")

#: What makes each form of an audit, given the result and the width of the terminal.
FORMS: dict[str, Callable[[AuditResult, int], str]] = {
    "text": text_report,
    "full": lambda result, width: full_text(document(result), width),
    "md": lambda result, width: markdown_report(result),
    "html": lambda result, width: html_report(result),
    "csv": lambda result, width: csv_report(result),
    "model-card": lambda result, width: model_card(result),
    "geojson": lambda result, width: geojson_report(result),
}
#: The same of a comparison.
COMPARED: dict[str, Callable[[ComparisonResult, int], str]] = {
    "text": compared_text,
    "full": lambda result, width: full_text(compared_document(result), width),
    "md": lambda result, width: markdown_of(compared_document(result)),
    "html": lambda result, width: html_of(compared_document(result)),
    "csv": lambda result, width: changes_csv(result),
}
#: Of a trend.
TRENDS: dict[str, Callable[[Trend, int], str]] = {
    "text": trend_text,
    "full": lambda trend, width: full_text(trend_document(trend), width),
    "md": lambda trend, width: markdown_of(trend_document(trend)),
    "html": lambda trend, width: html_of(trend_document(trend)),
    "csv": lambda trend, width: trend_csv(trend),
}


def _verdict_text(verdict: Verdict, width: int) -> str:
    # Who renders an audit needs no gate.
    from fairaudit.report.verdict import verdict_text

    return verdict_text(verdict, width)


def _verdict_document(verdict: Verdict) -> Document:
    from fairaudit.report.verdict_document import verdict_document

    return verdict_document(verdict)


#: And of a verdict.
VERDICTS: dict[str, Callable[[Verdict, int], str]] = {
    "text": _verdict_text,
    "full": lambda verdict, width: full_text(_verdict_document(verdict), width),
    "md": lambda verdict, width: markdown_of(_verdict_document(verdict)),
    "html": lambda verdict, width: html_of(_verdict_document(verdict)),
}


def render(result: AuditResult | ComparisonResult | Trend | Verdict, form: str, *, width: int = 120) -> str:
    """Render a result.

    Parameters
    ----------
    result : AuditResult, ComparisonResult, Trend or Verdict
    form : {"text", "full", "md", "html", "csv", "model-card", "geojson"}
        `text` is what the command prints, `full` the whole report as text.
        A verdict has no csv, and only an audit has a model card and a map.
    width : int
        Columns of the terminal, for text; at least 80.

    Returns
    -------
    str
        Ends with a line end. Equal results give equal text.

    Raises
    ------
    OptionError
        If the form is not known, or not one of such a result.
    ResultError
        If a map is asked for, and nothing of the audit lies on one.
    """
    if isinstance(result, ComparisonResult):
        return _form(COMPARED, form, "a comparison")(result, width)
    if isinstance(result, Trend):
        return _form(TRENDS, form, "a trend")(result, width)
    if isinstance(result, Verdict):
        return _form(VERDICTS, form, "a verdict")(result, width)
    return _form(FORMS, form, "an audit")(result, width)


def _form(forms: Mapping[str, F], form: str, of: str) -> F:
    if form not in forms:
        raise OptionError(
            f"no report of {of} of the form '{form}'", where="--format", allowed=nearest(form, forms)
        )
    return forms[form]
