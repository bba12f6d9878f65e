"""The rows that a reader gives, batch by batch, to a Parquet file."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairaudit.exceptions import LogError
from fairaudit.log import COUNTS, check_names
from fairaudit.readers.document import Document
from fairaudit.readers.formats import Reader, Row
from fairaudit.readers.workspace import run

if TYPE_CHECKING:
    import pyarrow as pa

    from fairaudit.readers.workspace import Workspace

ROWS_AT_ONCE = 50_000


def translate(reader: Reader, document: Document, workspace: Workspace) -> Path:
    """Read a file of a foreign format into a Parquet file; all of it or nothing.

    Parameters
    ----------
    reader : Reader
    document : Document
    workspace : Workspace

    Returns
    -------
    Path
        Counts are whole numbers, everything else is text.

    Raises
    ------
    LogError
        If the file is malformed, or holds no utterance.
    """
    import pyarrow.parquet as pq

    parts = []
    done = 0
    for batch in _batches(reader.rows(document)):
        try:
            table = table_of(batch)
        except UnicodeEncodeError:
            raise _not_text(document, batch, done) from None
        done += len(batch)
        check_names(table.column_names, document.name)
        part = workspace.file()
        pq.write_table(table, part, compression="snappy")
        parts.append(part)
    if not parts:
        raise document.error("the log has no rows", fix=f"check the file: {reader.title}")
    if len(parts) == 1:
        return parts[0]
    # Later rows may have columns that the first ones lack.
    whole = workspace.file()
    names = [glob.escape(str(part)) for part in parts]
    relation = workspace.connection.read_parquet(names, union_by_name=True)
    run(lambda: relation.write_parquet(str(whole), compression="snappy"), document.name)
    for part in parts:
        part.unlink()
    return whole


def table_of(rows: Iterable[Row]) -> pa.Table:
    """Make an Arrow table of rows, whose columns may differ.

    Parameters
    ----------
    rows : iterable of mapping

    Examples
    --------
    >>> table_of([{"utterance_id": "a", "errors": 1}, {"utterance_id": "b", "accent": "x"}]).to_pylist()
    [{'utterance_id': 'a', 'errors': 1, 'accent': None}, {'utterance_id': 'b', 'errors': None, 'accent': 'x'}]
    """
    import pyarrow as pa

    rows = list(rows)
    names = dict.fromkeys(name for row in rows for name in row)
    columns: dict[str, Any] = {}
    for name in names:
        kind = pa.int64() if name in COUNTS else pa.string()
        columns[name] = pa.array([row.get(name) for row in rows], type=kind)
    return pa.table(columns)


def _not_text(document: Document, batch: list[Row], before: int) -> LogError:
    """Name the first row that holds half a character, as JSON can write one."""
    for number, row in enumerate(batch, before + 1):
        for name, value in row.items():
            if isinstance(value, str) and not value.isprintable() and _is_broken(value):
                return document.error(
                    f"{name} of row {number:,} is not valid Unicode (half of a surrogate pair)",
                    fix="write the file again with whole characters",
                )
    return document.error("a text is not valid Unicode", fix="write the file again")


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield batch
