"""Rules over label columns: one cohort for each value, or an ordered list of combinations of values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Bools, Ints, SpeakerCounts
from fairaudit.partition.rule import UNASSIGNED, Displayed, Name

#: Columns and the values that a row has to have in them; the empty one is that of every row.
Combination = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Lookup(Displayed):
    """One cohort for each value of a label column.

    Parameters
    ----------
    column : str
    values : tuple of str
        Values that have a cohort; others are not assigned.
    names : tuple of Name
    """

    kind: ClassVar[str] = "lookup"
    column: str
    values: tuple[str, ...]
    names: tuple[Name, ...]

    @property
    def requires(self) -> tuple[str, ...]:
        """The label column."""
        return (self.column,)

    def assign(self, counts: SpeakerCounts) -> Ints:
        """See `Partition.assign`."""
        labels = counts.labels(self.column)
        numbers = {value: number for number, value in enumerate(self.values)}
        cohort = np.array([*(numbers.get(v, UNASSIGNED) for v in labels.values), UNASSIGNED], dtype=np.int64)
        return cohort[labels.codes]

    def cohort_rules(self) -> list[dict[str, Any]]:
        """See `Partition.cohort_rules`."""
        return [{"kind": self.kind, "column": self.column, "value": value} for value in self.values]

    def to_plain(self) -> dict[str, Any]:
        """See `Partition.to_plain`."""
        return {"kind": self.kind, "column": self.column, "values": list(self.values)}


@dataclass(frozen=True)
class Combinations(Displayed):
    """An ordered list of combinations of label values: a row is of the first that it has.

    A missing value is none of the values, so a row without one has no combination that names its
    column. The empty combination, where there is one, is the last, and is that of every row left.

    Parameters
    ----------
    combinations : tuple of tuples of (str, str)
        Column and value of each condition.
    names : tuple of Name

    Examples
    --------
    >>> counts = SpeakerCounts.of(["a", "b", "c"], ref_words=[9] * 3, errors=[1] * 3,
    ...     attributes={"accent": ["US", "US", "UK"], "device": ["phone", None, "phone"]})
    >>> rules = ((("accent", "US"), ("device", "phone")), (("accent", "US"),), ())
    >>> Combinations(rules, tuple(map(name_of, rules))).assign(counts).tolist()
    [0, 1, 2]
    """

    kind: ClassVar[str] = "combinations"
    combinations: tuple[Combination, ...]
    names: tuple[Name, ...]

    @property
    def requires(self) -> tuple[str, ...]:
        """The columns of the combinations, in the order in which they are named first."""
        return tuple(dict.fromkeys(column for rule in self.combinations for column, _ in rule))

    @property
    def is_exhaustive(self) -> bool:
        """Whether every row has a cohort."""
        return () in self.combinations

    def unplaced(self, counts: SpeakerCounts) -> NDArray[np.object_]:
        """Return for each row which column it lacks, or an empty text."""
        reasons = np.full(counts.rows, "", dtype=object)
        for column in () if self.is_exhaustive else self.requires:
            reasons[counts.labels(column).codes < 0] = f"no {column}"
        return reasons

    def assign(self, counts: SpeakerCounts) -> Ints:
        """See `Partition.assign`."""
        cohort = np.full(counts.rows, UNASSIGNED, dtype=np.int64)
        for number, rule in enumerate(self.combinations):
            cohort[(cohort == UNASSIGNED) & has(counts, rule)] = number
        return cohort

    def cohort_rules(self) -> list[dict[str, Any]]:
        """See `Partition.cohort_rules`: a cohort's extent depends on what may be taken before it."""
        return [
            {
                "kind": self.kind,
                "combination": _plain(rule),
                "but_not": [_plain(r) for r in taken_before(self.combinations, number)],
            }
            for number, rule in enumerate(self.combinations)
        ]

    def to_plain(self) -> dict[str, Any]:
        """See `Partition.to_plain`."""
        return {"kind": self.kind, "combinations": [_plain(rule) for rule in self.combinations]}


def has(counts: SpeakerCounts, combination: Combination) -> Bools:
    """Tell for each row whether it has every value of a combination."""
    found = np.ones(counts.rows, dtype=bool)
    for column, value in combination:
        labels = counts.labels(column)
        found &= labels.codes == (
            labels.values.index(value) if value in labels.values else len(labels.values)
        )
    return found


def taken_before(combinations: tuple[Combination, ...], number: int) -> tuple[Combination, ...]:
    """Return what a row of one combination of a list must not have, so as not to be of one before it.

    Conditions of its own are left out, and so are combinations that are part of another.

    Examples
    --------
    >>> age, sex, town = ("age", "70"), ("sex", "m"), ("town", "Cork")
    >>> taken_before(((("sex", "f"),), (age, sex), (age, town), (age,), (sex,)), 4)
    ((('age', '70'),),)
    >>> taken_before(((age, sex), (sex,)), 1)
    ((('age', '70'),),)
    """
    own = dict(combinations[number])
    left = [
        tuple(condition for condition in rule if condition[0] not in own)
        for rule in combinations[:number]
        if all(own.get(column, value) == value for column, value in rule)
    ]
    return tuple(rule for rule in dict.fromkeys(left) if not any(set(other) < set(rule) for other in left))


def name_of(combination: Combination, but_not: tuple[Combination, ...] = ()) -> Name:
    """Name the cohort of a combination.

    Parameters
    ----------
    combination : tuple of (str, str)
    but_not : tuple of combinations
        From `taken_before`.

    Examples
    --------
    >>> name_of((("accent", "Irish"), ("gender", "female")))
    Name(cohort='accent=Irish, gender=female', label='accent is Irish and gender is female')
    >>> name_of((("town", "Cork, west"),), but_not=((("age", "70"),),))
    Name(cohort='town="Cork, west"', label='town is Cork, west, except where age is 70')
    """
    if not combination:
        return Name("everyone else", "everyone else")
    cohort = ", ".join(f"{_quoted(column)}={_quoted(value)}" for column, value in combination)
    label = _in_words(combination)
    if but_not:
        label += f", except where {', or where '.join(map(_in_words, but_not))}"
    return Name(cohort, label)


def _in_words(combination: Combination) -> str:
    return " and ".join(f"{column} is {value}" for column, value in combination)


def _quoted(text: str) -> str:
    # Two combinations have never one name, whatever the values hold.
    return json.dumps(text, ensure_ascii=False) if set(text) & set(',="') else text


def _plain(combination: Combination) -> list[list[str]]:
    return [[column, value] for column, value in combination]
