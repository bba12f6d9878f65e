"""What is told of texts: utterances out of the ordinary, and what the choice of a normaliser does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fairaudit.provenance import TextTally, UnderNormalizer
from fairaudit.report.blocks import Table
from fairaudit.report.wording import worst_first
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.wording import DASH, clean, cohort_name, count, percent

#: Texts of a kind, the field that counts them, and what the kind is.
KINDS = (
    ("Without hypothesis", "missing"),
    ("Empty reference", "empty_reference"),
    ("Empty hypothesis", "empty_hypothesis"),
    ("Looped", "looped"),
)


def texts_table(partition: PartitionResult, result: AuditResult) -> Table | None:
    """Return how many texts of each cohort are out of the ordinary, in per cent of its utterances.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult

    Returns
    -------
    Table or None
        None where no text was scored, or none of them is out of the ordinary.
    """
    named = [(cohort_name(c), c.text) for c in worst_first(partition.cohorts)]
    if partition.unassigned is not None:
        named.append(("without a cohort", partition.unassigned.text))
    whole = result.log.text
    if whole is None or not any(getattr(whole, field) for _, field in KINDS):
        return None
    if all(tally is None for _, tally in named):
        return None
    rows = tuple((name, *_shares(tally)) for name, tally in named)
    head = ("Cohort", "Utterances", *(f"{title} (%)" for title, _ in KINDS))
    caption = "Texts out of the ordinary; looped: more than five times the words of the reference"
    if whole.missing:
        out = result.options.get("missing_hypothesis") == "exclude"
        caption += f"; those without a hypothesis are {'left out' if out else 'counted as deleted'}"
    return Table(caption, head, rows)


def normalizer_table(partition: PartitionResult, result: AuditResult) -> Table | None:
    """Return the rate of every cohort under every normaliser, and the gap between bottom and top.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult
        Whose metric is named.

    Returns
    -------
    Table or None
        None where it was not asked for.
    """
    names = [of.normalizer for of in result.log.by_normalizer]
    if not names:
        return None
    if not any(c.by_normalizer for c in partition.cohorts):
        return None
    rows = [(cohort_name(c), *_rates(c.by_normalizer, names)) for c in worst_first(partition.cohorts)]
    if partition.unassigned is not None:
        rows.append(("without a cohort", *_rates(partition.unassigned.by_normalizer, names)))
    if partition.gap_by_normalizer:
        gaps = {gap.normalizer: gap.relative for gap in partition.gap_by_normalizer}
        rows.append(("gap, bottom against top (%)", *(percent(gaps.get(name)) for name in names)))
    metric = clean(result.metric.name)
    head = ("Cohort", *(f"{metric} (%), {clean(name)}" for name in names))
    caption = (
        f"What the normaliser does; the audit is by {clean(names[0])}, and the gap here is that of the "
        "first split's bottom and top on the speakers of this table"
    )
    return Table(caption, head, tuple(rows))


def _shares(tally: TextTally | None) -> Sequence[str]:
    if tally is None:
        return (DASH,) * (len(KINDS) + 1)
    whole = tally.utterances
    shares = (percent(getattr(tally, field) / whole if whole else None) for _, field in KINDS)
    return (count(whole), *shares)


def _rates(of: Iterable[UnderNormalizer], names: Iterable[str]) -> Sequence[str]:
    rates = {one.normalizer: one.wer for one in of}
    return tuple(percent(rates.get(name)) for name in names)
