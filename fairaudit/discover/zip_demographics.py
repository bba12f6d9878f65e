"""Two groups of ZIP codes that differ in error rate, told apart by one census attribute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Bools, Floats, Ints, SpeakerCounts
from fairaudit.demographics import ZipTable, load_zip_table, match
from fairaudit.discover import check_at_least
from fairaudit.discover.weighting import SCALE, Weight, search_weights
from fairaudit.estimate import has_travellers, t_quantile
from fairaudit.partition import UNASSIGNED, Name, Threshold

Criterion = Literal["lower bound", "difference"]
Search = Literal["majority", "threshold"]


@dataclass(frozen=True)
class ZipDemographics:
    """Binary partitions of ZIP codes over census attributes, of which one is chosen.

    Follows Dheram et al. (2022), who sort ZIP codes by the census attribute of the majority so as to
    maximise the WER discrepancy. What the paper leaves open is a parameter here.

    Parameters
    ----------
    criterion : {"lower bound", "difference"}
        Choose the attribute with the largest lower 95 % bound of the absolute log ratio of the two
        WERs, or, the published wording, with the largest absolute difference, which favours the
        smallest groups.
    search : {"majority", "threshold"}
        Use each attribute's own threshold (one half, or the national median), or try every one.
    min_speakers : int
        Distinct speakers needed on both sides in the searched half. Where no attribute has them, no
        ZIP code is told from another.
    weight : {"damped", "words"}
        `damped`: a speaker of w words weighs w / (1 + w p phi), so that heavy talkers do not own the
        search. `words`: plain sums. See `fairaudit.discover.weighting.search_weights`.
    zip_table : str, optional
        File of census attributes by ZIP code, in place of the built-in table.

    References
    ----------
    Dheram, P. et al. (2022). Toward fairness in speech recognition: Discovery and mitigation of
    performance disparities. arXiv:2207.11345.
    """

    name: ClassVar[str] = "zip"
    requires: ClassVar[tuple[str, ...]] = ("zip_code",)
    reads_errors: ClassVar[bool] = True

    criterion: Criterion = "lower bound"
    search: Search = "majority"
    min_speakers: int = 30
    weight: Weight = "damped"
    zip_table: str | None = None

    def __post_init__(self) -> None:
        check_at_least(self.name, {"min_speakers": self.min_speakers}, 2)

    def table(self) -> ZipTable:
        """Return the census attributes that are read."""
        return load_zip_table(self.zip_table)

    def prepare(self, counts: SpeakerCounts) -> SpeakerCounts:
        """Add the census attributes of each row's ZIP code to the counts."""
        return add_attributes(counts, self.table())

    def unplaced(self, counts: SpeakerCounts) -> NDArray[np.object_]:
        """Return for each row why its ZIP code has no census attributes, or an empty text."""
        return reasons_without_census(counts, self.table())

    def fit(self, counts: SpeakerCounts) -> Threshold:
        """Choose an attribute.

        Parameters
        ----------
        counts : SpeakerCounts
            With the attribute `zip_code`, and the census attributes where `prepare` added them.

        Returns
        -------
        Threshold
            Where no attribute has enough speakers on both sides, a threshold that no ZIP code is
            above.
        """
        table = self.table()
        if not set(table.values) <= set(counts.attributes):
            counts = self.prepare(counts)
        fits = self.fit_many(counts, counts.errors[None].astype(float), counts.ref_words[None].astype(float))
        number = int(fits.chosen[0])
        attribute = fits.attributes[max(number, 0)]
        threshold = float(fits.thresholds[0, number])
        if number < 0:
            threshold = float(np.nanmax(table.values[attribute], initial=0.0))
        return Threshold(attribute, threshold, describe(table), side_names(table, attribute, threshold))

    def fit_many(self, counts: SpeakerCounts, errors: Floats, ref_words: Floats) -> ChosenAttributes:
        """Choose an attribute in each replicate; see `fairaudit.discover.FitsMany`."""
        table = self.table()
        attributes = tuple(table.values)
        whole = search_weights(errors, ref_words, counts.speaker, self.weight)
        e, w = (values / SCALE for values in whole)
        scores = np.empty((len(errors), len(attributes)))
        thresholds = np.empty_like(scores)
        for column, attribute in enumerate(attributes):
            values = counts.numbers(attribute)
            tried = self._thresholds(values, table.thresholds[attribute])
            best, score = self._best(counts.speaker, values, tried, e, w)
            thresholds[:, column], scores[:, column] = tried[best], score
        chosen = np.where(np.isfinite(scores).any(axis=1), scores.argmax(axis=1), -1)
        return ChosenAttributes(table, thresholds, chosen)

    def _thresholds(self, values: Floats, own: float) -> Floats:
        if self.search == "majority":
            return np.array([own])
        # Halfway between neighbouring values; the attribute's own where there is nothing to divide.
        distinct = np.unique(values[~np.isnan(values)])
        return (distinct[1:] + distinct[:-1]) / 2 if len(distinct) > 1 else np.array([own])

    def _best(
        self, speaker: Ints, values: Floats, thresholds: Floats, errors: Floats, words: Floats
    ) -> tuple[Ints, Floats]:
        """Return the number and the score of the best threshold in each replicate."""
        order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]
        upto = np.searchsorted(values[order], thresholds, side="right")
        below = _side(upto, order, speaker, errors, words, reverse=False)
        above = _side(upto, order, speaker, errors, words, reverse=True)
        enough: Bools = (below.speakers >= self.min_speakers) & (above.speakers >= self.min_speakers)
        score = _difference(below, above) if self.criterion == "difference" else _lower_bound(below, above)
        # Attributes with too few speakers lose against any that has enough, whatever their rates.
        score = np.where(enough & np.isfinite(score), score, -np.inf)
        best = score.argmax(axis=1)
        return best, np.take_along_axis(score, best[:, None], axis=1)[:, 0]


