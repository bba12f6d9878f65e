"""From files or tables to a checked utterance log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairaudit.exceptions import OptionError, nearest
from fairaudit.log import MISSING_HYPOTHESIS, UtteranceLog, check_columns, has_counts
from fairaudit.provenance import Metric, Scoring, Selection, Source
from fairaudit.readers.gathering import Gathered, gather
from fairaudit.readers.inclusion import include
from fairaudit.readers.joining import ONLY_REFERENCE
from fairaudit.readers.missing import check_placed, take_missing
from fairaudit.readers.selection import blank, narrow
from fairaudit.readers.text import score_frame
from fairaudit.readers.voices import with_vectors
from fairaudit.readers.workspace import Workspace
from fairaudit.scoring import NORMALIZERS

Columns = Mapping[str, str]
Values = Mapping[str, Sequence[str]]
#: What is counted where text is scored, by the name of the ratio.
UNITS = {"WER": "words", "CER": "characters"}


def read_log(
    source: Any,
    *,
    references: Any = None,
    metadata: Any = None,
    embeddings: str | Path | None = None,
    embeddings_path: Mapping[str, str] | None = None,
    format: str | None = None,
    references_format: str | None = None,
    metadata_format: str | None = None,
    columns: Columns | None = None,
    speaker_from_id: str | None = None,
    where: Values | None = None,
    missing: Values | None = None,
    max_excluded: float = 0.01,
    missing_hypothesis: str | None = None,
    normalizer: str | None = None,
    normalizer_sensitivity: bool = False,
    metric: str | None = None,
    assume_independent_utterances: bool = False,
) -> UtteranceLog:
    """Read and check an utterance log.

    Parameters
    ----------
    source : str, Path, sequence of them, or a table
        Parquet, CSV, TSV or JSON lines, each also gzip or zstd, or a file or folder of an installed
        format; a glob or several files are one log. Or a pandas, Polars, Arrow or DuckDB table.
    references : like `source`, optional
        Reference texts in a file of their own, joined by utterance.
    metadata : like `source`, or a sequence, optional
        Speakers and labels in files of their own, each joined by utterance or else by speaker.
    embeddings : str or Path, optional
        File of speaker vectors by speaker or utterance; see `fairaudit.embeddings.read_vectors`.
    embeddings_path : mapping of str to str, optional
        Old to new beginning of the paths that a file of embeddings names.
    format : str, optional
        Format of `source`; by default it is recognised. See `fairaudit.readers.formats.installed`.
    references_format, metadata_format : str, optional
        Formats of the other files.
    columns : mapping of str to str, optional
        Canonical name to the name in the log, or in whichever file has it.
    speaker_from_id : str, optional
        Regular expression with one group, which is the speaker in an utterance id.
    where : mapping of str to sequence of str, optional
        Keep rows with any of the values of a column, in all of the columns.
    missing : mapping of str to sequence of str, optional
        Texts that mean a missing value, by column. Empty texts always do.
    max_excluded : float
        Largest fraction of rows that may be left out.
    missing_hypothesis : {"delete", "exclude"}, optional
        An utterance without a hypothesis counts as all deleted, or is left out. By default it is refused.
    normalizer : {"none", "basic", "whisper-en"}, optional
        How reference and hypothesis text is normalised before it is scored. Where it is named, text is
        scored even if the log has counts as well.
    normalizer_sensitivity : bool
        Score text under the other normalisers too, to show what the choice does to every cohort.
    metric : str, optional
        Name of the ratio that is reported, WER by default. Text is scored by words for WER, by characters
        for CER.
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
    if embeddings_path and embeddings is None:
        raise OptionError(
            "paths of embeddings are given, and no embeddings",
            where="--embeddings-path",
            fix="add --embeddings FILE, or leave it out",
        )
    selection = _selection(columns, where, missing, max_excluded, missing_hypothesis, speaker_from_id)
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
    scored = _is_scored(gathered, normalizer, normalizer_sensitivity, missing_hypothesis)
    notes = [*gathered.warnings, *check_placed(gathered.frame, selection.where)]
    frame = blank(narrow(gathered.frame, selection.where), selection.missing)
    frame, without = take_missing(frame, missing_hypothesis, gathered.inputs, scored=scored)
    names = frame.collect_schema().names()
    check_columns(names, independent=assume_independent_utterances)
    if assume_independent_utterances:
        frame = workspace.with_own_speakers(frame)
    scoring = None
    notes += _left_out_before(gathered.inputs)
    others: tuple[str, ...] = ()
    if scored:
        others = (
            tuple(n for n in NORMALIZERS if n != (normalizer or "none")) if normalizer_sensitivity else ()
        )
        frame, scoring, warned = score_frame(
            frame,
            normalizer,
            workspace,
            unit=_unit(metric or "WER"),
            also=others,
            missing_hypothesis=missing_hypothesis,
        )
        notes += warned
    log = UtteranceLog(
        frame=frame,
        columns=frozenset(),
        labels=(),
        excluded={},
        unchecked=(),
        warnings=tuple(notes),
        inputs=gathered.inputs,
        scoring=scoring or _earlier_scoring(gathered.inputs),
        metric=_metric(metric, columns or {}, scoring, gathered.inputs),
        independent_utterances=assume_independent_utterances,
        selection=selection,
        coverage=gathered.coverage,
        rows=gathered.rows(),
        engine=workspace,
    )
    log = include(log, workspace, without)
    return (
        log if embeddings is None else with_vectors(log, Path(embeddings), embeddings_path or {}, workspace)
    )


