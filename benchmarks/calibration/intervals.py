"""Coverage of 95 % intervals: of a cohort's WER, of the ratio of two fixed cohorts, and of their difference.

    python benchmarks/calibration/intervals.py [WORLDS]

Two cohorts of so many speakers each, with true WERs of 15.6 and 12 %, a true ratio of 1.3. Speakers' own
rates are gamma with a coefficient of variation (CV), their words equal, log-normal or Pareto. An
utterance has ten words and a rate of its own around its speaker's. Compared are:

ours                 the delete-one-speaker jackknife with Student's t, `fairaudit.estimate`
words                each word an independent trial: the binomial interval
utterance bootstrap  percentiles, utterances drawn anew
speaker bootstrap    percentiles, speakers drawn anew, `fairaudit.bootstrap`

The two bootstraps run in a quarter of the worlds. As all utterances are equally long, those of a cohort
are known by how many have 0, 1, 2 ... errors, and drawing them anew is one multinomial draw.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from worlds import (
    RATE,
    TALKERS,
    asked_worlds,
    batches,
    factors,
    heading,
    line,
    percent,
    standard_error,
    words_of,
)

from fairaudit.bootstrap import difference, percentile, ratio, resample
from fairaudit.estimate import Contrast, Rates, contrast, jackknife, t_quantile, zero_error_high

SPEAKERS = (3, 5, 8, 11, 20, 50, 100, 500)
#: Errors that a cohort is expected to have, where they are few.
EXPECTED = (1, 2, 4, 8, 16)
SPREADS = (0.2, 0.5, 1.0)
TRUTH = {"WER of a cohort": 1.3 * RATE, "ratio": 1.3, "difference": 0.3 * RATE}
WORDS_PER_UTTERANCE = 10
#: Squared coefficient of variation of utterances around their speaker's rate.
UTTERANCE_CV2 = 0.3
REPLICATES = 999
UTTERANCES_AT_ONCE = 5_000_000
NORMAL = 1.959964

#: Lower and upper bounds of each figure, shape (worlds, 2); NaN where there is no interval.
Intervals = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Logs:
    """Many logs of two cohorts: cohort and sums of speakers, and how many utterances have how many errors."""

    cohort: np.ndarray  # (speakers,)
    words: np.ndarray  # (worlds, speakers)
    errors: np.ndarray
    utterances_with: np.ndarray  # (worlds, 2, most errors + 1)


def drawn(talkers: str, cv: float, n: int, worlds: int, rng: np.random.Generator) -> Logs:
    """Draw logs."""
    cohort = np.repeat((0, 1), n)
    spoken = np.maximum(2, words_of(talkers, (worlds, 2 * n), rng) // WORDS_PER_UTTERANCE)
    rate = RATE * np.where(cohort == 0, 1.3, 1.0) * factors(cv, spoken.shape, rng)
    speaker = np.repeat(np.arange(spoken.size), spoken.ravel())
    own = rng.gamma(1 / UTTERANCE_CV2, UTTERANCE_CV2, len(speaker))
    wrong = rng.poisson(WORDS_PER_UTTERANCE * rate.ravel()[speaker] * own)
    most = int(wrong.max()) + 1
    tallied = np.bincount(speaker // n * most + wrong, minlength=2 * worlds * most)
    errors = np.bincount(speaker, wrong, spoken.size).reshape(spoken.shape)
    words = WORDS_PER_UTTERANCE * spoken.astype(float)
    return Logs(cohort, words, errors, tallied.reshape(worlds, 2, most))


def ours(logs: Logs, *, floored: bool = True) -> Intervals:
    """Return the intervals of the package, or those of the jackknife's variance alone."""
    own = logs.cohort[None], logs.errors, logs.words, np.arange(len(logs.cohort)), 2
    log, linear = jackknife(*own), jackknife(*own, scale="linear")
    if not floored:
        log, linear = unfloored(log), unfloored(linear)
    rate = Contrast(log.estimate[:, 0], np.sqrt(log.variance[:, 0]), log.n_effective[:, 0] - 1)
    wer, of_ratio = np.exp(bounds(rate)), np.exp(bounds(contrast(log, 0, log, 1)))
    none = log.errors[:, 0] == 0
    wer[none, 0] = 0.0
    wer[none, 1] = [zero_error_high(words, 1.0, 0.95) for words in log.words[none, 0]]
    of_ratio[log.errors[:, 1] == 0] = np.nan
    return dict(zip(TRUTH, (wer, of_ratio, bounds(contrast(linear, 0, linear, 1))), strict=True))


