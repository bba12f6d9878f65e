"""Census attributes by ZIP code: thresholds, shares of the population, codes without any, own tables."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairaudit.demographics import (
    AGAINST_MEDIAN,
    NO_AREA,
    NOBODY,
    RACES,
    UNKNOWN,
    URBANICITY,
    built_in_file,
    load_zip_table,
    match,
    weighted_median,
    zip_codes_with_leading_zero,
)
from fairaudit.exceptions import LogError


@pytest.fixture(scope="module")
def census():
    return pd.read_parquet(built_in_file())


def lived_in(census):
    return census[census["population"] > 0].sort_values("zip")


def test_the_table_holds_every_zip_code_with_people_and_their_attributes(census):
    table = load_zip_table()
    people = lived_in(census)
    assert table.zip_codes.tolist() == people["zip"].tolist()
    assert len(table.zip_codes) > 30_000
    assert set(table.values) == {*RACES, *AGAINST_MEDIAN, "urbanicity"}
    for name in (*RACES, *AGAINST_MEDIAN):
        np.testing.assert_array_equal(table.values[name], people[name].to_numpy(float))
    level = people["urbanicity_tier"].map({tier: i for i, tier in enumerate(URBANICITY)})
    np.testing.assert_array_equal(table.values["urbanicity"], level.to_numpy(float))
    assert set(people["urbanicity_tier"].dropna()) == set(URBANICITY)
    assert (table.year, len(table.sha256)) == (2022, 64)
    assert "2018-22" in table.source
    assert set(table.wording) == set(table.thresholds) == set(table.values)


@pytest.mark.parametrize("name", AGAINST_MEDIAN)
def test_a_threshold_is_the_value_of_the_median_person(name, census):
    threshold = load_zip_table().thresholds[name]
    people = lived_in(census).dropna(subset=[name])
    # Half of all people at most live below it, and half at most above it.
    half = people["population"].sum() / 2
    assert people.loc[people[name] < threshold, "population"].sum() < half
    assert people.loc[people[name] > threshold, "population"].sum() <= half
    assert (people[name] == threshold).any()
    # The median ZIP code is another: the rural ones are many and small.
    assert threshold != people[name].median()


def test_shares_are_cut_at_one_half_and_hold_these_parts_of_the_population(census):
    table = load_zip_table()
    assert {table.thresholds[name] for name in RACES} == {0.5}
    people = lived_in(census)
    population = people["population"].to_numpy(float)
    share = {name: population[table.values[name] > 0.5].sum() / population.sum() for name in RACES}
    assert share["pct_asian"] == pytest.approx(0.0087, abs=0.00005)
    assert share["pct_white"] > 0.5 > share["pct_hispanic"] > share["pct_black"] > share["pct_asian"]
    # Fractions, so that one half is a majority.
    assert all(((table.values[name] >= 0) & (table.values[name] <= 1)).all() for name in RACES)


def test_urbanicity_is_cut_where_the_median_person_lives_above(census):
    people = lived_in(census)
    table = load_zip_table()
    urban = people["population"][table.values["urbanicity"] > table.thresholds["urbanicity"]].sum()
    assert 0.25 < urban / people["population"].sum() < 0.75


def test_the_wording_names_both_sides_with_the_threshold():
    wording = load_zip_table().wording
    assert wording["pct_asian"] == (
        "people living in ZIP codes where most are Asian",
        "people living in ZIP codes where at most half are Asian",
    )
    assert wording["median_household_income"][0].endswith("the median household income is above $74,195")
    assert wording["median_household_income"][1].endswith("the median household income is at most $74,195")
    assert wording["urbanicity"][1].endswith("it is suburban or rural")


def test_codes_without_census_area_and_without_people_are_told_from_unknown_ones(census):
    table = load_zip_table()
    no_area = census.loc[census["population"].isna(), "zip"]
    nobody = census.loc[census["population"] == 0, "zip"]
    assert len(no_area) > 5000
    assert len(nobody) > 100
    codes = ["10001", no_area.iloc[0], nobody.iloc[0], "00000", "x", "100012"]
    index, reasons = match(table, codes)
    assert table.zip_codes[index[0]] == "10001"
    assert index.tolist()[1:] == [-1] * 5
    assert index.dtype == np.int64
    assert reasons == ["", NO_AREA, NOBODY, UNKNOWN, UNKNOWN, UNKNOWN]
    # Each code of the source is in one place.
    assert len(table.zip_codes) + len(table.gaps) == len(census)
    assert sorted([*table.zip_codes, *table.gaps]) == sorted(census["zip"])
    assert match(table, [])[1] == []


def test_every_code_is_found_at_its_own_row():
    table = load_zip_table()
    index, reasons = match(table, table.zip_codes[::-1].tolist())
    assert index.tolist() == list(range(len(table.zip_codes)))[::-1]
    assert set(reasons) == {""}


def test_codes_with_a_leading_zero_are_those_of_the_source(census):
    zeros = census.loc[census["zip"].str.startswith("0"), "zip"]
    assert zip_codes_with_leading_zero() == tuple(sorted(zeros))
    # PO boxes and military post are among them: a lost zero is restored there too.
    assert set(zeros) & set(census.loc[census["population"].isna(), "zip"])


def test_the_weighted_median_is_that_of_every_person_written_out():
    rng = np.random.default_rng(3)
    for _ in range(200):
        values = rng.integers(0, 9, 7).astype(float)
        values[rng.random(7) < 0.2] = np.nan
        weights = rng.integers(0, 5, 7).astype(float)
        weights[rng.random(7) < 0.1] = np.nan
        known = ~np.isnan(values) & (weights > 0)
        everyone = np.sort(np.repeat(values[known], weights[known].astype(int)))
        found = weighted_median(values, weights)
        if not len(everyone):
            assert np.isnan(found)
        else:
            assert found == everyone[(len(everyone) - 1) // 2]


OWN = pd.DataFrame(
    {
        "zip_code": ["10001", "02138", "60601", "00501", "99950"],
        "city": list("ABCDE"),
        "population": [100, 10, 5, 0, 700],
        "rent": [20.5, 10.0, None, 99.0, 30.0],
        "pct_new": [0.6, 0.5, 0.2, 0.9, 0.1],
    }
)


def write(file, table=OWN):
    if file.suffix == ".parquet":
        table.to_parquet(file)
    else:
        table.to_csv(file, index=False, sep="\t" if file.suffix == ".tsv" else ",")
    return str(file)


@pytest.mark.parametrize("name", ["own.csv", "own.tsv", "own.parquet", "OWN.CSV"])
def test_a_table_of_ones_own_is_read_with_all_of_its_numbers(name, tmp_path):
    table = load_zip_table(write(tmp_path / name))
    assert table.zip_codes.tolist() == ["02138", "10001", "60601", "99950"]
    assert table.values["pct_new"].tolist() == [0.5, 0.6, 0.2, 0.1]
    np.testing.assert_array_equal(table.values["rent"], [10.0, 20.5, np.nan, 30.0])
    # Weighted by population, of those that live somewhere; a share is cut at one half.
    assert table.thresholds == {"rent": 30.0, "pct_new": 0.5}
    assert table.wording["rent"] == (
        "people living in ZIP codes where rent is above 30",
        "people living in ZIP codes where rent is at most 30",
    )
    assert (table.source, table.year) == (name, None)
    assert match(table, ["60601", "00501", "11111"])[1] == ["", NOBODY, UNKNOWN]


def test_the_table_may_lack_population_and_its_codes_their_zeros(tmp_path):
    plain = OWN.drop(columns="population").assign(zip_code=[10001, 2138, 60601, 501, 99950])
    for name in ("own.csv", "own.parquet"):
        table = load_zip_table(write(tmp_path / name, plain.rename(columns={"zip_code": "zip"})))
        assert table.zip_codes.tolist() == ["00501", "02138", "10001", "60601", "99950"]
        assert table.thresholds["rent"] == 20.5
        assert table.gaps == {}


def test_a_table_that_changes_is_read_again_and_one_that_does_not_is_kept(tmp_path):
    path = write(tmp_path / "own.csv")
    first = load_zip_table(path)
    assert load_zip_table(path) is first
    write(tmp_path / "own.csv", OWN.assign(rent=1.0))
    assert load_zip_table(path).thresholds["rent"] == 1.0
    assert load_zip_table() is load_zip_table()


#: File name, content, and what is wrong with it.
BAD_TABLES = [
    ("own.csv", "code,x\n10001,1\n", "own.csv has no column zip_code"),
    ("own.csv", "zip_code,city\n10001,A\n", "own.csv has no numeric column beside zip_code and population"),
    ("own.csv", "zip_code,population\n10001,4\n", "own.csv has no numeric column"),
    ("own.csv", "zip_code,x\n", "own.csv has no numeric column"),
    ("own.csv", "zip_code,x\n10001,1\nABCDE,2\n", "malformed ZIP code 'ABCDE'"),
    ("own.csv", "zip_code,x\n100011,1\n", "malformed ZIP code '100011'"),
    ("own.csv", "zip_code,x\n2138,1\n02138,2\n", "ZIP code 02138 is there twice"),
    ("own.csv", "zip_code,pct_x\n10001,0.2\n02138,20\n", "pct_x is 20"),
    ("own.csv", "zip_code,pct_x\n10001,-0.2\n", "pct_x is -0.2"),
    ("own.csv", "zip_code,x\n10001,inf\n02138,1\n", "x has an infinite value"),
    ("own.csv", "zip_code,population,x\n10001,0,3\n02138,9,\n", "x has no value where people live"),
    ("own.csv", "zip_code,population,x\n10001,many,3\n", "population is string in own.csv"),
    ("own.csv", "zip_code,x,x\n10001,1,2\n", "the columns 'x' and 'x' have one name"),
    ("own.csv", "zip_code,x\n10001,1,2\n", "cannot read own.csv"),
    ("own.csv", "", "cannot read own.csv"),
    ("own.parquet", "zip_code,x\n10001,1\n", "cannot read own.parquet"),
    ("own.xlsx", "", "unknown format of own.xlsx"),
    ("own.csv", None, "no such file"),
]


@pytest.mark.parametrize(("name", "content", "what"), BAD_TABLES, ids=[w for *_, w in BAD_TABLES])
def test_a_bad_table_is_told_what_is_wrong_and_where(name, content, what, tmp_path):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(LogError) as refused:
        load_zip_table(str(tmp_path / name))
    assert what in refused.value.what
    assert name in str(refused.value)
    assert refused.value.where


def test_a_column_of_nothing_but_nan_is_refused(tmp_path):
    table = pa.table({"zip_code": ["10001"], "pct_x": [float("nan")], "x": [1.0]})
    pq.write_table(table, tmp_path / "own.parquet")
    with pytest.raises(LogError, match="pct_x has no value where people live"):
        load_zip_table(str(tmp_path / "own.parquet"))
