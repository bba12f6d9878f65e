import numpy as np
import pytest
from worlds import accents, measurement, speaker_counts

from fairaudit import figures
from fairaudit.cohorts import Table
from fairaudit.counts import SpeakerCounts
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.labels import LabelColumn
from fairaudit.estimate import t_quantile
from fairaudit.measurement import Measurement, gaps_of
from fairaudit.procedure import Procedure
from fairaudit.ranking import BOTTOM, REST, TOP
from fairaudit.split import halves


def table(m):
    every = np.ones(m.counts.rows, dtype=bool)
    return Table(m, m.counts, np.full(m.counts.rows, "", dtype=object), every)


def wer(counts, rows):
    return counts.errors[rows].sum() / counts.ref_words[rows].sum()


def against(counts, reference, *, splits=11):
    """Set up the measurement of the accents against one of them."""
    partition = LabelColumn("accent").fit(counts)
    half = halves(counts.speakers, 1, splits)
    procedure = Procedure(counts, half, None, partition, 0.1, reference=reference)
    return Measurement(procedure, 0.95, np.ones(counts.rows, dtype=bool), partition)


def test_bottom_and_top_are_named_on_one_half_and_measured_on_the_other_both_ways():
    counts = accents(5, effect=1.6)
    m = measurement(counts, splits=3)
    ratios, shares = [], []
    for split in halves(counts.speakers, 1, 3):
        for searched in (~split[counts.speaker], split[counts.speaker]):
            accent = np.array(counts.labels("accent").codes)
            named = m.procedure.named(
                m.procedure.ways[len(ratios)], accent[None], 5, *(v.astype(float) for v in m.own)
            )
            sides = named.row_sides()[0]
            worst = named.side[0].tolist().index(BOTTOM)
            # Named where it was searched: the planted one is the worst there.
            rates = [wer(counts, searched & (accent == k)) for k in range(5)]
            assert worst == int(np.argmax(rates)) == 0
            measured = [wer(counts, ~searched & (sides == s)) for s in (BOTTOM, TOP)]
            ratios.append(np.log(measured[0] / measured[1]))
            shares.append((~searched & (sides == BOTTOM)).sum() / (~searched).sum())
    gap, _ = gaps_of(m, None)
    assert np.log(gap.ratio) == pytest.approx(np.mean(ratios))
    assert m.side(BOTTOM).share.speakers == pytest.approx(np.mean(shares))
    assert "no part in the naming" in gap.definition


def test_the_share_of_errors_at_the_bottom_is_of_plain_counts_over_the_same_ways_as_that_of_words():
    counts = accents(5, effect=4.0)
    m = measurement(counts, splits=3)
    accent = np.array(counts.labels("accent").codes)
    errors, words = [], []
    for split in halves(counts.speakers, 1, 3):
        for measured in (split[counts.speaker], ~split[counts.speaker]):
            own = measured & (accent == 0)
            errors.append(counts.errors[own].sum() / counts.errors[measured].sum())
            words.append(counts.ref_words[own].sum() / counts.ref_words[measured].sum())
    assert m.errors_at_bottom() == pytest.approx(np.mean(errors))
    assert m.side(BOTTOM).share.ref_words == pytest.approx(np.mean(words))


def test_a_declared_cohort_reports_its_wer_on_all_speakers_and_a_discovered_one_on_the_measured_half():
    counts = accents(5)
    declared = table(measurement(counts)).cohorts([None] * 5)
    accent = counts.labels("accent")
    for number, cohort in enumerate(declared):
        assert cohort.cohort == accent.values[number]
        assert cohort.wer == pytest.approx(wer(counts, accent.codes == number))
    m = measurement(places(1, 400), finder=GeoTree())
    found = table(m).cohorts([None] * len(m.partition.names))
    half = halves(m.counts.speakers, 1, 1)[0]
    assert sum(c.speakers for c in found) == half.sum()
    assert sum(c.errors for c in found) == m.counts.errors[half[m.counts.speaker]].sum()


