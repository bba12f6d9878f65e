"""Put a comparison on record: what was read, with which options and versions, and the flat metrics."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from fairaudit.changes import ComparisonResult, PartitionChange, RateChange
from fairaudit.comparison.pairing import Pairs
from fairaudit.comparison.releases import Releases
from fairaudit.comparison.withheld import withhold_rate
from fairaudit.counts import SpeakerCounts
from fairaudit.log import UtteranceLog, file_sha256
from fairaudit.provenance import DISTRIBUTION, LogSummary, Source, Subject, now
from fairaudit.record import NUMERICAL, normalizer_of
from fairaudit.saved import warnings_of_speakers
from fairaudit.schema import SCHEMA_VERSION


@dataclass(frozen=True)
class ComparisonOptions:
    """Everything that a comparison is told, apart from the logs; see `fairaudit.compare`."""

    by: tuple[str, ...]
    partitions: str | None
    allow_unequal: bool
    bottom_share: float
    splits: int
    confidence: float
    min_speakers_shown: int
    zip_table: str | None
    seed: int
    baseline_model: str | None
    candidate_model: str | None
    dataset: str | None


def record_comparison(
    logs: tuple[UtteranceLog, UtteranceLog],
    pairs: Pairs,
    totals: SpeakerCounts,
    options: ComparisonOptions,
    partitions: Sequence[PartitionChange],
    skipped: dict[str, str],
) -> ComparisonResult:
    """Collect the parts of a comparison into its result.

    Parameters
    ----------
    logs : tuple of two UtteranceLog
        Of the baseline and of the candidate.
    pairs : Pairs
    totals : SpeakerCounts
        Of both releases, one row per speaker.
    options : ComparisonOptions
    partitions : sequence of PartitionChange
        With small cohorts already suppressed.
    skipped : dict of str to str
    """
    baseline, _ = logs
    every = np.ones(totals.rows, dtype=bool)
    releases = pairs.releases(totals, options.confidence)
    whole = RateChange(**releases.rate_change(every))
    overall = withhold_rate(whole, options.min_speakers_shown)
    shown = overall.baseline.wer is not None
    own_version, selection = version(DISTRIBUTION), baseline.selection.without_ids()
    chosen: dict[str, Any] = {field.name: getattr(options, field.name) for field in fields(options)}
    for name in ("baseline_model", "candidate_model", "dataset"):
        del chosen[name]
    chosen |= {"by": list(options.by), **msgspec.json.decode(msgspec.json.encode(selection))}
    return ComparisonResult(
        schema_version=SCHEMA_VERSION,
        fairaudit_version=own_version,
        signature=_signature(own_version, baseline, options),
        created_at=now(),
        seed=options.seed,
        options=chosen,
        environment={"python": platform.python_version(), **{name: version(name) for name in NUMERICAL}},
        files={},
        baseline=Subject(model=options.baseline_model, dataset=options.dataset),
        candidate=Subject(model=options.candidate_model, dataset=options.dataset),
        metric=baseline.metric,
        metrics=_metrics(overall, partitions),
        inputs=_inputs(logs, options),
        scoring=baseline.scoring,
        log=LogSummary(
            rows=baseline.rows,
            where=selection.where,
            sha256=totals.sha256(),
            utterances=int(totals.utterances.sum()),
            speakers=len(totals.speakers),
            ref_words=int(totals.ref_words.sum()),
            errors=overall.baseline.errors,
            excluded=dict(baseline.excluded),
            unchecked=tuple(dict.fromkeys(text for log in logs for text in log.unchecked)),
            warnings=(
                *dict.fromkeys(text for log in logs for text in log.warnings),
                *warnings_of_speakers(partitions),
                *_unchanged(releases),
            ),
            independent_utterances=baseline.independent_utterances,
            joined=tuple(fits.record for log in logs for fits in log.coverage),
        ),
        pairing=pairs.pairing,
        overall=overall,
        matched_pairs=pairs.matched_pairs if shown else None,
        partitions=tuple(partitions),
        skipped=skipped,
    )


def _inputs(logs: tuple[UtteranceLog, UtteranceLog], options: ComparisonOptions) -> tuple[Source, ...]:
    """List what was read: of each log with its release as role, what both share once."""
    inputs = [
        msgspec.structs.replace(source, role=side if source.role == "log" else source.role)
        for side, log in zip(("baseline", "candidate"), logs, strict=True)
        for source in log.inputs
    ]
    if options.partitions is not None:
        file = Path(options.partitions)
        inputs.append(Source(role="partitions", name=file.name, sha256=file_sha256(file), rows=None))
    return tuple(_distinct(inputs))


def _unchanged(releases: Releases) -> tuple[str, ...]:
    """Warn where the candidate makes the errors of the baseline: most likely it is the same release."""
    if releases.utterances.any():
        return ()
    return (
        "no utterance has another number of errors in the candidate: are these the logs of two releases, or "
        "twice that of one?",
    )


def _distinct(inputs: Iterable[Source]) -> Iterable[Source]:
    return {(source.role, source.name, source.sha256): source for source in inputs}.values()


def _signature(own_version: str, log: UtteranceLog, options: ComparisonOptions) -> str:
    parts = [
        f"fairaudit:{own_version}",
        f"metric:{log.metric.name}",
        f"normalizer:{normalizer_of(log)}",
        "paired by utterance",
        f"splits:{options.splits}",
        f"seed:{options.seed}",
    ]
    return " | ".join(parts)


def _metrics(overall: RateChange, partitions: Sequence[PartitionChange]) -> dict[str, float]:
    """Flatten the headline figures, as trackers of experiments want them; absent where there is none."""
    flat: dict[str, float | None] = {
        "overall.wer": overall.candidate.wer,
        "overall.baseline_wer": overall.baseline.wer,
        "overall.change": overall.change.relative,
        "overall.change_low": overall.change.relative_low,
        "overall.change_high": overall.change.relative_high,
        "overall.change_absolute": overall.change.absolute,
    }
    for p in partitions:
        changes = {
            "worst": p.worst.change if p.worst else None,
            "maximum": p.maximum,
            "bottom": p.bottom.change if p.bottom else None,
            "top": p.top.change if p.top else None,
            "gap": p.gap.change if p.gap else None,
        }
        for name, change in changes.items():
            if change is not None:
                flat[f"{p.name}.{name}_change"] = change.relative
                flat[f"{p.name}.{name}_change_low"] = change.relative_low
                flat[f"{p.name}.{name}_change_high"] = change.relative_high
        if p.gap is not None:
            flat[f"{p.name}.gap"] = p.gap.candidate.relative
            flat[f"{p.name}.baseline_gap"] = p.gap.baseline.relative
    return {name: value for name, value in flat.items() if value is not None}
