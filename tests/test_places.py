"""The coordinate grid, outlines and projections, and the names of regions."""

import hashlib
import json
import subprocess
import sys
import time
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import shapely

from fairaudit.geography import places
from fairaudit.geography.outlines import countries, land, states
from fairaudit.geography.places import cells, region_label
from fairaudit.geography.projection import ALASKA, RADIUS, UNITED_STATES, EqualEarth

MAINLAND = (24.5, 49.4, -124.75, -66.9)
ALL_STATES = (18.9, 71.3, -178.0, -65.0)
WORLD = (-55.0, 70.0, -158.0, 178.0)
LOS_ANGELES = (33.75, 34.3, -118.6, -117.85)

CITIES = {
    "Los Angeles": (34.05, -118.24, "California"),
    "New York": (40.71, -74.01, "New York"),
    "Newark": (40.74, -74.17, "New Jersey"),
    "Chicago": (41.88, -87.63, "Illinois"),
    "El Paso": (31.76, -106.49, "Texas"),
    "Memphis": (35.15, -90.02, "Tennessee"),
    "Kansas City": (39.10, -94.55, "Missouri"),
    "Washington": (38.90, -77.04, "District of Columbia"),
    "Arlington": (38.88, -77.11, "Virginia"),
    "Miami": (25.77, -80.20, "Florida"),
    "Detroit": (42.35, -83.06, "Michigan"),
    "Marquette": (46.54, -87.41, "Michigan"),
    "Vancouver, WA": (45.64, -122.65, "Washington"),
    "Portland": (45.52, -122.68, "Oregon"),
    "Providence": (41.82, -71.42, "Rhode Island"),
    "Anchorage": (61.20, -149.85, "Alaska"),
    "Honolulu": (21.32, -157.85, "Hawaii"),
    "San Juan": (18.39, -66.06, "Puerto Rico"),
    "Hagatna": (13.47, 144.75, "Guam"),
}


def overlap(left, right):
    return shapely.area(shapely.intersection(left, right))


@pytest.mark.parametrize("grid", [0.001, 0.05, 0.1, 0.3, 0.7, 1.0])
def test_a_coordinate_on_an_edge_lies_in_the_cell_that_begins_there(grid):
    numbers = np.arange(-3000, 3000)
    edges = numbers * grid
    assert (np.floor(edges / grid) != numbers).any() or grid == 1.0, "a plain floor would do"
    np.testing.assert_array_equal(cells(edges, grid), numbers)
    np.testing.assert_array_equal(cells(np.round(edges, 4), grid), numbers)
    np.testing.assert_array_equal(cells(edges - 1e-6, grid), numbers - 1)


def test_cells_round_down_below_zero_and_keep_missing_coordinates():
    found = cells([0.0, -0.01, -0.05, -118.2437, 34.0522, np.nan], 0.05)
    np.testing.assert_array_equal(found, [0, -1, -1, -2365, 681, np.nan])
    assert found.dtype == np.float64
    assert cells(np.zeros((0,)), 0.05).shape == (0,)


def test_the_outlines_hold_the_fifty_states_and_dc_and_the_territories():
    names = list(states())
    territories = {name for name in names if name.endswith("Islands")}
    territories |= {"Puerto Rico", "Guam", "American Samoa"}
    assert len(territories) == 5
    assert len(set(names) - territories) == 51
    assert "District of Columbia" in names
    assert names == sorted(names)
    with pytest.raises(TypeError):
        states()["Texas"] = None


def test_outlines_are_valid_and_neighbours_meet_without_overlap():
    outlines = np.array(list(states().values()))
    assert shapely.is_valid(outlines).all()
    left, right = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    pairs = left < right
    assert pairs.sum() > 100, "neighbours touch"
    assert overlap(outlines[left[pairs]], outlines[right[pairs]]).max() < 1e-9
    lower_48 = shapely.union_all([o for name, o in states().items() if name not in ("Alaska", "Hawaii")])
    middle = shapely.box(-115, 36, -85, 41)
    assert overlap(lower_48, middle) == pytest.approx(middle.area, rel=1e-9), "no gap between neighbours"


def test_areas_are_those_of_the_states():
    land = places._states()
    square_km = dict(zip(land.names, land.areas * 6371.0**2, strict=True))
    largest = sorted(square_km, key=square_km.get, reverse=True)[:5]
    assert largest == ["Alaska", "Texas", "California", "Montana", "New Mexico"]
    # Land areas of the census, in thousands of square kilometres; the outlines hold lakes as well.
    for name, area in {"Texas": 676.6, "Colorado": 268.4, "Hawaii": 16.6, "Rhode Island": 2.7}.items():
        assert square_km[name] / 1000 == pytest.approx(area, rel=0.06), name


