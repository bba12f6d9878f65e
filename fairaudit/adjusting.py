"""The adjusted gap of a partition, over the same ways as its gap."""

from __future__ import annotations

import numpy as np

from fairaudit import figures
from fairaudit.adjust import Adjusted, adjusted_gap
from fairaudit.config import AuditOptions
from fairaudit.counts import Ints, SpeakerCounts
from fairaudit.measurement import Measurement, Observed
from fairaudit.partition import UNASSIGNED
from fairaudit.placing import place
from fairaudit.planning import Target
from fairaudit.result import AdjustedGap

DEFINITION = "bottom against top, given {}, on speakers who had no part in the naming"


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
    gap = figures.gap(
        DEFINITION.format(given), ratio, None, options.confidence, reasons_why[0] if reasons_why else None
    )
    without = figures.gap("without, on the same rows", crude, None, options.confidence)
    models = [one for one in fitted if one]
    # A column that some ways could use was adjusted for there.
    everywhere = [name for name in columns if models and all(name in one.dropped for one in models)]
    dropped = {name: models[0].dropped[name] for name in everywhere}
    return AdjustedGap(
        columns=columns,
        crude=without,
        dropped=dropped,
        ways=len(models),
        shared=float(np.mean([one.shared for one in models])) if models else None,
        **{name: getattr(gap, name) for name in gap.__struct_fields__},
    )


def _in_way(
    measurement: Measurement, observed: Observed, counts: SpeakerCounts, columns: tuple[str, ...]
) -> Adjusted | None:
    """Fit the model on the measured speakers of one way; None where the way gives no gap."""
    if not observed.has_gap:
        return None
    side = _sides(measurement, observed, counts)
    measured = measurement.counts.speakers[np.unique(measurement.counts.speaker[observed.way.measured])]
    inside = np.isin(counts.speakers.astype(str), measured.astype(str))[counts.speaker]
    return adjusted_gap(counts, np.where(inside, side, UNASSIGNED), columns)


def _sides(measurement: Measurement, observed: Observed, counts: SpeakerCounts) -> Ints:
    """Return the side of each row as this way names it: a part of a setting has the setting's cohort."""
    errors, words = measurement.own
    cohort = measurement.procedure.fits(observed.way, errors, words).assign(counts)[0]
    named = np.append(observed.named.side[0], UNASSIGNED)
    side: Ints = named[cohort]
    return side
