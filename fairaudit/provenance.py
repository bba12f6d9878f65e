"""Where a result comes from: what was read, how text became counts, and who found a partition."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

DISTRIBUTION = "fairaudit-asr"
#: Key of a Parquet file's metadata under which its origin is.
ORIGIN = b"fairaudit"


class Plain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that is stored: immutable, compared by value, strict when read."""


class Subject(Plain, frozen=True, kw_only=True):
    """What was audited, in the user's words."""

    model: str | None
    dataset: str | None


class Metric(Plain, frozen=True, kw_only=True):
    """The ratio of sums that is reported."""

    name: str
    numerator: str
    denominator: str


class Source(Plain, frozen=True, kw_only=True):
    """One input file, folder or table, the format that it was read as, and what it was made from.

    `sha256` is of the file's bytes; of a folder, of the names and digests of the files that were read;
    of a table, of its rows.
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

    `matched_by` tells how ids were compared: `exact`, or by what both sides have in common (`case`,
    `file name`) where no id matched exactly.
    """

    role: str
    key: str
    matched_by: str
    rows: int
    rows_matched: int
    utterances: int
    utterances_matched: int


class Scoring(Plain, frozen=True, kw_only=True):
    """How text became counts."""

    normalizer: str
    version: str
    sha256: str


class Selection(Plain, frozen=True, kw_only=True):
    """Which rows and columns of the inputs were read: canonical to actual names, and texts by column.

    `missing_hypothesis` tells how an utterance without one counts, and `speaker_from_id` is the
    expression that finds a speaker in an utterance id; None where they were not asked for.
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
    """What a Parquet log was made from, by `fairaudit convert` or `fairaudit score`."""

    fairaudit_version: str
    inputs: tuple[Source, ...]
    selection: Selection
    scoring: Scoring | None = None
    metric: Metric | None = None
    excluded: dict[str, int] = {}


class TextTally(Plain, frozen=True, kw_only=True):
    """Utterances whose text was scored, and those of them that are out of the ordinary.

    `missing` have no hypothesis (they count as deleted, or are left out); `looped` hypotheses have more
    than five times the words of their reference.
    """

    utterances: int
    missing: int
    empty_reference: int
    empty_hypothesis: int
    looped: int


class UnderNormalizer(Plain, frozen=True, kw_only=True):
    """A rate as one normaliser would have it."""

    normalizer: str
    ref_words: int
    errors: int
    wer: float | None


class LogSummary(Plain, frozen=True, kw_only=True):
    """What was read. `sha256` is of the counts per speaker, the same whatever the order of the rows.

    `rows` are those of the inputs and `utterances` those that are left by `where` and by what was excluded.
    `errors` is None where the log has too few speakers to show any figure; `text` and `by_normalizer` too,
    or where no text was scored.
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

    `sha256` is of its counts, and `files` are the digests of the files that it was read from: a part of
    a file is no other log.
    """

    sha256: str
    seed: int
    files: tuple[str, ...] = ()

    def is_of(self, sha256: str, files: Iterable[str]) -> bool:
        """Tell whether a log with these digests is the one, or was read from the same files."""
        return self.sha256 == sha256 or bool(set(self.files) & set(files))


class DiscovererRecord(Plain, frozen=True, kw_only=True):
    """Which discoverer found a partition, and with which parameters."""

    name: str
    parameters: dict[str, Any]


def now() -> str:
    """Return the time, or that of SOURCE_DATE_EPOCH, so that equal runs can give equal bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return moment.replace(microsecond=0).isoformat()
