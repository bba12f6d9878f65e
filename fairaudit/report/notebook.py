"""What a notebook shows of an object that ends a cell: its sentence, its table, and what else there is.

A fragment of HTML without script, style sheet or anything from elsewhere. Colours are the notebook's own, so
that it reads in the light and in the dark; every text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from fairaudit.changes import ComparisonResult
from fairaudit.log import UtteranceLog
from fairaudit.partition import Partition
from fairaudit.readiness import LogCheck
from fairaudit.report.blocks import Table
from fairaudit.report.checked import check_text
from fairaudit.report.compared import changed_table, changes_table, sentence, title
from fairaudit.report.compared_notes import compared_warnings
from fairaudit.report.evidence import STATUS
from fairaudit.report.notes import warnings
from fairaudit.report.sentence import sentence as audit_sentence
from fairaudit.report.summary import Footnotes, legend, summary_table
from fairaudit.report.trend import trend_document
from fairaudit.report.verdict import findings_table, verdict_sentence
from fairaudit.report.wording import amount, cohorts_of, gap_text, order_of, titled, worst_first
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.tables import cohort_rows
from fairaudit.trend import Trend
from fairaudit.verdict import Verdict
from fairaudit.wording import (
    between,
    capitalised,
    clean,
    cohort_name,
    count,
    counted,
    glued,
    p_text,
    percent,
)

#: Rows of a table; the rest are counted, and a table as a DataFrame has them all.
MOST_ROWS = 12
#: A dollar in a label is a dollar: a notebook would take what stands between two for a formula.
NO_FORMULAS = "tex2jax_ignore mathjax_ignore"
#: Half of the colour of the text, on any ground.
LINE = "1px solid rgba(128,128,128,0.45)"
CAPTION = "text-align:left;caption-side:top;color:inherit;padding:0"
SMALL = "font-size:0.9em;opacity:0.85;margin:0.3em 0"


def of_audit(result: AuditResult) -> str:
    """Show an audit: its sentence, what nobody may miss, and the printed table.

    Parameters
    ----------
    result : AuditResult
    """
    said = [warning.text for warning in warnings(result)]
    parts = [*_table(summary_table(result)), _folded("What the columns mean", [_small(legend(result))])]
    more = (
        "result.cohorts(), result.attributes(), result.partition(name), fairaudit.plot, "
        "write_audit(result, folder)"
    )
    return _shown(audit_sentence(result), f"{titled(result)}: {amount(result)}.", said, parts, more)


def of_partition(partition: PartitionResult) -> str:
    """Show a partition of an audit: its gap, and its cohorts with intervals, the worst first.

    Parameters
    ----------
    partition : PartitionResult
    """
    p = partition
    footnotes = Footnotes()
    sides = {row["cohort"]: row["side"] for row in cohort_rows(p)}
    rows = tuple(
        (
            cohort_name(c),
            sides[c.cohort],
            STATUS[c.status],
            footnotes.mark(percent(c.wer), c.reason if c.wer is None else None),
            between(c.low, c.high),
            count(c.speakers),
            percent(c.share.speakers if c.share else None),
        )
        for c in worst_first(p.cohorts)
    )
    head = ("Cohort", "Side", "Verdict", "Rate (%)", "Interval", "Speakers", "Share (%)")
    caption = f"{capitalised(cohorts_of(p))}; {order_of(p)}"
    table = Table(caption, head, rows, texts=3, notes=footnotes.texts())
    return _shown(_gap(p), "", [], _table(table), "the same with all columns: result.cohorts()")


def _gap(p: PartitionResult) -> str:
    """Say the gap of a partition, with its interval, share and chance."""
    told = [f"By {clean(p.name)}: gap of bottom against top {gap_text(p.gap)}"]
    if p.bottom and p.bottom.share:
        told.append(f"bottom {percent(p.bottom.share.speakers)} % of the speakers")
    if p.chance and p.chance.p_value is not None:
        told.append(f"p {p_text(p.chance.p_value)}")
    if p.chance and p.chance.p_value_holm is not None:
        told.append(f"p after Holm's correction {p_text(p.chance.p_value_holm)}")
    return f"{', '.join(told)}."


def of_comparison(result: ComparisonResult) -> str:
    """Show a comparison: what became of everybody, of the worst cohort and of the gap, and of each cohort.

    Parameters
    ----------
    result : ComparisonResult
    """
    said = [warning.text for warning in compared_warnings(result)]
    parts = _table(changes_table(result))
    tables = [(p, table) for p in result.partitions if (table := changed_table(p, result))]
    for partition, table in tables:
        parts.append(
            _folded(f"Each cohort by {clean(partition.name)}", _table(table), whole=len(tables) == 1)
        )
    more = "result.changes(), result.partition(name), fairaudit.plot.forest(result), gate(result, policy)"
    return _shown(sentence(result), f"{title(result)}: {amount(result)}.", said, parts, more)


def of_trend(trend: Trend) -> str:
    """Show a trend: everybody and each cohort, release by release.

    Parameters
    ----------
    trend : Trend
    """
    document = trend_document(trend)
    parts = [part for block in document.opening if isinstance(block, Table) for part in _table(block)]
    for section in document.sections:
        tables = [block for block in section.blocks if isinstance(block, Table)]
        parts += [_folded(section.title, _table(table)) for table in tables]
    return _shown(document.sentence, f"{document.title}.", [], parts, "fairaudit.plot.trend(trend)")


def of_verdict(verdict: Verdict) -> str:
    """Show a verdict: the sentence, and the findings, the worst first.

    Parameters
    ----------
    verdict : Verdict
    """
    table = findings_table(verdict.findings, caption="Findings, the worst first")
    said = [capitalised(clean(warning)) for warning in verdict.warnings]
    return _shown(verdict_sentence(verdict), "", said, _table(table), "verdict.findings, verdict.status")


def of_check(check: LogCheck) -> str:
    """Show a check of a log: what could be audited, and all that the command prints.

    Parameters
    ----------
    check : LogCheck
    """
    text = check_text(check)
    first = " ".join(text.partition("\n\n")[0].split())
    head = ("By", "Speakers", "Utterances", "Words", "Utterances without a place", "Can show a gap")
    rows = tuple(
        (
            f"{p.kind}: {clean(p.name)}",
            *map(count, (p.speakers, p.utterances, p.ref_words, sum(p.unplaced.values()))),
            "yes" if p.enough else "no",
        )
        for p in check.partitions
    )
    said = [capitalised(clean(warning)) for warning in check.warnings]
    whole = f'<pre style="overflow-x:auto;line-height:1.2">{escape(text)}</pre>'
    parts = [*_table(Table("What could be audited", head, rows)), _folded("The whole check", [whole])]
    return _shown(first, "", said, parts, "check.partition(name), check.to_text(), audit(log)")


def of_log(log: UtteranceLog) -> str:
    """Show what was read of a log. Nothing is counted for it that is not known.

    Parameters
    ----------
    log : UtteranceLog
    """
    names = ", ".join(clean(source.name) for source in log.inputs) or "a table"
    left = "; ".join(f"{clean(reason)}: {count(n)}" for reason, n in log.excluded.items()) or "none"
    where = "; ".join(f"{clean(c)} is {' or '.join(map(clean, v))}" for c, v in log.selection.where.items())
    rows = (
        ("Columns with a meaning of their own", ", ".join(sorted(log.columns))),
        ("Labels that can be audited", ", ".join(map(clean, log.labels)) or "none"),
        *([("Only rows where", where)] if where else []),
        ("Utterances left out", left),
    )
    said = [capitalised(clean(warning)) for warning in log.warnings]
    table = Table(f"{counted(log.rows, 'row')} of {names}", ("Of the log", "Read as"), rows, texts=2)
    return _shown("An utterance log.", "", said, _table(table), "check(log), audit(log)")


def of_rule(partition: Partition) -> str:
    """Show a partition: what its rule reads, and the names of its cohorts.

    Parameters
    ----------
    partition : Partition
    """
    cohorts = counted(len(partition.names), "cohort")
    said = f"A rule of the kind {partition.kind}: {cohorts}, by {', '.join(map(clean, partition.requires))}."
    rows = tuple((clean(name.cohort), clean(name.label)) for name in partition.names)
    table = Table("Cohorts in their fixed order", ("Cohort", "In words"), rows, texts=2)
    return _shown(said, "", [], _table(table), "to_plain(), assign(counts)")


def _shown(said: str, below: str, warned: Iterable[str], parts: Iterable[str], more: str) -> str:
    """Put together what is said, what nobody may miss, tables, and what else there is."""
    pieces = [
        f'<div class="{NO_FORMULAS}" style="max-width:75em">',
        f'<p style="font-weight:bold;margin:0.3em 0">{_text(said)}</p>',
        *([_small(below)] if below else []),
        *(f'<p style="margin:0.3em 0"><strong>Warning:</strong> {_text(text)}</p>' for text in warned),
        *parts,
        _small(f"More: {more}"),
        "</div>",
    ]
    return "\n".join(pieces)


def _table(table: Table) -> list[str]:
    """Return a table that scrolls by itself where it is wide, and its notes."""
    if not table.rows:
        return []
    more = len(table.rows) > MOST_ROWS
    caption = table.caption + (f" (the first {MOST_ROWS} of {count(len(table.rows))} rows)" if more else "")
    cells = "".join(
        f'<th scope="col" style="{_cell(number, table, head=True)};vertical-align:bottom">{_text(name)}</th>'
        for number, name in enumerate(table.head)
    )
    body = "\n".join(_row(row, table) for row in table.rows[:MOST_ROWS])
    style = 'style="border-collapse:collapse;margin:0"'
    return [
        f'<div style="overflow-x:auto;margin:0.5em 0"><table {style}>',
        f'<caption style="{CAPTION}">{_text(caption)}</caption>',
        f"<thead><tr>{cells}</tr></thead>",
        f"<tbody>\n{body}\n</tbody></table></div>",
        *(_small(f"[{number}] {note}") for number, note in enumerate(table.notes, start=1)),
    ]


def _row(row: tuple[str, ...], table: Table) -> str:
    def cells() -> Iterator[str]:
        for number, cell in enumerate(row):
            kind = 'th scope="row"' if number == 0 else "td"
            weight = ";font-weight:normal" if number == 0 else ""
            yield f'<{kind} style="{_cell(number, table)}{weight}">{_text(cell)}</{kind[:2]}>'

    return f"<tr>{''.join(cells())}</tr>"


def _cell(number: int, table: Table, *, head: bool = False) -> str:
    # An interval stays on one line; a heading and a label need not.
    space = "normal" if head or number < table.texts else "nowrap"
    side = "left" if number < table.texts else "right"
    return f"text-align:{side};padding:0.2em 0.6em;border-bottom:{LINE};max-width:34em;white-space:{space}"


def _folded(heading: str, parts: Iterable[str], *, whole: bool = False) -> str:
    """Return parts that are folded away under a heading, without a script."""
    start = "<details open>" if whole else "<details>"
    return f'{start}<summary style="cursor:pointer">{_text(heading)}</summary>\n{"".join(parts)}</details>'


def _small(text: str) -> str:
    return f'<p style="{SMALL}">{_text(text)}</p>'


def _text(text: str) -> str:
    return escape(glued(text))
