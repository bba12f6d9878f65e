"""All files of one log brought together: opened, named canonically, and joined."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairaudit.checks import as_text
from fairaudit.exceptions import LogError, OptionError, nearest
from fairaudit.log import IDS, Coverage
from fairaudit.provenance import Source
from fairaudit.readers.files import open_files
from fairaudit.readers.formats import PLAIN
from fairaudit.readers.joining import Part, join, sided
from fairaudit.readers.refusal import names_of
from fairaudit.readers.selection import check_canonical, named
from fairaudit.readers.tables import open_table
from fairaudit.readers.workspace import literal

if TYPE_CHECKING:
    import duckdb
    import narwhals as nw

    from fairaudit.readers.workspace import Workspace


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

    def rows(self) -> int:
        """Return how many rows there are, those that only the references have among them."""
        import narwhals as nw

        if not self.coverage:
            return sum(source.rows or 0 for source in self.inputs)
        return int(self.frame.select(nw.len().alias("n")).collect("pyarrow")["n"][0])


def gather(
    source: Any,
    references: Any,
    metadata: Any,
    *,
    columns: Mapping[str, str],
    forms: Mapping[str, str | None],
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
    forms : mapping of str to str or None
        Format by role: log, references, metadata.
    speaker_from_id : str or None
        Regular expression whose group is the speaker in an utterance id.
    workspace : Workspace

    Raises
    ------
    LogError, OptionError
        If a file cannot be read or joined, or a mapped column is in none of them.
    """
    check_canonical(columns)
    roles = [("log", source)]
    roles += [("references", references)] if references is not None else []
    roles += [("metadata", one) for one in _several(metadata)]
    opened = [(role, *_opened(given, role, forms.get(role), workspace)) for role, given in roles]
    available = {column for _, relation, _ in opened for column in relation.columns}
    _check_mapped(columns, available)
    parts, notes = [], []
    for role, relation, inputs in opened:
        own = _of_file(columns, relation.columns, role, names_of(inputs))
        renamed, changed = named(relation, own, names_of(inputs))
        # In a plain table of the log's own, a column `text` is a label like any other.
        plain = role == "log" and all(source.format in (None, *PLAIN) for source in inputs)
        parts.append(Part(role, renamed if plain else sided(renamed, role), names_of(inputs)))
        notes += changed
    inputs = tuple(one for _, _, of_part in opened for one in of_part)
    log, coverage = parts[0].relation, []
    if parts[1:]:
        log = _with_text_ids(log)
    waiting = [Part(part.role, _with_text_ids(part.relation), part.name) for part in parts[1:]]
    if speaker_from_id is not None and not any(part.role == "references" for part in waiting):
        log = _speakers(log, speaker_from_id)
    while waiting:
        part = _next(log, waiting)
        log, fits, warned = join(log, part, workspace)
        coverage.append(fits)
        notes += warned
        if speaker_from_id is not None and part.role == "references":
            log = _speakers(log, speaker_from_id)
    return Gathered(_frame(log), inputs, tuple(coverage), notes)


def _next(log: duckdb.DuckDBPyRelation, waiting: list[Part]) -> Part:
    """Take the next file that can be joined: one of speakers may have to wait for the one that names them."""
    for part in waiting:
        by_utterance = "utterance_id" in log.columns and "utterance_id" in part.relation.columns
        by_speaker = "speaker_id" in log.columns and "speaker_id" in part.relation.columns
        if by_utterance or (by_speaker and part.role == "metadata"):
            waiting.remove(part)
            return part
    return waiting.pop(0)


def _of_file(columns: Mapping[str, str], there: Sequence[str], role: str, where: str) -> dict[str, str]:
    """Return the columns that a file has, of those that the user maps.

    One column can be two things in two files, such as `text`: then the side that the file is given for.
    """
    own = {name: actual for name, actual in columns.items() if actual in there}
    for actual in set(own.values()):
        names = [name for name in own if own[name] == actual]
        side = {"log": "hypothesis", "references": "reference"}.get(role)
        if len(names) > 1 and side not in names:
            raise OptionError(
                f"the column '{actual}' is mapped to {' and '.join(names)}",
                where=where,
                allowed="one canonical column for each column of a file",
            )
        if len(names) > 1:
            own = {name: of for name, of in own.items() if of != actual or name == side}
    return own


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


def _speakers(log: duckdb.DuckDBPyRelation, pattern: str) -> duckdb.DuckDBPyRelation:
    """Take the speaker of each utterance out of its id."""
    import duckdb

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
    try:
        duckdb.execute("SELECT regexp_extract('', ?, 1)", [pattern])
    except duckdb.Error as error:
        raise OptionError(
            f"the engine does not know this expression: {str(error).splitlines()[0]}",
            where=option,
            allowed="the syntax of RE2, which has no look-ahead and no back references",
        ) from None
    return log.project(f"*, nullif({found}, '') AS speaker_id")


def _frame(relation: duckdb.DuckDBPyRelation) -> nw.LazyFrame[Any]:
    import narwhals as nw

    return nw.from_native(relation)