def unfloored(rates: Rates) -> Rates:
    """Return rates with the jackknife's variance, however small."""
    squares = np.bincount(rates.slot, rates.deviation**2, rates.errors.size).reshape(rates.errors.shape)
    variance = (rates.speakers - 1) / rates.speakers * squares
    return replace(rates, variance=variance, least=np.zeros_like(variance))


def few_errors(expected: int, speakers: int, worlds: int) -> Logs:
    """Draw logs of two cohorts with so few errors each, and the same true WER, at a CV of 0.5."""
    rng = np.random.default_rng((expected, speakers))
    words = np.full((worlds, 2 * speakers), 100.0)
    errors = rng.poisson(expected / speakers * factors(0.5, words.shape, rng))
    return Logs(np.repeat((0, 1), speakers), words, errors, np.zeros((worlds, 2, 1)))


def bounds(figure: Contrast) -> np.ndarray:
    """Return the interval of each world; infinite ones are not given by the package."""
    with np.errstate(invalid="ignore", over="ignore"):
        reach = t_quantile(figure.df, 0.95) * figure.se
        ends = np.stack([figure.estimate - reach, figure.estimate + reach], axis=1)
    ends[~((figure.df > 0) & np.isfinite(reach) & (np.abs(ends) < 700).all(axis=1))] = np.nan
    return ends


def by_words(logs: Logs) -> Intervals:
    """Return binomial intervals."""
    member = np.eye(2)[logs.cohort]
    errors, words = (logs.errors @ member).T, (logs.words @ member).T
    p = errors / words
    variance = p * np.maximum(0, 1 - p) / words
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.sqrt((variance / p**2).sum(axis=0))
        of_ratio = np.exp(around(np.log(p[0] / p[1]), relative))
    figures = around(p[0], np.sqrt(variance[0])), of_ratio, around(p[0] - p[1], np.sqrt(variance.sum(axis=0)))
    return dict(zip(TRUTH, figures, strict=True))


def around(estimate: np.ndarray, se: np.ndarray) -> np.ndarray:
    """Return normal intervals."""
    return np.stack([estimate - NORMAL * se, estimate + NORMAL * se], axis=1)


def by_speaker_bootstrap(logs: Logs) -> Intervals:
    """Return percentile intervals, speakers drawn anew."""
    found = []
    for world, (errors, words) in enumerate(zip(logs.errors, logs.words, strict=True)):
        own = logs.cohort[None], errors[None], words[None], np.arange(len(logs.cohort)), 2
        again = resample(*own, seed=[world], replicates=REPLICATES)
        found.append([again.rate(0), ratio(again, 0, again, 1), difference(again, 0, again, 1)])
    return percentiles(found)


