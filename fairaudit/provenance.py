"""Where a result comes from: what was read, how text became counts, and who found a partition."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import msgspec

DISTRIBUTION = "fairaudit-asr"
#: Key of a Parquet file's metadata under which its origin is.
ORIGIN = b"fairaudit"


class Plain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that is stored: immutable, compared by value, strict when read."""


class Subject(Plain, frozen=True, kw_only=True):
    """What was audited, in the user's words.

    Attributes
    ----------
    model, dataset
        As given with `--model` and `--dataset`.
    """

    model: str | None
    dataset: str | None


class Metric(Plain, frozen=True, kw_only=True):
    """The ratio of sums that is reported.

    Attributes
    ----------
    name
        Name of the ratio, such as WER.
    numerator, denominator
        What is added up above and below the line.
    """

    name: str
    numerator: str
    denominator: str


class Source(Plain, frozen=True, kw_only=True):
    """One input file, folder or table, the format that it was read as, and what it was made from.

    Attributes
    ----------
    role
        What it was read for: the log, its references, metadata, embeddings or partitions.
    name
        Name of the file, without its folder.
    sha256
        Digest of the file's bytes; of a folder, of the names and digests of the files that were read; of a
        table, of its rows.
    rows
        Rows that were read; None where they are not counted.
    format
        Format that it was read as.
    origin
        What it was made from, where fairaudit made it.
    """

    role: str
    name: str
    sha256: str
    rows: int | None
    format: str | None = None
    origin: Origin | None = None

    def digests(self) -> tuple[str, ...]:
        """Return the digest of this input, and of those that it was made from."""
        earlier = self.origin.inputs if self.origin else ()
        return (self.sha256, *(d for source in earlier if source.role == "log" for d in source.digests()))


class Joined(Plain, frozen=True, kw_only=True):
    """How many rows of a file found their utterance or speaker in the log, and the other way round.

    Attributes
    ----------
    role
        What the file was joined for: references or metadata.
    key
        The column that it was joined by.
    matched_by
        How ids were compared: `exact`, or by what both sides have in common (`case`, `file name`) where no id
        matched exactly.
    rows, rows_matched
        Rows of the file, and those that found their place in the log.
    utterances, utterances_matched
        Utterances of the log, and those that found a row.
    """

    role: str
    key: str
    matched_by: str
    rows: int
    rows_matched: int
    utterances: int
    utterances_matched: int


class Scoring(Plain, frozen=True, kw_only=True):
    """How text became counts.

    Attributes
    ----------
    normalizer
        What was done to both texts before they were compared.
    version, sha256
        Version of the normaliser, and its digest.
    """

    normalizer: str
    version: str
    sha256: str


