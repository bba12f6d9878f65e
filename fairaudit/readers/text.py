"""A log of texts to a log of counts, batch by batch."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from fairaudit.checks import UNSCORED
from fairaudit.exceptions import LogError, OptionError, nearest
from fairaudit.log import COUNTS, FLAGS, MISSING, MISSING_HYPOTHESIS, TEXTS
from fairaudit.provenance import Scoring
from fairaudit.scoring import NORMALIZERS, scoring_record
from fairaudit.scoring.batches import Task
from fairaudit.scoring.parallel import score_batches

if TYPE_CHECKING:
    import narwhals as nw
    import pyarrow as pa

    from fairaudit.readers.workspace import Workspace

ROWS_AT_ONCE = 5_000


def score_frame(
    frame: nw.LazyFrame[Any],
    normalizer: str | None,
    workspace: Workspace,
    *,
    unit: str = "words",
    also: Sequence[str] = (),
    missing_hypothesis: str | None = None,
) -> tuple[nw.LazyFrame[Any], Scoring, list[str]]:
    """Score reference and hypothesis text into counts; the texts do not travel further.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        Canonical names.
    normalizer : str or None
        None scores the text as it stands, and says so in a warning.
    workspace : Workspace
    unit : {"words", "characters"}
        What is counted.
    also : sequence of str
        Further normalisers; what they give is in the columns that `other_columns` names.
    missing_hypothesis : {"exclude", "delete"}, optional
        A hypothesis that is null leaves its row unscored, or is scored as an empty one. Not said is
        `exclude`; the caller decides whether that is an error.

    Returns
    -------
    frame : narwhals.LazyFrame
        With counts; with 0 or 1 in `missing_hypothesis`, `empty_reference`, `empty_hypothesis` and
        `looped`; and with `UNSCORED`, which says why a row could not be scored. The counts of such a
        row are 0.
    scoring : Scoring
    warnings : list of str

    Raises
    ------
    LogError
        If there is no text.
    OptionError
        If `missing_hypothesis`, the unit or a normaliser is not known.
    """
    import narwhals as nw

    names = frame.collect_schema().names()
    if lacking := [text for text in TEXTS if text not in names]:
        raise LogError(
            f"text is to be scored, but the log has no {' and no '.join(lacking)}",
            where=f"columns: {', '.join(names)}",
            fix="name the texts with --column; or, if the log has counts, leave --normalizer and "
            "--normalizer-sensitivity out: counts are used as they are",
        )
    schema = frame.collect_schema()
    for text in TEXTS:
        if schema[text].is_nested():
            raise LogError(
                f"{text} is of type {schema[text]}",
                where=f"column {text}",
                allowed="text, the words divided by spaces",
                fix="join the words by spaces",
            )
    if missing_hypothesis not in (None, *MISSING_HYPOTHESIS):
        raise OptionError(
            f"missing_hypothesis is {missing_hypothesis!r}",
            where="--missing-hypothesis",
            allowed=nearest(str(missing_hypothesis), MISSING_HYPOTHESIS),
        )
    name = normalizer or "none"
    others = tuple(other for other in dict.fromkeys(also) if other != name)
    task = Task((name, *others), unit, delete_missing=missing_hypothesis == "delete")
    frame = frame.drop([name for name in (*COUNTS, *FLAGS) if name in names])
    frame = frame.with_columns(nw.col(text).cast(nw.String) for text in TEXTS)
    scored = workspace.mapped(frame, lambda batches: _scored(batches, task), ROWS_AT_ONCE)
    return scored, scoring_record(name), [] if normalizer else [_as_it_stands()]


def _scored(batches: Iterator[pa.Table], task: Task) -> Generator[pa.Table, None, None]:
    """Replace the texts of Arrow tables by counts."""
    kept, sent = itertools.tee(batches)
    counts = score_batches((batch.select(TEXTS) for batch in sent), task)
    with closing(counts):
        # In this order: the counts are the first to end, and what they were made from ends with them.
        for columns, batch in zip(counts, kept, strict=False):
            reason = _reason(batch, task)
            batch = batch.drop_columns(list(TEXTS))
            for name in columns.column_names:
                batch = batch.append_column(name, columns[name])
            yield batch.append_column(UNSCORED, reason)


def _reason(batch: pa.Table, task: Task) -> Any:
    """Say of each row why it cannot be scored, or null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    reference, hypothesis = (batch[text] for text in TEXTS)
    none = pa.scalar(None, pa.string())
    absent = none if task.delete_missing else pc.if_else(pc.is_null(hypothesis), MISSING, none)
    return pc.if_else(pc.is_null(reference), "missing_reference", absent)


def _as_it_stands() -> str:
    others = ", ".join(name for name in NORMALIZERS if name != "none")
    return f"text is scored as it stands: case and punctuation count as errors (--normalizer none; {others})"
