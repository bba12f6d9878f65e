"""Settings of the discoverers, the ranking and the splits, compared on worlds of several shapes.

    python benchmarks/defaults.py [SCENES] [TABLE ...]

SCENES sets of speakers of each shape, ten logs drawn from each (forty without a gap). All that is searched
is one half, all that is measured the other, both ways of every split. Printed per shape:

* gap: of the worst-ranked 10 % of the held-out speakers against the rest, in true rates, so that
  settings whose bottom cohorts differ in size compare; the last cohort counts in part.
* found: how often the statistic of the audit exceeds its 95 % quantile on worlds of the same kind
  without a gap, which is what p <= 5 % says.
* precision and recall: of the bottom cohort as it is named, against the planted speakers, held out.

All settings meet the same logs. The standard error after a gap is that of its difference from the first
row, over scenes.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from unittest.mock import patch

import numpy as np
import shapes

from fairaudit import ranking
from fairaudit.chance import null
from fairaudit.discover import Discoverer
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.speaker_clusters import SpeakerClusters
from fairaudit.discover.zip_demographics import ZipDemographics
from fairaudit.estimate import Rates
from fairaudit.procedure import Procedure, Way, studentised
from fairaudit.ranking import BOTTOM
from fairaudit.split import halves

LOGS, FLAT_LOGS, SHARE = 10, 40, 0.1
#: Of the effect of the planted cohort, so that it is found in some logs and not in others.
FACTORS = {
    ("equal", 1_000): 1.3,
    ("equal", 5_000): 1.15,
    ("heavy-tailed", 1_000): 1.5,
    ("heavy-tailed", 5_000): 1.25,
    ("short", 20_000): 1.2,
}
Rule = Callable[[Rates, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Setting:
    """What is compared; `rank` is None for the package's own."""

    name: str
    finder: Discoverer
    splits: int = 11
    rank: Rule | None = None


@dataclass(frozen=True, eq=False)
class Outcome:
    """One value for each log."""

    gap: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    share: np.ndarray
    log_ratio: np.ndarray
    statistic: np.ndarray


def run(scene: shapes.Scene, setting: Setting, with_flat: bool, seed: int, split_seed: int = 1) -> Outcome:
    """Run the procedure of an audit on logs of a scene: planted ones, then those without a gap."""
    counts, rng = scene.counts, np.random.default_rng(seed)
    errors = scene.errors(LOGS, rng)
    if with_flat:
        errors = np.concatenate([errors, scene.flat().errors(FLAT_LOGS, rng)])
    words = np.broadcast_to(counts.ref_words.astype(float), errors.shape)
    half = halves(counts.speakers, split_seed, setting.splits)
    procedure = Procedure(counts, half, setting.finder, None, SHARE)
    with patch("fairaudit.procedure.rank", setting.rank or ranking.rank):
        ways = [one_way(scene, procedure, way, errors, words) for way in procedure.ways]
    compared, *truths = zip(*ways, strict=True)
    with warnings.catch_warnings():
        # Where no way names a bottom there is no precision.
        warnings.simplefilter("ignore", RuntimeWarning)
        gap, precision, recall, share = (np.nanmean(np.stack(column), axis=0) for column in truths)
    return Outcome(gap, precision, recall, share, *studentised(list(compared)))


def one_way(scene: shapes.Scene, procedure: Procedure, way: Way, errors: np.ndarray, words: np.ndarray):
    """Return bottom against top as measured, and then in truth.

    That is: log gap at the matched share, and precision, recall and share of the bottom as named.
    """
    fits = procedure.fits(way, errors, words)
    cohort = fits.assign(procedure.counts)
    named = procedure.named(way, cohort, fits.cohorts, errors, words)
    inside, k = cohort[:, way.measured], fits.cohorts

    def sums(values: np.ndarray) -> np.ndarray:
        slot = inside + np.arange(len(inside))[:, None] * k
        weights = np.broadcast_to(values[way.measured], inside.shape)
        found = inside >= 0
        return np.bincount(slot[found], weights[found], len(inside) * k).reshape(-1, k)

    speakers, rate, planted = (
        np.broadcast_to(sums(v), named.side.shape)
        for v in (np.ones(len(errors[0])), scene.effect, scene.planted.astype(float))
    )
    order = named.order
    size = np.take_along_axis(speakers, order, axis=1)
    left = SHARE * size.sum(axis=1, keepdims=True) - (np.cumsum(size, axis=1) - size)
    part = np.empty_like(size)
    np.put_along_axis(part, order, np.clip(left / np.maximum(size, 1), 0, 1), axis=1)
    worst = (part * rate).sum(axis=1) / (part * speakers).sum(axis=1)
    rest = ((1 - part) * rate).sum(axis=1) / ((1 - part) * speakers).sum(axis=1)
    bottom = named.side == BOTTOM
    members, hit = (bottom * speakers).sum(axis=1), (bottom * planted).sum(axis=1)
    every = planted.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(members > 0, hit / members, np.nan)
        recall = np.where(every > 0, hit / every, np.nan)
    # As the audit itself does it, without searching once more.
    compared = procedure._compared(named, way.measured, errors, words)
    return compared, np.log(worst / rest), precision, recall, members / speakers.sum(axis=1)


