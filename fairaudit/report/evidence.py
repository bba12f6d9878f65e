"""What is told of a partition beside its gap: who is really worse, why, where errors could be saved."""

from __future__ import annotations

from collections.abc import Sequence

from fairaudit.evidence import DISPARITY, Overlap, SharePoint
from fairaudit.report.blocks import Block, Fact, Facts, Paragraph, Section, Table
from fairaudit.report.wording import (
    DASH,
    between,
    capitalised,
    clean,
    cohort_name,
    confidence_text,
    count,
    percent,
    tail_text,
    title_of,
    worst_first,
)
from fairaudit.result import AdjustedGap, AuditResult, Cohort, PartitionResult

#: Cohorts that are listed by their excess errors.
MOST_LISTED = 12
#: Shares of speakers at which all partitions are compared.
SHARES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.50)
#: The level at which a label counts as more common.
SIGNIFICANT = 0.05
#: Below this part of itself an adjusted gap counts as gone.
HALF = 0.5
KINDS = ("substitutions", "deletions", "insertions")
#: What the further figures are called.
TITLES = {
    "worst_cohort_wer": "Worst cohort's WER",
    "worst_over_best": "Worst over best",
    "macro_wer": "Mean WER of cohorts",
    "macro_over_pooled": "Mean over pooled",
    "between_cohort_sd": "Spread between cohorts",
    "speaker_gini": "Gini of speakers",
    "bottom_share_of_errors": "Errors at the bottom",
    "bottom_share_of_words": "Words at the bottom",
}
STATUS = {"flagged": "worse", "cleared": "not worse", "undecided": "undecided", None: DASH}


def evidence(partition: PartitionResult, result: AuditResult) -> list[Block | None]:
    """Return the blocks that stand below the figures of a partition.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult
    """
    return [
        _really_worse(partition, result),
        _no_worse_than(partition, result),
        _adjusted(partition, result),
        _traits(partition, result),
        _kinds(partition),
        _excess(partition),
        _disparity(partition),
        _spatial(partition),
        _injection(partition, result),
    ]


def meeting(result: AuditResult) -> Section | None:
    """Return how the partitions of an audit compare with each other.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    Section or None
        None where there is nothing to compare.
    """
    blocks = [block for block in (_overlap(result), _matched(result.partitions)) if block is not None]
    return Section("How the partitions meet", tuple(blocks)) if blocks else None


def _really_worse(partition: PartitionResult, result: AuditResult) -> Table | None:
    tested = [c for c in worst_first(partition.cohorts) if c.status is not None]
    if not tested:
        return None
    name = clean(result.metric.name)
    head = (
        "Cohort",
        "Verdict",
        f"{name} above all others' (%)",
        "from, to (%)",
        "p, corrected",
    )
    rows = tuple(
        (
            cohort_name(c),
            STATUS[c.status],
            percent(c.against_rest.relative if c.against_rest else None),
            between(c.against_rest.relative_low, c.against_rest.relative_high) if c.against_rest else DASH,
            tail_text(c.p_adjusted),
        )
        for c in tested
    )
    correction = "Holm" if result.options.get("correction", "holm") == "holm" else "Benjamini and Hochberg"
    margin = percent(float(result.options.get("margin", 0.1)))
    caption = (
        "Which cohorts are really worse than everybody else. Worse: p, corrected for all cohorts by "
        f"{correction}, is at most {100 * (1 - _confidence(result)):g} %, by however little. Not worse: "
        f"by at most {margin} %, by an upper end that holds for all cohorts together; the lower end is of "
        "the cohort alone"
    )
    return Table(caption, head, rows, texts=2)


def _no_worse_than(partition: PartitionResult, result: AuditResult) -> Paragraph | None:
    if partition.no_worse_than is None:
        return None
    return Paragraph(
        f"No cohort of this partition that is shown is worse than all of its speakers by more than "
        f"{percent(partition.no_worse_than)} %, at {confidence_text(result)}."
    )


def _adjusted(partition: PartitionResult, result: AuditResult) -> Table | None:
    if not partition.adjusted_gaps:
        return None
    head = ("Alike in", "Gap (%)", f"{confidence_text(result)} interval", "Without (%)", "What it says")
    rows = tuple(_adjusted_row(gap) for gap in partition.adjusted_gaps)
    return Table("The gap between bottom and top once other things are alike", head, rows)