def _selection(
    columns: Columns | None,
    where: Values | None,
    missing: Values | None,
    max_excluded: float,
    missing_hypothesis: str | None,
    speaker_from_id: str | None,
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
    if missing_hypothesis is not None and missing_hypothesis not in MISSING_HYPOTHESIS:
        raise OptionError(
            f"missing_hypothesis is '{missing_hypothesis}'",
            where="--missing-hypothesis",
            allowed=nearest(missing_hypothesis, MISSING_HYPOTHESIS),
        )
    return Selection(
        columns=dict(columns or {}),
        max_excluded=max_excluded,
        missing_hypothesis=missing_hypothesis,
        speaker_from_id=speaker_from_id,
        **texts,
    )


def _is_scored(
    gathered: Gathered, normalizer: str | None, sensitivity: bool, missing_hypothesis: str | None
) -> bool:
    """Tell whether the texts of a log are scored; refuse what would be ignored where they are not."""
    names = gathered.frame.collect_schema().names()
    if normalizer is not None or sensitivity or not has_counts(names):
        return True
    if missing_hypothesis is not None and ONLY_REFERENCE not in names:
        raise OptionError(
            "the log has counts, so that no hypothesis can be missing",
            where="--missing-hypothesis",
            fix="leave it out; or give the references, against which the log is held, with --references",
        )
    return False


def _unit(metric: str) -> str:
    if metric not in UNITS:
        raise OptionError(
            f"text cannot be scored as '{metric}'",
            where="--metric",
            allowed=f"{', '.join(UNITS)}; any name where the log has counts",
        )
    return UNITS[metric]


def _metric(name: str | None, columns: Columns, scoring: Scoring | None, inputs: Sequence[Source]) -> Metric:
    if scoring is not None:
        return Metric(name=name or "WER", numerator="errors", denominator=f"ref_{UNITS[name or 'WER']}")
    known = {source.origin.metric for source in inputs if source.role == "log" and source.origin}
    if len(known) == 1 and (earlier := known.pop()) is not None:
        if name not in (None, earlier.name):
            raise OptionError(
                f"the counts of the log are of {earlier.name}, not of {name}",
                where="--metric",
                allowed=earlier.name,
                fix="leave it out, or score the texts again",
            )
        return earlier
    return Metric(
        name=name or "WER",
        numerator=columns.get("errors", "errors"),
        denominator=columns.get("ref_words", "ref_words"),
    )


def _earlier_scoring(inputs: Sequence[Source]) -> Scoring | None:
    """Return how the texts of a log of ours were scored, where all of its files agree."""
    of_log = [source.origin for source in inputs if source.role == "log"]
    scorings = {origin.scoring if origin else None for origin in of_log}
    return scorings.pop() if len(scorings) == 1 else None


def _left_out_before(inputs: Sequence[Source]) -> list[str]:
    """Say what was left out when a log of ours was made."""
    notes = []
    for source in inputs:
        if source.origin is not None and source.origin.excluded:
            told = ", ".join(f"{n:,} {reason}" for reason, n in source.origin.excluded.items())
            notes.append(f"left out when {source.name} was scored: {told}")
    return notes
