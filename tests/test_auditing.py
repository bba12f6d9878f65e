import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from worlds import accents, frame, measurement

from fairaudit.auditing import audit
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.estimate import holm
from fairaudit.exceptions import FairauditError
from fairaudit.readers import read_log
from fairaudit.split import halves

SMALL = {name: {"min_speakers": 15} for name in ("geo", "zip", "voice")}
BY = ["geo", "zip", "voice", "accent", "device"]


def run(plain, **options):
    given = {"by": BY, "permutations": 9, "splits": 2} | options
    given["parameters"] = {name: SMALL[name] for name in given["by"] if name in SMALL}
    return audit(read_log(plain), **given)


@pytest.fixture(scope="module")
def planted():
    return run(frame(1, 400, effect=1.7), splits=11, permutations=99)


def test_a_planted_cohort_is_found_by_place_by_voice_and_by_label(planted):
    for name in ("geo", "voice", "accent"):
        found = planted.partition(name)
        assert found.gap.relative_low > 0
        assert found.chance.p_value == found.chance.p_floor == 0.01
        assert found.gap.relative > found.chance.p95
    assert planted.partition("accent").bottom.cohorts == ("accent 0",)
    # Nothing was planted for devices, which every speaker changes.
    assert planted.partition("device").chance.p_value > 0.05


def test_p_values_are_corrected_over_the_partitions_of_an_audit(planted):
    p = [q.chance.p_value for q in planted.partitions]
    assert [q.chance.p_value_holm for q in planted.partitions] == holm(p)
    assert planted.partition("geo").chance.p_value_holm == pytest.approx(0.05)


def text_of(plain, monkeypatch, **options):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    return run(plain, **options).to_json()


def test_equal_seeds_give_equal_bytes_whatever_the_order_of_the_rows(monkeypatch):
    plain = frame(3, 150)
    shuffled = plain.sample(frac=1.0, random_state=5).reset_index(drop=True)
    first = text_of(plain, monkeypatch)
    assert text_of(plain, monkeypatch) == first
    assert text_of(shuffled, monkeypatch) == first
    other = text_of(plain, monkeypatch, seed=2)
    assert other != first


def test_another_seed_draws_other_halves_and_other_permutations():
    first, other = (run(frame(3, 150), by=["accent"], seed=seed).partition("accent") for seed in (1, 2))
    assert first.gap.relative != other.gap.relative
    assert first.chance.gaps != other.chance.gaps
    # What needs no chance stays.
    assert [c.wer for c in first.cohorts] == [c.wer for c in other.cohorts]


def test_the_number_of_threads_changes_no_byte(tmp_path):
    frame(3, 120).drop(columns="embedding").to_parquet(tmp_path / "log.parquet")
    pd.DataFrame(
        {
            "speaker_id": [f"person-{i:05}" for i in range(120)],
            "embedding": list(np.random.default_rng(1).normal(size=(120, 16)).astype(np.float32)),
        }
    ).to_parquet(tmp_path / "voices.parquet")
    code = (
        "import sys, fairaudit.auditing as a, fairaudit.readers as r\n"
        "log = r.read_log(sys.argv[1], embeddings=sys.argv[2])\n"
        "sys.stdout.write(a.audit(log, permutations=9, splits=2).to_json())\n"
    )
    texts = []
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, threads) | {"SOURCE_DATE_EPOCH": "0"}
        arguments = [sys.executable, "-c", code, tmp_path / "log.parquet", tmp_path / "voices.parquet"]
        texts.append(subprocess.run(arguments, env=environment, capture_output=True, check=True).stdout)
    assert texts[0] == texts[1]
    assert len(texts[0]) > 10_000


def test_rows_that_cannot_be_placed_have_a_row_of_their_own_with_their_share():
    plain = frame(4, 300, missing=60)
    result = run(plain)
    zips = result.partition("zip")
    number = plain["speaker_id"].str[-5:].astype(int)
    names = np.array(sorted(plain["speaker_id"].unique()), dtype=object)
    measured = names[halves(names, 1, 1)[0]]
    lost = plain[(number < 60) & plain["speaker_id"].isin(measured)]
    assert zips.unassigned.speakers == lost["speaker_id"].nunique()
    assert zips.unassigned.errors == lost["errors"].sum()
    assert zips.unassigned.reasons == {"ZIP code unknown": len(lost)}
    # A fifth of the measured half, as of the whole log.
    assert zips.unassigned.share.speakers == pytest.approx(len(lost) / 3 / len(measured))
    assert zips.unassigned.share.speakers == pytest.approx(0.2, abs=0.06)
    assert zips.overall.speakers + zips.unassigned.speakers == len(measured)


def test_a_missing_label_is_unassigned_on_all_speakers():
    plain = frame(4, 300)
    number = plain["speaker_id"].str[-5:].astype(int)
    plain.loc[number < 30, "accent"] = None
    accent = run(plain).partition("accent")
    lost = plain[number < 30]
    assert (accent.unassigned.speakers, accent.unassigned.errors) == (30, lost["errors"].sum())
    assert accent.unassigned.reasons == {"no accent": 90}
    assert accent.unassigned.share.speakers == pytest.approx(0.1)
    assert accent.overall.speakers == 270
    assert sum(c.errors for c in accent.cohorts) == accent.overall.errors


