"""What a reader should know after a minute: who is served worst, by how much, and how sure that is."""

from __future__ import annotations

from fairaudit.report.blocks import Fact, Facts
from fairaudit.report.evidence import SIGNIFICANT
from fairaudit.report.sentence import has_gap, headline, is_told, times
from fairaudit.report.wording import (
    chance_asked,
    confidence_text,
    denominator_of,
    gap_text,
    level,
    subject_of,
    unit_of,
    worst_first,
)
from fairaudit.result import AuditResult, PartitionResult, Side
from fairaudit.wording import VOICE, capitalised, clean, counted, p_text, percent, share

#: Most cohorts that are named.
MOST_NAMED = 3
NO_PROOF = "That is no proof that there is none: an audit of more speakers may find one."


def plain_facts(result: AuditResult) -> Facts | None:
    """Put the partition that the first sentence is about into plain words, and name the others.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    Facts or None
        None where nothing was audited.
    """
    partition = headline(result)
    if partition is None:
        return None
    facts = [
        Fact("Who is served worst", _who(partition, result)),
        *_how_much(partition, result),
        _how_sure(partition, result),
        *_others(partition, result),
    ]
    return Facts(tuple(facts))


def _who(partition: PartitionResult, result: AuditResult) -> str:
    """Name the bottom, or say that there is none."""
    side = partition.bottom
    if side is None or not side.cohorts:
        return "No cohort can be named on speakers who were held out; see the worst-served cohorts below."
    names = capitalised(_names(partition, side, MOST_NAMED))
    known = _known_of(partition, side)
    if side.share is None or side.share.speakers is None:
        return f"{names}, by {subject_of(partition)}.{known}"
    noun = "utterances" if result.log.independent_utterances else "speakers"
    return f"{names}: {share(side.share.speakers)} of {noun}, by {subject_of(partition)}.{known}"


def _known_of(partition: PartitionResult, side: Side) -> str:
    """Say who sounds so, as the number of a cluster tells nothing: the labels that are more common there."""
    members = worst_first(c for c in partition.cohorts if c.cohort in side.cohorts)
    if not members or not all(clean(c.label).startswith(VOICE) for c in members):
        return ""
    traits = [t for c in members for t in c.profile if t.p_adjusted <= SIGNIFICANT and t.lift > 1]
    named = list(dict.fromkeys(f"{clean(t.column)} is {clean(t.value)}" for t in traits))[:MOST_NAMED]
    if named:
        return f" More common among them than elsewhere: {'; '.join(named)}."
    return " Beyond that they sound alike, no label of the log tells who they are."


def _names(partition: PartitionResult, side: Side, most: int) -> str:
    """Name the cohorts of a side, the worst first."""
    of = {c.cohort: c for c in partition.cohorts}
    members = worst_first(of[name] for name in side.cohorts if name in of)
    names = [clean(c.label) for c in members] or [clean(name) for name in side.cohorts]
    more = len(names) - most
    shown = names[:most]
    if len(shown) > 1 and all(name.startswith(VOICE) for name in shown):
        # What all clusters have in common is said once.
        shown = [f"{VOICE.rstrip()}s {', '.join(name.removeprefix(VOICE) for name in shown)}"]
    return "; ".join(shown) + (f"; and {counted(more, 'cohort')} more" if more > 0 else "")


def _how_much(partition: PartitionResult, result: AuditResult) -> list[Fact]:
    """Give both rates, the gap and its interval in words."""
    bottom, top, gap, name = partition.bottom, partition.top, partition.gap, clean(result.metric.name)
    if bottom is None or top is None or bottom.wer is None or top.wer is None:
        return []
    who = "the reference" if partition.gaps.reference is not None else "the best-served"
    rates = f"{name} is {percent(bottom.wer)} % for them and {percent(top.wer)} % for {who}"
    if gap.relative is None:
        return [Fact("By how much", f"{rates}.")]
    moved = f"{percent(abs(gap.relative))} % {'higher' if gap.relative >= 0 else 'lower'}"
    said = [f"{rates}: {moved}."]
    if gap.relative_low is not None:
        said.append(
            f"The true figure is likely between {percent(gap.relative_low)} and "
            f"{percent(gap.relative_high)} % (the {confidence_text(result)} interval)."
        )
    meaning = (
        f"{name}: {_meant(result)}. The interval is the range of gaps that fit this log: it is wide where "
        "few speakers were heard."
    )
    return [Fact("By how much", " ".join(said), meaning)]


