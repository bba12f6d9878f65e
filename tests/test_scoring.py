"""Text to counts: against jiwer, against NIST's sclite, and against the published table of EdAcc."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import jiwer
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import assert_same

from fairaudit.aggregate import aggregate
from fairaudit.exceptions import OptionError
from fairaudit.log import FLAGS
from fairaudit.readers import read_log, text
from fairaudit.scoring import NORMALIZERS, normalizer, normalizers, score, scoring_record

ROOT = Path(__file__).parent.parent
REAL = Path(os.environ.get("FAIRAUDIT_REAL_DATA", ROOT.parent / "shared/data"))
needs_real = pytest.mark.skipif(
    not REAL.is_dir(), reason="needs the real logs: set FAIRAUDIT_REAL_DATA to the folder that holds them"
)
KINDS = ("substitutions", "deletions", "insertions")

WORDS = (
    "a",
    "b",
    "the",
    "uh",
    "Colour",
    "color",
    "it's",
    "won't",
    "mr.",
    "Twenty-one",
    "21",
    "$5",
    "É",
    "日本",
    "",
)
texts = st.lists(st.sampled_from(WORDS), max_size=9).flatmap(
    lambda words: st.sampled_from((" ", "  ", "\t", ", ", "\u00a0")).map(lambda space: space.join(words))
) | st.text(max_size=12)


def by_jiwer(reference, hypothesis, name):
    words, spoken = (" ".join(normalizer(name)(t).split()) for t in (reference, hypothesis))
    found = jiwer.process_words(words, spoken)
    return len(words.split()), found.substitutions, found.deletions, found.insertions


@pytest.mark.parametrize("name", NORMALIZERS)
@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(texts, texts), max_size=6))
def test_counts_are_those_of_jiwer(name, pairs):
    counts = score([r for r, _ in pairs], [h for _, h in pairs], name)
    for row, (reference, hypothesis) in enumerate(pairs):
        found = tuple(int(counts[column][row]) for column in ("ref_words", *KINDS))
        assert found == by_jiwer(reference, hypothesis, name)
    assert all(values.dtype == np.int64 for values in counts.values())


@pytest.mark.parametrize("name", NORMALIZERS)
@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(texts, texts), max_size=6))
def test_characters_are_counted_as_jiwer_does(name, pairs):
    counts = score([r for r, _ in pairs], [h for _, h in pairs], name, unit="characters")
    for row, sides in enumerate(pairs):
        said, heard = (" ".join(normalizer(name)(side).split()) for side in sides)
        found = jiwer.process_characters(said, heard)
        assert [int(counts[kind][row]) for kind in KINDS] == [getattr(found, kind) for kind in KINDS]
        assert counts["ref_words"][row] == len(said)


def test_spaces_are_characters_and_runs_of_them_are_one():
    counts = score([" on  a\tmat "], ["onamat"], unit="characters")
    assert (counts["ref_words"][0], counts["deletions"][0]) == (8, 2)
    with pytest.raises(OptionError, match="unknown unit 'word'") as refused:
        score(["a"], ["a"], unit="word")
    assert "words" in refused.value.allowed


@pytest.mark.parametrize(
    ("reference", "hypothesis", "flags"),
    [
        ("thank you", "thank you " * 5, (0, 0, 0)),
        ("thank you", "thank you " * 5 + "thank", (0, 0, 1)),
        ("bye", "thank you " * 200, (0, 0, 1)),
        ("", "thank you " * 200, (1, 0, 0)),
        ("Uh, um.", "thank you", (1, 0, 0)),
        ("thank you", "Hmm.", (0, 1, 0)),
        ("[noise]", "", (1, 1, 0)),
    ],
)
@pytest.mark.parametrize("unit", ["words", "characters"])
def test_empty_texts_and_loops_are_told_after_normalising(reference, hypothesis, flags, unit):
    counts = score([reference], [hypothesis], "whisper-en", unit=unit)
    assert tuple(int(counts[flag][0]) for flag in FLAGS[1:]) == flags


@settings(max_examples=60, deadline=None)
@given(reference=texts, hypothesis=texts)
def test_substitutions_deletions_and_insertions_are_one_alignment(reference, hypothesis):
    counts = {name: int(values[0]) for name, values in score([reference], [hypothesis]).items()}
    assert min(counts.values()) >= 0
    hits = counts["ref_words"] - counts["substitutions"] - counts["deletions"]
    assert hits >= 0
    assert hits + counts["substitutions"] + counts["insertions"] == len(hypothesis.split())


@pytest.mark.parametrize(
    ("reference", "hypothesis", "counts"),
    [
        ("", "", (0, 0, 0, 0)),
        (" \n", "", (0, 0, 0, 0)),
        ("", "oh well", (0, 0, 0, 2)),
        ("oh well", "", (2, 0, 2, 0)),
        ("oh well", " oh\twell ", (2, 0, 0, 0)),
        ("oh well", "Oh well", (2, 1, 0, 0)),
    ],
)
def test_an_empty_side_is_all_insertions_or_all_deletions(reference, hypothesis, counts):
    found = score([reference], [hypothesis])
    assert tuple(int(found[name][0]) for name in ("ref_words", *KINDS)) == counts


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(normalizers, "KEPT", 10)
    bounded = normalizers.bounded.__wrapped__("basic")
    for number in range(2, 50):
        assert bounded(f"Word{number}") == f"word{number}"
    assert bounded.cache_info().currsize == 10


def test_normalisers_do_what_their_names_say():
    said, heard = "Uh, Mister Smith's COLOUR [noise]", "mr smith's color"
    errors = {name: sum(int(score([said], [heard], name)[k][0]) for k in KINDS) for name in NORMALIZERS}
    assert errors["whisper-en"] == 0
    assert 0 < errors["basic"] < errors["none"]
    with pytest.raises(OptionError, match="unknown normalizer 'whisper'") as refused:
        normalizer("whisper")
    assert refused.value.allowed.startswith("did you mean 'whisper-en'?")


def test_the_record_names_the_normaliser_its_version_and_its_files():
    none, basic = scoring_record("none"), scoring_record("basic")
    assert (none.normalizer, none.version) == ("none", "")
    assert re.fullmatch(r"\d+(\.\d+)+", basic.version)
    assert re.fullmatch("[0-9a-f]{64}", basic.sha256)
    assert basic.sha256 != none.sha256


def spoken(n=40, seed=1):
    rng = np.random.default_rng(seed)
    pick = [" ".join(rng.choice(WORDS, rng.integers(0, 9))) for _ in range(2 * n)]
    return pd.DataFrame(
        {"speaker_id": [f"s{i % 7}" for i in range(n)], "device": [f"d{i % 3}" for i in range(n)],
         "reference": pick[:n], "hypothesis": pick[n:]}
    )  # fmt: skip


@pytest.mark.parametrize("name", NORMALIZERS)
def test_a_log_of_text_counts_like_a_log_of_its_counts(name, tmp_path):
    table = spoken()
    log = read_log(table, normalizer=name)
    counts = score(table["reference"].tolist(), table["hypothesis"].tolist(), name)
    plain = read_log(table.drop(columns=["reference", "hypothesis"]).assign(**counts))
    assert counts["ref_words"].sum() > 0
    for setting in ((), ("device",)):
        assert_same(aggregate(log, setting), aggregate(plain, setting))
    assert log.scoring == scoring_record(name)
    assert plain.scoring is None
    table.to_csv(tmp_path / "log.csv", index=False)
    table.to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    for file in ("log.csv", "log.jsonl"):
        assert_same(aggregate(read_log(tmp_path / file, normalizer=name), ()), aggregate(log, ()))


def test_text_is_scored_in_batches_of_any_size(monkeypatch):
    table = spoken(200)
    whole = aggregate(read_log(table, normalizer="basic"), ("device",))
    monkeypatch.setattr(text, "ROWS_AT_ONCE", 7)
    assert_same(aggregate(read_log(table, normalizer="basic"), ("device",)), whole)


def test_nothing_of_the_text_stays_in_the_log():
    table = spoken().assign(hypothesis="secretword", reference="secretword other")
    log = read_log(table, normalizer="none")
    assert log.columns == {"speaker_id", "ref_words", "errors", *KINDS, *FLAGS}
    assert log.labels == ("device",)
    rows = log.frame.collect("pyarrow").to_native()
    assert not {"reference", "hypothesis"} & set(rows.column_names)
    assert "secretword" not in str(rows.to_pydict())
    files = list(log.engine.folder.rglob("*.parquet"))
    assert files
    assert not [file for file in files if "hypothesis" in pd.read_parquet(file).columns]


def test_missing_texts_are_counted_and_empty_ones_scored(tmp_path):
    table = pd.DataFrame(
        {"speaker_id": list("abcd"), "reference": ["x y", None, "x", ""], "hypothesis": ["x", "x", None, "x"]}
    )
    table.to_parquet(tmp_path / "log.parquet")
    for source in (table, tmp_path / "log.parquet"):
        log = read_log(source, max_excluded=0.5, missing_hypothesis="exclude")
        assert log.excluded == {"missing_reference": 1, "missing_hypothesis": 1}
        counts = aggregate(log, ())
        assert counts.speakers.tolist() == ["a", "d"]
        assert (counts.ref_words.tolist(), counts.errors.tolist()) == ([2, 0], [1, 1])


def test_text_is_scored_where_a_normaliser_is_named_and_else_counts_are_kept():
    table = spoken().assign(ref_words=100, errors=1)
    kept = read_log(table)
    assert kept.scoring is None
    assert aggregate(kept, ()).errors.sum() == len(table)
    scored = read_log(table, normalizer="none")
    plain = read_log(table.drop(columns=["ref_words", "errors"]))
    assert_same(aggregate(scored, ()), aggregate(plain, ()))
    assert scored.warnings == ()
    assert plain.warnings == (
        "text is scored as it stands: case and punctuation count as errors "
        "(--normalizer none; basic, whisper-en)",
    )


def edacc(model):
    """Read EdAcc as its table was made: without segments that are not to be scored, and without tags."""
    rows = pd.read_json(REAL / f"edacc/{model}.jsonl.gz", lines=True, dtype=False)
    rows = rows[~rows["ref_raw"].str.contains("IGNORE_TIME_SEGMENT_IN_SCORING|<FOREIGN>")]
    return rows.assign(ref_raw=rows["ref_raw"].str.replace("<[^>]*>", " ", regex=True))


#: Accents with at least 20 minutes and three speakers; pooled WER in percent of each, and of all of these.
ACCENTS = ["Indian English", "Irish English", "Jamaican English", "Mainstream US English", "Nigerian English"]
ACCENTS += ["Spanish", "Vietnamese"]
PUBLISHED = {
    "whisper-large-v3-turbo": [10.51, 11.50, 22.73, 17.33, 22.53, 25.68, 28.43, 19.92],
    "parakeet-tdt-0.6b-v3": [8.54, 10.40, 18.83, 12.91, 17.28, 16.56, 22.17, 15.17],
}


@needs_real
@pytest.mark.parametrize("model", PUBLISHED)
def test_the_text_of_edacc_gives_its_published_table(model):
    names = {
        "utterance_id": "utt_id",
        "speaker_id": "speaker",
        "reference": "ref_raw",
        "hypothesis": "hyp_raw",
    }
    log = read_log(edacc(model), columns=names, where={"accent": ACCENTS}, normalizer="whisper-en")
    counts = aggregate(log, ["accent"])
    assert (counts.utterances.sum(), len(counts.speakers), log.excluded) == (5087, 35, {})
    accents = counts.labels("accent")
    rows = [accents.codes == code for code in range(len(ACCENTS))] + [accents.codes >= 0]
    wer = [100 * counts.errors[r].sum() / counts.ref_words[r].sum() for r in rows]
    assert accents.values == tuple(ACCENTS)
    # The normaliser of the table is another release, which differs by up to 0.3 points.
    assert wer == pytest.approx(PUBLISHED[model], abs=0.3)


def sclite():
    """Return the command of NIST's scorer; Debian puts it behind one of its own (package sctk)."""
    if shutil.which("sclite"):
        return ["sclite"]
    return ["sctk", "sclite"] if shutil.which("sctk") else None


