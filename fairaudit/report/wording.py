"""Numbers and names in words: the one place where a figure of a result becomes text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import floor, log10

from fairaudit.changes import Change, CohortChange, ComparisonResult
from fairaudit.result import AuditResult, Cohort, Gap, PartitionResult, Rate

Result = AuditResult | ComparisonResult

#: Stands where there is no number; the reason is near it.
DASH = "\u2013"
#: Invisible characters that Persian and the scripts of India need.
JOINERS = "\u200c\u200d"
#: A space at which no line ends.
NO_BREAK = "\u00a0"
#: How a cohort of ZIP codes is labelled, so that it is not taken for the people themselves.
PLACE = "people living in ZIP codes "
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


def clean(text: str) -> str:
    r"""Return text of the user's on one line, without characters that command a terminal or turn it round.

    Examples
    --------
    >>> clean("red\x1b[31m\n(north)")
    'red\ufffd[31m (north)'
    """
    return "".join(c if c.isprintable() or c in JOINERS else "\ufffd" for c in " ".join(text.split()))


def glued(text: str) -> str:
    """Keep a number and what it counts on one line."""
    return re.sub(r"(\d) (%|points)|1 in 20", lambda found: found[0].replace(" ", NO_BREAK), text)


def capitalised(text: str) -> str:
    """Return a text with its first letter large and the others as they are."""
    return text[:1].upper() + text[1:]


def setting(value: object) -> str:
    """Return the value of an option or a parameter."""
    if value is None or value in ({}, []):
        return "not set"
    return clean(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def percent(fraction: float | None) -> str:
    """Return a fraction in per cent, without the sign: one digit after the point, more where it is tiny.

    Examples
    --------
    >>> percent(0.417), percent(-0.03), percent(0.0004), percent(12.5), percent(-0.0), percent(None)
    ('41.7', '-3.0', '0.04', '1,250', '0.0', '–')
    """
    if fraction is None:
        return DASH
    value = 100 * fraction
    if abs(value) >= 999.95:
        return f"{value:,.0f}"
    text = f"{value:.1f}" if abs(value) >= 0.095 else f"{value:.2f}"
    return "0.0" if float(text) == 0 else text


def share(fraction: float | None) -> str:
    """Return a share for a sentence: in whole per cent from one per cent on.

    Examples
    --------
    >>> share(0.1236), share(0.0081), share(0.0004)
    ('12 %', '0.8 %', '0.04 %')
    """
    if fraction is None:
        return DASH
    return f"{100 * fraction:.0f} %" if fraction >= 0.00995 else f"{percent(fraction)} %"


def p_text(p: float | None) -> str:
    """Return a p-value: three digits after the point, or two that count where it is smaller.

    A p-value of permutations is exact, (1 + r) / (1 + R), so it is never given as "less than".

    Examples
    --------
    >>> p_text(1 / 200), p_text(0.15), p_text(1.0), p_text(0.00149), p_text(1 / 10_000)
    ('0.005', '0.150', '1.000', '0.0015', '0.0001')
    """
    if p is None:
        return DASH
    digits = max(3, 1 - floor(log10(p))) if p > 0 else 3
    return re.sub(r"(\.\d{3}\d*?)0+$", r"\1", f"{p:.{digits}f}")


def tail_text(p: float | None) -> str:
    """Return a p-value of a distribution, which goes on where nobody can know it any more.

    Examples
    --------
    >>> tail_text(3e-13), tail_text(0.0214)
    ('below 0.0001', '0.021')
    """
    return "below 0.0001" if p is not None and p < 0.0001 else p_text(p)


def between(low: float | None, high: float | None) -> str:
    """Return an interval in per cent.

    Examples
    --------
    >>> between(-0.05, 0.31), between(None, None)
    ('-5.0 to 31.0', '–')
    """
    return DASH if low is None or high is None else f"{percent(low)} to {percent(high)}"


def count(n: int | None) -> str:
    """Return a count with its thousands set apart."""
    return DASH if n is None else f"{n:,}"


def counted(n: int | None, noun: str) -> str:
    """Return a count and what is counted.

    Examples
    --------
    >>> counted(1, "speaker"), counted(1_200, "speaker")
    ('1 speaker', '1,200 speakers')
    """
    return f"{count(n)} {noun if n == 1 else noun + 's'}"


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


def cohort_name(cohort: Cohort | CohortChange) -> str:
    """Return what a cohort is called in tables: its label, and its name in files where that is not in it.

    Examples
    --------
    >>> from functools import partial
    >>> made = partial(Cohort, id="0", rank=1, suppressed=False, share=None)
    >>> cohort_name(made(cohort="US", label="accent is US"))
    'accent is US'
    >>> cohort_name(made(cohort="voice-03", label="speakers who sound alike, cluster 3"))
    'voice-03: speakers who sound alike, cluster 3'
    >>> cohort_name(made(cohort="age=70, sex=f", label="age is 70 and sex is f, except where town is Cork"))
    'age is 70 and sex is f, except where town is Cork'
    """
    name, label = clean(cohort.cohort), clean(cohort.label)
    same = label.startswith(name.replace("=", " is ").replace(", ", " and "))
    return label if same or label.endswith(name) else f"{name}: {label}"


def worst_first(cohorts: Iterable[Cohort]) -> list[Cohort]:
    """Sort cohorts by rank, those without one last."""
    return sorted(cohorts, key=lambda c: (c.rank is None, c.rank or 0))


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
    return "each cohort on all speakers; rank and side as in the first split (on one half of the speakers)"
