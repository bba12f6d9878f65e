"""Two releases compared: pairing, paired intervals, what is selected, what is suppressed, and the files."""

import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from fairaudit.auditing import audit
from fairaudit.changes import ComparisonResult, json_schema
from fairaudit.comparison import compare
from fairaudit.comparison.held_out import HeldOut
from fairaudit.comparison.releases import Releases
from fairaudit.counts import SpeakerCounts
from fairaudit.estimate import t_quantile
from fairaudit.exceptions import InputError, LogError, OptionError, PartitionError, ResultError
from fairaudit.outputs import read_comparison, write_audit, write_comparison
from fairaudit.readers import read_log
from fairaudit.report import render
from fairaudit.split import halves

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "docs" / "schemas" / "compare.schema.json"
ACCENTS = ("north", "south", "east")
#: Of errors of which none was seen, so many may be there at 95 %.
HIDDEN = -math.log(0.025)


def world(seed=1, speakers=90, *, utterances=4, candidate=None, small=0, traveller=False):
    """Return the logs of a baseline and a candidate; `candidate` is the factor of each accent's rate."""
    rng = np.random.default_rng(seed)
    accent = np.array(ACCENTS)[np.arange(speakers) % 3]
    accent[:small] = "rare"
    rate = 0.2 * rng.gamma(8, 1 / 8, speakers)
    rows = []
    for s in range(speakers):
        for u in range(utterances):
            words = int(rng.integers(10, 60))
            device = "phone" if traveller and u % 2 else "headset"
            factor = (candidate or {}).get(accent[s], 1.0)
            rows.append(
                {
                    "utterance_id": f"u{s:03}-{u}",
                    "speaker_id": f"s{s:03}",
                    "accent": accent[s],
                    "device": device,
                    "ref_words": words,
                    "errors": rng.poisson(words * rate[s]),
                    "other": rng.poisson(words * rate[s] * factor),
                }
            )
    frame = pd.DataFrame(rows)
    return frame.drop(columns="other"), frame.drop(columns="errors").rename(columns={"other": "errors"})


def compared(first, second, **options):
    return compare(read_log(first), read_log(second), **{"by": ["accent"], **options})


def cohort(result, name, partition="accent"):
    return next(c for c in result.partition(partition).cohorts if c.cohort == name)


def by_speaker(frame):
    return frame.groupby("speaker_id")[["errors", "ref_words"]].sum()


def plain_jackknife(first, second, statistic):
    """Leave each speaker out of both frames, one at a time, with nothing but pandas."""
    whole = statistic(first, second)
    speakers = sorted(first["speaker_id"].unique())
    without = [statistic(first[first.speaker_id != s], second[second.speaker_id != s]) for s in speakers]
    n = len(speakers)
    return whole, math.sqrt((n - 1) / n * sum((value - whole) ** 2 for value in without))


def with_unseen(se, df, reach):
    """Widen a standard error by what two releases may hide."""
    return math.hypot(se, reach / float(t_quantile(df, 0.95)))


def unseen(whole, *own):
    """Errors by which cohorts may differ without a sign of it, over their errors: with nothing but pandas.

    `whole` are both logs, and `own` the parts of both that are compared.
    """
    moved = (whole[1].errors - whole[0].errors).abs()
    table = whole[0].assign(differs=moved > 0)[["speaker_id", "differs", "ref_words"]]
    x, w = table.groupby("speaker_id").sum().to_numpy().T
    p = x.sum() / w.sum()
    spread = max(0, (((x - p * w) ** 2).sum() - x.sum()) / (p**2 * (w**2).sum()))
    words = by_speaker(own[0]).ref_words
    effect = moved.sum() / x.sum() * (1 + spread * HIDDEN / (words.sum() ** 2 / (words**2).sum()))
    return HIDDEN * effect / min(frame.errors.sum() for frame in own)


def elsewhere(frame):
    """The same log of other people."""
    return frame.assign(speaker_id="x" + frame.speaker_id)


def wer(frame):
    return frame.errors.sum() / frame.ref_words.sum()


def log_ratio(first, second):
    return math.log(wer(second) / wer(first))


# Pairing


