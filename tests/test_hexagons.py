"""Hexagons: their grid, which of them are shown, and that they give nobody away."""

import msgspec
import numpy as np
import pandas as pd
import pytest
import shapely
from worlds import codes, frame

from fairaudit.auditing import audit
from fairaudit.config import AuditOptions
from fairaudit.counts import SpeakerCounts
from fairaudit.demographics import load_zip_table
from fairaudit.demographics.centroids import centroids
from fairaudit.discover.zip_demographics import ZipDemographics
from fairaudit.geography.hexagons import ACROSS, corners, locate, middle, shown
from fairaudit.geography.projection import UNITED_STATES
from fairaudit.readers import read_log
from fairaudit.whereabouts import extent

#: Kilometres from the middle of a hexagon to a corner.
CORNER = ACROSS / np.sqrt(3)
LOS_ANGELES, CHICAGO, MIAMI, HONOLULU = (34.05, -118.24), (41.88, -87.63), (25.77, -80.2), (21.32, -157.85)


def points(rng, n=2000):
    return rng.uniform(18, 70, n), rng.uniform(-170, -65, n)


def test_a_point_lies_in_the_hexagon_with_the_nearest_middle():
    latitude, longitude = points(np.random.default_rng(1))
    column, row = locate(latitude, longitude)
    x, y = UNITED_STATES.forward(latitude, longitude)

    def distance(columns, rows):
        return np.hypot(x - ACROSS * (columns + rows / 2), y - ACROSS * np.sqrt(3) / 2 * rows)

    own = distance(column, row)
    assert own.max() <= CORNER + 1e-6
    for step in ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)):
        assert (own <= distance(column + step[0], row + step[1]) + 1e-6).all()


def test_hexagons_have_one_area_everywhere_and_share_their_corners():
    for hexagon in {(0, 0), *(tuple(int(v) for v in locate(*at)) for at in (LOS_ANGELES, HONOLULU))}:
        degrees = corners(hexagon)
        x, y = UNITED_STATES.forward(degrees[:, 0], degrees[:, 1])
        polygon = shapely.Polygon(np.column_stack([x, y]))
        assert polygon.area == pytest.approx(np.sqrt(3) / 2 * ACROSS**2)
        assert polygon.exterior.is_ccw
        assert [int(v) for v in locate(*middle(hexagon))] == list(hexagon)
        beside = corners((hexagon[0] + 1, hexagon[1]))
        shared = {tuple(c) for c in degrees.round(9)} & {tuple(c) for c in beside.round(9)}
        assert len(shared) == 2


def test_the_middle_of_a_zip_code_is_that_of_the_table():
    latitude, longitude = centroids(["90012", "60601", "00000", "96813"])
    np.testing.assert_allclose(latitude[[0, 1, 3]], [34.06, 41.88, 21.32], atol=0.05)
    np.testing.assert_allclose(longitude[[0, 1, 3]], [-118.24, -87.62, -157.85], atol=0.05)
    assert np.isnan([latitude[2], longitude[2]]).all()
    assert [len(v) for v in centroids([])] == [0, 0]


def living(*groups):
    """Speakers who live at given places, each in one."""
    places = [at for at, speakers in groups for _ in range(speakers)]
    latitude, longitude = (np.array(v, dtype=float) for v in zip(*places, strict=True))
    return np.arange(len(places)), latitude, longitude


def at(place):
    return tuple(int(v) for v in locate(*place))


