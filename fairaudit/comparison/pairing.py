"""Two logs paired: the utterances that both releases recognised, by id and by an equal reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import erfc, sqrt
from typing import TYPE_CHECKING, Any

from fairaudit.aggregate import aggregate
from fairaudit.changes import MatchedPairs, Pairing
from fairaudit.checks import OURS, REFERENCE
from fairaudit.comparison.releases import Releases
from fairaudit.counts import SpeakerCounts
from fairaudit.exceptions import LogError, nearest
from fairaudit.log import KINDS, UtteranceLog
from fairaudit.readers.refusal import names_of
from fairaudit.readers.workspace import run

if TYPE_CHECKING:
    import narwhals as nw

#: Beginning of the columns that hold the candidate's side of a pair.
CANDIDATE = f"{OURS}candidate:"
#: What becomes of an utterance of both logs, or is added up over the pairs.
SPEAKER, DIFFERENT, PAIRED, MOVED, SQUARED, DIFFERING, BY = (
    f"{OURS}pair:{name}"
    for name in ("speaker", "different", "paired", "moved", "squared", "differing", "differing by")
)


@dataclass(frozen=True, eq=False)
class Pairs:
    """The utterances of a baseline's log with the errors of a candidate beside its own.

    Parameters
    ----------
    log : UtteranceLog
        The baseline's, with paired utterances only.
    also : tuple of str
        Columns that are counted too: utterances that differ, by how many errors, the candidate's errors, then
        their kinds where both logs have them.
    pairing : Pairing
    matched_pairs : MatchedPairs
    """

    log: UtteranceLog
    also: tuple[str, ...]
    pairing: Pairing
    matched_pairs: MatchedPairs

    def counts(self, requires: Sequence[str], *, grid: float) -> SpeakerCounts:
        """Count both releases by speaker and setting; `releases` takes them apart.

        Parameters
        ----------
        requires : sequence of str
            Columns of the baseline's log.
        grid : float
            Edge of a cell in degrees.
        """
        return aggregate(self.log, requires, grid=grid, also=self.also)

    def releases(self, counts: SpeakerCounts, confidence: float) -> Releases:
        """Return the counts of each release, for intervals of that confidence."""
        differing, by, errors, *kinds = self.also
        other = {name.removeprefix(CANDIDATE): counts.kinds[name] for name in kinds}
        return Releases(
            replace(counts, kinds={kind: counts.kinds[kind] for kind in other}),
            replace(counts, errors=counts.kinds[errors], kinds=other),
            counts.kinds[differing],
            counts.kinds[by],
            confidence,
        )


def pair(
    baseline: UtteranceLog, candidate: UtteranceLog, columns: Sequence[str], *, allow_unequal: bool = False
) -> Pairs:
    """Pair the utterances of two logs.

    Speakers and everything that a partition reads are those of the baseline's log. References are equal
    where they are so once normalised, and in logs of counts where they have as many words.

    Parameters
    ----------
    baseline, candidate : UtteranceLog
    columns : sequence of str
        Of the baseline's log, that partitions read.
    allow_unequal : bool
        Compare what both logs have, where they do not hold the same utterances.

    Returns
    -------
    Pairs

    Raises
    ------
    LogError
        If the logs were scored differently, lack ids, hold other utterances, or differ in who spoke.
    """
    names = {"baseline": names_of(baseline.inputs), "candidate": names_of(candidate.inputs)}
    _check_alike(baseline, candidate, names)
    _check_distinct(baseline, candidate, names)
    rows = {side: _rows(log, names[side]) for side, log in (("baseline", baseline), ("candidate", candidate))}
    kinds = [kind for kind in KINDS if kind in baseline.columns & candidate.columns]
    joined = _joined(baseline, candidate, kinds, columns)
    found = _tallied(joined)
    both = found[PAIRED] + found[DIFFERENT]
    pairing = Pairing(
        matched=found[PAIRED],
        baseline_only=rows["baseline"] - both,
        candidate_only=rows["candidate"] - both,
        different_reference=found[DIFFERENT],
    )
    lost = "; ".join(
        f"{sum(log.excluded.values()):,} in the {side}'s log ({', '.join(log.excluded)})"
        for side, log in (("baseline", baseline), ("candidate", candidate))
        if log.excluded
    )
    _check_equal(pairing, names, lost, allow_unequal=allow_unequal)
    if found[SPEAKER] and not baseline.independent_utterances:
        raise LogError(
            f"{found[SPEAKER]:,} of {both:,} utterances have another speaker in the candidate's log",
            where=f"{names['baseline']} and {names['candidate']}, speaker_id",
            fix="name the speakers alike in both logs, or give the same --metadata for both",
        )
    import narwhals as nw

    kept = joined.filter(~nw.col(DIFFERENT)).drop(SPEAKER, DIFFERENT)
    by = (nw.col(f"{CANDIDATE}errors") - nw.col("errors")).abs()
    kept = kept.with_columns((by > 0).cast(nw.Int64).alias(DIFFERING), by.alias(BY))
    log = replace(baseline, frame=baseline.engine.copied(kept), texts=None, tallies=())
    if not kinds:
        log = replace(log, columns=log.columns - set(KINDS))
    also = (DIFFERING, BY, *(CANDIDATE + name for name in ("errors", *kinds)))
    return Pairs(log, also, pairing, _matched_pairs(found))


def _check_distinct(baseline: UtteranceLog, candidate: UtteranceLog, names: Mapping[str, str]) -> None:
    """Refuse a log that is compared with itself: it would pass every gate."""
    read = [[(s.role, s.sha256) for s in log.inputs] for log in (baseline, candidate)]
    if read[0] and read[0] == read[1] and baseline.selection == candidate.selection:
        raise LogError(
            "baseline and candidate are the same data: their digests are equal",
            where=f"{names['baseline']} and {names['candidate']}",
            fix="give the log of another release, or name another column of hypotheses of this one",
        )


def _check_alike(baseline: UtteranceLog, candidate: UtteranceLog, names: Mapping[str, str]) -> None:
    """Refuse logs whose numbers do not compare."""
    where = f"{names['baseline']} and {names['candidate']}"
    if baseline.metric.name != candidate.metric.name:
        raise LogError(
            f"the counts of the baseline are of {baseline.metric.name}, those of the candidate of "
            f"{candidate.metric.name}",
            where=where,
            allowed="one metric",
        )
    ways = [log.scoring.normalizer if log.scoring else "counts given" for log in (baseline, candidate)]
    if baseline.scoring != candidate.scoring:
        versions = "" if ways[0] != ways[1] else ", of another version"
        raise LogError(
            f"the two logs were scored differently: {ways[0]} and {ways[1]}{versions}",
            where=where,
            allowed="one normaliser for both",
            fix="give the texts of both, and --normalizer",
        )
    for side, log in (("baseline", baseline), ("candidate", candidate)):
        if "utterance_id" not in log.columns:
            raise LogError(
                f"the {side}'s log has no utterance_id, by which utterances are paired",
                where=names[side],
                allowed=nearest("utterance_id", [*log.columns, *log.labels]),
                fix="name it with --column utterance_id=ACTUAL",
            )


def _rows(log: UtteranceLog, name: str) -> int:
    """Count the utterances of a log, and refuse one in which an id is there twice."""
    import narwhals as nw

    ids = nw.col("utterance_id")
    asked = log.frame.select(
        nw.len().alias("rows"),
        ids.is_null().cast(nw.Int64).sum().alias("nameless"),
        ids.n_unique().alias("ids"),
    )
    found = _one_row(asked)
    named = found["rows"] - found["nameless"]
    # Some engines count a missing id among the distinct ones.
    distinct = found["ids"] - (1 if found["nameless"] else 0)
    if distinct < named:
        raise LogError(
            f"{named - distinct:,} utterances have an id that another one has",
            where=f"{name}, utterance_id",
            fix="give every utterance an id of its own",
        )
    return found["rows"]


def _joined(
    baseline: UtteranceLog, candidate: UtteranceLog, kinds: Sequence[str], columns: Sequence[str]
) -> nw.LazyFrame[Any]:
    """Join both logs by id, and tell where speaker or reference differ."""
    import narwhals as nw

    there = baseline.frame.collect_schema().names(), candidate.frame.collect_schema().names()
    # A log that `fairaudit score` made has no digests.
    digests = [REFERENCE] if all(REFERENCE in names for names in there) else []
    compared = ["ref_words", *digests]
    counts = ["ref_words", "errors", *kinds]
    own = dict.fromkeys(
        c for c in ("utterance_id", "speaker_id", *counts, *digests, *columns) if c in there[0]
    )
    other = ["speaker_id", *counts, *digests]
    theirs = candidate.frame.select(
        nw.col("utterance_id"), *(nw.col(name).alias(CANDIDATE + name) for name in other)
    )
    # One log is in the engine of the other one, so that they can be joined.
    joined = baseline.frame.select(*own).join(baseline.engine.copied(theirs), on="utterance_id", how="inner")
    different = nw.lit(False)
    for name in compared:
        different = different | (nw.col(name) != nw.col(CANDIDATE + name))
    return joined.with_columns(
        (nw.col("speaker_id") != nw.col(CANDIDATE + "speaker_id")).alias(SPEAKER), different.alias(DIFFERENT)
    )


def _tallied(joined: nw.LazyFrame[Any]) -> dict[str, int]:
    """Count the pairs, and add up by how much errors moved."""
    import narwhals as nw

    moved = nw.when(~nw.col(DIFFERENT)).then(nw.col(f"{CANDIDATE}errors") - nw.col("errors")).otherwise(0)
    whole = joined.with_columns(
        moved.alias(MOVED),
        nw.col(SPEAKER).cast(nw.Int64),
        nw.col(DIFFERENT).cast(nw.Int64),
        (~nw.col(DIFFERENT)).cast(nw.Int64).alias(PAIRED),
    )
    whole = whole.with_columns((nw.col(MOVED) * nw.col(MOVED)).alias(SQUARED))
    names = (SPEAKER, DIFFERENT, PAIRED, MOVED, SQUARED)
    return _one_row(whole.select(*(nw.col(name).sum() for name in names)))


def _one_row(frame: nw.LazyFrame[Any]) -> dict[str, int]:
    row = run(lambda: frame.collect("pyarrow"), "the logs").to_dict(as_series=False)
    return {name: int(values[0] or 0) for name, values in row.items()}


def _check_equal(pairing: Pairing, names: Mapping[str, str], lost: str, *, allow_unequal: bool) -> None:
    """Refuse unequal sets of utterances; `lost` tells what was left out when the logs were read."""
    where = f"baseline {names['baseline']}, candidate {names['candidate']}"
    told = (
        f"{pairing.baseline_only:,} are in the baseline alone, {pairing.candidate_only:,} in the candidate "
        f"alone, and {pairing.different_reference:,} have another reference"
        + (f"; left out when they were read: {lost}" if lost else "")
    )
    if not pairing.matched:
        raise LogError(
            f"the logs have no utterance in common: {told}",
            where=where,
            fix="compare logs of the same test set, with the same utterance ids",
        )
    if not allow_unequal and pairing.baseline_only + pairing.candidate_only + pairing.different_reference:
        raise LogError(
            f"the logs do not hold the same utterances: {told}",
            where=where,
            allowed="the same ids with the same references",
            fix=f"give complete logs, or compare the {pairing.matched:,} that match with --allow-unequal",
        )


def _matched_pairs(found: Mapping[str, int]) -> MatchedPairs:
    """Test whether errors moved, taking utterances for independent (Gillick and Cox 1989)."""
    n, moved, squared = found[PAIRED], found[MOVED], found[SQUARED]
    if n < 2:
        return MatchedPairs(statistic=None, p_value=None, reason="fewer than two utterances")
    variance = (squared - moved * moved / n) / (n - 1)
    if variance <= 0:
        why = (
            "no utterance has another number of errors"
            if not moved
            else "errors moved by the same everywhere"
        )
        return MatchedPairs(statistic=None, p_value=None, reason=why)
    statistic = moved / n / sqrt(variance / n)
    return MatchedPairs(statistic=statistic, p_value=erfc(abs(statistic) / sqrt(2)))
