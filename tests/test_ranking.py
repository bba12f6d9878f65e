import numpy as np
import pytest

from fairaudit.estimate import jackknife
from fairaudit.ranking import BOTTOM, REST, TOP, rank, shrink, sides


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


def hits(rule, draws=300):
    """How often a rule names the planted one of twelve cohorts, some of which are small and noisy."""
    rng = np.random.default_rng(8)
    found = 0
    for _ in range(draws):
        sizes = np.r_[60, rng.integers(5, 60, 11)]
        group = np.repeat(np.arange(12), sizes)
        words = rng.integers(50, 500, len(group)).astype(float)
        rate = 0.1 * rng.gamma(2, 1 / 2, len(group)) * np.where(group == 0, 1.35, 1.0)
        rates = jackknife(
            group[None], rng.poisson(words * rate).astype(float)[None], words[None], np.arange(len(group)), 12
        )
        found += rule(rates) == 0
    return found / draws


def test_shrunken_ranking_names_the_planted_cohort_more_often_than_the_raw_maximum():
    eligible = np.ones((1, 12), bool)
    raw = hits(lambda rates: rates.estimate[0].argmax())
    ours = hits(lambda rates: rank(rates, eligible)[0, 0])
    assert ours > raw + 0.1
