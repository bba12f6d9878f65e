"""Vectors in a list column: Parquet files, and the column `embedding` of a log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fairaudit.counts import Floats
from fairaudit.embeddings.checks import Found
from fairaudit.exceptions import LogError


def read_parquet(path: Path) -> Found:
    """Read a column `speaker_id` or `utterance_id`, and a list column `embedding`; null is missing."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    keys = [name for name in ("speaker_id", "utterance_id") if name in table.column_names]
    if len(keys) != 1 or "embedding" not in table.column_names:
        raise ValueError(f"columns are {', '.join(table.column_names)}")
    valid = pc.is_valid(table["embedding"])
    rows = np.flatnonzero(valid.to_numpy())
    table = table.filter(valid)
    vectors = matrix_of(table["embedding"].combine_chunks(), path.name)
    return Found(table[keys[0]].to_pylist(), vectors, lambda position: f"row {rows[position] + 1}")


def matrix_of(column: Any, where: str, width: int | None = None) -> Floats:
    """Turn an Arrow list column without nulls into a matrix.

    Parameters
    ----------
    column : pyarrow.Array
    where : str
        For messages.
    width : int, optional
        Length that the lists must have; by default all the same.

    Raises
    ------
    LogError
        If the lists differ in length, or hold nulls.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (
        pa.types.is_list(column.type)
        or pa.types.is_large_list(column.type)
        or pa.types.is_fixed_size_list(column.type)
    ):
        raise LogError(
            f"embedding is of type {column.type}",
            where=where,
            allowed="a list of numbers",
            fix="write the log as Parquet or JSON lines, or give the vectors with --embeddings FILE",
        )
    lengths = {*pc.unique(pc.list_value_length(column)).to_pylist(), *([width] if width else [])}
    flat = pc.list_flatten(column)
    if len(lengths) > 1:
        raise LogError(
            f"embeddings of several lengths: {', '.join(map(str, sorted(lengths)[:5]))}",
            where=where,
            allowed="one length",
        )
    if flat.null_count or not (pa.types.is_floating(flat.type) or pa.types.is_integer(flat.type)):
        what = "null or NaN" if flat.null_count else f"values of type {flat.type}"
        raise LogError(f"an embedding holds {what}", where=where, allowed="numbers only")
    values: Floats = flat.to_numpy(zero_copy_only=False).astype(np.float64)
    return values.reshape(len(column), lengths.pop() if lengths else 0)
