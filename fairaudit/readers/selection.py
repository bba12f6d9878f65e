"""Which columns and rows of a log are read, under which names, and which of its texts are missing values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fairaudit.checks import as_text
from fairaudit.exceptions import LogError, OptionError, nearest
from fairaudit.log import CANONICAL, TEXTS, check_names, rename
from fairaudit.readers.workspace import identifier

if TYPE_CHECKING:
    import duckdb
    import narwhals as nw

#: Characters of a name that an engine reads as a part of a column, as a quote, or as all columns.
UNSAFE = r"[.\"*]"


def check_canonical(columns: Mapping[str, str]) -> None:
    """Refuse a mapping of columns of which one is not canonical.

    Raises
    ------
    OptionError
        Names the nearest one.
    """
    for canonical in columns:
        if canonical not in CANONICAL:
            raise OptionError(
                f"'{canonical}' is not a canonical column",
                where=f"--column {canonical}={columns[canonical]}",
                allowed=nearest(canonical, CANONICAL),
                fix="labels keep the name that they have in the log",
            )


def named(
    relation: duckdb.DuckDBPyRelation, columns: Mapping[str, str], where: str
) -> tuple[duckdb.DuckDBPyRelation, list[str]]:
    """Give every column its canonical name.

    Parameters
    ----------
    relation : duckdb.DuckDBPyRelation
    columns : mapping of str to str
        Canonical to actual, as the user maps them.
    where : str
        Name of the log.

    Returns
    -------
    relation : duckdb.DuckDBPyRelation
    warnings : list of str
        Labels whose names had to be changed.

    Raises
    ------
    LogError
        If two columns would get one name.
    """
    actual = rename(relation.columns, columns)
    safe = {name: re.sub(UNSAFE, "_", name) for name in actual}
    check_names(list(safe.values()), where)
    listed = (f"{identifier(actual[name])} AS {identifier(safe[name])}" for name in actual)
    changed = [
        f"the column '{name}' is called '{other}' here" for name, other in safe.items() if name != other
    ]
    return relation.project(", ".join(listed)), changed


def narrow(frame: nw.LazyFrame[Any], where: Mapping[str, Sequence[str]]) -> nw.LazyFrame[Any]:
    """Keep rows that have any of the given values in each of the given columns."""
    schema = frame.collect_schema()
    narrowed = frame
    for column, values in where.items():
        _check_column(column, schema, "--where")
        text = as_text(column, schema[column])
        _refuse_unknown(column, values, frame.select(text.alias("value")))
        narrowed = narrowed.filter(text.is_in(list(values)))
    return narrowed


def _refuse_unknown(column: str, values: Sequence[str], texts: nw.LazyFrame[Any]) -> None:
    """Refuse a value that no row has: a misspelt one would be left out without a word."""
    import narwhals as nw

    def distinct(of: nw.LazyFrame[Any], most: int) -> list[str]:
        found = of.drop_nulls().unique().sort("value").head(most).collect("pyarrow")
        return list(found["value"].to_list())

    there = distinct(texts.filter(nw.col("value").is_in(list(values))), len(values))
    for value in values:
        if value not in there:
            raise LogError(
                f"no row has {column}={value}",
                where=f"--where {column}={value}",
                allowed=nearest(value, distinct(texts, 50)),
            )


def blank(frame: nw.LazyFrame[Any], missing: Mapping[str, Sequence[str]]) -> nw.LazyFrame[Any]:
    """Make empty texts null, and those that the user declares; an empty transcript stays."""
    import narwhals as nw

    schema = frame.collect_schema()
    for column in missing:
        _check_column(column, schema, "--missing")
    blanked = []
    for name, kind in schema.items():
        empty = [""] if kind == nw.String and name not in TEXTS else []
        if out := [*empty, *missing.get(name, ())]:
            kept = nw.when(~as_text(name, kind).is_in(out)).then(nw.col(name)).otherwise(None)
            blanked.append(kept.alias(name))
    return frame.with_columns(*blanked) if blanked else frame


def _check_column(column: str, there: Iterable[str], option: str) -> None:
    if column not in there:
        raise LogError(
            f"the log has no column '{column}'",
            where=f"{option} {column}=...",
            allowed=nearest(column, there),
        )
