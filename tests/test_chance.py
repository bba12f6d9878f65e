import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from worlds import accents, measurement, speaker_counts

from fairaudit.chance import chance_of, null, permuted_rows
from fairaudit.counts import SpeakerCounts
from fairaudit.discover.labels import LabelColumn
from fairaudit.estimate import holm
from fairaudit.measurement import Measurement, gaps_of
from fairaudit.procedure import Figures, Procedure
from fairaudit.split import halves


def test_holm_agrees_with_statsmodels():
    p = [0.005, 0.04, 0.011, 0.6, 0.04]
    want = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(holm(p), want)


def travellers():
    return SpeakerCounts.of(
        ["a", "a", "b", "b", "c", "d"],
        ref_words=[1, 2, 3, 4, 5, 6],
        errors=[0] * 6,
        attributes={"device": ["x", "y", "x", "z", "x", "y"]},
    )


def test_blocks_move_whole_and_only_to_speakers_with_as_many_settings():
    counts = travellers()
    rows = permuted_rows(counts, np.random.default_rng(0))
    seen = {tuple(next(rows)) for _ in range(200)}
    # Two orders of the two-setting speakers, two of each one's settings, and two orders of the others.
    orders = {(0, 1, 2, 3), (1, 0, 2, 3), (0, 1, 3, 2), (1, 0, 3, 2)}
    orders |= {(c, d, a, b) for a, b, c, d in orders}
    assert seen == {(*order, *last) for order in orders for last in ((4, 5), (5, 4))}


def test_a_gap_between_settings_that_every_speaker_is_in_is_told_from_chance():
    """Whole blocks alone would exchange nothing here."""

    def p_of(seed, worse):
        rng = np.random.default_rng(seed)
        n = 80
        rate = np.repeat(0.12 * rng.gamma(6, 1 / 6, n), 2) * np.tile([1.0, worse], n)
        words = rng.integers(100, 400, 2 * n)
        counts = SpeakerCounts.of(
            np.repeat([f"s{i:02}" for i in range(n)], 2),
            ref_words=words,
            errors=rng.poisson(rate * words),
            attributes={"device": np.tile(["x", "y"], n)},
        )
        partition = LabelColumn("device").fit(counts)
        procedure = Procedure(counts, halves(counts.speakers, 1, 2), None, partition, 0.1)
        measurement = Measurement(procedure, 0.95, np.ones(counts.rows, bool), partition)
        observed, permuted = measurement.chance(39, (seed,), lambda n: None)
        return permuted.p_value(float(observed.statistic[0]), permuted.figures.statistic)

    assert np.mean([p_of(seed, 1.4) <= 0.05 for seed in range(20)]) > 0.8
    assert np.mean([p_of(seed, 1.0) <= 0.05 for seed in range(60)]) <= 0.15


def test_replicates_do_not_depend_on_how_many_are_run_at_once(monkeypatch):
    counts = accents(1, speakers=50)

    def run(errors, words):
        total = errors[:, :10].sum(axis=1)
        return Figures(total, total, total, total, total[:, None])

    together = null(run, counts, 20, [1], lambda n: None).figures.statistic
    monkeypatch.setattr("fairaudit.chance.ROWS_AT_ONCE", 150)
    np.testing.assert_array_equal(null(run, counts, 20, [1], lambda n: None).figures.statistic, together)
    assert len(set(together)) > 10


def plain_null(counts, replicates, seed):
    """Permute speakers, build the log anew and run the procedure on it alone, one by one."""
    rows = permuted_rows(counts, np.random.default_rng(seed))
    statistics = []
    for _ in range(replicates):
        order = next(rows)
        permuted = SpeakerCounts(
            counts.speakers,
            counts.speaker,
            counts.utterances,
            counts.ref_words[order],
            counts.errors[order],
            {},
            counts.attributes,
        )
        alone = measurement(permuted)
        statistics.append(alone.procedure.figures(*alone.own, whole_log=False).statistic[0])
    return np.array(statistics)


def test_batched_permutations_are_those_of_the_slow_plain_version():
    counts = accents(3, speakers=80, effect=1.4)
    _, permuted = measurement(counts).chance(25, [7], lambda n: None)
    np.testing.assert_allclose(permuted.figures.statistic, plain_null(counts, 25, [7]), rtol=1e-12)


def test_p_value_is_one_plus_r_over_one_plus_replicates():
    _, permuted = measurement(accents(1)).chance(39, [1], lambda n: None)
    statistics = permuted.figures.statistic
    assert permuted.p_value(np.inf, statistics) is None
    assert permuted.p_value(statistics.max() + 1, statistics) == 1 / 40
    assert permuted.p_value(np.sort(statistics)[-3], statistics) == 4 / 40
    assert permuted.p_value(statistics.min(), statistics) == 1.0


def p_values(worlds, replicates=39):
    found = []
    for counts in worlds:
        m = measurement(counts, splits=3)
        found.append(chance_of(m.chance(replicates, [5], lambda n: None), searches=True))
    return np.array([c.p_value for c in found]), np.array([c.in_sample_p_value for c in found])


def test_p_values_are_uniform_without_any_gap_and_small_with_one():
    honest, in_sample = p_values(accents(seed, speakers=120) for seed in range(120))
    for p in (honest, in_sample):
        assert np.mean(p <= 0.05) < 0.11
        assert np.mean(p <= 0.5) == pytest.approx(0.5, abs=0.14)
    honest, in_sample = p_values(accents(seed, effect=1.8) for seed in range(15))
    assert np.mean(honest <= 0.05) > 0.8
    assert np.mean(in_sample <= 0.05) > 0.8


