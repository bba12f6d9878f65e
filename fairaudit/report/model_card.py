"""A table for a model card: what the audit measured of each cohort, ready to paste."""

from __future__ import annotations

from collections.abc import Iterator

from fairaudit.report.blocks import Table
from fairaudit.report.markdown import escaped, table_text
from fairaudit.report.sentence import sentence
from fairaudit.report.wording import confidence_text, rate_text, subject_of, worst_first
from fairaudit.result import AuditResult
from fairaudit.wording import between, clean, count, percent


def model_card(result: AuditResult) -> str:
    """Render the cohorts of an audit as a section of a model card, in Markdown.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    str
        A heading of the second level, what was measured, and a row for each cohort; labels are escaped.

    References
    ----------
    Mitchell, M. et al. (2019). Model cards for model reporting. FAT* 2019, 220-229: evaluation results are
    disaggregated by group, with their uncertainty.
    """
    name = clean(result.metric.name)
    facts = {
        "Metric": f"{name}, {clean(result.metric.numerator)} over {clean(result.metric.denominator)}",
        "Model": clean(result.subject.model or "not named"),
        "Dataset": clean(result.subject.dataset or "not named"),
        "Normaliser": clean(result.scoring.normalizer) if result.scoring else "none: the log has counts",
        "Everybody": f"{rate_text(result.overall)}, {count(result.log.speakers)} speakers",
        "Signature": clean(result.signature),
    }
    head = (
        "By",
        "Cohort",
        "Suppressed",
        "Speakers",
        "Utterances",
        f"{name} (%)",
        f"{confidence_text(result)} interval",
    )
    parts = [
        "## Evaluation results by cohort",
        escaped(sentence(result)),
        "\n".join(f"- **{term}:** {escaped(value)}" for term, value in facts.items()),
        table_text(Table("", head, tuple(_rows(result)), texts=3)),
    ]
    return "\n\n".join(parts) + "\n"


def _rows(result: AuditResult) -> Iterator[tuple[str, ...]]:
    for partition in result.partitions:
        for cohort in worst_first(partition.cohorts):
            yield (
                subject_of(partition),
                clean(cohort.label),
                "yes" if cohort.suppressed else "no",
                count(cohort.speakers),
                count(cohort.utterances),
                percent(cohort.wer),
                between(cohort.low, cohort.high),
            )
