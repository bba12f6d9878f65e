"""The shipped example: it is what `fairaudit simulate` makes, and the audit's intervals hold its truth."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fairaudit.aggregate import aggregate
from fairaudit.discover import Preparing
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.speaker_clusters import SpeakerClusters
from fairaudit.discover.zip_demographics import ZipDemographics
from fairaudit.measurement import Measurement
from fairaudit.procedure import Procedure
from fairaudit.ranking import BOTTOM, TOP
from fairaudit.readers import read_log
from fairaudit.simulation import simulate, true_gap
from fairaudit.split import default_splits, halves
from fairaudit.world import World

EXAMPLE = Path(__file__).parent.parent / "data/simulated.parquet"


@pytest.fixture(scope="module")
def made():
    return simulate(World())


@pytest.fixture(scope="module")
def log():
    return read_log(EXAMPLE)


def measured(log, finder):
    counts = aggregate(log, finder.requires)
    if isinstance(finder, Preparing):
        counts = finder.prepare(counts)
        counts = counts.select(finder.unplaced(counts) == "")
    half = halves(counts.speakers, 1, default_splits(len(counts.speakers)))
    procedure = Procedure(counts, half, finder, None, 0.1)
    first = procedure.ways[0]
    return Measurement(procedure, 0.95, first.measured, finder.fit(counts.select(first.searched)))


def sides(found):
    """Yield the speakers of bottom and top in the measured half, as each way named them."""
    counts = found.counts
    for way in found.ways:
        side = way.named.row_sides()[0]
        rows = [way.way.measured & (side == which) for which in (BOTTOM, TOP)]
        yield [counts.speakers[counts.speaker[mask]] for mask in rows]


def test_the_example_is_what_the_simulator_makes(made):
    assert pq.read_table(EXAMPLE).equals(made.log)


@pytest.mark.parametrize(
    ("finder", "in_sample_holds"),
    [(GeoTree(), False), (ZipDemographics(), True), (SpeakerClusters(seed=1), False)],
    ids=["geo", "zip", "voice"],
)
def test_intervals_hold_the_true_gap_of_the_rules_that_were_found(finder, in_sample_holds, made, log):
    found = measured(log, finder)
    gap = found.gap("top", "bottom against top")
    truth = np.expm1(np.mean([np.log1p(true_gap(made.truth, *pair)) for pair in sides(found)]))
    assert gap.relative_low < truth < gap.relative_high
    # Two sides of one attribute are not searched for long; many regions or clusters are.
    assert (gap.relative_low < found.in_sample().relative < gap.relative_high) == in_sample_holds


def test_the_planted_cohorts_are_found_and_their_gaps_held(made, log):
    planted = {p["kind"]: p for p in made.truth["planted"]}
    zips = measured(log, ZipDemographics())
    assert [way.chosen for way in zips.ways] == ["pct_asian", "pct_asian"]
    gap = zips.gap("top", "bottom against top")
    assert gap.relative_low < planted["zip"]["population"]["gap"] < gap.relative_high
    assert planted["zip"]["population"]["gap"] == pytest.approx(0.417, abs=1e-6)
    voices = measured(log, SpeakerClusters(seed=1))
    gap = voices.gap("top", "bottom against top")
    assert gap.relative_low < planted["voice"]["population"]["gap"] < gap.relative_high
    assert planted["voice"]["population"]["gap"] == pytest.approx(0.65, abs=1e-6)
    speakers = made.truth["speakers"]
    for bottom, top in sides(voices):
        assert np.mean([speakers[name]["voice"] == 0 for name in bottom]) > 0.9
        assert np.mean([speakers[name]["voice"] == 0 for name in top]) < 0.05
