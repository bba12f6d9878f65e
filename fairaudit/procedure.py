"""The whole procedure for one partition: split, discover, rank, name bottom and top, measure.

It runs on the log as it is and, for the chance gap, on many permuted logs at once: the first axis of
its arrays is the replicate. A *way* is one split used in one direction: one half is searched, the
other measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from fairaudit.counts import Bools, Floats, Ints, SpeakerCounts
from fairaudit.discover import Discoverer, Fits, FitsMany, FixedFit
from fairaudit.estimate import HALF_AN_ERROR, Contrast, contrast, distinct_speakers, jackknife
from fairaudit.partition import UNASSIGNED, Partition
from fairaudit.ranking import BOTTOM, FEWEST_IN_SAMPLE, FEWEST_RANKED, REST, TOP, rank, sides


@dataclass(frozen=True, eq=False)
class Way:
    """Which rows are searched and which are measured; the same rows where nothing is held out."""

    number: int
    searched: Bools
    measured: Bools

    @property
    def held_out(self) -> bool:
        """Whether the measured speakers had no part in the search."""
        return not bool(np.any(self.searched & self.measured))


@dataclass(frozen=True, eq=False)
class Named:
    """Bottom and top as they were named in one way.

    Parameters
    ----------
    cohort : ndarray of int64, shape (replicates or 1, rows)
        Cohort of each row, -1 where it has none.
    side : ndarray of int64, shape (replicates, cohorts)
        BOTTOM, TOP or REST.
    order : ndarray of int64, shape (replicates, cohorts)
        The worst cohort first.
    eligible : ndarray of bool, shape (replicates, cohorts)
    """

    cohort: Ints
    side: Ints
    order: Ints
    eligible: Bools

    def row_sides(self) -> Ints:
        """Return the side of each row, -1 where it has none, shape (replicates, rows)."""
        padded = np.concatenate([self.side, np.full((len(self.side), 1), UNASSIGNED)], axis=1)
        if len(self.cohort) == 1:
            return padded[:, self.cohort[0]]
        return np.take_along_axis(padded, self.cohort, axis=1)


@dataclass(frozen=True, eq=False)
class Figures:
    """What the permutation compares, per replicate; NaN where the procedure gives no gap.

    Parameters
    ----------
    log_ratio, in_sample_log_ratio : ndarray of float64, shape (replicates,)
        Log of bottom WER over top WER on the measured and on the searched speakers.
    statistic, in_sample_statistic : ndarray of float64, shape (replicates,)
        The same with one half error added to each side, over its standard error.
    attributes : ndarray of float64, shape (replicates, attributes)
        The statistic of each attribute that the search could have chosen.
    """

    log_ratio: Floats
    statistic: Floats
    in_sample_log_ratio: Floats
    in_sample_statistic: Floats
    attributes: Floats


@dataclass(frozen=True, eq=False)
class Procedure:
    """How one partition's gap is found and measured; everything but errors and words is fixed.

    Parameters
    ----------
    counts : SpeakerCounts
        Rows that can be placed.
    halves : ndarray of bool, shape (splits, n_speakers)
        See `fairaudit.split.halves`.
    finder : Discoverer or None
        None where the partition is fixed.
    partition : Partition or None
        A declared or saved partition.
    bottom_share : float
    reference : int or None
        Number of a cohort that is always the top.
    fixed_sides : tuple of two tuples of int, or None
        Cohort numbers of bottom and top of a saved partition. Nothing is searched then.
    measured : ndarray of bool, shape (n_rows,), or None
        Rows on which a saved partition is measured.
    """

    counts: SpeakerCounts
    halves: Bools
    finder: Discoverer | None
    partition: Partition | None
    bottom_share: float
    reference: int | None = None
    fixed_sides: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    measured: Bools | None = None
    _fitted: dict[int, Partition] = field(default_factory=dict, repr=False)

    @cached_property
    def ways(self) -> list[Way]:
        """Return all ways: both directions of the first split, then of the next."""
        if self.fixed_sides is not None:
            rows = np.ones(self.counts.rows, dtype=bool) if self.measured is None else self.measured
            return [Way(0, rows, rows)]
        halves = self.halves[:, self.counts.speaker]
        searched = [side for half in halves for side in (~half, half)]
        return [Way(number, half, ~half) for number, half in enumerate(searched)]

    @cached_property
    def whole(self) -> Way:
        """Return the way that searches and measures all speakers."""
        rows = np.ones(self.counts.rows, dtype=bool)
        return Way(-1, rows, rows)

    def fits(self, way: Way, errors: Floats, words: Floats) -> Fits:
        """Search one way in each replicate."""
        searched = self.counts.select(way.searched)
        e, w = errors[:, way.searched], words[:, way.searched]
        if self.partition is not None:
            return FixedFit([self.partition])
        assert self.finder is not None
        if not self.finder.reads_errors:
            # Permuting errors cannot change what does not read them.
            if way.number not in self._fitted:
                self._fitted[way.number] = self.finder.fit(searched)
            return FixedFit([self._fitted[way.number]])
        if isinstance(self.finder, FitsMany):
            return self.finder.fit_many(searched, e, w)
        return FixedFit([self.finder.fit(_with_counts(searched, *pair)) for pair in zip(e, w, strict=True)])

    def named(self, way: Way, cohort: Ints, cohorts: int, errors: Floats, words: Floats) -> Named:
        """Rank the cohorts on the searched speakers and name bottom and top."""
        speaker, replicates = self.counts.speaker, len(errors)
        if self.fixed_sides is not None:
            side = np.full((replicates, cohorts), REST)
            side[:, list(self.fixed_sides[0])] = BOTTOM
            side[:, list(self.fixed_sides[1])] = TOP
            every = np.ones((replicates, cohorts), dtype=bool)
            return Named(cohort, side, np.argsort(side, axis=1, kind="stable"), every)
        inside = cohort[:, way.searched]
        rates = jackknife(
            inside, errors[:, way.searched], words[:, way.searched], speaker[way.searched], cohorts
        )
        speakers = distinct_speakers(inside, speaker[way.searched], cohorts)
        fewest = np.minimum(
            speakers, distinct_speakers(cohort[:, way.measured], speaker[way.measured], cohorts)
        )
        eligible = fewest >= (FEWEST_RANKED if way.held_out else FEWEST_IN_SAMPLE)
        eligible = eligible & (rates.words > 0) & np.isfinite(rates.variance)
        order = rank(rates, eligible)
        total = distinct_speakers(np.where(inside >= 0, 0, -1), speaker[way.searched], 1)[:, 0]
        sizes = np.broadcast_to(speakers, eligible.shape)
        side = sides(
            order, eligible, sizes, np.broadcast_to(total, replicates), self.bottom_share, self.reference
        )
        return Named(cohort, side, order, eligible)

    def figures(self, errors: Floats, words: Floats, *, whole_log: bool) -> Figures:
        """Run the procedure on replicates of the log.

        Parameters
        ----------
        errors, words : ndarray of float64, shape (replicates, rows)
        whole_log : bool
            Whether the in-sample gap is that of all speakers, as where too few can be held out.
        """
        held, seen, attributes = [], [], []
        for way in self.ways:
            fits = self.fits(way, errors, words)
            cohort = fits.assign(self.counts)
            named = self.named(way, cohort, fits.cohorts, errors, words)
            held.append(self._compared(named, way.measured, errors, words))
            if not whole_log:
                seen.append(self._compared(named, way.searched, errors, words))
            attributes.append(self._attributes(way, fits, errors, words))
        if whole_log:
            way = self.whole
            fits = self.fits(way, errors, words)
            named = self.named(way, fits.assign(self.counts), fits.cohorts, errors, words)
            seen.append(self._compared(named, way.measured, errors, words))
        log_ratio, statistic = studentised(held)
        in_sample_log_ratio, in_sample_statistic = studentised(seen)
        per_attribute = [studentised(list(per_way))[1] for per_way in zip(*attributes, strict=True)]
        empty = np.zeros((len(errors), 0))
        return Figures(
            log_ratio,
            statistic,
            in_sample_log_ratio,
            in_sample_statistic,
            np.column_stack(per_attribute) if per_attribute else empty,
        )

    def attribute_named(self, way: Way, fits: Fits, attribute: int, errors: Floats, words: Floats) -> Named:
        """Name the two sides of one attribute."""
        sides_of = fits.assign_attribute(attribute, self.counts)
        return self.named(way, sides_of, 2, errors, words)

    def _attributes(self, way: Way, fits: Fits, errors: Floats, words: Floats) -> list[Compared]:
        compared = []
        for attribute in range(len(fits.attributes)):
            named = self.attribute_named(way, fits, attribute, errors, words)
            compared.append(self._compared(named, way.measured, errors, words))
        return compared

    def _compared(self, named: Named, rows: Bools, errors: Floats, words: Floats) -> Compared:
        side = named.row_sides()[:, rows]
        pair = np.where(side <= TOP, side, UNASSIGNED)
        rates = jackknife(
            pair, errors[:, rows], words[:, rows], self.counts.speaker[rows], 2, added=HALF_AN_ERROR
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            log_wer = np.log(np.maximum(rates.errors, HALF_AN_ERROR) / rates.words)
            difference = log_wer[:, BOTTOM] - log_wer[:, TOP]
        # A relative gap to a top without any error does not exist.
        plain = np.where(rates.errors[:, TOP] > 0, difference, np.nan)
        return Compared(contrast(rates, BOTTOM, rates, TOP), plain)


@dataclass(frozen=True, eq=False)
class Compared:
    """Bottom against top in one way: with one half error added to each side, and plain."""

    half_added: Contrast
    log_ratio: Floats


def studentised(ways: list[Compared]) -> tuple[Floats, Floats]:
    """Aggregate ways over splits: the mean log ratio, and the mean ratio of effect to standard error.

    Per split the mean of the two ways' log ratios over the mean of their standard errors, then the
    mean over splits. NaN where fewer than half of all ways give a gap.

    Parameters
    ----------
    ways : list of Compared
        Two for each split, or a single one.

    Returns
    -------
    log_ratio, statistic : ndarray of float64, shape (replicates,)
    """
    per_split = 2 if len(ways) > 1 else 1
    effect = _by_split([way.half_added.estimate for way in ways], per_split)
    se = _by_split([way.half_added.se for way in ways], per_split)
    plain = _by_split([way.log_ratio for way in ways], per_split)
    usable = np.isfinite(effect) & np.isfinite(se) & (se > 0)
    statistic = mean_where(mean_where(effect, usable, 1) / mean_where(se, usable, 1), None, 1)
    enough = usable.sum(axis=(1, 2)) * 2 >= len(ways)
    defined = usable & np.isfinite(plain)
    log_ratio = mean_where(mean_where(plain, defined, 1), None, 1)
    plenty = defined.sum(axis=(1, 2)) * 2 >= len(ways)
    return np.where(plenty, log_ratio, np.nan), np.where(enough, statistic, np.nan)


def mean_where(values: Floats, usable: Bools | None, axis: int) -> Floats:
    """Average along an axis over usable entries (finite ones by default); NaN where there is none."""
    usable = np.isfinite(values) if usable is None else usable
    n = usable.sum(axis=axis)
    total = np.where(usable, values, 0.0).sum(axis=axis)
    mean: Floats = np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0)
    return mean


def _by_split(values: list[Floats], per_split: int) -> Floats:
    """Arrange one array per way as (replicates, ways of a split, splits)."""
    stacked = np.stack(values, axis=1)
    arranged: Floats = stacked.reshape(len(stacked), -1, per_split).transpose(0, 2, 1)
    return arranged


def _with_counts(counts: SpeakerCounts, errors: Floats, words: Floats) -> SpeakerCounts:
    return replace(counts, errors=errors.astype(np.int64), ref_words=words.astype(np.int64), kinds={})
