import numpy as np
import pytest

from fairaudit.bootstrap import Bounds, difference, percentile, ratio, resample
from fairaudit.estimate import contrast, jackknife


def world(seed, speakers=200, groups=2, travellers=False):
    """Rows of speakers of very unequal word totals, sorted by speaker."""
    rng = np.random.default_rng(seed)
    speaker = np.repeat(np.arange(speakers), 2) if travellers else np.arange(speakers)
    group = rng.integers(0, groups, len(speaker))
    words = np.rint(50 * (1 + rng.pareto(2, len(speaker))))
    rate = 0.1 * rng.gamma(4, 1 / 4, speakers)[speaker] * (1 + 0.5 * (group == 0))
    return group[None], rng.poisson(words * rate)[None].astype(float), words[None], speaker


def plain_bootstrap(group, errors, words, speaker, replicates, seed):
    """Draw speakers one replicate at a time, and gather all their rows, as slowly as it reads."""
    rng = np.random.default_rng(seed)
    everyone = np.unique(speaker)
    rows = [np.flatnonzero(speaker == one) for one in everyone]
    rates = []
    for _ in range(replicates):
        drawn = np.concatenate([rows[i] for i in rng.integers(0, len(everyone), len(everyone))])
        sides = [drawn[group[0][drawn] == side] for side in (0, 1)]
        rates.append([errors[0][side].sum() / words[0][side].sum() for side in sides])
    return np.array(rates).T


def figures(bottom, top):
    return {"rate": bottom, "ratio": bottom / top, "difference": bottom - top}


@pytest.mark.parametrize("travellers", [False, True])
def test_intervals_are_as_wide_as_those_of_a_plain_multinomial_bootstrap(travellers):
    log = world(1, travellers=travellers)
    drawn = resample(*log, 2, seed=[5], replicates=20_000)
    ours = {
        "rate": drawn.rate(0),
        "ratio": ratio(drawn, 0, drawn, 1),
        "difference": difference(drawn, 0, drawn, 1),
    }
    plain = figures(*plain_bootstrap(*log, 20_000, 6))
    for name, values in ours.items():
        low, high = np.quantile(plain[name], [0.025, 0.975])
        bounds = percentile(values, 0.95)
        assert bounds.high - bounds.low == pytest.approx(high - low, rel=0.03), name
        assert bounds.low == pytest.approx(low, abs=0.03 * (high - low)), name


def test_a_replicate_is_the_log_of_the_speakers_that_were_drawn():
    group, errors, words, speaker = world(2, speakers=7, travellers=True)
    drawn = resample(group, errors, words, speaker, 2, seed=[3], replicates=40)
    rng = np.random.default_rng([3])
    picked = rng.integers(0, 7, (40, 7))
    for replicate, who in enumerate(picked):
        rows = np.concatenate([np.flatnonzero(speaker == one) for one in who])
        for side in (0, 1):
            part = rows[group[0][rows] == side]
            assert drawn.errors[replicate, side] == errors[0][part].sum()
            assert drawn.words[replicate, side] == words[0][part].sum()


def test_agrees_with_the_jackknife_where_there_are_many_speakers():
    log = world(3, speakers=2000)
    rates = jackknife(*log, 2)
    gap = contrast(rates, 0, rates, 1)
    drawn = resample(*log, 2, seed=[1])
    bounds = percentile(ratio(drawn, 0, drawn, 1), 0.95)
    low, high = np.exp(gap.estimate[0] + np.array([-1.96, 1.96]) * gap.se[0])
    assert np.log(bounds.high / bounds.low) == pytest.approx(np.log(high / low), rel=0.1)
    assert bounds.low < np.exp(gap.estimate[0]) < bounds.high


def test_a_group_against_itself_differs_in_no_replicate():
    group, errors, words, speaker = world(4)
    alone = np.where(group == 0, 0, -1)
    first = resample(group, errors, words, speaker, 2, seed=[9])
    second = resample(alone, errors, words, speaker, 1, seed=[9])
    assert (difference(first, 0, second, 0) == 0).all()
    assert (ratio(first, 0, second, 0) == 1).all()


