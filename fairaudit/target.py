"""One target measured: place its rows, set up its procedure, and fill in its part of the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fairaudit import figures
from fairaudit.adjusting import adjusted
from fairaudit.attributes import attribute_gaps
from fairaudit.cells import UNASSIGNED_CELL, Members
from fairaudit.chance import Null, chance_of
from fairaudit.cohorts import Table
from fairaudit.config import AuditOptions
from fairaudit.counts import Bools, SpeakerCounts
from fairaudit.discover import parameters_of
from fairaudit.evidence import Injection, Spatial, Stability
from fairaudit.exceptions import OptionError, nearest
from fairaudit.injection import GAPS, REPLICATES, injected
from fairaudit.layout import layout_of
from fairaudit.measurement import Measurement, gaps_of
from fairaudit.partition import Partition, digest
from fairaudit.placing import place
from fairaudit.planning import Target
from fairaudit.procedure import Figures, Procedure
from fairaudit.profile import Holders
from fairaudit.provenance import DiscoveredOn, DiscovererRecord
from fairaudit.ranking import BOTTOM, REST, TOP
from fairaudit.rates import Gap, Rate
from fairaudit.resampling import with_bootstrap
from fairaudit.result import Gaps, PartitionResult, Unassigned
from fairaudit.scrutiny import with_scrutiny
from fairaudit.spatial import spatial_evidence
from fairaudit.split import halves
from fairaudit.whereabouts import with_whereabouts


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
    log_digests: DiscoveredOn,
    reference: str | None,
    holders: Holders,
    given: Mapping[tuple[str, ...], SpeakerCounts],
    tell: Callable[[str, int, int], None],
) -> tuple[PartitionResult, Members]:
    """Measure one target, and tell who is in its cells; nothing is suppressed yet.

    Parameters
    ----------
    target : Target
    counts : SpeakerCounts
        Of the whole log, by the settings that the target reads.
    halved : ndarray of bool, shape (splits, n_speakers)
        True for half 1.
    options : AuditOptions
    log_digests : DiscoveredOn
        What this log is known by.
    reference : str, optional
        Value of the reference cohort.
    holders : mapping of str to mapping of str to set of str
        The speakers who have each value of each label column.
    given : mapping of tuple of str to SpeakerCounts
        By the columns that the gap is adjusted for: the counts by these and the settings.
    tell : callable
        Told the stage, how much of it is done, and how much there is.
    """
    counts, reasons = place(target.source, target.name, counts, options.zip_table)
    placed: Bools = reasons == ""
    own = counts.select(placed)
    exploratory = target.saved is not None and target.saved.discovered_on.is_of(log_digests)
    if not own.rows:
        return _nothing_placed(target, counts, reasons, options)
    basis = tabled_rows(target, counts, placed, halved, exploratory)
    half = halved[:, np.unique(counts.speaker[placed])]
    measurement = _measurement(target, own, half, basis[placed], options, reference)
    done = 0

    def step(replicates: int) -> None:
        nonlocal done
        done += replicates
        tell(target.name, done, options.permutations)

    found = measurement.chance(options.permutations, (options.seed, *target.name.encode()), step)
    table = Table(measurement, counts, reasons, basis)
    ranks = target.saved.ranks if target.saved else measurement.ranks()
    headline, gaps = gaps_of(measurement, f"{target.name}={reference}" if reference else None)
    there = headline.absolute is not None
    bottom, top, rest = (measurement.side(s) if there else None for s in (BOTTOM, TOP, REST))
    partition = measurement.partition
    rule = partition.to_plain()
    result = PartitionResult(
        name=target.name,
        kind=partition.kind,
        origin=target.origin,
        discovered_on=target.saved.discovered_on if target.saved else log_digests,
        digest=digest(rule),
        rule=rule,
        discoverer=_discoverer(target),
        exploratory=exploratory,
        overall=figures.as_rate(figures.rate(own, table.assigned, options.confidence)),
        splits=measurement.splits(),
        cohorts=table.cohorts(ranks),
        unassigned=table.without_cohort(),
        bottom=bottom,
        top=top,
        rest=rest,
        gap=headline,
        gaps=gaps,
        in_sample_gap=measurement.in_sample(),
        gap_by_share=table.curve(ranks),
        attributes=attribute_gaps(measurement, found, options.min_speakers_shown),
        stability=_stability(target, measurement),
        chance=chance_of(found, searches=measurement.searches),
        adjusted_gaps=tuple(
            adjusted(target, measurement, of, columns, options) for columns, of in given.items()
        ),
        spatial=_spatial(target, measurement, options),
        injection=_injection(target, measurement, found, options, tell),
        layout=layout_of(partition),
    )
    if options.interval == "bootstrap":
        result = with_bootstrap(result, table, options)
    result = with_whereabouts(result, table, options)
    return with_scrutiny(result, table, options, holders), table.members()


def _spatial(target: Target, measurement: Measurement, options: AuditOptions) -> Spatial | None:
    """Return Moran's I beside a partition of places; of all speakers, since nothing is searched for it."""
    if not {"latitude", "longitude"} <= set(target.requires):
        return None
    seed = (options.seed, *target.name.encode())
    found = spatial_evidence(measurement.counts, grid=target.grid, seed=seed)
    return Spatial(
        moran_i=found.moran_i,
        expected=found.expected,
        p=found.p_value,
        speakers=found.speakers,
        neighbours=found.neighbours,
        permutations=found.permutations,
        reason=found.reason,
    )


