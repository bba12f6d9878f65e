"""cohorts.geojson and to_geopandas: what a GIS gets: on land, valid, and of the result alone."""

import json
import re

import geopandas as gpd
import msgspec
import numpy as np
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner
from results import compared
from test_hexagons import zip_log
from worlds import frame

from fairaudit import areas
from fairaudit.areas import AREA_COLUMNS
from fairaudit.auditing import audit
from fairaudit.cli import cli
from fairaudit.exceptions import OptionError, ResultError
from fairaudit.geography import outlines
from fairaudit.outputs import read_audit, write_audit
from fairaudit.readers import read_log
from fairaudit.report import render
from fairaudit.result import AuditResult


@pytest.fixture(scope="module")
def result():
    """Regions over the US, ZIP cohorts, and a label that lies on no map."""
    rows = frame(4, speakers=400, effect=1.8)
    rows["zip_code"] = [zip_log(speakers=400)["zip_code"][int(i[-5:])] for i in rows["speaker_id"]]
    return audit(read_log(rows), by=["geo", "zip", "accent"], permutations=0, splits=1)


@pytest.fixture(scope="module")
def collection(result):
    return json.loads(render(result, "geojson"))


@pytest.fixture(scope="module")
def folder(result, tmp_path_factory):
    """The files of that audit."""
    folder = tmp_path_factory.mktemp("audit")
    write_audit(result, folder)
    return folder


def european(seed=6, speakers=500):
    rng = np.random.default_rng(seed)
    east = rng.random(speakers) < 0.5
    words = rng.integers(200, 900, speakers)
    return pd.DataFrame(
        {
            "speaker_id": [f"s{i:03}" for i in range(speakers)],
            "latitude": rng.uniform(42, 54, speakers),
            "longitude": np.where(east, rng.uniform(10, 20, speakers), rng.uniform(-1, 10, speakers)),
            "ref_words": words,
            "errors": rng.poisson(words * np.where(east, 0.2, 0.1)),
        }
    )


def test_the_collection_has_a_name_and_a_feature_for_each_cohort_on_a_map(result, collection):
    assert (collection["type"], collection["name"]) == ("FeatureCollection", "cohorts")
    assert "Natural Earth, public domain; ZIP code centres: GeoNames, CC BY 4.0" in collection["attribution"]
    assert "crs" not in collection, "RFC 7946 knows WGS 84 alone"
    properties = [f["properties"] for f in collection["features"]]
    assert all(tuple(p) == AREA_COLUMNS for p in properties)
    there = {p.name: {c.cohort for c in p.cohorts} for p in areas.on_map(result)}
    assert set(there) == {"geo", "zip"}
    assert {(p["partition"], p["cohort"]) for p in properties} == {
        (n, c) for n, cs in there.items() for c in cs
    }
    named = msgspec.structs.replace(
        result, subject=msgspec.structs.replace(result.subject, dataset='my "set"')
    )
    assert json.loads(render(named, "geojson"))["name"] == 'cohorts of my "set"'


def test_properties_are_the_figures_of_the_result(result, collection):
    of = {(p.name, c.cohort): c for p in result.partitions for c in p.cohorts}
    for p in (f["properties"] for f in collection["features"]):
        cohort = of[p["partition"], p["cohort"]]
        same = ("id", "label", "rank", "wer", "low", "high", "speakers", "status", "suppressed")
        assert [p[name] for name in same] == [getattr(cohort, name) for name in same]
        assert p["share"] == (cohort.share.speakers if cohort.share else None)
    worst = collection["features"][0]["properties"]
    assert (worst["rank"], worst["side"]) == (1, "bottom")


def rings(collection):
    for feature in collection["features"]:
        if feature["geometry"]:
            assert feature["geometry"]["type"] == "MultiPolygon"
            for outer, *holes in feature["geometry"]["coordinates"]:
                yield outer, True
                yield from ((hole, False) for hole in holes)


