"""Kinds of error of each cohort against everybody else's: whether intervals cover and p keep their rate.

    python benchmarks/calibration/kinds.py [WORLDS]

Ten cohorts of so many speakers each, with substitutions, deletions and insertions at 7, 4 and 1 in 100 words
on average; speakers vary by 50 %, and each kind by 35 % besides. Nothing is planted, or the first cohort has
twice as many deletions.
"""

from __future__ import annotations

import numpy as np
from worlds import asked_worlds, factors, heading, line, names, percent, words_of

from fairaudit.counts import SpeakerCounts
from fairaudit.kinds import kind_gaps

COHORTS = 10
RATES = {"substitutions": 0.07, "deletions": 0.04, "insertions": 0.01}
PLANTED = "deletions"


def world(
    talkers: str, each: int, times: float, rng: np.random.Generator
) -> tuple[SpeakerCounts, np.ndarray]:
    """Draw the log, and the cohort of each speaker."""
    speakers = COHORTS * each
    words, cohort = words_of(talkers, speakers, rng), np.arange(speakers) % COHORTS
    own = factors(0.5, speakers, rng)
    kinds = {}
    for kind, rate in RATES.items():
        factor = np.where((cohort == 0) & (kind == PLANTED), times, 1.0)
        kinds[kind] = rng.poisson(rate * own * factors(0.35, speakers, rng) * factor * words)
    counts = SpeakerCounts.of(names(speakers), ref_words=words, errors=sum(kinds.values()), kinds=kinds)
    return counts, cohort


def truth(counts: SpeakerCounts, cohort: np.ndarray, number: int, kind: str, times: float) -> float:
    """Return the true ratio of a kind in a cohort to all others, weighted by the words that were drawn."""
    rate = np.where((cohort == 0) & (kind == PLANTED), times, 1.0)
    sides = (cohort == number, cohort != number)
    own, rest = (np.average(rate[side], weights=counts.ref_words[side]) for side in sides)
    return float(own / rest)


def row(talkers: str, each: int, times: float, worlds: int) -> None:
    """Print one row of the table."""
    false, held, found, told = [], {kind: [] for kind in RATES}, [], []
    for seed in range(worlds):
        counts, cohort = world(talkers, each, times, np.random.default_rng((seed, each, len(talkers))))
        gaps = kind_gaps(counts, cohort, range(COHORTS), confidence=0.95)
        false_here = False
        for number, of_cohort in gaps.items():
            for gap in of_cohort:
                true = truth(counts, cohort, number, gap.kind, times)
                told.append(gap.low is not None)
                significant = gap.p_adjusted is not None and gap.p_adjusted <= 0.05
                # A null is false or not: where the first cohort has more deletions, all others have fewer.
                false_here |= significant and (gap.kind != PLANTED or times == 1)
                if gap.low is not None:
                    held[gap.kind].append(gap.low <= true <= gap.high)
                if number == 0 and gap.kind == PLANTED:
                    found.append(significant)
        false.append(false_here)
    power = "-" if times == 1 else percent(found)
    line(
        each, talkers, f"x{times:g}", percent(false), *(percent(held[k]) for k in RATES), percent(told), power
    )


def main() -> None:
    """Run the study and print its table."""
    worlds = asked_worlds(400)
    covered = (f"interval covers, {kind}" for kind in RATES)
    heading("speakers each", "words", "deletions", "any false find", *covered, "have an interval", "found")
    for times in (1.0, 2.0):
        for talkers in ("equal", "log-normal", "Pareto 1.5"):
            for each in (11, 30, 100):
                row(talkers, each, times, worlds if each < 100 else worlds // 2)


if __name__ == "__main__":
    main()
