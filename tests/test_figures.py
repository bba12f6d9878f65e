import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import accents, measurement, speaker_counts

from fairaudit import figures
from fairaudit.counts import SpeakerCounts
from fairaudit.estimate import Contrast, t_quantile
from fairaudit.measurement import gaps_of


def way(estimate, se, df=10.0):
    return Contrast(np.array([estimate]), np.array([se]), np.array([df]))


def ways(splits):
    rng = np.random.default_rng(splits)
    return [way(rng.normal(), rng.uniform(0.1, 1), rng.uniform(2, 90)) for _ in range(2 * splits)]


@pytest.mark.parametrize("splits", [1, 5, 10, 11, 12])
def test_an_aggregate_is_the_mean_over_splits_with_the_error_divided_from_eleven_on(splits):
    found = ways(splits)
    got = figures.aggregate_ways(found, 2)
    assert got.estimate == pytest.approx(np.mean([w.estimate[0] for w in found]))
    error = np.mean([w.se[0] for w in found])
    assert got.se == pytest.approx(error / np.sqrt(2) if splits >= 11 else error)
    assert got.df == pytest.approx(np.median([w.df[0] for w in found]))


def test_a_way_without_a_gap_leaves_its_split_to_the_other_way():
    # Split by split: 1; then 2 and 4, hence 3; each split counts once.
    got = figures.aggregate_ways([way(1.0, 0.2), None, way(2.0, 0.1), way(4.0, 0.3)], 2)
    assert got.estimate == pytest.approx((1 + 3) / 2)
    assert got.se == pytest.approx((0.2 + 0.2) / 2)


@pytest.mark.parametrize(("usable", "there"), [(11, True), (10, False)])
def test_a_gap_needs_at_least_half_of_all_ways(usable, there):
    found = [way(0.1, 0.2) if i < usable else None for i in range(22)]
    assert (figures.aggregate_ways(found, 2) is not None) == there
    # A way whose standard error does not exist is none.
    assert figures.aggregate_ways([*found[:10], way(0.1, np.inf), *[None] * 11], 2) is None


def bounds_of(m, *, divided):
    """Bounds of the log gap of a measurement, with the two ways of a split as independent or not."""
    log = [o.log for o in m.ways]
    theta = np.mean([r.estimate[0, 0] - r.estimate[0, 1] for r in log])
    se = np.mean([np.sqrt(r.variance[0, 0] + r.variance[0, 1]) for r in log])
    reach = t_quantile(60.0, 0.95) * se / (np.sqrt(2) if divided else 1)
    return theta - reach, theta + reach


def test_with_few_splits_an_error_that_is_divided_covers_too_little():
    ours = divided = 0
    worlds = 250
    for seed in range(worlds):
        m = measurement(accents(seed, speakers=150, cohorts=2), splits=1)
        gap, _ = gaps_of(m, None)
        ours += gap.relative_low <= 0 <= gap.relative_high
        low, high = bounds_of(m, divided=True)
        divided += low <= 0 <= high
    assert divided / worlds < 0.94 <= ours / worlds


def test_over_eleven_splits_a_median_of_bounds_finds_far_less_than_ours():
    ours = median = 0
    worlds = 30
    for seed in range(worlds):
        m = measurement(accents(seed, speakers=500, cohorts=4, effect=1.25, spread=4))
        gap, _ = gaps_of(m, None)
        ours += gap.relative_low > 0
        each = [(o.log.estimate[0], o.log.variance[0]) for o in m.ways]
        lows = [y[0] - y[1] - t_quantile(60.0, 0.95) * np.sqrt(v[0] + v[1]) for y, v in each]
        median += np.median(lows) > 0
    assert ours / worlds > 0.7
    assert median / worlds <= ours / worlds - 0.3


