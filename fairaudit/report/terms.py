"""What the words of a report mean, and where the methods come from."""

from __future__ import annotations

from fairaudit.changes import ComparisonResult
from fairaudit.report.blocks import Fact
from fairaudit.report.wording import Result, confidence_text, denominator_of, level, unit_of
from fairaudit.result import AuditResult
from fairaudit.wording import clean

SOURCES = (
    "Trinh, V. A. et al. (2022). Reducing geographic disparities in automatic speech recognition via "
    "elastic weight consolidation. arXiv:2207.07850 (https://arxiv.org/abs/2207.07850): regions by a "
    "decision tree over latitude and longitude.",
    "Dheram, P. et al. (2022). Toward fairness in speech recognition: Discovery and mitigation of "
    "performance disparities. arXiv:2207.11345 (https://arxiv.org/abs/2207.11345): ZIP codes by census "
    "attribute, and clusters of speaker embeddings.",
    "Phipson, B. and Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical "
    "Applications in Genetics and Molecular Biology 9, 39.",
    "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of "
    "Statistics 6, 65-70.",
    "What could be read of the first two leaves out the gap's denominator, the share's unit, the number of "
    "clusters, the tree's stopping rule and what the ZIP search tried. These are parameters here, and "
    "nothing claims to reproduce a paper exactly.",
)

SPEAKER = (
    "The unit of everything: speakers, not utterances, are halved, left out and permuted, because the "
    "utterances of one person are alike."
)
PARTITION = (
    "A partition is a rule that gives every row one cohort or none: declared (a column of the log), "
    "discovered (found by a search) or saved (found by an earlier audit). A cohort of ZIP codes is the "
    "people who live there, whatever they are themselves."
)
HALVES = (
    "Whoever searches for the worst group finds one, in any log. So one half of the speakers names bottom "
    "and top, and the gap is measured on the other half; then the other way round; and so over several "
    "random halvings."
)
INTERVAL = (
    "By leaving out one speaker at a time (jackknife), with Student's t on the effective number of speakers."
)
PAIRED_INTERVAL = (
    "By leaving out one speaker at a time from both releases at once (jackknife), with Student's t on the "
    "effective number of speakers. It is not corrected for the number of cohorts."
)
BOOTSTRAP = (
    "Of the rates of cohorts by percentiles of 2,000 logs whose speakers were drawn anew (bootstrap). Of "
    "gaps, and of bottom, top and rest, by leaving out one speaker at a time (jackknife), with Student's "
    "t on the effective number of speakers."
)
CHANCE = (
    "The whole procedure runs again on logs in which speakers were permuted against their attributes. p is "
    "the fraction of them, this log included, whose gap is as large in units of its standard error; Holm's "
    "correction allows for the number of partitions. A gap is told from chance where the corrected p is at "
    "most {level:g}."
)
IN_SAMPLE = (
    "The gap on the very speakers who were searched: too large, even where there is none. Its own p is a "
    "valid test that there is a gap anywhere, and says nothing about its size."
)


def terms(result: AuditResult) -> tuple[Fact, ...]:
    """Return the words of the report in the order in which they build on each other.

    Parameters
    ----------
    result : AuditResult
    """
    name = clean(result.metric.name)
    most = f"{100 * float(result.options.get('bottom_share', 0.1)):g} %"
    sides = (
        f"Bottom is the worst cohort, and the next ones while they hold at most {most} of the speakers "
        "together; top likewise from the other end; rest is every other cohort."
    )
    return (
        Fact(name, _ratio(result)),
        Fact("Speaker", SPEAKER),
        Fact("Partition, cohort", PARTITION),
        Fact("Bottom, top, rest", sides),
        Fact("Gap", f"({name} of the bottom - {name} of the top) / {name} of the top. It may be negative."),
        Fact("Share", "Of the measured speakers. Someone who is in several cohorts counts in each."),
        Fact("Halves and splits", HALVES),
        Fact(
            f"{confidence_text(result)} interval",
            BOOTSTRAP if result.options.get("interval") == "bootstrap" else INTERVAL,
        ),
        Fact("Chance, p", CHANCE.format(level=level(result))),
        Fact("In-sample gap", IN_SAMPLE),
        Fact("Suppressed", _hidden(result, ", nor is anything of their own partition that would tell them")),
    )


def compared_terms(result: ComparisonResult) -> tuple[Fact, ...]:
    """Return the words of a comparison's report in the order in which they build on each other.

    Parameters
    ----------
    result : ComparisonResult
    """
    name = clean(result.metric.name)
    return (
        Fact(name, _ratio(result)),
        Fact("Speaker", SPEAKER),
        Fact("Partition, cohort", PARTITION),
        Fact("Baseline, candidate", "The release in service, and the one that is compared with it."),
        Fact("Change", f"({name} of the candidate - {name} of the baseline) / {name} of the baseline."),
        Fact("Paired", "Only utterances that both releases recognised, with an equal reference."),
        Fact(f"{confidence_text(result)} interval", PAIRED_INTERVAL),
        Fact("Gap", f"({name} of the bottom - {name} of the top) / {name} of the top. It may be negative."),
        Fact("Suppressed", _hidden(result)),
    )


def _hidden(result: Result, more: str = "") -> str:
    """Say of how few speakers figures are kept back."""
    fewest = int(result.options.get("min_speakers_shown", 11))
    if fewest <= 1:
        return "Nothing is, as figures of a single speaker were asked for (--min-speakers-shown 1)."
    return f"Figures of fewer than {fewest} speakers are not in the result{more}."


def _ratio(result: Result) -> str:
    over = denominator_of(result)
    if unit_of(result) is None:
        return f"The sum of {clean(result.metric.numerator)} over the sum of {over} of some utterances."
    return (
        f"The sum of errors over the sum of {over} of some utterances. Errors are substitutions, deletions "
        "and insertions; with many insertions it can exceed 100 %."
    )
