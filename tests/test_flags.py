"""Which cohorts are really worse: flags that keep their error rate, bounds that hold together."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from fairaudit.against import Against, against_overall, against_rest
from fairaudit.counts import SpeakerCounts
from fairaudit.estimate import contrast, jackknife
from fairaudit.flags import (
    benjamini_hochberg,
    comparable_cohorts,
    flags,
    simultaneous_reach,
    worst_excess,
)


def world(seed, speakers=240, cohorts=6, worse=1.0):
    """Draw speakers of unequal words and rates; the first cohort is worse by a factor."""
    rng = np.random.default_rng(seed)
    words = (100 * (1 + rng.pareto(2.5, speakers))).astype(int)
    cohort = rng.permutation(np.arange(speakers) % cohorts)
    rate = 0.1 * rng.gamma(5, 1 / 5, speakers) * np.where(cohort == 0, worse, 1.0)
    counts = SpeakerCounts.of(
        [f"s{i:04}" for i in range(speakers)], ref_words=words, errors=rng.poisson(rate * words)
    )
    return counts, cohort


def flagged(counts, cohort, cohorts=6, **options):
    given = {"confidence": 0.95, "margin": 0.1, "correction": "holm", "seed": [1]} | options
    return flags(counts, cohort, range(cohorts), **given)


def test_false_flags_and_false_bounds_keep_their_rate_over_all_cohorts_together():
    worlds = [flagged(*world(seed)) for seed in range(300)]
    any_flag = np.mean([any(f.status == "flagged" for f in found.values()) for found in worlds])
    any_bound = np.mean([any(f.upper < 0 for f in found.values()) for found in worlds])
    assert any_flag <= 0.085  # 5 % and three standard errors
    assert any_bound <= 0.095


def test_a_cohort_that_is_worse_is_flagged_and_no_other_is_cleared_of_it():
    found = [flagged(*world(seed, worse=1.8)) for seed in range(40)]
    assert np.mean([f[0].status == "flagged" for f in found]) > 0.9
    assert not any(f[0].status == "cleared" for f in found)


def test_a_statement_about_the_worst_cohort_holds_at_its_level():
    """The largest true excess over everybody stays below X in at least 95 of 100 worlds."""
    held = []
    for seed in range(200):
        counts, cohort = world(seed, worse=1.5)
        # What the cohorts are in truth: rates of 0.15 and 0.10, weighted by the words that were drawn.
        words = np.bincount(cohort, counts.ref_words)
        truth = 0.15 / (np.array([0.15, *[0.1] * 5]) @ words / words.sum()) - 1
        held.append(worst_excess(counts, cohort, range(6), confidence=0.95, seed=[1]) >= truth)
    assert np.mean(held) >= 0.92


def test_each_comparison_is_the_jackknife_of_that_cohort_and_all_others():
    counts, cohort = world(3)
    against = against_rest(counts, cohort, range(6))
    for i, number in enumerate(against.cohorts):
        group = np.where(cohort == number, 0, 1)[None]
        errors, words = (v[None].astype(float) for v in (counts.errors, counts.ref_words))
        pair = contrast(r := jackknife(group, errors, words, counts.speaker, 2, added=0.5), 0, r, 1)
        assert against.estimate[i] == pair.estimate[0]
        assert against.se[i] >= pair.se[0]
        assert against.se[i] == pytest.approx(pair.se[0], rel=0.6)
        slow = []
        for out in range(len(counts.speakers)):
            kept = np.arange(len(cohort)) != out
            rates = [
                np.log((counts.errors[kept & side].sum() + 0.5) / counts.ref_words[kept & side].sum())
                for side in (cohort == number, cohort != number)
            ]
            slow.append(rates[0] - rates[1] - pair.estimate[0])
        np.testing.assert_allclose(against.deviations[i], slow, atol=1e-12)


def test_a_cohort_against_all_is_compared_with_itself_among_them():
    counts, cohort = world(4)
    against = against_overall(counts, cohort, [2])
    slow = []
    for out in range(len(counts.speakers)):
        kept = np.arange(len(cohort)) != out
        own = kept & (cohort == 2)
        slow.append(
            np.log(counts.errors[own].sum() / counts.ref_words[own].sum())
            - np.log(counts.errors[kept].sum() / counts.ref_words[kept].sum())
        )
    np.testing.assert_allclose(against.deviations[0], np.array(slow) - against.estimate[0], atol=1e-12)


def test_one_cohort_has_the_plain_quantile_and_many_independent_ones_bonferronis():
    df = np.full(30, 40.0)

    def reach(deviations):
        n = len(deviations)
        return simultaneous_reach(Against(list(range(n)), *[np.zeros(n)] * 2, df[:n], deviations), 0.95, [1])

    # A shared direction is one test, whatever the number of cohorts.
    one = stats.t.ppf(0.95, 40)
    assert reach(np.ones((1, 500)))[0] == pytest.approx(one, abs=0.02)
    assert reach(np.ones((30, 500)))[0] == pytest.approx(one, abs=0.02)
    apart = np.kron(np.eye(30), np.ones(20))
    assert reach(apart)[0] == pytest.approx(stats.t.ppf(0.95 ** (1 / 30), 40), abs=0.05)
    assert np.array_equal(reach(apart), reach(apart))


def test_benjamini_and_hochberg_are_those_of_statsmodels():
    p = np.random.default_rng(2).random(20) ** 2
    np.testing.assert_allclose(benjamini_hochberg(p.tolist()), multipletests(p, method="fdr_bh")[1])
    assert benjamini_hochberg([]) == []


def test_benjamini_hochberg_flags_at_least_what_holm_flags():
    counts, cohort = world(6, worse=1.5)
    holm, bh = (flagged(counts, cohort, correction=c) for c in ("holm", "bh"))
    assert all(bh[n].p_adjusted <= holm[n].p_adjusted for n in holm)


@pytest.mark.parametrize("errors", [0.0, 0.02, 0.2])
def test_few_errors_are_never_enough_to_flag_or_clear(errors):
    """A jackknife sees no variation where there is none to see."""
    any_flag = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        sizes = [100, 100, *[12] * 6]
        cohort = np.repeat(np.arange(8), sizes)
        counts = SpeakerCounts.of(
            [f"s{i:03}" for i in range(len(cohort))],
            ref_words=np.full(len(cohort), 20),
            errors=rng.poisson(errors, len(cohort)),
        )
        found = flags(counts, cohort, range(8), confidence=0.95, margin=0.1, correction="holm", seed=[1])
        any_flag.append(any(f.status == "flagged" for f in found.values()))
        assert (0 in found) == (counts.errors.sum() * 100 / len(cohort) >= 5)
        if errors == 0:
            assert found == {}
            assert worst_excess(counts, cohort, range(8), confidence=0.95, seed=[1]) is None
    assert np.mean(any_flag) <= 0.1


def test_bounds_hold_together_where_cohorts_are_very_unequal():
    """One of 300 speakers and ten of 12, whose own rates vary by 100 %: 94.5 % of 200 worlds."""
    held = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        cohort = np.repeat(np.arange(11), [300, *[12] * 10])
        counts = SpeakerCounts.of(
            [f"s{i:03}" for i in range(420)],
            ref_words=np.full(420, 100),
            errors=rng.poisson(5 * rng.gamma(1, 1, 420)),
        )
        held.append(all(f.upper >= 0 for f in flagged(counts, cohort, 11).values()))
    assert np.mean(held) >= 0.88


@pytest.mark.parametrize("talkers", ["quiet", "heavy"])
def test_a_cohort_of_few_words_is_not_held_up_by_those_who_talk_more(talkers):
    """Twice as bad, and as many errors as make that clear, where others hold most of the words."""
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        cohort = np.repeat(np.arange(4), [40, 60, 60, 60])
        words = np.where(cohort == 0, 150, 150 if talkers == "quiet" else 5000)
        rate = 0.1 * rng.gamma(8, 1 / 8, 220) * np.where(cohort == 0, 2.0, 1.0)
        counts = SpeakerCounts.of(
            [f"s{i:03}" for i in range(220)], ref_words=words, errors=rng.poisson(rate * words)
        )
        found.append(flagged(counts, cohort, 4)[0].status == "flagged")
    assert np.mean(found) >= 0.95


def test_devices_that_everybody_has_are_told_apart_by_what_the_speakers_share():
    """Speakers vary by 60 %, which moves both devices together: 12 % more errors are plain to see."""
    found = {1.0: [], 1.12: []}
    for gap, flags_of in found.items():
        for seed in range(40):
            rng = np.random.default_rng(seed)
            own = np.tile(rng.gamma(3, 1 / 3, 200), 2)
            device = np.repeat(["a", "b"], 200)
            counts = SpeakerCounts.of(
                [f"s{i:03}" for i in range(200)] * 2,
                ref_words=[300] * 400,
                errors=rng.poisson(30 * own * np.where(device == "a", gap, 1.0)),
                attributes={"device": device},
            )
            flags_of.append(flagged(counts, counts.labels("device").codes, 2)[0].status == "flagged")
    assert np.mean(found[1.0]) <= 0.13
    assert np.mean(found[1.12]) > 0.9


def test_travellers_cohorts_without_errors_and_lone_speakers_do_not_break_it():
    ids = [f"s{i:02}" for i in range(40)] * 2
    errors = [i % 5 for i in range(40)] + [i % 10 == 0 for i in range(40)] * 1
    errors = [2 * e for e in errors]
    counts = SpeakerCounts.of(
        ids, ref_words=[50] * 80, errors=errors, attributes={"d": ["x"] * 40 + ["y"] * 40}
    )
    cohort = counts.labels("d").codes.copy()
    found = flagged(counts, cohort, 2)
    assert found[0].status == "flagged"
    assert found[1].log_ratio < 0
    cohort[0] = 2
    assert set(flagged(counts, cohort, 3)) == {0, 1}
    assert comparable_cohorts(counts, cohort, 3, 11) == [0, 1]
    assert flagged(counts, np.full(80, -1), 3) == {}
    assert worst_excess(counts, np.full(80, -1), [0], confidence=0.95, seed=[1]) is None
