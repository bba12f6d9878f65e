"""References and metadata that come in files of their own, joined to the log by utterance or speaker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairaudit.checks import OURS
from fairaudit.exceptions import LogError
from fairaudit.log import COUNTS, FLAGS, TEXTS, Coverage, check_names
from fairaudit.provenance import Joined
from fairaudit.readers.formats import TEXT
from fairaudit.readers.workspace import identifier, literal, run

if TYPE_CHECKING:
    import duckdb

    from fairaudit.readers.workspace import Workspace

#: Ids that are named where some did not match.
MOST_NAMED = 3
#: Endings of a file that an id may carry.
_ENDINGS = "wav|flac|mp3|ogg|opus|m4a|aac|webm|mp4|sph|json|txt"
_FILE_NAME = (
    r"regexp_replace(regexp_replace({0}, '^.*[/\\]', ''), " + literal(rf"[.]({_ENDINGS})$") + ", '', 'i')"
)
#: How ids of two files are compared: exactly; or, only where no id matches so, by what both have in common.
WAYS = {
    "exact": "{0}",
    "case": "lower({0})",
    "file name": _FILE_NAME,
    "file name and case": f"lower({_FILE_NAME})",
}
LOG, OTHER = "fairaudit_log", "fairaudit_other"
#: Column that tells the rows which only the references have.
ONLY_REFERENCE = f"{OURS}only reference"


@dataclass(frozen=True)
class Part:
    """A file of its own, opened, with canonical names.

    Parameters
    ----------
    role : {"references", "metadata"}
    relation : duckdb.DuckDBPyRelation
    name : str
        Of the files, for messages.
    """

    role: str
    relation: duckdb.DuckDBPyRelation
    name: str


def sided(relation: duckdb.DuckDBPyRelation, role: str) -> duckdb.DuckDBPyRelation:
    """Name the column of a format that holds one side only after the side that the file is given for.

    Parameters
    ----------
    relation : duckdb.DuckDBPyRelation
    role : {"log", "references", "metadata"}
    """
    side = {"log": "hypothesis", "references": "reference"}.get(role)
    if TEXT not in relation.columns or side is None or side in relation.columns:
        return relation
    listed = (f"{identifier(c)} AS {side}" if c == TEXT else identifier(c) for c in relation.columns)
    return relation.project(", ".join(listed))


def join(
    log: duckdb.DuckDBPyRelation, part: Part, workspace: Workspace
) -> tuple[duckdb.DuckDBPyRelation, Coverage, list[str]]:
    """Join a file to the log.

    References are joined by utterance, and an utterance that only they hold becomes a row without a
    hypothesis, which `ONLY_REFERENCE` marks. Metadata is joined by utterance where both sides have ids
    and any match, else by speaker, and adds no rows. Where both have a column, the file that was given
    for it is believed.

    Parameters
    ----------
    log : duckdb.DuckDBPyRelation
    part : Part
    workspace : Workspace

    Returns
    -------
    relation : duckdb.DuckDBPyRelation
    coverage : Coverage
    warnings : list of str

    Raises
    ------
    LogError
        If a side has no id, ids of the file are doubled, or none of them is in the log.
    """
    check_names(list(dict.fromkeys((*log.columns, *part.relation.columns))), part.name)
    log = _stored(log, workspace)
    other = _stored(_own_columns(part), workspace)
    key, way = _key(log, other, part)
    if key == "speaker_id":
        # What a table of speakers says of single utterances is not about the log's.
        kept = [column for column in other.columns if column != "utterance_id"]
        other = _stored(other.project(", ".join(map(identifier, kept))).distinct(), workspace)
    _refuse_doubled(other, key, way, part, f"{part.name}, {key}")
    if way != "exact":
        _refuse_doubled(log, key, way, part, "the log")
    coverage = _coverage(log, other, key, way, part)
    joined = _joined(log, other, key, way, outer=part.role == "references")
    warnings = _warnings(log, other, key, way, part)
    return _stored(joined, workspace), coverage, warnings


def _own_columns(part: Part) -> duckdb.DuckDBPyRelation:
    """Take from a file what it is given for: counts and hypotheses are the log's."""
    unwanted = {*COUNTS, *FLAGS, "hypothesis", TEXT} | ({"reference"} if part.role == "metadata" else set())
    kept = [c for c in part.relation.columns if c not in unwanted]
    if part.role == "references" and "reference" not in kept:
        raise LogError(
            "the references have no text",
            where=part.name,
            allowed=f"a column reference; there are: {', '.join(part.relation.columns)}",
            fix="name it with --column reference=ACTUAL",
        )
    return part.relation.project(", ".join(map(identifier, kept)))


def _key(log: duckdb.DuckDBPyRelation, other: duckdb.DuckDBPyRelation, part: Part) -> tuple[str, str]:
    """Find the ids by which two tables belong together."""
    keys = ["utterance_id"] if part.role == "references" else ["utterance_id", "speaker_id"]
    shared = [key for key in keys if key in log.columns and key in other.columns]
    if not shared:
        raise LogError(
            f"the {part.role} cannot be joined: log and file share no {' and no '.join(keys)}",
            where=part.name,
            allowed=f"the log has {', '.join(log.columns)}; the file has {', '.join(other.columns)}",
            fix=f"name the ids with --column {keys[0]}=ACTUAL, which may be a column of either file",
        )
    for key in shared:
        ways = WAYS if key == "utterance_id" else {"exact": WAYS["exact"]}
        matches = {way: _matches(log, other, key, way) for way in ways}
        # The way by which most match, and of equals the first: ids are folded only where that helps.
        best = max(ways, key=lambda way: matches[way])
        if matches[best]:
            return key, best
    examples = "; ".join(
        f"'{first}' in {where}"
        for table, where in ((log, "the log"), (other, part.name))
        for first in _first(table.project(f"{identifier(shared[0])} AS id"))[:1]
    )
    raise LogError(
        f"no {' or '.join(shared)} of the log is in the {part.role}: {examples}",
        where=part.name,
        fix="check that both are of the same data; other ids can be named with --column",
    )