@pytest.mark.parametrize("city", CITIES)
def test_a_city_lies_in_its_own_state_and_in_no_other(city):
    latitude, longitude, state = CITIES[city]
    point = shapely.Point(longitude, latitude)
    assert [name for name, outline in states().items() if outline.contains(point)] == [state]


def test_the_file_is_small_credited_and_says_the_postal_codes():
    file = Path(places.__file__).parent / "us_states.geojson"
    assert file.stat().st_size <= 150_000
    content = json.loads(file.read_text("utf-8"))
    assert "public domain" in content["attribution"]
    codes = {f["properties"]["name"]: f["properties"]["postal"] for f in content["features"]}
    assert len(set(codes.values())) == 56
    assert (codes["Maine"], codes["Massachusetts"], codes["Guam"]) == ("ME", "MA", "GU")
    assert np.isin([f["geometry"]["type"] for f in content["features"]], ["Polygon", "MultiPolygon"]).all()


@pytest.mark.parametrize(
    ("box", "extent", "label"),
    [
        (LOS_ANGELES, MAINLAND, "part of California (33.75 to 34.3° N, 118.6 to 117.85° W)"),
        (LOS_ANGELES, WORLD, "part of California (33.75 to 34.3° N, 118.6 to 117.85° W)"),
        (
            (25.8, 37, -106.7, -91.3),
            MAINLAND,
            "Texas, Oklahoma, part of New Mexico, and 2 more states (25.8 to 37° N, 106.7 to 91.3° W)",
        ),
        (
            (25.8, 36.6, -106.7, -93.5),
            MAINLAND,
            "Texas, parts of New Mexico and Oklahoma, and 1 more state (25.8 to 36.6° N, 106.7 to 93.5° W)",
        ),
        ((18.9, 22.3, -160.3, -154.8), ALL_STATES, "Hawaii (18.9 to 22.25° N, 160.25 to 154.8° W)"),
        ((-5, 0, -70, 10), WORLD, "part of Brazil (5 to 0° S, 70° W to 10° E)"),
        (
            (40.6, 40.85, -74.1, -73.85),
            MAINLAND,
            "parts of New York and New Jersey (40.6 to 40.85° N, 74.1 to 73.85° W)",
        ),
    ],
)
def test_labels_name_the_states_or_countries_of_a_box_and_its_degrees(box, extent, label):
    assert region_label(*box, extent=extent) == label


def test_open_and_far_edges_are_clipped_to_the_log():
    california = (32.55, 42, -124.4, -114.15)
    whole = "(32.8 to 34° N, 120.25 to 118° W)"
    assert region_label(None, 34, None, -118, extent=california) == f"part of California {whole}"
    assert region_label(-80, 34, -170, -118, extent=california) == f"part of California {whole}"
    assert "Alaska (" in region_label(50, None, None, -125, extent=ALL_STATES)


@pytest.mark.parametrize(
    ("box", "label"),
    [
        # The log reaches to Hawaii and Alaska; Oregon does not.
        ((45.25, 45.55, None, -122.35), "part of Oregon (45.25 to 45.55° N, 124 to 122.35° W)"),
        ((None, 30, -90, None), "parts of Florida and Louisiana (24.5 to 30° N, 90 to 80° W)"),
        ((None, 23, None, None), "Hawaii (18.9 to 22.25° N, 160.25 to 154.8° W)"),
    ],
)
def test_in_the_us_degrees_end_where_the_named_land_ends(box, label):
    assert region_label(*box, extent=ALL_STATES) == label


def test_degrees_hold_the_named_land_and_never_leave_the_box():
    rng = np.random.default_rng(11)
    for _ in range(100):
        south, west = rng.uniform(25, 47), rng.uniform(-124, -70)
        edges = [round(e, 3) for e in (south, south + rng.exponential(3) + 0.1, west, west + 4)]
        box = places._Box(*edges)
        land = shapely.intersection(list(states().values()), shapely.box(west, south, edges[3], edges[1]))
        covered, bounds = places._covered(box, places._states())
        if not covered.any():
            continue
        around = places._around(bounds[covered > 0], box)
        assert places._within(around, box)
        west, south, east, north = shapely.total_bounds(land)
        for shown, true in zip(around, (south, north, west, east), strict=True):
            assert abs(shown - true) <= 0.0501
        assert around.south <= south + 1e-3
        assert around.north >= north - 1e-3


