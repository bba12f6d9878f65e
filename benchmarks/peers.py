"""Who cries wolf: fairaudit and other tools on the same worlds, with a gap and without one.

    pip install fairlearn divexplorer sliceline aequitas
    python benchmarks/peers.py [WORLDS] [TOOL ...]

aequitas needs pandas below 3, so use an environment of its own. A tool that is not installed is skipped.
None of them is a dependency of fairaudit.

Each world has 600 speakers of about ten utterances, whose own rates vary by 41 %, four label columns
(three of the speaker, the device of the utterance) and homes in the US. Nothing is planted; or an accent of
10 % of the speakers has 1.4 times the rate; or a box on the map does, where 11 % live. Tools that read
labels only get latitude and longitude in fifths. Each tool is used as its own documentation shows it:

* fairaudit: every label column and the tree over places; reports where the corrected p is at most 5 %.
* fairlearn: MetricFrame of WER for each column with its bootstrap of rows; reports where a group's 95 %
  interval lies above another's. (The interval of its difference, a maximum minus a minimum, is never below
  0.) It is slow, so it runs on an eighth of the worlds.
* divexplorer: patterns of up to five columns by mean WER of utterances, redundant ones pruned; reports where
  t > 2, as in its quick start, and, second, where t is beyond Bonferroni's bound over the patterns.
* aequitas: takes binary outcomes: has an utterance any error? Reports where a group is outside 80 to 125 % of
  the largest group, its default.
* sliceline: the slice of the best score, with alpha 0.95 as in its README and 0.99; reports where it
  returns one.
* a scikit-learn tree, and grouping by hand, test nothing: what counts is the gap that they show where there
  is none.

The gap is that of the cohort that a tool names worst, against what the tool compares it with, in the rate
that the tool reads. What it is in truth is the same figure for the same rule on 20,000 fresh speakers.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pandas as pd
import shapes
from scipy.special import ndtri

import fairaudit

SPEAKERS, FRESH, FACTOR = 600, 20_000, 1.4
SHARES = {
    "accent": [0.1] * 10,
    "gender": [0.5, 0.5],
    "age": [0.2, 0.4, 0.3, 0.1],
}
DEVICES = [0.55, 0.25, 0.2]
LABELS = [*SHARES, "device"]
DISCRETE = [*LABELS, "south to north", "west to east"]
FIFTHS = {"south to north": "latitude", "west to east": "longitude"}
KINDS = ("nothing", "accent", "box")
Rate = Callable[[pd.DataFrame], float]


def wer(rows: pd.DataFrame) -> float:
    """Pool errors over words."""
    return rows["errors"].sum() / rows["ref_words"].sum()


def mean_wer(rows: pd.DataFrame) -> float:
    """Average the WER of utterances."""
    return rows["utterance_wer"].mean()


def any_error(rows: pd.DataFrame) -> float:
    """Return the share of utterances with any error."""
    return rows["any_error"].mean()


@dataclass(frozen=True)
class Found:
    """What a tool says: whether it reports a gap (None: it tests nothing), the gap, and whose."""

    reports: bool | None
    gap: float
    rate: Rate
    bottom: Callable[[pd.DataFrame], np.ndarray]
    top: Callable[[pd.DataFrame], np.ndarray]


def world(kind: str, speakers: int, seed: int) -> pd.DataFrame:
    """Draw a log, a row for each utterance."""
    rng = np.random.default_rng((seed, speakers))
    codes, degrees, share = shapes.zip_codes()
    latitude, longitude = degrees[:, rng.choice(len(codes), speakers, p=share)]
    own = {name: rng.choice(len(p), speakers, p=p) for name, p in SHARES.items()}
    south, north, west, east = shapes.BOX
    inside = (latitude >= south) & (latitude < north) & (longitude >= west) & (longitude < east)
    planted = {"nothing": np.zeros(speakers, dtype=bool), "accent": own["accent"] == 0, "box": inside}[kind]
    rate = shapes.RATE * rng.gamma(shapes.SHAPE, 1 / shapes.SHAPE, speakers) * np.where(planted, FACTOR, 1)
    talk = rng.poisson(9 * rng.lognormal(-0.32, 0.8, speakers)) + 1
    row = np.repeat(np.arange(speakers), talk)
    words = 1 + rng.poisson(11, len(row))
    errors = rng.poisson(rate[row] * words * rng.gamma(3, 1 / 3, len(row)))
    columns = {name: np.array([f"{name} {v}" for v in values])[row] for name, values in own.items()}
    frame = pd.DataFrame(
        {
            "speaker_id": np.array([f"s{n:05}" for n in range(speakers)])[row],
            "ref_words": words,
            "errors": errors,
            **columns,
            "device": [f"device {d}" for d in rng.choice(3, len(row), p=DEVICES)],
            "latitude": latitude[row],
            "longitude": longitude[row],
            "planted": planted[row],
        }
    )
    frame["utterance_wer"] = frame["errors"] / frame["ref_words"]
    frame["any_error"] = (frame["errors"] > 0).astype(int)
    return frame


def in_fifths(frame: pd.DataFrame, edges: dict[str, np.ndarray] | None = None):
    """Add the fifths of latitude and longitude, cut where the log at hand has its fifths."""
    edges = edges or {name: frame[column].quantile([0.2, 0.4, 0.6, 0.8]) for name, column in FIFTHS.items()}
    fifths = {
        name: [f"fifth {n}" for n in np.digitize(frame[FIFTHS[name]], at)] for name, at in edges.items()
    }
    return frame.assign(**fifths), edges


def everyone_else(bottom: Callable[[pd.DataFrame], np.ndarray]) -> Callable[[pd.DataFrame], np.ndarray]:
    """Return the rule of those who are not in a cohort."""
    return lambda frame: ~bottom(frame)


def value(column: str, text: str) -> Callable[[pd.DataFrame], np.ndarray]:
    """Return the rule of a value of a column."""
    return lambda frame: (frame[column] == text).to_numpy()


def overall(frame: pd.DataFrame) -> np.ndarray:
    """Return the rule of everybody."""
    return np.ones(len(frame), dtype=bool)


def with_fairaudit(frame: pd.DataFrame) -> Found:
    """Audit every label column and the places."""
    log = fairaudit.read_log(frame[["speaker_id", "ref_words", "errors", *LABELS, "latitude", "longitude"]])
    result = fairaudit.audit(log, by=[*LABELS, "geo"], permutations=199)
    worst = min(
        (p for p in result.partitions if p.chance and p.chance.p_value is not None),
        key=lambda p: (p.chance.p_value, -p.gap.relative),
    )

    def side(which: tuple[str, ...]) -> Callable[[pd.DataFrame], np.ndarray]:
        if worst.kind != "boxes":
            return lambda rows: rows[worst.name].isin(which).to_numpy()
        numbers = [n for n, cohort in enumerate(region_names(len(worst.rule["boxes"]))) if cohort in which]
        return lambda rows: np.isin(regions_of(worst.rule, rows), numbers)

    gap = worst.gap.relative
    p = worst.chance.p_value_holm
    return Found(p is not None and p <= 0.05, gap, wer, side(worst.bottom.cohorts), side(worst.top.cohorts))


def region_names(regions: int) -> list[str]:
    """Name regions as the tree does."""
    return [f"region-{n + 1:0{len(str(regions))}}" for n in range(regions)]


def regions_of(rule: dict, rows: pd.DataFrame) -> np.ndarray:
    """Return the number of the region of each row."""
    cells = [np.floor(rows[c].to_numpy() / rule["grid"]) for c in ("latitude", "longitude")]
    number = np.full(len(rows), -1)
    for n, box in enumerate(rule["boxes"]):
        low, high = (
            [edge if edge is not None else end for edge in box[at::2]] for at, end in ((0, -9e9), (1, 9e9))
        )
        inside = [(a >= lo) & (a < hi) for a, lo, hi in zip(cells, low, high, strict=True)]
        number[inside[0] & inside[1]] = n
    return number


def by_hand(frame: pd.DataFrame) -> Found:
    """Group by each column and take the largest WER over the smallest."""
    sums = {c: frame.groupby(c)[["errors", "ref_words"]].sum() for c in DISCRETE}
    rates = {c: total["errors"] / total["ref_words"] for c, total in sums.items()}
    column = max(rates, key=lambda c: rates[c].max() / rates[c].min())
    rate = rates[column]
    sides = value(column, rate.idxmax()), value(column, rate.idxmin())
    return Found(None, rate.max() / rate.min() - 1, wer, *sides)


def with_fairlearn(frame: pd.DataFrame) -> Found:
    """Disaggregate WER by each column, with the bootstrap."""
    from fairlearn.metrics import MetricFrame

    def rate(errors: np.ndarray, words: np.ndarray) -> float:
        return float(np.sum(errors) / np.sum(words))

    apart, best = False, (0.0, "", "", "")
    for column in DISCRETE:
        groups = MetricFrame(
            metrics=rate,
            y_true=frame["errors"],
            y_pred=frame["ref_words"],
            sensitive_features=frame[column],
            n_boot=ROW_REPLICATES,
            ci_quantiles=[0.025, 0.975],
            random_state=1,
        )
        low, high = groups.by_group_ci
        apart |= bool(low.max() > high.min())
        wers = groups.by_group
        best = max(best, (wers.max() / wers.min() - 1, column, wers.idxmax(), wers.idxmin()))
    gap, column, worst, lowest = best
    return Found(apart, gap, wer, value(column, worst), value(column, lowest))


def with_divexplorer(frame: pd.DataFrame, *, corrected: bool = False) -> Found:
    """List patterns by divergence, pruned; of those that are significant the most divergent."""
    from divexplorer import DivergenceExplorer, DivergencePatternProcessor

    explorer = DivergenceExplorer(frame[[*DISCRETE, "utterance_wer"]])
    patterns = explorer.get_pattern_divergence(min_support=0.05, quantitative_outcomes=["utterance_wer"])
    limit = ndtri(1 - 0.025 / len(patterns)) if corrected else 2.0
    kept = pd.DataFrame(
        DivergencePatternProcessor(patterns, "utterance_wer").redundancy_pruning(th_redundancy=0.01)
    )
    worse = kept[kept["utterance_wer_div"] > 0].sort_values("utterance_wer_div", ascending=False)
    significant = worse[worse["utterance_wer_t"] > limit]
    first = (significant if len(significant) else worse).iloc[0]
    items = [item.split("=", 1) for item in first["itemset"]]

    def bottom(rows: pd.DataFrame) -> np.ndarray:
        return np.all([value(*item)(rows) for item in items], axis=0)

    mean = frame["utterance_wer"].mean()
    return Found(len(significant) > 0, first["utterance_wer_div"] / mean, mean_wer, bottom, overall)


def with_divexplorer_corrected(frame: pd.DataFrame) -> Found:
    """Use Bonferroni's bound over all patterns in place of 2."""
    return with_divexplorer(frame, corrected=True)


