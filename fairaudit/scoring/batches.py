"""A batch of texts to a batch of counts: what a worker does, and what is done where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairaudit.checks import REFERENCE
from fairaudit.log import FLAGS, KINDS, MISSING, TEXTS
from fairaudit.scoring import measure, other_columns, score

if TYPE_CHECKING:
    import pyarrow as pa

#: Columns of every batch of counts; those of further normalisers follow.
COLUMNS = ("ref_words", *KINDS, *FLAGS, REFERENCE)


@dataclass(frozen=True)
class Task:
    """How batches are scored.

    Parameters
    ----------
    normalizers : tuple of str
        The first gives the counts, each other two more columns (`other_columns`).
    unit : str
        One of `UNITS`.
    delete_missing : bool
        Score a hypothesis that is null as an empty one. Else it counts nothing.
    """

    normalizers: tuple[str, ...]
    unit: str = "words"
    delete_missing: bool = False


def counted(texts: pa.Table, task: Task) -> pa.Table:
    """Count the errors of a batch.

    Parameters
    ----------
    texts : pyarrow.Table
        The columns `reference` and `hypothesis`, each text or null.
    task : Task

    Returns
    -------
    pyarrow.Table
        One int64 column for each of `COLUMNS` and of `other_columns`, in the order of the rows. A
        row that cannot be scored (no reference; no hypothesis, unless that is to be scored) holds zeros.
    """
    import pyarrow as pa

    lost, missing = (texts[text].is_null().to_numpy() for text in TEXTS)
    if not task.delete_missing:
        lost = lost | missing
    references, hypotheses = (texts[text].fill_null("").to_pylist() for text in TEXTS)
    first, *others = task.normalizers
    columns = measure(references, hypotheses, first, unit=task.unit)
    columns[MISSING] = missing.astype(np.int64)
    columns["empty_hypothesis"][missing] = 0
    columns = {name: columns[name] for name in COLUMNS}
    for other in others:
        counts = score(references, hypotheses, other, unit=task.unit)
        names = other_columns(other)
        columns[names["ref_words"]] = counts["ref_words"]
        columns[names["errors"]] = np.sum([counts[kind] for kind in KINDS], axis=0)
    for name, values in columns.items():
        if name != MISSING:
            values[lost] = 0
    return pa.table(columns)


def one_batch(table: pa.Table) -> pa.RecordBatch:
    """Return a table as one batch, so that one message gets one answer."""
    import pyarrow as pa

    columns = [
        pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
        for column in table.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)