def _meant(result: AuditResult) -> str:
    """Say what the metric is, to somebody who has never heard of it."""
    unit = unit_of(result)
    if unit is None:
        return f"{clean(result.metric.numerator)} for every {denominator_of(result).removesuffix('s')}"
    said = "said" if unit == "words" else "to be written"
    return f"of 100 {unit} that were {said}, how many were got wrong"


def _how_sure(partition: PartitionResult, result: AuditResult) -> Fact:
    """Say how often chance gives as much, and what follows."""
    term, chance = "How sure that is", partition.chance
    if chance is None:
        why = "there is no gap to test" if chance_asked(result) else "no permutations were asked for"
        return Fact(term, f"Not known: whether chance alone gives as much was not tested ({why}).")
    if chance.p_value is None:
        p = chance.in_sample_p_value
        often = f" Chance alone gives as large a gap in the whole log in {times(p)}." if p is not None else ""
        return Fact(term, f"Too few speakers to hold any out, so the size cannot be measured.{often}")
    told = is_told(partition, result)
    tests = sum(p.chance is not None and p.chance.p_value is not None for p in result.partitions)
    said = f"Chance alone gives a gap as clear in {times(chance.p_value)}"
    if tests > 1 and chance.p_value_holm is not None:
        said += f"; looked for in {tests} ways at once, in {times(chance.p_value_holm)}"
    answer = "so it is told from chance" if told else "so chance may well explain it"
    compared = f"{'at most' if told else 'above'} {level(result):g}"
    meaning = (
        f"p = {p_text(chance.p_value)}, corrected for {counted(tests, 'partition')} "
        f"{p_text(chance.p_value_holm)}: {compared}. The whole search ran again on "
        f"{counted(chance.replicates, 'log')} in which speakers were dealt out to groups at random."
    )
    return Fact(term, f"{said}: {answer}.", meaning)


def _others(partition: PartitionResult, result: AuditResult) -> list[Fact]:
    """Say what the other partitions show: each gap that is told from chance, and the names of the rest."""
    told = also_told(partition, result)
    rest = [clean(p.name) for p in result.partitions if p.name != partition.name and p not in told]
    named = capitalised("; ".join(in_short(p, result) for p in told))
    facts = [Fact("Also told from chance", f"{named}.")] if named else []
    if rest:
        facts.append(Fact("No gap told from chance", f"By {', '.join(rest)}.", NO_PROOF))
    return facts


def also_told(partition: PartitionResult, result: AuditResult) -> list[PartitionResult]:
    """Return the other partitions of which a gap is told from chance.

    Parameters
    ----------
    partition : PartitionResult
        That of the first sentence.
    result : AuditResult
    """
    others = [p for p in result.partitions if p.name != partition.name]
    return [p for p in others if has_gap(p) and is_told(p, result)]


def in_short(partition: PartitionResult, result: AuditResult) -> str:
    """Say in a line who is in the bottom of another partition, and how they are served.

    Parameters
    ----------
    partition : PartitionResult
        One with a gap.
    result : AuditResult
    """
    bottom, top = partition.bottom, partition.top
    assert bottom is not None
    assert top is not None
    rates = f"{clean(result.metric.name)} {percent(bottom.wer)} % against {percent(top.wer)} %"
    who = _names(partition, bottom, 1) if bottom.cohorts else "the bottom"
    return f"by {subject_of(partition)}, {who}: {rates}, gap {gap_text(partition.gap)}"
