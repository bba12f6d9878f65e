import numpy as np
import pytest
from worlds import codes

from fairaudit import figures
from fairaudit.attributes import attribute_gaps
from fairaudit.counts import SpeakerCounts
from fairaudit.demographics import RACES, load_zip_table
from fairaudit.discover.zip_demographics import ZipDemographics, describe, side_names
from fairaudit.estimate import contrast, holm, jackknife, t_quantile
from fairaudit.exceptions import OptionError
from fairaudit.measurement import Measurement, gaps_of
from fairaudit.partition import Threshold
from fairaudit.procedure import Procedure
from fairaudit.split import halves


def own_table(folder, attributes, seed=0):
    """Write a ZIP table: 400 codes, each attribute a share that is above one half in some of them."""
    rng = np.random.default_rng(seed)
    names = list(attributes)
    lines = [",".join(["zip_code", *names])]
    for i in range(400):
        above = [rng.random() < attributes[name] for name in names]
        values = [rng.uniform(0.5, 1) if a else rng.uniform(0, 0.5) for a in above]
        lines.append(",".join([f"{10000 + i}", *(f"{v:.6f}" for v in values)]))
    file = folder / "table.csv"
    file.write_text("\n".join(lines) + "\n")
    return str(file)


def log(finder, seed, speakers=400, planted=None, effect=1.4, spread=4.0, sigma=0.5):
    """Draw speakers at ZIP codes of a finder's table; above `planted`, errors are `effect` times as many."""
    rng = np.random.default_rng(seed)
    table = finder.table()
    code = rng.choice(table.zip_codes, speakers)
    words = rng.lognormal(6, sigma, speakers).round() + 1
    rate = 0.1 * rng.gamma(spread, 1 / spread, speakers)
    counts = finder.prepare(
        SpeakerCounts.of(
            [f"s{i:04}" for i in range(speakers)],
            ref_words=words,
            errors=np.zeros(speakers, dtype=int),
            attributes={"zip_code": code.astype(object)},
        )
    )
    if planted is not None:
        rate = rate * np.where(counts.numbers(planted) > 0.5, effect, 1.0)
    errors = rng.poisson(words * rate)
    return SpeakerCounts.of(
        counts.speakers[counts.speaker],
        ref_words=words,
        errors=errors,
        attributes=dict(counts.attributes),
    )


SHARES = {"pct_a": 0.12, "pct_b": 0.2, "pct_c": 0.4, "pct_d": 0.5, "pct_e": 0.6, "pct_f": 0.15}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return own_table(tmp_path_factory.mktemp("zip"), SHARES)


def lower_bound(counts, above, weights=None):
    """The lower 95 % bound of the absolute log ratio, from the jackknife of `estimate`."""
    e, w = (v[None].astype(float) for v in (counts.errors, counts.ref_words))
    rates = jackknife(np.where(above, 0, 1)[None], e, w, counts.speaker, 2)
    pair = contrast(rates, 0, rates, 1)
    return abs(pair.estimate[0]) - float(t_quantile(pair.df[0], 0.95)) * pair.se[0]


@pytest.mark.parametrize("seed", range(5))
def test_chooses_the_attribute_with_the_largest_lower_bound(file, seed):
    finder = ZipDemographics(zip_table=file, weight="words", min_speakers=20)
    counts = log(finder, seed, planted="pct_b", effect=1.2)
    bounds = {name: lower_bound(counts, counts.numbers(name) > 0.5) for name in SHARES}
    best, second = sorted(bounds, key=bounds.get)[:-3:-1]
    # The search has the linearised variance, and a near tie may go either way.
    if bounds[best] - bounds[second] > 0.02:
        assert finder.fit(counts).attribute == best


def test_needs_enough_speakers_on_both_sides(file):
    counts = log(ZipDemographics(zip_table=file), 1, 400, planted="pct_a", effect=2.5)
    above = int((counts.numbers("pct_a") > 0.5).sum())
    assert 30 < above < 80
    assert ZipDemographics(zip_table=file, min_speakers=above).fit(counts).attribute == "pct_a"
    assert ZipDemographics(zip_table=file, min_speakers=above + 1).fit(counts).attribute != "pct_a"


def test_where_no_attribute_has_enough_speakers_nobody_is_told_from_anybody(file):
    finder = ZipDemographics(zip_table=file, min_speakers=201)
    counts = log(finder, 1, 400, planted="pct_a", effect=2.5)
    found = finder.fit(counts)
    assert set(found.assign(counts)) == {1}
    e, w = (v[None].astype(float) for v in (counts.errors, counts.ref_words))
    fits = finder.fit_many(counts, e, w)
    assert fits.chosen.tolist() == [-1]
    np.testing.assert_array_equal(fits.assign(counts)[0], found.assign(counts))
    # Each attribute still has its own two sides, to be listed.
    np.testing.assert_array_equal(fits.assign_attribute(0, counts)[0] == 0, counts.numbers("pct_a") > 0.5)


