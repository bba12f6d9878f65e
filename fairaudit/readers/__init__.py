"""From files or tables to a checked utterance log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairaudit import checks
from fairaudit.demographics import zip_codes_with_leading_zero
from fairaudit.exceptions import LogError, OptionError
from fairaudit.log import CANONICAL, UtteranceLog, check_columns, file_sha256, has_counts
from fairaudit.provenance import Metric, Selection, Source
from fairaudit.readers.files import open_files
from fairaudit.readers.refusal import names_of, refuse_too_many
from fairaudit.readers.selection import blank, named, narrow
from fairaudit.readers.tables import open_table
from fairaudit.readers.text import score_frame
from fairaudit.readers.workspace import Workspace, run

if TYPE_CHECKING:
    import narwhals as nw

Columns = Mapping[str, str]
Values = Mapping[str, Sequence[str]]


def read_log(
    source: Any,
    *,
    columns: Columns | None = None,
    where: Values | None = None,
    missing: Values | None = None,
    embeddings: str | Path | None = None,
    normalizer: str | None = None,
    metric: str = "WER",
    max_excluded: float = 0.01,
    assume_independent_utterances: bool = False,
) -> UtteranceLog:
    """Read and check an utterance log.

    Parameters
    ----------
    source : str, Path, sequence of them, or a table
        Parquet, CSV, TSV or JSON lines, each also gzip or zstd; a glob or several files are one log.
        Or a pandas, Polars, Arrow or DuckDB table.
    columns : mapping of str to str, optional
        Canonical name to the name in the log.
    where : mapping of str to sequence of str, optional
        Keep rows with any of the values of a column, in all of the columns.
    missing : mapping of str to sequence of str, optional
        Texts that mean a missing value, by column. Empty texts always do.
    embeddings : str or Path, optional
        File of speaker vectors by speaker or utterance; see `fairaudit.embeddings.read_vectors`.
    normalizer : {"none", "basic", "whisper-en"}, optional
        How reference and hypothesis text is normalised before it is scored. Where it is named, text is
        scored even if the log has counts as well.
    metric : str
        Name of the ratio that is reported.
    max_excluded : float
        Largest fraction of rows that may be left out.
    assume_independent_utterances : bool
        Take each utterance for a speaker of its own, in a log without speakers.

    Returns
    -------
    UtteranceLog

    Raises
    ------
    LogError, OptionError
        If the log cannot be audited as it is; the message says what, where and what to do.

    Examples
    --------
    >>> import pandas as pd
    >>> log = read_log(pd.DataFrame({"spk": ["a", "b"], "ref_words": [9, 8], "errors": [1, 0]}),
    ...                columns={"speaker_id": "spk"})
    >>> log.columns == {"speaker_id", "ref_words", "errors"}
    True
    """
    if not 0 <= max_excluded < 1:
        raise OptionError(
            f"max_excluded is {max_excluded}", where="--max-excluded", allowed="a fraction from 0 to below 1"
        )
    workspace = Workspace()
    relation, inputs = _open(source, workspace)
    frame, warnings = named(relation, columns or {}, names_of(inputs))
    selection = _selection(columns, where, missing, max_excluded)
    frame = blank(narrow(frame, selection.where), selection.missing)
    names = frame.collect_schema().names()
    check_columns(names, independent=assume_independent_utterances)
    if assume_independent_utterances:
        frame = workspace.with_own_speakers(frame)
    scoring = None
    if normalizer is not None or not has_counts(names):
        frame, scoring, notes = score_frame(frame, normalizer, workspace)
        warnings += notes
    log = UtteranceLog(
        frame=frame,
        columns=frozenset(),
        labels=(),
        excluded={},
        unchecked=(),
        warnings=tuple(warnings),
        inputs=inputs,
        scoring=scoring,
        metric=_metric(metric, columns or {}),
        independent_utterances=assume_independent_utterances,
        selection=selection,
        engine=workspace,
    )
    log = _checked(log, workspace, max_excluded)
    return log if embeddings is None else _with_vectors(log, Path(embeddings), workspace)


def _open(source: Any, workspace: Workspace) -> tuple[Any, tuple[Source, ...]]:
    if isinstance(source, (str, Path)):
        return open_files([source], workspace)
    if isinstance(source, Sequence) and all(isinstance(item, (str, Path)) for item in source):
        if not source:
            raise LogError("no log was given", allowed="one or more files")
        return open_files(source, workspace)
    return open_table(source, workspace)


def _selection(
    columns: Columns | None, where: Values | None, missing: Values | None, max_excluded: float
) -> Selection:
    """Put the options on record, in the one form that they have there."""
    texts = {}
    for option, values in (("where", where or {}), ("missing", missing or {})):
        if not isinstance(values, Mapping) or any(isinstance(v, str) for v in values.values()):
            raise OptionError(
                f"{option} is {values!r}",
                where=f"read_log({option}=...)",
                allowed='{"column": ["value", ...]}',
            )
        texts[option] = {column: tuple(map(str, of)) for column, of in values.items()}
    return Selection(columns=dict(columns or {}), max_excluded=max_excluded, **texts)


def _metric(name: str, columns: Columns) -> Metric:
    return Metric(
        name=name,
        numerator=columns.get("errors", "errors"),
        denominator=columns.get("ref_words", "ref_words"),
    )


def _checked(log: UtteranceLog, workspace: Workspace, max_excluded: float) -> UtteranceLog:
    """Give columns their types, count what is left out and why, and leave it out."""
    import narwhals as nw

    zip_codes = zip_codes_with_leading_zero() if "zip_code" in log.frame.collect_schema() else ()
    rows = _one_row(log.frame.select(nw.len().alias("rows")), log.inputs)["rows"]
    if not rows:
        raise LogError(
            "the log has no rows",
            where=names_of(log.inputs),
            fix="check the file, and --where if it is given",
        )
    typed = checks.typed(log.frame, zip_codes)
    unchecked: tuple[str, ...] = ()
    names = [name for name in typed.collect_schema().names() if name not in checks.WORKING]
    if "utterance_id" in names:
        if rows <= checks.MOST_ROWS_FOR_DUPLICATES:
            typed = checks.mark_duplicates(typed)
        else:
            most = checks.MOST_ROWS_FOR_DUPLICATES
            unchecked = (f"duplicate utterance ids ({rows:,} rows; looked for up to {most:,})",)
    in_place = checks.reads_in_place(log.frame)
    if not in_place:
        # Numbers that are text are parsed once, and what follows reads the copy.
        typed = workspace.copied(typed)
    labels = tuple(name for name in names if name not in CANONICAL)
    suspects = ("speaker_id", *labels)
    found = _one_row(typed.select(*checks.tallies(typed, suspects)), log.inputs)
    excluded = {reason: int(found[reason]) for reason in checks.REMEDIES if found[reason]}
    refuse_too_many(log.frame, zip_codes, excluded, rows, max_excluded, log.inputs)
    changed = bool(excluded) or any(found.get(kind) for kind in checks.REPAIRS)
    if in_place and not changed:
        frame = checks.final(log.frame)
    else:
        frame = checks.final(typed.filter(nw.col(checks.REASON).is_null()))
        frame = workspace.copied(frame) if in_place else frame
    return replace(
        log,
        frame=frame,
        columns=frozenset(name for name in (*names, "errors") if name in CANONICAL),
        labels=labels,
        excluded=excluded,
        unchecked=unchecked,
        warnings=(*log.warnings, *checks.warnings_of(found, suspects)),
    )


def _with_vectors(log: UtteranceLog, path: Path, workspace: Workspace) -> UtteranceLog:
    """Read a file of speaker vectors and sum them by the speakers of the log."""
    from fairaudit.embeddings import by_speaker, read_vectors

    if "embedding" in log.columns:
        raise LogError(
            "the log has a column embedding, and a file of embeddings was given too",
            where="--embeddings",
            allowed="one of both",
        )
    ids, vectors = read_vectors(path)
    speakers = log.frame.select("speaker_id").unique().collect("pyarrow")["speaker_id"].to_list()
    owners: dict[str, str] = {}
    if "utterance_id" in log.columns:
        wanted = workspace.frame_of({"utterance_id": [str(i) for i in ids]})
        pairs = log.frame.select("utterance_id", "speaker_id").join(wanted, on="utterance_id", how="inner")
        table = pairs.collect("pyarrow")
        owners = dict(zip(table["utterance_id"].to_list(), table["speaker_id"].to_list(), strict=True))
    sums = by_speaker(ids, vectors, set(speakers), owners, path.name)
    source = Source(role="embeddings", name=path.name, sha256=file_sha256(path), rows=len(ids))
    without = len(speakers) - len(sums)
    note = [f"{without:,} of {len(speakers):,} speakers have no embedding"] if without else []
    if (unused := len(ids) - sum(str(i) in owners or str(i) in set(speakers) for i in ids)) > 0:
        note.append(f"{unused:,} of {len(ids):,} embeddings belong to nobody in the log")
    return replace(
        log,
        columns=log.columns | {"embedding"},
        inputs=(*log.inputs, source),
        vectors=sums,
        warnings=(*log.warnings, *note),
    )


def _one_row(frame: nw.LazyFrame[Any], inputs: Sequence[Source]) -> dict[str, Any]:
    row: dict[str, Any] = run(lambda: frame.collect("pyarrow"), names_of(inputs)).to_dict(as_series=False)
    return {name: values[0] for name, values in row.items()}
