"""The cohort of every utterance, or of every speaker, by saved partitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fairaudit.aggregate import aggregate, cell, grid_of
from fairaudit.counts import Labels
from fairaudit.exceptions import LogError, OptionError, nearest
from fairaudit.log import COORDINATES, UtteranceLog
from fairaudit.placing import place
from fairaudit.saved import SavedPartition
from fairaudit.whole import whole_file

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd

Unit = Literal["utterance", "speaker"]


def assign(
    log: UtteranceLog,
    partitions: Sequence[SavedPartition],
    *,
    per: Unit = "utterance",
    keep: Sequence[str] = (),
    zip_table: str | None = None,
) -> pd.DataFrame:
    """Assign the rows of a log to the cohorts of saved partitions.

    Parameters
    ----------
    log : UtteranceLog
    partitions : sequence of SavedPartition
        From `fairaudit.saved.read_partitions`.
    per : {"utterance", "speaker"}
        A row for each utterance; or for each speaker, and then as many as there are combinations of
        cohorts that the speaker is in: one whose utterances have two devices has two.
    keep : sequence of str
        Further columns of the log to carry along, such as `speaker_id`.
    zip_table : str, optional
        File of census attributes by ZIP code.

    Returns
    -------
    DataFrame
        `utterance_id` or `speaker_id`, the columns kept, and for each partition a column of cohorts,
        null where a row is unassigned. Sorted.

    Raises
    ------
    LogError, PartitionError
        If the log lacks a column that is needed, or a partition does not fit it.
    """
    import narwhals as nw

    columns = list(dict.fromkeys([f"{per}_id", *keep]))
    for column in columns:
        if column in {saved.name for saved in partitions}:
            raise OptionError(
                f"'{column}' is a column of the log and a partition", where="--keep", fix="leave it out"
            )
    needs = [(columns[0], f"one row for each {per}"), *((column, "--keep") for column in keep)]
    needs += [(c, f"the partition '{p.name}'") for p in partitions for c in p.partition.requires]
    for column, who in needs:
        if column not in log.columns and column not in log.labels:
            raise LogError(
                f"{who} needs the column {column}, which the log does not have",
                allowed=nearest(column, [*log.columns, *log.labels]),
                fix=f"name it with --column {column}=ACTUAL",
            )
    frame = log.frame.select(*(nw.col(column).alias(f"kept:{column}") for column in columns), nw.all())
    for number, saved in enumerate(partitions):
        frame = _joined(frame, log, saved, number, zip_table)
    frame = frame.select(
        *(nw.col(f"kept:{column}").alias(column) for column in columns),
        *(nw.col(f"cohort:{number}").alias(saved.name) for number, saved in enumerate(partitions)),
    )
    if per == "speaker":
        frame = frame.unique()
    ordered = frame.sort(*columns, *(saved.name for saved in partitions))
    return ordered.collect("pyarrow").to_pandas()


def _joined(
    frame: nw.LazyFrame[Any], log: UtteranceLog, saved: SavedPartition, number: int, zip_table: str | None
) -> nw.LazyFrame[Any]:
    """Add the cohort of each row by one partition: counted by setting, assigned, and joined back."""
    import narwhals as nw

    grid = grid_of(saved.partition)
    counts = aggregate(log, saved.partition.requires, grid=grid)
    counts, reasons = place(saved.partition, saved.name, counts, zip_table)
    cohort = np.where(reasons == "", saved.partition.assign(counts), -1)
    rows = np.flatnonzero(cohort >= 0)
    settings = [name for name in saved.partition.requires if name != "embedding"]
    keys = {"speaker_id": counts.speakers[counts.speaker[rows]].tolist()}
    for name in settings:
        values = counts.attributes[name]
        # Labels are never empty, and two missing ones would not be joined.
        texts = (
            np.array([*values.values, ""], dtype=object)[values.codes]
            if isinstance(values, Labels)
            else values.astype(np.int64)
        )
        keys[name] = texts[rows].tolist()
    names = [saved.partition.names[c].cohort for c in cohort[rows]]
    mapped = {f"key:{number}:{name}": values for name, values in keys.items()}
    table = log.engine.frame_of({**mapped, f"cohort:{number}": names})
    there = [cell(n, grid) if n in COORDINATES else nw.col(n).fill_null("") for n in keys]
    keyed = frame.with_columns(*(e.alias(k) for e, k in zip(there, mapped, strict=True)))
    return keyed.join(table, on=list(mapped), how="left")


def write_assignment(rows: pd.DataFrame, file: Path) -> None:
    """Write assigned rows as Parquet or CSV.

    Parameters
    ----------
    rows : DataFrame
        From `assign`.
    file : Path
        Ends in .parquet or .csv.

    Raises
    ------
    OptionError
        If the file has another ending, or cannot be written.
    """
    writers: dict[str, Callable[..., Any]] = {".parquet": rows.to_parquet, ".csv": rows.to_csv}
    if file.suffix not in writers:
        raise OptionError(f"cannot write {file.name}", where="-o", allowed=", ".join(writers))
    with whole_file(file) as beside:
        writers[file.suffix](beside, index=False)
