"""A log of any format to one Parquet file with canonical columns, with its origin in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fairaudit import checks
from fairaudit.exceptions import LogError, OptionError
from fairaudit.log import CANONICAL, COORDINATES, COUNTS, FLAGS, Coverage, UtteranceLog
from fairaudit.provenance import ORIGIN, Origin, Selection
from fairaudit.readers.gathering import gather
from fairaudit.readers.joining import ONLY_REFERENCE
from fairaudit.readers.missing import check_placed
from fairaudit.readers.selection import blank, narrow
from fairaudit.readers.workspace import Workspace, identifier, run
from fairaudit.whole import whole_file

if TYPE_CHECKING:
    import narwhals as nw

#: Rows of a Parquet row group.
ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Written:
    """What was written.

    Parameters
    ----------
    rows : int
    columns : tuple of str
    warnings : tuple of str
    coverage : tuple of Coverage
        Of each file that was joined.
    """

    rows: int
    columns: tuple[str, ...]
    warnings: tuple[str, ...]
    coverage: tuple[Coverage, ...]

    def line(self, output: str | Path) -> str:
        """Say in one line what was written."""
        return f"{output}: {self.rows:,} utterances, columns {', '.join(self.columns)}"


def convert(
    source: Any,
    output: str | Path,
    *,
    references: Any = None,
    metadata: Any = None,
    format: str | None = None,
    references_format: str | None = None,
    metadata_format: str | None = None,
    columns: Mapping[str, str] | None = None,
    speaker_from_id: str | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
    missing: Mapping[str, Sequence[str]] | None = None,
) -> Written:
    """Write a log of any format as Parquet with canonical columns; every row is kept as it is.

    Parameters
    ----------
    source, references, metadata, format, references_format, metadata_format
        As for `fairaudit.read_log`.
    columns, speaker_from_id, where, missing
        As for `fairaudit.read_log`.
    output : str or Path
        A .parquet file. Ids and labels are text, counts whole numbers and coordinates numbers; a column
        in which some value is no number stays text, and a warning says so. Rows are sorted by utterance.

    Returns
    -------
    Written

    Raises
    ------
    LogError, OptionError
        If the log cannot be read, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> file = Path(tempfile.mkdtemp()) / "log.parquet"
    >>> told = convert(pd.DataFrame({"spk": ["a", "b"], "errors": ["1", "0"]}), file,
    ...                columns={"speaker_id": "spk"})
    >>> told.rows, told.columns
    (2, ('speaker_id', 'errors'))
    """
    file = _parquet(output)
    selection = Selection(
        columns=dict(columns or {}),
        where={name: tuple(values) for name, values in (where or {}).items()},
        missing={name: tuple(values) for name, values in (missing or {}).items()},
        speaker_from_id=speaker_from_id,
    )
    workspace = Workspace()
    gathered = gather(
        source,
        references,
        metadata,
        columns=selection.columns,
        forms={"log": format, "references": references_format, "metadata": metadata_format},
        speaker_from_id=speaker_from_id,
        workspace=workspace,
    )
    told = check_placed(gathered.frame, selection.where)
    frame = blank(narrow(gathered.frame, selection.where), selection.missing)
    frame = frame.drop([ONLY_REFERENCE] if ONLY_REFERENCE in frame.collect_schema() else [])
    frame, notes = _canonical(frame)
    origin = Origin(
        fairaudit_version=version("fairaudit-asr"), inputs=gathered.inputs, selection=selection.without_ids()
    )
    rows = _write(frame, origin, file)
    if not rows:
        file.unlink()
        raise LogError("the log has no rows", fix="check the file, and --where if it is given")
    return Written(
        rows=rows,
        columns=tuple(frame.collect_schema().names()),
        warnings=(*gathered.warnings, *told, *notes),
        coverage=gathered.coverage,
    )


def write_counts(log: UtteranceLog, output: str | Path) -> Written:
    """Write a log that was read and scored, without its texts.

    Parameters
    ----------
    log : UtteranceLog
    output : str or Path
        A .parquet file. It holds the rows that are not left out; how many were, and why, is on record
        in the file, and an audit of it says so.

    Returns
    -------
    Written

    Raises
    ------
    OptionError
        If the file cannot be written.
    """
    file = _parquet(output)
    origin = Origin(
        fairaudit_version=version("fairaudit-asr"),
        inputs=log.inputs,
        selection=log.selection.without_ids(),
        scoring=log.scoring,
        metric=log.metric,
        excluded=dict(log.excluded),
    )
    ours = [name for name in log.frame.collect_schema().names() if name.startswith(checks.OURS)]
    frame = log.frame.drop(ours)
    rows = _write(_ordered(frame), origin, file)
    out = [f"left out for {reason}: {n:,} rows" for reason, n in log.excluded.items()]
    return Written(
        rows=rows,
        columns=tuple(_ordered(frame).collect_schema().names()),
        warnings=(*log.warnings, *out),
        coverage=log.coverage,
    )


def _parquet(output: str | Path) -> Path:
    file = Path(output)
    if file.suffix != ".parquet":
        raise OptionError(f"cannot write {file.name}", where=f"-o {output}", allowed="a .parquet file")
    return file


def _canonical(frame: nw.LazyFrame[Any]) -> tuple[nw.LazyFrame[Any], list[str]]:
    """Give columns their types where every value allows it, and say where one does not."""
    import narwhals as nw

    schema = frame.collect_schema()
    numeric = [name for name in (*COUNTS, *FLAGS, *COORDINATES) if name in schema]
    tests = [nw.col(checks.BAD + name).cast(nw.Int64).sum().alias(f"bad:{name}") for name in numeric]
    tests += [
        (nw.col(name) != nw.col(name).round(0)).fill_null(False).cast(nw.Int64).sum().alias(f"part:{name}")
        for name in numeric
    ]
    found: dict[str, int] = {}
    if tests:
        read = frame.with_columns(*(e for name in numeric for e in checks.number(name, schema[name])))
        row = run(lambda: read.select(*tests).collect("pyarrow"), "the log").to_dict(as_series=False)
        found = {name: int(values[0] or 0) for name, values in row.items()}
    steps, notes = [], []
    for name, kind in schema.items():
        if name in numeric and not found[f"bad:{name}"]:
            value = checks.number(name, kind)[0]
            whole = name not in COORDINATES and not found[f"part:{name}"]
            steps.append(value.cast(nw.Int64) if whole else value)
        elif name != "embedding":
            steps.append(checks.as_text(name, kind).alias(name))
            if name in numeric:
                notes.append(
                    f"{name} holds {found[f'bad:{name}']:,} values that are no numbers: kept as text"
                )
    return _ordered(frame.with_columns(*steps)), notes


def _ordered(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Put canonical columns first, in their order."""
    names = frame.collect_schema().names()
    first = [name for name in CANONICAL if name in names]
    return frame.select(*first, *(name for name in names if name not in first))


def _write(frame: nw.LazyFrame[Any], origin: Origin, file: Path) -> int:
    """Write rows in an order of their own, so that equal logs give equal bytes."""
    import pyarrow.parquet as pq

    relation = frame.to_native()
    keys = [name for name in ("utterance_id", "speaker_id") if name in relation.columns]
    keys += [name for name in relation.columns if name not in (*keys, "embedding")]
    ordered = relation.order(", ".join(map(identifier, keys)))
    reader = run(lambda: ordered.to_arrow_reader(ROWS_AT_ONCE), "the log")
    schema = reader.schema.with_metadata({ORIGIN: msgspec.json.encode(origin)})
    rows = 0
    with whole_file(file) as beside, pq.ParquetWriter(beside, schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
            rows += batch.num_rows
    return rows