def compare(title: str, settings: list[Setting], names: tuple[str, ...], world: tuple[str, int], scenes: int):
    """Print the tables of several settings on several shapes of one size and kind of talkers."""
    talkers, speakers = world
    gaps, named = ([f"| {s.name} |" for s in settings] for _ in range(2))
    seconds, logs = np.zeros(len(settings)), 0
    flat: list[np.ndarray] = []
    first = np.zeros(scenes)
    for shape in names:
        drawn = [
            shapes.scene(shape, speakers, talkers, FACTORS[world], seed) for seed in range(1, scenes + 1)
        ]
        # Whatever is planted, places without a gap are the same; voices are not.
        with_flat = not flat or shape in shapes.VOICE
        kept, flat = flat, []
        for number, setting in enumerate(settings):
            began = time.process_time()
            found = [run(s, setting, with_flat, seed) for seed, s in enumerate(drawn, 1)]
            seconds[number] += time.process_time() - began
            statistic = np.stack([o.statistic for o in found])
            flat.append(statistic[:, LOGS:] if with_flat else kept[number])
            power = np.mean(statistic[:, :LOGS] > np.quantile(flat[number], 0.95))
            gap = np.array([o.gap[:LOGS].mean() for o in found])
            first = gap if number == 0 else first
            error = (gap - first).std(ddof=1) / np.sqrt(scenes)
            gaps[number] += f" {np.expm1(gap.mean()):.1%}{f' ({error:.1%})' if number else ''}, {power:.0%} |"
            precision, recall, share = (
                np.nanmean([getattr(o, field)[:LOGS] for o in found])
                for field in ("precision", "recall", "share")
            )
            named[number] += f" {precision:.0%}, {recall:.0%}, {share:.0%} |"
        logs += scenes * (LOGS + FLAT_LOGS * with_flat)
    print(f"\n### {title}\n\n{speakers:,} {talkers} talkers, factor {FACTORS[world]}, {scenes} scenes,")
    print(f"{settings[0].splits} split(s). Gap at a share of 10 %, found:\n")
    print("| | " + " | ".join(names) + " | CPU ms a log |\n|" + " --- |" * (len(names) + 2))
    for row, spent in zip(gaps, seconds, strict=True):
        print(f"{row} {1000 * spent / logs:.0f} |")
    print("\nThe bottom as named: precision, recall, share:\n")
    print("| | " + " | ".join(names) + " |\n|" + " --- |" * (len(names) + 1))
    print("\n".join(named), flush=True)


def raw(rates: Rates, eligible: np.ndarray) -> np.ndarray:
    """Rank by the rate as it is."""
    return _ordered(rates.estimate, eligible)


def bound(rates: Rates, eligible: np.ndarray) -> np.ndarray:
    """Rank by the lower end of a one-sided 95 % interval."""
    return _ordered(rates.estimate - 1.645 * np.sqrt(rates.variance), eligible)


def unmoderated(rates: Rates, eligible: np.ndarray) -> np.ndarray:
    """Shrink with each cohort's own variance."""
    return _ordered(ranking.shrink(rates.estimate, rates.variance, eligible), eligible)


def _ordered(score: np.ndarray, eligible: np.ndarray) -> np.ndarray:
    score = np.where(eligible, score, -np.inf)
    number = np.broadcast_to(np.arange(score.shape[1]), score.shape)
    return np.lexsort((number, -score, ~eligible), axis=-1)