def test_utterances_are_paired_by_id_whatever_the_order_of_the_rows():
    first, second = world(candidate={"north": 0.8})
    result = compared(first, second)
    assert (result.pairing.matched, result.pairing.baseline_only, result.pairing.candidate_only) == (
        360,
        0,
        0,
    )
    again = compared(first.sample(frac=1, random_state=1), second.sample(frac=1, random_state=2))
    # Only the digests of the inputs know the order.
    for name in ("overall", "partitions", "pairing", "matched_pairs", "metrics"):
        assert getattr(again, name) == getattr(result, name)
    assert again.log.sha256 == result.log.sha256


def test_unequal_sets_are_an_error_that_counts_them_unless_allowed():
    first, second = world()
    first = first.drop(index=[0, 1, 2])
    second = second.drop(index=[10, 11])
    second.loc[20, "ref_words"] += 1
    with pytest.raises(LogError) as error:
        compared(first, second)
    assert "2 are in the baseline alone, 3 in the candidate alone, and 1 have another reference" in str(
        error.value
    )
    assert "--allow-unequal" in str(error.value)
    assert "u000" not in str(error.value)
    result = compared(first, second, allow_unequal=True)
    pairing = result.pairing
    assert (pairing.matched, pairing.baseline_only, pairing.candidate_only, pairing.different_reference) == (
        354,
        2,
        3,
        1,
    )
    both = first.merge(second, on="utterance_id", suffixes=("", "_2"))
    both = both[both.ref_words == both.ref_words_2]
    assert result.log.utterances == len(both) == 354
    assert result.overall.baseline.errors == both.errors.sum()
    assert result.overall.candidate.errors == both.errors_2.sum()


def test_logs_without_a_common_utterance_are_refused_even_where_unequal_ones_are_allowed():
    first, second = world()
    second["utterance_id"] = "x" + second["utterance_id"]
    with pytest.raises(LogError, match="no utterance in common"):
        compared(first, second, allow_unequal=True)


def test_another_speaker_in_the_candidate_is_refused_with_a_count_and_without_ids():
    first, second = world()
    second.loc[[0, 7], "speaker_id"] = "somebody"
    with pytest.raises(LogError) as error:
        compared(first, second)
    assert "2 of 360 utterances have another speaker" in str(error.value)
    assert "somebody" not in str(error.value)


def test_ids_are_needed_and_one_may_not_be_there_twice():
    first, second = world()
    with pytest.raises(LogError, match="no utterance_id"):
        compared(first, second.drop(columns="utterance_id"))
    second.loc[1, "utterance_id"] = second.loc[0, "utterance_id"]
    with pytest.raises(InputError, match=r"2 in the candidate's log \(duplicate_utterance_id\)"):
        compared(first, second)


def texts(hypotheses, references=("one two three", "four five", "six")):
    n = len(references)
    return pd.DataFrame(
        {
            "utterance_id": [f"u{i}" for i in range(n)],
            "speaker_id": ["a", "b", "c"][:n],
            "accent": "x",
            "reference": references,
            "hypothesis": hypotheses,
        }
    )


def test_texts_are_paired_by_their_normalised_reference():
    first = texts(["one two", "four five", "six"])
    # As many words, but others; and the same once normalised.
    second = texts(["one two three", "four", "six"], ("One, two three!", "nine five", "six"))
    logs = [read_log(frame, normalizer="basic") for frame in (first, second)]
    result = compare(*logs, by=["accent"], allow_unequal=True, min_speakers_shown=1)
    assert (result.pairing.matched, result.pairing.different_reference) == (2, 1)
    assert (result.overall.baseline.errors, result.overall.candidate.errors) == (1, 0)
    assert result.scoring.normalizer == "basic"
    # As they stand, the first is another reference too.
    logs = [read_log(frame, normalizer="none") for frame in (first, second)]
    assert compare(*logs, by=["accent"], allow_unequal=True).pairing.matched == 1


def test_logs_that_were_scored_differently_are_refused():
    frame = texts(["one two", "four five", "six"])
    pair = read_log(frame, normalizer="basic"), read_log(frame, normalizer="none")
    with pytest.raises(LogError, match="scored differently: basic and none"):
        compare(*pair, by=["accent"])
    counts = frame.drop(columns=["reference", "hypothesis"]).assign(ref_words=3, errors=0)
    with pytest.raises(LogError, match="scored differently: basic and counts given"):
        compare(pair[0], read_log(counts), by=["accent"])
    with pytest.raises(LogError, match="of WER, those of the candidate of CER"):
        compare(pair[1], read_log(frame, normalizer="none", metric="CER"), by=["accent"])


