"""The line above the table: what the audit means, in counts, and whether chance explains it."""

from __future__ import annotations

from fairaudit.report.wording import chance_asked, level, subject_of, unit_of
from fairaudit.result import ONE_COHORT, AuditResult, PartitionResult
from fairaudit.wording import clean, percent, share

#: Rounded counts must keep the gap to within this part of itself, else a digit more is shown.
FAITHFUL = 0.25
#: How the reason begins why a figure is kept back.
SUPPRESSED = "suppressed: "
#: In so many audits at least ten arise by chance, or a whole number of them.
BASES = (100, 1_000, 10_000, 100_000)


def sentence(result: AuditResult) -> str:
    """Say what an audit found, of the partition that matters most.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    str
        One or two sentences on one line.
    """
    partition = headline(result)
    return "Nothing was audited." if partition is None else sentence_of(partition, result)


def headline(result: AuditResult) -> PartitionResult | None:
    """Return the partition that the sentence is about.

    Among those whose gap is told from chance (p after Holm's correction) the one with the largest
    gap; without any, the one with the smallest p; without any p, the one with the largest gap. Only
    where no partition has a gap to show, one without: with the smallest p, or else in-sample p.
    """
    shown = [p for p in result.partitions if has_gap(p)]
    told = [p for p in shown if is_told(p, result)]
    if told:
        return max(told, key=_size)
    tested = [p for p in shown or result.partitions if p.chance and p.chance.p_value is not None]
    if tested:
        return min(tested, key=lambda p: (_p(p), -_size(p)))
    if shown:
        return max(shown, key=_size)
    return min(result.partitions, key=_in_sample_p, default=None)


def has_gap(partition: PartitionResult) -> bool:
    """Return whether bottom and top were measured and are shown."""
    return _wers(partition) is not None


def is_told(partition: PartitionResult, result: AuditResult) -> bool:
    """Return whether a gap is told from chance: p after Holm's correction is at most one less confidence."""
    chance = partition.chance
    return bool(chance and chance.p_value_holm is not None and chance.p_value_holm <= level(result))


def is_told_in_sample(partition: PartitionResult, result: AuditResult) -> bool:
    """Return whether the in-sample p says that there is a gap, with Bonferroni's correction."""
    tests = sum(p.chance is not None for p in result.partitions)
    return _in_sample_p(partition) * tests <= level(result)


def sentence_of(partition: PartitionResult, result: AuditResult) -> str:
    """Say what one partition shows."""
    wers = _wers(partition)
    if wers is None:
        return f"By {subject_of(partition)}: {_without_gap(partition, result)}."
    shown = _figures(partition, result, *wers)
    return f"By {subject_of(partition)}: {shown}; {verdict(partition, result)}."


def verdict(partition: PartitionResult, result: AuditResult) -> str:
    """Say whether a gap is told from chance."""
    chance = partition.chance
    if chance is None:
        return "whether chance alone gives as much was not asked (no permutations)"
    if chance.p_value is None:
        return "too few speakers to tell that from chance"
    return _telling("that", is_told(partition, result))


def _telling(what: str, told: bool) -> str:
    return f"this audit {'can' if told else 'cannot'} tell {what} from chance"


def _wers(partition: PartitionResult) -> tuple[float, float] | None:
    bottom, top = partition.bottom, partition.top
    if bottom is None or top is None or bottom.wer is None or top.wer is None:
        return None
    return bottom.wer, top.wer


def _figures(partition: PartitionResult, result: AuditResult, bottom: float, top: float) -> str:
    """Word both rates, and of whom they are."""
    reverse = bottom < top
    worst, best = _who(partition, result, reverse=reverse)
    where = "on this log" if partition.origin == "saved" else "on the speakers who were held out"
    ending = f": {where}, the order is reversed" if reverse and partition.gaps.reference is None else ""
    unit = unit_of(result)
    if unit is None:
        name = clean(result.metric.name)
        return f"{name} is {percent(bottom)} % for {worst} and {percent(top)} % for {best}{ending}"
    base, bad, good = _counts(bottom, top)
    if max(bottom, top) > 1:
        return f"for every {base:,} {unit}, {bad} errors are made for {worst} and {good} for {best}{ending}"
    are = "is" if bad == "1" else "are"
    return f"of {base:,} {unit}, {bad} {are} wrong for {worst} and {good} for {best}{ending}"


