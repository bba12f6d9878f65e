"""Declared cohorts: each value of a label column, or each combination of values of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fairaudit.counts import Labels, SpeakerCounts
from fairaudit.exceptions import OptionError
from fairaudit.partition import Combinations, Lookup, Name
from fairaudit.partition.labels import name_of


@dataclass(frozen=True)
class LabelColumn:
    """Each value of a label column is a cohort; rows without one are unassigned.

    Nothing is searched, yet naming the worst and the best of the values is a selection too, so their
    gap is measured on speakers who had no part in the naming.

    Parameters
    ----------
    column : str
        Name of the column.

    Examples
    --------
    >>> counts = SpeakerCounts.of(["a", "b"], ref_words=[9, 9], errors=[1, 2],
    ...                           attributes={"device": ["phone", None]})
    >>> LabelColumn("device").fit(counts).assign(counts).tolist()
    [0, -1]
    """

    column: str
    reads_errors: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column

    @property
    def requires(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def fit(self, counts: SpeakerCounts) -> Lookup:
        """Make a cohort of each value.

        Parameters
        ----------
        counts : SpeakerCounts
            With the column as an attribute.
        """
        values = counts.labels(self.column).values
        return Lookup(self.column, values, tuple(Name(v, f"{self.column} is {v}") for v in values))


@dataclass(frozen=True)
class LabelIntersection:
    """Each combination of values of several label columns is a cohort.

    Rows without a value in one of the columns are unassigned. Measured like a label column.

    Parameters
    ----------
    columns : tuple of str
        Two or more.

    Examples
    --------
    >>> counts = SpeakerCounts.of(["a", "b", "c"], ref_words=[9, 9, 9], errors=[1, 2, 3],
    ...     attributes={"accent": ["US", "UK", "US"], "gender": ["female", "male", None]})
    >>> found = LabelIntersection(("accent", "gender")).fit(counts)
    >>> [name.cohort for name in found.names], found.assign(counts).tolist()
    (['accent=UK, gender=male', 'accent=US, gender=female'], [1, 0, -1])
    """

    columns: tuple[str, ...]
    reads_errors: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if len(self.columns) < 2 or len(set(self.columns)) < len(self.columns):
            raise OptionError(
                f"an intersection of the columns {self.name}",
                where="--by",
                allowed="two or more different label columns",
            )

    @property
    def name(self) -> str:
        """The columns' names."""
        return "+".join(self.columns)

    @property
    def requires(self) -> tuple[str, ...]:
        """The columns."""
        return self.columns

    def cohort_of(self, values: str) -> str:
        """Return the cohort of values with a + between them; another text is a cohort's own name.

        Examples
        --------
        >>> LabelIntersection(("accent", "gender")).cohort_of("Irish+female")
        'accent=Irish, gender=female'
        """
        parts = values.split("+")
        if len(parts) != len(self.columns):
            return values
        return name_of(tuple(zip(self.columns, parts, strict=True))).cohort

    def prepare(self, counts: SpeakerCounts) -> SpeakerCounts:
        """Add the combination of each row as a label of its own, called like the intersection."""
        partition = self.fit(counts)
        names = np.array([*(name.cohort for name in partition.names), None], dtype=object)
        return counts.with_attributes({self.name: Labels.of(names[partition.assign(counts)])})

    def fit(self, counts: SpeakerCounts) -> Combinations:
        """Make a cohort of each combination of values that a row has.

        Parameters
        ----------
        counts : SpeakerCounts
            With the columns as attributes.
        """
        labels = [counts.labels(column) for column in self.columns]
        codes = np.stack([label.codes for label in labels], axis=1)
        there = np.unique(codes[np.all(codes >= 0, axis=1)], axis=0)
        combinations = tuple(
            tuple((c, v.values[code]) for c, v, code in zip(self.columns, labels, row, strict=True))
            for row in there.tolist()
        )
        return Combinations(combinations, tuple(map(name_of, combinations)))


def divisions(parts: Sequence[str], columns: Sequence[str]) -> list[tuple[str, ...]]:
    """List the ways to read texts with a + between them as columns, whose own names may hold one.

    Examples
    --------
    >>> divisions(["a", "b", "c"], ["a", "c", "a+b", "b+c"])
    [('a', 'b+c'), ('a+b', 'c')]
    """
    if not parts:
        return [()]
    return [
        (column, *rest)
        for size in range(1, len(parts) + 1)
        if (column := "+".join(parts[:size])) in columns
        for rest in divisions(parts[size:], columns)
    ]