def picks(file, criterion, worlds=60, **kwargs):
    finder = ZipDemographics(zip_table=file, criterion=criterion, min_speakers=20)
    return [finder.fit(log(finder, seed, **kwargs)).attribute for seed in range(worlds)]


def test_the_absolute_difference_picks_the_smallest_groups_where_there_is_nothing_to_find(file):
    small = {"pct_a", "pct_f"}
    published = np.mean([name in small for name in picks(file, "difference")])
    ours = np.mean([name in small for name in picks(file, "lower bound")])
    assert published > 0.4
    assert ours < published - 0.2


def test_the_lower_bound_finds_a_planted_attribute_more_often(file):
    planted = {"planted": "pct_d", "effect": 1.15, "speakers": 300}
    published = np.mean([name == "pct_d" for name in picks(file, "difference", **planted)])
    ours = np.mean([name == "pct_d" for name in picks(file, "lower bound", **planted)])
    assert ours > published + 0.1
    assert ours > 0.6


def test_a_search_by_words_is_owned_by_heavy_talkers_and_the_damped_one_is_not(file):
    hits = {}
    for weight in ("words", "damped"):
        finder = ZipDemographics(zip_table=file, weight=weight, min_speakers=20)
        found = [
            finder.fit(log(finder, seed, planted="pct_b", effect=1.4, sigma=1.7)).attribute
            for seed in range(40)
        ]
        hits[weight] = np.mean([name == "pct_b" for name in found])
    assert hits["damped"] > 0.85
    assert hits["words"] < hits["damped"] - 0.25


def brute_force(counts, finder, criterion):
    """Try every threshold of every attribute, as slowly as it reads."""
    best = (-np.inf, None, None)
    for name in finder.table().values:
        values = counts.numbers(name)
        for low, high in zip(np.unique(values)[:-1], np.unique(values)[1:], strict=True):
            above = values > (low + high) / 2
            if min(len(set(counts.speaker[side])) for side in (above, ~above)) < finder.min_speakers:
                continue
            rates, variances, dfs = [], [], []
            for side in (above, ~above):
                e, w = counts.errors[side].astype(float), counts.ref_words[side].astype(float)
                rate, n = e.sum() / w.sum(), len(set(counts.speaker[side]))
                rates.append(rate)
                variances.append(n / (n - 1) * ((e - rate * w) ** 2).sum() / e.sum() ** 2)
                dfs.append(w.sum() ** 2 / (w * w).sum() - 1)
            score = abs(rates[0] - rates[1])
            if criterion == "lower bound":
                v, d = np.array(variances), np.array(dfs)
                df = v.sum() ** 2 / (v * v / d).sum()
                score = abs(np.log(rates[0] / rates[1])) - float(t_quantile(df, 0.95)) * np.sqrt(v.sum())
            if score > best[0] + 1e-12:
                best = (score, name, (low + high) / 2)
    return best[1:]


@pytest.mark.parametrize("criterion", ["lower bound", "difference"])
@pytest.mark.parametrize("seed", range(3))
def test_the_threshold_search_is_that_of_trying_every_threshold(file, criterion, seed):
    finder = ZipDemographics(
        zip_table=file, criterion=criterion, search="threshold", weight="words", min_speakers=15
    )
    counts = log(finder, seed, 90)
    found = finder.fit(counts)
    assert (found.attribute, found.threshold) == brute_force(counts, finder, criterion)
    side = found.assign(counts)
    assert min(np.bincount(side)) >= 15


def test_replicates_searched_together_are_those_searched_alone(file):
    finder = ZipDemographics(zip_table=file, search="threshold", min_speakers=15)
    counts = log(finder, 4, 120)
    rng = np.random.default_rng(1)
    order = np.stack([rng.permutation(120) for _ in range(6)])
    e, w = counts.errors[order].astype(float), counts.ref_words[order].astype(float)
    together = finder.fit_many(counts, e, w)
    assert len(set(together.chosen)) > 1
    for i in range(6):
        alone = finder.fit_many(counts, e[i : i + 1], w[i : i + 1])
        np.testing.assert_array_equal(alone.assign(counts)[0], together.assign(counts)[i])
        for attribute in range(len(SHARES)):
            np.testing.assert_array_equal(
                alone.assign_attribute(attribute, counts)[0], together.assign_attribute(attribute, counts)[i]
            )