def _injection(
    target: Target,
    measurement: Measurement,
    found: tuple[Figures, Null] | None,
    options: AuditOptions,
    tell: Callable[[str, int, int], None],
) -> Injection | None:
    """Find out which gaps the audit would have found, where that is asked for and something is searched."""
    if not options.inject or found is None or not measurement.searches:
        return None
    done, whole = 0, len(GAPS) * REPLICATES
    stage = f"{target.name}, injected gaps"

    def step(replicates: int) -> None:
        nonlocal done
        done += replicates
        tell(stage, done, whole)

    seed = (options.seed, *target.name.encode())
    return injected(measurement, found[1].figures, options.bottom_share, seed, step)


def tabled_rows(
    target: Target, counts: SpeakerCounts, placed: Bools, halved: Bools, exploratory: bool
) -> Bools:
    """Return the rows of the log whose speakers are tabled: those who had no part in a search.

    Parameters
    ----------
    target : Target
    counts : SpeakerCounts
    placed : ndarray of bool, shape (n_rows,)
        Rows that the target can place.
    halved : ndarray of bool, shape (splits, n_speakers)
        True for half 1.
    exploratory : bool
        Whether a saved partition was found in this very log, or on the very same speakers.
    """
    half = np.ones(len(counts.speakers), dtype=bool)
    if target.saved is not None and exploratory:
        # The half on which it was found cannot measure it.
        half = halves(counts.speakers, target.saved.discovered_on.seed, 1)[0]
    elif target.origin == "discovered":
        both = {bool(side) for side in halved[0][counts.speaker[placed]]}
        # Where all speakers fell into one half nothing can be held out, and the procedure will say so.
        half = halved[0] if len(both) == 2 else half
    tabled: Bools = half[counts.speaker]
    return tabled


def _measurement(
    target: Target,
    own: SpeakerCounts,
    half: Bools,
    tabled: Bools,
    options: AuditOptions,
    reference: str | None,
) -> Measurement:
    """Set up the procedure of a target."""
    if target.saved is not None:
        saved = target.saved
        sides = (saved.bottom, saved.top)
        procedure = Procedure(
            own, half, None, saved.partition, options.bottom_share, fixed_sides=sides, measured=tabled
        )
        return Measurement(procedure, options.confidence, tabled, saved.partition)
    assert target.finder is not None
    if target.declared:
        partition = target.finder.fit(own)
        number = _reference_number(partition, target.name, reference) if reference else None
        procedure = Procedure(own, half, None, partition, options.bottom_share, reference=number)
        return Measurement(procedure, options.confidence, tabled, partition)
    procedure = Procedure(own, half, target.finder, None, options.bottom_share)
    searched = own if tabled.all() else own.select(~tabled)
    return Measurement(procedure, options.confidence, tabled, target.finder.fit(searched))


def _reference_number(partition: Partition, column: str, value: str) -> int:
    values = [name.cohort for name in partition.names]
    if value not in values:
        raise OptionError(
            f"no row has {column}={value}", where="--reference-cohort", allowed=nearest(value, values)
        )
    return values.index(value)


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


def _nothing_placed(
    target: Target, counts: SpeakerCounts, reasons: NDArray[np.object_], options: AuditOptions
) -> tuple[PartitionResult, Members]:
    """Report a target for which no row of the log can be placed."""
    every = np.ones(counts.rows, dtype=bool)
    why = f"no row of the log can be placed: {', '.join(sorted(set(reasons)))}"
    named = {r: int(counts.utterances[reasons == r].sum()) for r in sorted(set(reasons))}
    result = PartitionResult(
        name=target.name,
        kind="none",
        origin=target.origin,
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
    everyone = frozenset(counts.speaker.tolist())
    return result, Members({UNASSIGNED_CELL: everyone}, {}, everyone, everyone)
