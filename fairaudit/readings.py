"""What a rule reads in a result: figures of an audit or of a comparison, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf, log
from typing import Literal

from fairaudit.changes import (
    Change,
    CohortChange,
    ComparisonResult,
    GapChange,
    PartitionChange,
    RateChange,
    SideChange,
)
from fairaudit.exceptions import nearest
from fairaudit.measures import MEASURES
from fairaudit.policy import EVERY, Rule
from fairaudit.result import AuditResult, Cohort, Gap, PartitionResult, Rate, Side

Result = AuditResult | ComparisonResult
Partition = PartitionResult | PartitionChange
#: Where the standard error of a figure lives: at its log, the log of one and it, or at itself.
Scale = Literal["log", "log1p", "linear"]

NO_BASELINE = "there is no baseline: this is an audit, and the rule is about an increase"
COMPARE = "compare with the release in service, or write first_release = true if there is none"


@dataclass(frozen=True)
class Figure:
    """A figure with its interval, and the standard error that the interval was made from."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    se: float | None = None
    df: float | None = None
    scale: Scale = "linear"
    reason: str | None = None

    def distance(self, limit: float) -> float:
        """Return by how much the value is beyond a limit, on the scale of the standard error."""
        value = -inf if self.value is None else self.value
        if self.scale == "linear":
            return value - limit
        base = 1.0 if self.scale == "log1p" else 0.0
        return _log(base + value) - _log(base + limit)


@dataclass(frozen=True)
class Reading:
    """What one rule reads of one thing.

    `missing` says why there is nothing to judge, and `settles` what to do about it. `baseline` is False
    where that is only because an audit has none.
    """

    partition: str | None
    cohort: str | None
    cohort_id: str | None
    label: str
    figure: Figure = Figure()
    speakers: int | None = None
    exploratory: bool = False
    missing: str | None = None
    settles: str | None = None
    baseline: bool = True


def read(rule: Rule, result: Result) -> list[Reading]:
    """Return what a rule reads in a result: at least one reading, in the order of the result.

    Parameters
    ----------
    rule : Rule
    result : AuditResult or ComparisonResult
    """
    if rule.partition is None:
        everybody = Reading(None, "overall", None, "everybody")
        return [_rated(everybody, rule, result.overall)]
    partitions = [p for p in result.partitions if rule.partition in (p.name, EVERY)]
    found = [reading for p in partitions for reading in _in_partition(rule, p)]
    if rule.partition != EVERY:
        return found or [_no_partition(rule.partition, result)]
    if isinstance(result, ComparisonResult):
        # They were asked for; what was not compared must not pass.
        found += [_no_partition(name, result) for name in result.skipped]
    return found or [_no_partition(EVERY, result)]


def _no_partition(name: str, result: Result) -> Reading:
    names = [p.name for p in result.partitions]
    why = result.skipped.get(name) or (nearest(name, names) if names else "the result has no partitions")
    return Reading(
        name,
        None,
        None,
        "the partition",
        missing=why if name == EVERY else f"the result has no partition {name}: {why}",
        settles="a result that has it",
    )


def _in_partition(rule: Rule, partition: Partition) -> list[Reading]:
    exploratory = partition.exploratory
    if isinstance(partition, PartitionResult):
        exploratory = exploratory or partition.origin == "discovered"
    if rule.measure != "wer":
        readings = [_of_whole(rule, partition)]
    elif rule.cohorts == "bottom":
        readings = [_bottom(rule, partition)]
    else:
        readings = list(_cohorts(rule, partition))
    return [replace(reading, exploratory=exploratory) for reading in readings]


def _bottom(rule: Rule, partition: Partition) -> Reading:
    side = partition.bottom
    label = f"the bottom: {', '.join(side.cohorts)}" if side else "the bottom"
    empty = Reading(partition.name, "bottom", None, label)
    if side is None:
        return _missing(empty, _why(partition) or "no bottom was named")
    return _rated(empty, rule, side)


def _cohorts(rule: Rule, partition: Partition) -> Iterable[Reading]:
    """Yield the readings of the cohorts that a rule is about, missing ones among them."""
    rows: dict[str, Cohort | CohortChange] = {c.cohort: c for c in partition.cohorts}
    vanished = partition.vanished if isinstance(partition, PartitionChange) else ()
    if isinstance(rule.cohorts, tuple):
        names = {c.id: c.cohort for c in rows.values()}
        wanted = [name if name in rows else names.get(name, name) for name in rule.cohorts]
    else:
        wanted = [*rows, *(name for name in vanished if name not in rows)]
    for name in dict.fromkeys(wanted):
        empty = Reading(partition.name, name, None, name)
        row = rows.get(name)
        if row is not None:
            yield _rated(replace(empty, cohort_id=row.id, label=row.label), rule, row)
        elif name in vanished:
            yield _missing(empty, "the cohort has vanished: nobody of this log is in it")
        else:
            yield _missing(empty, f"the partition has no cohort {name}: {nearest(name, rows)}")
    if not wanted:
        why = _why(partition) or "nobody was placed"
        yield _missing(Reading(partition.name, None, None, "the cohorts"), f"there is no cohort: {why}")