def places(seed, n=300, effect=1.0, spread=6.0):
    rng = np.random.default_rng(seed)
    cells = rng.integers(500, 980, n), rng.integers(-2400, -1400, n)
    rate = 0.1 * rng.gamma(spread, 1 / spread, n) * np.where(cells[0] < 600, effect, 1.0)
    return speaker_counts(rng.integers(100, 900, n), rate, rng, cells=cells)


@pytest.mark.parametrize("finder", [None, GeoTree(min_speakers=15)], ids=["labels", "tree"])
def test_without_any_gap_the_held_out_gap_is_zero_on_average_and_the_in_sample_one_is_not(finder):
    held, seen = [], []
    for seed in range(60):
        counts = accents(seed, 150) if finder is None else places(seed, 150)
        m = measurement(counts, splits=3, finder=finder)
        gap, _ = gaps_of(m, None)
        held.append(np.log(gap.ratio))
        seen.append(np.log1p(m.in_sample().relative))
    error = np.std(held) / np.sqrt(len(held))
    assert abs(np.mean(held)) < 2.5 * error
    assert np.mean(seen) > 10 * error
    assert np.mean(seen) > 0.15


def test_a_planted_region_is_found_and_in_sample_exaggerates_it():
    m = measurement(places(4, 600, effect=1.6), finder=GeoTree())
    gap, _ = gaps_of(m, None)
    assert gap.relative_low > 0
    assert m.in_sample().relative > gap.relative
    assert m.in_sample().searched == "half"
    # The worst region lies in the south, where the rate was raised.
    south, north, *_ = m.partition.boxes[m.ways[0].named.order[0, 0]]
    assert south is None or south < 600
    assert north <= 640


def naive_curve(m):
    """The gap of the first-ranked cohort against everyone else, on all speakers."""
    worst = m.cohort == m.ways[0].named.order[0, 0]
    return wer(m.counts, worst) / wer(m.counts, ~worst) - 1


def test_the_curve_is_measured_on_speakers_who_had_no_part_in_the_ranking():
    naive, ours = [], []
    for seed in range(100):
        m = measurement(accents(seed, 150), splits=1)
        naive.append(naive_curve(m))
        points = table(m).curve(m.ranks())
        ours.append(points[0].relative)
        assert [p.share for p in points] == sorted(p.share for p in points)
        assert len(points) == 4
    error = np.std(ours) / np.sqrt(len(ours))
    assert abs(np.mean(ours)) < 2.5 * error
    assert np.mean(naive) > 2.5 * error


def test_the_curve_adds_the_cohorts_up_from_the_worst():
    m = measurement(accents(9, effect=1.5), splits=1)
    half = m.procedure.ways[0].measured
    ranks = m.ranks()
    taken = np.zeros(m.counts.rows, dtype=bool)
    for point, number in zip(table(m).curve(ranks), np.argsort(ranks), strict=False):
        taken |= half & (m.cohort == number)
        assert point.relative == pytest.approx(wer(m.counts, taken) / wer(m.counts, half & ~taken) - 1)
        assert point.share == pytest.approx(taken.sum() / half.sum())


def test_against_a_reference_every_cohort_is_compared_on_all_speakers():
    counts = accents(2, effect=1.4)
    m = against(counts, 3)
    for number, cohort in enumerate(table(m).cohorts(m.ranks())):
        if number == 3:
            assert cohort.against_reference is None
            continue
        rows = [m.cohort == k for k in (number, 3)]
        gap = cohort.against_reference
        assert gap.relative == pytest.approx(wer(counts, rows[0]) / wer(counts, rows[1]) - 1)
        assert gap.absolute == pytest.approx(wer(counts, rows[0]) - wer(counts, rows[1]))
        parts = [figures.pooled(counts, r) for r in rows]
        assert gap.log_se == pytest.approx(np.sqrt(sum(float(p.variance[0, 0]) for p in parts)))
        assert np.log1p(gap.relative_low) == pytest.approx(
            np.log(gap.ratio) - float(t_quantile(gap.df, 0.95)) * gap.log_se
        )
    headline, gaps = gaps_of(m, "accent=3")
    assert gaps.reference == headline
    assert headline.definition.startswith("bottom against accent=3")
    assert all(o.named.side[0].tolist()[3] == TOP for o in m.ways)