def by_utterance_bootstrap(logs: Logs) -> Intervals:
    """Return percentile intervals, utterances drawn anew."""
    found, rng = [], np.random.default_rng(1)
    for pair in logs.utterances_with:
        one, other = (
            rng.multinomial(n := tally.sum(), tally / n, REPLICATES) @ np.arange(len(tally)) / n
            for tally in pair
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append([one / WORDS_PER_UTTERANCE, one / other, (one - other) / WORDS_PER_UTTERANCE])
    return percentiles(found)


def percentiles(found: list[list[np.ndarray]]) -> Intervals:
    """Return the percentile interval of each figure in each world."""
    ends = [[percentile(values, 0.95) for values in world] for world in found]
    each = zip(*ends, strict=True)
    return {
        name: np.array([(b.low, b.high) for b in of_figure])
        for name, of_figure in zip(TRUTH, each, strict=True)
    }


METHODS = {
    "ours": ours,
    "words": by_words,
    "utterance bootstrap": by_utterance_bootstrap,
    "speaker bootstrap": by_speaker_bootstrap,
}


def cell(talkers: str, cv: float, n: int, worlds: int) -> dict[tuple[str, str], np.ndarray]:
    """Return all intervals of one kind of world, by method and figure."""
    rng = np.random.default_rng((TALKERS.index(talkers), int(10 * cv), n))
    parts: dict[tuple[str, str], list[np.ndarray]] = {}
    for size in batches(worlds, max(4, UTTERANCES_AT_ONCE // (60 * n))):
        logs = drawn(talkers, cv, n, size, rng)
        few = Logs(logs.cohort, *(v[::4] for v in (logs.words, logs.errors, logs.utterances_with)))
        for method, intervals in METHODS.items():
            for figure, ends in intervals(few if "bootstrap" in method else logs).items():
                parts.setdefault((method, figure), []).append(ends)
    return {key: np.concatenate(ends) for key, ends in parts.items()}


def coverage(ends: np.ndarray, truth: float) -> str:
    """Write how many of the intervals that are given hold the truth."""
    given = np.isfinite(ends[:, 0])
    return percent(((ends[:, 0] <= truth) & (truth <= ends[:, 1]))[given])


def of_few_errors(worlds: int) -> None:
    """Print coverage by the number of errors that a cohort is expected to have."""
    print("\nCoverage, %, by the errors to be expected in each cohort; speakers of 100 words each:")
    heading("figure", "variance", "speakers", *map(str, EXPECTED))
    for figure in ("WER of a cohort", "ratio"):
        for floored in (True, False):
            for speakers in (11, 50, 200):
                told = []
                for expected in EXPECTED:
                    truth = 1.0 if figure == "ratio" else expected / (100 * speakers)
                    ends = ours(few_errors(expected, speakers, worlds), floored=floored)[figure]
                    told.append(coverage(ends, truth))
                line(figure, "ours" if floored else "jackknife alone", speakers, *told)


def main() -> None:
    """Run the study and print its tables."""
    worlds = asked_worlds(2_000)
    of_few_errors(worlds)
    kinds = [(talkers, cv) for talkers in TALKERS for cv in SPREADS]
    cells = {(*kind, n): cell(*kind, n, worlds) for kind in kinds for n in SPEAKERS}
    print(
        f"{worlds:,} worlds for each figure, a quarter of them for the bootstraps: the standard error of 95 %"
    )
    print(f"is {standard_error(0.95, worlds)} and {standard_error(0.95, worlds // 4)} points.")
    for figure, truth in TRUTH.items():
        print(f"\nCoverage of the {figure}, %, by the number of speakers in each cohort:")
        heading("interval", "words", "CV", *map(str, SPEAKERS))
        for method in METHODS:
            for kind in kinds:
                line(method, *kind, *(coverage(cells[(*kind, n)][method, figure], truth) for n in SPEAKERS))
    print("\nMedian width, as a percentage of the truth, at a CV of 0.5:")
    heading("figure", "interval", "words", *map(str, SPEAKERS))
    for figure, truth in TRUTH.items():
        for method in METHODS:
            for talkers in TALKERS:
                ends = [cells[talkers, 0.5, n][method, figure] for n in SPEAKERS]
                line(
                    figure, method, talkers, *(f"{100 * np.nanmedian(np.diff(e)) / truth:.0f}" for e in ends)
                )
    print("\nOurs gives no interval, %:")
    heading("figure", "words", "CV", *map(str, SPEAKERS))
    for figure in TRUTH:
        for kind in kinds:
            refused = [np.isnan(cells[(*kind, n)]["ours", figure][:, 0]) for n in SPEAKERS]
            if np.any(refused):
                line(figure, *kind, *map(percent, refused))


if __name__ == "__main__":
    main()
