"""Plant just the gap that `fairaudit check` says a log could detect, and count how often an audit shows it.

    python benchmarks/power.py [LOGS]

A log is drawn without a gap and its smallest detectable gap is computed, as a user would. Then errors are
drawn anew for the same speakers and words, with that gap planted, and the audit's own procedure runs:
11 splits, both ways. Shown means that the 95 % interval excludes nought, above it; p is the permutation's.
Second, the same for a cohort that must be found, by a search or as the worst of ten values, with
multiples of the gap.
"""

from __future__ import annotations

import sys

import numpy as np

from fairaudit.counts import SpeakerCounts
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.labels import LabelColumn
from fairaudit.discover.speaker_clusters import SpeakerClusters
from fairaudit.measurement import Measurement
from fairaudit.power import Spread, Whole, smallest_gap
from fairaudit.procedure import Procedure
from fairaudit.split import default_splits, halves

#: Mean rate, and gamma shape of the speakers' own rates: a coefficient of variation of 41 %.
RATE, SHAPE = 0.12, 6.0
TALKERS = ("equal", "heavy-tailed")
PERMUTATIONS = 99


def words_of(talkers: str, speakers: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the words of speakers: all the same, or log-normal with a few who talk most of the time."""
    if talkers == "equal":
        return np.full(speakers, 300)
    return np.maximum(20, rng.lognormal(np.log(150), 1.2, speakers)).astype(int)


def drawn(words, factor, rng, attributes, vectors=None) -> SpeakerCounts:
    """Draw errors for speakers whose rates vary, times a factor of each."""
    n = len(words)
    rate = RATE * rng.gamma(SHAPE, 1 / SHAPE, n) * factor
    ids = [f"s{i:05}" for i in range(n)]
    return SpeakerCounts.of(
        ids,
        ref_words=words,
        errors=rng.poisson(words * rate),
        attributes=attributes,
        embedding_sum=None if vectors is None else dict(zip(ids, vectors, strict=True)),
    )


def measured(counts: SpeakerCounts, seed: int, finder=None) -> Measurement:
    """Set up the audit's procedure for the label, or for what a search finds."""
    half = halves(counts.speakers, seed, default_splits(len(counts.speakers)))
    if finder is None:
        partition = LabelColumn("label").fit(counts)
        every = np.ones(counts.rows, dtype=bool)
        return Measurement(Procedure(counts, half, None, partition, 0.1), 0.95, every, partition)
    procedure = Procedure(counts, half, finder, None, 0.1)
    first = procedure.ways[0]
    return Measurement(procedure, 0.95, first.measured, finder.fit(counts.select(first.searched)))


def outcome(run: Measurement, seed: int) -> tuple[bool, bool]:
    """Tell whether the interval excludes nought, and whether p is at most 5 %."""
    gap = run.gap("top", "")
    found = run.chance(PERMUTATIONS, (seed,), lambda done: None)
    if gap.relative_low is None or found is None:
        return False, False
    observed, permuted = found
    p = permuted.p_value(float(observed.statistic[0]), permuted.figures.statistic)
    return gap.relative_low > 0, p is not None and p <= 0.05


def declared(talkers: str, speakers: int, share: float, seed: int) -> tuple[float, bool, bool]:
    """Plant the smallest gap in a label of two values."""
    rng = np.random.default_rng((seed, speakers, int(share * 100), len(talkers)))
    words = words_of(talkers, speakers, rng)
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
    planted = drawn(words, np.where(members, 1 + gap, 1.0), rng, label)
    return gap, *outcome(measured(planted, seed), seed)


def travelling(speakers: int, seed: int) -> tuple[float, bool, bool]:
    """Plant the smallest gap in a label that changes within a speaker, such as the device."""
    rng = np.random.default_rng((seed, speakers))
    words = np.tile(words_of("equal", speakers, rng) // 2, 2)
    members = np.arange(2 * speakers) < speakers
    ids = [f"s{i:05}" for i in range(speakers)] * 2

    def drawn_twice(factor) -> SpeakerCounts:
        own = np.tile(rng.gamma(SHAPE, 1 / SHAPE, speakers), 2)
        rate = RATE * own * rng.gamma(2 * SHAPE, 1 / (2 * SHAPE), 2 * speakers) * factor
        label = {"label": np.where(members, "a", "b")}
        return SpeakerCounts.of(ids, ref_words=words, errors=rng.poisson(words * rate), attributes=label)

    plain = drawn_twice(1.0)
    spread = Spread.of(plain)
    assert spread is not None
    first = plain.labels("label").codes == 0
    variances = spread.variance(plain, first, ~first)
    gap = smallest_gap(*variances, (speakers, speakers), default_splits(speakers))
    assert gap is not None
    return gap, *outcome(measured(drawn_twice(np.where(members, 1 + gap, 1.0)), seed), seed)


def searched(by: str, speakers: int, times: float, seed: int) -> tuple[float, bool, bool]:
    """Plant a multiple of the smallest gap of a cohort of 10 % that a search has to find."""
    rng = np.random.default_rng((seed, speakers, int(times * 100)))
    words = words_of("equal", speakers, rng)
    members = rng.permutation(speakers) < speakers // 10
    attributes, vectors, finder = {}, None, None
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
    return times * gap, *outcome(measured(planted, seed, finder), seed)


def row(name: str, found: list[tuple[float, bool, bool]]) -> None:
    """Print the mean gap that was planted, and how often it was shown."""
    gap, interval, p = np.array(found, dtype=float).T
    print(f"| {name} | {np.nanmean(gap):.0%} | {interval.mean():.0%} | {p.mean():.0%} |", flush=True)


def main() -> None:
    """Run the study and print its tables."""
    logs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print("| talkers | speakers | cohort | planted gap | shown (interval) | shown (p <= 5 %) |")
    print("| --- | --- | --- | --- | --- | --- |")
    seeds = range(1, logs + 1)
    for talkers in TALKERS:
        for speakers in (200, 500, 2_000):
            for share in (0.1, 0.5):
                found = [declared(talkers, speakers, share, seed) for seed in seeds]
                row(f"{talkers} | {speakers:,} | {share:.0%}", found)
    row("equal | 10,000 (one split) | 10%", [declared("equal", 10_000, 0.1, seed) for seed in seeds])
    row("equal, in both cohorts | 500 | 100%", [travelling(500, seed) for seed in seeds])
    print("\n| found by | speakers | times the smallest gap | planted gap | interval | p <= 5 % |")
    print("| --- | --- | --- | --- | --- | --- |")
    for by in ("label of ten", "geo", "voice"):
        for times in (1.0, 1.5, 2.0, 3.0):
            row(
                f"{by} | 1,000 | {times:g}", [searched(by, 1_000, times, seed) for seed in seeds[: logs // 4]]
            )


if __name__ == "__main__":
    main()