def test_a_partition_whose_column_is_empty_says_so():
    plain = frame(4, 40)
    plain["zip_code"] = "00000"
    found = run(plain, by=["zip", "accent"]).partition("zip")
    assert found.cohorts == ()
    assert found.gap.reason == "no row of the log can be placed: ZIP code unknown"
    assert found.unassigned.speakers == 40
    assert found.unassigned.share.speakers == 1.0
    assert found.chance is None


def test_every_cohort_against_a_reference():
    result = run(frame(5, 300), by=["accent", "device"], reference_cohort="accent=accent 2")
    accent = result.partition("accent")
    assert [c.cohort for c in accent.cohorts if c.against_reference is None] == ["accent 2"]
    assert accent.top.cohorts == ("accent 2",)
    assert accent.gaps.reference == accent.gap
    assert all(c.against_reference is None for c in result.partition("device").cohorts)
    assert result.partition("device").gaps.reference is None


def test_too_few_permutations_for_so_many_partitions_are_warned_of():
    log = read_log(frame(6, 120))
    found = audit(log, by=["accent", "device"], permutations=19, splits=1)
    (warning,) = found.log.warnings
    assert "19 permutations and 2 partitions no corrected p can be below 0.1" in warning
    assert "at least 39 permutations" in warning
    assert audit(log, by=["accent", "device"], permutations=39, splits=1).log.warnings == ()
    assert audit(log, by=["accent", "device"], permutations=0, splits=1).log.warnings == ()


def test_without_permutations_there_is_no_chance():
    assert all(p.chance is None for p in run(frame(6, 120), by=["accent"], permutations=0).partitions)


def test_the_default_number_of_splits_is_recorded():
    assert run(frame(6, 60), by=["accent"], splits=None).options["splits"] == 11
    assert run(frame(6, 60), by=["accent"], splits=3).partition("accent").splits.n == 3


def test_progress_is_told():
    told = []
    run(frame(6, 60), by=["accent"], progress=lambda *stage: told.append(stage))
    assert told[:2] == [("count", 0, 1), ("count", 1, 1)]
    assert told[-1] == ("accent", 9, 9)


@pytest.mark.parametrize("speakers", [1, 2, 3, 11])
def test_a_tiny_log_gives_reasons_and_no_traceback(speakers):
    plain = frame(7, speakers)
    result = run(plain, min_speakers_shown=1)
    assert result.log.speakers == speakers
    for partition in result.partitions:
        assert partition.gap.relative is not None or partition.gap.reason


def test_a_log_without_a_single_error_gives_no_gap_and_no_p():
    plain = frame(8, 150)
    plain["errors"] = 0
    result = run(plain)
    for partition in result.partitions:
        assert partition.gap.relative is None
        assert partition.gap.reason
        assert partition.overall.wer == 0.0
        assert partition.overall.high > 0


def test_words_without_any_speaker_behind_them_are_refused():
    with pytest.raises(FairauditError):
        audit(read_log(frame(8, 5).iloc[:0]), by=["accent"])


def p_values(seed):
    """p of the search by place and of a label, in a log with no gap at all."""
    plain = frame(seed, 100).drop(columns=["zip_code", "embedding"])
    found = audit(read_log(plain), by=[GeoTree(min_speakers=15), "accent"], permutations=19, splits=1)
    return [(p.chance.p_value, p.chance.in_sample_p_value) for p in found.partitions]


def test_p_values_of_whole_audits_are_uniform_without_any_gap():
    p = np.array([p_values(seed) for seed in range(100, 140)]).reshape(-1)
    assert len(p) == 160
    assert np.mean(p) == pytest.approx(0.525, abs=0.08)
    assert np.mean(p <= 0.1) == pytest.approx(0.1, abs=0.07)


def test_a_permutation_moves_errors_and_leaves_halves_and_attributes():
    m = measurement(accents(1, 60), splits=2)
    seen = []
    named = type(m.procedure).named

    def spy(self, way, cohort, cohorts, errors, words):
        seen.append((way.measured.copy(), cohort.copy(), errors.sum(axis=1), words.sum(axis=1)))
        return named(self, way, cohort, cohorts, errors, words)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(m.procedure), "named", spy)
        m.chance(7, [1], lambda n: None)
    observed, permuted = seen[:4], seen[-4:]
    for (half, cohort, *_), (other_half, other_cohort, errors, words) in zip(observed, permuted, strict=True):
        np.testing.assert_array_equal(half, other_half)
        np.testing.assert_array_equal(cohort, other_cohort)
        assert set(errors) == {m.counts.errors.sum()}
        assert set(words) == {m.counts.ref_words.sum()}


def test_no_path_of_this_machine_and_no_speaker_is_in_a_result(planted):
    text = planted.to_json()
    assert "person-" not in text
    assert str(Path.cwd()) not in text


def test_each_partition_has_permutations_of_its_own_that_do_not_depend_on_the_others():
    plain = frame(9, 120)
    plain["again"] = plain["accent"]
    both = run(plain, by=["accent", "again"])
    gaps = {p.name: p.chance.gaps for p in both.partitions}
    assert gaps["accent"] != gaps["again"]
    assert run(plain, by=["again"]).partition("again").chance.gaps == gaps["again"]
