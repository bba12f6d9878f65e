"""What a rule reads in a result: figures of an audit or of a comparison, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fairaudit.changes import (
    CohortChange,
    ComparisonResult,
    GapChange,
    PartitionChange,
    RateChange,
    SideChange,
)
from fairaudit.exceptions import nearest
from fairaudit.gating.figure import NO_FIGURE, Figure
from fairaudit.gating.measures import MEASURES
from fairaudit.gating.rules import EVERY, Rule
from fairaudit.rates import Gap, Rate
from fairaudit.result import AuditResult, Cohort, PartitionResult, Side, Unassigned

Result = AuditResult | ComparisonResult
Partition = PartitionResult | PartitionChange

#: What those without a cohort are called in a rule and in a finding.
UNASSIGNED = "unassigned"
NO_BASELINE = "there is no baseline: this is an audit, and the rule is about an increase"
COMPARE = "compare with the release in service, or write first_release = true if there is none"
SUPPRESSED = "more speakers in this cohort, or a lower --min-speakers-shown"
NO_ERRORS = "a rule with max_increase, which needs no errors to compare with"
NO_ERRORS_OF_GAP = "a rule on gap_absolute with max_increase, which needs no errors to compare with"


@dataclass(frozen=True)
class Reading:
    """What one rule reads of one thing.

    `missing` says why there is nothing to judge, and `settles` what to do about it. `baseline` is False
    where that is only because an audit has none, `suppressed` True where a cohort is too small to be shown.
    `one_error` is by how much one error more would move the figure: as a fraction of it, or as it is where
    its scale is linear; None where errors are not known. `held_out` is True where `speakers` are those of the
    half that is measured.
    """

    partition: str | None
    cohort: str | None
    cohort_id: str | None
    label: str
    figure: Figure = NO_FIGURE
    speakers: int | None = None
    one_error: float | None = None
    held_out: bool = False
    exploratory: bool = False
    suppressed: bool = False
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
    found = _of_partitions(rule, result) if rule.partition else [_of_everybody(rule, result)]
    if rule.needs_baseline and isinstance(result, AuditResult):
        return [_without_baseline(reading, rule) for reading in found]
    return found


def _of_everybody(rule: Rule, result: Result) -> Reading:
    return _rated(Reading(None, "overall", None, "everybody"), rule, result.overall)


def _of_partitions(rule: Rule, result: Result) -> list[Reading]:
    name = rule.partition or EVERY
    partitions = [p for p in result.partitions if name in (p.name, EVERY)]
    found = [reading for p in partitions for reading in _in_partition(rule, p)]
    if name == EVERY and skipped_was_asked(result):
        # What was asked for and could not be measured must not pass.
        found += [_no_partition(skipped, result) for skipped in result.skipped]
    return found or [_no_partition(name, result)]


def skipped_was_asked(result: Result) -> bool:
    """Tell whether all that was skipped had been asked for, and not only found in the log.

    An audit of saved partitions looks for nothing else.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
    """
    return isinstance(result, ComparisonResult) or any(p.origin == "saved" for p in result.partitions)


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
    rows: dict[str, Cohort | CohortChange | Unassigned | RateChange]
    rows = {c.cohort: c for c in partition.cohorts}
    names = {c.id: c.cohort for c in partition.cohorts}
    vanished = partition.vanished if isinstance(partition, PartitionChange) else ()
    if partition.unassigned is not None:
        # A label that the partition does not know must not be harmed unseen.
        rows.setdefault(UNASSIGNED, partition.unassigned)
    if isinstance(rule.cohorts, tuple):
        wanted = [name if name in rows else names.get(name, name) for name in rule.cohorts]
    else:
        wanted = [*rows, *(name for name in vanished if name not in rows)]
    for name in dict.fromkeys(wanted):
        row = rows.get(name)
        empty = Reading(partition.name, name, None, name)
        if isinstance(row, Cohort | CohortChange):
            empty = replace(empty, cohort_id=row.id, label=row.label)
        elif name == UNASSIGNED:
            empty = replace(empty, label="without a cohort")
        if name in vanished:
            why = "the cohort has vanished: nobody of this log is in it"
            yield _missing(empty, why, "a log with speakers of this cohort")
        elif row is not None:
            yield _rated(empty, rule, row)
        elif name == UNASSIGNED:
            yield _missing(empty, "everybody has a cohort", f"a rule that does not name {UNASSIGNED}")
        else:
            yield _missing(empty, f"the partition has no cohort {name}: {nearest(name, rows)}", "its name")
    if not partition.cohorts and not isinstance(rule.cohorts, tuple):
        why = _why(partition) or "nobody was placed"
        yield _missing(Reading(partition.name, None, None, "the cohorts"), f"there is no cohort: {why}")


def _rated(reading: Reading, rule: Rule, row: Rate | RateChange) -> Reading:
    """Read the rate of a cohort, a side or everybody, or its change."""
    rates = (row.baseline, row.candidate) if isinstance(row, RateChange) else (row,)
    rate = rates[-1]
    reading = replace(reading, speakers=rate.speakers, suppressed=_suppressed(row))
    if rate.speakers is None and isinstance(row, RateChange):
        reading = replace(reading, speakers=row.measured_speakers, held_out=True)
    if reading.suppressed:
        why = rate.reason or (row.change.reason if isinstance(row, RateChange) else None)
        return _missing(reading, why or "suppressed", SUPPRESSED)
    if rule.bound == "max":
        figure = Figure.of_rate(rate)
        return replace(reading, figure=figure, one_error=figure.one_error((rate,)))
    if not isinstance(row, RateChange):
        return reading
    figure = Figure.of_change(row.change, rule)
    figure = replace(figure, reason=figure.reason or row.baseline.reason or row.candidate.reason)
    settles = NO_ERRORS if figure.lacks_errors(row.change) else None
    return replace(reading, figure=figure, one_error=figure.one_error(rates), settles=settles)


def _suppressed(row: Rate | RateChange) -> bool:
    """Tell whether a cohort, or those without one, are too few to be shown."""
    if isinstance(row, Cohort | CohortChange):
        return row.suppressed
    if isinstance(row, SideChange) or not isinstance(row, Unassigned | RateChange):
        return False
    rate = row.candidate if isinstance(row, RateChange) else row
    return rate.speakers is None and rate.wer is None


def _of_whole(rule: Rule, partition: Partition) -> Reading:
    """Read what is of a partition as a whole: its gap, its worst cohort, its highest WER."""
    if rule.measure in ("gap", "gap_absolute"):
        return _gap(rule, partition)
    empty = Reading(partition.name, rule.measure, None, f"the {rule.measure} of the cohorts")
    if isinstance(partition, PartitionResult):
        return empty
    if rule.measure == "worst":
        if partition.worst is None:
            why = partition.worst_reason or _why(partition) or "no worst cohort could be named"
            return _missing(empty, why)
        worst = partition.worst
        return _rated(replace(empty, cohort_id=worst.id, label=f"the worst: {worst.label}"), rule, worst)
    if partition.maximum is None:
        return _missing(empty, _why(partition) or "there is no highest WER")
    figure = Figure.of_change(partition.maximum, rule)
    settles = NO_ERRORS if figure.lacks_errors(partition.maximum) else None
    return replace(empty, label="the highest WER of any cohort", figure=figure, settles=settles)


def _gap(rule: Rule, partition: Partition) -> Reading:
    bottom, top, gap = partition.bottom, partition.top, partition.gap
    empty = Reading(partition.name, "gap", None, "bottom against top", speakers=_smaller(bottom, top))
    if gap is None or bottom is None or top is None:
        why = _why(partition) or (gap.reason if isinstance(gap, Gap) else None)
        saved = "an audit that saves a bottom and a top: compare with its partitions.json"
        settles = saved if isinstance(partition, PartitionChange) else "more speakers"
        return _missing(empty, why or "there is no bottom and top", settles)
    if rule.bound == "max":
        plain = gap.candidate if isinstance(gap, GapChange) else gap
        return replace(empty, figure=Figure.of_gap(plain, rule))
    if isinstance(gap, Gap):
        return empty
    figure = Figure.of_change(gap.change, rule)
    figure = replace(figure, reason=figure.reason or gap.baseline.reason or gap.candidate.reason)
    return replace(
        empty, figure=figure, settles=NO_ERRORS_OF_GAP if figure.lacks_errors(gap.change) else None
    )


def _smaller(bottom: Side | SideChange | None, top: Side | SideChange | None) -> int | None:
    """Return the speakers of the smaller side, which decides how little is known."""
    speakers = [
        side if side is None else side.speakers or getattr(side, "measured_speakers", None)
        for side in (bottom, top)
    ]
    return None if None in speakers else min(n for n in speakers if n is not None)


def _missing(reading: Reading, why: str, settles: str = "a log with more speakers in it") -> Reading:
    return replace(reading, missing=why, settles=settles)


def _without_baseline(reading: Reading, rule: Rule) -> Reading:
    instead = MEASURES[rule.measure].instead
    why, settles = NO_BASELINE, COMPARE
    if instead:
        why = f"an audit has no such figure: {rule.measure} takes a comparison"
        settles = f"{COMPARE}; of an audit, a rule on {instead} reads much the same"
    return replace(reading, figure=NO_FIGURE, missing=why, settles=settles, baseline=False)


def _why(partition: Partition) -> str | None:
    return partition.reason if isinstance(partition, PartitionChange) else partition.gap.reason