def with_sliceline(frame: pd.DataFrame, *, alpha: float = 0.95) -> Found:
    """Find the slice of the best score."""
    from sliceline.slicefinder import Slicefinder

    least = len(frame) // 20
    finder = Slicefinder(alpha=alpha, k=1, max_l=2, min_sup=least, verbose=False)
    finder.fit(frame[DISCRETE], frame["utterance_wer"])
    found = finder.top_slices_[0] if len(finder.top_slices_) else [None] * len(DISCRETE)
    items = [(c, text) for c, text in zip(DISCRETE, found, strict=True) if text is not None]

    def bottom(rows: pd.DataFrame) -> np.ndarray:
        return np.all([value(*item)(rows) for item in items] or [~overall(rows)], axis=0)

    inside = bottom(frame)
    gap = mean_wer(frame[inside]) / mean_wer(frame[~inside]) - 1 if items else np.nan
    return Found(bool(items), gap, mean_wer, bottom, everyone_else(bottom))


def with_bold_sliceline(frame: pd.DataFrame) -> Found:
    """Let the size of a slice count for less."""
    return with_sliceline(frame, alpha=0.99)


def with_tree(frame: pd.DataFrame) -> Found:
    """Fit a regression tree to the WER of utterances and take its worst leaf."""
    from sklearn.tree import DecisionTreeRegressor

    def matrix(rows: pd.DataFrame) -> np.ndarray:
        dummies = [(rows[c] == text).to_numpy(float) for c in LABELS for text in sorted(texts[c])]
        return np.column_stack([*dummies, rows["latitude"], rows["longitude"]])

    texts = {c: frame[c].unique() for c in LABELS}
    tree = DecisionTreeRegressor(max_leaf_nodes=16, min_samples_leaf=0.05, random_state=0)
    tree.fit(matrix(frame), frame["utterance_wer"], sample_weight=frame["ref_words"])
    leaf = tree.apply(matrix(frame))
    worst = leaf[np.argmax(tree.predict(matrix(frame)))]

    def bottom(rows: pd.DataFrame) -> np.ndarray:
        return tree.apply(matrix(rows)) == worst

    gap = wer(frame[leaf == worst]) / wer(frame[leaf != worst]) - 1
    return Found(None, gap, wer, bottom, everyone_else(bottom))


