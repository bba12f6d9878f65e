"""JSON as other programs write it: one object on each line, or one value in the whole file.

Numbers stay the text that they were written as, so that ids and durations come through unchanged; NaN and
Infinity, which are no JSON but which Python writes, are missing values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fairaudit.log import COUNTS
from fairaudit.readers.document import Document

#: Where a value has no text of its own.
_WORDS = {True: "true", False: "false"}


def objects_of(document: Document) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the object of each line with the number of the line.

    Parameters
    ----------
    document : Document

    Raises
    ------
    LogError
        If a line is not one JSON object, or names a key twice.
    """
    for line, text in document.lines():
        value = _decoded(text, document, line)
        if not isinstance(value, dict):
            raise document.error("this line is not a JSON object", line, allowed="one object on each line")
        yield line, value


def value_of(document: Document) -> Any:
    """Return what the whole file holds.

    Parameters
    ----------
    document : Document

    Raises
    ------
    LogError
        If the file is not one JSON value, or names a key twice in one object.
    """
    try:
        text = document.content().decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise document.error("not UTF-8 text", line, fix="save it as UTF-8") from None
    return _decoded(text, document, None)


def first_object(document: Document) -> dict[str, Any]:
    """Return the object of the first line, an empty one where there is none: what JSON lines are told by."""
    value, _ = first_value(document.head().lstrip().partition("\n")[0])
    return value if isinstance(value, dict) else {}


def first_value(text: str) -> tuple[Any, str]:
    """Return the JSON value that a text begins with and what follows it; None where it does not end.

    Examples
    --------
    >>> first_value('{"duration": 3.50} {"dur')
    ({'duration': '3.50'}, ' {"dur')
    """
    try:
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None, text
    return value, text[end:]


def cell(name: str, value: Any, document: Document, line: int | None) -> str | int | None:
    """Return a value as a row holds it: counts as whole numbers, everything else as text.

    Parameters
    ----------
    name : str
        The column: `fairaudit.log.COUNTS` are numbers.
    value : str, bool or None
    document : Document
    line : int or None

    Raises
    ------
    LogError
        If a count is no whole number.
    """
    if name in COUNTS and value is not None:
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            return int(value)
        raise document.error(f"{name} is {value!r}", line, allowed="a whole number from 0")
    return _WORDS[value] if isinstance(value, bool) else value


def _decoded(text: str, document: Document, line: int | None) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        what = f"malformed JSON at character {error.colno}: {error.msg.removesuffix(' at')}"
        raise document.error(what, line or error.lineno, fix="check that the file is complete") from None
    except (ValueError, RecursionError) as error:
        what = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise document.error(f"malformed JSON: {what}", line) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is there twice: one of its values would silently be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key '{next(n for n in names if names.count(n) > 1)}' is there twice")
    return found


_DECODER = json.JSONDecoder(
    parse_int=str, parse_float=str, parse_constant=lambda _: None, object_pairs_hook=_once
)
