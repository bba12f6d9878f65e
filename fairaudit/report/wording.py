"""What a result says in words: rates, gaps, changes and partitions, and on whom they were measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fairaudit.changes import Change, ComparisonResult
from fairaudit.rates import Gap, Rate
from fairaudit.report.blocks import Facts, Table
from fairaudit.result import AuditResult, Cohort, PartitionResult
from fairaudit.wording import DASH, PLACE, between, clean, count, counted, percent

Result = AuditResult | ComparisonResult

#: What is counted, by the name of the metric; another metric is worded as a ratio.
UNITS = {"wer": "words", "cpwer": "words", "cer": "characters"}
#: Headings and sentences for what finds partitions here; others are called by their own names.
SEARCHES = {
    "geo": ("Decision tree over latitude and longitude", "region"),
    "zip": ("ZIP codes by census attribute", "ZIP code"),
    "voice": ("Clusters of speaker embeddings", "voice"),
    "slices": ("Slices of label columns", "slice"),
}
#: The heading of ZIP codes where the table is the user's own, and what the source of the built-in one is.
OWN_TABLE, CENSUS = "ZIP codes by attribute", "American Community Survey"


def rate_text(rate: Rate) -> str:
    """Return a rate with its interval, or the reason why there is none.

    Examples
    --------
    >>> rate_text(Rate(wer=0.12, low=0.1, high=0.14)), rate_text(Rate(reason="no speakers"))
    ('12.0 % (10.0 to 14.0)', '– (no speakers)')
    """
    return _with_interval(rate.wer, rate.low, rate.high, rate.reason)


def gap_text(gap: Gap, *, absolute: bool = False) -> str:
    """Return a gap with its interval: relative in per cent, or absolute in points."""
    if absolute:
        return _with_interval(gap.absolute, gap.absolute_low, gap.absolute_high, gap.reason, "points")
    return _with_interval(gap.relative, gap.relative_low, gap.relative_high, gap.reason)


def change_text(change: Change, *, absolute: bool = False) -> str:
    """Return a change with its interval: relative in per cent, or absolute in points.

    Examples
    --------
    >>> change_text(Change(relative=-0.22, relative_low=-0.284, relative_high=-0.15))
    '-22.0 % (-28.4 to -15.0)'
    """
    if absolute:
        low, high = change.absolute_low, change.absolute_high
        return _with_interval(change.absolute, low, high, change.reason, "points")
    return _with_interval(change.relative, change.relative_low, change.relative_high, change.reason)


def _with_interval(
    value: float | None, low: float | None, high: float | None, reason: str | None, unit: str = "%"
) -> str:
    if value is None:
        return f"{DASH} ({clean(reason)})" if reason else DASH
    ends = between(low, high) if low is not None else clean(reason or "no interval")
    return f"{percent(value)} {unit} ({ends})"


def titled(result: AuditResult) -> str:
    """Return what was audited, in the words of the user."""
    named = [clean(name) for name in (result.subject.model, result.subject.dataset) if name]
    return f"Fairness audit: {' on '.join(named)}" if named else "Fairness audit"


def amount(result: Result) -> str:
    """Return how much was audited, or compared."""
    log = result.log
    words = f"{count(log.ref_words)} {denominator_of(result)}"
    return f"{counted(log.speakers, 'speaker')}, {counted(log.utterances, 'utterance')}, {words}"


def made_by(version: str, moment: str) -> str:
    """Return who made a report, and when.

    Examples
    --------
    >>> made_by("0.1.0", "2026-01-01T12:00:00+00:00")
    'Made by fairaudit 0.1.0 on 2026-01-01.'
    """
    return f"Made by fairaudit {clean(version)} on {clean(moment[:10])}."


def confidence_text(result: Result) -> str:
    """Return the confidence of the intervals, such as "95 %"."""
    return f"{100 * float(result.options.get('confidence', 0.95)):g} %"


def level(result: AuditResult) -> float:
    """Return the p-value up to which a gap is told from chance."""
    return round(1 - float(result.options.get("confidence", 0.95)), 9)


def chance_asked(result: AuditResult) -> bool:
    """Return whether the audit ran permutations at all."""
    return bool(result.options.get("permutations", 0))


def unit_of(result: Result) -> str | None:
    """Return what the metric counts; None where its name does not say."""
    return UNITS.get(result.metric.name.casefold())


def denominator_of(result: Result) -> str:
    """Return what the metric is divided by."""
    unit = unit_of(result)
    return f"reference {unit}" if unit else clean(result.metric.denominator)


def subject_of(partition: PartitionResult) -> str:
    """Return by what a partition divides, after "by": region, ZIP code, voice, or its own name."""
    if partition.kind != "lookup" and partition.name in SEARCHES:
        return SEARCHES[partition.name][1]
    return clean(partition.name)


def title_of(partition: PartitionResult) -> str:
    """Return what a partition is called in tables and headings.

    The attribute of ZIP codes is that of the first split; see `choices_of`.
    """
    name = clean(partition.name)
    if is_intersection(partition):
        words = f"labels: {' and '.join(intersected(partition))}"
    elif partition.kind == "lookup" or partition.origin == "declared":
        words = f"label: {name}"
    elif partition.name in SEARCHES:
        words = f"{OWN_TABLE if _has_own_table(partition) else SEARCHES[partition.name][0]} ({name})"
    else:
        words = f"found by {name}"
    if partition.kind == "threshold" and partition.cohorts:
        bottom = partition.bottom.cohorts if partition.bottom else ()
        side = next((c for c in partition.cohorts if c.cohort in bottom), partition.cohorts[0])
        words += f": {clean(side.label).removeprefix(PLACE)}"
    return f"{words}, saved" if partition.origin == "saved" else words


def is_intersection(partition: PartitionResult) -> bool:
    """Tell whether the cohorts are the combinations of values of label columns, as declared."""
    rule = partition.rule or {}
    return partition.kind == "combinations" and bool(rule["combinations"]) and [] not in rule["combinations"]


def intersected(partition: PartitionResult) -> list[str]:
    """Return the columns of an intersection."""
    return [clean(column) for column, _ in (partition.rule or {})["combinations"][0]]


def _has_own_table(partition: PartitionResult) -> bool:
    """Tell whether the attributes of ZIP codes are from a table of the user's: of what, is not known."""
    if partition.discoverer is not None and partition.discoverer.parameters.get("zip_table"):
        return True
    source = (partition.rule or {}).get("table", {}).get("source", CENSUS)
    return not str(source).startswith(CENSUS)