def with_aequitas(frame: pd.DataFrame) -> Found:
    """Compare how often an utterance has any error, by the four-fifths rule."""
    from aequitas.bias import Bias
    from aequitas.fairness import Fairness
    from aequitas.group import Group

    # An error is a false positive of something that should never be.
    binary = frame[DISCRETE].assign(score=frame["any_error"], label_value=0)
    groups, _ = Group().get_crosstabs(binary, attr_cols=DISCRETE)
    bias = Bias().get_disparity_major_group(groups, original_df=binary, mask_significance=True)
    judged = Fairness().get_group_value_fairness(bias)
    first = judged.loc[judged["fpr_disparity"].idxmax()]
    column = first["attribute_name"]
    sides = (first["attribute_value"], first["fpr_ref_group_value"])
    reports = bool((judged["FPR Parity"] == False).any())  # noqa: E712
    return Found(reports, first["fpr_disparity"] - 1, any_error, *(value(column, text) for text in sides))


#: Replicates of fairlearn's bootstrap.
ROW_REPLICATES = 100
#: How each is called, the package that it needs, and what it is for.
TOOLS: dict[str, tuple[str, Callable[[pd.DataFrame], Found]]] = {
    "fairaudit": ("fairaudit", with_fairaudit),
    "group by, max over min": ("pandas", by_hand),
    "fairlearn": ("fairlearn", with_fairlearn),
    "divexplorer, t > 2": ("divexplorer", with_divexplorer),
    "divexplorer, Bonferroni": ("divexplorer", with_divexplorer_corrected),
    "aequitas": ("aequitas", with_aequitas),
    "sliceline, alpha 0.95": ("sliceline", with_sliceline),
    "sliceline, alpha 0.99": ("sliceline", with_bold_sliceline),
    "tree, worst leaf": ("sklearn", with_tree),
}


