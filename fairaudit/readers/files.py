"""Open files as one table: those that need no translation here, those of foreign formats by their reader.

Text formats are read once, every scalar as text, into a temporary Parquet file: ids, dates and ZIP
codes are never re-typed, and nothing is parsed a second time.
"""

from __future__ import annotations

import csv
import glob
import json
import re
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from fairaudit.exceptions import LogError
from fairaudit.log import check_names
from fairaudit.provenance import ORIGIN, Origin, Source
from fairaudit.readers.document import MARK, Document
from fairaudit.readers.formats import choose, installed
from fairaudit.readers.translation import translate
from fairaudit.readers.workspace import NOT_UTF_8, literal, run

if TYPE_CHECKING:
    import duckdb

    from fairaudit.readers.workspace import Workspace

PACKED = {".gz": "gzip", ".zst": "zstd"}
#: An empty field stays an empty text: whether that is missing is not for the parser to say.
_NO_NULL = "\\N fairaudit: no text is null"
#: Types that do not go together in one column.
_FAMILIES = {"VARCHAR": "text", "FLOAT": "floating-point numbers", "DOUBLE": "floating-point numbers"}


def open_files(
    paths: Sequence[str | Path], workspace: Workspace, *, form: str | None = None, role: str = "log"
) -> tuple[duckdb.DuckDBPyRelation, tuple[Source, ...]]:
    """Open one or several files of one format as one table, columns matched by name.

    Parameters
    ----------
    paths : sequence of str or Path
        Each may be a glob, or a folder of a foreign format.
    workspace : Workspace
    form : str, optional
        Name of the format; by default it is recognised.
    role : str
        What the files are for, for the record.

    Raises
    ------
    LogError, OptionError
        If a file does not exist, is given twice, is of an unknown format, or is malformed; if files
        are of several formats, or a column is of types that do not go together.
    """
    files = [file for path in paths for file in _expand(str(path))]
    if len({file.resolve() for file in files}) < len(files):
        raise LogError(
            "a file is given twice, so its utterances would count twice",
            where=", ".join(str(file) for file in files),
        )
    kinds: dict[str, list[str]] = {}
    tables, sources = [], []
    for file in files:
        document = _unpacked(file, workspace)
        kind = choose(document, form)
        kinds.setdefault(kind, []).append(file.name)
        _refuse_mixture(kinds)
        # In the name of a file that is there, nothing is a pattern.
        table = _table(document, kind, workspace)
        tables.append(glob.escape(str(table)))
        if document.origin and table != document.path:
            document.path.unlink()
        rows = run(partial(_rows, tables[-1], workspace), file.name)
        sources.append(
            Source(
                role=role,
                name=file.name,
                sha256=document.sha256(),
                rows=rows,
                format=kind,
                origin=_origin(document.path) if kind == "parquet" else None,
            )
        )
    if len(files) > 1:
        _check_types(files, tables, workspace)
    relation = run(
        lambda: workspace.connection.read_parquet(tables, union_by_name=len(tables) > 1),
        files[0].name,
    )
    return relation, tuple(sources)


def _refuse_mixture(kinds: dict[str, list[str]]) -> None:
    if len(kinds) > 1:
        raise LogError(
            f"files of different formats: {', '.join(sorted(kinds))}",
            where="; ".join(f"{names[0]} is {kind}" for kind, names in kinds.items()),
            allowed="several files of one format",
            fix="give references and metadata with --references and --metadata",
        )


def _rows(table: str, workspace: Workspace) -> int:
    (rows,) = workspace.connection.read_parquet(table).count("*").fetchone() or (0,)
    return int(rows)


def _expand(path: str) -> list[Path]:
    if Path(path).is_file() or Path(path).is_dir():
        return [Path(path)]
    if Path(path).exists():
        raise LogError(
            f"{path} is no file", where=path, allowed="files and folders; a pipe can be read once only"
        )
    # Path.glob takes no absolute pattern.
    matches = glob.glob(path, recursive=True)  # noqa: PTH207
    found = sorted(Path(match) for match in matches if Path(match).is_file())
    if not found:
        raise LogError(
            f"no such file: {path}",
            where=path,
            fix="check the path; quote a pattern such as 'logs/*.csv'",
        )
    return found


def _table(document: Document, kind: str, workspace: Workspace) -> Path:
    """Return a Parquet file: the file itself, or what is read from it."""
    file, name = document.path, document.name
    if kind in installed():
        return translate(installed()[kind], document, workspace)
    if document.is_folder:
        raise LogError(f"{name} is a folder", where=f"--format {kind}", allowed="a file")
    if kind == "parquet":
        check_names(_parquet_columns(file, name), name)
        return file
    if kind == "jsonl":
        relation = _json_lines(file, name, workspace)
    else:
        relation = _delimited(file, name, "\t" if kind == "tsv" else ",", workspace)
    table = workspace.file()
    run(lambda: relation.write_parquet(str(table), compression="snappy"), name)
    return table


def _unpacked(file: Path, workspace: Workspace) -> Document:
    """Return a file without compression and without a byte order mark.

    DuckDB takes a truncated archive for a short one, and half a log must not pass for a whole.
    """
    import pyarrow as pa

    if file.is_dir():
        return Document(file, file.name or str(file))
    packed = PACKED.get(file.suffix.lower())
    try:
        with file.open("rb") as stream:
            marked = stream.read(len(MARK)) == MARK
        if not packed and not marked:
            return Document(file, file.name)
        target = workspace.file(".plain")
        with pa.input_stream(str(file), compression=packed) as source, target.open("wb") as plain:
            start = source.read(len(MARK))
            plain.write(b"" if start == MARK else start)
            shutil.copyfileobj(source, plain, 2**20)
    except OSError as error:
        raise LogError(
            f"cannot read {file.name}: {error.strerror or error}",
            where=str(file),
            fix="check that the file is complete and may be read",
        ) from None
    return Document(target, file.name, origin=file)


