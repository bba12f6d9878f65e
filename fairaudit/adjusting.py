"""The adjusted gap of a partition, over the same ways as its gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fairaudit import figures
from fairaudit.adjust import Adjusted, adjusted_gap
from fairaudit.config import AuditOptions
from fairaudit.counts import SpeakerCounts
from fairaudit.discover import FixedFit
from fairaudit.measurement import Measurement, Observed
from fairaudit.partition import UNASSIGNED
from fairaudit.placing import place
from fairaudit.planning import Target
from fairaudit.rates import AdjustedGap
from fairaudit.rounding import rounded

DEFINITION = "bottom against top, given {}, on speakers who had no part in the naming"

#: Why a column is dropped, and why nothing is adjusted for.
READ = "the partition reads it"
NOTHING_LEFT = "no column is left to adjust for"


def adjusted(
    target: Target,
    measurement: Measurement,
    counts: SpeakerCounts,
    columns: tuple[str, ...],
    options: AuditOptions,
) -> AdjustedGap:
    """Give the gap between bottom and top once some columns are alike on both sides.

    Parameters
    ----------
    target : Target
    measurement : Measurement
        Of the partition, whose ways name bottom and top.
    counts : SpeakerCounts
        Of the whole log, by the settings that the target reads and the columns.
    columns : tuple of str
    options : AuditOptions
    """
    counts, reasons = place(target.source, target.name, counts, options.zip_table)
    counts = counts.select(reasons == "")
    found = [_in_way(measurement, way, counts, columns) for way in measurement.ways]
    # Both of the very same ways: those in which the model could be fitted.
    fitted = [one if one and one.adjusted is not None else None for one in found]
    ratio, crude = (
        figures.aggregate_ways([getattr(one, kind) if one else None for one in fitted], measurement.per_split)
        for kind in ("adjusted", "crude")
    )
    reasons_why = [one.reason for one in found if one and one.reason]
    given = ", ".join(columns)
    why = reasons_why[0] if reasons_why else None
    gap = figures.gap(DEFINITION.format(given), ratio, None, options.confidence, why)
    without = figures.gap("without, on the same rows", crude, None, options.confidence)
    # Of the one way of a saved partition all digits would lead to whom the model leaves out.
    gap, without = rounded(gap), rounded(without)
    models = [one for one in fitted if one]
    # A column that some ways could use was adjusted for there.
    without_it = models or [one for one in found if one and not one.columns]
    everywhere = [name for name in columns if without_it and all(name in one.dropped for one in without_it)]
    dropped = {name: without_it[0].dropped[name] for name in everywhere}
    return AdjustedGap(
        columns=columns,
        crude=without,
        dropped=dropped,
        ways=len(models),
        left_out=_left_out([one for one in found if one], options.min_speakers_shown),
        shared=round(float(np.mean([one.shared for one in models])), 2) if models else None,
        **{name: getattr(gap, name) for name in gap.__struct_fields__},
    )


def _left_out(ways: Sequence[Adjusted], fewest: int) -> dict[str, float | None]:
    """Return the share of utterances that the model does without, by reason: the mean over ways.

    Of two decimals, and None where they were of few speakers in any way.
    """
    reasons = sorted({reason for way in ways for reason in way.left_out})
    shares: dict[str, float | None] = {}
    for reason in reasons:
        speakers = [n for way in ways if (n := way.left_out_speakers.get(reason, 0))]
        mean = float(np.mean([way.left_out.get(reason, 0) / max(1, way.utterances) for way in ways]))
        shares[reason] = round(mean, 2) if min(speakers) >= fewest else None
    return shares


def _in_way(
    measurement: Measurement, observed: Observed, counts: SpeakerCounts, columns: tuple[str, ...]
) -> Adjusted | None:
    """Fit the model on the measured speakers of one way; None where the way gives no gap."""
    if not observed.has_gap:
        return None
    errors, words = measurement.own
    fits = measurement.procedure.fits(observed.way, errors, words)
    # Bottom and top differ in what names them, and can never be alike in it.
    reads = fits.partitions[0].requires if isinstance(fits, FixedFit) else ()
    read = {name: READ for name in columns if name in reads}
    others = [name for name in columns if name not in read]
    if not others:
        return Adjusted((), None, None, NOTHING_LEFT, read)
    # A part of a setting has the setting's cohort.
    side = np.append(observed.named.side[0], UNASSIGNED)[fits.assign(counts)[0]]
    measured = measurement.counts.speakers[np.unique(measurement.counts.speaker[observed.way.measured])]
    inside = np.isin(counts.speakers.astype(str), measured.astype(str))[counts.speaker]
    found = adjusted_gap(counts, np.where(inside, side, UNASSIGNED), others)
    return replace(found, dropped=read | dict(found.dropped))
