"""Regions of high and low error: a best-first tree over latitude and longitude."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import numpy as np

from fairaudit.counts import Floats, Ints, SpeakerCounts
from fairaudit.discover import check_at_least
from fairaudit.discover.growth import Criterion, Field, Trees, grow
from fairaudit.discover.weighting import Weight, search_weights
from fairaudit.exceptions import OptionError
from fairaudit.geography.places import region_label
from fairaudit.partition import Boxes, Name

Box = tuple[int | None, int | None, int | None, int | None]


@dataclass(frozen=True)
class GeoTree:
    """Regions that differ in error rate, found by a decision tree over latitude and longitude.

    Follows Trinh et al. (2022). What the paper leaves open is a parameter here.

    Parameters
    ----------
    max_regions : int
        Most leaves; 126 as published for the US. `min_share` ends trees long before.
    min_speakers : int
        Distinct speakers that a region needs in the searched half.
    min_share : float
        Fraction of the searched speakers that a region needs, where that is more than `min_speakers`.
        The worst of a hundred small regions are the worst by luck; 0 gives the published number of
        them, whatever their size. The evidence is in ``benchmarks/defaults.py``.
    min_words : int
        Reference words that a region needs in the searched half.
    criterion : {"poisson", "between", "difference"}
        Poisson likelihood ratio, weighted sum of squares between the sides, or the published
        wording, the absolute difference of WER, which tends to cut off ends.
    weight : {"damped", "words"}
        `damped`: a speaker of w words weighs w / (1 + w p phi), so that heavy talkers do not own the
        search. `words`: plain sums. See `fairaudit.discover.weighting.search_weights`.
    grid : float
        Edge of a grid cell in degrees. Region edges lie on the grid, so that none points at a home.

    References
    ----------
    Trinh, V. A. et al. (2022). Reducing geographic disparities in automatic speech recognition via
    elastic weight consolidation. arXiv:2207.07850.

    Examples
    --------
    >>> speakers = [f"s{i:03}" for i in range(80)]
    >>> west = np.arange(80) < 40
    >>> counts = SpeakerCounts.of(speakers, ref_words=[100] * 80, errors=np.where(west, 20, 10),
    ...     attributes={"latitude": np.full(80, 800.0), "longitude": np.where(west, -2200.0, -1600.0)})
    >>> GeoTree().fit(counts).boxes
    ((None, None, None, -1900), (None, None, -1900, None))
    """

    name: ClassVar[str] = "geo"
    requires: ClassVar[tuple[str, ...]] = ("latitude", "longitude")
    reads_errors: ClassVar[bool] = True

    max_regions: int = 126
    min_speakers: int = 30
    min_share: float = 0.03
    min_words: int = 0
    criterion: Criterion = "poisson"
    weight: Weight = "damped"
    grid: float = 0.05

    def __post_init__(self) -> None:
        check_at_least(self.name, {"max_regions": self.max_regions}, 2)
        check_at_least(self.name, {"min_speakers": self.min_speakers}, 1)
        check_at_least(self.name, {"min_words": self.min_words}, 0)
        if not 0 <= self.min_share <= 0.5:
            raise OptionError(
                f"geo.min_share is {self.min_share}", where="--set geo.min_share", allowed="0 to 0.5"
            )
        if not 0.001 <= self.grid <= 10:
            raise OptionError(
                f"geo.grid is {self.grid}", where="--set geo.grid", allowed="0.001 to 10 degrees"
            )

    def fit(self, counts: SpeakerCounts) -> Boxes:
        """Find regions.

        Parameters
        ----------
        counts : SpeakerCounts
            With the cells `latitude` and `longitude`, none missing.

        Returns
        -------
        Boxes
            One open box where no split is admissible.
        """
        trees = self._grow(counts, _row(counts.errors), _row(counts.ref_words))
        boxes = _boxes(trees)
        extent = tuple(
            bound * self.grid
            for column in ("latitude", "longitude")
            for bound in _bounds(counts.numbers(column))
        )
        names = tuple(
            Name(f"region-{number + 1:0{len(str(len(boxes)))}}", self._label(box, extent))
            for number, box in enumerate(boxes)
        )
        return Boxes(self.grid, boxes, names)

    def fit_many(self, counts: SpeakerCounts, errors: Floats, ref_words: Floats) -> GrownTrees:
        """Find regions in each replicate; see `fairaudit.discover.FitsMany`."""
        return GrownTrees(self._grow(counts, errors, ref_words))

    def _grow(self, counts: SpeakerCounts, errors: Floats, words: Floats) -> Trees:
        weighted_errors, weights = search_weights(errors, words, counts.speaker, self.weight)
        places = tuple(counts.numbers(column).astype(np.int64) for column in self.requires)
        field = Field(
            places=(places[0], places[1]),
            speaker=counts.speaker,
            errors=weighted_errors,
            weights=weights,
            words=words.astype(np.int64),
            min_speakers=max(self.min_speakers, ceil(self.min_share * len(counts.speakers))),
            min_words=self.min_words,
            criterion=self.criterion,
        )
        return grow(field, self.max_regions)

    def _label(self, box: Box, extent: tuple[float, ...]) -> str:
        south, north, west, east = (None if edge is None else round(edge * self.grid, 6) for edge in box)
        low, high, left, right = extent
        return region_label(south, north, west, east, extent=(low, high, left, right))


class GrownTrees:
    """The trees of all replicates; see `fairaudit.discover.Fits`."""

    def __init__(self, trees: Trees) -> None:
        self.attributes: tuple[str, ...] = ()
        self.chosen: Ints = np.zeros(0, dtype=np.int64)
        self.cohorts = int(trees.leaf_numbers().max(initial=-1)) + 1
        self._trees = trees

    def assign(self, counts: SpeakerCounts) -> Ints:
        """See `fairaudit.discover.Fits.assign`."""
        return self._trees.assign(counts.numbers("latitude"), counts.numbers("longitude"))

    def assign_attribute(self, attribute: int, counts: SpeakerCounts) -> Ints:
        """See `fairaudit.discover.Fits`: a tree chooses no attribute."""
        raise IndexError(attribute)

    def attribute_names(self, attribute: int) -> tuple[Name, Name]:
        """See `fairaudit.discover.Fits`: a tree chooses no attribute."""
        raise IndexError(attribute)


def _row(values: Ints) -> Floats:
    return values[None, :].astype(np.float64)


def _bounds(cells: Floats) -> tuple[float, float]:
    return (float(cells.min()), float(cells.max()) + 1) if len(cells) else (0.0, 0.0)


def _boxes(trees: Trees) -> tuple[Box, ...]:
    """Read the boxes of the leaves off a single tree, in the order of leaf numbers."""
    numbers = trees.leaf_numbers()
    boxes: dict[int, Box] = {}
    open_ends: Box = (None, None, None, None)
    stack: list[tuple[int, Box]] = [(0, open_ends)]
    while stack:
        node, (south, north, west, east) = stack.pop()
        edge, child = int(trees.edge[node]), int(trees.child[node])
        if trees.axis[node] < 0:
            boxes[int(numbers[node])] = (south, north, west, east)
        elif trees.axis[node] == 0:
            stack += [(child, (south, edge, west, east)), (child + 1, (edge, north, west, east))]
        else:
            stack += [(child, (south, north, west, edge)), (child + 1, (south, north, edge, east))]
    return tuple(boxes[number] for number in range(len(boxes)))