def _adjusted_row(gap: AdjustedGap) -> tuple[str, ...]:
    crude = gap.crude.relative if gap.crude else None
    said = gap.reason or _adjustment(gap)
    if gap.dropped:
        said += "; " + "; ".join(f"without {clean(c)}: {why}" for c, why in gap.dropped.items())
    return (
        ", ".join(map(clean, gap.columns)),
        percent(gap.relative),
        between(gap.relative_low, gap.relative_high),
        percent(crude),
        said,
    )


def _adjustment(gap: AdjustedGap) -> str:
    """Say in words what became of a gap."""
    if gap.relative is None or gap.crude is None or gap.crude.relative is None:
        return DASH
    low, high = gap.relative_low, gap.relative_high
    clear = low is not None and high is not None and not low <= 0 <= high
    crude_low, crude_high = gap.crude.relative_low, gap.crude.relative_high
    crude_clear = crude_low is not None and crude_high is not None and not crude_low <= 0 <= crude_high
    left = abs(gap.relative) / abs(gap.crude.relative) if gap.crude.relative else 1.0
    if clear and crude_clear and gap.relative * gap.crude.relative < 0:
        return "the gap is reversed"
    if clear:
        return "the gap stays" if left >= HALF else "less than half of it is left"
    if not crude_clear:
        return "not clear with it or without"
    return "the gap vanishes" if left < HALF else "no longer clear, though not much smaller"


def _traits(partition: PartitionResult, result: AuditResult) -> Table | Paragraph | None:
    profiled = [c for c in worst_first(partition.cohorts) if c.profile]
    clear = [(c, trait) for c in profiled for trait in c.profile[:3] if trait.p_adjusted <= SIGNIFICANT]
    if profiled and not clear:
        return Paragraph(
            "No label is clearly more common among the speakers of these cohorts than elsewhere."
        )
    rows = tuple(
        (
            cohort_name(cohort),
            f"{clean(trait.column)} is {clean(trait.value)}",
            f"{trait.lift:.2f}",
            f"{trait.low:.2f} to {trait.high:.2f}",
            tail_text(trait.p_adjusted),
        )
        for cohort, trait in clear
    )
    if not rows:
        return None
    head = (
        "Cohort",
        "Label",
        "Times as common as elsewhere",
        f"{confidence_text(result)} interval",
        "p, corrected",
    )
    return Table("Why these cohorts: labels that are more common among their speakers", head, rows, texts=2)


def _kinds(partition: PartitionResult) -> Table | None:
    """Return how the errors of the bottom cohorts divide, beside everybody else's: per 100 words."""
    bottom = partition.bottom.cohorts if partition.bottom else ()
    rows = tuple(
        (cohort_name(c), *(_per_hundred(c, kind) for kind in KINDS))
        for c in worst_first(partition.cohorts)
        if c.cohort in bottom and c.ref_words and c.excess and c.excess.substitutions is not None
    )
    head = ("Cohort", *(capitalised(kind) for kind in KINDS))
    caption = "Errors by kind for 100 reference words, and in brackets everybody else's"
    return Table(caption, head, rows) if rows else None


def _per_hundred(cohort: Cohort, kind: str) -> str:
    own, more = getattr(cohort, kind), getattr(cohort.excess, kind)
    assert cohort.ref_words
    return f"{percent(own / cohort.ref_words)} ({percent((own - more) / cohort.ref_words)})"


def _excess(partition: PartitionResult) -> Table | None:
    listed = [c for c in partition.cohorts if c.excess is not None and c.excess.errors > 0]
    listed.sort(key=lambda c: -(c.excess.errors if c.excess else 0.0))
    if not listed:
        return None
    rows = tuple(
        (cohort_name(c), _errors(c, "errors"), *(_errors(c, kind) for kind in KINDS))
        for c in listed[:MOST_LISTED]
    )
    head = ("Cohort", "Errors", *(capitalised(kind) for kind in KINDS))
    caption = (
        "Excess errors: those that would go if the cohort fared like everybody else. Where to spend data"
    )
    if len(listed) > MOST_LISTED:
        caption += f"; the {MOST_LISTED} largest of {len(listed)}"
    return Table(caption, head, rows)