@pytest.mark.parametrize(
    ("box", "names"),
    [
        ((36.7, 42.0, -93, -89.5), "parts of Missouri, Illinois and Iowa"),
        ((37, 41.02, -109.1, -100), "Colorado and parts of Kansas and Nebraska"),
        ((25.8, 36.3, -103, -90.5), "parts of Texas, Oklahoma, Arkansas and 2 more states"),
        ((40.9, 45.1, -112, -104), "Wyoming, parts of Idaho and Utah, and 1 more state"),
        ((35, 49, -118, -100), "Montana, Colorado, Wyoming and 12 more states"),
    ],
)
def test_states_are_joined_as_in_a_sentence(box, names):
    assert region_label(*box, extent=MAINLAND).startswith(f"{names} (")


def test_a_box_beyond_the_log_keeps_its_own_edges_and_has_no_names():
    assert region_label(50, None, -10, None, extent=MAINLAND) == "50 to 90° N, 10° W to 180° E"


def test_a_single_region_is_everywhere_in_the_log():
    label = region_label(None, None, None, None, extent=MAINLAND)
    assert label == "everywhere in the log (24.5 to 49.4° N, 124.75 to 66.9° W)"
    nothing = region_label(None, None, None, None, extent=(0, 0, 0, 0))
    assert nothing == "everywhere in the log (90° S to 90° N, 180° W to 180° E)"


def test_a_slice_of_a_state_is_left_out_only_where_it_matters_to_neither():
    # Of the land around Colorado 3 % are Wyoming's and 1 % Nebraska's, small parts of both states.
    around = region_label(36.99, 41.2, -109.06, -102.04, extent=MAINLAND)
    assert around.startswith("Colorado and part of Wyoming (")
    # Under 2 % of the box, but 18 % of New Jersey and all of DC: named. Under 1 % of Ohio: not.
    many = region_label(38.4, 42.3, -80.6, -75, extent=MAINLAND)
    assert many.startswith("Pennsylvania, parts of West Virginia and Maryland, and 5 more states (")


@pytest.mark.parametrize(
    ("box", "label"),
    [
        ((53.1, 61.65, 12.35, 14.3), "parts of Sweden and Germany (53.1 to 61.65° N, 12.35 to 14.3° E)"),
        ((1.2, 1.5, 103.6, 104), "Singapore and part of Malaysia (1.2 to 1.5° N, 103.6 to 104° E)"),
        ((36, 43, -9.5, 3.3), "Portugal, parts of Spain and Algeria, and 1 more country (36 to 43° N, "),
        ((48.1, 55, 5.9, 15), "parts of Germany, Czechia, France and 4 more countries (48.1 to 55° N, "),
        ((0, 5, -30, -25), "0 to 5° N, 30 to 25° W"),
    ],
)
def test_beyond_the_us_a_region_is_named_after_countries_and_the_open_sea_after_none(box, label):
    assert region_label(*box, extent=WORLD).startswith(label)


def test_a_box_beside_the_us_is_named_after_states_only_where_they_make_half_of_it():
    # Mexico beside a strip of Texas, in a log that goes on to the south of Mexico.
    label = region_label(25, 30, -110, -98, extent=(14.5, 32.7, -117, -86))
    assert label == "parts of Mexico and United States of America (25 to 30° N, 110 to 98° W)"
    assert region_label(29, 34, -104, -97, extent=WORLD).startswith("parts of Texas and New Mexico (")


def test_boxes_that_tile_the_plane_get_different_labels():
    for extent, grid in product((MAINLAND, ALL_STATES, WORLD), (0.001, 0.0125)):
        rng = np.random.default_rng(7)
        low, high, left, right = extent
        rows = [None, *(np.unique(rng.integers(int(low / grid) + 1, int(high / grid), 30)) * grid), None]
        columns = [None, *(np.unique(rng.integers(int(left / grid) + 1, int(right / grid), 30)) * grid), None]
        # Neighbours one cell apart are the ones that rounding could merge.
        columns.insert(2, columns[1] + grid)
        tiles = list(product(pairwise(rows), pairwise(columns)))
        labels = {region_label(*lat, *lon, extent=extent) for lat, lon in tiles}
        assert len(labels) == len(tiles) > 900


def test_clipping_finds_the_same_area_as_intersecting():
    rng = np.random.default_rng(3)
    land = places._states()
    for _ in range(200):
        south, west = rng.uniform(17, 65), rng.uniform(-170, -66)
        box = places._Box(south, south + rng.exponential(3), west, west + rng.exponential(5))
        expected = overlap(land.outlines, shapely.box(*places._on_plane(box)))
        np.testing.assert_allclose(places._covered(box, places._states())[0], expected, rtol=1e-9, atol=1e-15)


