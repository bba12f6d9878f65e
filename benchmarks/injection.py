"""Whether the gap that `--inject` calls detectable is found four times in five in logs drawn anew.

    python benchmarks/injection.py [LOGS]

A log without a gap is drawn and injected into, as an audit would. Then logs are drawn from the same world,
with a gap of just that size planted at a random place, and the audit's own procedure and permutations run.
"""

from __future__ import annotations

import sys

import numpy as np

from fairaudit.counts import UNIT, SpeakerCounts, to_unit
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.labels import LabelColumn
from fairaudit.discover.speaker_clusters import SpeakerClusters
from fairaudit.injection import injected, region_of
from fairaudit.measurement import Measurement
from fairaudit.procedure import Procedure
from fairaudit.split import default_splits, halves

SPEAKERS, SHARE, PERMUTATIONS = 1000, 0.10, 99


def world(rng: np.random.Generator) -> SpeakerCounts:
    """Draw speakers of unequal words and rates, with a place, a voice and a device each."""
    words = np.maximum(20, rng.lognormal(np.log(200), 0.8, SPEAKERS)).astype(int)
    centres = rng.normal(size=(20, 16))
    voices = centres[rng.integers(0, 20, SPEAKERS)] + 0.6 * rng.normal(size=(SPEAKERS, 16))
    ids = [f"s{i:04}" for i in range(SPEAKERS)]
    return SpeakerCounts.of(
        ids,
        ref_words=words,
        errors=rng.poisson(0.12 * rng.gamma(6, 1 / 6, SPEAKERS) * words),
        attributes={
            "latitude": rng.integers(600, 960, SPEAKERS).astype(float),
            "longitude": rng.integers(-2400, -1400, SPEAKERS).astype(float),
            "device": rng.permutation([f"d{i % 10}" for i in range(SPEAKERS)]),
        },
        embedding_sum=dict(zip(ids, to_unit(voices / UNIT), strict=True)),
    )


def measured(counts: SpeakerCounts, by: str) -> Measurement:
    """Set up an audit's measurement by one method, on what that method reads."""
    keep = {"geo": ("latitude", "longitude"), "voice": (), "device": ("device",)}[by]
    vectors = counts.embedding_sum if by == "voice" else None
    own = SpeakerCounts.of(
        counts.speakers,
        ref_words=counts.ref_words,
        errors=counts.errors,
        attributes={name: counts.attributes[name] for name in keep},
        embedding_sum=None if vectors is None else dict(zip(counts.speakers, vectors, strict=True)),
    )
    finder = {"geo": GeoTree(), "voice": SpeakerClusters(), "device": LabelColumn("device")}[by]
    fixed = finder.fit(own) if by == "device" else None
    split = halves(own.speakers, 1, default_splits(SPEAKERS))
    procedure = Procedure(own, split, None if fixed else finder, fixed, SHARE)
    return Measurement(procedure, 0.95, np.ones(own.rows, bool), fixed or finder.fit(own))


def found(counts: SpeakerCounts, by: str, gap: float, rng: np.random.Generator) -> bool:
    """Plant a gap at a random place and tell whether the audit tells it from chance."""
    inside = region_of(measured(counts, by), SHARE)(rng)
    more = rng.poisson(np.where(inside, counts.errors * gap, 0.0))
    planted = SpeakerCounts.of(
        counts.speakers,
        ref_words=counts.ref_words,
        errors=counts.errors + more,
        attributes=counts.attributes,
        embedding_sum=dict(zip(counts.speakers, counts.embedding_sum, strict=True)),
    )
    observed, null = measured(planted, by).chance(PERMUTATIONS, (1,), lambda done: None)
    p = null.p_value(float(observed.statistic[0]), null.figures.statistic)
    return p is not None and p <= 0.05


def main() -> None:
    """Print a table."""
    logs = int(sys.argv[1]) if sys.argv[1:] else 40
    print("| by | share | detectable gap | found in logs drawn anew |")
    print("| --- | --- | --- | --- |")
    for number, by in enumerate(("device", "voice", "geo")):
        rng = np.random.default_rng((7, number))
        measurement = measured(world(rng), by)
        _, null = measurement.chance(PERMUTATIONS, (1,), lambda done: None)
        said = injected(measurement, null.figures, SHARE, (1,), lambda done: None)
        assert said is not None
        if said.detectable is None:
            print(f"| {by} | {said.share:.0%} | above 100 % | |", flush=True)
            continue
        held = np.mean([found(world(rng), by, said.detectable, rng) for _ in range(logs)])
        print(f"| {by} | {said.share:.0%} | {said.detectable:.1%} | {held:.0%} of {logs} |", flush=True)


if __name__ == "__main__":
    main()
