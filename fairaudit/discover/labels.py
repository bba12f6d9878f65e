"""Declared cohorts: each value of a label column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fairaudit.counts import SpeakerCounts
from fairaudit.partition import Lookup, Name


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
