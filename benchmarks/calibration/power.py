"""How often a planted gap is found: by its size, the number of speakers, and the method.

    python benchmarks/calibration/power.py [WORLDS]

The worse cohort is about a third of the speakers (see `worlds.planted`), its WER a multiple of all
others'. Found means a permutation p of at most 5 % (with 39 permutations, whose p cannot be below
2.5 %), or that the 95 % interval of the honest gap excludes nought, above it. 4,000 speakers take half
of the worlds, and what was found in every world by all three is taken to be found where it is larger.
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
    shown,
    standard_error,
)

from fairaudit.discover import Discoverer
from fairaudit.readers import read_log
from fairaudit.simulation import simulate
from fairaudit.world import World

SPEAKERS = (250, 1_000, 4_000)
FACTORS = (1.1, 1.2, 1.35, 1.5, 2.0)
PERMUTATIONS = 39
RULES = ("p <= 5 %", "in-sample p <= 5 %", "interval")


def one(world: World, seed: int, finder: Discoverer) -> tuple[bool, bool, bool]:
    """Tell whether p, the in-sample p and the interval find it."""
    run = measured(placed(read_log(simulate(world, seed).log), finder), seed, finder)
    return shown(run, PERMUTATIONS, seed)


def main() -> None:
    """Run the study and print its table."""
    worlds = asked_worlds(60)
    print(f"{worlds} worlds, half as many of 4,000 speakers: the standard error of 80 % is")
    print(f"{standard_error(0.8, worlds)} and {standard_error(0.8, worlds // 2)} points.")
    heading("by", "speakers", "found if", *(f"x{factor:g}" for factor in FACTORS))
    for name, finder in METHODS.items():
        for speakers in SPEAKERS:
            several = worlds if speakers < 4_000 else worlds // 2
            shares: list[np.ndarray] = []
            for factor in FACTORS:
                if shares and np.all(shares[-1] == 1):
                    shares.append(shares[-1])
                    continue
                world = planted(name, speakers, factor)
                shares.append(np.mean([one(world, seed, finder) for seed in range(1, several + 1)], axis=0))
            for rule, found in zip(RULES, np.transpose(shares), strict=True):
                line(name, f"{speakers:,}", rule, *(percent([share], 0) for share in found))


if __name__ == "__main__":
    main()
