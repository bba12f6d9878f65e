"""partitions.json: rules that people commit, and that assign the same on any log and machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fairaudit.changes import PartitionChange
from fairaudit.counts import SpeakerCounts
from fairaudit.exceptions import PartitionError
from fairaudit.log import UtteranceLog
from fairaudit.partition import Name, Partition, cohort_ids, digest, from_plain
from fairaudit.provenance import DiscoveredOn
from fairaudit.result import AuditResult, PartitionResult

SCHEMA_VERSION = 1
#: Of fewer speakers no digest is stored: so small a set of ids could be guessed.
FEWEST_DIGESTED = 30


@dataclass(frozen=True)
class SavedPartition:
    """A partition with the bottom and top that were named when it was found.

    Parameters
    ----------
    name : str
    partition : Partition
    ranks : tuple of int or None
        Rank of each cohort when it was found; 1 is the worst.
    bottom, top : tuple of int
        Cohort numbers; empty where none could be named.
    discovered_on : DiscoveredOn
    speakers : tuple of int or None
        Of each cohort when it was found, of those that were measured; None where that was suppressed.
    """

    name: str
    partition: Partition
    ranks: tuple[int | None, ...]
    bottom: tuple[int, ...]
    top: tuple[int, ...]
    discovered_on: DiscoveredOn
    speakers: tuple[int | None, ...] = ()

    def shares(self) -> tuple[float | None, ...]:
        """Return the share of speakers of each cohort when it was found; None where one is not known."""
        known = [n for n in self.speakers if n is not None]
        if len(known) < len(self.partition.names) or not sum(known):
            return (None,) * len(self.partition.names)
        return tuple(n / sum(known) for n in known)


def known_by(log: UtteranceLog, totals: SpeakerCounts, seed: int, fewest: int) -> DiscoveredOn:
    """Return what a log is known by, so that partitions that are found in it are not believed on it.

    Parameters
    ----------
    log : UtteranceLog
    totals : SpeakerCounts
        Of the log, one row per speaker.
    seed : int
        Of the split.
    fewest : int
        Of fewer speakers (`min_speakers_shown`), or fewer than 30, there is no digest.
    """
    files = tuple(digest for source in log.inputs if source.role == "log" for digest in source.digests())
    told = len(totals.speakers) >= max(fewest, FEWEST_DIGESTED)
    return DiscoveredOn(
        sha256=totals.sha256(),
        seed=seed,
        files=files,
        speakers=digest_of_speakers(totals.speakers) if told else None,
    )


def digest_of_speakers(speakers: Iterable[str]) -> str:
    """Return the SHA-256 of a whole set of speaker ids, the same whatever their order.

    It tells that two sets are equal and nothing else: no id by itself can be tested against it.

    Parameters
    ----------
    speakers : iterable of str
        Distinct ids.

    Examples
    --------
    >>> digest_of_speakers(["ann", "bob"]) == digest_of_speakers(["bob", "ann"])
    True
    """
    return hashlib.sha256(b"fairaudit speakers " + msgspec.json.encode(sorted(speakers))).hexdigest()


def warnings_of_speakers(partitions: Sequence[PartitionResult | PartitionChange]) -> tuple[str, ...]:
    """Warn of saved partitions that may have been found among the speakers who are measured.

    Parameters
    ----------
    partitions : sequence of PartitionResult or PartitionChange
    """
    names = ", ".join(p.name for p in partitions if p.origin == "saved" and not p.exploratory)
    if not names:
        return ()
    return (
        "it is not known whether any of the speakers were in the log in which these partitions were found: "
        f"they would make the gap look larger, and a later release better: {names}",
    )


def partitions_json(result: AuditResult) -> str:
    """Return the text of `partitions.json`: every partition of a result that has a rule.

    Parameters
    ----------
    result : AuditResult
        Speakers per cohort are those that it shows; suppressed ones stay null.
    """
    entries = [_entry(p, result) for p in result.partitions if p.rule is not None]
    plain = {
        "schema_version": SCHEMA_VERSION,
        "fairaudit_version": result.fairaudit_version,
        "partitions": entries,
    }
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


def read_partitions(path: str | Path) -> tuple[SavedPartition, ...]:
    """Read `partitions.json`.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    PartitionError
        If the file cannot be read, is of a newer version, was edited, or holds an unknown rule.
    """
    where = str(path)
    try:
        plain = msgspec.json.decode(Path(path).read_bytes())
    except OSError as error:
        raise PartitionError(f"cannot read saved partitions: {error.strerror}", where=where) from None
    except msgspec.DecodeError as error:
        raise PartitionError(f"not valid JSON: {error}", where=where) from None
    except RecursionError:
        raise PartitionError("not saved partitions: nested too deeply", where=where) from None
    if not isinstance(plain, dict) or not isinstance(plain.get("partitions"), list) or "signature" in plain:
        raise PartitionError(
            "these are not saved partitions",
            where=where,
            allowed="partitions.json, which an audit writes beside audit.json",
        )
    if plain.get("schema_version") != SCHEMA_VERSION:
        raise PartitionError(
            f"schema_version {plain.get('schema_version')!r} of fairaudit {plain.get('fairaudit_version')}",
            where=where,
            allowed=str(SCHEMA_VERSION),
            fix="read it with that version of fairaudit, or audit again",
        )
    if not plain["partitions"]:
        raise PartitionError(
            "the file holds no partition: the audit that wrote it could place nobody",
            where=where,
            fix="audit a log that has what the partitions read",
        )
    return tuple(_saved(entry, where) for entry in plain["partitions"])


def _entry(partition: PartitionResult, result: AuditResult) -> dict[str, Any]:
    ids = {c.cohort: c.id for c in partition.cohorts}
    found_on = partition.discovered_on
    entry = {
        "name": partition.name,
        "kind": partition.kind,
        "digest": partition.digest,
        "discovered_on": msgspec.to_builtins(found_on),
        "cohorts": [
            {"cohort": c.cohort, "id": c.id, "label": c.label, "rank": c.rank, "speakers": c.speakers}
            for c in partition.cohorts
        ],
        "bottom": [ids[c] for c in partition.bottom.cohorts] if partition.bottom else [],
        "top": [ids[c] for c in partition.top.cohorts] if partition.top else [],
        "rule": partition.rule,
    }
    return entry | {"sha256": digest(entry)}


def _saved(entry: Any, where: str) -> SavedPartition:
    try:
        name = entry["name"]
        unsealed = {key: value for key, value in entry.items() if key != "sha256"}
        if digest(unsealed) != entry["sha256"]:
            raise PartitionError(
                f"partition '{name}' was edited: it does not have the digest that it was saved with",
                where=where,
                fix="restore the file, or audit again and save the new partitions",
            )
        names = tuple(Name(cohort=c["cohort"], label=c["label"]) for c in entry["cohorts"])
        partition = from_plain(entry["rule"], names)
        ids = cohort_ids(partition)
        if ids != tuple(c["id"] for c in entry["cohorts"]):
            raise PartitionError(f"the cohorts of partition '{name}' do not fit its rule", where=where)
        return SavedPartition(
            name=name,
            partition=partition,
            ranks=tuple(c["rank"] for c in entry["cohorts"]),
            bottom=tuple(ids.index(key) for key in entry["bottom"]),
            top=tuple(ids.index(key) for key in entry["top"]),
            discovered_on=msgspec.convert(entry["discovered_on"], DiscoveredOn),
            speakers=tuple(c["speakers"] for c in entry["cohorts"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError, msgspec.ValidationError) as error:
        raise PartitionError(f"malformed partition: {error}", where=where, fix="audit again") from None
