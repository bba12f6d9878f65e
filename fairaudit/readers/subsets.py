"""Subsets of utterances as sclite writes them, `<O,F,00>`, and the legend that names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cached_property

from fairaudit.log import CANONICAL
from fairaudit.readers.formats import TEXT


@dataclass
class Legend:
    """The names of categories (places in the field of subsets) and of subsets.

    All of them are added before columns are asked for.

    Parameters
    ----------
    taken : iterable of str
        Names of columns that a category may not have.

    Examples
    --------
    >>> legend = Legend()
    >>> legend.category("0", "Sex"), legend.subset("F", "Female")
    (None, None)
    >>> legend.columns("<f,x>")
    {'Sex': 'Female', 'label_1': 'x'}
    """

    taken: Iterable[str] = ()
    _categories: dict[str, str] = field(default_factory=dict)
    _subsets: dict[str, str] = field(default_factory=dict)

    def category(self, place: str, title: str) -> None:
        """Name the category at a place, which is counted from 0."""
        self._categories.setdefault(place, title.strip())

    def subset(self, name: str, title: str) -> None:
        """Give a subset the words that stand for it in sclite's reports."""
        self._subsets.setdefault(name, title.strip())

    def columns(self, subsets: str) -> dict[str, str | None]:
        """Return the label columns of an utterance.

        Parameters
        ----------
        subsets : str
            As in the file, `<O,F,00>`. An empty subset is missing.

        Returns
        -------
        dict of str to str or None
            A category without a name of its own is called `label_` and its place.
        """
        if not subsets:
            return {}
        names, titles = self._names, self._titles
        values = [value.strip() for value in subsets.removeprefix("<").removesuffix(">").split(",")]
        return {
            names.get(str(place), f"label_{place}"): titles.get(value, titles.get(value.lower(), value))
            or None
            for place, value in enumerate(values)
        }

    @cached_property
    def _names(self) -> dict[str, str]:
        """Leave out names that a column has already: case does not tell columns apart."""
        reserved = {*CANONICAL, TEXT, *self.taken}
        count = Counter(title.lower() for title in self._categories.values())
        return {
            place: title
            for place, title in self._categories.items()
            if title and count[title.lower()] == 1 and title.lower() not in reserved
        }

    @cached_property
    def _titles(self) -> dict[str, str]:
        """Leave out titles that would make two subsets one. sclite lower-cases subsets, not the legend."""
        count = Counter(self._subsets.values())
        own = {name: title for name, title in self._subsets.items() if title and count[title] == 1}
        return {**{name.lower(): title for name, title in own.items()}, **own}


def seconds_between(begin: str, end: str) -> str | None:
    """Return the exact difference of two times in seconds, None where they are not two times in order.

    Examples
    --------
    >>> seconds_between("0.10", "2.03")
    '1.93'
    """
    try:
        difference = Decimal(end) - Decimal(begin)
    except InvalidOperation:
        return None
    return f"{difference:f}" if difference.is_finite() and difference >= 0 else None