RULES: dict[str, Rule | None] = {
    "shrunk, moderated": None,
    "shrunk, own variance": unmoderated,
    "raw maximum": raw,
    "one-sided bound": bound,
}
SMALL, LARGE, MANY, HEAVY = ("equal", 1_000), ("equal", 5_000), ("short", 20_000), ("heavy-tailed", 1_000)
HEAVY_LARGE = ("heavy-tailed", 5_000)


def tree(splits: int, *cells: tuple[int, float], least: int = 30) -> list[Setting]:
    """List trees by number of regions and share, the published number first."""
    return [
        Setting(f"{regions} regions, {share:.0%}", GeoTree(regions, least, share), splits)
        for regions, share in ((126, 0.0), *cells)
    ]


def regions(scenes: int) -> None:
    """How many regions, and how small."""
    cells = [(64, 0.0), (32, 0.0), (16, 0.0), (8, 0.0), (4, 0.0), (126, 0.01), (126, 0.03), (16, 0.01)]
    cells += [(16, 0.02), (16, 0.03), (16, 0.05), (8, 0.03)]
    compare("Regions", tree(1, *cells), shapes.GEO, MANY, scenes)
    cells = [(16, 0.0), (8, 0.0), (4, 0.0), (126, 0.03), (16, 0.02), (16, 0.03), (16, 0.05), (8, 0.03)]
    compare("Regions", tree(3, *cells), shapes.GEO, LARGE, scenes)
    least = [Setting(f"min_speakers {m}", GeoTree(16, m), 5) for m in (30, 15, 60, 100)]
    least += [Setting(f"{m} regions", GeoTree(m), 5) for m in (8, 4)]
    for world in (SMALL, HEAVY):
        compare("Smallest region", least, shapes.GEO, world, scenes)


def criteria(scenes: int) -> None:
    """What a split maximises, and how much a heavy talker counts."""
    settings = [
        Setting(f"{criterion}, {weight}", GeoTree(criterion=criterion, weight=weight), 5)
        for criterion in ("poisson", "between", "difference")
        for weight in ("damped", "words")
    ]
    for world in (SMALL, HEAVY):
        compare("Criterion and weight", settings, shapes.GEO[:4], world, scenes)


def rules(scenes: int) -> None:
    """How cohorts are ranked."""
    for world, splits in ((HEAVY, 5), (HEAVY_LARGE, 3)):
        settings = [Setting(name, GeoTree(), splits, rule) for name, rule in RULES.items()]
        compare("Ranking, regions of 3 %", settings, shapes.GEO[:4], world, scenes)
    settings = [Setting(name, GeoTree(126, 15, 0.0), 5, rule) for name, rule in RULES.items()]
    compare("Ranking, 126 regions of 15 speakers", settings, shapes.GEO[:4], HEAVY, scenes)
    settings = [Setting(name, SpeakerClusters(k=20, min_speakers=5), 5, rule) for name, rule in RULES.items()]
    compare("Ranking, 20 clusters of 5 speakers or more", settings, shapes.VOICE, HEAVY, scenes)


def clusters(scenes: int) -> None:
    """How many clusters of voices."""
    for world, splits in ((SMALL, 5), (LARGE, 2)):
        settings = [
            Setting(f"k {k or 'by default'}", SpeakerClusters(k=k, restarts=2), splits)
            for k in (None, 5, 10, 15, 20, 25, 35, 50, 80)
        ]
        compare("Clusters", settings, shapes.VOICE, world, scenes)
    settings = [Setting(f"min_speakers {m}", SpeakerClusters(k=20, min_speakers=m), 5) for m in (30, 15, 60)]
    compare("Smallest cluster, k 20", settings, shapes.VOICE, SMALL, scenes)


