"""What must be said beside the numbers: warnings, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence

from fairaudit.report.blocks import Paragraph
from fairaudit.report.sentence import is_told
from fairaudit.report.wording import Result, choices_of, rate_text
from fairaudit.result import AuditResult, PartitionResult, Unassigned
from fairaudit.wording import capitalised, clean, count, counted

#: The default of `min_speakers_shown`; below it, the report says so.
USUALLY_SHOWN = 11

TOLD_NOT_CLEAR = (
    "p and interval disagree. p asks whether the procedure finds a gap anywhere beyond chance, and says "
    "yes; the interval measures its size, and includes 0: take it that there is a gap, of a size that is "
    "not known yet."
)
NAMED_AND_MEASURED = (
    "The cohorts that are named are those found on one half of the speakers{first}; the rates of bottom and "
    "top also take in those that were found on the other half{others}. So they differ from the rows of the "
    "named cohorts further below."
)
CLEAR_NOT_TOLD = (
    "p and interval disagree. The interval measures the size of the gap and leaves 0 out; p, corrected "
    "for the number of partitions, says that chance alone gives as clear a gap too often: take the gap "
    "for not shown."
)


def warnings(result: AuditResult) -> tuple[Paragraph, ...]:
    """Return what nobody may miss, the gravest first."""
    texts = [independent(result), _exploratory(result), *map(clean, result.log.warnings)]
    return tuple(Paragraph(capitalised(text), loud=True) for text in texts if text)


def disagreements(result: AuditResult) -> tuple[str, ...]:
    """Say what to make of a gap where p and its interval disagree: they answer different questions.

    Parameters
    ----------
    result : AuditResult
    """
    texts = []
    for partition in result.partitions:
        gap = partition.gap
        if gap.relative_low is None or gap.relative_high is None or partition.chance is None:
            continue
        if partition.chance.p_value_holm is None:
            continue
        told, clear = is_told(partition, result), not gap.relative_low <= 0 <= gap.relative_high
        if told and not clear:
            texts.append(f"{clean(partition.name)}: {TOLD_NOT_CLEAR}")
        elif clear and not told:
            texts.append(f"{clean(partition.name)}: {CLEAR_NOT_TOLD}")
    return tuple(texts)


def named_and_measured(result: AuditResult) -> tuple[str, ...]:
    """Say why the rates of bottom and top are not those of the cohorts that are named.

    Parameters
    ----------
    result : AuditResult
    """
    splits = [p.splits.n for p in result.partitions if p.splits and p.bottom and p.bottom.cohorts]
    if not splits:
        return ()
    several = max(splits) > 1
    first, others = (", in the first split", " and in the other splits") if several else ("", "")
    return (NAMED_AND_MEASURED.format(first=first, others=others),)


def remarks(result: AuditResult) -> tuple[str, ...]:
    """Return what was left out, suppressed, not checked or shown against the default."""
    per_partition = [
        text for p in result.partitions for text in (choices(p), suppressed(p), unassigned(p, result)) if text
    ]
    texts = [
        narrowed(result),
        excluded(result),
        unchecked(result),
        *per_partition,
        skipped(result),
        lowered(result),
    ]
    return tuple(text for text in texts if text)


def narrowed(result: Result) -> str:
    """Say which rows alone were asked for; an empty text where all were."""
    log = result.log
    if not log.where:
        return ""
    asked = " and ".join(f"{clean(column)} is {_either(values)}" for column, values in log.where.items())
    if not log.rows:
        return f"Only rows where {asked}."
    kept = log.utterances + sum(log.excluded.values())
    return f"Only rows where {asked}: {count(kept)} of {counted(log.rows, 'row')} read."


def _either(values: Sequence[str]) -> str:
    *others, last = map(clean, values)
    return f"{', '.join(others)} or {last}" if others else last


def excluded(result: Result) -> str:
    """Say how many rows were left out, and why; an empty text where none was."""
    reasons = result.log.excluded
    if not reasons:
        return ""
    left_out = sum(reasons.values())
    named = "; ".join(f"{clean(reason)}: {count(n)}" for reason, n in reasons.items())
    rows = counted(result.log.utterances + left_out, "row")
    return f"Left out of {rows}: {count(left_out)} ({named})."


def skipped(result: Result, what: str = "audited") -> str:
    """Say what was not audited, or not compared, and why."""
    if not result.skipped:
        return ""
    named = "; ".join(f"{clean(name)} ({clean(why)})" for name, why in result.skipped.items())
    return f"Not {what}: {named}."


def lowered(result: Result) -> str:
    """Say that figures of fewer speakers are shown than usual."""
    fewest = int(result.options.get("min_speakers_shown", USUALLY_SHOWN))
    if fewest >= USUALLY_SHOWN:
        return ""
    speakers = counted(fewest, "speaker")
    return (
        f"Figures of as few as {speakers} are shown (--min-speakers-shown {fewest}; by default "
        f"{USUALLY_SHOWN}): fit for public corpora, not for people who were promised privacy."
    )


def choices(partition: PartitionResult) -> str:
    """Say that the searches of the splits chose different things, where they did."""
    chosen = choices_of(partition)
    if chosen is None or partition.splits is None or len(partition.splits.chosen) < 2:
        return ""
    return (
        f"{clean(partition.name)} chose, {chosen}. Gap, rates and share are those of all searches together; "
        "the name is that of the first split."
    )


def suppressed(partition: PartitionResult) -> str:
    """Say how many cohorts are not shown."""
    hidden = [c for c in partition.cohorts if c.suppressed]
    if not hidden:
        return ""
    cohorts = counted(len(partition.cohorts), "cohort")
    are = f"{len(hidden)} of {cohorts} {'is' if len(hidden) == 1 else 'are'}"
    return f"{clean(partition.name)}: {are} {clean(hidden[0].reason or 'suppressed')}."


def unassigned(partition: PartitionResult, result: AuditResult) -> str:
    """Say how many rows have no cohort, why, and what their rate is."""
    rows = partition.unassigned
    if rows is None:
        return ""
    name = clean(partition.name)
    if rows.utterances is None:
        return f"{name}: the rows without a cohort are {clean(rows.reason or 'not shown')}."
    reasons = "; ".join(f"{clean(reason)}: {count(n)}" for reason, n in rows.reasons.items())
    people = f"{counted(rows.utterances, 'utterance')} of {counted(rows.speakers, 'speaker')}"
    if is_of_half(rows, result):
        people += " of the measured half"
    have = "has" if rows.utterances == 1 else "have"
    rate = f"{clean(result.metric.name)} is {rate_text(rows)}"
    return f"{name}: {people} {have} no cohort ({reasons}); their {rate}."


def is_of_half(rows: Unassigned, result: AuditResult) -> bool:
    """Tell whether rows without a cohort were looked for among a part of the speakers alone.

    Of a discovered partition they are those of the measured half, unless nobody could be held out.
    """
    of = rows.share.speakers if rows.share else None
    return bool(of and rows.speakers) and round((rows.speakers or 0) / (of or 1.0)) < result.log.speakers


def unchecked(result: Result) -> str:
    """Say what was not looked for."""
    named = "; ".join(clean(text) for text in result.log.unchecked)
    return f"Not checked: {named}." if named else ""


def independent(result: Result) -> str:
    """Warn where utterances stand for speakers."""
    if not result.log.independent_utterances:
        return ""
    return (
        "EVERY UTTERANCE WAS TAKEN FOR A SPEAKER OF ITS OWN (--assume-independent-utterances). Where people "
        "speak more than once, intervals are too short, p-values too small, and people are in both halves."
    )


def _exploratory(result: AuditResult) -> str:
    names = [clean(p.name) for p in result.partitions if p.exploratory]
    if not names:
        return ""
    were = f"{names[0]} was" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} were"
    return (
        f"Exploratory: {were} found on this very log, or on the very same speakers. Bottom and top are "
        "measured on the half of the speakers among whom they were not found; another log would be the test."
    )
