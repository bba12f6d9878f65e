import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairaudit.estimate import (
    contrast,
    design_effect,
    distinct_speakers,
    is_estimable,
    jackknife,
    t_quantile,
    zero_error_high,
)


def one(values):
    return np.asarray(values, dtype=float)[None]


def rates_of(errors, words, speaker=None, group=None, groups=1, **kwargs):
    n = len(errors)
    speaker = np.arange(n) if speaker is None else np.asarray(speaker)
    group = np.zeros(n, dtype=int) if group is None else np.asarray(group)
    return jackknife(group[None], one(errors), one(words), speaker, groups, **kwargs)


def plain_jackknife(errors, words, speaker, statistic):
    """The definition, speaker by speaker, as slowly as it reads."""
    errors, words, speaker = map(np.asarray, (errors, words, speaker))
    everyone = np.unique(speaker)
    full = statistic(errors, words)
    left_out = [statistic(errors[speaker != s], words[speaker != s]) for s in everyone]
    n = len(everyone)
    return full, (n - 1) / n * sum((value - full) ** 2 for value in left_out)


counts = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 40), st.integers(1, 300)), min_size=4, max_size=30
).map(sorted)


@settings(max_examples=60, deadline=None)
@given(counts)
def test_equals_the_definition_with_rows_of_a_speaker_removed_together(rows):
    speaker, errors, words = (np.array(column) for column in zip(*rows, strict=True))
    got = rates_of(errors, words, speaker)
    if len(np.unique(speaker)) < 2:
        assert not is_estimable(got)[0, 0]
        return
    want, variance = plain_jackknife(errors, words, speaker, lambda e, w: np.log(max(e.sum(), 0.5) / w.sum()))
    assert got.estimate[0, 0] == pytest.approx(want)
    rate = max(errors.sum(), 0.5) / words.sum()
    # Never less than that of words that fail independently.
    least = max(0.0, 1 - rate) / (rate * words.sum())
    assert got.variance[0, 0] == pytest.approx(max(variance, least))


