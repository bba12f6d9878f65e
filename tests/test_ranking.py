import numpy as np
import pytest

from fairaudit.estimate import jackknife
from fairaudit.ranking import BOTTOM, REST, TOP, moderated, rank, shrink, sides


def test_shrinkage_agrees_with_the_dersimonian_laird_estimate_of_statsmodels():
    from statsmodels.stats.meta_analysis import combine_effects

    y, v = np.array([-2.3, -2.0, -1.1, -1.9]), np.array([0.01, 0.02, 0.05, 0.01])
    reference = combine_effects(y, v, method_re="dl")
    tau2 = reference.tau2
    centre = np.sum(y / (tau2 + v)) / np.sum(1 / (tau2 + v))
    want = centre + tau2 / (tau2 + v) * (y - centre)
    got = shrink(y[None], v[None], np.ones((1, 4), bool))[0]
    np.testing.assert_allclose(got, want)


def test_equal_cohorts_shrink_to_one_value_and_ties_go_by_raw_rate():
    y, v = np.array([[0.10, 0.12, 0.11]]), np.array([[1.0, 1.0, 1.0]])
    eligible = np.ones((1, 3), bool)
    assert np.ptp(shrink(y, v, eligible)) == 0
    errors = np.array([[10.0, 12, 9, 13, 9, 12]])
    rates = jackknife(np.array([[0, 0, 1, 1, 2, 2]]), errors, np.full((1, 6), 100.0), np.arange(6), 3)
    assert rank(rates, eligible).tolist() == [[0, 1, 2]]


def test_cohorts_that_are_not_eligible_come_last():
    rates = jackknife(
        np.array([[0, 0, 1, 1, 2, 2]]), np.arange(6.0)[None], np.full((1, 6), 100.0), np.arange(6), 3
    )
    assert rank(rates, np.array([[True, True, False]]))[0, -1] == 2


def named(order, speakers, share, eligible=None, reference=None):
    speakers = np.array([speakers], dtype=float)
    eligible = np.ones_like(speakers, bool) if eligible is None else np.array([eligible])
    return sides(np.array([order]), eligible, speakers, speakers.sum(axis=1), share, reference)[0].tolist()


@pytest.mark.parametrize(
    ("order", "speakers", "share", "want"),
    [
        # The worst cohort is bottom whatever its size, and so is the best top.
        ([0, 1, 2], [60, 20, 20], 0.1, [BOTTOM, REST, TOP]),
        # The next ones join while they fit; the first that does not ends it.
        ([0, 1, 2, 3], [4, 5, 2, 89], 0.1, [BOTTOM, BOTTOM, REST, TOP]),
        ([0, 1, 2, 3], [4, 9, 2, 85], 0.1, [BOTTOM, REST, REST, TOP]),
        # Top likewise from the other end.
        ([0, 1, 2, 3], [85, 5, 4, 6], 0.1, [BOTTOM, REST, TOP, TOP]),
        # With two cohorts each is one side, however small both are.
        ([1, 0], [50, 50], 0.1, [TOP, BOTTOM]),
    ],
)
def test_bottom_and_top(order, speakers, share, want):
    assert named(order, speakers, share) == want


def test_the_best_ranked_cohort_is_never_bottom():
    eligible = [True, True, False]
    assert named([0, 1, 2], [3, 3, 94], 0.1, eligible) == [BOTTOM, TOP, REST]


def test_one_eligible_cohort_gives_no_sides():
    assert named([0, 1], [50, 50], 0.1, [True, False]) == [REST, REST]


def test_a_reference_cohort_is_the_top():
    assert named([0, 1, 2], [30, 30, 40], 0.1, reference=1) == [BOTTOM, TOP, REST]
    assert named([0, 1, 2], [30, 30, 40], 0.1, reference=0) == [TOP, BOTTOM, REST]


