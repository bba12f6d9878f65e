"""Which rows a partition can place, and why not the others: dropping them silently would be a bias."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import SpeakerCounts
from fairaudit.demographics import load_zip_table
from fairaudit.discover import Discoverer, Preparing, reasons_unplaced
from fairaudit.discover.zip_demographics import add_attributes, reasons_without_census
from fairaudit.exceptions import PartitionError
from fairaudit.partition import Partition, Threshold


def place(
    source: Discoverer | Partition, name: str, counts: SpeakerCounts, zip_table: str | None
) -> tuple[SpeakerCounts, NDArray[np.object_]]:
    """Add derived attributes to counts, and say for each row why it cannot be placed.

    Parameters
    ----------
    source : Discoverer or Partition
        What will assign the rows.
    name : str
        Of the partition, for messages.
    counts : SpeakerCounts
        With the columns that `source` requires.
    zip_table : str or None
        File of census attributes, for a saved partition by one of them.

    Returns
    -------
    counts : SpeakerCounts
    reasons : ndarray of object (str), shape (n_rows,)
        An empty text where the row can be placed.

    Raises
    ------
    PartitionError
        If a saved partition was found with another ZIP table.
    """
    if isinstance(source, Threshold):
        table = load_zip_table(zip_table)
        if table.sha256 != source.table.get("sha256"):
            raise PartitionError(
                f"partition '{name}' was found with the ZIP table {source.table.get('source')}, "
                f"and this one is {table.source}",
                where="--partitions",
                fix="give the same table with --zip-table, or audit again",
            )
        counts = add_attributes(counts, table)
        reasons = reasons_without_census(counts, table)
        lacking = np.isnan(counts.numbers(source.attribute)) & (reasons == "")
        reasons[lacking] = f"ZIP code without {source.attribute}"
        return counts, reasons
    if isinstance(source, Preparing):
        counts = source.prepare(counts)
    return counts, reasons_unplaced(source, counts)
