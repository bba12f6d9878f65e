"""Partitions: rules that assign every row to one cohort or to none. Plain numbers and text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
import numpy as np

from fairaudit.counts import UNIT, Floats, Ints, SpeakerCounts
from fairaudit.exceptions import PartitionError
from fairaudit.partition.labels import Combinations, Lookup
from fairaudit.partition.rule import UNASSIGNED, Displayed, Name, Partition

__all__ = [
    "UNASSIGNED",
    "Boxes",
    "Centroids",
    "Combinations",
    "Lookup",
    "Name",
    "Partition",
    "Threshold",
    "cohort_ids",
    "digest",
    "from_plain",
    "nearest_centroid",
]


@dataclass(frozen=True)
class Boxes(Displayed):
    """Boxes on the coordinate grid that tile the whole plane.

    Parameters
    ----------
    grid : float
        Edge of a grid cell in degrees.
    boxes : tuple of 4-tuples of int or None
        South, north, west and east edge in cells, the first of each pair inside; None is open.
    names : tuple of Name
    """

    kind: ClassVar[str] = "boxes"
    grid: float
    boxes: tuple[tuple[int | None, int | None, int | None, int | None], ...]
    names: tuple[Name, ...]

    @property
    def requires(self) -> tuple[str, ...]:
        """Latitude comes before longitude."""
        return ("latitude", "longitude")

    def assign(self, counts: SpeakerCounts) -> Ints:
        """See `Partition.assign`; reads the cells `latitude` and `longitude`."""
        latitude, longitude = counts.numbers("latitude"), counts.numbers("longitude")
        cohort = np.full(counts.rows, UNASSIGNED, dtype=np.int64)
        for number, (south, north, west, east) in enumerate(self.boxes):
            inside = _between(latitude, south, north) & _between(longitude, west, east)
            cohort[inside] = number
        return cohort

    def cohort_rules(self) -> list[dict[str, Any]]:
        """See `Partition.cohort_rules`."""
        return [{"kind": self.kind, "grid": self.grid, "box": list(box)} for box in self.boxes]

    def to_plain(self) -> dict[str, Any]:
        """See `Partition.to_plain`."""
        return {"kind": self.kind, "grid": self.grid, "boxes": [list(box) for box in self.boxes]}


@dataclass(frozen=True)
class Threshold(Displayed):
    """Two sides of a number: above the threshold, or at or below it.

    Parameters
    ----------
    attribute : str
        Name of a census attribute.
    threshold : float
    table : mapping of str to str or int
        Source, year and digest of the ZIP table that holds the attribute.
    names : tuple of two Name
        Above, then at or below.
    """

    kind: ClassVar[str] = "threshold"
    attribute: str
    threshold: float
    table: Mapping[str, Any]
    names: tuple[Name, ...]

    @property
    def requires(self) -> tuple[str, ...]:
        """The ZIP code, from which the attribute is looked up before rows are assigned."""
        return ("zip_code",)

    def assign(self, counts: SpeakerCounts) -> Ints:
        """See `Partition.assign`; reads the attribute, which `demographics` adds to the counts."""
        values = counts.numbers(self.attribute)
        side = np.where(values > self.threshold, 0, 1)
        return np.where(np.isnan(values), UNASSIGNED, side).astype(np.int64)

    def cohort_rules(self) -> list[dict[str, Any]]:
        """See `Partition.cohort_rules`."""
        return [{**self.to_plain(), "side": side} for side in ("above", "at or below")]

    def to_plain(self) -> dict[str, Any]:
        """See `Partition.to_plain`."""
        return {
            "kind": self.kind,
            "attribute": self.attribute,
            "threshold": self.threshold,
            "table": dict(self.table),
        }


@dataclass(frozen=True)
class Centroids(Displayed):
    """The nearest of several centroids, by Euclidean distance to the speaker's unit vector.

    Components are multiples of 1 / 32768, so distances are exact and a tie goes to the first.

    Parameters
    ----------
    centroids : tuple of tuples of int
        In multiples of 1 / 32768.
    names : tuple of Name
    """

    kind: ClassVar[str] = "centroids"
    centroids: tuple[tuple[int, ...], ...]
    names: tuple[Name, ...]

    @property
    def requires(self) -> tuple[str, ...]:
        """The embedding."""
        return ("embedding",)

    def assign(self, counts: SpeakerCounts) -> Ints:
        """See `Partition.assign`."""
        cohort = np.full(counts.rows, UNASSIGNED, dtype=np.int64)
        if self.centroids:
            vectors = counts.unit_vectors()
            dimensions = len(self.centroids[0])
            if vectors.shape[1] != dimensions:
                raise PartitionError(
                    f"embeddings have {vectors.shape[1]} dimensions",
                    where="saved partition by voice",
                    allowed=f"{dimensions}, as when the clusters were found",
                    fix="give embeddings of the same model",
                )
            cohort = nearest_centroid(vectors, np.array(self.centroids))[counts.speaker]
        return np.where(counts.has_embedding(), cohort, UNASSIGNED)

    def cohort_rules(self) -> list[dict[str, Any]]:
        """See `Partition.cohort_rules`: a cluster's extent depends on all centroids."""
        return [{**self.to_plain(), "cohort": number} for number in range(len(self.centroids))]

    def to_plain(self) -> dict[str, Any]:
        """See `Partition.to_plain`."""
        return {"kind": self.kind, "unit": UNIT, "centroids": [list(c) for c in self.centroids]}