def _who(partition: PartitionResult, result: AuditResult, *, reverse: bool) -> tuple[str, str]:
    """Name bottom and top by their shares."""
    sides = partition.bottom, partition.top
    many, few = (share(side.share.speakers if side and side.share else None) for side in sides)
    noun = "utterances" if result.log.independent_utterances else "speakers"
    worst, best = f"the worst-served {many} of {noun}", f"the best-served {few}"
    if partition.origin == "saved" or reverse:
        by = "saved as" if partition.origin == "saved" else "named"
        worst, best = f"the {many} of {noun} {by} worst-served", f"the {few} {by} best-served"
    if partition.gaps.reference is not None:
        best = f"the reference, {clean(str(result.options.get('reference_cohort')))} ({few})"
    return worst, best


def _counts(bottom: float, top: float) -> tuple[int, str, str]:
    """Round two rates to counts of as few words as keep the gap between them."""
    base = 100
    while 0 < max(bottom, top) * base < 1 and base < 1_000_000:
        base *= 10
    for digits in (0, 1):
        bad, good = round(base * bottom, digits), round(base * top, digits)
        # The same as comparing (bad - good) / good with (bottom - top) / top, without dividing by 0.
        if abs(bad * top - good * bottom) <= FAITHFUL * abs(bottom - top) * good:
            break
    return base, f"{bad:,.{digits}f}", f"{good:,.{digits}f}"


def _without_gap(partition: PartitionResult, result: AuditResult) -> str:
    """Say why there is no gap, and what chance says all the same."""
    why, chance = _why(partition), partition.chance
    if chance is None:
        return why if chance_asked(result) else f"{why}; chance was not asked for (no permutations)"
    if chance.p_value is not None:
        speaks = "speaks" if is_told(partition, result) else "does not speak"
        return f"{why}; p {speaks} for one"
    if chance.in_sample_p_value is None:
        return why
    ending = _telling("it", False)
    if is_told_in_sample(partition, result):
        ending = "this audit can tell that there is one, not how large it is"
    often = times(chance.in_sample_p_value)
    return f"{why}. In the whole log, a gap like the one found arises by chance alone in {often}; {ending}"


def _why(partition: PartitionResult) -> str:
    reason = clean(partition.gap.reason or "the result does not say why")
    if reason == ONE_COHORT:
        return reason
    if reason.startswith("too few speakers"):
        return "too few speakers to hold any out, so no gap can be given"
    if reason.startswith(SUPPRESSED):
        return f"the gap may not be shown: {reason.removeprefix(SUPPRESSED)}"
    return f"no gap can be given: {reason}"


def times(p: float) -> str:
    """Word a p-value as a frequency.

    Examples
    --------
    >>> times(0.005), times(0.375), times(1.0)
    ('about 5 of 1,000 audits', 'about 38 of 100 audits', 'every audit')
    """
    if p >= 1:
        return "every audit"
    base = next((b for b in BASES if p * b >= 10 or abs(p * b - round(p * b)) < 1e-9), BASES[-1])
    return f"about {p * base:,.0f} of {base:,} audits"


def _size(partition: PartitionResult) -> float:
    """Return the relative gap; without end where the top has no errors, so that there is none."""
    gap = partition.gap
    if gap.relative is not None:
        return gap.relative
    return float("inf") if (gap.absolute or 0) > 0 else float("-inf")


def _p(partition: PartitionResult) -> float:
    p = partition.chance.p_value if partition.chance else None
    return float("inf") if p is None else p


def _in_sample_p(partition: PartitionResult) -> float:
    p = partition.chance.in_sample_p_value if partition.chance else None
    return float("inf") if p is None else p
