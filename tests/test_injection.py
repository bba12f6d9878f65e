"""Injected gaps: what the audit would have found, in the user's own log."""

from dataclasses import replace

import numpy as np
import pytest

from fairaudit.auditing import audit
from fairaudit.counts import Labels, SpeakerCounts
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.labels import LabelColumn
from fairaudit.discover.slices import Slices
from fairaudit.injection import critical_value, detectable, injected, multiplied, region_of
from fairaudit.measurement import Measurement
from fairaudit.procedure import Procedure
from fairaudit.readers import read_log
from fairaudit.report import render
from fairaudit.split import halves


def counts_of(speakers=400, seed=1):
    rng = np.random.default_rng(seed)
    words = rng.integers(100, 500, speakers)
    return SpeakerCounts.of(
        [f"s{i:04}" for i in range(speakers)],
        ref_words=words,
        errors=rng.poisson(words * 0.12 * rng.gamma(6, 1 / 6, speakers)),
        attributes={
            "latitude": rng.integers(600, 960, speakers).astype(float),
            "longitude": rng.integers(-2400, -1400, speakers).astype(float),
        },
    )


def measurement_of(counts, finder=None, partition=None):
    procedure = Procedure(counts, halves(counts.speakers, 1, 3), finder, partition, 0.1)
    return Measurement(
        procedure, 0.95, np.ones(counts.rows, bool), partition if partition else finder.fit(counts)
    )


def test_the_critical_value_is_the_least_with_a_p_of_five_per_cent():
    rng = np.random.default_rng(1)
    for replicates in (19, 99, 199, 240):
        null = rng.normal(size=replicates)
        value = critical_value(null)

        def p_of(statistic, null=null):
            return (1 + np.count_nonzero(null >= statistic)) / (1 + len(null))

        assert p_of(value) <= 0.05 < p_of(np.nextafter(value, -np.inf))
    assert critical_value(np.zeros(18)) is None
    # A replicate without a gap reaches nothing.
    assert critical_value(np.array([np.nan] * 99)) is None


def test_errors_are_multiplied_inside_and_right_on_average():
    rng = np.random.default_rng(2)
    errors, inside = np.full(20_000, 3), np.arange(20_000) < 10_000
    found = multiplied(errors, inside, 1.15, rng)
    assert np.array_equal(found[~inside], errors[~inside])
    assert found[inside].mean() == pytest.approx(3.45, abs=0.02)
    assert set(np.unique(found)) == {3, 4}


def test_regions_are_boxes_of_about_the_share_and_differ():
    counts = counts_of()
    region = region_of(measurement_of(counts, GeoTree(min_speakers=20)), 0.1)
    generator = np.random.default_rng(3)
    drawn = [region(generator) for _ in range(20)]
    for inside in drawn:
        assert 0.1 <= inside.mean() <= 0.12
        latitude, longitude = (counts.numbers(c) for c in ("latitude", "longitude"))
        box = np.ones(counts.rows, bool)
        for values in (latitude, longitude):
            box &= (values >= values[inside].min()) & (values <= values[inside].max())
        assert box.sum() <= 1.3 * inside.sum()
    assert len({inside.tobytes() for inside in drawn}) > 15


def test_larger_gaps_are_found_more_often_and_none_only_by_chance():
    counts = counts_of(600)
    measurement = measurement_of(counts, GeoTree(min_speakers=20))
    _, null = measurement.chance(99, (1,), lambda done: None)
    found = injected(
        measurement, null.figures, 0.1, (1,), lambda done: None, gaps=(0.0, 0.5, 2.0), replicates=30
    )
    none, some, most = (f.found for f in found.found)
    assert none <= 0.2
    assert none <= some <= most
    assert most >= 0.9
    assert 0.05 < found.detectable < 2.0
    again = injected(
        measurement, null.figures, 0.1, (1,), lambda done: None, gaps=(0.0, 0.5, 2.0), replicates=30
    )
    assert again == found


def test_labels_take_gaps_in_whole_cohorts():
    counts = counts_of()
    device = Labels.of([f"d{i % 5}" for i in range(400)])
    counts = replace(counts, attributes={"device": device})
    partition = LabelColumn("device").fit(counts)
    inside = region_of(measurement_of(counts, partition=partition), 0.3)
    generator = np.random.default_rng(1)
    codes = counts.labels("device").codes
    for _ in range(10):
        drawn = inside(generator)
        whole = [set(drawn[codes == c].tolist()) for c in range(5)]
        assert all(len(kind) == 1 for kind in whole)
        assert 0.3 <= drawn.mean() < 1


def test_a_search_of_intersections_takes_gaps_in_intersections_half_of_the_time():
    rng = np.random.default_rng(3)
    columns = {name: rng.integers(0, k, 400) for name, k in (("device", 5), ("gender", 2), ("accent", 3))}
    attributes = {name: Labels.of([f"{name}{v}" for v in values]) for name, values in columns.items()}
    # Those without an accent are nobody's cohort.
    attributes["accent"] = Labels.of([None if i < 90 else f"a{v}" for i, v in enumerate(columns["accent"])])
    counts = replace(counts_of(), attributes=attributes)
    slices = Slices(columns=tuple(sorted(columns)), min_speakers=20)
    inside = region_of(measurement_of(counts, finder=slices), 0.1)
    generator = np.random.default_rng(1)
    fixed = []
    for _ in range(200):
        drawn = inside(generator)
        assert drawn.any()
        held = [counts.labels(name).codes for name in columns]
        alike = [codes for codes in held if len(set(codes[drawn])) == 1 and codes[drawn][0] >= 0]
        # All rows that are alike in these are in it, and no others.
        np.testing.assert_array_equal(drawn, np.all([c == c[drawn][0] for c in alike], axis=0))
        fixed.append(len(alike))
    assert set(fixed) == {1, 2}
    assert fixed.count(2) == pytest.approx(100, abs=25)


def test_detectable_reads_the_curve_where_it_crosses_four_in_five():
    assert detectable([0.1, 0.2, 0.4], [0.1, 0.8, 1.0]) == 0.2
    assert detectable([0.1, 0.2, 0.4], [0.5, 0.3, 0.9]) == pytest.approx(0.36)
    assert detectable([0.1], [1.0]) == pytest.approx(0.0789, abs=1e-3)
    assert detectable([0.1], [0.79]) is None


def test_the_report_says_what_would_have_been_found():
    import pandas as pd

    rng = np.random.default_rng(4)
    table = pd.DataFrame(
        {
            "speaker_id": [f"s{i:03}" for i in range(300)],
            "ref_words": 400,
            "errors": rng.poisson(40, 300),
            "device": [f"d{i % 5}" for i in range(300)],
        }
    )
    result = audit(read_log(table), by=["device"], permutations=39, splits=2, inject=True)
    injection = result.partition("device").injection
    assert injection.share == pytest.approx(0.2)
    assert injection.detectable < 0.3
    assert "would have been found four times in five" in render(result, "md")
    assert (
        audit(read_log(table), by=["device"], permutations=39, splits=2).partition("device").injection is None
    )