def test_a_shared_speaker_narrows_a_difference():
    group, errors, words, speaker = world(5, travellers=True)
    everyone = resample(np.zeros_like(group), errors, words, speaker, 1, seed=[9])
    bottom = resample(group, errors, words, speaker, 2, seed=[9])
    together = percentile(difference(bottom, 0, everyone, 0), 0.95)
    apart = percentile(bottom.rate(0) - everyone.rate(0)[::-1], 0.95)
    assert together.high - together.low < 0.9 * (apart.high - apart.low)


def test_groups_of_other_draws_are_not_compared():
    log = world(6)
    first = resample(*log, 2, seed=[1], replicates=10)
    other_seed = resample(*log, 2, seed=[2], replicates=10)
    fewer = resample(*(values[..., :100] for values in log), 2, seed=[1], replicates=10)
    for other in (other_seed, fewer):
        with pytest.raises(ValueError, match="same speakers and seed"):
            ratio(first, 0, other, 1)


def test_the_draw_depends_on_the_seed_and_neither_on_the_groups_nor_on_the_memory(monkeypatch):
    group, errors, words, speaker = world(7)
    first = resample(group, errors, words, speaker, 2, seed=[1], replicates=50)
    swapped = resample(1 - group, errors, words, speaker, 2, seed=[1], replicates=50)
    monkeypatch.setattr("fairaudit.bootstrap.DRAWS_AT_ONCE", 3000)
    batched = resample(group, errors, words, speaker, 2, seed=[1], replicates=50)
    other = resample(group, errors, words, speaker, 2, seed=[2], replicates=50)
    assert (first.errors == swapped.errors[:, ::-1]).all()
    assert (first.errors == batched.errors).all()
    assert (first.errors != other.errors).any()


def test_speakers_need_not_be_numbered_without_gaps():
    group, errors, words, speaker = world(8)
    first = resample(group, errors, words, speaker, 2, seed=[1], replicates=50)
    second = resample(group, errors, words, 10 * speaker + 3, 2, seed=[1], replicates=50)
    assert (first.words == second.words).all()


def test_replicates_without_words_are_counted_and_left_out():
    group = np.array([[0, 1, 1, 1, 1]])
    words, errors = np.full((1, 5), 100.0), np.array([[30.0, 10, 12, 8, 9]])
    drawn = resample(group, errors, words, np.arange(5), 2, seed=[1])
    bounds = percentile(ratio(drawn, 0, drawn, 1), 0.95)
    empty = (drawn.words == 0).any(axis=1).sum()
    # The one speaker of group 0 is missed by (4/5)^5, a third of all draws.
    assert bounds.undefined == empty
    assert empty / 2000 == pytest.approx(0.8**5, abs=0.04)
    assert 2.5 <= bounds.low < bounds.high <= 3.75


def test_a_ratio_to_no_errors_is_unbounded_above_and_nothing_over_nothing_undefined():
    group = np.repeat([[0, 1]], 10, axis=1)
    words, errors = np.full((1, 20), 100.0), np.zeros((1, 20))
    errors[0, :10], errors[0, 10] = 10, 5
    drawn = resample(group, errors, words, np.arange(20), 2, seed=[1])
    bounds = percentile(ratio(drawn, 0, drawn, 1), 0.95)
    assert bounds.high == np.inf
    assert 0 < bounds.low < np.inf
    errors[:] = 0
    none = resample(group, errors, words, np.arange(20), 2, seed=[1])
    assert percentile(ratio(none, 0, none, 1), 0.95).undefined == 2000
    assert percentile(none.rate(0), 0.95) == Bounds(0, 0, 0)


@pytest.mark.parametrize(
    ("replicates", "confidence", "low", "high"),
    [(2000, 0.95, 50, 1951), (999, 0.95, 25, 975), (1999, 0.9, 100, 1900), (39, 0.95, 1, 39)],
)
def test_bounds_are_the_stated_order_statistics(replicates, confidence, low, high):
    values = np.random.default_rng(0).permutation(np.arange(1.0, replicates + 1))
    assert percentile(np.append(values, np.nan), confidence) == Bounds(low, high, 1)


def test_too_few_replicates_have_no_bounds():
    bounds = percentile(np.arange(38.0), 0.95)
    assert np.isnan([bounds.low, bounds.high]).all()
