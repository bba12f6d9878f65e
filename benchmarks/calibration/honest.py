"""The honest gap against the true gap of the rules that were found, and the in-sample gap beside it.

    python benchmarks/calibration/honest.py [WORLDS]

For worlds without a gap and with a planted one, by each method and by a label: mean gaps over worlds, the
spread of the honest one around the truth, and how often the 95 % interval holds the truth. The true gap
of a procedure is the mean, over the ways of its splits, of the log ratio of the true rates of bottom and
top as they were named. Means are taken on the log scale, on which the gap is estimated.
"""

from __future__ import annotations

import numpy as np
from worlds import (
    METHODS,
    asked_worlds,
    heading,
    line,
    measured,
    percent,
    placed,
    planted,
    standard_error,
    true_log_gap,
)

from fairaudit.discover import Discoverer
from fairaudit.discover.labels import LabelColumn
from fairaudit.readers import read_log
from fairaudit.simulation import simulate
from fairaudit.world import World

#: 10,000 speakers and more are split once, and take half of the worlds.
SPEAKERS = (250, 1_000, 12_000)
FACTOR = 1.4


def one(world: World, seed: int, finder: Discoverer) -> list[float]:
    """Return honest, true and in-sample log gap, and whether the interval holds the truth."""
    simulation = simulate(world, seed)
    run = measured(placed(read_log(simulation.log), finder), seed, finder)
    gap, inside = run.gap("top", ""), run.in_sample()
    if gap.ratio is None or gap.relative_low is None or gap.relative_high is None:
        return [np.nan] * 4
    assert inside is not None
    truth = true_log_gap(run, simulation.truth)
    holds = gap.relative_low <= np.expm1(truth) <= gap.relative_high
    seen = np.nan if inside.relative is None else np.log1p(inside.relative)
    return [np.log(gap.ratio), truth, seen, holds]


def main() -> None:
    """Run the study and print its table."""
    worlds = asked_worlds(100)
    print(f"{worlds} worlds, half as many of 12,000 speakers: the standard error of a coverage of 95 % is")
    print(f"{standard_error(0.95, worlds)} and {standard_error(0.95, worlds // 2)} points.")
    columns = ("no gap given", "honest", "true", "in-sample", "bias, points of log", "standard error of it")
    heading("speakers", "planted", "by", *columns, "interval holds the truth")
    finders = {**METHODS, "device": LabelColumn("device")}
    for speakers in SPEAKERS:
        for kind in ("nothing", "cohort"):
            for name, finder in finders.items():
                if kind == "cohort" and name not in METHODS:
                    continue
                null = World(speakers=speakers, null=True)
                world = null if kind == "nothing" else planted(name, speakers, FACTOR)
                seeds = range(1, (worlds if speakers < 10_000 else worlds // 2) + 1)
                found = np.array([one(world, seed, finder) for seed in seeds], dtype=float)
                given = found[np.isfinite(found[:, 0])]
                if not len(given):
                    line(f"{speakers:,}", kind, name, "100.0", *["-"] * 6)
                    continue
                gaps = [f"{np.expm1(np.nanmean(values)):+.1%}" for values in given.T[:3]]
                bias = 100 * (given[:, 0] - given[:, 1])
                line(
                    f"{speakers:,}",
                    kind,
                    name,
                    percent(np.isnan(found[:, 0])),
                    *gaps,
                    f"{bias.mean():+.1f}",
                    f"{bias.std() / np.sqrt(len(bias)):.1f}",
                    percent(given[:, 3]),
                )


if __name__ == "__main__":
    main()