def test_speakers_and_labels_are_those_of_the_baseline():
    first, second = world(candidate={"north": 0.5})
    result = compared(first, second.drop(columns=["accent", "device"]))
    assert cohort(result, "north").change.relative == pytest.approx(-0.5, abs=0.1)


# Figures and intervals


def test_a_change_is_that_of_a_plain_jackknife_over_speakers():
    first, second = world(2, candidate={"south": 1.3})
    result = compared(first, second)
    for name in ACCENTS:
        own = [frame[frame.accent == name] for frame in (first, second)]
        change = cohort(result, name).change
        ratio, se = plain_jackknife(*own, log_ratio)
        assert change.relative == pytest.approx(math.expm1(ratio))
        hidden = unseen((first, second), *own)
        assert change.log_se == pytest.approx(with_unseen(se, change.df, math.log1p(hidden)))
        # Where there are many errors that hardly matters.
        assert change.log_se < 1.02 * se
        difference, se = plain_jackknife(*own, lambda a, b: wer(b) - wer(a))
        assert change.absolute == pytest.approx(difference)
        words = by_speaker(own[0]).ref_words
        points = hidden * min(f.errors.sum() for f in own) / words.sum()
        assert change.absolute_se == pytest.approx(with_unseen(se, change.df, points))
        assert change.df == pytest.approx(words.sum() ** 2 / (words**2).sum() - 1)
        reach = float(t_quantile(change.df, 0.95)) * change.log_se
        assert change.relative_low == pytest.approx(math.expm1(ratio - reach))
        assert change.relative_high == pytest.approx(math.expm1(ratio + reach))


def saved_sides(tmp_path, first, **options):
    """Audit another log of the same labels, so that its partitions have a bottom and a top."""
    folder = tmp_path / "audit"
    other = elsewhere(first.assign(errors=first.errors + (first.accent == "north") * 8))
    write_audit(audit(read_log(other), permutations=0, **{"by": ["accent"], **options}), folder)
    return folder / "partitions.json"


def test_the_change_of_a_saved_gap_is_that_of_a_plain_jackknife(tmp_path):
    first, second = world(3, candidate={"north": 0.7})
    partition = compared(
        first, second, by=[], partitions=saved_sides(tmp_path, first), min_speakers_shown=1
    ).partition("accent")
    assert partition.bottom.cohorts == ("north",)
    (top,) = partition.top.cohorts

    def log_gaps(a, b):
        sides = [[wer(f[f.accent == name]) for name in ("north", top)] for f in (a, b)]
        return math.log(sides[1][0] / sides[1][1]) - math.log(sides[0][0] / sides[0][1])

    change = partition.gap.change
    parts = [[f[f.accent == name] for f in (first, second)] for name in ("north", top)]
    variances = [plain_jackknife(*part, log_ratio)[1] ** 2 for part in parts]
    assert change.relative == pytest.approx(math.expm1(log_gaps(first, second)))
    reach = math.hypot(*(math.log1p(unseen((first, second), *part)) for part in parts))
    assert change.log_se == pytest.approx(with_unseen(math.sqrt(sum(variances)), change.df, reach))
    assert change.relative_high < 0
    assert not partition.exploratory
    gap = partition.gap.baseline
    assert gap.absolute == pytest.approx(wer(parts[0][0]) - wer(parts[1][0]))
    assert change.absolute == pytest.approx(partition.gap.candidate.absolute - gap.absolute)