UNKNOWN = (np.nan, np.nan)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([(CHICAGO, 11)], [CHICAGO]),
        ([(CHICAGO, 10)], []),
        # Everyone is in a hexagon, or enough are in none.
        ([(CHICAGO, 11), (MIAMI, 12)], [CHICAGO, MIAMI]),
        ([(CHICAGO, 20), (MIAMI, 10), (LOS_ANGELES, 5)], [CHICAGO]),
        # One who is left would be told of: the smallest hexagon goes too.
        ([(CHICAGO, 20), (MIAMI, 12), (LOS_ANGELES, 1)], [CHICAGO]),
        ([(CHICAGO, 20), (LOS_ANGELES, 10)], []),
        # So is one whose ZIP code has no middle.
        ([(CHICAGO, 20), (MIAMI, 12), (UNKNOWN, 3)], [CHICAGO]),
        ([(UNKNOWN, 30)], []),
    ],
)
def test_a_hexagon_is_shown_with_enough_speakers_in_it_and_none_or_enough_left_over(groups, expected):
    assert set(shown(*living(*groups), 11)) == {at(place) for place in expected}


def test_a_speaker_counts_once_in_a_hexagon_and_in_each_that_he_lives_in():
    speaker, latitude, longitude = living((CHICAGO, 10), (CHICAGO, 10))
    assert shown(speaker % 10, latitude, longitude, 11) == ()
    speaker, latitude, longitude = living((CHICAGO, 11), (MIAMI, 11))
    assert len(shown(speaker % 11, latitude, longitude, 11)) == 2


def test_any_cohort_keeps_the_promise():
    rng = np.random.default_rng(5)
    for _ in range(200):
        speaker = rng.integers(0, 60, 90)
        place = rng.choice(8, 90, p=[0.3, 0.2, 0.15, 0.15, 0.1, 0.05, 0.03, 0.02])
        latitude, longitude = np.full(90, 38.0), -120 + 5.0 * place
        fewest = int(rng.integers(1, 15))
        hexagons = shown(speaker, latitude, longitude, fewest)
        own = list(zip(*(v.tolist() for v in locate(latitude, longitude)), strict=True))
        assert all(
            len({s for s, h in zip(speaker, own, strict=True) if h == hexagon}) >= fewest
            for hexagon in hexagons
        )
        left = {s for s, h in zip(speaker, own, strict=True) if h not in hexagons}
        assert not hexagons or len(left) == 0 or len(left) >= fewest


def zip_log(seed=2, speakers=700):
    """A log whose Asian-majority ZIP codes do worse; the others are near a few large cities."""
    rng = np.random.default_rng(seed)
    table = load_zip_table()
    worse = rng.random(speakers) < 0.3
    place = codes(table, "pct_asian", rng, worse)
    share = table.values["pct_asian"]
    cities = np.isin(table.zip_codes.astype("U2"), ["60", "11", "30", "77"]) & (share <= 0.5)
    place[~worse] = rng.choice(table.zip_codes[cities], (~worse).sum())
    words = rng.integers(200, 900, speakers)
    rate = 0.1 * np.where(worse, 2.0, 1.0) * rng.gamma(8, 1 / 8, speakers)
    return pd.DataFrame(
        {
            "speaker_id": [f"s{i:04}" for i in range(speakers)],
            "zip_code": place,
            "ref_words": words,
            "errors": rng.poisson(words * rate),
            # Coordinates of their own, all in one place: no hexagon may come from them.
            "latitude": 45.0,
            "longitude": -100.0,
        }
    )


@pytest.fixture(scope="module")
def result():
    return audit(read_log(zip_log()), by=["zip"], permutations=0, splits=1)


def test_zip_cohorts_have_hexagons_of_where_their_zip_codes_are(result):
    cohorts = {c.cohort: c for c in result.partition("zip").cohorts}
    asian = cohorts["pct_asian above"]
    assert asian.label == "people living in ZIP codes where most are Asian"
    assert at(LOS_ANGELES) in asian.hexagons
    assert at((45.0, -100.0)) not in {h for c in cohorts.values() for h in c.hexagons}
    assert all(c.hexagons == tuple(sorted(c.hexagons)) for c in cohorts.values())