def test_rings_are_closed_and_wound_by_the_right_hand_rule(collection):
    for ring, outer in rings(collection):
        assert ring[0] == ring[-1]
        assert len(ring) >= 4
        assert shapely.LinearRing(ring).is_ccw == outer
        assert all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in ring)


def test_the_file_opens_as_a_layer_with_valid_areas_on_land(result, folder):
    layer = gpd.read_file(folder / "cohorts.geojson")
    assert layer.crs == "EPSG:4326"
    areas_there = layer[~layer.geometry.isna()]
    assert areas_there.is_valid.all()
    land = shapely.buffer(outlines.land("us"), 0.002)
    assert areas_there.within(land).all()
    assert len(layer) == sum(len(p.cohorts) for p in areas.on_map(result))
    assert layer["label"].str.startswith("people living in ZIP codes where").sum() == 2


def test_regions_tile_the_land_without_overlap(result):
    regions = areas.areas(result.partition("geo"))
    each = np.array(list(regions.values()))
    whole = shapely.union_all(each)
    assert shapely.area(each).sum() == pytest.approx(whole.area, rel=1e-4)
    mainland = shapely.box(-108, 33, -83, 40)
    assert shapely.intersection(whole, mainland).area == pytest.approx(mainland.area, rel=1e-6)


def test_a_region_is_the_box_of_its_rule(result):
    geo = result.partition("geo")
    for cohort, (south, north, west, east) in zip(geo.cohorts, geo.rule["boxes"], strict=True):
        left, low, right, high = areas.areas(geo)[cohort.cohort].bounds
        grid = geo.rule["grid"]
        for edge, bound, outside in ((south, low, -1), (north, high, 1), (west, left, -1), (east, right, 1)):
            if edge is not None:
                assert outside * (bound - edge * grid) <= 0.001


def test_open_regions_end_with_the_states_that_the_log_reaches(result):
    # The log goes from 28 to 44 degrees north: neither Alaska nor Hawaii is in it.
    whole = shapely.union_all(list(areas.areas(result.partition("geo")).values()))
    assert whole.intersects(outlines.states()["Maine"]) is False
    for name in ("Alaska", "Hawaii", "Puerto Rico"):
        assert not whole.intersects(outlines.states()[name])
    assert whole.contains(shapely.Point(-98, 35))


def test_who_made_the_centres_of_zip_codes_is_credited_only_where_they_are_used(result):
    regions = msgspec.structs.replace(result, partitions=(result.partition("geo"),))
    assert "GeoNames" not in json.loads(render(regions, "geojson"))["attribution"]


def test_a_log_beyond_the_us_lies_on_the_land_of_the_world():
    result = audit(read_log(european()), by=["geo"], permutations=0, splits=1)
    geo = result.partition("geo")
    assert areas.ground(geo) == "world"
    table = result.to_geopandas()
    assert table.is_valid.all()
    assert table.within(shapely.buffer(outlines.land("world"), 0.002)).all()
    paris, warsaw = shapely.Point(2.35, 48.85), shapely.Point(19.5, 52.2)
    (bottom,) = table[table["side"] == "bottom"]["cohort"].head(1)
    assert table[table.contains(warsaw)]["wer"].item() > 1.5 * table[table.contains(paris)]["wer"].item()
    assert bottom in set(table["cohort"])
    # Nothing is claimed of where the log does not reach.
    west, south, east, north = table.total_bounds
    assert (west >= -5, south >= 38, east <= 24, north <= 58) == (True,) * 4


def test_regions_without_us_land_are_drawn_on_the_world_though_they_lie_within_its_box():
    rows = european()
    rows["longitude"] -= 100
    result = audit(read_log(rows.assign(latitude=rows["latitude"] + 8)), by=["geo"], permutations=0, splits=1)
    assert areas.ground(result.partition("geo")) == "world", "Canada"