def test_labels_are_quick_and_need_no_table_library():
    code = (
        "import sys, time; from fairaudit.geography.places import region_label; start = time.process_time();"
        f"region_label(33.75, 34.3, -118.6, -117.85, extent={MAINLAND}); print(time.process_time() - start);"
        "from fairaudit.geography.outlines import countries; assert not countries.cache_info().misses;"
        "print({'pandas', 'geopandas'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    first, loaded = out.splitlines()
    assert float(first) < 0.6, "0.3 s, and as much again for a slow machine"
    assert loaded == "set()"
    start = time.process_time()
    for south in range(25, 45):
        region_label(south, south + 4.5, -110, -80, extent=MAINLAND)
    assert (time.process_time() - start) / 20 < 0.005


def test_the_outlines_of_countries_are_valid_small_and_cut_at_the_180th_meridian():
    world = countries()
    outlines = np.array(list(world.values()))
    assert len(world) > 230
    assert list(world) == sorted(world)
    assert "Antarctica" not in world
    assert shapely.is_valid(outlines).all()
    west, south, east, north = shapely.total_bounds(outlines)
    assert (west >= -180, south >= -60, east <= 180, north <= 84) == (True,) * 4
    # A ring that went round the globe would hold half of it.
    assert max(part.bounds[2] - part.bounds[0] for part in shapely.get_parts(world["Russia"])) < 160
    assert shapely.area(outlines).sum() == pytest.approx(land("world").area, rel=1e-4)
    assert (Path(places.__file__).parent / "countries.geojson").stat().st_size < 150_000


def test_cities_of_the_world_lie_in_their_countries():
    for place, (latitude, longitude) in {
        "France": (48.85, 2.35), "Nigeria": (9.06, 7.49), "India": (28.6, 77.2), "Japan": (36.2, 138.3),
        "Brazil": (-15.8, -47.9), "New Zealand": (-38.5, 175.9), "Fiji": (-17.8, 178.0),
        "Kenya": (-1.29, 36.8),
    }.items():  # fmt: skip
        assert countries()[place].contains(shapely.Point(longitude, latitude)), place


def test_the_geography_is_the_one_that_its_page_tells_of():
    folder = Path(places.__file__).parent
    page = (folder / "README.md").read_text("utf-8")
    for name in ("us_states.geojson", "countries.geojson"):
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() in page


@pytest.mark.parametrize(
    ("projection", "definition"),
    [
        (UNITED_STATES, "+proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=37.5 +lon_0=-96"),
        (ALASKA, "+proj=aea +lat_1=55 +lat_2=65 +lat_0=60 +lon_0=-154"),
        (EqualEarth(), "+proj=eqearth"),
        (EqualEarth(-100), "+proj=eqearth +lon_0=-100"),
    ],
)
def test_projections_are_those_of_proj(projection, definition):
    from pyproj import Proj

    rng = np.random.default_rng(8)
    latitude, longitude = rng.uniform(10, 75, 300), rng.uniform(-175, -60, 300)
    expected = Proj(f"{definition} +R={RADIUS * 1000} +units=km")(longitude, latitude)
    np.testing.assert_allclose(projection.forward(latitude, longitude), expected, atol=1e-3)


def test_albers_goes_back_to_the_degrees_it_came_from():
    rng = np.random.default_rng(8)
    latitude, longitude = rng.uniform(15, 72, 300), rng.uniform(-175, -60, 300)
    back = UNITED_STATES.inverse(*UNITED_STATES.forward(latitude, longitude))
    np.testing.assert_allclose(back, (latitude, longitude), atol=1e-9)
    # The Aleutians go on beyond the 180th meridian.
    x, _ = ALASKA.forward(52.0, [179.0, -179.0])
    assert 0 < x[1] - x[0] < 200


def test_an_area_on_the_plane_is_that_on_the_globe():
    for projection in (UNITED_STATES, ALASKA, EqualEarth(-96)):
        ring = shapely.segmentize(shapely.box(-100, 40, -95, 45), 0.01)
        plane = shapely.transform(ring, lambda d, p=projection: np.column_stack(p.forward(d[:, 1], d[:, 0])))
        globe = RADIUS**2 * np.radians(5) * (np.sin(np.radians(45)) - np.sin(np.radians(40)))
        assert plane.area == pytest.approx(globe, rel=1e-5)
