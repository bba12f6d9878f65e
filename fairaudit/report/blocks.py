"""What a report is made of, before it is Markdown or HTML: plain text in plain blocks, nothing escaped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    """A list, under a small heading or none; with `links`, addresses in brackets are links (ours alone)."""

    items: tuple[str, ...]
    title: str = ""
    links: bool = False


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
class Figure:
    """A plot, and what it shows in words.

    Parameters
    ----------
    name : str
        Names it within its report; letters, digits and hyphens.
    caption : str
    alternative : str
        What the plot shows, with its numbers, for those who cannot see it.
    draw : callable
        Returns the Axes. Called by forms that show plots alone, since drawing takes time.
    """

    name: str
    caption: str
    alternative: str
    draw: Callable[[], Axes]


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Command:
    """What is typed in a terminal, a part of it on each line."""

    lines: tuple[str, ...]


Block = Paragraph | Facts | Points | Table | Figure | Heading | Command


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole report: its title, its verdict in one sentence, what stands below it, and who made it when."""

    title: str
    sentence: str
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]
    made: str
