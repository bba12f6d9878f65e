"""Where the cohorts of a partition are, as far as a map may tell: the reach of the log, and hexagons."""

from __future__ import annotations

from math import ceil, floor

import msgspec
import numpy as np

from fairaudit.cohorts import Table
from fairaudit.config import AuditOptions
from fairaudit.counts import SpeakerCounts
from fairaudit.demographics.centroids import centroids
from fairaudit.geography.hexagons import shown
from fairaudit.partition import Boxes, Threshold
from fairaudit.result import PartitionResult


def with_whereabouts(result: PartitionResult, table: Table, options: AuditOptions) -> PartitionResult:
    """Add what a map needs of a partition by coordinates or by ZIP code.

    Parameters
    ----------
    result : PartitionResult
        Nothing is suppressed yet.
    table : Table
    options : AuditOptions
    """
    partition, fewest = table.measurement.partition, options.min_speakers_shown
    if isinstance(partition, Boxes):
        reach = extent(table.measurement.counts, partition.grid, fewest)
        return msgspec.structs.replace(result, extent=reach)
    if not isinstance(partition, Threshold):
        return result
    counts, cohort = table.measurement.counts, table.measurement.cohort
    labels = counts.labels("zip_code")
    latitude, longitude = (np.r_[place, np.nan][labels.codes] for place in centroids(labels.values))
    cohorts = []
    for number, one in enumerate(result.cohorts):
        own = table.assigned & (cohort == number)
        hexagons = shown(counts.speaker[own], latitude[own], longitude[own], fewest)
        cohorts.append(msgspec.structs.replace(one, hexagons=hexagons))
    return msgspec.structs.replace(result, cohorts=tuple(cohorts))


def extent(counts: SpeakerCounts, grid: float, fewest: int) -> tuple[int, int, int, int] | None:
    """Return how far a log reaches, so that no edge points at a few speakers.

    Parameters
    ----------
    counts : SpeakerCounts
        With the cells `latitude` and `longitude`.
    grid : float
        Edge of a cell in degrees.
    fewest : int
        Speakers who are at each edge, or beyond it: it is that of the speaker who comes as the `fewest`-th
        from without, rounded outward to whole degrees.

    Returns
    -------
    tuple of 4 ints, or None
        South, north, west and east in degrees; None where there are fewer speakers.
    """
    present = np.unique(counts.speaker)
    if len(present) < fewest:
        return None
    edges: list[int] = []
    for column in ("latitude", "longitude"):
        cells = counts.numbers(column)
        lowest, highest = np.full(len(counts.speakers), np.inf), np.full(len(counts.speakers), -np.inf)
        np.minimum.at(lowest, counts.speaker, cells)
        np.maximum.at(highest, counts.speaker, cells)
        least = np.sort(lowest[present])[fewest - 1] * grid
        most = (np.sort(highest[present])[-fewest] + 1) * grid
        edges += [floor(round(least, 6)), ceil(round(most, 6))]
    south, north, west, east = edges
    return south, north, west, east