def test_naming_the_worst_against_a_reference_is_a_selection_so_the_headline_is_held_out():
    worst, ours = [], []
    for seed in range(60):
        m = against(accents(seed, 240, cohorts=8), 0, splits=3)
        cohorts = table(m).cohorts(m.ranks())
        worst.append(max(c.against_reference.relative for c in cohorts if c.against_reference))
        ours.append(np.log(gaps_of(m, "accent=0")[0].ratio))
    error = np.std(ours) / np.sqrt(len(ours))
    assert abs(np.mean(ours)) < 2.5 * error
    assert np.mean(worst) > 0.1


def few(seed, sizes=(9, 9, 9), effect=1.0):
    rng = np.random.default_rng(seed)
    accent = np.repeat(np.arange(len(sizes)), sizes)
    rate = 0.1 * rng.gamma(8, 1 / 8, len(accent)) * np.where(accent == 0, effect, 1.0)
    return speaker_counts(np.full(len(accent), 400), rate, rng, labels=accent)


def test_with_too_few_speakers_there_is_no_held_out_gap_but_a_reason_and_a_p_of_the_whole_log():
    # Of nine speakers no half can leave five in both.
    m = measurement(few(3, effect=3.0))
    gap, gaps = gaps_of(m, None)
    assert gap.relative is gap.absolute is gaps.rest.relative is None
    assert gap.reason.startswith("too few speakers: only 0 of 22 ways")
    assert m.ranks() == [None] * 3
    seen = m.in_sample()
    assert seen.searched == "whole log"
    rates = [wer(m.counts, m.cohort == k) for k in range(3)]
    assert seen.relative == pytest.approx(max(rates) / min(rates) - 1)
    observed, permuted = m.chance(99, [1], lambda n: None)
    assert np.isnan(observed.statistic[0])
    p = permuted.p_value(float(observed.in_sample_statistic[0]), permuted.figures.in_sample_statistic)
    assert p <= 0.02


def test_a_single_cohort_has_nothing_to_compare_with_and_is_not_short_of_speakers():
    why = "there is only one cohort: nothing to compare"
    one_label = measurement(accents(1, cohorts=1), splits=2)
    counts = accents(1)
    one_place = speaker_counts(
        counts.ref_words, 0.1, np.random.default_rng(1), cells=(np.full(200, 700), np.full(200, -2000))
    )
    for m in (one_label, measurement(one_place, finder=GeoTree(), splits=2)):
        assert len(m.partition.names) == 1
        assert gaps_of(m, None)[0].reason == why
    assert gaps_of(measurement(few(3, sizes=(3, 9)), splits=2), None)[0].reason.startswith("too few speakers")


def test_the_smaller_side_is_that_of_the_searched_speakers_where_nobody_is_held_out():
    m = measurement(few(3, sizes=(4, 7, 9), effect=3.0), splits=2)
    assert m.whole_log
    assert table(m).members().smaller_side == 4
    held_out = measurement(accents(5, effect=1.6), splits=2)

    def smaller(o, rows):
        sides, speaker = o.named.row_sides()[0], held_out.counts.speaker
        return min(len(np.unique(speaker[rows & (sides == side)])) for side in (BOTTOM, TOP))

    searched = [smaller(o, o.way.searched) for o in held_out.ways]
    measured = [smaller(o, o.way.measured) for o in held_out.ways]
    assert np.mean(searched) != np.mean(measured)
    assert table(held_out).members().smaller_side == min(np.mean(searched), np.mean(measured))


