"""All files of one log brought together: opened, named canonically, and joined."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairaudit.checks import as_text
from fairaudit.exceptions import LogError, OptionError, nearest
from fairaudit.log import Coverage
from fairaudit.provenance import Source
from fairaudit.readers.files import open_files
from fairaudit.readers.joining import Part, join, sided
from fairaudit.readers.refusal import names_of
from fairaudit.readers.selection import check_canonical, named
from fairaudit.readers.tables import open_table
from fairaudit.readers.workspace import literal, run

if TYPE_CHECKING:
    import duckdb
    import narwhals as nw

    from fairaudit.readers.workspace import Workspace

IDS = ("utterance_id", "speaker_id")


@dataclass(frozen=True, eq=False)
class Gathered:
    """One table with canonical names, and where it comes from.

    Parameters
    ----------
    frame : narwhals.LazyFrame
    inputs : tuple of Source
    coverage : tuple of Coverage
        Of each file that was joined.
    warnings : list of str
    """

    frame: nw.LazyFrame[Any]
    inputs: tuple[Source, ...]
    coverage: tuple[Coverage, ...]
    warnings: list[str]


def gather(
    source: Any,
    references: Any,
    metadata: Any,
    *,
    columns: Mapping[str, str],
    form: str | None,
    speaker_from_id: str | None,
    workspace: Workspace,
) -> Gathered:
    """Open a log and the files that belong to it, and make one table of them.

    Parameters
    ----------
    source, references, metadata : str, Path, sequence of them, a table, or None
        Several files of `source` or of `references` are one table; each of `metadata` is joined by itself.
    columns : mapping of str to str
        Canonical to actual, in whichever of the files has it.
    form : str or None
        Format of `source`.
    speaker_from_id : str or None
        Regular expression whose group is the speaker in an utterance id.
    workspace : Workspace

    Raises
    ------
    LogError, OptionError
        If a file cannot be read or joined, or a mapped column is in none of them.
    """
    check_canonical(columns)
    roles = [("log", source, form)]
    roles += [("references", references, None)] if references is not None else []
    roles += [("metadata", one, None) for one in _several(metadata)]
    opened = [(role, *_opened(given, role, kind, workspace)) for role, given, kind in roles]
    available = {column for _, relation, _ in opened for column in relation.columns}
    _check_mapped(columns, available)
    parts, notes = [], []
    for role, relation, inputs in opened:
        own = {name: actual for name, actual in columns.items() if actual in relation.columns}
        renamed, changed = named(sided(relation, role), own, names_of(inputs))
        parts.append(Part(role, renamed, names_of(inputs)))
        notes += changed
    inputs = tuple(one for _, _, of_part in opened for one in of_part)
    log, coverage = parts[0].relation, []
    if parts[1:]:
        log = _with_text_ids(log)
    for part in parts[1:]:
        other = Part(part.role, _with_text_ids(part.relation), part.name)
        log, fits, warned = join(log, other, workspace)
        coverage.append(fits)
        notes += warned
    if speaker_from_id is not None:
        log = _speakers(log, speaker_from_id, names_of(inputs))
    return Gathered(_frame(log), inputs, tuple(coverage), notes)


def _several(given: Any) -> Sequence[Any]:
    if given is None:
        return ()
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _opened(
    given: Any, role: str, form: str | None, workspace: Workspace
) -> tuple[duckdb.DuckDBPyRelation, tuple[Source, ...]]:
    if isinstance(given, (str, Path)):
        given = [given]
    if isinstance(given, Sequence) and all(isinstance(item, (str, Path)) for item in given):
        if not given:
            raise LogError("no log was given", allowed="one or more files")
        return open_files(given, workspace, form=form, role=role)
    if form is not None:
        raise OptionError(f"format is '{form}', and the log is a table", allowed="a format of files")
    return open_table(given, workspace, role)


def _check_mapped(columns: Mapping[str, str], available: set[str]) -> None:
    for canonical, actual in columns.items():
        if actual not in available:
            raise LogError(
                f"the log has no column '{actual}'",
                where=f"--column {canonical}={actual}",
                allowed=nearest(actual, available),
            )


def _with_text_ids(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Make ids text, as the checks of a log do: what is 12 in one file and 12.0 in the other is one id."""
    frame = _frame(relation)
    schema = frame.collect_schema()
    texts = [as_text(name, schema[name]).alias(name) for name in IDS if name in schema]
    native: duckdb.DuckDBPyRelation = (frame.with_columns(*texts) if texts else frame).to_native()
    return native


def _speakers(log: duckdb.DuckDBPyRelation, pattern: str, where: str) -> duckdb.DuckDBPyRelation:
    """Take the speaker of each utterance out of its id."""
    option = f"--speaker-from-id '{pattern}'"
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise OptionError(f"not a regular expression: {error}", where=option) from None
    if groups != 1:
        raise OptionError(
            f"the expression has {groups} groups",
            where=option,
            allowed="one, which is the speaker, such as '^([^-]+)-'",
        )
    if "utterance_id" not in log.columns or "speaker_id" in log.columns:
        has = "no utterance_id" if "utterance_id" not in log.columns else "a speaker_id"
        raise OptionError(
            f"the log has {has}", where=option, allowed="a log with utterance ids and without speakers"
        )
    found = f"regexp_extract(CAST(utterance_id AS VARCHAR), {literal(pattern)}, 1)"
    # What does not match has no speaker, and is told as every row without one.
    named = log.project(f"*, nullif({found}, '') AS speaker_id")
    run(lambda: named.limit(1).fetchall(), where)
    return named


def _frame(relation: duckdb.DuckDBPyRelation) -> nw.LazyFrame[Any]:
    import narwhals as nw

    return nw.from_native(relation)