def test_every_attribute_is_listed_with_the_gap_and_p_of_its_own_two_sides(file):
    finder = ZipDemographics(zip_table=file, min_speakers=20)
    counts = log(finder, 3, 300, planted="pct_c", effect=1.4)
    half = halves(counts.speakers, 1, 3)
    procedure = Procedure(counts, half, finder, None, 0.1)
    first = procedure.ways[0]
    m = Measurement(procedure, 0.95, first.measured, finder.fit(counts.select(first.searched)))
    found = m.chance(19, [4], lambda n: None)
    listed = attribute_gaps(m, found, 1)
    assert [a.name for a in listed] == list(SHARES)
    assert [a.name for a in listed if a.chosen] == ["pct_c"]
    table = finder.table()
    for row, attribute in enumerate(listed):
        name = attribute.name
        fixed = Threshold(name, 0.5, describe(table), side_names(table, name, 0.5))
        every = np.ones(counts.rows, dtype=bool)
        alone = Measurement(Procedure(counts, half, None, fixed, 0.1), 0.95, every, fixed)
        gap, _ = gaps_of(alone, None)
        assert attribute.relative == pytest.approx(gap.relative)
        worse = int(np.flatnonzero(alone.ways[0].named.side[0] == 0)[0])
        assert attribute.bottom == fixed.names[worse].label
        assert (attribute.low, attribute.high) == pytest.approx((gap.relative_low, gap.relative_high))
        assert attribute.share == pytest.approx(alone.side(0).share.speakers)
        # The same permutations: equal seeds give equal statistics.
        observed, permuted = alone.chance(19, [4], lambda n: None)
        np.testing.assert_allclose(found[1].figures.attributes[:, row], permuted.figures.statistic)
        p = permuted.p_value(float(observed.statistic[0]), permuted.figures.statistic)
        assert attribute.p_value == pytest.approx(p)
    assert [a.p_holm for a in listed] == holm([a.p_value for a in listed])


def test_a_listed_attribute_of_too_few_speakers_has_a_reason_and_no_figure(file):
    finder = ZipDemographics(zip_table=file, min_speakers=20)
    counts = log(finder, 3, 120)
    procedure = Procedure(counts, halves(counts.speakers, 1, 3), finder, None, 0.1)
    first = procedure.ways[0]
    m = Measurement(procedure, 0.95, first.measured, finder.fit(counts.select(first.searched)))
    shown = {a.name: a for a in attribute_gaps(m, None, 11)}
    above = {name: int((counts.numbers(name) > 0.5).sum()) for name in SHARES}
    for name, entry in shown.items():
        # Half of them are measured in each way, and fewer than eleven are not shown.
        if above[name] < 22:
            assert entry.reason.startswith("suppressed")
            assert entry.relative is entry.low is entry.share is None
        elif 24 < above[name] < 96:
            assert entry.low < entry.relative < entry.high
    assert min(above.values()) < 22 < 24 < max(above.values())


def test_the_built_in_attributes_are_majorities_and_halves_of_the_population():
    finder = ZipDemographics()
    table = finder.table()
    assert all(table.thresholds[name] == 0.5 for name in RACES)
    rng = np.random.default_rng(1)
    worse = np.arange(300) % 4 == 0
    counts = SpeakerCounts.of(
        [f"s{i:03}" for i in range(300)],
        ref_words=[500] * 300,
        errors=rng.poisson(np.where(worse, 80, 50)),
        attributes={"zip_code": codes(table, "pct_hispanic", rng, worse)},
    )
    found = finder.fit(counts)
    assert found.attribute == "pct_hispanic"
    assert found.names[0].label == "people living in ZIP codes where most are Hispanic"
    np.testing.assert_array_equal(found.assign(finder.prepare(counts)) == 0, worse)


def test_why_a_zip_code_cannot_be_placed():
    table = load_zip_table()
    box = next(code for code, why in table.gaps.items() if "area" in why)
    empty = next(code for code, why in table.gaps.items() if "population" in why)
    counts = SpeakerCounts.of(
        list("abcde"),
        ref_words=[1] * 5,
        errors=[0] * 5,
        attributes={"zip_code": ["00000", box, empty, None, "10001"]},
    )
    assert ZipDemographics().unplaced(counts).tolist() == [
        "ZIP code unknown",
        "ZIP code without census area",
        "ZIP code without population",
        "no zip_code",
        "",
    ]


def test_parameters_are_checked():
    with pytest.raises(OptionError, match=r"zip.min_speakers is 1"):
        ZipDemographics(min_speakers=1)


def test_the_share_that_is_shown_is_that_of_the_measured_half(file):
    finder = ZipDemographics(zip_table=file, min_speakers=20)
    counts = log(finder, 8, 300, planted="pct_c", effect=1.5)
    procedure = Procedure(counts, halves(counts.speakers, 1, 1), finder, None, 0.1)
    way = procedure.ways[0]
    fits = procedure.fits(way, counts.errors[None].astype(float), counts.ref_words[None].astype(float))
    assert fits.attributes[fits.chosen[0]] == "pct_c"
    share = figures.share_of(counts, way.measured & (counts.numbers("pct_c") > 0.5), way.measured)
    m = Measurement(procedure, 0.95, way.measured, finder.fit(counts.select(way.searched)))
    both = [
        figures.share_of(counts, w.measured & (counts.numbers("pct_c") > 0.5), w.measured).speakers
        for w in procedure.ways
    ]
    assert share.speakers == both[0]
    assert m.side(0).share.speakers == pytest.approx(np.mean(both))
