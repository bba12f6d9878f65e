"""Open the tables that need no translation: Parquet, CSV, TSV, JSON lines, and tables in memory.

Text formats are read once, every scalar as text, into a temporary Parquet file: ids, dates and ZIP
codes are never re-typed, and nothing is parsed a second time.
"""

from __future__ import annotations

import glob
import hashlib
import itertools
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairaudit.exceptions import LogError
from fairaudit.log import file_sha256
from fairaudit.result import Source

if TYPE_CHECKING:
    import duckdb
    import narwhals as nw
    import pyarrow as pa

#: File name endings and the format that they stand for; each also with .gz or .zst.
FORMATS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "json lines",
    ".ndjson": "json lines",
    ".json": "json lines",
}
#: An empty field stays an empty text: whether that is missing is not for the parser to say.
_NO_NULL = "\\N fairaudit: no text is null"


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

    def file(self) -> Path:
        """Return the path of a new temporary Parquet file."""
        return self.folder / f"table-{next(self._files)}.parquet"

    def copied(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Compute a frame once, and read it from then on."""
        import narwhals as nw

        file = self.file()
        run(lambda: frame.to_native().write_parquet(str(file), compression="zstd"), "the log")
        return nw.from_native(self.connection.read_parquet(str(file)))

    def mapped(
        self, frame: nw.LazyFrame[Any], change: Callable[[pa.Table], pa.Table], rows: int
    ) -> nw.LazyFrame[Any]:
        """Send a frame through a function of Arrow tables, a batch at a time."""
        import narwhals as nw
        import pyarrow as pa
        import pyarrow.parquet as pq

        reader = run(lambda: frame.to_native().fetch_arrow_reader(rows), "the log")
        file = self.file()
        empty = change(reader.schema.empty_table())
        with pq.ParquetWriter(file, empty.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_table(change(pa.Table.from_batches([batch])).cast(empty.schema))
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

        relation = frame.to_native()
        cells = ", ".join(
            f"coalesce(CAST({_identifier(c)} AS VARCHAR), chr(0))" for c in sorted(relation.columns)
        )
        row = relation.project(f"*, md5(concat_ws(chr(31), {cells})) AS speaker_digest")
        number = "row_number() OVER (PARTITION BY speaker_digest)"
        named = row.project(f"* EXCLUDE (speaker_digest), speaker_digest || '-' || {number} AS speaker_id")
        return self.copied(nw.from_native(named))


def open_files(
    paths: Sequence[str | Path], workspace: Workspace
) -> tuple[duckdb.DuckDBPyRelation, tuple[Source, ...]]:
    """Open one or several files of one format as one table, columns matched by name.

    Parameters
    ----------
    paths : sequence of str or Path
        Each may be a glob.
    workspace : Workspace

    Raises
    ------
    LogError
        If a file does not exist, is of an unknown format, or is malformed.
    """
    files = [file for path in paths for file in _expand(str(path))]
    formats = {_format(file) for file in files}
    if len(formats) > 1:
        raise LogError(
            f"files of different formats: {', '.join(sorted(formats))}",
            where=", ".join(file.name for file in files),
            allowed="several files of one format",
        )
    tables, sources = [], []
    for file in files:
        table = file if formats == {"parquet"} else _copied(file, formats, workspace)
        tables.append(str(table))
        sources.append(_source(file, table, workspace))
    relation = run(
        lambda: workspace.connection.read_parquet(tables, union_by_name=len(tables) > 1), files[0].name
    )
    return relation, tuple(sources)


def open_table(table: Any, workspace: Workspace) -> tuple[duckdb.DuckDBPyRelation, tuple[Source, ...]]:
    """Open a table in memory: pandas, Polars, Arrow, or a DuckDB relation.

    Raises
    ------
    LogError
        If it is of another type, or a column mixes types.
    """
    import duckdb
    import narwhals as nw

    if isinstance(table, duckdb.DuckDBPyRelation):
        # A relation belongs to its own connection, and is read from there once.
        file = workspace.file()
        run(lambda: table.write_parquet(str(file), compression="zstd"), "<table>")
        relation = workspace.connection.read_parquet(str(file))
    else:
        try:
            frame = nw.from_native(table)
        except TypeError:
            raise LogError(
                f"cannot read a log from {type(table).__name__}",
                allowed="paths, or a pandas, Polars, Arrow or DuckDB table",
            ) from None
        collected = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
        try:
            arrow = collected.to_arrow()
        except (ValueError, TypeError) as error:
            # pyarrow's ArrowInvalid and ArrowTypeError: a column of mixed types.
            raise LogError(
                f"a column mixes types: {error}", where="<table>", fix="make it text, or numbers"
            ) from None
        relation = workspace.connection.from_arrow(arrow)
    digest, rows = _content(relation)
    return relation, (Source(role="log", name="<table>", sha256=digest, rows=rows),)


def _expand(path: str) -> list[Path]:
    if Path(path).is_file():
        return [Path(path)]
    # Path.glob takes no absolute pattern.
    matches = glob.glob(path, recursive=True)  # noqa: PTH207
    found = sorted(Path(match) for match in matches if Path(match).is_file())
    if not found:
        raise LogError(f"no such file: {path}", fix="check the path; quote a pattern such as 'logs/*.csv'")
    return found


def _format(file: Path) -> str:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in (".gz", ".zst"):
        suffixes.pop()
    kind = FORMATS.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise LogError(
            f"unknown format of {file.name}",
            where=str(file),
            allowed=", ".join(FORMATS) + ", each also .gz or .zst",
        )
    return kind


def _copied(file: Path, formats: set[str], workspace: Workspace) -> Path:
    target = workspace.file()
    name = str(file)
    connection = workspace.connection
    if "json lines" in formats:
        relation = run(lambda: _json_lines(name, workspace), file.name)
    else:
        tab = "tsv" in formats
        relation = run(
            lambda: connection.read_csv(
                name,
                header=True,
                delimiter="\t" if tab else ",",
                all_varchar=True,
                na_values=_NO_NULL,
                quotechar="" if tab else '"',
                escapechar="" if tab else '"',
            ),
            file.name,
        )
    run(lambda: relation.write_parquet(str(target), compression="zstd"), file.name)
    return target


def _json_lines(name: str, workspace: Workspace) -> duckdb.DuckDBPyRelation:
    """Learn all keys first, then read every value but lists as the text that is written there."""
    connection = workspace.connection
    found = connection.sql(
        "DESCRIBE SELECT * FROM read_json_auto(?, format='newline_delimited', sample_size=-1)", params=[name]
    ).fetchall()
    kinds = {column: kind if kind.endswith("[]") else "VARCHAR" for column, kind, *_ in found}
    if list(kinds) == ["json"]:
        raise LogError(
            "a line is not a JSON object", where=name, allowed='lines such as {"speaker_id": "a", ...}'
        )
    listed = ", ".join(f"{_quoted(column)}: '{kind}'" for column, kind in kinds.items())
    return connection.sql(
        f"SELECT * FROM read_json(?, format='newline_delimited', columns={{{listed}}})", params=[name]
    )


def run(step: Callable[[], Any], name: str) -> Any:
    """Run a step of DuckDB; its complaint about a file becomes one of ours."""
    import duckdb

    try:
        return step()
    except duckdb.Error as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        detail = " ".join(lines[:3])
        raise LogError(
            f"cannot read {name}: {detail}", where=name, fix="check the file's format and that it is complete"
        ) from None


def _source(file: Path, table: Path, workspace: Workspace) -> Source:
    rows = run(
        lambda: workspace.connection.read_parquet(str(table)).aggregate("count(*)").fetchone(), file.name
    )
    return Source(role="log", name=file.name, sha256=file_sha256(file), rows=int(rows[0]))


def _content(relation: duckdb.DuckDBPyRelation) -> tuple[str, int]:
    """Digest the rows of a table whatever their order: the sum of the digests of all rows."""
    cells = ", ".join(
        f"coalesce(CAST({_identifier(c)} AS VARCHAR), chr(0))" for c in sorted(relation.columns)
    )
    row = f"('0x' || substr(md5(concat_ws(chr(31), {cells})), 1, 15))::BIGINT::HUGEINT"
    total, rows = relation.aggregate(f"sum({row}), count(*)").fetchone() or (None, 0)
    names = "|".join(sorted(relation.columns))
    return hashlib.sha256(f"{names}:{rows}:{total}".encode()).hexdigest(), int(rows)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _close(connection: duckdb.DuckDBPyConnection, folder: tempfile.TemporaryDirectory[str]) -> None:
    connection.close()
    folder.cleanup()