def test_few_errors_have_the_interval_of_their_own_luck_though_speakers_seem_alike():
    # Sixty speakers with one error each in 20 words: leaving out any of them moves nothing.
    rates = rates_of([1] * 60, [20] * 60, group=np.arange(60) % 3 // 2, groups=2)
    np.testing.assert_allclose(rates.variance, [[0.95 / 40, 0.95 / 20]])
    pair = contrast(rates, 0, rates, 1)
    assert pair.se[0] == pytest.approx(np.sqrt(0.95 / 40 + 0.95 / 20))
    linear = rates_of([1] * 60, [20] * 60, scale="linear")
    assert linear.variance[0, 0] == pytest.approx(0.05 * 0.95 / 1200)


@pytest.mark.parametrize("expected", [4, 8])
def test_the_rate_of_a_cohort_with_few_errors_is_covered(expected):
    rng, speakers, words = np.random.default_rng(expected), 50, 100.0
    truth = expected / (speakers * words)
    rate = truth * rng.gamma(4, 1 / 4, (3_000, speakers))
    errors = rng.poisson(rate * words).astype(float)
    errors = errors[errors.sum(axis=1) > 0]
    group = np.zeros((1, speakers), dtype=int)
    rates = jackknife(group, errors, np.full(errors.shape, words), np.arange(speakers), 1)
    reach = t_quantile(rates.n_effective - 1, 0.95) * np.sqrt(rates.variance)
    # The jackknife alone covers 88 % at four errors.
    assert (abs(rates.estimate - np.log(truth)) <= reach).mean() > 0.945


@settings(max_examples=60, deadline=None)
@given(counts)
def test_groups_that_share_speakers_are_left_out_together(rows):
    speaker, errors, words = (np.array(column) for column in zip(*rows, strict=True))
    group = np.arange(len(speaker)) % 2
    rates = rates_of(errors, words, speaker, group, 2, scale="linear")
    shared = set(speaker[group == 0]) & set(speaker[group == 1])
    enough = all(len(set(speaker[group == g])) > 1 for g in (0, 1))
    if not (shared and enough):
        return
    got = contrast(rates, 0, rates, 1)

    def difference(keep):
        rate = [errors[keep & (group == g)].sum() / words[keep & (group == g)].sum() for g in (0, 1)]
        return rate[0] - rate[1]

    full = difference(np.ones(len(speaker), bool))
    everyone = np.unique(speaker)
    left_out = [difference(speaker != s) for s in everyone]
    n = len(everyone)
    variance = (n - 1) / n * sum((value - full) ** 2 for value in left_out)
    assert got.estimate[0] == pytest.approx(full)
    rate, spoken = ([v[group == g].sum() for g in (0, 1)] for v in (errors, words))
    rate = [e / w for e, w in zip(rate, spoken, strict=True)]
    least = sum(r * max(0.0, 1 - r) / w for r, w in zip(rate, spoken, strict=True))
    assert got.se[0] ** 2 == pytest.approx(max(variance, least))


def test_agrees_with_statsmodels_clustered_standard_error():
    rng = np.random.default_rng(3)
    speaker = np.sort(rng.integers(0, 150, 3000))
    words = rng.integers(3, 20, 3000).astype(float)
    errors = rng.poisson(words * 0.1 * rng.gamma(4, 1 / 4, 150)[speaker])
    model = sm.GLM(errors, np.ones(3000), family=sm.families.Poisson(), offset=np.log(words))
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": speaker})
    got = rates_of(errors, words, speaker)
    assert got.estimate[0, 0] == pytest.approx(fitted.params[0], abs=1e-6)
    assert np.sqrt(got.variance[0, 0]) == pytest.approx(fitted.bse[0], rel=0.02)


def test_a_batch_gives_what_each_of_its_replicates_gives_alone():
    rng = np.random.default_rng(4)
    errors, words = rng.integers(0, 9, (5, 40)).astype(float), rng.integers(1, 99, (5, 40)).astype(float)
    group, speaker = rng.integers(-1, 3, (5, 40)), np.sort(rng.integers(0, 25, 40))
    batch = jackknife(group, errors, words, speaker, 3)
    for i in range(5):
        alone = jackknife(group[i : i + 1], errors[i : i + 1], words[i : i + 1], speaker, 3)
        np.testing.assert_array_equal(alone.estimate[0], batch.estimate[i])
        np.testing.assert_array_equal(alone.variance[0], batch.variance[i])


@pytest.mark.parametrize(
    ("errors", "words"), [([3], [10]), ([3, 0], [10, 0]), ([], [])], ids=["one", "all words by one", "none"]
)
def test_no_variance_without_two_speakers_who_speak(errors, words):
    assert not is_estimable(rates_of(errors, words))[0, 0]


def test_t_quantile_and_zero_error_bound_are_those_of_scipy():
    assert t_quantile(7.3, 0.9) == pytest.approx(stats.t.ppf(0.95, 7.3))
    assert zero_error_high(200, 1.0, 0.95) == pytest.approx(stats.chi2.ppf(0.975, 2) / 2 / 200)
    assert zero_error_high(200, 0.2, 0.95) == zero_error_high(200, 1.0, 0.95)
    assert zero_error_high(200, 4.0, 0.95) == 4 * zero_error_high(200, 1.0, 0.95)


def test_design_effect_is_that_of_clustering():
    rng = np.random.default_rng(5)
    words = np.full(4000, 100.0)
    assert design_effect(rates_of(rng.poisson(words * 0.1), words)) == pytest.approx(1.0, abs=0.1)
    rate = 0.1 * rng.gamma(2, 1 / 2, 4000)
    # Variance of a gamma-Poisson count over its mean: 1 + mean / shape.
    assert design_effect(rates_of(rng.poisson(words * rate), words)) == pytest.approx(6.0, rel=0.12)


def test_distinct_speakers_counts_a_traveller_once_in_each_cohort():
    speaker = np.array([0, 0, 0, 1])
    assert distinct_speakers(np.array([[0, 0, 1, 1]]), speaker, 2).tolist() == [[1, 2]]


def coverage(speakers, draws=400):
    """Coverage of the truth by the jackknife interval and by one that takes words as independent."""
    rng = np.random.default_rng(speakers)
    ours = naive = 0
    for _ in range(draws):
        words = rng.integers(200, 1000, speakers).astype(float)
        errors = rng.poisson(words * 0.1 * rng.gamma(5, 1 / 5, speakers)).astype(float)
        rates = rates_of(errors, words)
        se = np.sqrt(rates.variance[0, 0])
        reach = t_quantile(rates.n_effective[0, 0] - 1, 0.95) * se
        ours += abs(rates.estimate[0, 0] - np.log(0.1)) < reach
        p = errors.sum() / words.sum()
        naive += abs(p - 0.1) < 1.96 * np.sqrt(p * (1 - p) / words.sum())
    return ours / draws, naive / draws


def test_intervals_cover_where_those_of_independent_words_do_not():
    for speakers in (11, 40):
        ours, naive = coverage(speakers)
        assert ours > 0.92
        assert naive < 0.6


def few_speakers(speakers, draws, sigma):
    """Rates of small cohorts of very unequal talkers, with the truth 0.1."""
    rng = np.random.default_rng(speakers)
    words = rng.lognormal(6, sigma, (draws, speakers)).round() + 1
    errors = rng.poisson(words * 0.1 * rng.gamma(5, 1 / 5, (draws, speakers))).astype(float)
    group = np.zeros((1, speakers), dtype=int)
    return jackknife(group, errors, words, np.arange(speakers), 1)


def test_with_few_speakers_of_unequal_words_only_t_on_their_effective_number_covers():
    for speakers, least in ((5, 0.90), (11, 0.93)):
        rates = few_speakers(speakers, 3000, 0.9)
        off = abs(rates.estimate[:, 0] - np.log(0.1)) / np.sqrt(rates.variance[:, 0])
        ours = np.mean(off < t_quantile(rates.n_effective[:, 0] - 1, 0.95))
        by_number = np.mean(off < t_quantile(speakers - 1.0, 0.95))
        normal = np.mean(off < 1.96)
        assert ours >= least
        assert normal < by_number < ours
        assert normal < least - 0.03


def test_degrees_of_freedom_of_two_cohorts_are_those_of_satterthwaite():
    rng = np.random.default_rng(6)
    words = rng.integers(50, 900, 30).astype(float)
    rates = rates_of(rng.poisson(words * 0.1), words, group=np.repeat([0, 1], [8, 22]), groups=2)
    v, n = rates.variance[0], rates.n_effective[0]
    got = contrast(rates, 0, rates, 1)
    assert got.df[0] == pytest.approx(v.sum() ** 2 / (v[0] ** 2 / (n[0] - 1) + v[1] ** 2 / (n[1] - 1)))
    assert got.se[0] == pytest.approx(np.sqrt(v.sum()))
    for g, part in enumerate((slice(0, 8), slice(8, 30))):
        assert n[g] == pytest.approx(words[part].sum() ** 2 / (words[part] ** 2).sum())


def test_a_pair_of_cohorts_is_covered_from_five_speakers_up():
    rng = np.random.default_rng(7)
    for speakers, least in ((5, 0.90), (11, 0.93)):
        group = np.repeat([0, 1], speakers)[None]
        words = rng.lognormal(6, 0.6, (2000, 2 * speakers)).round() + 1
        errors = rng.poisson(words * 0.1 * rng.gamma(5, 1 / 5, words.shape)).astype(float)
        rates = jackknife(group, errors, words, np.arange(2 * speakers), 2)
        pair = contrast(rates, 0, rates, 1)
        assert np.mean(abs(pair.estimate) < t_quantile(pair.df, 0.95) * pair.se) >= least
