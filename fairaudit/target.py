"""One target measured: place its rows, set up its procedure, and fill in its part of the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fairaudit import figures
from fairaudit.attributes import attribute_gaps
from fairaudit.chance import chance_of
from fairaudit.config import AuditOptions
from fairaudit.counts import Bools, SpeakerCounts
from fairaudit.discover import parameters_of
from fairaudit.exceptions import OptionError, nearest
from fairaudit.measurement import Measurement, gaps_of
from fairaudit.partition import Partition, digest
from fairaudit.placing import place
from fairaudit.planning import Target
from fairaudit.procedure import Procedure
from fairaudit.ranking import BOTTOM, REST, TOP
from fairaudit.result import (
    DiscoveredOn,
    DiscovererRecord,
    Gap,
    Gaps,
    PartitionResult,
    Rate,
    Stability,
    Unassigned,
)
from fairaudit.split import halves


@runtime_checkable
class Stable(Protocol):
    """A discoverer that can say how much its partition depends on its seed."""

    def stability(self, counts: SpeakerCounts, seeds: int = 5) -> float:
        """Return the mean adjusted Rand index against other seeds."""


def measure_target(
    target: Target,
    counts: SpeakerCounts,
    halved: Bools,
    options: AuditOptions,
    log_sha256: str,
    reference: str | None,
    tell: Callable[[str, int, int], None],
) -> PartitionResult:
    """Measure one target.

    Parameters
    ----------
    target : Target
    counts : SpeakerCounts
        Of the whole log, by the settings that the target reads.
    halved : ndarray of bool, shape (splits, n_speakers)
        True for half 1.
    options : AuditOptions
    log_sha256 : str
    reference : str, optional
        Value of the reference cohort.
    tell : callable
        Told the stage, how much of it is done, and how much there is.
    """
    counts, reasons = place(target.source, target.name, counts, options.zip_table)
    placed = np.array([reason == "" for reason in reasons], dtype=bool)
    own = counts.select(placed)
    half = halved[:, np.unique(counts.speaker[placed])]
    if not own.rows:
        return _nothing_placed(target, counts, reasons, options)
    measurement, exploratory = _measurement(target, own, half, options, log_sha256, reference)
    done = 0

    def step(replicates: int) -> None:
        nonlocal done
        done += replicates
        tell(target.name, done, options.permutations)

    seed = (options.seed, *target.name.encode())
    found = measurement.chance(options.permutations, seed, step)
    ranks = target.saved.ranks if target.saved else measurement.ranks()
    headline, gaps = gaps_of(measurement, f"{target.name}={reference}" if reference else None)
    there = headline.absolute is not None
    bottom, top, rest = (measurement.side(s) if there else None for s in (BOTTOM, TOP, REST))
    assigned = measurement.table_rows & (measurement.cohort >= 0)
    partition = measurement.partition
    rule = partition.to_plain()
    in_table = measurement.table_rows
    return PartitionResult(
        name=target.name,
        kind=partition.kind,
        origin="saved" if target.saved else "declared" if target.declared else "discovered",
        discovered_on=_discovered_on(target, log_sha256, options),
        digest=digest(rule),
        rule=rule,
        discoverer=_discoverer(target),
        exploratory=exploratory,
        overall=figures.as_rate(figures.rate(own, assigned, options.confidence)),
        splits=measurement.splits(),
        cohorts=measurement.cohorts(ranks),
        unassigned=_unassigned(counts, reasons, own, in_table, measurement, options.confidence),
        bottom=bottom,
        top=top,
        rest=rest,
        gap=headline,
        gaps=gaps,
        in_sample_gap=measurement.in_sample(),
        gap_by_share=measurement.curve(ranks),
        attributes=attribute_gaps(measurement, found, options.min_speakers_shown),
        stability=_stability(target, measurement),
        chance=chance_of(found, searches=measurement.searches),
    )


def _measurement(
    target: Target,
    own: SpeakerCounts,
    half: Bools,
    options: AuditOptions,
    log_sha256: str,
    reference: str | None,
) -> tuple[Measurement, bool]:
    """Set up the procedure of a target; also whether it measures what it was found on."""
    every = np.ones(own.rows, dtype=bool)
    if target.saved is not None:
        saved = target.saved
        exploratory = saved.discovered_on.sha256 == log_sha256
        rows = every
        if exploratory:
            # The half on which it was found cannot measure it.
            rows = halves(own.speakers, saved.discovered_on.seed, 1)[0][own.speaker]
        procedure = Procedure(
            own,
            half,
            None,
            saved.partition,
            options.bottom_share,
            fixed_sides=(saved.bottom, saved.top),
            measured=rows,
        )
        return Measurement(procedure, options.confidence, rows, saved.partition), exploratory
    assert target.finder is not None
    if target.declared:
        partition = target.finder.fit(own)
        number = _reference_number(partition, target.name, reference) if reference else None
        procedure = Procedure(own, half, None, partition, options.bottom_share, reference=number)
        return Measurement(procedure, options.confidence, every, partition), False
    procedure = Procedure(own, half, target.finder, None, options.bottom_share)
    first = procedure.ways[0]
    if not (first.searched.any() and first.measured.any()):
        # All speakers fell into one half: nothing can be held out, and the procedure will say so.
        return Measurement(procedure, options.confidence, every, target.finder.fit(own)), False
    found = target.finder.fit(own.select(first.searched))
    return Measurement(procedure, options.confidence, first.measured, found), False


def _reference_number(partition: Partition, column: str, value: str) -> int:
    values = [name.cohort for name in partition.names]
    if value not in values:
        raise OptionError(
            f"no row has {column}={value}", where="--reference-cohort", allowed=nearest(value, values)
        )
    return values.index(value)


def _discovered_on(target: Target, log_sha256: str, options: AuditOptions) -> DiscoveredOn | None:
    if target.saved is not None:
        return target.saved.discovered_on
    return DiscoveredOn(sha256=log_sha256, seed=options.seed)


def _discoverer(target: Target) -> DiscovererRecord | None:
    if target.finder is None or target.declared:
        return None
    return DiscovererRecord(name=target.finder.name, parameters=parameters_of(target.finder))


def _stability(target: Target, measurement: Measurement) -> Stability | None:
    searched = measurement.procedure.ways[0].searched
    if not isinstance(target.finder, Stable) or not searched.any():
        return None
    seeds = 5
    agreement = target.finder.stability(measurement.counts.select(searched), seeds)
    return Stability(adjusted_rand=agreement, seeds=seeds)


def _unassigned(
    counts: SpeakerCounts,
    reasons: NDArray[np.object_],
    own: SpeakerCounts,
    in_table: Bools,
    measurement: Measurement,
    confidence: float,
) -> Unassigned | None:
    """Report the rows that have no cohort, on the same speakers as the cohorts."""
    rows = np.array([reason != "" for reason in reasons], dtype=bool)
    reasons = reasons.copy()
    kept = np.flatnonzero(~rows)
    without = kept[measurement.cohort < 0]
    rows[without] = True
    if not rows.any():
        return None
    reasons[without] = f"not in a cohort of the partition by {measurement.partition.kind}"
    speakers = set(own.speakers[np.unique(own.speaker[in_table])])
    same_half = np.array([name in speakers for name in counts.speakers], dtype=bool)[counts.speaker]
    placed_speakers = set(own.speakers)
    never_placed = np.array([name not in placed_speakers for name in counts.speakers], dtype=bool)
    basis = same_half | never_placed[counts.speaker]
    part = rows & basis
    named = {r: int(counts.utterances[part & (reasons == r)].sum()) for r in sorted(set(reasons[part]))}
    return Unassigned(
        **figures.rate(counts, part, confidence),
        share=figures.share_of(counts, part, basis),
        reasons=named,
    )


def _nothing_placed(
    target: Target, counts: SpeakerCounts, reasons: NDArray[np.object_], options: AuditOptions
) -> PartitionResult:
    """Report a target for which no row of the log can be placed."""
    every = np.ones(counts.rows, dtype=bool)
    why = "no row of the log can be placed"
    named = {r: int(counts.utterances[reasons == r].sum()) for r in sorted(set(reasons))}
    return PartitionResult(
        name=target.name,
        kind="none",
        origin="saved" if target.saved else "declared" if target.declared else "discovered",
        discovered_on=target.saved.discovered_on if target.saved else None,
        digest=None,
        rule=None,
        discoverer=_discoverer(target),
        exploratory=False,
        overall=Rate(speakers=0, reason="no speakers"),
        splits=None,
        cohorts=(),
        unassigned=Unassigned(
            **figures.rate(counts, every, options.confidence),
            share=figures.share_of(counts, every, every),
            reasons=named,
        ),
        bottom=None,
        top=None,
        rest=None,
        gap=Gap(definition="bottom against top", reason=why),
        gaps=Gaps(rest=None, overall=None, reference=None),
        in_sample_gap=None,
        gap_by_share=(),
        attributes=(),
        stability=None,
        chance=None,
    )
