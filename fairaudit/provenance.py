"""Where a result comes from: what was read, how text became counts, and who found a partition."""

from __future__ import annotations

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


class LogSummary(Plain, frozen=True, kw_only=True):
    """What was read. `sha256` is of the counts per speaker, the same whatever the order of the rows.

    `errors` is None where the log has too few speakers to show any figure.
    """

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
    """The log in which a partition was found, by the digest of its counts, and the seed of the split."""

    sha256: str
    seed: int


class DiscovererRecord(Plain, frozen=True, kw_only=True):
    """Which discoverer found a partition, and with which parameters."""

    name: str
    parameters: dict[str, Any]
