import numpy as np
import pytest
from worlds import measurement, speaker_counts

from fairaudit.counts import SpeakerCounts
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.exceptions import OptionError
from fairaudit.ranking import BOTTOM


def us(seed, n=600, effect=1.8):
    """Speakers all over the US; in Florida's box errors are `effect` times as many."""
    rng = np.random.default_rng(seed)
    latitude, longitude = rng.uniform(25, 48, n), rng.uniform(-120, -75, n)
    florida = (latitude < 31) & (longitude > -88)
    latitude[: n // 5], longitude[: n // 5] = rng.uniform(26, 30.5, n // 5), rng.uniform(-82, -80.3, n // 5)
    florida[: n // 5] = True
    rate = 0.1 * rng.gamma(6, 1 / 6, n) * np.where(florida, effect, 1.0)
    cells = np.floor(latitude / 0.05), np.floor(longitude / 0.05)
    return speaker_counts(rng.integers(100, 900, n), rate, rng, cells=cells), florida


def test_the_planted_region_is_the_worst_and_carries_a_name():
    counts, florida = us(1)
    found = GeoTree().fit(counts)
    leaf = found.assign(counts)
    rates = [
        counts.errors[leaf == k].sum() / counts.ref_words[leaf == k].sum() for k in range(len(found.names))
    ]
    worst = leaf == int(np.argmax(rates))
    assert (worst & florida).sum() / worst.sum() > 0.9
    assert "Florida" in found.names[int(np.argmax(rates))].label
    assert [name.cohort for name in found.names][:2] in (["region-01", "region-02"], ["region-1", "region-2"])


def test_boxes_tile_the_plane_without_overlap():
    counts, _ = us(2)
    found = GeoTree(min_speakers=10).fit(counts)
    rng = np.random.default_rng(0)
    anywhere = rng.integers(-1800, 1800, 500), rng.integers(-3600, 3600, 500)
    inside = np.zeros(500, dtype=int)
    for south, north, west, east in found.boxes:
        inside += (
            (anywhere[0] >= (-9999 if south is None else south))
            & (anywhere[0] < (9999 if north is None else north))
            & (anywhere[1] >= (-9999 if west is None else west))
            & (anywhere[1] < (9999 if east is None else east))
        )
    assert set(inside) == {1}
    assert len(found.boxes) > 4


def test_a_region_needs_its_speakers_and_its_words():
    counts, _ = us(3)
    leaf = GeoTree(min_speakers=40, min_words=30_000).fit(counts).assign(counts)
    assert len(set(leaf)) > 2
    assert np.bincount(leaf).min() >= 40
    assert min(counts.ref_words[leaf == k].sum() for k in set(leaf)) >= 30_000


def test_a_region_needs_its_share_of_a_large_log():
    counts, _ = us(3, 2_000)
    sizes = np.bincount(GeoTree(min_share=0.05).fit(counts).assign(counts))
    assert 2 < len(sizes) <= 20
    assert sizes.min() >= 100
    # Of a small log thirty speakers are more.
    few, _ = us(3, 600)
    assert 30 <= np.bincount(GeoTree().fit(few).assign(few)).min() < 60


def test_the_published_number_of_regions_is_reached_without_a_share():
    counts, _ = us(7, 6_000)
    assert len(GeoTree(min_share=0.0).fit(counts).boxes) == 126
    assert len(GeoTree().fit(counts).boxes) <= 33


def corner(seed, n=6_000, effect=1.15):
    """Speakers all over a square; in its south-western corner, a tenth, errors are more."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 400, (2, n))
    inside = (cells < 400 * 0.1**0.5).all(axis=0)
    rate = 0.1 * rng.gamma(6, 1 / 6, n) * np.where(inside, effect, 1.0)
    return speaker_counts(np.full(n, 300), rate, rng, cells=cells), inside


def test_the_worst_regions_hold_more_of_a_planted_one_where_they_need_a_share():
    precision = {}
    for share in (0.0, GeoTree().min_share):
        precision[share] = []
        for seed in range(6):
            counts, inside = corner(seed)
            way = measurement(counts, finder=GeoTree(min_share=share), splits=1).ways[0]
            bottom = way.way.measured & (way.named.row_sides()[0] == BOTTOM)
            precision[share].append(inside[bottom].mean())
    small, large = (np.mean(found) for found in precision.values())
    assert large > small + 0.1


def test_at_most_so_many_regions():
    counts, _ = us(4)
    assert len(GeoTree(min_speakers=5, max_regions=3).fit(counts).boxes) == 3


def test_one_open_region_where_nothing_can_be_split():
    counts, _ = us(5)
    found = GeoTree(min_speakers=400).fit(counts)
    assert found.boxes == ((None, None, None, None),)
    assert found.names[0].cohort == "region-1"


def test_replicates_grown_together_have_the_regions_of_the_tree_grown_alone():
    counts, _ = us(6, 300)
    rng = np.random.default_rng(1)
    order = np.stack([np.arange(300), rng.permutation(300), rng.permutation(300)])
    e, w = counts.errors[order].astype(float), counts.ref_words[order].astype(float)
    together = GeoTree().fit_many(counts, e, w).assign(counts)
    np.testing.assert_array_equal(together[0], GeoTree().fit(counts).assign(counts))
    alone = SpeakerCounts.of(
        counts.speakers,
        ref_words=w[2].astype(int),
        errors=e[2].astype(int),
        attributes=dict(counts.attributes),
    )
    np.testing.assert_array_equal(together[2], GeoTree().fit(alone).assign(counts))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_regions": 1}, "geo.max_regions is 1"),
        ({"min_speakers": 0}, "geo.min_speakers is 0"),
        ({"min_words": -1}, "geo.min_words is -1"),
        ({"min_share": -0.1}, "geo.min_share is -0.1"),
        ({"min_share": 0.6}, "geo.min_share is 0.6"),
        ({"min_share": float("nan")}, "geo.min_share is nan"),
        ({"grid": 0.0}, "geo.grid is 0.0"),
        ({"grid": float("nan")}, "geo.grid is nan"),
    ],
)
def test_parameters_are_checked(parameters, message):
    with pytest.raises(OptionError, match=message):
        GeoTree(**parameters)
