"""Every attribute that a search could have chosen, each with a gap of its own on held-out speakers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fairaudit import figures
from fairaudit.chance import Null
from fairaudit.estimate import Contrast, contrast, holm
from fairaudit.evidence import AttributeGap
from fairaudit.measurement import Measurement
from fairaudit.procedure import Figures
from fairaudit.ranking import BOTTOM, TOP


def attribute_gaps(
    measurement: Measurement, found: tuple[Figures, Null] | None, fewest: int
) -> tuple[AttributeGap, ...]:
    """Report every attribute that the search tried, with Holm's correction over them.

    Parameters
    ----------
    measurement : Measurement
    found : tuple of Figures and Null, or None
        The procedure on the log as it is and on permuted logs, from `Measurement.chance`.
    fewest : int
        Speakers that a side needs to be shown.

    Returns
    -------
    tuple of AttributeGap
        Empty for a search that chooses no attribute.
    """
    errors, words = measurement.own
    fits = [measurement.procedure.fits(way, errors, words) for way in measurement.procedure.ways]
    names = fits[0].attributes
    p_values: list[float | None] = [None] * len(names)
    if found is not None:
        observed, permuted = found
        statistics = permuted.figures.attributes
        p_values = [
            permuted.p_value(float(observed.attributes[0, i]), statistics[:, i]) for i in range(len(names))
        ]
    first = measurement.ways[0].chosen
    rows = []
    for i, (name, p, adjusted) in enumerate(zip(names, p_values, holm(p_values), strict=True)):
        contrasts, shares, speakers = _ways(measurement, fits, i)
        bottom = _bottom(measurement, fits[0], i)
        ratio = figures.aggregate_ways(contrasts, measurement.per_split)
        why = "too few speakers on a side, or a top without errors"
        # As for bottom and top, what counts is the mean over the ways.
        shown = not speakers or float(np.mean(speakers)) >= fewest
        if not shown:
            ratio, why = None, f"suppressed: fewer than {fewest} speakers on a side"
        entry = figures.gap(name, ratio, None, measurement.confidence, why)
        rows.append(
            AttributeGap(
                name=name,
                bottom=bottom,
                chosen=name == first,
                relative=entry.relative,
                low=entry.relative_low,
                high=entry.relative_high,
                share=float(np.mean(shares)) if shares and shown else None,
                p_value=p,
                p_holm=adjusted,
                reason=entry.reason,
            )
        )
    return tuple(rows)


def _ways(
    measurement: Measurement, fits: Sequence[Any], attribute: int
) -> tuple[list[Contrast | None], list[float], list[int]]:
    """Return the honest contrast of one attribute in each way, its bottom's share and smaller side."""
    errors, words = measurement.own
    contrasts: list[Contrast | None] = []
    shares: list[float] = []
    speakers: list[int] = []
    for way, fit in zip(measurement.procedure.ways, fits, strict=True):
        named = measurement.procedure.attribute_named(way, fit, attribute, errors, words)
        side = named.row_sides()
        rates = measurement.rates(side, way.measured, "log")
        n = rates.speakers[0]
        there = bool(n[BOTTOM] > 0 and n[TOP] > 0 and rates.errors[0, TOP] > 0)
        contrasts.append(contrast(rates, BOTTOM, rates, TOP) if there else None)
        if there:
            bottom = way.measured & (side[0] == BOTTOM)
            share = figures.share_of(measurement.counts, bottom, way.measured & (side[0] >= 0))
            shares.append(share.speakers or 0.0)
            speakers.append(int(min(n[BOTTOM], n[TOP])))
    return contrasts, shares, speakers


def _bottom(measurement: Measurement, fit: Any, attribute: int) -> str | None:
    """Return the words for the side that the first way names bottom; None where it names none."""
    way, (errors, words) = measurement.procedure.ways[0], measurement.own
    named = measurement.procedure.attribute_named(way, fit, attribute, errors, words)
    sides = zip(fit.attribute_names(attribute), named.side[0], strict=True)
    return next((name.label for name, side in sides if side == BOTTOM), None)