def from_plain(plain: Mapping[str, Any], names: tuple[Name, ...]) -> Partition:
    """Make a partition from its plain rule.

    Parameters
    ----------
    plain : mapping
        As `Partition.to_plain` gives it.
    names : tuple of Name

    Raises
    ------
    PartitionError
        If the kind is not one of the five that can be saved, or the rule is malformed.
    """
    kinds: dict[Any, Any] = {kind.kind: kind for kind in (Boxes, Threshold, Centroids, Lookup, Combinations)}
    kind = plain.get("kind")
    if kind not in kinds:
        raise PartitionError(f"partition of kind {kind!r}", allowed=", ".join(kinds))
    fields = {key: value for key, value in plain.items() if key not in ("kind", "unit")}
    try:
        if set(fields) | {"names"} != set(kinds[kind].__dataclass_fields__) - {"kind"}:
            raise ValueError(f"a rule of kind {kind} with the fields {sorted(fields)}")
        partition: Partition = msgspec.convert({**fields, "names": [vars(n) for n in names]}, kinds[kind])
        return partition
    except (msgspec.ValidationError, ValueError) as error:
        raise PartitionError(f"malformed rule: {error}", where="partitions.json") from None


def digest(plain: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain data in canonical JSON (sorted keys).

    Examples
    --------
    >>> digest({"kind": "lookup", "column": "accent", "value": "US"})[:12]
    '93292418a98d'
    """
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def cohort_ids(partition: Partition) -> tuple[str, ...]:
    """Return the id of each cohort: twelve digits of the digest of its rule."""
    return tuple(digest(rule)[:12] for rule in partition.cohort_rules())


def nearest_centroid(vectors: Ints, centroids: Ints) -> Ints:
    """Return the number of the nearest centroid of each vector, exactly; ties go to the first.

    Parameters
    ----------
    vectors : ndarray of int64, shape (n, n_dimensions)
    centroids : ndarray of int64, shape (k, n_dimensions)

    Examples
    --------
    >>> nearest_centroid(np.array([[3, 4]]), np.array([[0, 0], [3, 3], [4, 4]]))
    array([1])
    """
    # Products stay below 2^53, so the floating-point product is exact on any machine.
    c = centroids.astype(np.float64)
    distance = (c * c).sum(axis=1) - 2 * (vectors.astype(np.float64) @ c.T)
    nearest: Ints = distance.argmin(axis=1).astype(np.int64)
    return nearest


def _between(cells: Floats, low: int | None, high: int | None) -> Any:
    # A missing coordinate is NaN and compares false, except where both sides are open.
    inside = ~np.isnan(cells)
    if low is not None:
        inside &= cells >= low
    if high is not None:
        inside &= cells < high
    return inside