class ChosenAttributes:
    """The attribute chosen in each replicate, -1 for none; see `fairaudit.discover.Fits`."""

    cohorts = 2

    def __init__(self, table: ZipTable, thresholds: Floats, chosen: Ints) -> None:
        self.table = table
        self.attributes = tuple(table.values)
        self.thresholds = thresholds
        self.chosen = chosen

    def assign(self, counts: SpeakerCounts) -> Ints:
        """See `fairaudit.discover.Fits.assign`."""
        sides = np.empty((len(self.chosen), counts.rows), dtype=np.int64)
        for attribute in np.unique(self.chosen):
            rows = self.chosen == attribute
            every = self.assign_attribute(max(int(attribute), 0), counts)
            side = every[rows if len(every) > 1 else 0]
            # Where none was chosen, nobody is told from anybody.
            sides[rows] = side if attribute >= 0 else np.where(side < 0, UNASSIGNED, 1)
        return sides

    def assign_attribute(self, attribute: int, counts: SpeakerCounts) -> Ints:
        """See `fairaudit.discover.Fits.assign_attribute`."""
        thresholds = (
            self.thresholds[:, attribute] if self._varies(attribute) else self.thresholds[:1, attribute]
        )
        values = counts.numbers(self.attributes[attribute])
        side = np.where(values[None, :] > thresholds[:, None], 0, 1)
        return np.where(np.isnan(values)[None, :], UNASSIGNED, side)

    def attribute_names(self, attribute: int) -> tuple[Name, Name]:
        """See `fairaudit.discover.Fits.attribute_names`."""
        threshold = float(self.thresholds[0, attribute])
        return side_names(self.table, self.attributes[attribute], threshold)

    def _varies(self, attribute: int) -> bool:
        return bool(np.any(self.thresholds[1:, attribute] != self.thresholds[:1, attribute]))


def add_attributes(counts: SpeakerCounts, table: ZipTable) -> SpeakerCounts:
    """Add the attributes of a ZIP table to counts by ZIP code; NaN where there is none."""
    labels = counts.labels("zip_code")
    index, _ = match(table, labels.values)
    row = np.r_[index, -1][labels.codes]
    return counts.with_attributes(
        {
            name: np.where(row >= 0, np.r_[values, np.nan][row], np.nan)
            for name, values in table.values.items()
        }
    )


def reasons_without_census(counts: SpeakerCounts, table: ZipTable) -> NDArray[np.object_]:
    """Return for each row why its ZIP code has no census attributes, or an empty text."""
    labels = counts.labels("zip_code")
    _, reasons = match(table, labels.values)
    every: NDArray[np.object_] = np.array([*reasons, "no zip_code"], dtype=object)[labels.codes]
    return every


def describe(table: ZipTable) -> dict[str, Any]:
    """Return source, year and digest of a ZIP table, as saved partitions keep them."""
    return {"source": table.source, "year": table.year, "sha256": table.sha256}


def side_names(table: ZipTable, attribute: str, threshold: float) -> tuple[Name, Name]:
    """Name the two sides of an attribute."""
    if threshold == table.thresholds[attribute]:
        above, below = table.wording[attribute]
    else:
        place = "people living in ZIP codes where"
        above, below = (f"{place} {attribute} is {side} {threshold:g}" for side in ("above", "at or below"))
    return Name(f"{attribute} above", above), Name(f"{attribute} at or below", below)


class _Side:
    """Sums over the speakers of one side, shape (replicates, thresholds)."""

    def __init__(self, speakers: Ints, sums: list[Floats]) -> None:
        errors, words, errors2, products, words2 = sums
        self.speakers = speakers
        with np.errstate(divide="ignore", invalid="ignore"):
            self.rate = errors / words
            residual = errors2 - 2 * self.rate * products + self.rate**2 * words2
            n = speakers / np.maximum(speakers - 1, 1)
            # Rounding can leave a residual just below zero where all rates are equal.
            self.log_variance = n * np.maximum(residual, 0.0) / errors**2
            self.df = words * words / words2 - 1


def _side(upto: Ints, order: Ints, speaker: Ints, errors: Floats, words: Floats, *, reverse: bool) -> _Side:
    """Add up one side of every threshold by prefix sums over the rows in the order of the attribute.

    The sums of squares are those of the linearised variance. They are taken by row: a speaker with
    two settings on one side counts as two there, which only the choice among attributes sees.
    """
    total = len(order)
    rows, end = (order[::-1], total - upto) if reverse else (order, upto)
    e, w = errors[:, rows], words[:, rows]
    sums = []
    for values in (e, w, e * e, e * w, w * w):
        prefix = np.zeros((len(e), total + 1))
        np.cumsum(values, axis=1, out=prefix[:, 1:])
        sums.append(prefix[:, end])
    if not has_travellers(speaker):
        return _Side(end, sums)
    new = np.zeros(total, dtype=bool)
    new[np.unique(speaker[rows], return_index=True)[1]] = True
    return _Side(np.r_[0, np.cumsum(new)][end], sums)


def _lower_bound(below: _Side, above: _Side) -> Floats:
    """Return the lower 95 % bound of the absolute log ratio, with Satterthwaite's degrees of freedom."""
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = below.log_variance + above.log_variance
        df = variance**2 / (below.log_variance**2 / below.df + above.log_variance**2 / above.df)
        bound: Floats = np.abs(np.log(above.rate / below.rate)) - t_quantile(df, 0.95) * np.sqrt(variance)
    return bound


def _difference(below: _Side, above: _Side) -> Floats:
    difference: Floats = np.abs(above.rate - below.rate)
    return difference
