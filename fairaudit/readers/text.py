"""A log of texts to a log of counts, batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairaudit.checks import UNSCORED
from fairaudit.exceptions import LogError
from fairaudit.log import COUNTS, TEXTS
from fairaudit.provenance import Scoring
from fairaudit.scoring import NORMALIZERS, score, scoring_record

if TYPE_CHECKING:
    import narwhals as nw

    from fairaudit.readers.workspace import Workspace

ROWS_AT_ONCE = 50_000


def score_frame(
    frame: nw.LazyFrame[Any], normalizer: str | None, workspace: Workspace
) -> tuple[nw.LazyFrame[Any], Scoring, list[str]]:
    """Score reference and hypothesis text into counts; the texts do not travel further.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        Canonical names.
    normalizer : str or None
        None scores the text as it stands, and says so in a warning.
    workspace : Workspace

    Returns
    -------
    frame : narwhals.LazyFrame
        With counts and `UNSCORED`, which says why a row could not be scored.
    scoring : Scoring
    warnings : list of str

    Raises
    ------
    LogError
        If there is no text.
    """
    import narwhals as nw

    names = frame.collect_schema().names()
    if lacking := [text for text in TEXTS if text not in names]:
        raise LogError(
            f"a normalizer is given, but the log has no {' and no '.join(lacking)}",
            where=f"--normalizer {normalizer}",
            fix="leave --normalizer out: the counts of the log are used as they are",
        )
    frame = frame.drop([name for name in COUNTS if name in names])
    frame = frame.with_columns(nw.col(text).cast(nw.String) for text in TEXTS)
    name = normalizer or "none"
    scored = workspace.mapped(frame, lambda batch: _scored(batch, name), ROWS_AT_ONCE)
    others = ", ".join(n for n in NORMALIZERS if n != "none")
    warnings = (
        []
        if normalizer
        else [
            f"text is scored as it stands: case and punctuation count as errors (--normalizer none; {others})"
        ]
    )
    return scored, scoring_record(name), warnings


def _scored(batch: Any, normalizer: str) -> Any:
    """Replace the texts of an Arrow table by counts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    reference, hypothesis = (batch[text] for text in TEXTS)
    counts = score(
        ["" if text is None else text for text in reference.to_pylist()],
        ["" if text is None else text for text in hypothesis.to_pylist()],
        normalizer,
    )
    reason = pc.if_else(
        pc.is_null(reference),
        "missing_reference",
        pc.if_else(pc.is_null(hypothesis), "missing_hypothesis", pa.scalar(None, pa.string())),
    )
    batch = batch.drop_columns(list(TEXTS))
    for name, values in counts.items():
        batch = batch.append_column(name, pa.array(values))
    return batch.append_column(UNSCORED, reason)
