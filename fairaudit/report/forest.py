"""The forest plot of a partition's cohorts: where each rate and its interval lie on one axis."""

from __future__ import annotations

from math import ceil, floor, log10

from fairaudit.report.blocks import Forest, Mark
from fairaudit.report.wording import clean, cohort_name, cohorts_of, rate_text, worst_first
from fairaudit.result import AuditResult, Cohort, PartitionResult
from fairaudit.tables import cohort_rows

#: Most cohorts that are drawn; of more, so many of the worst and of the best.
MOST, WORST, BEST = 30, 20, 10
#: An interval that reaches beyond so many times the largest rate is cut at the end of the axis.
REACH = 2.0


def forest(partition: PartitionResult, result: AuditResult) -> Forest | None:
    """Lay out the rates of a partition's cohorts; None where there are none to draw."""
    drawn = worst_first(c for c in partition.cohorts if c.wer is not None)
    if not drawn:
        return None
    caption = f"{clean(result.metric.name)} (%) by cohort with intervals; {cohorts_of(partition)}."
    if len(drawn) > MOST:
        ranked = [c for c in drawn if c.rank is not None]
        caption += f" Of {len(drawn)} cohorts the {WORST} worst and the {BEST} best; all are in the table."
        drawn = [*ranked[:WORST], *ranked[-BEST:]] if len(ranked) > MOST else drawn[:MOST]
    return _placed(drawn, partition, caption)


def _placed(drawn: list[Cohort], partition: PartitionResult, caption: str) -> Forest:
    rates = [c.wer or 0.0 for c in drawn]
    highest = min(max([*rates, *(c.high or 0.0 for c in drawn)]), REACH * max(rates)) or 0.01
    lowest = min([*rates, *(c.low for c in drawn if c.low is not None)])
    ticks = ticks_between(lowest, highest)
    start, span = ticks[0], ticks[-1] - ticks[0]

    def place(rate: float) -> float:
        return round(min(100.0, 100 * (rate - start) / span), 2)

    sides = {row["cohort"]: row["side"] for row in cohort_rows(partition)}
    marks = tuple(
        Mark(
            label=cohort_name(c),
            value=rate_text(c),
            side=sides[c.cohort],
            at=place(c.wer or 0.0),
            low=None if c.low is None else place(c.low),
            high=None if c.high is None else place(c.high),
        )
        for c in drawn
    )
    overall = partition.overall.wer
    return Forest(
        caption=caption,
        marks=marks,
        ticks=tuple((place(tick), f"{100 * tick:g}") for tick in ticks),
        overall=place(overall) if overall is not None and start <= overall <= ticks[-1] else None,
    )


def ticks_between(low: float, high: float) -> list[float]:
    """Return four to eight round numbers, of which the outer ones enclose a range.

    Examples
    --------
    >>> ticks_between(0.094, 0.347), ticks_between(0.2, 0.2)
    ([0.0, 0.1, 0.2, 0.3, 0.4], [0.19, 0.195, 0.2, 0.205, 0.21])
    """
    if high - low < 1e-6:
        low, high = low - 0.01, high + 0.01
    rough = (high - low) / 5
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]
