"""Worlds with no gap, and worlds with a planted one: what the audit says of them.

    python benchmarks/calibration.py [WORLDS]

For each discoverer: the mean honest gap and the mean in-sample gap, how often p is at most 5 % and
10 %, and how often the 95 % interval holds the true gap of the rules that were found. The true gap of a
procedure is the mean, over the ways of its splits, of the log ratio of the true rates of bottom and
top as they were named.
"""

from __future__ import annotations

import sys

import numpy as np

from fairaudit.aggregate import aggregate
from fairaudit.discover import Discoverer, Preparing
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.labels import LabelColumn
from fairaudit.discover.speaker_clusters import SpeakerClusters
from fairaudit.discover.zip_demographics import ZipDemographics
from fairaudit.measurement import Measurement
from fairaudit.procedure import Procedure
from fairaudit.ranking import BOTTOM, TOP
from fairaudit.readers import read_log
from fairaudit.simulation import simulate
from fairaudit.split import halves
from fairaudit.world import BoxPlant, VoicePlant, World, ZipPlant

SPEAKERS = 1_000
PLANTED = {
    "geo": World(
        speakers=SPEAKERS,
        boxes=(BoxPlant(24.0, 37.0, -107.0, -66.0, 1.4),),
        zip_codes=(),
        voices=(),
    ),
    "zip": World(speakers=SPEAKERS, boxes=(), zip_codes=(ZipPlant("pct_hispanic", 0.5, 0.4),), voices=()),
    "voice": World(speakers=SPEAKERS, boxes=(), zip_codes=(), voices=(VoicePlant(0.1, 0.4),)),
}
DISCOVERERS: dict[str, Discoverer] = {
    "geo": GeoTree(),
    "zip": ZipDemographics(),
    "voice": SpeakerClusters(),
    "device": LabelColumn("device"),
}


def one(world: World, seed: int, discoverer: Discoverer) -> tuple[float, float, float, bool]:
    """Return the honest gap, the in-sample gap, p, and whether the interval holds the truth."""
    simulation = simulate(world, seed)
    counts = aggregate(read_log(simulation.log), discoverer.requires, grid=0.05)
    if isinstance(discoverer, Preparing):
        counts = discoverer.prepare(counts)
        counts = counts.select(discoverer.unplaced(counts) == "")
    elif isinstance(discoverer, LabelColumn):
        counts = counts.select(counts.labels(discoverer.column).codes >= 0)
    half = halves(counts.speakers, seed, 11)
    fixed = discoverer.fit(counts) if isinstance(discoverer, LabelColumn) else None
    procedure = Procedure(counts, half, None if fixed else discoverer, fixed, 0.1)
    partition = fixed or discoverer.fit(counts.select(procedure.ways[0].searched))
    measured = Measurement(procedure, 0.95, procedure.ways[0].measured, partition)
    gap, inside = measured.gap("top", ""), measured.in_sample()
    found = measured.chance(99, (seed,), lambda done: None)
    if gap.relative is None or found is None or inside is None:
        return (np.nan,) * 3 + (True,)
    observed, permuted = found
    p = permuted.p_value(float(observed.statistic[0]), permuted.figures.statistic)
    truth = np.expm1(true_log_ratio(measured, simulation.truth))
    assert gap.relative_low is not None
    assert gap.relative_high is not None
    holds = gap.relative_low <= truth <= gap.relative_high
    return gap.relative, inside.relative or np.nan, p or np.nan, bool(holds)


def true_log_ratio(measured: Measurement, truth: dict) -> float:
    """Average the log ratio of structural rates over the ways, weighted by the words that were read."""
    counts = measured.counts
    rate = np.array([truth["speakers"][name]["structural"] for name in counts.speakers])[counts.speaker]
    logs = []
    for way in measured.ways:
        if not way.has_gap:
            continue
        side = way.named.row_sides()[0]
        rates = []
        for which in (BOTTOM, TOP):
            rows = way.way.measured & (side == which)
            rates.append((rate[rows] * counts.ref_words[rows]).sum() / counts.ref_words[rows].sum())
        logs.append(np.log(rates[0] / rates[1]))
    return float(np.mean(logs))


def main() -> None:
    """Run the study and print its table."""
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    null = World(speakers=SPEAKERS, null=True)
    print(f"{worlds} worlds of {SPEAKERS:,} speakers each, 11 splits, 99 permutations\n")
    print("| world | by | honest gap | in-sample gap | p <= 5 % | p <= 10 % | interval holds the truth |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind in ("no gap", "planted"):
        for name, discoverer in DISCOVERERS.items():
            world = null if kind == "no gap" else PLANTED.get(name)
            if world is None:
                continue
            rows = np.array([one(world, seed, discoverer) for seed in range(1, worlds + 1)], dtype=float)
            gap, inside, p, holds = rows.T
            print(
                f"| {kind} | {name} | {np.nanmean(gap):+.1%} | {np.nanmean(inside):+.1%} | "
                f"{np.nanmean(p <= 0.05):.1%} | {np.nanmean(p <= 0.1):.1%} | {np.nanmean(holds):.1%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
