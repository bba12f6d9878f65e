"""Where a result comes from: what was read, how text became counts, and who found a partition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec


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
    """One input file or table. `sha256` is of the file's bytes, or of the counts for a table."""

    role: str
    name: str
    sha256: str
    rows: int | None


class Scoring(Plain, frozen=True, kw_only=True):
    """How text became counts."""

    normalizer: str
    version: str
    sha256: str


class Selection(Plain, frozen=True, kw_only=True):
    """Which rows and columns of the inputs were read: canonical to actual names, and texts by column."""

    columns: dict[str, str] = {}
    where: dict[str, tuple[str, ...]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    max_excluded: float = 0.01


class LogSummary(Plain, frozen=True, kw_only=True):
    """What was read. `sha256` is of the counts per speaker, the same whatever the order of the rows.

    `rows` are those of the inputs and `utterances` those that are left by `where` and by what was excluded.
    `errors` is None where the log has too few speakers to show any figure.
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