def test_the_frame_is_tidy(result):
    table = result.to_geopandas()
    assert isinstance(table, gpd.GeoDataFrame)
    assert list(table.columns) == [*AREA_COLUMNS, "geometry"]
    assert table.crs == "EPSG:4326"
    assert table["partition"].tolist() == sorted(table["partition"])
    assert (table.groupby("partition")["rank"].first() == 1).all()
    assert table["suppressed"].dtype == "boolean"
    # In its own units, or in any others.
    assert table.to_crs("EPSG:5070").area.max() > 1e10


def test_suppressed_cohorts_keep_their_region_and_lose_their_figures():
    result = audit(
        read_log(frame(4, effect=1.8)), by=["geo"], permutations=0, splits=1, min_speakers_shown=55
    )
    table = result.to_geopandas()
    hidden = table[table["suppressed"]]
    assert len(hidden)
    assert hidden[["wer", "low", "high", "speakers", "share", "status"]].isna().all(axis=None)
    assert not hidden.geometry.isna().any()
    features = json.loads(render(result, "geojson"))["features"]
    plain = [f["properties"] for f in features if f["properties"]["suppressed"]]
    assert all(
        p[name] is None for p in plain for name in ("wer", "low", "high", "speakers", "share", "status")
    )


def test_a_cohort_without_hexagons_has_no_area(result):
    zips = result.partition("zip")
    second, first = sorted(zips.cohorts, key=lambda c: -len(c.hexagons))
    bare = msgspec.structs.replace(zips, cohorts=(msgspec.structs.replace(first, hexagons=()), second))
    bare = msgspec.structs.replace(result, partitions=(bare,))
    table = bare.to_geopandas()
    assert table.set_index("cohort").geometry.isna()[first.cohort]
    geometries = {
        f["properties"]["cohort"]: f["geometry"] for f in json.loads(render(bare, "geojson"))["features"]
    }
    assert geometries[first.cohort] is None
    assert geometries[second.cohort] is not None


def test_where_nothing_lies_on_a_map_one_message_says_so(result):
    bare = msgspec.structs.replace(result, partitions=(result.partition("accent"),))
    for make in (bare.to_geopandas, lambda: render(bare, "geojson")):
        with pytest.raises(
            ResultError, match=r"no partition of this audit lies on a map\n  allowed: .*\n  fix: "
        ):
            make()


def test_the_file_is_written_only_where_there_is_a_map_and_is_listed(result, folder, tmp_path):
    assert "cohorts.geojson" in read_audit(folder).files
    (tmp_path / "cohorts.geojson").write_text("of an earlier audit")
    bare = msgspec.structs.replace(result, partitions=(result.partition("accent"),))
    assert "cohorts.geojson" not in write_audit(bare, tmp_path).files
    assert not (tmp_path / "cohorts.geojson").exists()


def test_a_changed_file_is_refused(folder, tmp_path):
    for name in ("audit.json", "cohorts.geojson"):
        (tmp_path / name).write_bytes(
            (folder / name).read_bytes().replace(b'"name":"cohorts"', b'"name":"mine"')
        )
    with pytest.raises(ResultError, match=r"cohorts\.geojson was not written by this audit"):
        read_audit(tmp_path)


def test_the_command_renders_it_from_a_saved_result(folder):
    shown = CliRunner().invoke(cli, ["report", str(folder), "--format", "geojson"])
    assert shown.exit_code == 0, shown.output
    assert shown.stdout == (folder / "cohorts.geojson").read_text("utf-8")


def test_a_comparison_has_no_map():
    with pytest.raises(OptionError, match="geojson"):
        render(compared(), "geojson")


def test_equal_results_give_equal_bytes(result):
    again = AuditResult.from_json(result.to_json())
    assert render(again, "geojson") == render(result, "geojson")
    assert not re.search(
        r"\d\.\d{4,}(?=[,\]])", "".join(re.findall(r'"coordinates":(.*)', render(result, "geojson")))
    )
