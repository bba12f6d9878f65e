"""Silence as evidence: inject gaps into the user's own log, and see how often the audit would find them.

The log is permuted, so that it holds no gap of its own; errors are multiplied for about a given share of
the speakers in a random box, on one side of a random census attribute, around a random voice, or in a
random label; and the whole procedure runs again. A gap counts as found where the audit's statistic
reaches the value that chance exceeds once in 20, by the permutations of the audit itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fairaudit.chance import permuted_rows
from fairaudit.counts import Bools, Floats, Ints, Labels, SpeakerCounts
from fairaudit.evidence import InjectedGap, Injection
from fairaudit.measurement import Measurement
from fairaudit.procedure import Figures

#: Relative gaps that are injected, against everybody else.
GAPS = (0.05, 0.10, 0.15, 0.20, 0.30, 0.50, 0.75, 1.00)
#: Logs for each gap: a fraction of 80 % is then known to about 6 points.
REPLICATES = 40
POWER = 0.80
SIGNIFICANT = 0.05
#: Regions of which the one of the nearest share is taken, where a share cannot be had exactly.
DRAWN = 5

Region = Callable[[np.random.Generator], Bools]


def injected(
    measurement: Measurement,
    null: Figures,
    share: float,
    seed: Sequence[int],
    step: Callable[[int], None],
    *,
    gaps: Sequence[float] = GAPS,
    replicates: int = REPLICATES,
) -> Injection | None:
    """Inject gaps and count how often they are told from chance.

    Parameters
    ----------
    measurement : Measurement
    null : Figures
        Of the permutations of the audit.
    share : float
        Of the speakers, whose errors are multiplied.
    seed : sequence of int
    step : callable
        Told how many injections are done.
    gaps : sequence of float
        Relative, ascending.
    replicates : int
        Logs for each gap.

    Returns
    -------
    Injection or None
        None where the permutations are too few to tell anything from chance, or gave no gap.
    """
    threshold = critical_value(null.statistic)
    if threshold is None:
        return None
    generator = np.random.default_rng((*seed, 0x696E6A))
    region = region_of(measurement, share)
    counts = measurement.counts
    rows = permuted_rows(counts, generator)
    found, shares = [], []
    for gap in gaps:
        errors = np.empty((replicates, counts.rows))
        words = np.empty((replicates, counts.rows))
        for replicate in range(replicates):
            order, inside = next(rows), region(generator)
            errors[replicate] = multiplied(counts.errors[order], inside, 1 + gap, generator)
            words[replicate] = counts.ref_words[order]
            shares.append(len(np.unique(counts.speaker[inside])) / len(counts.speakers))
        figures = measurement.procedure.figures(errors, words, whole_log=measurement.whole_log)
        step(replicates)
        reached = np.nan_to_num(figures.statistic, nan=-np.inf) >= threshold
        found.append(InjectedGap(gap=float(gap), found=float(reached.mean())))
    return Injection(
        # All digits would tell of how many speakers it is a share.
        share=round(float(np.mean(shares)), 2),
        replicates=replicates,
        found=tuple(found),
        detectable=detectable([f.gap for f in found], [f.found for f in found]),
    )


def critical_value(statistics: Floats) -> float | None:
    """Return the smallest statistic whose permutation p is at most 5 %; None where there is none.

    Examples
    --------
    >>> critical_value(np.arange(99.0)) > 94, critical_value(np.arange(9.0))
    (True, None)
    """
    known = np.sort(statistics[np.isfinite(statistics)])[::-1]
    allowed = int(np.floor(SIGNIFICANT * (1 + len(statistics)) + 1e-9)) - 1
    if allowed < 0 or not len(known):
        return None
    if allowed >= len(known):
        return float(known[-1])
    return float(np.nextafter(known[allowed], np.inf))


def multiplied(errors: Ints, inside: Bools, factor: float, generator: np.random.Generator) -> Floats:
    """Multiply the errors of some rows, rounded up or down at random: right on average."""
    wanted = np.where(inside, errors * factor, errors)
    whole = np.floor(wanted)
    result: Floats = whole + (generator.random(len(wanted)) < wanted - whole)
    return result


def detectable(gaps: Sequence[float], found: Sequence[float]) -> float | None:
    """Return the gap that is found four times in five, between those that were tried.

    The fractions are made to ascend (pooling neighbours that do not), and read off on straight lines.

    Examples
    --------
    >>> detectable([0.1, 0.2, 0.3], [0.2, 0.6, 1.0])
    0.25
    >>> detectable([0.1, 0.2], [0.1, 0.3]) is None
    True
    """
    from sklearn.isotonic import isotonic_regression

    rising = isotonic_regression(np.asarray(found, dtype=np.float64))
    if rising[-1] < POWER:
        return None
    # Nothing injected is found as often as chance allows.
    xs, ys = np.array([0.0, *gaps]), np.array([min(SIGNIFICANT, rising[0]), *rising])
    above = int(np.argmax(ys >= POWER))
    (x0, x1), (y0, y1) = xs[above - 1 : above + 1], ys[above - 1 : above + 1]
    return round(float(x0 + (POWER - y0) / (y1 - y0) * (x1 - x0)), 4)


def region_of(measurement: Measurement, share: float) -> Region:
    """Return a function that draws rows that belong together, of about a share of the speakers.

    Parameters
    ----------
    measurement : Measurement
    share : float
    """
    counts = measurement.counts
    attributes = counts.attributes
    if {"latitude", "longitude"} <= set(attributes):
        return lambda generator: _box(counts, share, generator)
    if counts.embedding_sum is not None:
        return lambda generator: _voices(counts, share, generator)
    numbers = [name for name, values in attributes.items() if not isinstance(values, Labels)]
    if numbers:
        return lambda generator: _side(counts, numbers, share, generator)
    finder = measurement.procedure.finder
    if finder is not None and finder.reads_errors:
        depth = int(getattr(finder, "depth", 1))
        return lambda generator: _slice(counts, depth, share, generator)
    return lambda generator: _cohorts(measurement, share, generator)


def _box(counts: SpeakerCounts, share: float, generator: np.random.Generator) -> Bools:
    """Grow a box around a random row until it holds the share: nearest first, by the longer side."""
    latitude, longitude = counts.numbers("latitude"), counts.numbers("longitude")
    centre = int(generator.integers(counts.rows))
    # A box of random shape, in cells: twice as high as wide, or the other way round, and all between.
    stretch = float(np.exp(generator.uniform(-np.log(2), np.log(2))))
    away = np.maximum(
        np.abs(latitude - latitude[centre]) * stretch, np.abs(longitude - longitude[centre]) / stretch
    )
    return _nearest(away, counts, share)


def _voices(counts: SpeakerCounts, share: float, generator: np.random.Generator) -> Bools:
    """Take the speakers who sound most like a random one."""
    vectors = counts.unit_vectors().astype(np.float64)
    away = -(vectors @ vectors[int(generator.integers(len(vectors)))])
    return _nearest(away[counts.speaker], counts, share)


def _side(counts: SpeakerCounts, names: Sequence[str], share: float, generator: np.random.Generator) -> Bools:
    """Take the rows with the highest or the lowest values of a random attribute.

    Of five drawn that whose share is nearest: where most ZIP codes have none of a group they go together.
    """
    drawn = []
    for _ in range(DRAWN):
        values = counts.numbers(names[int(generator.integers(len(names)))])
        away = values if generator.random() < 0.5 else -values
        drawn.append(_nearest(np.where(np.isnan(away), np.inf, away), counts, share))
    return _of_nearest_share(drawn, counts, share)


def _slice(counts: SpeakerCounts, depth: int, share: float, generator: np.random.Generator) -> Bools:
    """Take a random value of a random label, or as often as not an intersection of two.

    Of five drawn that whose share is nearest. Values of an intersection are those of a random row, so that
    it holds somebody.
    """
    columns = [values for values in counts.attributes.values() if isinstance(values, Labels)]
    deep = 1 + int(generator.integers(min(depth, len(columns))))
    drawn: list[Bools] = []
    for _ in range(DRAWN):
        row = int(generator.integers(counts.rows))
        inside = np.ones(counts.rows, dtype=bool)
        for number in generator.permutation(len(columns))[:deep]:
            codes = columns[number].codes
            inside &= (codes >= 0) & (codes == codes[row])
        drawn.append(inside)
    return _of_nearest_share(drawn, counts, share)


def _of_nearest_share(drawn: Sequence[Bools], counts: SpeakerCounts, share: float) -> Bools:
    """Return the rows that hold the share of the speakers best; the first of equals."""

    def off(inside: Bools) -> float:
        held = len(np.unique(counts.speaker[inside])) / len(counts.speakers)
        return abs(float(np.log(max(held, 1e-9) / share)))

    return min(drawn, key=off)


def _cohorts(measurement: Measurement, share: float, generator: np.random.Generator) -> Bools:
    """Take random cohorts until they hold the share; at least one, never all."""
    cohort, counts = measurement.cohort, measurement.counts
    present = np.unique(cohort[cohort >= 0])
    inside = np.zeros(counts.rows, dtype=bool)
    for number in generator.permutation(present)[: max(1, len(present) - 1)]:
        inside |= cohort == number
        if len(np.unique(counts.speaker[inside])) >= share * len(counts.speakers):
            break
    return inside


def _nearest(away: Floats, counts: SpeakerCounts, share: float) -> Bools:
    """Take the nearest rows until they hold a share of the speakers; those equally near go together."""
    order = np.argsort(away, kind="stable")
    _, first = np.unique(counts.speaker[order], return_index=True)
    wanted = max(1, round(share * len(counts.speakers)))
    limit = away[order[np.sort(first)[min(wanted, len(first)) - 1]]]
    inside: Bools = away <= limit
    return inside
