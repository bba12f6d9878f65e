"""Open a table in memory: pandas, Polars, Arrow, or a DuckDB relation."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from fairaudit.exceptions import LogError
from fairaudit.log import check_names
from fairaudit.provenance import Source
from fairaudit.readers.workspace import joined, run

if TYPE_CHECKING:
    import duckdb

    from fairaudit.readers.workspace import Workspace

NAME = "<table>"


def open_table(
    table: Any, workspace: Workspace, role: str = "log"
) -> tuple[duckdb.DuckDBPyRelation, tuple[Source, ...]]:
    """Open a table in memory.

    Parameters
    ----------
    table : pandas.DataFrame, polars.DataFrame, polars.LazyFrame, pyarrow.Table, duckdb.DuckDBPyRelation
        An unnamed index of pandas is not part of the log.
    workspace : Workspace
    role : str
        What the table is for, for the record.

    Raises
    ------
    LogError
        If it is of another type, a column mixes types, or two columns have one name.
    """
    import duckdb

    if isinstance(table, duckdb.DuckDBPyRelation):
        # A relation belongs to its own connection, and is read from there once.
        file = workspace.file()
        run(lambda: table.write_parquet(str(file), compression="snappy"), NAME)
        relation = workspace.connection.read_parquet(str(file))
    else:
        arrow = _arrow(table)
        check_names(arrow.column_names, NAME)
        relation = run(lambda: workspace.connection.from_arrow(arrow), NAME)
    digest, rows = run(lambda: _content(relation), NAME)
    return relation, (Source(role=role, name=NAME, sha256=digest, rows=rows),)


def _arrow(table: Any) -> Any:
    import narwhals as nw
    import pyarrow as pa

    if nw.dependencies.is_pandas_dataframe(table):
        # An index that numbers the rows is no column; one with a name of its own is.
        table = table.reset_index(drop=not {None, *table.columns}.isdisjoint(table.index.names))
        # Names may be numbers, which Arrow would turn into text with a warning.
        table = table.set_axis([str(name) for name in table.columns], axis=1)
        check_names(list(table.columns), NAME)
    try:
        frame = nw.from_native(table)
    except TypeError:
        raise LogError(
            f"cannot read a log from {type(table).__name__}",
            allowed="paths, or a pandas, Polars, Arrow or DuckDB table",
        ) from None
    collected = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    try:
        return collected.to_arrow()
    except (ValueError, TypeError, pa.ArrowException) as error:
        # pyarrow's ArrowInvalid and ArrowTypeError: a column of mixed types, which the last part names.
        raise LogError(
            f"a column mixes types: {'; '.join(map(str, error.args))}",
            where=NAME,
            fix="make it text, or numbers",
        ) from None


def _content(relation: duckdb.DuckDBPyRelation) -> tuple[str, int]:
    """Digest the rows of a table whatever their order: the sum of the digests of all rows."""
    row = f"('0x' || substr(md5({joined(relation.columns)}), 1, 15))::BIGINT::HUGEINT"
    total, rows = relation.aggregate(f"sum({row}), count(*)").fetchone() or (None, 0)
    names = "|".join(sorted(relation.columns))
    return hashlib.sha256(f"{names}:{rows}:{total}".encode()).hexdigest(), int(rows)