def by_sclite(references, hypotheses, folder):
    """Return correct, substituted, deleted and inserted words of each utterance."""
    for side, lines in (("ref", references), ("hyp", hypotheses)):
        trn = "".join(f"{line} (u{number:05}-0)\n" for number, line in enumerate(lines))
        (folder / f"{side}.trn").write_text(trn)
    report = ["-o", "pralign", "stdout"]
    run = subprocess.run(
        [*sclite(), "-r", "ref.trn", "trn", "-h", "hyp.trn", "trn", "-i", "spu_id", *report],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.findall(r"id: \(u(\d+)-0\)\nScores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)", run.stdout)
    assert [int(number) for number, *_ in found] == list(range(len(references)))
    return np.array([counts for _, *counts in found], dtype=int).T


def assert_like_sclite(references, hypotheses, folder):
    """Compare with sclite, which makes 4 S + 3 (D + I) least: 3 times the errors, plus the substitutions."""
    correct, *kinds = by_sclite(references, hypotheses, folder)
    counts = score(references, hypotheses)
    substituted, errors = counts["substitutions"], sum(counts[kind] for kind in KINDS)
    assert (counts["ref_words"] == correct + kinds[0] + kinds[1]).all()
    more = sum(kinds) - errors
    assert (more >= 0).all()
    # It takes an error more where that spares three substitutions or more, and nowhere else.
    assert (substituted - kinds[0] >= 3 * more).all()
    assert (3 * sum(kinds) + kinds[0] <= 3 * errors + substituted).all()
    return errors, more


needs_sclite = pytest.mark.skipif(sclite() is None, reason="needs sclite: apt-get install sctk")


@needs_sclite
def test_sclite_counts_the_same_words_and_errors_but_where_it_spares_three_substitutions(tmp_path):
    rng = np.random.default_rng(3)
    sides = [[" ".join(rng.choice(list("abcdef"), rng.integers(1, 13))) for _ in range(1500)] for _ in "rh"]
    _, more = assert_like_sclite(*sides, tmp_path)
    assert 0 < (more > 0).mean() < 0.02


@needs_real
@needs_sclite
def test_sclite_counts_the_same_words_and_errors_of_edacc(tmp_path):
    rows = edacc("parakeet-tdt-0.6b-v3")[:2500]
    normalize = normalizer("whisper-en")
    references, hypotheses = ([normalize(t) for t in rows[f"{side}_raw"]] for side in ("ref", "hyp"))
    errors, more = assert_like_sclite(references, hypotheses, tmp_path)
    assert errors.sum() > 1000
    assert more.sum() <= 2
