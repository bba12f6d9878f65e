"""The check of a log before any audit: what was read, what could be placed, and what could be detected.

No fairness number is made: errors are read for how much speakers vary about the rate of the whole log,
and for nothing else. So a log can be checked, and mended, before anybody knows how it will turn out.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

from fairaudit.aggregate import aggregate, aggregate_texts
from fairaudit.config import AuditOptions
from fairaudit.discover import Discoverer
from fairaudit.exceptions import LogError
from fairaudit.log import CANONICAL, COUNTS, KINDS, UtteranceLog
from fairaudit.planning import Target, plan
from fairaudit.power import CONFIDENCE, FEWEST_SPEAKERS, POWER, SEARCH_COST, Spread
from fairaudit.prospects import gap_of_shares, prospect
from fairaudit.provenance import DISTRIBUTION
from fairaudit.ranking import FEWEST_RANKED
from fairaudit.readiness import Column, LogCheck
from fairaudit.schema import SCHEMA_VERSION
from fairaudit.split import default_splits
from fairaudit.texts import text_tally

#: Cohorts, and what each is compared with, as shares of the speakers.
SHARES = ((0.05, 0.95), (0.10, 0.90), (0.20, 0.80), (0.50, 0.50), (0.10, 0.10))


def check(
    log: UtteranceLog,
    *,
    by: Sequence[str | Discoverer] = (),
    zip_table: str | None = None,
    min_speakers_shown: int = 11,
    seed: int = 1,
) -> LogCheck:
    """Say what a log holds and what an audit of it could detect, without any fairness number.

    Parameters
    ----------
    log : UtteranceLog
        From `fairaudit.read_log`.
    by : sequence of str or Discoverer
        As for `fairaudit.audit`; by default all that the log allows.
    zip_table : str, optional
        File of attributes by ZIP code.
    min_speakers_shown : int
        An audit suppresses figures of fewer speakers.
    seed : int
        Of the halves that an audit would take.

    Returns
    -------
    LogCheck

    Raises
    ------
    InputError
        If an option is out of range, or the log lacks what was asked for.

    Examples
    --------
    >>> import pandas as pd
    >>> from fairaudit.readers import read_log
    >>> frame = pd.DataFrame({"speaker_id": [f"s{i}" for i in range(80)], "ref_words": 100,
    ...                       "errors": [10 + i % 7 for i in range(80)],
    ...                       "device": ["phone" if i % 4 else "headset" for i in range(80)]})
    >>> found = check(read_log(frame))
    >>> [(row.value, row.speakers, round(row.smallest_gap, 2)) for row in found.partition("device").values]
    [('phone', 60, 0.25), ('headset', 20, 0.25)]
    """
    if not isinstance(log, UtteranceLog):
        raise LogError(f"the log is a {type(log).__name__}", where="check(log)", fix="check(read_log(log))")
    by = (by,) if isinstance(by, str) else by
    options = AuditOptions(
        by=tuple(item if isinstance(item, str) else item.name for item in by),
        min_speakers_shown=min_speakers_shown,
        zip_table=zip_table,
        seed=seed,
    )
    targets, skipped, notes = _planned(log, options, by)
    totals = aggregate(log, ())
    spread, splits = Spread.of(totals), default_splits(len(totals.speakers))
    words = totals.ref_words.astype(np.float64)
    squares = float((words * words).sum())
    texts = aggregate_texts(log, (), totals)
    return LogCheck(
        schema_version=SCHEMA_VERSION,
        fairaudit_version=version(DISTRIBUTION),
        seed=seed,
        splits=splits,
        min_speakers_shown=min_speakers_shown,
        inputs=log.inputs,
        joined=tuple(fits.record for fits in log.coverage),
        columns=_columns(log),
        metric=log.metric,
        scoring=log.scoring,
        where=log.selection.where,
        missing=log.selection.missing,
        rows=sum(source.rows or 0 for source in log.inputs if source.role == "log"),
        utterances=int(totals.utterances.sum()),
        speakers=len(totals.speakers),
        ref_words=int(totals.ref_words.sum()),
        n_effective=float(words.sum()) ** 2 / squares if squares else 0.0,
        independent_utterances=log.independent_utterances,
        excluded=dict(log.excluded),
        unchecked=log.unchecked,
        warnings=(*log.warnings, *notes),
        text=None if texts is None else text_tally(texts, np.ones(texts.rows, dtype=bool)),
        power=POWER,
        confidence=CONFIDENCE,
        fewest_in_half=FEWEST_RANKED,
        fewest_speakers=FEWEST_SPEAKERS,
        search_cost=SEARCH_COST,
        detectable=tuple(gap_of_shares(totals, spread, splits, *pair, min_speakers_shown) for pair in SHARES),
        partitions=tuple(prospect(log, target, options, splits) for target in targets),
        skipped=skipped,
    )


def _planned(
    log: UtteranceLog, options: AuditOptions, by: Sequence[str | Discoverer]
) -> tuple[list[Target], dict[str, str], tuple[str, ...]]:
    """Plan as an audit does; that a log has nothing to partition by is a finding here, and no error."""
    try:
        return *plan(log, options, by, None), ()
    except LogError as error:
        if by or options.zip_table is not None:
            raise
        return [], {}, (f"{error.what}: {error.where}",)


def _columns(log: UtteranceLog) -> tuple[Column, ...]:
    """List the columns, those with a meaning of their own first."""
    named = log.selection.columns
    added_up = set(KINDS) <= log.columns
    scored = set(COUNTS) if log.scoring else set()
    made = scored | ({"errors"} if added_up and "errors" not in named else set())
    if log.independent_utterances:
        made.add("speaker_id")
    if log.vectors is not None:
        made.add("embedding")
    canonical = [c for c in CANONICAL if c in log.columns]
    known = [Column(name=None if c in made else named.get(c, c), taken_as=c) for c in canonical]
    return (*known, *(Column(name=label, taken_as="label") for label in log.labels))