def test_the_cohorts_of_a_side_stand_from_its_own_end_of_the_ranking():
    m = measurement(accents(3, 900, cohorts=20), bottom_share=0.25)
    rank = {name.cohort: r for name, r in zip(m.partition.names, m.ranks(), strict=True)}
    bottom, top = ([rank[c] for c in m.side(s).cohorts] for s in (BOTTOM, TOP))
    assert len(bottom) > 2
    assert bottom == list(range(1, 1 + len(bottom)))
    assert top == list(range(20, 20 - len(top), -1))
    assert [rank[c] for c in m.side(REST).cohorts] == sorted(set(rank.values()) - {*bottom, *top})


def test_a_saved_side_keeps_the_order_in_which_it_was_saved():
    counts = accents(3)
    partition, every = LabelColumn("accent").fit(counts), np.ones(counts.rows, dtype=bool)
    half = halves(counts.speakers, 1, 1)
    procedure = Procedure(counts, half, None, partition, 0.1, fixed_sides=((3, 1), (4, 0)))
    m = Measurement(procedure, 0.95, every, partition)
    assert [m.side(s).cohorts for s in (BOTTOM, TOP, REST)] == [("3", "1"), ("4", "0"), ("2",)]
    assert m.in_sample() is None
    assert table(m).members().smaller_side < np.inf


def test_the_in_sample_p_of_a_small_log_is_uniform_without_any_gap():
    p = []
    for seed in range(150):
        observed, permuted = measurement(few(seed), splits=2).chance(19, [seed], lambda n: None)
        p.append(
            permuted.p_value(float(observed.in_sample_statistic[0]), permuted.figures.in_sample_statistic)
        )
    assert np.mean(p) == pytest.approx(0.525, abs=0.08)
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.06)


def test_cohorts_of_fewer_than_five_speakers_in_a_half_are_rest_whatever_their_rate():
    m = measurement(few(1, sizes=(4, 60, 60), effect=20.0))
    for o in m.ways:
        assert o.named.side[0].tolist()[0] == REST
    assert m.ranks()[0] is None
    rest = m.side(REST)
    assert rest.cohorts == ("0",)
    assert rest.speakers == 2


def test_the_spread_over_splits_is_stored():
    m = measurement(accents(7, effect=1.3))
    spread = m.splits()
    assert (spread.n, spread.ways, spread.chosen) == (11, 22, {})
    pairs = [
        np.exp(np.mean([o.log.estimate[0, BOTTOM] - o.log.estimate[0, TOP] for o in m.ways[i : i + 2]])) - 1
        for i in range(0, 22, 2)
    ]
    assert (spread.q05, spread.median, spread.q95) == pytest.approx(
        tuple(np.quantile(pairs, (0.05, 0.5, 0.95)))
    )
    assert spread.q05 < spread.median < spread.q95


def travellers(seed, speakers=120, effect=1.0):
    """Every speaker uses both devices; device 1 has `effect` times the errors for all of them."""
    rng = np.random.default_rng(seed)
    rate = 0.1 * rng.gamma(3, 1 / 3, speakers)
    person = np.repeat(np.arange(speakers), 2)
    device = np.tile([0, 1], speakers)
    words = rng.integers(200, 900, 2 * speakers)
    return SpeakerCounts.of(
        [f"s{p:04}" for p in person],
        ref_words=words,
        errors=rng.poisson(words * rate[person] * np.where(device == 1, effect, 1.0)),
        attributes={"accent": [str(d) for d in device]},
    )


def test_a_speaker_in_both_cohorts_is_left_out_of_both_at_once():
    m = measurement(travellers(3, effect=1.1))
    gap, _ = gaps_of(m, None)
    apart = [np.sqrt(o.log.variance[0, BOTTOM] + o.log.variance[0, TOP]) for o in m.ways]
    # Fast and slow speakers cancel out; taken apart, the gap of 10 % would drown.
    assert gap.log_se < 0.5 * np.mean(apart) / np.sqrt(2)
    assert gap.relative_low > 0
    assert m.side(BOTTOM).share.speakers == m.side(TOP).share.speakers == 1.0
