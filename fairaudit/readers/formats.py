"""The formats that a log can come in: what a reader is, which ones are installed, and which one fits a file.

A reader turns a foreign file into rows with canonical names. Built-in and third-party readers register
in one entry-point group, `fairaudit.readers`. Parquet, CSV, TSV and JSON lines need none: their columns
are read as they are called (see `fairaudit.readers.files`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

from fairaudit.exceptions import LogError, OptionError, nearest
from fairaudit.readers.document import Document

GROUP = "fairaudit.readers"
#: The column of a format that holds one side only: the hypothesis of a log, the reference of references.
TEXT = "text"

#: Canonical name or label to its value; counts are whole numbers, everything else is text.
Row = Mapping[str, str | int | None]

#: What is read without a reader: name of the format, endings of its files, and what it is.
PLAIN: Mapping[str, tuple[tuple[str, ...], str]] = {
    "parquet": ((".parquet",), "a table, columns by name"),
    "csv": ((".csv",), "a table with a header, commas"),
    "tsv": ((".tsv",), "a table with a header, tabs"),
    "jsonl": ((".jsonl", ".ndjson", ".json"), "JSON lines: an object on each line"),
}


@runtime_checkable
class Reader(Protocol):
    """How files of one foreign format are recognised and read.

    Attributes
    ----------
    name : str
        For `--format`.
    title : str
        One line: what the format is, and whose.
    carries : tuple of str
        Columns that it can give: canonical ones, labels, or `text` where it holds one side only.
    """

    name: str
    title: str
    carries: tuple[str, ...]

    def recognises(self, document: Document) -> bool:
        """Tell whether a file or folder is of this format, by its name and its beginning."""

    def rows(self, document: Document) -> Iterator[Row]:
        """Give the utterances (or speakers) one by one; refuse what is malformed with `document.error`."""


@cache
def installed() -> Mapping[str, Reader]:
    """Return the readers by name, sorted.

    Raises
    ------
    OptionError
        If two of them have one name, or one is not a reader.

    Examples
    --------
    >>> "nemo" in installed()
    True
    """
    readers: dict[str, Reader] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        reader = point.load()()
        if not isinstance(reader, Reader) or reader.name != point.name:
            raise OptionError(
                f"'{point.name}' ({point.value}) is not a reader of that name",
                where=f"entry points of {GROUP}",
                allowed="name, title, carries, recognises and rows; see fairaudit.testing.check_reader",
            )
        if reader.name in readers or reader.name in PLAIN:
            raise OptionError(
                f"two readers are called '{reader.name}'",
                where=f"entry points of {GROUP}",
                fix="uninstall one of them",
            )
        readers[reader.name] = reader
    return readers


def choose(document: Document, given: str | None) -> str:
    """Return the name of the format of a file: the one that is given, or the one that recognises it.

    Parameters
    ----------
    document : Document
    given : str or None
        The user's choice.

    Raises
    ------
    LogError, OptionError
        If the format is unknown, or several recognise the file.
    """
    if given is not None:
        known = (*PLAIN, *installed())
        if given not in known:
            raise OptionError(f"unknown format '{given}'", where="--format", allowed=nearest(given, known))
        return given
    fitting = [name for name, reader in installed().items() if reader.recognises(document)]
    if len(fitting) > 1:
        raise LogError(
            f"{document.name} could be of several formats: {', '.join(fitting)}",
            where=document.name,
            fix=f"say which: --format {fitting[0]}",
        )
    return fitting[0] if fitting else _by_ending(document)


def _by_ending(document: Document) -> str:
    for kind, (endings, _) in PLAIN.items():
        if document.ending in endings and not document.is_folder:
            return kind
    plain = ", ".join(ending for endings, _ in PLAIN.values() for ending in endings)
    if document.is_folder:
        raise LogError(
            f"{document.name} is a folder of no known format",
            where=document.name,
            allowed="a file; or a folder of a format that is one (see: fairaudit formats)",
            fix=f"give its files, such as '{document.name.rstrip('/')}/*.parquet'",
        )
    raise LogError(
        f"unknown format of {document.name}",
        where=document.name,
        allowed=f"{plain}, each also .gz or .zst; or one of: {', '.join(installed())}",
        fix="name a table after its format, or say --format NAME (fairaudit formats lists them)",
    )


def describe_installed() -> str:
    """List every format in words, for `fairaudit formats`."""
    lines = ["Tables, read by the names of their columns:"]
    lines += [f"  {name:<14} {', '.join(endings)}: {title}" for name, (endings, title) in PLAIN.items()]
    lines += ["", "Formats of other programs, recognised by what is in them, or named by --format:"]
    for name, reader in installed().items():
        lines += [f"  {name:<14} {reader.title}", f"  {'':<14} gives {', '.join(reader.carries)}"]
    lines += ["", "text: one side only, so hypotheses as LOG and references with --references."]
    return "\n".join(lines)
