"""A table of the user's own: any numbers by ZIP code, from CSV, TSV or Parquet."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Floats
from fairaudit.demographics import MAJORITY, NOBODY, PLACE, ZipTable, floats, weighted_median
from fairaudit.exceptions import LogError
from fairaudit.log import check_names, file_sha256

if TYPE_CHECKING:
    import pyarrow as pa

#: Names of the column of ZIP codes.
KEYS = ("zip_code", "zip")
#: Beginning of the names of shares.
SHARE = "pct_"


def read_own_table(file: Path) -> ZipTable:
    """Read a table; see `fairaudit.demographics.load_zip_table`."""
    if not file.is_file():
        raise LogError(f"no such file: {file}", where="--zip-table", fix="check the path")
    # A table that is read for every partition is read once, unless it changes meanwhile.
    return _read(file, file_sha256(file))


@cache
def _read(file: Path, sha256: str) -> ZipTable:
    where = f"--zip-table {file}"
    table = _opened(file, where)
    check_names(table.column_names, file.name)
    key = next((name for name in KEYS if name in table.column_names), None)
    if key is None:
        raise LogError(
            f"{file.name} has no column zip_code",
            where=f"{where}; columns: {', '.join(table.column_names)}",
            allowed="a column zip_code, and numeric columns",
        )
    codes = _codes(table[key].to_pylist(), file)
    order = np.argsort(codes, kind="stable")
    numbers = {
        name: floats(table[name])[order]
        for name in table.column_names
        if name != key and _is_number(table[name].type)
    }
    if "population" in table.column_names and "population" not in numbers:
        raise LogError(
            f"population is {table['population'].type} in {file.name}", where=where, allowed="numbers"
        )
    population = numbers.pop("population", np.ones(len(codes)))
    if not numbers:
        raise LogError(
            f"{file.name} has no numeric column beside {key} and population",
            where=where,
            allowed="at least one numeric attribute",
        )
    lived_in = ~(population <= 0)
    thresholds = {
        name: _threshold(name, values[lived_in], population[lived_in], where)
        for name, values in numbers.items()
    }
    return ZipTable(
        zip_codes=codes[order][lived_in],
        values={name: values[lived_in] for name, values in numbers.items()},
        thresholds=thresholds,
        wording={
            name: (f"{PLACE} {name} is above {cut:g}", f"{PLACE} {name} is at most {cut:g}")
            for name, cut in thresholds.items()
        },
        gaps=dict.fromkeys(codes[order][~lived_in].tolist(), NOBODY),
        source=file.name,
        year=None,
        sha256=sha256,
    )


def _threshold(name: str, values: Floats, population: Floats, where: str) -> float:
    """Return the value at which a column sorts ZIP codes in two."""
    known = values[~np.isnan(values)]
    if not len(known) or not np.isfinite(known).all():
        raise LogError(
            f"{name} has {'an infinite value' if len(known) else 'no value where people live'}",
            where=where,
            allowed="finite numbers",
            fix="correct the column, or leave it out",
        )
    if not name.startswith(SHARE):
        return weighted_median(values, population)
    if len(outside := known[(known < 0) | (known > 1)]):
        raise LogError(
            f"{name} is {outside[0]:g}",
            where=where,
            allowed=f"{SHARE} columns are fractions from 0 to 1",
            fix="divide percentages by 100, or rename the column",
        )
    return MAJORITY


def _opened(file: Path, where: str) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow import parquet as pq

    ending = file.suffix.lower()
    if ending not in (".csv", ".tsv", ".parquet"):
        raise LogError(f"unknown format of {file.name}", where=where, allowed=".csv, .tsv, .parquet")
    try:
        if ending == ".parquet":
            return pq.read_table(file)
        return csv.read_csv(
            file,
            parse_options=csv.ParseOptions(delimiter="\t" if ending == ".tsv" else ","),
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(KEYS, pa.string())),
        )
    except (OSError, pa.ArrowException) as error:
        raise LogError(f"cannot read {file.name}: {error}", where=where) from None


def _codes(raw: list[Any], file: Path) -> NDArray[np.str_]:
    # A key of three or four digits can only be one that lost its leading zeros.
    codes = [str(code).strip().zfill(5) for code in raw]
    for row, code in enumerate(codes):
        if len(code) != 5 or not (code.isascii() and code.isdecimal()):
            raise LogError(
                f"malformed ZIP code '{raw[row]}'",
                where=f"{file.name}, row {row + 1}",
                allowed="text of five digits",
            )
    names, times = np.unique(codes, return_counts=True)
    if len(doubled := names[times > 1]):
        raise LogError(f"ZIP code {doubled[0]} is there twice", where=str(file), allowed="one row for each")
    return np.array(codes, dtype=np.str_)


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