def unequal_spread(seed):
    """No gap, but one cohort's speakers differ far more among themselves than the others'."""
    rng = np.random.default_rng(seed)
    accent = np.repeat([0, 1, 2], [24, 90, 90])
    spread = np.where(accent == 0, 0.7, 12.0)
    rate = 0.1 * rng.gamma(spread, 1 / spread)
    return speaker_counts(np.full(204, 500), rate, rng, labels=accent)


def test_the_plain_gap_cries_wolf_where_cohorts_differ_in_spread():
    plain, ours = [], []
    for seed in range(150):
        m = measurement(unequal_spread(seed), splits=1)
        observed, permuted = m.chance(39, [seed], lambda n: None)
        ours.append(permuted.p_value(observed.statistic[0], permuted.figures.statistic))
        plain.append(permuted.p_value(abs(observed.log_ratio[0]), abs(permuted.figures.log_ratio)))
    assert np.mean(np.array(plain) <= 0.05) > 0.1
    assert np.mean(np.array(ours) <= 0.05) < 0.09


def test_an_interval_around_the_naive_gap_excludes_zero_without_any_gap_and_ours_holds_it():
    naive = ours = 0
    worlds = 60
    for seed in range(worlds):
        m = measurement(accents(seed, cohorts=10))
        gap, _ = gaps_of(m, None)
        ours += gap.relative_low <= 0 <= gap.relative_high
        # Worst and best are named and measured on the same speakers.
        searched = m._observe(m.procedure.whole).in_sample[0]
        naive += searched.estimate[0] - 1.96 * searched.se[0] <= 0
    assert naive / worlds < 0.6
    assert ours / worlds >= 0.93


def test_a_replicate_without_a_gap_reaches_nothing_and_still_counts():
    _, permuted = measurement(accents(1)).chance(3, [1], lambda n: None)
    assert permuted.p_value(1.0, np.array([np.nan, 2.0, np.nan, 0.5])) == 2 / 5
    assert permuted.p_value(np.nan, np.array([1.0, 2.0])) is None
    assert permuted.p_value(1.0, np.zeros(0)) is None


def on_two_devices(seed, speakers=60):
    """Most speakers use both devices, some only one; no device is worse, but people differ much."""
    rng = np.random.default_rng(seed)
    one = np.arange(speakers) % 3 == 0
    person = np.repeat(np.arange(speakers), np.where(one, 1, 2))
    first = np.r_[True, person[1:] != person[:-1]]
    device = np.where(first, rng.integers(0, 2, len(person)) * one[person], 1)
    rate = 0.1 * rng.gamma(2, 1 / 2, speakers)[person]
    words = rng.integers(100, 900, len(person))
    return SpeakerCounts.of(
        [f"s{p:03}" for p in person],
        ref_words=words,
        errors=rng.poisson(words * rate),
        attributes={"accent": [str(d) for d in device]},
    )


def test_p_values_are_uniform_where_speakers_travel_between_cohorts():
    honest, in_sample = p_values((on_two_devices(seed) for seed in range(120)), 19)
    for p in (honest, in_sample):
        assert np.mean(p <= 0.1) == pytest.approx(0.1, abs=0.07)
        assert np.mean(p) == pytest.approx(0.525, abs=0.09)


def test_what_chance_gives_is_stored_whole():
    m = measurement(accents(4, 120, effect=1.8))
    found = m.chance(39, [5], lambda n: None)
    chance = chance_of(found, searches=True)
    gaps = np.exp(found[1].figures.log_ratio) - 1
    assert chance.replicates == len(chance.gaps) == 39
    np.testing.assert_allclose(chance.gaps, gaps)
    assert chance.p95 == np.sort(gaps)[37]
    assert chance.p_floor == 1 / 40
    assert chance.in_sample_mean == pytest.approx(np.mean(np.exp(found[1].figures.in_sample_log_ratio) - 1))
    # Chance alone gives a gap to those who search and measure on the same speakers.
    assert chance.in_sample_mean > 0.1 > abs(np.mean(gaps))
    assert chance_of(None, searches=True) is None


def half_added(errors, words, group):
    """Log ratio of two groups with half an error added to each, and its standard error, by the definition."""

    def log_rate(keep):
        return np.log((errors[keep].sum() + 0.5) / words[keep].sum())

    values, variance = [], 0.0
    for g in (0, 1):
        members = np.flatnonzero(group == g)
        values.append(log_rate(members))
        left = [log_rate(members[members != s]) for s in members]
        variance += (len(left) - 1) / len(left) * sum((x - values[g]) ** 2 for x in left)
    return values[0] - values[1], np.sqrt(variance)


def test_the_statistic_is_the_gap_with_half_an_error_on_each_side_over_its_standard_error():
    counts = accents(6, 80, cohorts=3, words=(10, 60))
    m = measurement(counts, splits=2)
    per_split = []
    for first, second in zip(m.ways[::2], m.ways[1::2], strict=True):
        pairs = []
        for o in (first, second):
            side = np.where(o.way.measured, o.named.row_sides()[0], -1)
            pairs.append(half_added(counts.errors, counts.ref_words, side))
        effect, error = np.mean(pairs, axis=0)
        per_split.append(effect / error)
    observed = m.procedure.figures(*m.own, whole_log=False)
    assert observed.statistic[0] == pytest.approx(np.mean(per_split))
