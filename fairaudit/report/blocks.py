"""What a report is made of, before it is Markdown or HTML: plain text in plain blocks, nothing escaped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paragraph:
    """Some text; loud where nobody may miss it."""

    text: str
    loud: bool = False


@dataclass(frozen=True)
class Fact:
    """A term, its value, and what the term means."""

    term: str
    value: str
    meaning: str = ""


@dataclass(frozen=True)
class Facts:
    """Facts that belong together, under a small heading or none."""

    rows: tuple[Fact, ...]
    title: str = ""


@dataclass(frozen=True)
class Points:
    """A list, under a small heading or none."""

    items: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption and what is to be said below it.

    Parameters
    ----------
    caption : str
    head : tuple of str
    rows : tuple of tuples of str
        As long as `head`.
    texts : int
        So many columns hold text, from the left; the others numbers.
    notes : tuple of str
        Footnotes; cells refer to them as [1], [2] ...
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """One line of a forest plot: where a rate and its interval lie, in per cent of the axis.

    `side` is bottom, top or rest. `low` and `high` are None where there is no interval.
    """

    label: str
    value: str
    side: str
    at: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Forest:
    """Rates of cohorts with their intervals on one axis.

    Parameters
    ----------
    caption : str
    marks : tuple of Mark
        Worst first.
    ticks : tuple of tuples of float and str
        Place on the axis, in per cent, and what is written there.
    overall : float or None
        Place of the rate of all measured speakers.
    """

    caption: str
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    overall: float | None


Block = Paragraph | Facts | Points | Table | Forest


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    sentence: str
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]
