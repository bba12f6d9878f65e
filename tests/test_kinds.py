"""How the errors of a cohort differ by kind: ratios that cover, and p that keep their rate over all kinds."""

import numpy as np
import pandas as pd
import pytest

from fairaudit.auditing import audit
from fairaudit.counts import SpeakerCounts
from fairaudit.estimate import contrast, holm, jackknife
from fairaudit.kinds import kind_gaps
from fairaudit.readers import read_log
from fairaudit.report import render

RATES = {"substitutions": 0.06, "deletions": 0.03, "insertions": 0.01}


def world(seed, speakers=240, cohorts=6, worse=None):
    """Draw speakers of unequal words whose kinds vary apart; cohort 0 has more of some kinds."""
    rng = np.random.default_rng(seed)
    words = (100 * (1 + rng.pareto(2.5, speakers))).astype(int)
    cohort = rng.permutation(np.arange(speakers) % cohorts)
    own = rng.gamma(5, 1 / 5, speakers)
    kinds = {}
    for kind, rate in RATES.items():
        factor = np.where(cohort == 0, (worse or {}).get(kind, 1.0), 1.0)
        kinds[kind] = rng.poisson(rate * own * rng.gamma(8, 1 / 8, speakers) * factor * words)
    ids = [f"s{i:04}" for i in range(speakers)]
    return SpeakerCounts.of(ids, ref_words=words, errors=sum(kinds.values()), kinds=kinds), cohort


def test_false_finds_keep_their_rate_over_all_kinds_of_all_cohorts_together():
    worlds = [kind_gaps(*world(seed), range(6), confidence=0.95) for seed in range(200)]
    any_found = [any(g.p_adjusted <= 0.05 for gaps in found.values() for g in gaps) for found in worlds]
    assert np.mean(any_found) <= 0.097  # 5 % and three standard errors


def test_the_kind_that_is_worse_is_found_with_an_interval_that_covers():
    held, found = [], []
    for seed in range(150):
        gaps = kind_gaps(*world(seed, worse={"deletions": 2.5}), range(6), confidence=0.95)[0]
        by_kind = {gap.kind: gap for gap in gaps}
        held.append([by_kind["deletions"].low <= 2.5 <= by_kind["deletions"].high])
        held[-1] += [by_kind[kind].low <= 1 <= by_kind[kind].high for kind in ("substitutions", "insertions")]
        found.append([by_kind[kind].p_adjusted <= 0.05 for kind in RATES])
    assert (np.mean(held, axis=0) >= 0.90).all()
    substitutions, deletions, insertions = np.mean(found, axis=0)
    assert deletions > 0.9
    assert max(substitutions, insertions) < 0.05


def test_a_ratio_is_the_jackknife_of_that_kind_and_p_is_corrected_for_all():
    counts, cohort = world(3)
    gaps = kind_gaps(counts, cohort, range(6), confidence=0.95)
    p_values = []
    for number in range(6):
        for gap in gaps[number]:
            group = np.where(cohort == number, 0, 1)[None]
            errors, words = (v[None].astype(float) for v in (counts.kinds[gap.kind], counts.ref_words))
            pair = contrast(r := jackknife(group, errors, words, counts.speaker, 2, added=0.5), 0, r, 1)
            assert gap.ratio == pytest.approx(np.exp(pair.estimate[0]))
            assert (
                gap.rate
                == counts.kinds[gap.kind][cohort == number].sum() / counts.ref_words[cohort == number].sum()
            )
            assert gap.low < gap.ratio < gap.high
            p_values.append(gap.p_adjusted)
    alone = [kind_gaps(counts, cohort, [n], confidence=0.95)[n] for n in range(6)]
    # Of one cohort three kinds are corrected for, of six eighteen.
    assert all(p >= a.p_adjusted for p, a in zip(p_values, (g for gs in alone for g in gs), strict=True))
    assert max(holm(p_values)) == 1


def test_few_errors_of_a_kind_have_rates_and_no_ratio():
    counts, cohort = world(1)
    rare = {**counts.kinds, "insertions": (np.arange(240) == 7).astype(np.int64)}
    few = SpeakerCounts.of(counts.speakers, ref_words=counts.ref_words, errors=sum(rare.values()), kinds=rare)
    for gaps in kind_gaps(few, cohort, range(6), confidence=0.95).values():
        (insertions,) = [gap for gap in gaps if gap.kind == "insertions"]
        assert (insertions.ratio, insertions.low, insertions.p_adjusted) == (None, None, None)
        assert insertions.rate + insertions.rest > 0
        assert all(gap.ratio for gap in gaps if gap.kind != "insertions")


def test_a_log_without_kinds_and_a_cohort_without_words_have_none():
    counts, cohort = world(1)
    plain = SpeakerCounts.of(counts.speakers, ref_words=counts.ref_words, errors=counts.errors)
    assert kind_gaps(plain, cohort, range(6), confidence=0.95) == dict.fromkeys(range(6), ())
    assert kind_gaps(counts, np.zeros_like(cohort), [0, 1], confidence=0.95) == {0: (), 1: ()}


def test_bottom_and_flagged_cohorts_have_their_kinds_in_result_table_and_report():
    counts, cohort = world(5, worse={"deletions": 3.0})
    frame = pd.DataFrame({"speaker_id": counts.speakers, "ref_words": counts.ref_words, **counts.kinds})
    frame["group"] = np.where(np.arange(240) < 4, "few", np.array(list("abcdef"))[cohort])
    result = audit(read_log(frame), by=["group"], permutations=0, splits=3)
    partition = result.partition("group")
    told = {c.cohort for c in partition.cohorts if c.kinds}
    flagged = {c.cohort for c in partition.cohorts if c.status == "flagged"}
    hidden = {c.cohort for c in partition.cohorts if c.suppressed}
    assert "a" in flagged
    assert told == (flagged | set(partition.bottom.cohorts)) - hidden
    (worst,) = [c for c in partition.cohorts if c.cohort == "a"]
    deletions = {gap.kind: gap for gap in worst.kinds}["deletions"]
    assert deletions.p_adjusted < 0.01 < deletions.low
    table = result.cohorts().set_index("cohort")
    assert table.loc["a", "deletions_ratio"] == deletions.ratio
    assert table.loc["a", "excess_deletions"] == worst.excess.deletions
    assert (table.loc["a", "status"], table.loc["a", "rest_gap"]) == ("flagged", worst.against_rest.relative)
    assert (
        table.loc[sorted(hidden), ["status", "rest_gap", "deletions_ratio", "excess_errors"]]
        .isna()
        .all(axis=None)
    )
    row = f"| {deletions.ratio:.2f} | {deletions.low:.2f} to {deletions.high:.2f} |"
    assert row in render(result, "md")