def _errors(cohort: Cohort, kind: str) -> str:
    value = getattr(cohort.excess, kind)
    return DASH if value is None else count(round(value))


def _disparity(partition: PartitionResult) -> Facts | None:
    facts = tuple(
        Fact(TITLES[name], f"{value:.4g}", f"{capitalised(DISPARITY[name])}.")
        for name, value in partition.disparity.items()
    )
    return Facts(facts, "Disparity") if facts else None


def _spatial(partition: PartitionResult) -> Paragraph | None:
    spatial = partition.spatial
    if spatial is None:
        return None
    if spatial.moran_i is None:
        return Paragraph(f"Moran's I: none ({clean(spatial.reason or 'no reason')}).")
    return Paragraph(
        f"Moran's I of the speakers' rates over where they are: {spatial.moran_i:.3f} "
        f"(expected without any pattern: {spatial.expected:.3f}; p {tail_text(spatial.p)})."
    )


def _injection(partition: PartitionResult, result: AuditResult) -> Table | None:
    injection = partition.injection
    if injection is None:
        return None
    share = percent(injection.share)
    if injection.detectable is None:
        said = "even the largest would be found less than four times in five"
    else:
        said = f"a gap of {percent(injection.detectable)} % would have been found four times in five"
    caption = (
        f"What this audit would have found at a share of {share} %: {said}. Errors were multiplied at random "
        f"places of the permuted log, {injection.replicates} times for each gap; found: p at most 5 %, "
        "without correction for other partitions"
    )
    rows = tuple((percent(f.gap), percent(f.found)) for f in injection.found)
    return Table(caption, ("Injected gap (%)", "Found (% of times)"), rows)


def _overlap(result: AuditResult) -> Table | None:
    if not result.overlap:
        return None
    titles = {p.name: title_of(p) for p in result.partitions}
    rows = tuple(
        (
            titles.get(o.a, clean(o.a)),
            titles.get(o.b, clean(o.b)),
            percent(o.share),
            percent(o.expected),
            tail_text(o.p_value) if o.reason is None else clean(o.reason),
        )
        for o in _each_pair(result.overlap)
    )
    head = ("Of the bottom of", "in the bottom of", "are (%)", "by chance (%)", "p")
    caption = "Whether those at the bottom of one partition are at the bottom of another, too"
    return Table(caption, head, rows, texts=2)


def _each_pair(overlaps: Sequence[Overlap]) -> list[Overlap]:
    """Return one direction of each pair: of the partition that comes first."""
    seen: set[frozenset[str]] = set()
    kept = []
    for overlap in overlaps:
        pair = frozenset((overlap.a, overlap.b))
        if pair not in seen:
            seen.add(pair)
            kept.append(overlap)
    return kept


def _matched(partitions: Sequence[PartitionResult]) -> Table | None:
    """Return the gap against everyone else of all partitions at equal shares, which alone compare."""
    curves = [(title_of(p), p.gap_by_share) for p in partitions if p.gap_by_share]
    if len(curves) < 2:
        return None
    rows = tuple((title, *(_at(curve, share) for share in SHARES)) for title, curve in curves)
    head = ("Partition", *(f"{100 * share:g} %" for share in SHARES))
    caption = (
        "Gap of the worst cohorts against everyone else (%), at equal shares of speakers: on straight lines "
        "between the cohorts' own shares"
    )
    return Table(caption, head, rows)


def _at(curve: Sequence[SharePoint], share: float) -> str:
    """Read a curve at a share: the mixture of the two nearest sets of cohorts."""
    known = [point for point in curve if point.relative is not None]
    below = [point for point in known if point.share <= share]
    above = [point for point in known if point.share >= share]
    if not below or not above:
        return DASH
    low, high = below[-1], above[0]
    assert low.relative is not None
    assert high.relative is not None
    if high.share == low.share:
        return percent(low.relative)
    part = (share - low.share) / (high.share - low.share)
    return percent(low.relative + part * (high.relative - low.relative))


def _confidence(result: AuditResult) -> float:
    return float(result.options.get("confidence", 0.95))
