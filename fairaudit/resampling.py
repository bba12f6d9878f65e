"""Percentile intervals in place of the jackknife's: of every rate of a partition's table, and of its gap.

Bottom and top stay as every way names them; what is drawn anew are the speakers, the same for all ways, so
that a speaker who is measured in many ways is drawn in all of them. Standard errors and degrees of
freedom stay the jackknife's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
import numpy as np

from fairaudit.bootstrap import Bounds, Replicates, difference, percentile, ratio, resample
from fairaudit.cohorts import Table
from fairaudit.config import AuditOptions
from fairaudit.counts import Floats, Ints
from fairaudit.measurement import Measurement
from fairaudit.procedure import mean_where
from fairaudit.ranking import BOTTOM, TOP
from fairaudit.result import Gap, PartitionResult, Rate

R = TypeVar("R", bound=Rate)
UNDEFINED = "too few speakers for a bootstrap interval"


def with_bootstrap(result: PartitionResult, table: Table, options: AuditOptions) -> PartitionResult:
    """Replace the bounds of a partition's rates and of its headline gap by those of a speaker bootstrap.

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
        gap=_gap(result.gap, m, seed),
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


def _gap(gap: Gap, m: Measurement, seed: Sequence[int]) -> Gap:
    """Put bounds into a gap: every draw of speakers is aggregated over the ways as the gap itself is."""
    plain: dict[str, float] = {}
    for name, compared in (("relative", _log_ratio), ("absolute", _difference)):
        if getattr(gap, f"{name}_low") is None:
            continue
        bounds = percentile(_over_ways(m, seed, compared), m.confidence)
        with np.errstate(over="ignore"):
            ends = np.array([bounds.low, bounds.high])
            ends = np.expm1(ends) if name == "relative" else ends
        if not np.isfinite(ends).all():
            none = dict.fromkeys(("relative_low", "relative_high", "absolute_low", "absolute_high"))
            return msgspec.structs.replace(gap, **none, reason=UNDEFINED)
        plain |= {f"{name}_low": float(ends[0]), f"{name}_high": float(ends[1])}
    return msgspec.structs.replace(gap, **plain)


def _over_ways(m: Measurement, seed: Sequence[int], compared: Callable[[Replicates], Floats]) -> Floats:
    """Return the aggregated figure in each draw, NaN where fewer than half of all ways give it."""
    errors, words = m.own
    rows = []
    for observed in m.ways:
        side = observed.named.row_sides()[0]
        group = np.where(observed.way.measured & (side >= 0), side, -1)
        drawn = resample(group[None], errors, words, m.counts.speaker, 3, seed=seed)
        rows.append(compared(drawn) if observed.has_gap else np.full(len(drawn.errors), np.nan))
    values = np.stack(rows)
    splits = values.reshape(-1, m.per_split, values.shape[1])
    mean = mean_where(mean_where(splits, None, 1), None, 0)
    enough = np.isfinite(values).sum(axis=0) * 2 >= len(values)
    found: Floats = np.where(enough, mean, np.nan)
    return found


def _log_ratio(drawn: Replicates) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        log: Floats = np.log(ratio(drawn, BOTTOM, drawn, TOP))
    return np.where(np.isfinite(log), log, np.nan)


def _difference(drawn: Replicates) -> Floats:
    return difference(drawn, BOTTOM, drawn, TOP)
