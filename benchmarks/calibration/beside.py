"""What stands beside a gap: labels of a cohort, shared bottoms, and how unequal cohorts and speakers are.

    python benchmarks/calibration/beside.py [WORLDS]

Each figure where the truth is known: nothing at all, or a planted lift, overlap or spread.
"""

from __future__ import annotations

import numpy as np
from worlds import RATE, asked_worlds, factors, heading, line, names, percent, words_of

from fairaudit.cells import Members
from fairaudit.counts import SpeakerCounts
from fairaudit.disparity import between_cohort_sd, speaker_gini
from fairaudit.figures import rate
from fairaudit.overlap import overlaps
from fairaudit.profile import lift_of, profile
from fairaudit.result import Cohort

SPEAKERS, COLUMNS, VALUES = 500, 6, 5


def traits(worlds: int) -> None:
    """Print how often a label is called more common that is not, and one that is."""
    print(f"\n{SPEAKERS} speakers, {COLUMNS} columns of {VALUES} values, at random; planted: one value")
    heading("speakers in the cohort", "lift", "any false label", "interval covers", "found")
    for members in (25, 50, 100):
        for lift in (1.0, 1.5, 2.0, 3.0):
            false, held, found = [], [], []
            for seed in range(worlds):
                rng = np.random.default_rng((seed, members, int(10 * lift)))
                values = rng.integers(0, VALUES, (COLUMNS, SPEAKERS))
                # One in five elsewhere has the planted value, and so many times more of the cohort.
                own = rng.random(members) < lift / VALUES
                values[0, :members] = np.where(own, 0, rng.integers(1, VALUES, members))
                who = [f"s{i}" for i in range(SPEAKERS)]
                holders = {
                    f"c{c}": {str(v): {who[i] for i in np.flatnonzero(row == v)} for v in range(VALUES)}
                    for c, row in enumerate(values)
                }
                inside, outside = set(who[:members]), set(who[members:])
                told = profile(inside, outside, holders, confidence=0.95, fewest=1)
                clear = {(t.column, t.value) for t in told if t.p_adjusted <= 0.05}
                false.append(bool(clear - ({("c0", "0")} if lift > 1 else set())))
                found.append(("c0", "0") in clear)
                elsewhere = int((values[0, members:] == 0).sum())
                _, low, high = lift_of(int(own.sum()), members, elsewhere, SPEAKERS - members, 0.95)
                held.append(low <= lift <= high)
            power = "-" if lift == 1 else percent(found)
            line(members, f"x{lift:g}", percent(false), percent(held), power)


def shared(worlds: int) -> None:
    """Print how often two bottoms are said to meet that do not, and that do."""
    print(
        f"\nTwo bottoms of {SPEAKERS} speakers, drawn apart, or the second more among the first by a factor"
    )
    heading("speakers in each bottom", "times as likely", "found: p <= 5 %", "suppressed")
    for bottom in (50, 100, 200):
        for times in (1.0, 1.5, 2.0):
            small, kept_back = [], []
            for seed in range(worlds):
                rng = np.random.default_rng((seed, bottom, int(10 * times)))
                weight = np.where(np.arange(SPEAKERS) < bottom, times, 1.0)
                second = rng.choice(SPEAKERS, bottom, replace=False, p=weight / weight.sum())
                everyone = frozenset(range(SPEAKERS))
                both = {
                    name: Members({}, {}, everyone, frozenset(), placed=everyone, bottom=frozenset(who))
                    for name, who in (("a", range(bottom)), ("b", second.tolist()))
                }
                one = overlaps(both, 11)[0]
                kept_back.append(one.p_value is None)
                # What is not shown is no find.
                small.append(one.p_value is not None and one.p_value <= 0.05)
            line(bottom, f"{times:g}", percent(small), percent(kept_back))


def drawn(cohorts: int, each: int, sd: float, talkers: str, rng) -> tuple[SpeakerCounts, np.ndarray]:
    """Draw cohorts whose rates differ by a standard deviation of the log."""
    cohort = np.arange(cohorts * each) % cohorts
    words = words_of(talkers, len(cohort), rng)
    own = RATE * np.exp(rng.normal(0, sd, cohorts))[cohort] * factors(0.5, len(cohort), rng)
    errors = rng.poisson(own * words)
    return SpeakerCounts.of(names(len(cohort)), ref_words=words, errors=errors), cohort


def spread(worlds: int) -> None:
    """Print the spread between cohorts that is found, beside that of the plain rates."""
    print("\nSpread between cohorts: root of the mean square over worlds, and of the plain log rates")
    heading("cohorts", "speakers each", "words", "in truth", "found", "plain")
    for cohorts, each in ((5, 30), (10, 30), (10, 100), (40, 30)):
        for talkers in ("equal", "log-normal"):
            for sd in (0.0, 0.1, 0.3):
                found, plain = [], []
                for seed in range(worlds):
                    rng = np.random.default_rng((seed, cohorts, each, int(10 * sd)))
                    counts, cohort = drawn(cohorts, each, sd, talkers, rng)
                    rows = [
                        Cohort(
                            cohort=str(n),
                            id=str(n),
                            label=str(n),
                            rank=None,
                            suppressed=False,
                            share=None,
                            **rate(counts, cohort == n, 0.95),
                        )
                        for n in range(cohorts)
                    ]
                    found.append(between_cohort_sd(rows) or 0.0)
                    plain.append(np.std([np.log(row.wer) for row in rows], ddof=1))
                square = (float(np.sqrt(np.mean(np.square(v)))) for v in (found, plain))
                line(cohorts, each, talkers, f"{sd:g}", *(f"{v:.3f}" for v in square))


def gini(worlds: int) -> None:
    """Print the Gini coefficient that is found, by words a speaker, beside that of the true rates."""
    print("\nGini of 300 speakers' WER: mean over worlds")
    heading("spread of speakers' rates (CV)", "words each", "in truth", "found")
    for cv in (0.01, 0.5):
        for words in (30, 100, 300, 3000):
            found, true = [], []
            for seed in range(worlds):
                rng = np.random.default_rng((seed, words))
                own, every = RATE * factors(cv, 300, rng), np.zeros(300, dtype=np.int64)
                spoken = np.full(300, words)
                counts = SpeakerCounts.of(names(300), ref_words=spoken, errors=rng.poisson(own * words))
                exact = np.rint(own * 1e6).astype(np.int64)
                truth = SpeakerCounts.of(names(300), ref_words=np.full(300, 10**6), errors=exact)
                found.append(speaker_gini(counts, every))
                true.append(speaker_gini(truth, every))
            line(f"{100 * cv:.0f} %", words, f"{np.mean(true):.3f}", f"{np.mean(found):.3f}")


def main() -> None:
    """Run the study and print its tables."""
    worlds = asked_worlds(200)
    traits(worlds)
    shared(worlds)
    spread(worlds)
    gini(worlds)


if __name__ == "__main__":
    main()