def _parquet_columns(file: Path, name: str) -> list[str]:
    """Return the names that are in the file: DuckDB renames what differs by case alone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(file).names)
    except (OSError, pa.ArrowException) as error:
        raise LogError(
            f"cannot read {name}: {str(error).splitlines()[0]}",
            where=name,
            fix="check the file's format and that it is complete",
        ) from None


def _origin(file: Path) -> Origin | None:
    """Return what a Parquet file of ours was made from; None of any other."""
    import pyarrow.parquet as pq

    told = (pq.read_schema(file).metadata or {}).get(ORIGIN)
    try:
        return None if told is None else msgspec.json.decode(told, type=Origin)
    except msgspec.DecodeError:
        return None


def _delimited(file: Path, name: str, delimiter: str, workspace: Workspace) -> duckdb.DuckDBPyRelation:
    """Read all fields as text. Only the header is looked at first: nothing about the dialect is guessed."""
    quote = '"' if delimiter == "," else ""
    try:
        # Bytes that are not UTF-8 are for DuckDB to refuse, which knows their line; here only the header is.
        with file.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
            quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
            first = next(csv.reader(stream, delimiter=delimiter, quoting=quoting), [])
    except csv.Error as error:
        raise LogError(f"cannot read the header of {name}: {error}", where=f"{name}, line 1") from None
    if re.search("[\0\udc80-\udcff]", "".join(first)):
        raise LogError(f"cannot read {name}: {NOT_UTF_8}", where=f"{name}, line 1")
    if not first:
        raise LogError(
            f"{name} has no header",
            where=f"{name}, line 1",
            allowed="a first line with the names of the columns",
        )
    # A data frame that is written with its index leaves that column without a name.
    columns = [column.strip() or f"column{number}" for number, column in enumerate(first)]
    check_names(columns, name)
    listed = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    query = (
        f"SELECT * FROM read_csv({_path(file)}, auto_detect=false, header=true, columns={{{listed}}}, "
        f"delim={literal(delimiter)}, quote={literal(quote)}, escape={literal(quote)}, "
        f"nullstr={literal(_NO_NULL)})"
    )
    relation: duckdb.DuckDBPyRelation = run(lambda: workspace.connection.sql(query), name)
    return relation


def _json_lines(file: Path, name: str, workspace: Workspace) -> duckdb.DuckDBPyRelation:
    """Learn all keys first, then read every value but lists as the text that is written there."""
    connection = workspace.connection
    options = f"{_path(file)}, format='newline_delimited'"
    describe = f"DESCRIBE SELECT * FROM read_json_auto({options}, sample_size=-1)"
    try:
        found = run(lambda: connection.sql(describe).fetchall(), name)
    except LogError:
        _check_lines(file, name)
        raise
    # One column of this name is how DuckDB gives lines that are not all objects.
    if [column for column, *_ in found] == ["json"]:
        _check_lines(file, name)
    kinds = {column: kind if kind.endswith("[]") else "VARCHAR" for column, kind, *_ in found}
    check_names(list(kinds), name)
    listed = ", ".join(f"{literal(column)}: {literal(kind)}" for column, kind in kinds.items())
    query = f"SELECT * FROM read_json({options}, columns={{{listed}}})"
    relation: duckdb.DuckDBPyRelation = run(lambda: connection.sql(query), name)
    return relation


def _path(file: Path) -> str:
    """Quote a file for SQL: a parameter would have the table held in memory, and a pattern is none here."""
    return literal(glob.escape(str(file)))


def _check_lines(file: Path, name: str) -> None:
    """Find the first line that is no JSON object: slow, and only done when there is one."""
    allowed = 'one object on each line, such as {"speaker_id": "a", ...}'
    rows = 0
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            rows += 1
            where = f"{name}, line {number}"
            try:
                value = json.loads(line)
            except ValueError as error:
                at = (
                    f"malformed JSON at character {error.colno}"
                    if isinstance(error, json.JSONDecodeError)
                    else ""
                )
                raise LogError(
                    f"cannot read {name}: {at or NOT_UTF_8}", where=where, allowed=allowed
                ) from None
            if not isinstance(value, dict):
                raise LogError("a line is not a JSON object", where=where, allowed=allowed)
    if not rows:
        raise LogError("the log has no rows", where=name, fix="check the file")


def _check_types(files: Sequence[Path], tables: Sequence[str], workspace: Workspace) -> None:
    """Refuse files that hold one column as text and as floating-point numbers, or as a list.

    What is 12 in one file and 12.0 in the other would be two speakers.
    """
    seen: dict[str, dict[str, str]] = {}
    for file, table in zip(files, tables, strict=True):
        relation = run(partial(workspace.connection.read_parquet, table), file.name)
        for column, kind in zip(relation.columns, map(str, relation.types), strict=True):
            family = "a list" if kind.endswith("]") else _FAMILIES.get(kind)
            if family:
                seen.setdefault(column, {}).setdefault(family, file.name)
    for column, families in seen.items():
        if len(families) > 1:
            raise LogError(
                f"the column '{column}' is of different types: "
                + ", ".join(f"{family} in {file}" for family, file in families.items()),
                where=", ".join(families.values()),
                allowed="one type in all files",
                fix=f"write {column} with one type, ids as text",
            )