def _pair(
    log: duckdb.DuckDBPyRelation, other: duckdb.DuckDBPyRelation
) -> tuple[duckdb.DuckDBPyRelation, duckdb.DuckDBPyRelation]:
    return log.set_alias(LOG), other.set_alias(OTHER)


def _same(key: str, way: str) -> str:
    return " = ".join(WAYS[way].format(f"{side}.{identifier(key)}") for side in (LOG, OTHER))


def _matches(log: duckdb.DuckDBPyRelation, other: duckdb.DuckDBPyRelation, key: str, way: str) -> int:
    left, right = _pair(log, other)
    return _count(left.join(right, _same(key, way), how="semi"))


def _refuse_doubled(table: duckdb.DuckDBPyRelation, key: str, way: str, part: Part, where: str) -> None:
    """Refuse a file that says two things of one utterance or speaker, or ids that are one when compared."""
    folded = WAYS[way].format(identifier(key))
    of = table.filter(f"{identifier(key)} IS NOT NULL")
    rows = of.aggregate(f"{folded} AS id, count(*) AS times", folded).filter("times > 1")
    if doubled := rows.order("id").limit(1).fetchall():
        name, times = doubled[0]
        raise LogError(
            f"{key} '{name}' is there {times} times"
            + (", with different values" if key == "speaker_id" else "")
            + (f", as ids are compared by {way}" if way != "exact" else ""),
            where=where,
            allowed=f"one row for each {key.removesuffix('_id')}",
            fix=f"leave one of them; or write ids in one way in the log and the {part.role}",
        )


def _coverage(
    log: duckdb.DuckDBPyRelation, other: duckdb.DuckDBPyRelation, key: str, way: str, part: Part
) -> Coverage:
    """Count what matched on each side, and name the first ids that did not."""
    left, right = _pair(log, other)
    alone = left.join(right, _same(key, way), how="anti").project(f"{identifier(key)} AS id")
    left, right = _pair(log, other)
    condition = _same(key, way)
    unused = right.join(left, condition, how="anti").project(f"{identifier(key)} AS id")
    rows, utterances = _count(other), _count(log)
    record = Joined(
        role=part.role,
        key=key,
        matched_by=way,
        rows=rows,
        rows_matched=rows - _count(unused),
        utterances=utterances,
        utterances_matched=utterances - _count(alone),
    )
    return Coverage(
        record=record, name=part.name, only_in_log=tuple(_first(alone)), only_in_file=tuple(_first(unused))
    )


def _joined(
    log: duckdb.DuckDBPyRelation, other: duckdb.DuckDBPyRelation, key: str, way: str, *, outer: bool
) -> duckdb.DuckDBPyRelation:
    def of(side: str, column: str) -> str:
        return f"{side}.{identifier(column)}"

    listed = []
    for column in dict.fromkeys((*log.columns, *other.columns)):
        name = identifier(column)
        if column == key:
            # The id is the log's, and where it has none that of the references.
            listed.append(f"coalesce({of(LOG, column)}, {of(OTHER, column)}) AS {name}")
        elif column not in other.columns:
            listed.append(f"{of(LOG, column)} AS {name}")
        elif column in TEXTS or column not in log.columns:
            listed.append(f"{of(OTHER, column)} AS {name}")
        else:
            # An empty text is a missing value, and not one that is believed.
            sides = (f"nullif(CAST({of(side, column)} AS VARCHAR), '')" for side in (OTHER, LOG))
            listed.append(f"coalesce({', '.join(sides)}) AS {name}")
    if outer:
        listed.append(f"{of(LOG, 'log_row')} IS NULL AS {identifier(ONLY_REFERENCE)}")
        log = log.project("*, 1 AS log_row")
    left, right = _pair(log, other)
    return left.join(right, _same(key, way), how="outer" if outer else "left").project(", ".join(listed))


def _warnings(
    log: duckdb.DuckDBPyRelation, other: duckdb.DuckDBPyRelation, key: str, way: str, part: Part
) -> list[str]:
    notes = []
    if both := [c for c in other.columns if c in log.columns and c != key]:
        notes.append(f"where both have {' and '.join(both)}, what {part.name} says is used")
    if way != "exact":
        notes.append(f"ids of the log and of {part.name} are not the same; they were matched by {way}")
    return notes


def _stored(relation: duckdb.DuckDBPyRelation, workspace: Workspace) -> duckdb.DuckDBPyRelation:
    """Compute a relation once."""
    file = workspace.file()
    run(lambda: relation.write_parquet(str(file), compression="snappy"), "the log")
    return workspace.connection.read_parquet(str(file))


def _count(relation: duckdb.DuckDBPyRelation) -> int:
    (rows,) = relation.count("*").fetchone() or (0,)
    return int(rows)


def _first(ids: duckdb.DuckDBPyRelation) -> list[str]:
    named = ids.filter("id IS NOT NULL").distinct().order("id").limit(MOST_NAMED).fetchall()
    return [str(name) for (name,) in named]
