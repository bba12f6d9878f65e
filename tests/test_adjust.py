import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from fairaudit.adjust import adjusted_gap
from fairaudit.auditing import audit
from fairaudit.classes import UTTERANCE_LENGTH, utterance_length
from fairaudit.counts import SpeakerCounts
from fairaudit.estimate import t_quantile
from fairaudit.ranking import BOTTOM, REST, TOP
from fairaudit.rates import AdjustedGap, Gap
from fairaudit.readers import read_log
from fairaudit.report import render
from fairaudit.report.adjusted import _adjustment

#: How much more often a word of an utterance of this class is wrong: short ones are harder.
HARDER = {"1-2": 3.0, "3-5": 2.0, "6-10": 1.3, "11-20": 1.0, "21+": 0.8}


def utterances(seed, speakers=60, *, gap=1.0, confounded=True, each=25, spread=8.0):
    """Draw utterances of bottom and top; the bottom's are shorter where confounded, and so harder."""
    rng = np.random.default_rng(seed)
    side = np.arange(speakers) % 2
    speaker = np.repeat(np.arange(speakers), rng.integers(each // 2, each * 2, speakers))
    mean = np.where((side == BOTTOM) & confounded, 4.0, 14.0)[speaker]
    words = 1 + rng.geometric(1 / mean)
    device = rng.choice(["car", "desk", "street"], len(speaker), p=[0.2, 0.5, 0.3])
    rate = 0.08 * rng.gamma(spread, 1 / spread, speakers)[speaker]
    rate *= np.where(side[speaker] == BOTTOM, gap, 1.0) * np.where(device == "car", 1.8, 1.0)
    length = utterance_length(words).texts().astype(str)
    rate *= np.array([HARDER[name] for name in length])
    return pd.DataFrame(
        {
            "speaker": np.char.add("s", speaker.astype(str)),
            "side": side[speaker],
            "words": words,
            "errors": rng.poisson(words * rate),
            "device": device,
            UTTERANCE_LENGTH: length,
        }
    )


def gap_of(frame, columns, side="side"):
    """Adjust the gap of utterances counted by speaker, side and columns."""
    counts = SpeakerCounts.of(
        frame["speaker"],
        ref_words=frame["words"],
        errors=frame["errors"],
        attributes={
            **{c: frame[c].to_numpy(dtype=object) for c in columns},
            "side": frame[side].to_numpy(float),
        },
    )
    return adjusted_gap(counts, counts.numbers("side").astype(int), columns)


def statsmodels_gap(frame, formula):
    """Fit the model on rows of utterances, as statsmodels' own documentation does."""
    fit = smf.gee(
        f"errors ~ bottom + {formula}",
        groups="speaker",
        data=frame.assign(bottom=(frame["side"] == BOTTOM) * 1.0).sort_values("speaker"),
        offset=np.log(frame.sort_values("speaker")["words"]),
        family=sm.families.Poisson(),
        cov_struct=sm.cov_struct.Independence(),
    ).fit(cov_type="bias_reduced", ctol=1e-9)
    return fit.params["bottom"], fit.bse["bottom"]


@pytest.mark.parametrize("columns", [["device"], ["device", UTTERANCE_LENGTH]])
def test_equals_statsmodels_on_rows_of_utterances(columns):
    frame = utterances(1, gap=1.3)
    got = gap_of(frame, columns).adjusted
    want, se = statsmodels_gap(frame, " + ".join(f"C({c})" for c in columns))
    assert got.estimate[0] == pytest.approx(want, abs=1e-8)
    assert got.se[0] == pytest.approx(se, abs=1e-8)


def test_equals_statsmodels_where_speakers_are_on_both_sides():
    frame = utterances(2, gap=1.3)
    frame["side"] = np.random.default_rng(0).integers(0, 2, len(frame))
    got = gap_of(frame, ["device"]).adjusted
    want, se = statsmodels_gap(frame, "C(device)")
    assert (got.estimate[0], got.se[0]) == pytest.approx((want, se), abs=1e-8)


def test_a_gap_that_is_all_utterance_length_vanishes_and_a_true_one_stays():
    estimates = {}
    for true in (1.0, 1.5):
        gaps = [gap_of(utterances(seed, gap=true), [UTTERANCE_LENGTH]) for seed in range(12)]
        estimates[true] = [
            np.exp(np.mean([g.crude.estimate[0] for g in gaps])),
            np.exp(np.mean([g.adjusted.estimate[0] for g in gaps])),
        ]
    assert estimates[1.0][0] > 1.3
    assert estimates[1.0][1] == pytest.approx(1.0, abs=0.06)
    assert estimates[1.5][0] > 1.9
    assert estimates[1.5][1] == pytest.approx(1.5, abs=0.09)


def test_intervals_hold_the_true_gap_about_19_times_in_20():
    held, worlds = 0, 200
    for seed in range(worlds):
        gap = gap_of(utterances(seed, gap=1.3, each=8, spread=5.0), ["device", UTTERANCE_LENGTH]).adjusted
        reach = t_quantile(gap.df, 0.95) * gap.se
        held += bool(abs(gap.estimate - np.log(1.3)) <= reach)
    assert 0.93 <= held / worlds <= 0.975


def test_rows_of_the_rest_are_not_read():
    frame = utterances(3)
    rest = utterances(4).assign(side=REST, speaker=lambda f: "r" + f["speaker"])
    alone, among = gap_of(frame, ["device"]), gap_of(pd.concat([frame, rest]), ["device"])
    assert among.adjusted.estimate[0] == pytest.approx(alone.adjusted.estimate[0], rel=1e-12)
    assert among.adjusted.se[0] == pytest.approx(alone.adjusted.se[0], rel=1e-12)
    assert among.crude.estimate == alone.crude.estimate


def test_the_order_of_rows_does_not_matter():
    frame = utterances(5)
    first, second = (
        gap_of(f, ["device", UTTERANCE_LENGTH]).adjusted
        for f in (frame, frame.sample(frac=1, random_state=1))
    )
    assert (first.estimate, first.se, first.df) == (second.estimate, second.se, second.df)


def test_a_missing_value_is_a_value_of_its_own():
    frame = utterances(6)
    named = gap_of(frame, ["device"])
    frame["device"] = frame["device"].where(frame["device"] != "car", None)
    missing = gap_of(frame, ["device"])
    assert missing.adjusted.estimate[0] == pytest.approx(named.adjusted.estimate[0], abs=1e-9)
    assert missing.adjusted.se[0] == pytest.approx(named.adjusted.se[0], abs=1e-9)


def test_columns_that_say_nothing_are_dropped_by_name():
    frame = utterances(7).assign(codec="opus", place=lambda f: "at a " + f["device"], age=None)
    gap = gap_of(frame, ["device", "codec", "place", "age"])
    assert gap.columns == ("device",)
    assert gap.dropped == {
        "codec": "has the one value 'opus'",
        "place": "says what other columns say",
        "age": "has the one value 'missing'",
    }
    assert gap.adjusted.estimate[0] == pytest.approx(gap_of(frame, ["device"]).adjusted.estimate[0])
    assert gap_of(frame, ["codec"]).reason == "no column is left to adjust for"


def test_bottom_and_top_that_share_no_value_have_no_adjusted_gap():
    frame = utterances(8)
    frame["device"] = np.where(frame["side"] == BOTTOM, "car", "desk")
    gap = gap_of(frame, ["device"])
    assert gap.adjusted is None
    assert gap.reason == "bottom and top share no value of device"
    assert gap.shared == 0
    assert gap.crude is not None


def test_bottom_and_top_that_share_no_combination_have_no_adjusted_gap():
    frame = utterances(8)
    odd = np.arange(len(frame)) % 2 == 0
    frame["device"] = np.where(odd, "car", "desk")
    frame["gender"] = np.where(odd == (frame["side"] == BOTTOM), "f", "m")
    gap = gap_of(frame, ["device", "gender"])
    assert gap.reason == "bottom and top share no combination of device, gender"


def test_says_how_much_the_comparison_rests_on():
    frame = utterances(9)
    bottom = frame["side"] == BOTTOM
    frame["device"] = np.where(bottom & (frame["device"] == "street"), "tram", frame["device"])
    shared = frame["words"][frame["device"].isin(["car", "desk"])].sum() / frame["words"].sum()
    assert gap_of(frame, ["device"]).shared == pytest.approx(shared)


def test_a_value_of_one_speaker_is_left_out_and_counted():
    frame = utterances(10)
    first = frame["speaker"] == "s0"
    frame.loc[first, "device"] = "telephone"
    gap, without = gap_of(frame, ["device"]), gap_of(frame[~first], ["device"])
    assert gap.left_out == {"one speaker alone decides a term": first.sum()}
    for name in ("adjusted", "crude"):
        assert getattr(gap, name).se == getattr(without, name).se


def test_a_speaker_who_alone_tells_two_columns_apart_is_left_out():
    frame = utterances(11).assign(place=lambda f: f["device"])
    one = (frame["speaker"] == "s3") & (frame["device"] == "car")
    frame.loc[one, "place"] = "desk"
    gap = gap_of(frame, ["device", "place"])
    assert gap.left_out == {"one speaker alone decides a term": one.sum()}
    assert gap.dropped == {"place": "says what other columns say"}
    assert gap.adjusted.se[0] == pytest.approx(gap_of(frame[~one], ["device"]).adjusted.se[0])


def test_values_without_errors_and_rows_without_words_are_left_out_and_counted():
    frame = utterances(12)
    street = frame["device"] == "street"
    frame.loc[street, "errors"] = 0
    silent = pd.DataFrame({"speaker": ["s1"], "side": TOP, "words": 0, "errors": 3, "device": "lift"})
    gap = gap_of(pd.concat([frame, silent]), ["device"])
    assert gap.left_out == {"no reference words": 1, "a value without any error": street.sum()}
    assert np.isfinite(gap.adjusted.se).all()


@pytest.mark.parametrize(
    ("keep", "reason"),
    [
        (["s0", "s1", "s3"], "too few speakers: the bottom has 1"),
        (["s1", "s3"], "too few speakers: the bottom has 0"),
        (["s0", "s2", "s1"], "too few speakers: the top has 1"),
        (["s0", "s2", "s1", "s3"], "too few speakers: 4 for a model of 4 terms"),
        ([], "too few speakers: the bottom has 0"),
    ],
)
def test_too_few_speakers_have_no_adjusted_gap(keep, reason):
    frame = utterances(13)
    gap = gap_of(frame[frame["speaker"].isin(keep)], ["device"])
    assert gap.adjusted is None
    assert gap.reason == reason


@pytest.mark.parametrize(("side", "name"), [(BOTTOM, "bottom"), (TOP, "top")])
def test_a_side_without_errors_has_no_adjusted_gap(side, name):
    frame = utterances(14)
    frame.loc[frame["side"] == side, "errors"] = 0
    gap = gap_of(frame, ["device"])
    assert (gap.adjusted, gap.reason) == (None, f"the {name} has no errors")
    assert (gap.crude is None) == (side == TOP)


def test_a_side_without_errors_where_both_are_alike_has_no_adjusted_gap():
    frame = utterances(15)
    bottom = frame["side"] == BOTTOM
    frame["device"] = np.where(bottom & (frame["device"] != "car"), "tram", frame["device"])
    frame.loc[bottom & (frame["device"] == "car"), "errors"] = 0
    gap = gap_of(frame, ["device"])
    assert gap.reason == "the bottom has no errors where both have the same device"


def test_what_the_model_does_without_is_told_by_reason_and_not_of_few_speakers():
    """Half of the speakers have a silent device without errors, and one a telephone; a gap of 50 %."""
    rng = np.random.default_rng(4)
    rows = []
    for i in range(160):
        group = "p" if i < 80 else "q"
        for device in ("desk", "desk", "far"):
            rows.append((f"s{i:03}", 100, int(rng.poisson(30 if group == "p" else 20)), group, device))
        if i % 2:
            rows.append((f"s{i:03}", 10, 0, group, "booth"))
    rows.append(("s000", 100, 25, "p", "telephone"))
    frame = pd.DataFrame(rows, columns=["speaker_id", "ref_words", "errors", "group", "device"])
    result = audit(read_log(frame), by=["group"], adjust=["device"], permutations=0, splits=3)
    (gap,) = result.partition("group").adjusted_gaps
    assert gap.left_out["a value without any error"] == pytest.approx(80 / len(frame), abs=0.02)
    assert gap.left_out["one speaker alone decides a term"] is None
    said = render(result, "md")
    assert "left out: a value without any error" in said
    assert "one speaker alone decides a term (utterances of few speakers)" in said
    assert "the gap stays" in said
    for one in (gap, gap.crude):
        assert one.ratio == float(f"{one.ratio:.4g}")


def test_what_the_partition_itself_reads_is_not_adjusted_for():
    rng = np.random.default_rng(6)
    speaker, device = np.repeat(np.arange(120), 4), np.repeat(rng.integers(0, 2, 120), 4)
    frame = pd.DataFrame({"speaker_id": [f"s{i:03}" for i in speaker], "device": [f"d{d}" for d in device]})
    frame["noise"] = [f"n{n}" for n in rng.integers(0, 2, len(frame))]
    frame["ref_words"] = 100
    frame["errors"] = rng.poisson(np.where(device, 30, 20))
    log = read_log(frame)
    both = audit(log, by=["device"], adjust=["device,noise"], permutations=0, splits=3)
    (gap,) = both.partition("device").adjusted_gaps
    assert gap.dropped == {"device": "the partition reads it"}
    assert (gap.ways, gap.reason) == (6, None)
    noise = audit(log, by=["device"], adjust=["noise"], permutations=0, splits=3)
    assert gap.relative == noise.partition("device").adjusted_gaps[0].relative
    assert "without device: the partition reads it" in render(both, "md")
    alone = audit(log, by=["device"], adjust=["device"], permutations=0, splits=3)
    (gap,) = alone.partition("device").adjusted_gaps
    assert (gap.relative, gap.reason) == (None, "no column is left to adjust for")
    assert gap.dropped == {"device": "the partition reads it"}


@pytest.mark.parametrize(
    ("adjusted", "crude", "said"),
    [
        ((0.3, 0.1, 0.5), (0.4, 0.2, 0.6), "the gap stays"),
        ((0.1, 0.02, 0.2), (0.4, 0.2, 0.6), "less than half is left"),
        ((0.1, -0.1, 0.3), (0.4, 0.2, 0.6), "the gap vanishes"),
        ((-0.1, -0.3, 0.1), (0.4, 0.2, 0.6), "the gap vanishes"),
        ((0.3, -0.1, 0.7), (0.4, 0.2, 0.6), "no longer clear, though not much smaller"),
        ((-0.3, -0.5, -0.1), (0.4, 0.2, 0.6), "the gap is reversed"),
        ((0.3, 0.1, 0.5), (0.05, -0.2, 0.3), "clear only where they are alike"),
        ((0.3, -0.1, 0.5), (0.05, -0.2, 0.3), "not clear with it or without"),
    ],
)
def test_it_is_said_what_became_of_a_gap(adjusted, crude, said):
    names = ("relative", "relative_low", "relative_high")
    without = Gap(definition="b", **dict(zip(names, crude, strict=True)))
    gap = AdjustedGap(
        definition="a", columns=("device",), crude=without, **dict(zip(names, adjusted, strict=True))
    )
    assert _adjustment(gap) == said