def attributes(scenes: int) -> None:
    """How an attribute of ZIP codes is chosen."""
    finders = {
        "default": ZipDemographics(),
        "difference": ZipDemographics(criterion="difference"),
        "words": ZipDemographics(weight="words"),
        "min_speakers 15": ZipDemographics(min_speakers=15),
        "min_speakers 60": ZipDemographics(min_speakers=60),
        "min_speakers 100": ZipDemographics(min_speakers=100),
        "every threshold": ZipDemographics(search="threshold"),
        "every threshold, difference": ZipDemographics(search="threshold", criterion="difference"),
    }
    for world, splits in ((SMALL, 3), (HEAVY, 3), (LARGE, 2)):
        settings = [Setting(name, finder, splits) for name, finder in finders.items()]
        compare("ZIP codes", settings, shapes.ZIP, world, max(3, scenes // 2))


def numbers_of_splits(scenes: int) -> None:
    """How many splits: how often found, and how much the gap depends on the seed of the splits."""
    print(f"\n### Splits\n\n{scenes} scenes, each with two seeds of the splits.\n")
    print("| by, speakers | splits | found | spread of the log gap over seeds | CPU ms a log |")
    print("| --- | --- | --- | --- | --- |")
    for name, shape, finder in (
        ("geo", "box", GeoTree()),
        ("voice", shapes.VOICE[0], SpeakerClusters(restarts=1)),
    ):
        for world, splits in [(SMALL, n) for n in (1, 3, 5, 11, 21)] + [(LARGE, n) for n in (1, 3, 5, 11)]:
            began = time.process_time()
            talkers, speakers = world
            # Smaller than elsewhere, so that one split and many are told apart.
            drawn = [
                shapes.scene(shape, speakers, talkers, FACTORS[world] ** 0.75, s)
                for s in range(1, scenes + 1)
            ]
            setting = Setting("", finder, splits)
            one, other = (
                [run(s, setting, True, seed, split_seed) for seed, s in enumerate(drawn, 1)]
                for split_seed in (1, 2)
            )
            spent = (time.process_time() - began) / 2 / scenes / (LOGS + FLAT_LOGS)
            statistic = np.stack([o.statistic for o in one])
            power = np.mean(statistic[:, :LOGS] > np.quantile(statistic[:, LOGS:], 0.95))
            apart = np.stack(
                [a.log_ratio[:LOGS] - b.log_ratio[:LOGS] for a, b in zip(one, other, strict=True)]
            )
            spread = np.sqrt(np.nanmean(apart**2) / 2)
            print(
                f"| {name}, {speakers:,} | {splits} | {power:.0%} | {spread:.3f} | {1000 * spent:.0f} |",
                flush=True,
            )


def false_finds(scenes: int) -> None:
    """How often p <= 5 % where there is no gap, by real permutations."""
    print("\n### False finds\n\n500 heavy-tailed talkers, 3 splits, 99 permutations, p <= 5 %.\n")
    print("| setting | logs | p <= 5 % |\n| --- | --- | --- |")
    for name, finder, rule in (
        ("geo, default", GeoTree(), None),
        ("geo, 126 regions of 15 speakers", GeoTree(126, 15, 0.0), None),
        ("geo, difference, words", GeoTree(criterion="difference", weight="words"), None),
        ("geo, raw maximum", GeoTree(), raw),
        ("voice, default", SpeakerClusters(), None),
        ("zip, default", ZipDemographics(), None),
    ):
        shape = {"geo": "box", "voice": shapes.VOICE[0], "zip": shapes.ZIP[0]}[finder.name]
        p_values = []
        for seed in range(1, 25 * scenes + 1):
            scene = shapes.scene(shape, 500, "heavy-tailed", 1.0, seed)
            errors = scene.errors(1, np.random.default_rng(seed))[0].astype(int)
            counts = replace(scene.counts, errors=errors)
            procedure = Procedure(counts, halves(counts.speakers, seed, 3), finder, None, SHARE)

            def figures(e: np.ndarray, w: np.ndarray, procedure: Procedure = procedure):
                return procedure.figures(e, w, whole_log=False)

            with patch("fairaudit.procedure.rank", rule or ranking.rank):
                words = counts.ref_words[None].astype(float)
                own = figures(errors[None].astype(float), words).statistic[0]
                permuted = null(figures, counts, 99, (seed,), lambda done: None)
            p_values.append(permuted.p_value(float(own), permuted.figures.statistic))
        known = np.array([p for p in p_values if p is not None])
        print(f"| {name} | {len(known)} | {np.mean(known <= 0.05):.1%} |", flush=True)


TABLES: dict[str, Callable[[int], None]] = {
    "regions": regions,
    "criteria": criteria,
    "rules": rules,
    "clusters": clusters,
    "attributes": attributes,
    "splits": numbers_of_splits,
    "false_finds": false_finds,
}


def main() -> None:
    """Print the tables that are asked for, or all."""
    scenes = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    for name in sys.argv[2:] or TABLES:
        TABLES[name](scenes)


if __name__ == "__main__":
    main()