class Selection(Plain, frozen=True, kw_only=True):
    """Which rows and columns of the inputs were read, and under which names.

    Attributes
    ----------
    columns
        Canonical names of columns, each with the actual one.
    where
        Columns by whose values rows were chosen, each with these values.
    missing
        Texts that mean a missing value, by column.
    max_excluded
        Most rows that may be left out as unusable, as a fraction.
    missing_hypothesis
        How an utterance without one counts; None where that was not asked for.
    speaker_from_id
        The expression that finds a speaker in an utterance id; None where that was not asked for.
    """

    columns: dict[str, str] = {}
    where: dict[str, tuple[str, ...]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    max_excluded: float = 0.01
    missing_hypothesis: str | None = None
    speaker_from_id: str | None = None

    def without_ids(self) -> Selection:
        """Return the same without ids of speakers or utterances that were selected: no output holds them."""
        where = {
            column: (f"{len(values)} withheld",) if column in ("speaker_id", "utterance_id") else values
            for column, values in self.where.items()
        }
        return msgspec.structs.replace(self, where=where)


class Origin(Plain, frozen=True, kw_only=True):
    """What a Parquet log was made from, by `fairaudit convert` or `fairaudit score`.

    Attributes
    ----------
    fairaudit_version
        Version of fairaudit that made it.
    inputs
        What it was made from.
    selection
        What of them was read.
    scoring
        How text became counts, where it did.
    metric
        What was counted.
    excluded
        Utterances that were left out, by reason.
    """

    fairaudit_version: str
    inputs: tuple[Source, ...]
    selection: Selection
    scoring: Scoring | None = None
    metric: Metric | None = None
    excluded: dict[str, int] = {}


class TextTally(Plain, frozen=True, kw_only=True):
    """Utterances whose text was scored, and those of them that are out of the ordinary.

    Attributes
    ----------
    utterances
        All utterances that had text.
    missing
        Utterances without a hypothesis: they count as deleted, or are left out.
    empty_reference, empty_hypothesis
        Utterances without a word on this side.
    looped
        Utterances with more than five times as many words in the hypothesis as in the reference.
    """

    utterances: int
    missing: int
    empty_reference: int
    empty_hypothesis: int
    looped: int


class UnderNormalizer(Plain, frozen=True, kw_only=True):
    """A rate as one normaliser would have it.

    Attributes
    ----------
    normalizer
        Name of the normaliser.
    ref_words, errors
        As counted under it.
    wer
        Errors over reference words.
    """

    normalizer: str
    ref_words: int
    errors: int
    wer: float | None


class LogSummary(Plain, frozen=True, kw_only=True):
    """What was read.

    Attributes
    ----------
    rows
        Rows of the inputs.
    where
        Columns by whose values rows were chosen, each with these values.
    sha256
        Digest of the counts per speaker, the same whatever the order of the rows.
    utterances
        Utterances that are left by `where` and by what was excluded.
    speakers, ref_words
        How many there are in these utterances.
    errors
        Errors in these utterances; None where the log has too few speakers to show any figure.
    excluded
        Utterances that were left out, by reason.
    unchecked
        Checks that were left out.
    warnings
        What limits the reading of the result.
    independent_utterances
        Whether each utterance stands for a speaker of its own.
    joined
        How well the files that were joined fitted.
    text
        Texts that are out of the ordinary; None where no text was scored, or it would tell of too few
        speakers.
    by_normalizer
        The overall rate under every normaliser, where that was asked for.
    """

    rows: int = 0
    where: dict[str, tuple[str, ...]] = {}

    sha256: str
    utterances: int
    speakers: int
    ref_words: int
    errors: int | None
    excluded: dict[str, int]
    unchecked: tuple[str, ...]
    warnings: tuple[str, ...]
    independent_utterances: bool = False
    joined: tuple[Joined, ...] = ()
    text: TextTally | None = None
    by_normalizer: tuple[UnderNormalizer, ...] = ()


class DiscoveredOn(Plain, frozen=True, kw_only=True):
    """The log in which a partition was found, and the seed of the split.

    Attributes
    ----------
    sha256
        Digest of the log's counts.
    seed
        Seed of the split.
    files
        Digests of the files that it was read from: a part of a file is no other log.
    speakers
        The one digest of all its speaker ids together, which tells the very same speakers with other errors;
        None where there were few, and in files of earlier versions.
    """

    sha256: str
    seed: int
    files: tuple[str, ...] = ()
    speakers: str | None = None

    def is_of(self, log: DiscoveredOn) -> bool:
        """Tell whether a log is the one, was read from the same files, or has the very same speakers."""
        same_speakers = self.speakers is not None and self.speakers == log.speakers
        return self.sha256 == log.sha256 or bool(set(self.files) & set(log.files)) or same_speakers


class DiscovererRecord(Plain, frozen=True, kw_only=True):
    """Which discoverer found a partition, and with which parameters.

    Attributes
    ----------
    name
        Name of the discoverer.
    parameters
        All of its parameters, by name.
    """

    name: str
    parameters: dict[str, Any]


def now() -> str:
    """Return the time, or that of SOURCE_DATE_EPOCH, so that equal runs can give equal bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return moment.replace(microsecond=0).isoformat()