def _rated(reading: Reading, rule: Rule, row: Rate | RateChange) -> Reading:
    """Read the rate of a cohort, a side or everybody, or its change."""
    rate = row.candidate if isinstance(row, RateChange) else row
    reading = replace(reading, speakers=rate.speakers)
    if isinstance(row, Cohort | CohortChange) and row.suppressed:
        why = rate.reason or (row.change.reason if isinstance(row, CohortChange) else None)
        return _missing(
            reading, why or "suppressed", "more speakers in this cohort, or a lower --min-speakers-shown"
        )
    if rule.bound == "max":
        figure = Figure(rate.wer, rate.low, rate.high, rate.log_se, rate.df, "log", rate.reason)
    elif isinstance(row, RateChange):
        figure = _changed(row.change, rule)
        figure = replace(figure, reason=figure.reason or row.baseline.reason or row.candidate.reason)
    else:
        return _without_baseline(reading)
    return replace(reading, figure=figure)


def _of_whole(rule: Rule, partition: Partition) -> Reading:
    """Read what is of a partition as a whole: its gap, its worst cohort, its highest WER."""
    if rule.measure in ("gap", "gap_absolute"):
        return _gap(rule, partition)
    empty = Reading(partition.name, rule.measure, None, f"the {rule.measure} of the cohorts")
    if isinstance(partition, PartitionResult):
        return _missing(empty, f"an audit has no such figure; {MEASURES[rule.measure].audit}", COMPARE)
    if rule.measure == "worst":
        if partition.worst is None:
            return _missing(empty, _why(partition) or "no worst cohort could be named")
        worst = partition.worst
        return _rated(replace(empty, cohort_id=worst.id, label=f"the worst: {worst.label}"), rule, worst)
    if partition.maximum is None:
        return _missing(empty, _why(partition) or "there is no highest WER")
    return replace(empty, label="the highest WER of any cohort", figure=_changed(partition.maximum, rule))


def _gap(rule: Rule, partition: Partition) -> Reading:
    sides: tuple[Side | SideChange | None, ...] = (partition.bottom, partition.top)
    rates = [side.candidate if isinstance(side, SideChange) else side for side in sides]
    speakers = [rate.speakers for rate in rates if rate is not None and rate.speakers is not None]
    # The smaller side decides how little is known.
    smaller = min(speakers) if len(speakers) == 2 else None
    empty = Reading(partition.name, "gap", None, "bottom against top", speakers=smaller)
    gap = partition.gap
    if gap is None or partition.bottom is None or partition.top is None:
        why = (
            _why(partition) or (gap.reason if isinstance(gap, Gap) else None) or "there is no bottom and top"
        )
        saved = "an audit that saves a bottom and a top: compare with its partitions.json"
        return _missing(empty, why, saved if isinstance(partition, PartitionChange) else "more speakers")
    if rule.bound != "max":
        if not isinstance(gap, GapChange):
            return _without_baseline(empty)
        figure = _changed(gap.change, rule)
        return replace(
            empty,
            figure=replace(figure, reason=figure.reason or gap.baseline.reason or gap.candidate.reason),
        )
    plain: Gap = gap.candidate if isinstance(gap, GapChange) else gap
    if rule.measure == "gap":
        figure = Figure(
            plain.relative,
            plain.relative_low,
            plain.relative_high,
            plain.log_se,
            plain.df,
            "log1p",
            plain.reason,
        )
    else:
        # Its standard error is not stored; the interval tells it where a corrected p is needed.
        figure = Figure(
            plain.absolute, plain.absolute_low, plain.absolute_high, None, plain.df, "linear", plain.reason
        )
    return replace(empty, figure=figure)


def _changed(change: Change, rule: Rule) -> Figure:
    if rule.bound == "max_increase":
        ends = change.absolute_low, change.absolute_high
        return Figure(change.absolute, *ends, change.absolute_se, change.df, "linear", change.reason)
    ends = change.relative_low, change.relative_high
    return Figure(change.relative, *ends, change.log_se, change.df, "log1p", change.reason)


def _missing(reading: Reading, why: str, settles: str = "a log with more speakers in it") -> Reading:
    return replace(reading, missing=why, settles=settles)


def _without_baseline(reading: Reading) -> Reading:
    return replace(_missing(reading, NO_BASELINE, COMPARE), baseline=False)


def _why(partition: Partition) -> str | None:
    return partition.reason if isinstance(partition, PartitionChange) else partition.gap.reason


def _log(x: float) -> float:
    return log(x) if x > 0 else -inf
