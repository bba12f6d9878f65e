"""Cohorts named on one half of the baseline's speakers, and the change of their rates on the other half.

The worst of the baseline regresses to the mean: on the speakers that named it any candidate would look
better. So it is named and measured apart, both ways, over all splits, and aggregated as the gap of an audit
is. The same goes for bottom and top of a label column, of which none are saved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fairaudit import figures
from fairaudit.changes import Change, GapChange, RateChange
from fairaudit.comparison.paired import Both
from fairaudit.comparison.releases import Releases, averaged, mean_rate
from fairaudit.counts import Bools, Ints
from fairaudit.estimate import Contrast, contrast, distinct_speakers, jackknife
from fairaudit.figures import Aggregate, aggregate_ways, rate_contrast
from fairaudit.partition import UNASSIGNED
from fairaudit.ranking import BOTTOM, FEWEST_RANKED, REST, TOP, rank, sides
from fairaudit.rates import Gap

#: Why there is no worst cohort, and no bottom and top.
TOO_FEW = "too few speakers: no cohort that is shown has enough of them in both halves"
TOO_FEW_SIDES = "too few speakers: no two cohorts that are shown have enough of them in both halves"
NO_ERRORS = "there are no errors in one of the releases"
#: The two ways of a split.
PER_SPLIT = 2


@dataclass(frozen=True, eq=False)
class Way:
    """What one half of the baseline names, and the rows of the other half.

    Parameters
    ----------
    measured : ndarray of bool, shape (n_rows,)
    worst : int or None
        Number of the worst cohort.
    side : ndarray of int64, shape (n_cohorts + 1,)
        BOTTOM, TOP or REST of each cohort that may be named, else -1; the last is that of rows without one.
    """

    measured: Bools
    worst: int | None
    side: Ints

    @property
    def has_sides(self) -> bool:
        """Whether a bottom and a top were named."""
        return bool((self.side == BOTTOM).any() and (self.side == TOP).any())


@dataclass(frozen=True, eq=False)
class HeldOut:
    """All ways of one partition, in the order of the splits.

    Parameters
    ----------
    releases : Releases
        Of the rows that are measured.
    cohort : ndarray of int64, shape (n_rows,)
        -1 where a row has none.
    cohorts : int
    among : sequence of int
        Cohorts that may be named.
    halved : ndarray of bool, shape (splits, n_speakers)
        True for half 1.
    fewest : int
        Speakers that a shown figure needs: a cohort is named only where each half has as many.
    bottom_share : float
    confidence : float
    """

    releases: Releases
    cohort: Ints
    cohorts: int
    among: Sequence[int]
    halved: Bools
    fewest: int
    bottom_share: float
    confidence: float

    @cached_property
    def ways(self) -> list[Way]:
        """Both directions of the first split, then of the next."""
        halves = self.halved[:, self.releases.baseline.speaker]
        return [self._way(side) for half in halves for side in (~half, half)]

    def worst(self) -> tuple[int, RateChange, dict[int, int]] | None:
        """Report the worst cohort of the first way that names one, and its change over all ways.

        Returns
        -------
        tuple of int, RateChange and dict, or None
            Number of the cohort, its figures, and how often each cohort was named. None where fewer than half
            of the ways name a cohort.
        """
        found = [way.worst for way in self.ways if way.worst is not None]
        if len(found) * 2 < len(self.ways):
            return None
        rows = (None if w.worst is None else w.measured & (self.cohort == w.worst) for w in self.ways)
        pooled = [
            None if own is None else (self.releases.pooled(own, "log"), self.releases.pooled(own, "linear"))
            for own in rows
        ]
        return found[0], self._changed(pooled, 0), dict(Counter(found))

    def sides(self) -> tuple[tuple[tuple[int, ...], RateChange], ...] | None:
        """Report bottom, top and rest: the cohorts of the first way that names them, and their change."""
        first = next((way for way in self.ways if way.has_sides), None)
        if first is None or sum(way.has_sides for way in self.ways) * 2 < len(self.ways):
            return None
        return tuple(
            (
                tuple(np.flatnonzero(first.side[:-1] == number).tolist()),
                self._changed(self._by_side, number),
            )
            for number in (BOTTOM, TOP, REST)
        )

    def gap(self) -> GapChange:
        """Report the gap of bottom and top in both releases, and its change."""
        definition = "bottom against top, on speakers who had no part in the naming"
        if sum(both is not None for both in self._by_side) * 2 < len(self._by_side):
            none = Gap(definition=definition, reason=TOO_FEW_SIDES)
            return GapChange(baseline=none, candidate=none, change=Change(reason=TOO_FEW_SIDES))

        def over(scale: int, of: Callable[[Both], Contrast], needed: Sequence[int]) -> Aggregate | None:
            contrasts = []
            for both in self._by_side:
                there = both is not None and all(all(both[0].errors(side)) for side in needed)
                contrasts.append(of(both[scale]) if both is not None and there else None)
            return aggregate_ways(contrasts, PER_SPLIT)

        baseline, candidate = (
            figures.gap(
                definition, over(0, of, (TOP,)), over(1, of, ()), self.confidence, f"top: {NO_ERRORS}"
            )
            for of in (_baseline, _candidate)
        )
        ratio, difference = over(0, Both.gap_change, (BOTTOM, TOP)), over(1, Both.gap_change, ())
        change = averaged(ratio, difference, self.confidence, NO_ERRORS)
        return GapChange(baseline=baseline, candidate=candidate, change=change)

    def _way(self, searched: Bools) -> Way:
        """Rank the cohorts on some rows of the baseline, and name the worst, bottom and top."""
        counts, side = self.releases.baseline, np.full(self.cohorts + 1, UNASSIGNED)
        if not self.cohorts:
            return Way(~searched, None, side)
        group = self.cohort[None]
        speakers = [
            distinct_speakers(group[:, rows], counts.speaker[rows], self.cohorts)
            for rows in (searched, ~searched)
        ]
        errors, words = (v[searched][None].astype(np.float64) for v in (counts.errors, counts.ref_words))
        rates = jackknife(group[:, searched], errors, words, counts.speaker[searched], self.cohorts)
        eligible = np.minimum(*speakers) >= max(self.fewest, FEWEST_RANKED)
        eligible &= (rates.words > 0) & np.isfinite(rates.variance)
        eligible &= np.isin(np.arange(self.cohorts), self.among)
        order = rank(rates, eligible)
        total = np.array([float(len(np.unique(counts.speaker[searched & (self.cohort >= 0)])))])
        named = sides(order, eligible, speakers[0], total, self.bottom_share)[0]
        side[:-1] = np.where(eligible[0], named, UNASSIGNED)
        first = int(order[0, 0])
        return Way(~searched, first if eligible[0, first] else None, side)

    @cached_property
    def _by_side(self) -> list[tuple[Both, Both] | None]:
        """The rates of bottom, top and rest in each way, on both scales."""
        return [
            (
                self.releases.rates(way.side[self.cohort], way.measured, 3, "log"),
                self.releases.rates(way.side[self.cohort], way.measured, 3, "linear"),
            )
            if way.has_sides
            else None
            for way in self.ways
        ]

    def _changed(self, ways: Sequence[tuple[Both, Both] | None], group: int) -> RateChange:
        """Aggregate the rates of one group over ways, and their change."""
        before, after, ratio, difference = (
            aggregate_ways(list(contrasts), PER_SPLIT)
            for contrasts in zip(*_contrasts(ways, group), strict=True)
        )
        return RateChange(
            baseline=mean_rate(before, self.confidence, NO_ERRORS),
            candidate=mean_rate(after, self.confidence, NO_ERRORS),
            change=averaged(ratio, difference, self.confidence, NO_ERRORS),
            # As many as may be shown: only cohorts with as many in both halves are named.
            measured_speakers=min(int(both[0].baseline.speakers[0, group]) for both in ways if both),
        )


def _contrasts(ways: Sequence[tuple[Both, Both] | None], group: int) -> Iterator[tuple[Contrast | None, ...]]:
    """Yield both rates and their ratio on the log scale, and their difference, of each way."""
    for both in ways:
        if both is None or not both[0].there(group):
            yield None, None, None, None
            continue
        log, linear = both
        logs: tuple[Contrast | None, ...] = (None, None, None)
        if all(log.errors(group)):
            sides = (rate_contrast(rates, group) for rates in (log.baseline, log.candidate))
            logs = (*sides, log.rate_change(group))
        yield *logs, linear.rate_change(group)


def _baseline(both: Both) -> Contrast:
    return contrast(both.baseline, BOTTOM, both.baseline, TOP)


def _candidate(both: Both) -> Contrast:
    return contrast(both.candidate, BOTTOM, both.candidate, TOP)