def test_a_speaker_who_is_in_bottom_and_top_is_left_out_of_both_at_once(tmp_path):
    first, second = world(4, candidate={"north": 0.8}, traveller=True)
    other = elsewhere(first.assign(errors=first.errors + (first.device == "phone") * 9))
    write_audit(audit(read_log(other), by=["device"], permutations=0), tmp_path)
    partition = compared(first, second, by=[], partitions=tmp_path / "partitions.json").partition("device")
    assert partition.bottom.cohorts == ("phone",)

    def log_gaps(a, b):
        sides = [[wer(f[f.device == name]) for name in ("phone", "headset")] for f in (a, b)]
        return math.log(sides[1][0] / sides[1][1]) - math.log(sides[0][0] / sides[0][1])

    ratio, se = plain_jackknife(first, second, log_gaps)
    assert partition.gap.change.relative == pytest.approx(math.expm1(ratio))
    change, own = (
        partition.gap.change,
        [[f[f.device == d] for f in (first, second)] for d in ("phone", "headset")],
    )
    reach = math.hypot(*(math.log1p(unseen((first, second), *part)) for part in own))
    assert change.log_se == pytest.approx(with_unseen(se, change.df, reach))


def test_the_change_of_the_highest_rate_is_that_of_a_plain_jackknife():
    # Cohorts that are close to each other, so that some speakers decide which is the highest.
    first, second = world(5, candidate={"east": 1.2})
    change = compared(first, second).partition("accent").maximum

    def log_highest(a, b):
        return math.log(max(wer(b[b.accent == n]) for n in ACCENTS)) - math.log(
            max(wer(a[a.accent == n]) for n in ACCENTS)
        )

    ratio, se = plain_jackknife(first, second, log_highest)
    assert change.relative == pytest.approx(math.expm1(ratio))
    assert se < change.log_se < 1.03 * se


def test_the_sign_says_who_got_worse():
    first, second = world(6, candidate={"north": 1.5, "south": 0.5})
    result = compared(first, second)
    assert cohort(result, "north").change.relative_low > 0
    assert cohort(result, "south").change.relative_high < 0
    back = compared(second, first)
    ratio = 1 + cohort(result, "north").change.relative
    assert cohort(back, "north").change.relative == pytest.approx(1 / ratio - 1)
    assert cohort(back, "north").change.absolute == pytest.approx(-cohort(result, "north").change.absolute)


def test_a_better_average_does_not_hide_a_cohort_that_was_harmed():
    result = compared(*world(25, 150, candidate={"north": 1.4, "south": 0.5, "east": 0.6}))
    assert result.overall.change.relative_high < 0
    assert cohort(result, "north").change.relative_low > 0
    assert "1 got worse, 2 better" in render(result, "text", width=200)


def test_a_gap_that_closes_because_the_top_got_worse_shows_the_top(tmp_path):
    first, second = world(26, 150)
    for frame, errors in ((first, 8), (second, 8)):
        frame.loc[frame.accent == "north", "errors"] += errors
    second.loc[second.accent != "north", "errors"] += 4
    result = compared(first, second, by=[], partitions=saved_sides(tmp_path, first))
    partition = result.partition("accent")
    assert partition.gap.change.relative_high < 0
    assert partition.top.change.relative_low > 0
    assert partition.bottom.change.relative == pytest.approx(0, abs=0.1)


def test_a_log_is_not_compared_with_itself():
    first, _ = world(7)
    with pytest.raises(LogError, match="baseline and candidate are the same data"):
        compared(first, first)
    # Whatever the order of its rows, or the name of its file.
    with pytest.raises(LogError, match="the same data"):
        compared(first, first[::-1].reset_index(drop=True))


def test_the_same_release_twice_has_not_changed_and_is_told():
    first, _ = world(7)
    result = compared(first, first.assign(run="again"))
    change = result.overall.change
    # Nothing was seen to change, and what may be there all the same is less than one in a hundred.
    assert change.relative == 0
    assert change.relative_high == pytest.approx(HIDDEN / first.errors.sum())
    assert 0 < change.relative_high < 0.01
    assert result.matched_pairs.statistic is None
    assert "no utterance" in result.matched_pairs.reason
    partition = result.partition("accent")
    assert partition.worst.change.relative == partition.gap.change.relative == 0
    assert any("twice that of one?" in text for text in result.log.warnings)
    assert not any("twice" in text for text in compared(*world(7)).log.warnings)


