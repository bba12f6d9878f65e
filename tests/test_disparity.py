"""Further disparity figures, against plain definitions."""

import numpy as np
import pytest

from fairaudit.auditing import audit
from fairaudit.counts import SpeakerCounts
from fairaudit.disparity import between_cohort_sd, excess, rates_of_rest, speaker_gini
from fairaudit.evidence import DISPARITY
from fairaudit.rates import Rate
from fairaudit.readers import read_log
from fairaudit.result import Cohort


def cohort(wer, log_se):
    return Cohort(cohort="a", id="a", label="a", rank=1, suppressed=False, share=None, wer=wer, log_se=log_se)


def test_gini_is_half_the_mean_difference_over_the_mean():
    rng = np.random.default_rng(3)
    words, rate = rng.integers(5, 60, 30), rng.random(30) / 2
    errors = np.round(words * rate).astype(int)
    counts = SpeakerCounts.of([f"s{i:02}" for i in range(30)], ref_words=words, errors=errors)
    each = np.repeat(errors / words, words)
    slow = np.abs(each[:, None] - each[None]).mean() / (2 * each.mean())
    assert speaker_gini(counts, np.zeros(30, dtype=int)) == pytest.approx(slow)
    inside = np.where(np.arange(30) < 10, 0, -1)
    fewer = counts.select(np.arange(30) < 10)
    assert speaker_gini(counts, inside) == pytest.approx(speaker_gini(fewer, np.zeros(10, dtype=int)))
    assert speaker_gini(counts, np.full(30, -1)) is None


def test_the_spread_between_cohorts_is_without_the_noise_of_sampling():
    rng = np.random.default_rng(5)

    def drawn(sd, se=0.15, cohorts=40):
        logs = np.log(0.1) + rng.normal(0, sd, cohorts) + rng.normal(0, se, cohorts)
        return between_cohort_sd([cohort(float(np.exp(v)), se) for v in logs])

    assert np.mean([drawn(0.0) for _ in range(50)]) < 0.05
    assert np.sqrt(np.mean([drawn(0.3) ** 2 for _ in range(50)])) == pytest.approx(0.3, abs=0.03)
    assert between_cohort_sd([cohort(0.1, 0.1)]) is None
    assert between_cohort_sd([cohort(0.1, None), cohort(0.0, 0.1)]) is None


def test_excess_errors_are_those_beyond_the_rate_of_everybody_else():
    counts = SpeakerCounts.of(
        ["a", "b", "c"],
        ref_words=[100, 300, 50],
        errors=[20, 30, 50],
        kinds={"substitutions": [15, 15, 0], "deletions": [5, 0, 0], "insertions": [0, 15, 50]},
    )
    rest = rates_of_rest(counts, np.array([0, 1, -1]), 0)
    assert rest == {"errors": 0.1, "substitutions": 0.05, "deletions": 0.0, "insertions": 0.05}
    row = Rate(ref_words=100, errors=20, substitutions=15, deletions=5, insertions=0)
    found = excess(row, rest)
    assert (found.errors, found.substitutions, found.deletions, found.insertions) == (10, 10, 5, -5)
    assert excess(Rate(ref_words=100, errors=20), {"errors": 0.1}).substitutions is None
    assert excess(Rate(), rest) is None
    assert excess(row, rates_of_rest(counts, np.array([0, -1, -1]), 0)) is None


@pytest.fixture(scope="module")
def result():
    import pandas as pd

    rng = np.random.default_rng(1)
    group = np.array(["p", "q", "r"])[np.arange(240) % 3]
    rate = 0.1 * rng.gamma(6, 1 / 6, 240) * np.where(group == "p", 2.0, 1.0)
    table = pd.DataFrame(
        {
            "speaker_id": [f"s{i:03}" for i in range(240)],
            "ref_words": 300,
            "errors": rng.poisson(300 * rate),
            "group": group,
            "few": ["x" if i < 4 else "y" for i in range(240)],
        }
    )
    return audit(read_log(table), by=["group", "few"], permutations=19, splits=3)


def test_figures_of_a_partition_are_worked_out_from_what_is_shown(result):
    partition = result.partition("group")
    found = partition.disparity
    assert set(found) == set(DISPARITY)
    wers = {c.cohort: c.wer for c in partition.cohorts}
    assert found["worst_cohort_wer"] == wers["p"]
    assert found["worst_over_best"] == pytest.approx(wers["p"] / min(wers.values()))
    assert found["macro_wer"] == pytest.approx(np.mean(list(wers.values())))
    assert 0.2 < found["between_cohort_sd"] < 0.7
    assert found["bottom_share_of_errors"] > found["bottom_share_of_words"]


def test_every_cohort_has_a_status_an_excess_and_at_the_bottom_its_traits(result):
    cohorts = {c.cohort: c for c in result.partition("group").cohorts}
    assert cohorts["p"].status == "flagged"
    assert {cohorts[c].status for c in "qr"} == {"cleared"}
    assert cohorts["p"].excess.errors > 0 > cohorts["q"].excess.errors
    assert cohorts["p"].against_rest.relative == pytest.approx(1.0, abs=0.4)
    assert cohorts["p"].p_adjusted < 0.001
    assert {t.column for t in cohorts["p"].profile} <= {"few"}
    assert result.partition("group").no_worse_than > cohorts["p"].wer / result.overall.wer - 1


def test_nothing_is_said_of_a_suppressed_cohort_nor_of_what_would_tell_of_it(result):
    few = result.partition("few")
    for row in few.cohorts:
        if row.suppressed:
            said = (row.status, row.p_adjusted, row.excess, row.against_rest, row.profile)
            assert said == (None, None, None, None, ())
    assert any(row.suppressed for row in few.cohorts)
