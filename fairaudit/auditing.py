"""The audit on one screen: plan, count, split, discover, rank, measure, collect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from fairaudit.aggregate import aggregate, aggregate_given, aggregate_texts
from fairaudit.cells import Members
from fairaudit.config import AuditOptions
from fairaudit.counts import SpeakerCounts
from fairaudit.discover import Discoverer
from fairaudit.disparity import disparity
from fairaudit.estimate import holm
from fairaudit.exceptions import LogError
from fairaudit.log import UtteranceLog
from fairaudit.overlap import overlaps
from fairaudit.planning import Target, label_columns, plan, reference_of
from fairaudit.profile import Holders, holders_of
from fairaudit.provenance import DiscoveredOn
from fairaudit.record import normalizer_of, record
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.saved import known_by
from fairaudit.split import default_splits, halves
from fairaudit.suppress import suppress_all
from fairaudit.target import measure_target
from fairaudit.texts import with_texts

#: Told the name of a stage, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


def audit(
    log: UtteranceLog,
    *,
    by: Sequence[str | Discoverer] = (),
    partitions: str | Path | None = None,
    reference_cohort: str | None = None,
    bottom_share: float = 0.10,
    splits: int | None = None,
    permutations: int = 199,
    confidence: float = 0.95,
    min_speakers_shown: int = 11,
    correction: Literal["holm", "bh"] = "holm",
    margin: float = 0.10,
    adjust: Sequence[str] = (),
    inject: bool = False,
    interval: Literal["jackknife", "bootstrap"] = "jackknife",
    zip_table: str | None = None,
    seed: int = 1,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    model: str | None = None,
    dataset: str | None = None,
    progress: Progress | None = None,
) -> AuditResult:
    """Find the cohorts that a recogniser serves worst, and measure them on held-out speakers.

    Parameters
    ----------
    log : UtteranceLog
        From `fairaudit.read_log`.
    by : sequence of str or Discoverer
        Names of discoverers and of label columns, or discoverers. By default geo, zip and voice
        where the columns allow, and label columns of 2 to 50 values.
    partitions : str or Path, optional
        `partitions.json` of an earlier audit: measure those instead of searching.
    reference_cohort : str, optional
        ``COLUMN=VALUE``: compare with this cohort instead of the best.
    bottom_share : float
        Most speakers in the bottom, as a fraction, unless the worst cohort alone has more.
    splits : int, optional
        Random halvings of the speakers; 11 below 10,000 speakers and 1 from there by default.
    permutations : int
        Of the chance gap; 0 for none.
    confidence : float
    min_speakers_shown : int
        Figures of fewer speakers are suppressed.
    correction : {"holm", "bh"}
        Of the cohorts' p for their number: Holm's, or Benjamini and Hochberg's.
    margin : float
        A cohort is cleared where it is worse than all others by no more than this fraction.
    adjust : sequence of str
        Columns for which the gap is also adjusted, `utterance_length` among them.
    inject : bool
        Find out which gaps this audit would have found, by injecting them into the permuted log.
    interval : {"jackknife", "bootstrap"}
        How the intervals of cohorts' rates are made; the gap keeps the jackknife.
    zip_table : str, optional
        File of census attributes by ZIP code.
    seed : int
        Equal input, options and seed give an equal result.
    parameters : mapping of str to mapping, optional
        Parameters of discoverers that are given by name.
    model, dataset : str, optional
        What was audited, for the record.
    progress : callable, optional
        Told the stage, how much of it is done and how much there is.

    Returns
    -------
    AuditResult

    Raises
    ------
    InputError
        If an option is out of range, or the log lacks what was asked for.

    Examples
    --------
    >>> import pandas as pd
    >>> from fairaudit.readers import read_log
    >>> frame = pd.DataFrame({"speaker_id": [f"s{i}" for i in range(80)], "ref_words": 100,
    ...                       "errors": [20 + i % 5 if i % 2 else 10 + i % 3 for i in range(80)],
    ...                       "device": ["far field" if i % 2 else "headset" for i in range(80)]})
    >>> result = audit(read_log(frame), by=["device"])
    >>> device = result.partition("device")
    >>> device.bottom.cohorts, round(device.gap.relative, 1), device.chance.p_value
    (('far field',), 1.0, 0.005)
    """
    if not isinstance(log, UtteranceLog):
        raise LogError(f"the log is a {type(log).__name__}", where="audit(log)", fix="audit(read_log(log))")
    by = (by,) if isinstance(by, str) else by
    options = AuditOptions(
        by=tuple(item if isinstance(item, str) else item.name for item in by),
        reference_cohort=reference_cohort,
        bottom_share=bottom_share,
        splits=splits,
        permutations=permutations,
        confidence=confidence,
        min_speakers_shown=min_speakers_shown,
        correction=correction,
        margin=margin,
        adjust=tuple(adjust),
        inject=inject,
        interval=interval,
        zip_table=zip_table,
        seed=seed,
        parameters=parameters or {},
        model=model,
        dataset=dataset,
    )
    tell = progress or (lambda stage, done, total: None)
    targets, skipped = plan(log, options, by, partitions)
    reference = reference_of(options, targets)
    tell("count", 0, 1)
    totals = aggregate(log, ())
    tell("count", 1, 1)
    halved = halves(totals.speakers, seed, splits or default_splits(len(totals.speakers)))
    holders = {column: holders_of(aggregate(log, (column,)), column) for column in label_columns(log)[0]}
    known = known_by(log, totals, seed, min_speakers_shown)
    measured = [
        _measured(log, totals, known, halved, options, target, reference, holders, tell) for target in targets
    ]
    adjusted = _holm_over_partitions([partition for partition, _ in measured])
    members = [of_partition for _, of_partition in measured]
    shown = [
        msgspec.structs.replace(p, disparity=disparity(p))
        for p in suppress_all(zip(adjusted, members, strict=True), min_speakers_shown)
    ]
    met = overlaps(
        {p.name: of for p, of in zip(shown, members, strict=True) if _shows_all(p)},
        min_speakers_shown,
    )
    return record(log, totals, options, halved.shape[0], shown, skipped, met)


def _measured(
    log: UtteranceLog,
    totals: SpeakerCounts,
    known: DiscoveredOn,
    halved: np.ndarray[Any, np.dtype[np.bool_]],
    options: AuditOptions,
    target: Target,
    reference: tuple[str, str] | None,
    holders: Holders,
    tell: Progress,
) -> tuple[PartitionResult, Members]:
    """Measure one target; its speakers keep the halves that they have in the log."""
    counts = aggregate(log, target.requires, grid=target.grid)
    positions = np.searchsorted(totals.speakers.astype(str), counts.speakers.astype(str))
    value = reference[1] if reference and reference[0] == target.name else None
    tell(target.name, 0, options.permutations)
    given = {
        columns: aggregate_given(log, target.requires, columns, counts, grid=target.grid)
        for columns in options.adjusted_for()
    }
    result, members = measure_target(
        target, counts, halved[:, positions], options, known, value, holders, given, tell
    )
    texts = aggregate_texts(log, target.requires, counts, grid=target.grid)
    if texts is not None:
        result = with_texts(result, target, texts, options, normalizer_of(log))
    return result, members


def _shows_all(partition: PartitionResult) -> bool:
    """Tell whether a partition has a bottom and keeps nothing back: what it shares could tell of the rest."""
    kept_back = any(c.suppressed for c in partition.cohorts)
    left = partition.unassigned
    kept_back = kept_back or (left is not None and left.speakers is None)
    return not kept_back and partition.bottom is not None and partition.bottom.speakers is not None


def _holm_over_partitions(partitions: Sequence[PartitionResult]) -> list[PartitionResult]:
    adjusted = holm([p.chance.p_value if p.chance else None for p in partitions])
    return [
        p
        if p.chance is None
        else msgspec.structs.replace(p, chance=msgspec.structs.replace(p.chance, p_value_holm=value))
        for p, value in zip(partitions, adjusted, strict=True)
    ]