def judged(tool: Callable[[pd.DataFrame], Found], kind: str, seed: int, fresh: pd.DataFrame) -> list[float]:
    """Return what one tool says of one world: reports, gap, true gap, recall, precision, CPU seconds."""
    frame, edges = in_fifths(world(kind, SPEAKERS, seed))
    elsewhere, _ = in_fifths(fresh, edges)
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = tool(frame)
    spent = time.process_time() - began
    bottom, top = (rule(elsewhere) for rule in (found.bottom, found.top))
    truth = (
        found.rate(elsewhere[bottom]) / found.rate(elsewhere[top]) - 1
        if bottom.any() and top.any()
        else np.nan
    )
    planted = elsewhere["planted"].to_numpy()
    hit = (bottom & planted).sum()
    recall = hit / planted.sum() if planted.any() else np.nan
    precision = hit / bottom.sum() if bottom.any() else np.nan
    return [np.nan if found.reports is None else found.reports, found.gap, truth, recall, precision, spent]


def percent(value: float) -> str:
    """Write a gap; a dash where no world gives one."""
    return "-" if np.isnan(value) else f"{value:+.0%}"


def main() -> None:
    """Run every tool that is there and print the table."""
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    fresh = {kind: world(kind, FRESH, 0) for kind in KINDS}
    print(f"{worlds} worlds of each kind, {SPEAKERS} speakers, planted factor {FACTOR}\n")
    print("| tool | planted | reports a gap | gap shown | the same in truth | recall | precision | CPU s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in sys.argv[2:] or TOOLS:
        package, tool = TOOLS[name]
        if find_spec(package) is None:
            print(f"| {name} | skipped: {package} is not installed | | | | | | |")
            continue
        for kind in KINDS:
            several = max(2, worlds // 8) if package == "fairlearn" else worlds
            rows = np.array([judged(tool, kind, seed, fresh[kind]) for seed in range(1, several + 1)])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reports, gap, truth, recall, precision, spent = np.nanmean(rows, axis=0)
            told = "tests nothing" if np.isnan(reports) else f"{reports:.0%}"
            hits = "- | -" if np.isnan(recall) else f"{recall:.0%} | {percent(precision).lstrip('+')}"
            print(
                f"| {name} | {kind} | {told} | {percent(gap)} | {percent(truth)} | {hits} | {spent:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
