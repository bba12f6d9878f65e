"""What the studies share: drawing speakers, the audit's procedure on them, and printing tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np

from fairaudit.aggregate import aggregate
from fairaudit.counts import SpeakerCounts
from fairaudit.discover import Discoverer
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.labels import LabelColumn
from fairaudit.discover.speaker_clusters import SpeakerClusters
from fairaudit.discover.zip_demographics import ZipDemographics
from fairaudit.log import UtteranceLog
from fairaudit.measurement import Measurement
from fairaudit.placing import place
from fairaudit.procedure import Procedure
from fairaudit.ranking import BOTTOM, TOP
from fairaudit.split import default_splits, halves
from fairaudit.world import BoxPlant, VoicePlant, World, ZipPlant

#: Mean rate of everybody whose speakers are drawn here, and not by `fairaudit.simulation`.
RATE = 0.12
#: How reference words are shared out among speakers, about 300 each on average.
TALKERS = ("equal", "log-normal", "Pareto 1.5")
METHODS: dict[str, Discoverer] = {"geo": GeoTree(), "zip": ZipDemographics(), "voice": SpeakerClusters()}
#: A third of the people live there: the South from New Mexico to Virginia.
SOUTH = (24.0, 37.0, -107.0, -66.0)


def words_of(talkers: str, shape: int | tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw the words of speakers: all the same, or with a few who talk most of the time."""
    if talkers == "equal":
        return np.full(shape, 300)
    if talkers == "log-normal":
        return np.maximum(20, rng.lognormal(np.log(150), 1.2, shape)).astype(int)
    return np.maximum(20, 100 * (1 + rng.pareto(1.5, shape))).astype(int)


def factors(cv: float, shape: int | tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw speakers' own factors: gamma, of mean 1 and a given coefficient of variation."""
    return rng.gamma(1 / cv**2, cv**2, shape)


def counts_of(ids, words, rate, rng, attributes, vectors=None) -> SpeakerCounts:
    """Draw the errors of rows whose words and rates are given."""
    return SpeakerCounts.of(
        ids,
        ref_words=words,
        errors=rng.poisson(words * rate),
        attributes=attributes,
        embedding_sum=None if vectors is None else dict(zip(ids, vectors, strict=True)),
    )


def names(n: int) -> list[str]:
    """Name n speakers."""
    return [f"s{i:05}" for i in range(n)]


def planted(method: str, speakers: int, factor: float) -> World:
    """Plant a cohort whose rate is so many times that of all others, for one method to find.

    The South, with a third of the people; ZIP codes where white people are not the majority, with as many;
    a voice of three in ten.
    """
    boxes = (BoxPlant(*SOUTH, factor),) if method == "geo" else ()
    zip_codes = (ZipPlant("pct_white", 0.5, 1 / factor - 1),) if method == "zip" else ()
    voices = (VoicePlant(0.3, factor - 1),) if method == "voice" else ()
    return World(speakers=speakers, boxes=boxes, zip_codes=zip_codes, voices=voices)


def placed(log: UtteranceLog, finder: Discoverer) -> SpeakerCounts:
    """Count a log by the settings that a discoverer reads, without the rows that cannot be placed."""
    counts, reasons = place(finder, finder.name, aggregate(log, finder.requires, grid=0.05), None)
    return counts.select(reasons == "")


def measured(counts: SpeakerCounts, seed: int, finder: Discoverer) -> Measurement:
    """Set up the audit's procedure for a label, or for what a search finds."""
    half = halves(counts.speakers, seed, default_splits(len(counts.speakers)))
    if isinstance(finder, LabelColumn):
        partition = finder.fit(counts)
        every = np.ones(counts.rows, dtype=bool)
        return Measurement(Procedure(counts, half, None, partition, 0.1), 0.95, every, partition)
    procedure = Procedure(counts, half, finder, None, 0.1)
    first = procedure.ways[0]
    return Measurement(procedure, 0.95, first.measured, finder.fit(counts.select(first.searched)))


def p_values(run: Measurement, permutations: int, seed: int) -> tuple[float, float, float]:
    """Return the p of the honest gap, of the in-sample gap, and what the plain gap's would be.

    The last is that of the log ratio that is not divided by its standard error; the package does not give
    it. NaN where there is no gap.
    """
    found = run.chance(permutations, (seed,), lambda done: None)
    assert found is not None
    own, null = found[0], found[1].figures
    pairs = (
        (own.statistic, null.statistic),
        (own.in_sample_statistic, null.in_sample_statistic),
        (own.log_ratio, null.log_ratio),
    )
    p = [found[1].p_value(float(observed[0]), permuted) for observed, permuted in pairs]
    honest, inside, plain = (np.nan if value is None else value for value in p)
    return honest, inside, plain


def shown(run: Measurement, permutations: int, seed: int) -> tuple[bool, bool, bool]:
    """Tell whether a gap is found: by the honest gap's p, by the in-sample p, and by the interval."""
    honest, inside, _ = p_values(run, permutations, seed)
    low = run.gap("top", "").relative_low
    return honest <= 0.05, inside <= 0.05, low is not None and low > 0


def true_log_gap(run: Measurement, truth: dict) -> float:
    """Return the true gap of the rules that were found, on the log scale.

    The mean over the ways of the log ratio of the structural rates of bottom and top, as they were named,
    weighted by the words of the measured speakers.
    """
    counts, logs = run.counts, []
    rate = np.array([truth["speakers"][name]["structural"] for name in counts.speakers])[counts.speaker]
    for way in run.ways:
        if way.has_gap:
            side = way.named.row_sides()[0]
            rows = [way.way.measured & (side == which) for which in (BOTTOM, TOP)]
            bottom, top = (np.average(rate[r], weights=counts.ref_words[r]) for r in rows)
            logs.append(np.log(bottom / top))
    return float(np.mean(logs))


def asked_worlds(default: int) -> int:
    """Return the number of worlds that the command line asks for."""
    return int(sys.argv[1]) if len(sys.argv) > 1 else default


def heading(*columns: str) -> None:
    """Print the head of a Markdown table."""
    print(f"\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")


def line(*cells: object) -> None:
    """Print a row of a Markdown table at once, so that one can watch."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def percent(values: Sequence[float] | np.ndarray, digits: int = 1) -> str:
    """Write the mean of values that are known, in per cent."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    return f"{100 * known.mean():.{digits}f}" if len(known) else "-"


def standard_error(p: float, worlds: int) -> str:
    """Write the standard error of a fraction of so many worlds, in points."""
    return f"{100 * np.sqrt(p * (1 - p) / worlds):.1f}"


def batches(worlds: int, at_once: int) -> Iterator[int]:
    """Yield sizes that add up to a number of worlds."""
    for first in range(0, worlds, at_once):
        yield min(at_once, worlds - first)