def choices_of(partition: PartitionResult) -> str | None:
    """Say what the search chose, and how often; None where it chooses nothing."""
    splits = partition.splits
    if splits is None or not splits.chosen:
        return None
    chosen = {clean(name): times for name, times in splits.chosen.items()}
    if sum(chosen.values()) < 2 * splits.n:
        chosen["nothing"] = 2 * splits.n - sum(chosen.values())
    return f"of {2 * splits.n} searches: {', '.join(f'{name} in {times}' for name, times in chosen.items())}"


def worst_first(cohorts: Iterable[Cohort]) -> list[Cohort]:
    """Sort cohorts by rank; those without one come last, the highest rate first."""
    return sorted(cohorts, key=lambda c: (c.rank is None, c.rank or 0, -(c.wer or 0.0)))


def by_rate(cohorts: Iterable[Cohort]) -> list[Cohort]:
    """Sort cohorts by their rate, the highest first; those without one come last."""
    return sorted(cohorts, key=lambda c: (c.wer is None, -(c.wer or 0.0)))


def order_of(partition: PartitionResult) -> str:
    """Say in which order `worst_first` puts the cohorts of a partition, and who ranked them."""
    if all(c.rank is None for c in partition.cohorts):
        return "the highest rate first"
    if partition.origin == "saved":
        return "in the order of the ranks that were saved with it, so the rates need not fall"
    of = "the other half" if partition.origin == "discovered" else "one half"
    return f"in the order of rank, 1 the worst, which {of} of the speakers gave, so the rates need not fall"


def by_partition(block: Table | Facts, partition: PartitionResult) -> Table | Facts:
    """Name the partition in a caption or a title, which has to make sense by itself."""
    by = subject_of(partition)
    if isinstance(block, Table):
        # A word in capitals, such as the name of the metric, stays as it is.
        caption = (
            block.caption[:1].lower() + block.caption[1:] if block.caption[1:2].islower() else block.caption
        )
        return replace(block, caption=f"By {by}: {caption}")
    return replace(block, title=f"{block.title}, by {by}") if block.title else block


def splits_of(partition: PartitionResult) -> str:
    """Say on which speakers the gap of a partition was measured."""
    if partition.kind == "none":
        return "there are none, as no row of the log can be placed"
    if partition.splits is None:
        if partition.exploratory:
            return "on the half of the speakers among whom the partition was not found"
        return "on all speakers of this log; the partition, its bottom and its top are as saved"
    n = partition.splits.n
    over = f"over {n} splits, each used both ways" if n > 1 else "over one split, used both ways"
    return f"{over} (bottom and top are named on one half of the speakers and measured on the other)"


def cohorts_of(partition: PartitionResult) -> str:
    """Say of which split, and of which speakers, the rows of a partition's cohorts are."""
    if partition.origin == "discovered":
        return (
            "cohorts as found in the first split (found on one half of the speakers, measured on the other)"
        )
    if partition.origin == "saved":
        on = "the half among whom they were not found" if partition.exploratory else "all speakers"
        return f"cohorts as saved, measured on {on}"
    if all(c.rank is None for c in partition.cohorts):
        return "each cohort on all speakers"
    return "each cohort on all speakers; rank and side as in the first split (on one half of the speakers)"
