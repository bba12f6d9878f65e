"""Worlds without a gap: how often a test says that there is one.

    python benchmarks/calibration/null.py [WORLDS]

First, the permutation p of each way to partition, and of Holm's family over all that an audit takes
unasked. `gender` is of speakers, `device` of utterances, so that most speakers have several. Then labels
that strain the exchange of speakers: a cohort that talks more, or varies more, without a higher rate, and
a device that every speaker has. Last, the flags of single cohorts, without a permutation.
"""

from __future__ import annotations

import numpy as np
from worlds import (
    METHODS,
    RATE,
    TALKERS,
    asked_worlds,
    counts_of,
    factors,
    heading,
    line,
    measured,
    names,
    p_values,
    percent,
    placed,
    standard_error,
    words_of,
)

from fairaudit.counts import SpeakerCounts
from fairaudit.discover.labels import LabelColumn
from fairaudit.discover.slices import Slices
from fairaudit.estimate import holm
from fairaudit.flags import flags, worst_excess
from fairaudit.readers import read_log
from fairaudit.simulation import simulate
from fairaudit.world import World

SPEAKERS, PERMUTATIONS = 400, 99
UNASKED = {**METHODS, "gender": LabelColumn("gender"), "device": LabelColumn("device")}
#: Flags take no permutation, so there are so many times the worlds.
TIMES = 4
COHORTS, WORSE = 10, 1.5


def of_all_methods(seed: int) -> dict[str, tuple[float, float]]:
    """Return both p of every partition of one simulated log, and the smallest that Holm leaves."""
    log = read_log(simulate(World(speakers=SPEAKERS, null=True), seed).log)
    finders = {**UNASKED, "slices": Slices(("gender", "device"))}
    found = {
        name: p_values(measured(placed(log, finder), seed, finder), PERMUTATIONS, seed)[:2]
        for name, finder in finders.items()
    }
    families = np.array([found[name] for name in UNASKED]).T
    known = [[None if np.isnan(p) else p for p in family] for family in families]
    least = [min((p for p in holm(family) if p is not None), default=np.nan) for family in known]
    return {**found, "all but slices, Holm": (least[0], least[1])}


def louder(seed: int) -> SpeakerCounts:
    """Draw a cohort of a fifth of the speakers who talk five times as much."""
    rng = np.random.default_rng(seed)
    members = np.arange(SPEAKERS) < SPEAKERS // 5
    words = words_of("log-normal", SPEAKERS, rng) * np.where(members, 5, 1)
    return labelled(members, words, factors(0.5, SPEAKERS, rng), rng)


def more_varied(seed: int) -> SpeakerCounts:
    """Draw a cohort of a fifth whose speakers differ by a CV of 1.0, and the others by 0.2."""
    rng = np.random.default_rng(seed)
    members = np.arange(SPEAKERS) < SPEAKERS // 5
    own = np.where(members, factors(1.0, SPEAKERS, rng), factors(0.2, SPEAKERS, rng))
    return labelled(members, words_of("equal", SPEAKERS, rng), own, rng)