def test_bounds_of_rates_and_gaps_are_exactly_what_their_stored_parts_give():
    m = measurement(accents(3, effect=1.5))
    gap, _ = gaps_of(m, None)
    reach = t_quantile(gap.df, 0.95) * gap.log_se
    assert np.log1p(gap.relative_low) == pytest.approx(np.log(gap.ratio) - reach, rel=1e-12)
    assert np.log1p(gap.relative_high) == pytest.approx(np.log(gap.ratio) + reach, rel=1e-12)
    assert gap.relative == gap.ratio - 1
    assert gap.relative_to_bottom == pytest.approx(gap.relative / gap.ratio)
    side = m.side(0)
    assert np.log(side.high / side.wer) == pytest.approx(t_quantile(side.df, 0.95) * side.log_se)


def one_rate(words, errors, **kwargs):
    counts = SpeakerCounts.of([f"s{i}" for i in range(len(words))], ref_words=words, errors=errors)
    return figures.rate(counts, np.ones(counts.rows, dtype=bool), 0.95, **kwargs)


def test_a_cohort_without_errors_has_the_exact_bound_times_the_pooled_design_effect():
    got = one_rate([400, 600], [0, 0], effect=2.5)
    assert (got["wer"], got["low"]) == (0.0, 0.0)
    assert got["high"] == pytest.approx(3.689 * 2.5 / 1000, rel=1e-4)
    assert "log_se" not in got
    assert one_rate([400, 600], [0, 0], effect=0.3)["high"] == pytest.approx(3.689 / 1000, rel=1e-4)


def test_without_the_design_effect_the_bound_of_no_errors_is_too_low_for_clustered_ones():
    rng = np.random.default_rng(2)
    words, shape, truth = 300, 0.01, 0.01
    # 40 speakers, of whom few make nearly all errors.
    errors = rng.poisson(words * truth * rng.gamma(shape, 1 / shape, (20_000, 40)))
    none = errors.sum(axis=1) == 0
    assert none.mean() > 0.05
    effect = 1 + words * truth / shape
    plain, ours = (one_rate([words] * 40, [0] * 40, effect=d)["high"] for d in (1.0, effect))
    # Where no error was seen, and that is more often than an interval may miss, the plain one misses.
    assert plain < truth < ours


@pytest.mark.parametrize(
    ("words", "errors", "wer", "reason"),
    [
        ([], [], None, "no speakers"),
        ([0, 0], [1, 2], None, "no reference words"),
        ([50], [5], 0.1, "one speaker: no interval"),
        ([50, 0], [5, 0], 0.1, "one speaker holds nearly all the words: no interval"),
    ],
)
def test_what_does_not_exist_is_none_and_says_why(words, errors, wer, reason):
    got = one_rate(words, errors)
    assert (got.get("wer"), got["reason"]) == (wer, reason)
    assert got.get("low") is None


def test_a_top_without_errors_leaves_the_absolute_gap_and_a_reason():
    rng = np.random.default_rng(1)
    group = np.arange(120) % 3
    counts = speaker_counts(np.full(120, 200), np.where(group == 1, 0.0, 0.1), rng, labels=group)
    gap, gaps = gaps_of(measurement(counts), None)
    assert gap.relative is None
    assert "no errors" in gap.reason
    assert gap.absolute == pytest.approx(0.1, abs=0.02)
    assert gap.absolute_low < gap.absolute < gap.absolute_high
    assert gaps.overall.relative > 0


small = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from("xyz"), st.integers(0, 60), st.integers(0, 20)),
    min_size=1,
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(small)
def test_never_a_number_that_is_not_finite(rows):
    speaker, label, words, errors = zip(*rows, strict=True)
    counts = SpeakerCounts.of(
        [f"s{s:02}" for s in speaker], ref_words=words, errors=errors, attributes={"accent": list(label)}
    )
    m = measurement(counts, splits=2)
    gap, gaps = gaps_of(m, None)
    every = figures.as_rate(figures.rate(counts, np.ones(counts.rows, bool), 0.95))
    for item in (gap, gaps.rest, gaps.overall, every, *(m.side(s) for s in (0, 1, 2))):
        numbers = [getattr(item, f) for f in item.__struct_fields__]
        assert np.isfinite([n for n in numbers if isinstance(n, float)]).all()
        main = item.relative if hasattr(item, "relative") else item.wer
        assert main is not None or item.reason