def test_hexagons_hold_the_tabled_speakers_of_their_cohort_and_no_figure(result):
    rows = zip_log()
    found = audit(read_log(rows), by=["zip"], permutations=0, splits=1, min_speakers_shown=5)
    latitude, longitude = centroids(list(rows["zip_code"]))
    where = list(zip(*(v.tolist() for v in locate(latitude, longitude)), strict=True))
    for cohort in found.partition("zip").cohorts:
        plain = msgspec.to_builtins(cohort)["hexagons"]
        assert plain
        assert all(isinstance(number, int) for hexagon in plain for number in hexagon)
        # Of all speakers there are at least as many as of those that are tabled.
        assert min(where.count(tuple(h)) for h in plain) >= 5
    more = {h for c in found.partition("zip").cohorts for h in c.hexagons}
    assert more > {h for c in result.partition("zip").cohorts for h in c.hexagons}


def test_hexagons_are_the_same_whatever_the_order_of_rows(result):
    shuffled = zip_log().sample(frac=1, random_state=1)
    again = audit(read_log(shuffled), by=["zip"], permutations=0, splits=1)
    assert again.partition("zip") == result.partition("zip")


def test_a_suppressed_cohort_has_no_hexagons():
    rows = zip_log()
    found = audit(
        read_log(rows),
        by=[ZipDemographics(min_speakers=10)],
        permutations=0,
        splits=1,
        min_speakers_shown=150,
    )
    cohorts = found.partition("zip").cohorts
    suppressed = [c for c in cohorts if c.suppressed]
    assert suppressed
    assert all(c.hexagons == () for c in suppressed)


def grid_counts(latitude, longitude, speakers=None):
    n = len(latitude)
    ids = [f"s{i:03}" for i in range(n)] if speakers is None else speakers
    cells = {
        "latitude": np.floor(np.array(latitude) / 0.05),
        "longitude": np.floor(np.array(longitude) / 0.05),
    }
    return SpeakerCounts.of(ids, ref_words=[100] * n, errors=[10] * n, attributes=cells)


def test_the_reach_of_a_log_points_at_nobody():
    rng = np.random.default_rng(3)
    latitude, longitude = rng.uniform(30, 45, 300), rng.uniform(-110, -80, 300)
    latitude[:10], longitude[:10] = 71.3, 144.8
    south, north, west, east = extent(grid_counts(latitude, longitude), 0.05, 11)
    eleventh_north, eleventh_east = np.sort(latitude)[-11], np.sort(longitude)[-11]
    assert (north, east) == (np.ceil(eleventh_north), np.ceil(eleventh_east)), "not the ten of the far north"
    assert (south, west) == (np.floor(np.sort(latitude)[10]), np.floor(np.sort(longitude)[10]))
    # Eleven of them, and the map goes there.
    latitude[10], longitude[10] = 71.3, 144.8
    assert extent(grid_counts(latitude, longitude), 0.05, 11)[1::2] == (72, 145)


def test_the_reach_counts_speakers_not_rows():
    latitude, longitude = [30.0] * 20 + [60.0] * 20, [-100.0] * 40
    travellers = [f"s{i:03}" for i in range(20)] + [f"s{i % 5:03}" for i in range(20)]
    counts = grid_counts(latitude, longitude, travellers)
    assert extent(counts, 0.05, 11)[:2] == (30, 31)
    assert extent(counts, 0.05, 5)[:2] == (30, 61)
    assert extent(counts, 0.05, 21) is None


def test_regions_carry_the_reach_and_nothing_else_does():
    rows = frame(4, effect=1.8)
    result = audit(read_log(rows), by=["geo", "accent"], permutations=0, splits=1)
    each = rows.groupby("speaker_id")[["latitude", "longitude"]].first()
    expected = [
        f(v.sort_values().iloc[n]) for _, v in each.items() for f, n in ((np.floor, 10), (np.ceil, -11))
    ]
    assert list(result.partition("geo").extent) == expected
    assert result.partition("accent").extent is None
    assert AuditOptions().min_speakers_shown == 11
