"""report.html: the same report in one file that needs nothing else, on a screen, a phone or paper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fairaudit import plot
from fairaudit.report.blocks import Document, Figure
from fairaudit.report.document import document
from fairaudit.report.markdown import continued
from fairaudit.result import AuditResult
from fairaudit.wording import glued

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATE = "report.html.j2"
#: Longer tables scroll on a screen; on paper all rows are shown.
ROWS_SHOWN = 30
#: Broader tables scroll sideways where a screen is narrow.
COLUMNS_SHOWN = 4
#: What begins a negative number: a hyphen that neither a word nor a number stands before.
_MINUS = re.compile(r"(?:(?<=[\s(\[])|^)-(?=\d)")


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
    """Render a report as HTML: no script, nothing from elsewhere, everything escaped.

    Parameters
    ----------
    report : Document
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
    environment.filters["glued"] = typeset
    environment.filters["linked"] = _linked
    environment.filters["typed"] = lambda command: "\n".join(continued(command))
    environment.filters["drawn"] = _drawn
    environment.filters["kind"] = lambda block: type(block).__name__
    template = environment.get_template(TEMPLATE)
    return template.render(report=report, rows_shown=ROWS_SHOWN, columns_shown=COLUMNS_SHOWN)


def typeset(text: str) -> str:
    """Keep numbers and what they count on one line, and write a minus where a number is negative.

    Examples
    --------
    >>> typeset("-3.0 (-5.0 to 1.2), 2026-01-01")
    '\u22123.0 (\u22125.0 to 1.2), 2026-01-01'
    """
    return _MINUS.sub("\u2212", glued(text))


def _drawn(figure: Figure) -> Markup:
    """Draw a figure as an SVG element, whose texts are escaped."""
    from markupsafe import Markup

    return Markup(
        plot.svg(figure.draw(), name=figure.name, title=figure.caption, description=figure.alternative)
    )


def _linked(text: str) -> Markup:
    """Make links of addresses that stand in brackets: of ours, in the sources."""
    from markupsafe import Markup, escape

    parts = re.split(r"(?<=\()(https://(?:arxiv\.org|doi\.org)/[\w./-]+)(?=\))", typeset(text))
    return Markup("").join(
        Markup('<a href="{0}">{0}</a>').format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )
