"""What is told of a partition beside its gap: who is really worse, why, where errors could be saved."""

from __future__ import annotations

from fairaudit.evidence import DISPARITY, Injection, KindGap
from fairaudit.report.blocks import Block, Fact, Facts, Paragraph, Table
from fairaudit.report.wording import confidence_text, worst_first
from fairaudit.result import AuditResult, Cohort, PartitionResult
from fairaudit.wording import DASH, between, capitalised, clean, cohort_name, count, percent, tail_text

#: Cohorts that are listed by their excess errors.
MOST_LISTED = 12
#: The level at which a label counts as more common.
SIGNIFICANT = 0.05
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
#: Further figures that are one rate over another.
RATIOS = ("worst_over_best", "macro_over_pooled")
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
        _excess(partition),
        _disparity(partition),
        _spatial(partition),
        _injection(partition, result),
    ]


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
        f"{correction}, is at most {100 * (1 - _confidence(result)):g} %, by however little. Not worse: by "
        f"at most {margin} %, by an upper end that holds, approximately, for all cohorts together; the "
        "lower end is of the cohort alone"
    )
    return Table(caption, head, rows, texts=2)


def _no_worse_than(partition: PartitionResult, result: AuditResult) -> Paragraph | None:
    if partition.no_worse_than is None:
        return None
    return Paragraph(
        "No cohort of this partition that is shown is worse than all of its speakers by more than "
        f"{percent(partition.no_worse_than)} %, at approximately {confidence_text(result)}: where cohorts "
        "are small, such a bound held in 91 to 96 % of simulated logs at a nominal 95 %."
    )


def traits(partition: PartitionResult, result: AuditResult) -> Table | Paragraph | None:
    """Return the labels that are more common in some cohorts, or that none is; None where none was looked at.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult
    """
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
    return Table("Labels that are more common among the speakers of these cohorts", head, rows, texts=2)


def kinds_table(partition: PartitionResult, result: AuditResult) -> Table | None:
    """Return how the errors of the bottom and flagged cohorts differ from everybody else's, by kind.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult
    """
    rows = tuple(
        (
            cohort_name(cohort),
            kind.kind,
            percent(kind.rate),
            percent(kind.rest),
            DASH if kind.ratio is None else f"{kind.ratio:.2f}",
            _times(kind),
            tail_text(kind.p_adjusted),
        )
        for cohort in worst_first(partition.cohorts)
        for kind in cohort.kinds
    )
    if not rows:
        return None
    head = (
        "Cohort",
        "Kind",
        "For 100 reference words",
        "Everybody else",
        "Times as many",
        f"{confidence_text(result)} interval",
        "p, corrected",
    )
    caption = (
        "Errors by kind against everybody else's. Each interval is of its ratio alone; p, of two sides, is "
        "corrected by Holm for all kinds of all cohorts that are compared"
    )
    return Table(caption, head, rows, texts=2)


def _times(kind: KindGap) -> str:
    return DASH if kind.low is None or kind.high is None else f"{kind.low:.2f} to {kind.high:.2f}"


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
        Fact(TITLES[name], _in_unit(name, value), f"{capitalised(DISPARITY[name])}.")
        for name, value in partition.disparity.items()
    )
    return Facts(facts, "Disparity") if facts else None


def _in_unit(name: str, value: float) -> str:
    """Print a ratio as times, a coefficient as it is, and what is a fraction in per cent."""
    if name in RATIOS:
        return f"{value:.2f} times"
    return f"{value:.2f}" if name == "speaker_gini" else f"{percent(value)} %"


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
    caption = (
        f"What this audit would have found: {detectable_text(injection)}. Errors were multiplied in random "
        f"{_injected_into(partition)} of the permuted log, {injection.replicates} times for each gap; found: "
        "p at most 5 %, without correction for other partitions"
    )
    rows = tuple((percent(f.gap), percent(f.found)) for f in injection.found)
    return Table(caption, ("Injected gap (%)", "Found (% of times)"), rows)


def detectable_text(injection: Injection) -> str:
    """Say which gap would have been found, at which share.

    Parameters
    ----------
    injection : Injection
    """
    share = f"at a share of about {100 * injection.share:.0f} %"
    if injection.detectable is None:
        largest = max(f.gap for f in injection.found)
        return f"even a gap of {percent(largest)} % {share} would be found less than four times in five"
    return f"a gap of {percent(injection.detectable)} % {share} would have been found four times in five"


def _injected_into(partition: PartitionResult) -> str:
    """Say where gaps were injected: of labels whole cohorts, whose share is what it is."""
    return "cohorts, whole ones, whose share this is," if partition.origin == "declared" else "parts"


def _confidence(result: AuditResult) -> float:
    return float(result.options.get("confidence", 0.95))