@pytest.mark.parametrize(("errors", "passes"), [(74, True), (500, True), (73, False), (6, False)])
def test_a_release_that_changes_nothing_passes_a_limit_of_5_per_cent_from_74_errors(errors, passes):
    speakers = 15
    each = np.full(speakers, errors // speakers) + (np.arange(speakers) < errors % speakers)
    counts = SpeakerCounts.of([f"s{i}" for i in range(speakers)], ref_words=[400] * speakers, errors=each)
    change = releases_of(counts, counts).rate_change(np.ones(speakers, dtype=bool))["change"]
    assert change.relative == 0
    assert (change.relative_high <= 0.05) is passes


def test_errors_that_come_in_clumps_hide_more():
    first, _ = world(7)
    few = first.assign(errors=first.errors + (np.arange(len(first)) % 60 == 0))
    clumps = first.assign(errors=first.errors + 6 * (np.arange(len(first)) % 360 == 0))
    changes = [compared(first, frame).overall.change for frame in (few, clumps)]
    assert changes[0].relative == pytest.approx(changes[1].relative)
    assert changes[1].log_se > 2 * changes[0].log_se


def rates_of(rng, speakers, factor):
    words = rng.integers(80, 600, speakers)
    rate = 0.15 * rng.gamma(6, 1 / 6, speakers)
    # How a release does on a speaker varies too, around the factor.
    own = factor * rng.gamma(40, 1 / 40, speakers)
    names = [f"s{i:03}" for i in range(speakers)]
    counts = [
        SpeakerCounts.of(names, ref_words=words, errors=rng.poisson(words * r)) for r in (rate, rate * own)
    ]
    return releases_of(*counts)


def releases_of(first, second):
    """Two releases whose errors differ one by one."""
    apart = np.abs(second.errors - first.errors)
    return Releases(first, second, apart, apart, 0.95)


@pytest.mark.parametrize("speakers", [11, 40])
@pytest.mark.parametrize("factor", [1.0, 0.7])
def test_intervals_of_changes_cover_the_true_change(speakers, factor):
    rng = np.random.default_rng(speakers)
    worlds, covered = 400, 0
    for _ in range(worlds):
        releases = rates_of(rng, speakers, factor)
        change = releases.rate_change(np.ones(speakers, dtype=bool))["change"]
        covered += change.relative_low <= factor - 1 <= change.relative_high
    # 95 % less or more three standard errors of 400 worlds.
    assert 0.91 <= covered / worlds <= 0.985


def test_paired_intervals_are_much_shorter_than_those_of_two_logs_apart():
    releases = rates_of(np.random.default_rng(1), 60, 0.9)
    plain = releases.rate_change(np.ones(60, dtype=bool))
    apart = math.hypot(plain["baseline"].log_se, plain["candidate"].log_se)
    assert plain["change"].log_se < 0.6 * apart


def test_the_matched_pairs_test_is_that_of_the_difference_per_utterance():
    first, second = world(8, candidate={"north": 0.8})
    found = compared(first, second).matched_pairs
    moved = second.errors - first.errors
    assert found.statistic == pytest.approx(moved.mean() / (moved.std() / math.sqrt(len(moved))))
    assert found.p_value == pytest.approx(math.erfc(abs(found.statistic) / math.sqrt(2)))
    assert found.statistic < 0


def test_figures_without_errors_are_bounded_or_null_with_a_reason():
    first, second = world(9)
    first.loc[first.accent == "north", "errors"] = 0
    second.loc[second.accent == "south", "errors"] = 0
    both = ("east", "errors")
    first.loc[first.accent == both[0], both[1]] = 0
    second.loc[second.accent == both[0], both[1]] = 0
    result = compared(first, second)
    north, south, east = (cohort(result, name).change for name in ("north", "south", "east"))
    assert (north.relative, north.reason) == (None, "the baseline has no errors: no relative change")
    assert north.absolute_low > 0
    # A candidate without errors is bounded by the rate that it may have, over that of the baseline.
    rates = cohort(result, "south")
    assert (south.relative, south.relative_low) == (-1.0, -1.0)
    assert south.relative_high == pytest.approx(rates.candidate.high / rates.baseline.wer - 1)
    assert rates.candidate.high >= HIDDEN / rates.candidate.ref_words
    assert south.log_se is None
    assert south.absolute_high < 0
    # Without errors in either, the change is known no better than the rates are.
    rates = cohort(result, "east")
    assert (east.absolute, east.relative) == (0.0, None)
    assert (
        east.absolute_high
        == -east.absolute_low
        == pytest.approx(max(rates.candidate.high, rates.baseline.high))
    )
    assert "both releases have no errors" in east.reason


# What is selected


def test_the_worst_cohort_does_not_flatter_a_candidate_that_changed_nothing():
    worst, naive = [], []
    rng, speakers, cohorts = np.random.default_rng(1), 96, 8
    names, words = [f"s{i:03}" for i in range(speakers)], np.full(speakers, 20)
    group, every = np.arange(speakers) % cohorts, np.ones(speakers, dtype=bool)
    for seed in range(100):
        counts = (SpeakerCounts.of(names, ref_words=words, errors=rng.poisson(words * 0.2)) for _ in "ab")
        releases = releases_of(*counts)
        half = halves(releases.baseline.speakers, seed, 2)
        held_out = HeldOut(releases, group, cohorts, range(cohorts), half, 1, 0.1, 0.95)
        if (found := held_out.worst()) is None:
            continue
        worst.append(math.log1p(found[1].change.relative))
        log = releases.rates(group, every, cohorts, "log")
        naive.append(log.change.estimate[0, log.baseline.estimate[0].argmax()])
    assert len(worst) > 50
    # The highest of the baseline looks better by a seventh, for free.
    assert np.mean(naive) < -0.1
    assert abs(np.mean(worst)) < 3 * np.std(worst) / math.sqrt(len(worst))
    assert abs(np.mean(worst)) < 0.05


def test_the_worst_cohort_is_named_and_followed():
    first, second = world(10, 150, candidate={"north": 0.8})
    first.loc[first.accent == "north", "errors"] *= 2
    second.loc[second.accent == "north", "errors"] *= 2
    partition = compared(first, second).partition("accent")
    assert partition.worst.cohort == "north"
    assert partition.worst_chosen == {"north": 22}
    assert partition.worst.change.relative == pytest.approx(-0.2, abs=0.08)
    assert partition.worst.change.relative_high < 0
    # Bottom and top of a label column are named on held-out speakers as well.
    assert partition.bottom.cohorts == ("north",)
    assert partition.gap.baseline.relative > 0.5
    assert partition.gap.change.relative == pytest.approx(-0.2, abs=0.08)


def test_too_few_speakers_for_halves_give_a_reason_and_no_worst_cohort():
    first, second = world(11, 30)
    partition = compared(first, second, min_speakers_shown=1).partition("accent")
    few = compared(*world(11, 12), min_speakers_shown=1).partition("accent")
    assert few.worst is None
    assert "too few speakers" in few.worst_reason
    assert "too few speakers" in few.gap.change.reason
    assert partition.maximum is not None


# Saved partitions


def test_a_partition_that_was_found_here_is_exploratory_and_measured_on_the_other_half(tmp_path):
    first, second = world(12, 200)
    write_audit(audit(read_log(first), by=["accent"], permutations=0), tmp_path)
    partition = compared(first, second, by=[], partitions=tmp_path / "partitions.json").partition("accent")
    assert partition.exploratory
    assert partition.overall.baseline.speakers < 120
    fresh = [elsewhere(frame) for frame in world(13, 200)]
    partition = compared(*fresh, by=[], partitions=tmp_path / "partitions.json").partition("accent")
    assert not partition.exploratory
    assert partition.overall.baseline.speakers == 200
    assert partition.origin == "saved"


def test_the_very_same_speakers_make_a_partition_exploratory_and_of_others_it_is_not_known(tmp_path):
    first, second = world(12, 200)
    found_on, _ = world(13, 200)
    write_audit(audit(read_log(found_on), by=["accent"], permutations=0), tmp_path)
    names = np.array(sorted(first.speaker_id.unique()), dtype=object)
    partitions = tmp_path / "partitions.json"
    result = compared(first, second, by=[], partitions=partitions)
    partition = result.partition("accent")
    assert partition.exploratory
    # Those of the half that found it are out.
    assert partition.overall.baseline.speakers == halves(names, 1, 1)[0].sum()
    assert not any("it is not known" in text for text in result.log.warnings)
    assert "or on the very same speakers" in " ".join(render(result, "text").split())
    # No id is stored: of one speaker less it cannot be told.
    fewer = [frame[frame.speaker_id != "s004"] for frame in (first, second)]
    result = compared(*fewer, by=[], partitions=partitions)
    assert not result.partition("accent").exploratory
    assert any("it is not known whether any of the speakers" in text for text in result.log.warnings)


def test_drift_vanished_cohorts_and_unassigned_speakers_are_told(tmp_path):
    saved = saved_sides(tmp_path, world(14, 300)[0])
    first, second = world(15, 300)
    for frame in (first, second):
        frame.loc[frame.accent == "east", "accent"] = None
        # A third of those of the south have moved on.
        frame.loc[(frame.accent == "south") & (frame.speaker_id < "s200"), "accent"] = "north"
    result = compared(first, second, by=[], partitions=saved)
    partition = result.partition("accent")
    assert partition.vanished == ("east",)
    gone = cohort(result, "east")
    assert gone.change.reason == gone.candidate.reason == "vanished: nobody in these logs is in this cohort"
    assert (gone.candidate.speakers, gone.suppressed) == (0, False)
    assert partition.unassigned.baseline.speakers == 100
    assert partition.unassigned_share == pytest.approx(1 / 3)
    assert cohort(result, "north").saved_share == pytest.approx(1 / 3, abs=0.1)
    (warning,) = partition.warnings
    assert "north" in warning
    assert "south" in warning
    told = render(result, "text")
    assert "nobody is left of east" in told
    assert "drifted" in told
    # A speaker in two cohorts makes no drift.
    travelling = [f.assign(device=np.where(np.arange(len(f)) % 2, "a", "b")) for f in world(18, 300)]
    folder = tmp_path / "devices"
    write_audit(audit(read_log(elsewhere(travelling[0].head(800))), by=["device"], permutations=0), folder)
    again = compared(*travelling, by=[], partitions=folder / "partitions.json")
    assert again.partition("device").warnings == ()
    undrifted = compared(*world(16, 300), by=[], partitions=saved).partition("accent")
    assert undrifted.warnings == ()


def test_an_edited_file_of_partitions_is_refused_by_name(tmp_path):
    saved = saved_sides(tmp_path, world(17)[0])
    saved.write_text(saved.read_text().replace("accent is north", "accent is nord"))
    with pytest.raises(PartitionError, match=r"'accent' was edited"):
        compared(*world(17), by=[], partitions=saved)


def test_a_comparison_searches_nothing_and_needs_something_to_compare_by():
    first, second = world(18)
    with pytest.raises(OptionError, match="nothing is named by which to compare"):
        compared(first, second, by=[])
    with pytest.raises(OptionError, match="'slices' is a search"):
        compared(first, second, by=["slices"])
    with pytest.raises(OptionError, match="'acent'"):
        compared(first, second, by=["acent"])


def test_regions_of_an_audit_are_compared_by_the_places_of_the_baseline(tmp_path):
    rng = np.random.default_rng(19)
    found, (first, second) = world(20, 300)[0], world(19, 300, candidate={"north": 0.7})
    for frame in (found, first):
        south = frame.speaker_id.str[1:].astype(int) % 2 == 0
        frame["latitude"] = np.where(south, 30.0, 45.0)
        frame["longitude"] = -90.0
        frame.loc[south, "errors"] += rng.poisson(5, int(south.sum()))
    write_audit(audit(read_log(elsewhere(found)), by=["geo"], permutations=0), tmp_path)
    partition = compared(first, second, by=[], partitions=tmp_path / "partitions.json").partition("geo")
    assert len(partition.cohorts) == 2
    worst = max(partition.cohorts, key=lambda c: c.baseline.wer)
    own = first[first.latitude == 30]
    assert worst.baseline.errors == own.errors.sum()
    assert worst.candidate.errors == second.loc[own.index, "errors"].sum()
    assert worst.change.relative_high < 0


# Suppression


def test_a_small_cohort_shows_no_figure_of_either_release():
    first, second = world(21, small=5)
    result = compared(first, second)
    rare = cohort(result, "rare")
    assert rare.suppressed
    assert rare.share is None
    assert rare.baseline.wer is rare.candidate.wer is rare.change.relative is rare.change.absolute is None
    assert rare.baseline.speakers is rare.change.log_se is None
    assert "suppressed" in rare.change.reason
    # Nor can it be subtracted: another cohort, or overall and a part, is kept back too.
    shown = [c for c in result.partition("accent").cohorts if not c.suppressed]
    assert len(shown) < 3 or result.partition("accent").overall.baseline.wer is None
    own = first[first.accent == "rare"]
    total = sum(c.baseline.errors for c in shown)
    left = {result.overall.baseline.errors - total, second.errors.sum() - total}
    assert own.errors.sum() not in left
    public = compared(first, second, min_speakers_shown=1)
    assert cohort(public, "rare").baseline.speakers == 5


def test_a_log_of_too_few_speakers_shows_nothing_at_all():
    result = compared(*world(22, 9))
    assert result.overall.baseline.wer is None
    assert result.overall.change.relative is None
    assert result.matched_pairs is None
    assert result.log.errors is None
    assert result.metrics == {}
    assert all(c.suppressed for c in result.partition("accent").cohorts)


def test_the_worst_cohort_has_enough_speakers_in_both_halves():
    first, second = world(23, 60, small=14)
    first.loc[first.accent == "rare", "errors"] *= 3
    partition = compared(first, second).partition("accent")
    # It is shown, with 14 speakers, but its halves of about 7 must not be.
    assert not next(c for c in partition.cohorts if c.cohort == "rare").suppressed
    assert partition.worst is None or "rare" not in partition.worst_chosen


# Files


@pytest.fixture(scope="module")
def result():
    return compared(*world(24, 150, candidate={"north": 0.8}, small=4), baseline_model="<b>", dataset="d|1")


def test_json_gives_the_same_result_back(result):
    text = result.to_json()
    assert ComparisonResult.from_json(text) == result
    assert ComparisonResult.from_json(text).to_json() == text


def test_the_published_schema_is_the_one_of_the_types():
    want = json.dumps(json_schema(), indent=2) + "\n"
    assert PUBLISHED.read_text("utf-8") == want, (
        "write it anew: python -c 'import json; from fairaudit.changes import json_schema; "
        f"print(json.dumps(json_schema(), indent=2))' > {PUBLISHED.relative_to(ROOT)}"
    )


def test_real_results_fit_the_published_schema(result):
    published = json.loads(PUBLISHED.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    validator = jsonschema.Draft202012Validator(published)
    for item in (result, compared(*world(22, 9))):
        validator.validate(json.loads(item.to_json()))


def test_a_comparison_is_written_whole_and_read_back_only_if_unchanged(result, tmp_path):
    written = write_comparison(result, tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"compare.json", "report.html", "report.md", "changes.csv"}
    assert set(written.files) == names - {"compare.json"}
    assert read_comparison(tmp_path) == read_comparison(tmp_path / "compare.json") == written
    (tmp_path / "report.md").write_text("all is well")
    with pytest.raises(ResultError, match=r"report.md was not written by this comparison"):
        read_comparison(tmp_path)


def test_a_folder_with_an_audit_is_not_written_over(result, tmp_path):
    (tmp_path / "audit.json").write_text("{}")
    with pytest.raises(OptionError, match="holds an audit"):
        write_comparison(result, tmp_path)


def test_reports_escape_the_users_names_and_hold_no_ids(result):
    html, md, text = (render(result, form) for form in ("html", "md", "text"))
    assert "<b>" not in html
    assert "&lt;b&gt;" in md
    assert "d\\|1" in md
    table = render(result, "csv")
    for said in (html, md, text, table, result.to_json()):
        assert "s001" not in said
        assert "u001" not in said
    assert len(pd.read_csv(pd.io.common.StringIO(table))) == len(result.changes())


def test_flat_metrics_are_the_headline_figures(result):
    accent = result.partition("accent")
    assert result.metrics["overall.change"] == result.overall.change.relative
    assert result.metrics["overall.wer"] == result.overall.candidate.wer
    assert result.metrics["accent.worst_change"] == accent.worst.change.relative
    assert result.metrics["accent.gap_change_high"] == accent.gap.change.relative_high
    assert all(isinstance(value, float) for value in result.metrics.values())
