"""What was audited, and how much of it each partition covers."""

from __future__ import annotations

from fairaudit.report.blocks import Block, Fact, Facts, Section, Table
from fairaudit.report.notes import narrowed
from fairaudit.report.wording import Result, amount, rate_text, title_of
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.wording import DASH, capitalised, clean, count, percent

ORIGINS = {"declared": "a column of the log", "discovered": "a search", "saved": "an earlier audit"}


def audited_section(result: AuditResult) -> Section:
    """Say what was read, and how many speakers each partition places.

    Parameters
    ----------
    result : AuditResult
    """
    facts = [
        Fact("Model", clean(result.subject.model or "not named")),
        Fact("Dataset", clean(result.subject.dataset or "not named")),
        Fact("Log", amount(result)),
        *([Fact("Part of it", asked)] if (asked := narrowed(result)) else []),
        Fact(
            f"{clean(result.metric.name)} of all",
            rate_text(result.overall),
            "Of every speaker in the log.",
        ),
        Fact("Text to counts", scoring_text(result)),
    ]
    blocks: list[Block] = [Facts(tuple(facts))]
    if result.partitions:
        blocks.append(_coverage(result))
    if result.log.joined:
        blocks.append(joined_table(result))
    return Section("What was audited", tuple(blocks))


def scoring_text(result: Result) -> str:
    """Say how text became counts.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
    """
    if result.scoring is None:
        return "the log has counts; no text was scored"
    version = f" of whisper-normalizer {clean(result.scoring.version)}" if result.scoring.version else ""
    return f"normaliser {clean(result.scoring.normalizer)}{version}"


def joined_table(result: Result) -> Table:
    """Say how well the files that were joined fit the log.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
    """
    rows = tuple(
        (
            clean(j.role),
            f"{j.key}, {j.matched_by}",
            f"{count(j.rows_matched)} of {count(j.rows)}",
            f"{count(j.utterances_matched)} of {count(j.utterances)}",
        )
        for j in result.log.joined
    )
    head = ("File", "Joined by", "Its rows that are in the log", "Rows of the log that are in it")
    return Table("What was joined", head, rows, texts=2)


def _coverage(result: AuditResult) -> Table:
    head = (
        "Partition",
        "Cohorts come from",
        "Cohorts",
        "Not shown",
        "Speakers with a cohort",
        "Without one (% of speakers)",
        f"Their {clean(result.metric.name)} (%)",
    )
    caption = (
        "Who is covered: a partition gives every speaker one cohort or none. A found partition covers the "
        "half of the speakers on which it is measured"
    )
    return Table(caption, head, tuple(_covered(p) for p in result.partitions), texts=2)


def _covered(partition: PartitionResult) -> tuple[str, ...]:
    without = partition.unassigned
    hidden = sum(c.suppressed for c in partition.cohorts)
    return (
        title_of(partition),
        capitalised(ORIGINS[partition.origin]),
        count(len(partition.cohorts)),
        count(hidden),
        count(partition.overall.speakers),
        "0.0" if without is None else percent(without.share.speakers if without.share else None),
        percent(without.wer) if without else DASH,
    )
