"""Which rows of a log stay: types for its columns, and a reason for every row that is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fairaudit import checks
from fairaudit.demographics import zip_codes_with_leading_zero
from fairaudit.exceptions import LogError
from fairaudit.log import CANONICAL, COUNTS, FLAGS, MISSING, TRANSCRIPTS, UtteranceLog
from fairaudit.provenance import Source
from fairaudit.readers.refusal import names_of, refuse_too_many
from fairaudit.readers.workspace import Workspace, run

if TYPE_CHECKING:
    import narwhals as nw


def include(log: UtteranceLog, workspace: Workspace, without: int = 0) -> UtteranceLog:
    """Give columns their types, count what is left out and why, and leave it out.

    Parameters
    ----------
    log : UtteranceLog
        With the frame as it was gathered and scored.
    workspace : Workspace
    without : int
        Utterances that were left out already, as asked, for want of a hypothesis.

    Raises
    ------
    LogError
        If there are no rows, or too many of them cannot be used.
    """
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
    there = typed.collect_schema().names()
    names = [name for name in there if not name.startswith(checks.OURS)]
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
    labels = tuple(n for n in names if n not in CANONICAL and not n.startswith(TRANSCRIPTS))
    suspects = ("speaker_id", *labels)
    found = _one_row(typed.select(*checks.tallies(typed, suspects)), log.inputs)
    excluded = {reason: int(found[reason]) for reason in checks.REMEDIES if found[reason]}
    # What the user asked to leave out is not too much of it.
    asked = {MISSING} if log.selection.missing_hypothesis == "exclude" else set()
    refuse_too_many(log.frame, zip_codes, excluded, rows, log.selection.max_excluded, log.inputs, asked)
    changed = bool(excluded) or any(found.get(kind) for kind in checks.REPAIRS)
    if in_place and not changed:
        frame = checks.final(log.frame)
    else:
        frame = checks.final(typed.filter(nw.col(checks.REASON).is_null()))
        frame = workspace.copied(frame) if in_place else frame
    if without:
        excluded[MISSING] = without
    return replace(
        log,
        frame=frame,
        columns=frozenset(name for name in (*names, "errors") if name in CANONICAL),
        labels=labels,
        excluded=excluded,
        unchecked=unchecked,
        warnings=(*log.warnings, *checks.warnings_of(found, suspects)),
        texts=_texts(frame, typed, there, workspace, also_missing=bool(asked & set(excluded))),
        tallies=tuple(name for name in there if name in FLAGS or name.startswith(checks.OTHER)),
    )


def _texts(
    frame: nw.LazyFrame[Any],
    typed: nw.LazyFrame[Any],
    there: Sequence[str],
    workspace: Workspace,
    *,
    also_missing: bool,
) -> nw.LazyFrame[Any] | None:
    """Return the rows of which texts are reported: those that are counted, and those without a hypothesis."""
    import narwhals as nw

    if not set(FLAGS) & set(there):
        return None
    if not also_missing:
        return frame
    reason = nw.col(checks.REASON)
    zeros = (nw.col(name).fill_null(0) for name in there if name in (*COUNTS, *FLAGS))
    kept = typed.filter(reason.is_null() | (reason == MISSING)).with_columns(*zeros)
    return workspace.copied(checks.final(kept))


def _one_row(frame: nw.LazyFrame[Any], inputs: Sequence[Source]) -> dict[str, Any]:
    row: dict[str, Any] = run(lambda: frame.collect("pyarrow"), names_of(inputs)).to_dict(as_series=False)
    return {name: values[0] for name, values in row.items()}
