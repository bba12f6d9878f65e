"""Two releases compared on one screen: plan, pair, count, assign, measure, suppress, collect."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fairaudit.aggregate import aggregate
from fairaudit.changes import ComparisonResult
from fairaudit.comparison.cohort_changes import Compared
from fairaudit.comparison.pairing import Pairs, pair
from fairaudit.comparison.record import ComparisonOptions, record_comparison
from fairaudit.comparison.withheld import withhold_all
from fairaudit.config import AuditOptions
from fairaudit.counts import Bools, SpeakerCounts
from fairaudit.exceptions import LogError, OptionError, nearest
from fairaudit.log import UtteranceLog
from fairaudit.partition import UNASSIGNED, Partition
from fairaudit.placing import place
from fairaudit.planning import Target, plan
from fairaudit.provenance import DiscoveredOn
from fairaudit.saved import known_by
from fairaudit.split import default_splits, halves
from fairaudit.target import tabled_rows


def compare(
    baseline: UtteranceLog,
    candidate: UtteranceLog,
    *,
    partitions: str | Path | None = None,
    by: Sequence[str] = (),
    allow_unequal: bool = False,
    bottom_share: float = 0.10,
    splits: int | None = None,
    confidence: float = 0.95,
    min_speakers_shown: int = 11,
    zip_table: str | None = None,
    seed: int = 1,
    baseline_model: str | None = None,
    candidate_model: str | None = None,
    dataset: str | None = None,
) -> ComparisonResult:
    """Compare a candidate release with the baseline, on the same utterances and the same cohorts.

    Speakers, labels, places and vectors are those of the baseline's log; of the candidate's only the errors
    are read, and its speaker ids are checked. Nothing is searched.

    Parameters
    ----------
    baseline, candidate : UtteranceLog
        From `fairaudit.read_log`, with the same options. Utterances are paired by id and by an equal
        reference: equal once normalised, or in logs of counts with as many words.
    partitions : str or Path, optional
        `partitions.json` of an audit.
    by : sequence of str
        Label columns, or intersections of them, whose values are cohorts too.
    allow_unequal : bool
        Compare the utterances that both logs have. By default unequal logs are an error.
    bottom_share : float
        Most speakers in the bottom of a label column, as a fraction, unless its worst cohort has more.
    splits : int, optional
        Random halvings of the speakers, by which the worst cohort is named and measured apart; 11 below
        10,000 speakers and 1 from there by default.
    confidence : float
    min_speakers_shown : int
        Figures of fewer speakers are suppressed.
    zip_table : str, optional
        The file of attributes that a saved partition by ZIP code was found with.
    seed : int
        Of the halves.
    baseline_model, candidate_model, dataset : str, optional
        What was compared, for the record.

    Returns
    -------
    ComparisonResult

    Raises
    ------
    InputError
        If the logs cannot be compared, or lack what the partitions read.

    Examples
    --------
    >>> import pandas as pd
    >>> from fairaudit.readers import read_log
    >>> ids = [f"{i:02}" for i in range(80)]
    >>> frame = pd.DataFrame({"utterance_id": ids, "speaker_id": ids, "ref_words": 100,
    ...                       "errors": [20 + i % 5 for i in range(80)],
    ...                       "device": ["far field" if i % 2 else "headset" for i in range(80)]})
    >>> better = frame.assign(errors=frame.errors - (frame.device == "far field") * 10)
    >>> result = compare(read_log(frame), read_log(better), by=["device"])
    >>> [(c.cohort, round(c.change.relative, 2)) for c in result.partition("device").cohorts]
    [('far field', -0.45), ('headset', 0.0)]
    """
    for log, name in ((baseline, "baseline"), (candidate, "candidate")):
        if not isinstance(log, UtteranceLog):
            raise LogError(
                f"the {name} is a {type(log).__name__}",
                where=f"compare({name})",
                fix="compare(read_log(baseline), read_log(candidate), ...)",
            )
    by = (by,) if isinstance(by, str) else tuple(by)
    options = AuditOptions(
        by=by,
        bottom_share=bottom_share,
        splits=splits,
        confidence=confidence,
        min_speakers_shown=min_speakers_shown,
        zip_table=zip_table,
        seed=seed,
    )
    targets, skipped = _planned(baseline, options, partitions)
    columns = list(dict.fromkeys(column for target in targets for column in target.requires))
    pairs = pair(baseline, candidate, columns, allow_unequal=allow_unequal)
    totals = pairs.counts((), grid=1.0)
    # One more than is used: a partition that was found on half of the first must not be halved by it again.
    halved = halves(totals.speakers, seed, (splits or default_splits(len(totals.speakers))) + 1)
    # Of this no word is stored, so that it may be of few speakers.
    known = [known_by(log, aggregate(log, ()), 0, fewest=0) for log in (baseline, candidate)]
    compared = [_compared(target, pairs, halved, options, known) for target in targets]
    shown = withhold_all(((one.figures(), one.members()) for one in compared), min_speakers_shown)
    finished = [
        one.with_held_out(partition, halved[1:] if one.exploratory else halved[:-1])
        for one, partition in zip(compared, shown, strict=True)
    ]
    chosen = ComparisonOptions(
        by=by,
        partitions=None if partitions is None else str(partitions),
        allow_unequal=allow_unequal,
        bottom_share=bottom_share,
        splits=len(halved) - 1,
        confidence=confidence,
        min_speakers_shown=min_speakers_shown,
        zip_table=zip_table,
        seed=seed,
        baseline_model=baseline_model,
        candidate_model=candidate_model,
        dataset=dataset,
    )
    return record_comparison((baseline, candidate), pairs, totals, chosen, finished, skipped)


def _planned(
    log: UtteranceLog, options: AuditOptions, partitions: str | Path | None
) -> tuple[list[Target], dict[str, str]]:
    """Decide by what to compare; nothing is searched."""
    if partitions is None and not options.by:
        raise OptionError(
            "nothing is named by which to compare: an overall rate hides who got worse",
            where="--partitions, --by",
            fix="give the partitions.json of an audit, or label columns",
        )
    targets, skipped = plan(log, options, options.by, partitions)
    for target in targets:
        if target.saved is None and not target.declared:
            raise OptionError(
                f"'{target.name}' is a search, and a comparison searches nothing",
                where="--by",
                allowed=nearest(target.name, log.labels) if log.labels else "label columns",
                fix="audit the baseline with it, and give its partitions.json with --partitions",
            )
    return targets, skipped


def _compared(
    target: Target,
    pairs: Pairs,
    halved: Bools,
    options: AuditOptions,
    known: Sequence[DiscoveredOn],
) -> Compared:
    """Assign the rows of both releases by one partition; `known` is what both logs are known by."""
    counts = pairs.counts(target.requires, grid=target.grid)
    counts, reasons = place(target.source, target.name, counts, options.zip_table)
    placed: Bools = reasons == ""
    found_on = target.saved.discovered_on if target.saved else None
    exploratory = found_on is not None and any(found_on.is_of(log) for log in known)
    cohort, partition = np.full(counts.rows, UNASSIGNED, dtype=np.int64), None
    if placed.any():
        own = counts.select(placed)
        partition = target.saved.partition if target.saved else _declared(target, own)
        cohort[placed] = partition.assign(own)
    return Compared(
        target=target,
        partition=partition,
        releases=pairs.releases(counts, options.confidence),
        reasons=reasons,
        cohort=cohort,
        basis=tabled_rows(target, counts, placed, halved, exploratory),
        exploratory=exploratory,
        options=options,
    )


def _declared(target: Target, counts: SpeakerCounts) -> Partition:
    assert target.finder is not None
    return target.finder.fit(counts)
