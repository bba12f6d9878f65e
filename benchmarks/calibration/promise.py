"""Plant just the gap that `fairaudit check` says a log could detect, and count how often an audit shows it.

    python benchmarks/calibration/promise.py [LOGS]

A log is drawn without a gap and its smallest detectable gap is computed, as a user would. Then errors are
drawn anew for the same speakers and words, with that gap planted, and the audit's own procedure runs.
Shown means that the 95 % interval excludes nought, above it, or that the permutation's p is at most 5 %.
Second, the same for a cohort that must be found, by a search or as the worst of ten values, with
multiples of the gap, in a quarter of the logs.
"""

from __future__ import annotations

import numpy as np
from worlds import RATE, asked_worlds, counts_of, heading, line, measured, names, percent, shown, words_of
from worlds import factors as drawn_factors

from fairaudit.counts import SpeakerCounts
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.labels import LabelColumn
from fairaudit.discover.speaker_clusters import SpeakerClusters
from fairaudit.power import Spread, Whole, smallest_gap
from fairaudit.split import default_splits

#: Of the speakers' own rates: 41 %.
CV = 6**-0.5
TALKERS = {"equal": "equal", "heavy-tailed": "log-normal"}
PERMUTATIONS = 99
LABEL = LabelColumn("label")

#: Planted gap, and whether the interval and p show it.
Outcome = tuple[float, bool, bool]


def drawn(words, factor, rng, attributes, vectors=None) -> SpeakerCounts:
    """Draw errors for speakers whose rates vary, times a factor of each."""
    rate = RATE * drawn_factors(CV, len(words), rng) * factor
    return counts_of(names(len(words)), words, rate, rng, attributes, vectors)


def outcome(gap: float, counts: SpeakerCounts, seed: int, finder=LABEL) -> Outcome:
    """Run the audit's procedure."""
    p, _, interval = shown(measured(counts, seed, finder), PERMUTATIONS, seed)
    return gap, interval, p


def declared(talkers: str, speakers: int, share: float, seed: int) -> Outcome:
    """Plant the smallest gap in a label of two values."""
    rng = np.random.default_rng((seed, speakers, int(share * 100), len(talkers)))
    words = words_of(TALKERS[talkers], speakers, rng)
    members = rng.permutation(speakers) < round(share * speakers)
    label = {"label": np.where(members, "a", "b")}
    plain = drawn(words, 1.0, rng, label)
    spread = Spread.of(plain)
    assert spread is not None
    first, second, joint = spread.variance(plain, members, ~members)
    kish = [words[m].sum() ** 2 / (words[m].astype(float) ** 2).sum() for m in (members, ~members)]
    gap = smallest_gap(first, second, joint, (kish[0], kish[1]), default_splits(speakers))
    if gap is None:
        return np.nan, False, False
    return outcome(gap, drawn(words, np.where(members, 1 + gap, 1.0), rng, label), seed)


def travelling(speakers: int, seed: int) -> Outcome:
    """Plant the smallest gap in a label that changes within a speaker, such as the device."""
    rng = np.random.default_rng((seed, speakers))
    words = np.tile(words_of("equal", speakers, rng) // 2, 2)
    members = np.arange(2 * speakers) < speakers
    label = {"label": np.where(members, "a", "b")}

    def drawn_twice(factor) -> SpeakerCounts:
        own = np.tile(drawn_factors(CV, speakers, rng), 2)
        rate = RATE * own * drawn_factors(CV / 2**0.5, 2 * speakers, rng) * factor
        return counts_of(names(speakers) * 2, words, rate, rng, label)

    plain = drawn_twice(1.0)
    spread = Spread.of(plain)
    assert spread is not None
    first = plain.labels("label").codes == 0
    variances = spread.variance(plain, first, ~first)
    gap = smallest_gap(*variances, (speakers, speakers), default_splits(speakers))
    assert gap is not None
    return outcome(gap, drawn_twice(np.where(members, 1 + gap, 1.0)), seed)


def searched(by: str, speakers: int, times: float, seed: int) -> Outcome:
    """Plant a multiple of the smallest gap of a cohort of 10 % that a search has to find."""
    rng = np.random.default_rng((seed, speakers, int(times * 100)))
    words = words_of("equal", speakers, rng)
    members = rng.permutation(speakers) < speakers // 10
    attributes, vectors, finder = {}, None, LABEL
    if by == "geo":
        # The south-west corner of a square in which people live evenly.
        at = rng.uniform(0, 400, (2, speakers)).round()
        corner = 400 * np.sqrt(0.1)
        members = (at[0] < corner) & (at[1] < corner)
        attributes = {"latitude": at[0] + 600, "longitude": at[1] - 2000}
        finder = GeoTree()
    elif by == "label of ten":
        value = rng.integers(1, 10, speakers)
        value[members] = 0
        attributes = {"label": [f"value {v}" for v in value]}
    else:
        centre = rng.integers(0, 9, speakers)
        centre[members] = 9
        around = rng.normal(size=(speakers, 16)) / 8 + np.eye(16)[centre]
        vectors = np.rint(2**15 * around / np.linalg.norm(around, axis=1, keepdims=True)).astype(np.int64)
        finder = SpeakerClusters()
    plain = drawn(words, 1.0, rng, attributes, vectors)
    spread = Spread.of(plain)
    assert spread is not None
    share = float(members.mean())
    gap = Whole.of(plain, spread, default_splits(speakers)).gap(share, 1 - share)
    assert gap is not None
    planted = drawn(words, np.where(members, 1 + times * gap, 1.0), rng, attributes, vectors)
    return outcome(times * gap, planted, seed, finder)


def row(*cells: object, found: list[Outcome]) -> None:
    """Print the mean gap that was planted, and how often it was shown."""
    line(*cells, *(percent(values, 0) for values in zip(*found, strict=True)))


def main() -> None:
    """Run the study and print its tables."""
    logs = asked_worlds(200)
    seeds = range(1, logs + 1)
    heading("talkers", "speakers", "cohort", "planted gap, %", "shown (interval), %", "shown (p <= 5 %), %")
    for talkers in TALKERS:
        for speakers in (200, 500, 2_000):
            for share in (0.1, 0.5):
                found = [declared(talkers, speakers, share, seed) for seed in seeds]
                row(talkers, f"{speakers:,}", f"{share:.0%}", found=found)
    row("equal", "10,000 (one split)", "10%", found=[declared("equal", 10_000, 0.1, seed) for seed in seeds])
    row("equal, in both cohorts", "500", "100%", found=[travelling(500, seed) for seed in seeds])
    heading("found by", "speakers", "times the smallest gap", "planted gap, %", "interval, %", "p <= 5 %, %")
    for by in ("label of ten", "geo", "voice"):
        for times in (1.0, 1.5, 2.0, 3.0):
            found = [searched(by, 1_000, times, seed) for seed in seeds[: logs // 4]]
            row(by, "1,000", f"{times:g}", found=found)


if __name__ == "__main__":
    main()
