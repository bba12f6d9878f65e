"""The figures of one partition, each with what it means beside it."""

from __future__ import annotations

from fairaudit.evidence import Chance
from fairaudit.rates import Share
from fairaudit.report.blocks import Fact
from fairaudit.report.wording import (
    chance_asked,
    choices_of,
    confidence_text,
    denominator_of,
    gap_text,
    rate_text,
)
from fairaudit.result import AuditResult, PartitionResult, Side
from fairaudit.wording import DASH, clean, counted, p_text, percent

#: Most cohorts of a side that are named beside its rate.
MOST_NAMED = 3


def gap_facts(partition: PartitionResult, result: AuditResult) -> tuple[Fact, ...]:
    """Return the headline gap, both rates and the gaps against other yardsticks."""
    name, gap, gaps = clean(result.metric.name), partition.gap, partition.gaps
    other = "the reference" if gaps.reference is not None else "the top"
    formula = f"({name} of the bottom - {name} of {other}) / {name} of {other}"
    bottom, top = (_names(side, partition) for side in (partition.bottom, partition.top))
    best, who = ("Top", "the best cohorts") if other == "the top" else ("Reference", other)
    signed = f"{formula}, with its {confidence_text(result)} interval. It may be negative."
    facts = [
        Fact(f"{name} gap", gap_text(gap), signed),
        _side(f"Bottom {name}", "the worst cohorts", partition.bottom, bottom, result),
        _side(f"{best} {name}", who, partition.top, top, result),
        Fact("Absolute gap", gap_text(gap, absolute=True), "The difference of the two rates."),
    ]
    rest = partition.rest
    if rest is not None and (rest.cohorts or rest.wer is not None):
        facts.append(_side(f"Rest {name}", "all other cohorts", rest, "", result))
        if gaps.rest is not None:
            facts.append(Fact("Gap against the rest", gap_text(gaps.rest), "The rest in place of the top."))
    if gaps.overall is not None:
        meaning = "All measured speakers in place of the top."
        facts.append(Fact("Gap against all", gap_text(gaps.overall), meaning))
    if gap.relative_to_bottom is not None:
        meaning = f"The same difference, over the {name} of the bottom."
        facts.append(Fact("Gap relative to the bottom", f"{percent(gap.relative_to_bottom)} %", meaning))
    return tuple(facts)


def chance_facts(partition: PartitionResult, result: AuditResult) -> tuple[Fact, ...]:
    """Return p, what chance gives, the in-sample gap, and the spread over splits and seeds."""
    if partition.chance is not None:
        tested = _chance(partition.chance)
    else:
        why = "There is no gap to test." if chance_asked(result) else "Not asked for (no permutations)."
        tested = [Fact("p", DASH, why)]
    return (*tested, *_in_sample(partition), *_spread(partition))


def _side(term: str, who: str, side: Side | None, names: str, result: AuditResult) -> Fact:
    if side is None:
        return Fact(term, DASH, f"Of {who}: there is none to compare.")
    return Fact(term, rate_text(side), f"Of {who}: {_share(side.share, result)}.{names}")


def _names(side: Side | None, partition: PartitionResult) -> str:
    """Say which cohorts are on a side."""
    if side is None or not side.cohorts:
        return ""
    labels = {c.cohort: clean(c.label) for c in partition.cohorts}
    named = [labels.get(cohort, clean(cohort)) for cohort in side.cohorts]
    where = "As saved" if partition.origin == "saved" else "In the first split"
    more = f"; and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return f" {where}: {'; '.join(named[:MOST_NAMED])}{more}."


def _share(share: Share | None, result: AuditResult) -> str:
    if share is None:
        return "share not shown"
    parts = {
        "the measured speakers": share.speakers,
        "their utterances": share.utterances,
        f"their {denominator_of(result)}": share.ref_words,
    }
    shown = [f"{percent(part)} % of {whole}" for whole, part in parts.items() if part is not None]
    return ", ".join(shown) or "share not shown"


def _chance(chance: Chance) -> list[Fact]:
    p = p_text(chance.p_value)
    if chance.p_value_holm is not None:
        p += f"; {p_text(chance.p_value_holm)} after Holm's correction over the partitions"
    tested = (
        "How often chance alone gives a gap as large in units of its standard error: the same procedure ran "
        f"on {counted(chance.replicates, 'log')} in which whole speakers were permuted against their "
        f"attributes. It cannot be below {p_text(chance.p_floor)}."
    )
    exceeded = f"{percent(chance.p95)} %" if chance.p95 is not None else DASH
    describes = "The gap that those permuted logs exceed once in 20. It describes; p decides."
    return [Fact("p", p, tested), Fact("Chance gap, 1 in 20", exceeded, describes)]


def _in_sample(partition: PartitionResult) -> list[Fact]:
    found, chance, facts = partition.in_sample_gap, partition.chance, []
    if found is not None and found.relative is not None:
        who = "half of the speakers" if found.searched == "half" else "whole log"
        meaning = f"On the very {who} that was searched: too large, for comparison only."
        if chance is not None and chance.in_sample_mean is not None:
            meaning += f" Chance alone gives {percent(chance.in_sample_mean)} % on average."
        facts.append(Fact("In-sample gap", f"{percent(found.relative)} %", meaning))
    if chance is not None and chance.in_sample_p_value is not None:
        meaning = "A valid test that there is a gap anywhere. It says nothing about the size."
        facts.append(Fact("In-sample p", p_text(chance.in_sample_p_value), meaning))
    return facts


def _spread(partition: PartitionResult) -> list[Fact]:
    facts, splits, stability = [], partition.splits, partition.stability
    if splits is not None and splits.median is not None and splits.n > 1:
        spread = f"{percent(splits.q05)} to {percent(splits.q95)} %, median {percent(splits.median)} %"
        ways = f"{splits.ways} of {2 * splits.n} ways (a split used in one direction) gave a gap"
        meaning = f"5th to 95th percentile of the gap over {splits.n} splits; {ways}."
        facts.append(Fact("Spread over splits", spread, meaning))
    chosen = choices_of(partition)
    if chosen is not None:
        facts.append(Fact("Chosen", chosen, "What the search chose in each half."))
    if stability is not None:
        seeds = counted(stability.seeds, "other seed")
        meaning = f"Mean adjusted Rand index against {seeds}; 1 is the same clusters."
        facts.append(Fact("Stability", f"{stability.adjusted_rand:.2f}", meaning))
    return facts
