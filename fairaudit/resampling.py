"""Percentile intervals in place of the jackknife's, of every rate of a partition's table.

The gap keeps the jackknife: speakers drawn anew under names that stay fixed leave out the luck of the
naming, and such an interval excludes 0 far too often. Standard errors and degrees of freedom stay the
jackknife's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec
import numpy as np

from fairaudit.bootstrap import Bounds, percentile, resample
from fairaudit.cohorts import Table
from fairaudit.config import AuditOptions
from fairaudit.counts import Ints
from fairaudit.measurement import Measurement
from fairaudit.rates import Rate
from fairaudit.result import PartitionResult

R = TypeVar("R", bound=Rate)
UNDEFINED = "too few speakers for a bootstrap interval"


def with_bootstrap(result: PartitionResult, table: Table, options: AuditOptions) -> PartitionResult:
    """Replace the bounds of a partition's rates by those of a speaker bootstrap; the gap keeps its own.

    Parameters
    ----------
    result : PartitionResult
    table : Table
        Of the same partition.
    options : AuditOptions
    """
    m = table.measurement
    seed = (options.seed, *result.name.encode())
    rows = table.assigned
    group = np.where(rows, m.cohort, -1)
    bounds = _rates(m, group, len(result.cohorts), seed)
    (whole,) = _rates(m, np.where(rows, 0, -1), 1, seed)
    return msgspec.structs.replace(
        result,
        overall=_bounded(result.overall, whole),
        cohorts=tuple(_bounded(row, of) for row, of in zip(result.cohorts, bounds, strict=True)),
    )


def _rates(m: Measurement, group: Ints, groups: int, seed: Sequence[int]) -> list[Bounds]:
    errors, words = m.own
    drawn = resample(group[None], errors, words, m.counts.speaker, groups, seed=seed)
    return [percentile(drawn.rate(number), m.confidence) for number in range(groups)]


def _bounded(row: R, bounds: Bounds) -> R:
    """Put bounds into a rate that has an interval, or the reason why it has none."""
    if row.low is None:
        return row
    if not np.isfinite([bounds.low, bounds.high]).all():
        return msgspec.structs.replace(row, low=None, high=None, reason=UNDEFINED)
    return msgspec.structs.replace(row, low=bounds.low, high=bounds.high)