def both_at_once(seed: int) -> SpeakerCounts:
    """Draw a small cohort of quiet and varied speakers."""
    rng = np.random.default_rng(seed)
    members = np.arange(SPEAKERS) < SPEAKERS // 10
    own = np.where(members, factors(1.0, SPEAKERS, rng), factors(0.2, SPEAKERS, rng))
    return labelled(members, words_of("log-normal", SPEAKERS, rng) // np.where(members, 2, 1), own, rng)


def everywhere(seed: int) -> SpeakerCounts:
    """Draw speakers who all have all of three devices, and a rate of their own with each."""
    rng = np.random.default_rng(seed)
    own = np.tile(factors(0.5, SPEAKERS, rng), 3) * factors(0.3, 3 * SPEAKERS, rng)
    words = np.tile(words_of("log-normal", SPEAKERS, rng) // 3, 3)
    device = np.repeat(["headset", "far field", "phone"], SPEAKERS)
    return counts_of(names(SPEAKERS) * 3, words, RATE * own, rng, {"label": device})


def labelled(members: np.ndarray, words: np.ndarray, own: np.ndarray, rng: np.random.Generator):
    """Count speakers with a label of two values."""
    label = np.where(members, "a", "b")
    return counts_of(names(len(words)), words, RATE * own, rng, {"label": label})


LABELS = {
    "a fifth talks 5 times as much": louder,
    "a fifth varies more": more_varied,
    "a tenth is quieter and varies more": both_at_once,
    "every speaker has every device": everywhere,
}


def cohorts(seed: int, speakers: int, talkers: str, worse: int) -> tuple[SpeakerCounts, np.ndarray]:
    """Draw cohorts of so many speakers each, of which the first few have a rate of 1.5 times the others'."""
    rng = np.random.default_rng(seed)
    cohort = np.arange(COHORTS * speakers) % COHORTS
    rate = RATE * factors(0.5, len(cohort), rng) * np.where(cohort < worse, WORSE, 1.0)
    counts = counts_of(names(len(cohort)), words_of(talkers, len(cohort), rng), rate, rng, {})
    return counts, cohort


def flagged(seed: int, speakers: int, talkers: str, worse: int) -> list[float]:
    """Tell what was wrong: any flag (Holm), any bound, the statement; and the false fraction under BH."""
    counts, cohort = cohorts(seed, speakers, talkers, worse)
    own = np.bincount(cohort, counts.ref_words)
    true = np.where(np.arange(COHORTS) < worse, WORSE, 1.0)
    against_rest = np.log(true / ((true @ own - true * own) / (own.sum() - own)))
    given = {"confidence": 0.95, "margin": 0.1, "seed": (seed,)}
    by_holm, by_bh = (flags(counts, cohort, range(COHORTS), correction=c, **given) for c in ("holm", "bh"))
    false = [number for number, flag in by_holm.items() if flag.status == "flagged" and number >= worse]
    bounds_hold = all(flag.upper >= against_rest[number] for number, flag in by_holm.items())
    excess = worst_excess(counts, cohort, range(COHORTS), confidence=0.95, seed=(seed,))
    statement_holds = excess is None or excess >= true.max() / (true @ own / own.sum()) - 1
    found = [number for number, flag in by_bh.items() if flag.status == "flagged"]
    false_fraction = np.mean([number >= worse for number in found]) if found else 0.0
    real = np.mean([by_holm[n].status == "flagged" for n in range(worse)]) if worse else np.nan
    real_bh = np.mean([by_bh[n].status == "flagged" for n in range(worse)]) if worse else np.nan
    return [bool(false), not bounds_hold, not statement_holds, float(false_fraction), real, real_bh]


def print_p(name: str, found: np.ndarray) -> None:
    """Print how often each p is small; a log without a gap has no p, and is no finding."""
    small = np.where(np.isnan(found), 1.0, found)
    cells = [percent(p <= level) for p in small.T for level in (0.05, 0.1)]
    line(name, *cells, percent(np.isnan(found[:, 0])))


def errors_of(worlds: int) -> str:
    """Write the standard errors of 5 and 10 %."""
    both = " and ".join(standard_error(p, worlds) for p in (0.05, 0.1))
    return f"{worlds} worlds, standard errors of 5 and 10 %: {both} points"


def partitions(worlds: int) -> None:
    """Print the p of all ways to partition the same logs."""
    print(f"{SPEAKERS} speakers, 11 splits, {PERMUTATIONS} permutations; {errors_of(worlds)}")
    heading("partition", "p <= 5 %", "<= 10 %", "in-sample p <= 5 %", "<= 10 %", "no gap given")
    logs = [of_all_methods(seed) for seed in range(1, worlds + 1)]
    for name in logs[0]:
        print_p(name, np.array([log[name] for log in logs]))


def labels(worlds: int) -> None:
    """Print the p of labels that strain the exchange of speakers."""
    print(f"\n{errors_of(worlds)}")
    ways = ("p <= 5 %", "<= 10 %", "in-sample p <= 5 %", "<= 10 %", "p of the plain gap <= 5 %", "<= 10 %")
    heading("label without a gap", *ways, "no gap given")
    finder = LabelColumn("label")
    for name, draw in LABELS.items():
        seeds = range(1, worlds + 1)
        found = [p_values(measured(draw(seed), seed, finder), PERMUTATIONS, seed) for seed in seeds]
        print_p(name, np.array(found))


def single_cohorts(worlds: int) -> None:
    """Print how often flags, bounds and the statement about the worst cohort are wrong."""
    print(f"\n{COHORTS} cohorts, worse ones with {WORSE} times the WER; {errors_of(worlds)}")
    columns = ("any false flag, Holm", "any upper bound too low", "worst-cohort statement false")
    heading("speakers each", "words", "worse", *columns, "false flags, BH", "found, Holm", "found, BH")
    for worse in (0, 3):
        for talkers in TALKERS:
            for speakers in (11, 30, 100):
                found = [flagged(seed, speakers, talkers, worse) for seed in range(1, worlds + 1)]
                line(speakers, talkers, worse, *map(percent, zip(*found, strict=True)))


def main() -> None:
    """Run the study and print its tables."""
    worlds = asked_worlds(100)
    partitions(worlds)
    labels(TIMES * worlds)
    single_cohorts(TIMES * worlds)


if __name__ == "__main__":
    main()
