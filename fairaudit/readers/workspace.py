"""Where the rows of a log are while it lives: a DuckDB connection and a folder for temporary files."""

from __future__ import annotations

import itertools
import re
import tempfile
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairaudit.exceptions import LogError

if TYPE_CHECKING:
    import duckdb
    import narwhals as nw
    import pyarrow as pa

#: A row group is written once it has so many rows, or takes so much memory.
GROUP_ROWS, GROUP_BYTES = 100_000, 2**25
NOT_UTF_8 = "not UTF-8 text; save it as UTF-8"
#: What DuckDB says about a malformed line, and how it is passed on: without the line itself, which may
#: hold a transcript.
COMPLAINTS = {
    r"Expected Number of Columns: (\d+) Found: (\d+)": "{1} fields where the header has {0}",
    r"unterminated quote": "a quoted field does not end",
    r"not utf-8|[Ii]nvalid unicode|invalid UTF-8": NOT_UTF_8,
    r"Malformed JSON.*?: ([^\n]*)": "malformed JSON: {0}",
    r'has duplicate key "(.*?)"': "the key '{0}' is there twice",
    r"(?:maximum_object_size|max_line_size|Maximum line size)": "a line is too long",
}


class Workspace:
    """A DuckDB connection and a folder for temporary files, both gone with the log."""

    def __init__(self) -> None:
        import duckdb

        folder = tempfile.TemporaryDirectory(prefix="fairaudit-")
        self.folder = Path(folder.name)
        self.connection = duckdb.connect()
        self.connection.execute("SET memory_limit = '600MB'")
        self.connection.execute("SET preserve_insertion_order = false")
        self.connection.execute("SET temp_directory = ?", [str(self.folder / "spill")])
        self._finalizer = weakref.finalize(self, _close, self.connection, folder)
        self._files = itertools.count()

    def file(self, suffix: str = ".parquet") -> Path:
        """Return the path of a new temporary file."""
        return self.folder / f"table-{next(self._files)}{suffix}"

    def copied(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Compute a frame once, and read it from then on; it may be of another workspace."""
        import narwhals as nw

        file = self.file()
        run(lambda: frame.to_native().write_parquet(str(file), compression="snappy"), "the log")
        return nw.from_native(self.connection.read_parquet(str(file)))

    def mapped(
        self,
        frame: nw.LazyFrame[Any],
        change: Callable[[Iterator[pa.Table]], Generator[pa.Table, None, None]],
        rows: int,
    ) -> nw.LazyFrame[Any]:
        """Stream a frame through a function of Arrow tables, a batch at a time.

        Parameters
        ----------
        frame : narwhals.LazyFrame
        change : callable
            Gives one table for each that it is given, all of one schema. The first has no rows, and
            tells that schema.
        rows : int
            Size of a batch.
        """
        import narwhals as nw
        import pyarrow as pa
        import pyarrow.parquet as pq

        reader = run(lambda: frame.to_native().to_arrow_reader(rows), "the log")
        tables = (pa.Table.from_batches([batch]) for batch in reader)
        file = self.file()
        with closing(change(itertools.chain([reader.schema.empty_table()], tables))) as changed:
            schema = next(changed).schema
            with pq.ParquetWriter(file, schema, compression="snappy") as writer:
                for group in grouped(changed):
                    writer.write_table(group.cast(schema))
        return nw.from_native(self.connection.read_parquet(str(file)))

    def frame_of(self, columns: Mapping[str, Sequence[Any]]) -> nw.LazyFrame[Any]:
        """Make a frame that can be joined to the log."""
        import narwhals as nw
        import pyarrow as pa

        return nw.from_native(self.connection.from_arrow(pa.table(dict(columns))))

    def with_own_speakers(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Make a speaker of each row.

        The speaker is named by what the row holds, and rows that hold the same are numbered, so that
        the halves do not depend on the order of the log.
        """
        import narwhals as nw

        row = frame.to_native()
        row = row.project(f"*, md5({joined(row.columns)}) AS speaker_digest")
        number = "row_number() OVER (PARTITION BY speaker_digest)"
        named = row.project(f"* EXCLUDE (speaker_digest), speaker_digest || '-' || {number} AS speaker_id")
        return self.copied(nw.from_native(named))


def run(step: Callable[[], Any], name: str) -> Any:
    """Run a step of DuckDB; its complaint about a file becomes one of ours.

    Raises
    ------
    LogError
        Says what is wrong and, where DuckDB knows it, in which line.
    """
    import duckdb

    try:
        return step()
    except duckdb.Error as error:
        text = str(error)
        line = re.search(r"(?:CSV Error on Line:|in line) (\d+)", text)
        raise LogError(
            f"cannot read {name}: {_complaint(text)}",
            where=f"{name}, line {line[1]}" if line else name,
            fix="check the file's format and that it is complete",
        ) from None


def grouped(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Collect tables into larger ones, fit for a row group of Parquet."""
    import pyarrow as pa

    group: list[pa.Table] = []
    for table in tables:
        group.append(table)
        if sum(t.num_rows for t in group) >= GROUP_ROWS or sum(t.nbytes for t in group) >= GROUP_BYTES:
            yield pa.concat_tables(group)
            group = []
    if group:
        yield pa.concat_tables(group)


def joined(columns: Sequence[str]) -> str:
    """Return the SQL of one text that tells rows apart, whatever the order of the columns."""
    cells = (f"coalesce(CAST({identifier(c)} AS VARCHAR), chr(0))" for c in sorted(columns))
    return f"concat_ws(chr(31), {', '.join(cells)})"


def identifier(name: str) -> str:
    """Quote the name of a column for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def _complaint(text: str) -> str:
    for pattern, words in COMPLAINTS.items():
        if found := re.search(pattern, text):
            return words.format(*found.groups())
    # The first line names the class of the error, and a file that was already named.
    return re.sub(r"^[\w ]*Error: ", "", text.splitlines()[0])


def _close(connection: duckdb.DuckDBPyConnection, folder: tempfile.TemporaryDirectory[str]) -> None:
    connection.close()
    folder.cleanup()