def hits(rules, *, cohorts=12, effect=1.5, spread=(2.0,), draws=150):
    """How often each rule names the planted one of many cohorts, large and small."""
    rng = np.random.default_rng(8)
    found = np.zeros(len(rules))
    eligible = np.ones((1, cohorts), bool)
    for _ in range(draws):
        sizes = np.maximum(5, rng.lognormal(3, 1, cohorts).astype(int))
        group = np.repeat(np.arange(cohorts), sizes)
        words = rng.integers(50, 500, len(group)).astype(float)
        shape = rng.choice(spread, cohorts)[group]
        rate = 0.1 * rng.gamma(shape, 1 / shape) * np.where(group == 0, effect, 1.0)
        errors = rng.poisson(words * rate).astype(float)
        rates = jackknife(group[None], errors[None], words[None], np.arange(len(group)), cohorts)
        found += [rule(rates, eligible) == 0 for rule in rules]
    return found / draws


def maximum(rates, eligible):
    return rates.estimate[0].argmax()


def lower_bound(rates, eligible):
    return (rates.estimate[0] - 1.645 * np.sqrt(rates.variance[0])).argmax()


def shrunk_by_own_variance(rates, eligible):
    return np.lexsort((-rates.estimate[0], -shrink(rates.estimate, rates.variance, eligible)[0]))[0]


def ours(rates, eligible):
    return rank(rates, eligible)[0, 0]


def test_the_ranking_names_the_planted_cohort_more_often_than_the_maximum_or_a_bound_or_own_variances():
    worlds = [
        {"cohorts": k, "effect": effect, "spread": spread}
        for k in (5, 12, 40)
        for effect in (1.3, 1.6, 2.0)
        for spread in ((2.0,), (1.0, 3.0, 10.0))
    ]
    found = np.mean([hits((maximum, lower_bound, shrunk_by_own_variance, ours), **w) for w in worlds], axis=0)
    assert found[3] > found[0] + 0.04
    assert found[3] > found[1]
    assert found[3] > found[2] + 0.01


def test_a_variance_that_is_hardly_known_is_drawn_towards_that_of_all():
    # Six speakers whose rates happen to be equal, among cohorts of many who differ.
    rng = np.random.default_rng(3)
    group = np.repeat([0, 1, 2], [6, 80, 80])
    words = np.full(len(group), 500.0)
    errors = rng.poisson(words * 0.1 * rng.gamma(3, 1 / 3, len(group))).astype(float)
    errors[:6] = 60.0
    rates = jackknife(group[None], errors[None], words[None], np.arange(len(group)), 3)
    own, drawn = rates.variance[0], moderated(rates, np.ones((1, 3), bool))[0]
    effect = np.average((own * rates.errors[0])[1:])
    assert own[0] < 0.05 * effect / 360
    assert drawn[0] == pytest.approx(effect / 360, rel=0.3)
    np.testing.assert_allclose(drawn[1:], own[1:], rtol=0.3)


def test_a_cohort_without_errors_enters_as_half_an_error():
    errors = np.array([[0.0, 0.0, 9.0, 11.0, 20.0, 22.0]])
    rates = jackknife(np.array([[0, 0, 1, 1, 2, 2]]), errors, np.full((1, 6), 100.0), np.arange(6), 3)
    assert np.exp(rates.estimate[0, 0]) == pytest.approx(0.5 / 200)
    assert rank(rates, np.ones((1, 3), bool)).tolist() == [[2, 1, 0]]


def test_equal_rates_are_ordered_as_the_cohorts_are():
    errors = np.array([[10.0, 12.0, 10.0, 12.0, 10.0, 12.0]])
    rates = jackknife(np.array([[0, 0, 1, 1, 2, 2]]), errors, np.full((1, 6), 100.0), np.arange(6), 3)
    assert rank(rates, np.ones((1, 3), bool)).tolist() == [[0, 1, 2]]


def test_of_two_cohorts_the_worse_is_bottom_however_large_it_is():
    errors = np.r_[np.full(90, 30.0), np.full(10, 5.0)][None]
    group = np.repeat([0, 1], [90, 10])[None]
    rates = jackknife(group, errors, np.full((1, 100), 100.0), np.arange(100), 2)
    order = rank(rates, np.ones((1, 2), bool))
    assert sides(order, np.ones((1, 2), bool), rates.speakers, np.array([100.0]), 0.1).tolist() == [
        [BOTTOM, TOP]
    ]
