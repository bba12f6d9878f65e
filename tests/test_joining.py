"""References and metadata in files of their own: what matches, what does not, and what is said of it."""

import pandas as pd
import pytest

from fairaudit.aggregate import aggregate
from fairaudit.auditing import audit
from fairaudit.cli import main
from fairaudit.exceptions import InputError, LogError, OptionError
from fairaudit.readers import read_log

HYPOTHESES = pd.DataFrame({"utterance_id": ["u1", "u2", "u3"], "hypothesis": ["a b", "c", ""]})
REFERENCES = pd.DataFrame({"utterance_id": ["u3", "u1", "u2"], "reference": ["x y", "a b", "c d"]})
SPEAKERS = pd.DataFrame({"speaker_id": ["ann", "bob"], "accent": ["north", "south"]})
WHO = pd.DataFrame({"utterance_id": ["u1", "u2", "u3"], "speaker_id": ["ann", "ann", "bob"]})


def rows(log):
    table = log.frame.collect("pyarrow").to_native().to_pylist()
    return {row["utterance_id"]: row for row in table}


def test_three_tables_are_joined_by_utterance_and_then_by_speaker():
    log = read_log(HYPOTHESES, references=REFERENCES, metadata=[WHO, SPEAKERS], normalizer="none")
    found = rows(log)
    assert {i: (r["speaker_id"], r["accent"], r["ref_words"], r["errors"]) for i, r in found.items()} == {
        "u1": ("ann", "north", 2, 0),
        "u2": ("ann", "north", 2, 1),
        "u3": ("bob", "south", 2, 2),
    }
    assert log.labels == ("accent",)
    assert [source.role for source in log.inputs] == ["log", "references", "metadata", "metadata"]
    assert [(c.record.role, c.record.key, c.record.matched_by) for c in log.coverage] == [
        ("references", "utterance_id", "exact"),
        ("metadata", "utterance_id", "exact"),
        ("metadata", "speaker_id", "exact"),
    ]
    assert all(c.record.rows_matched == c.record.rows for c in log.coverage)
    assert all(c.record.utterances_matched == c.record.utterances == 3 for c in log.coverage)


def test_the_coverage_counts_both_sides_and_names_the_first_that_do_not_match():
    more = pd.DataFrame({"utterance_id": [f"u{i}" for i in range(2, 9)], "speaker_id": "cid", "x": "1"})
    log = read_log(WHO.assign(ref_words=5, errors=1), metadata=more.rename(columns={"speaker_id": "other"}))
    (fits,) = log.coverage
    assert (fits.record.rows, fits.record.rows_matched) == (7, 2)
    assert (fits.record.utterances, fits.record.utterances_matched) == (3, 2)
    assert fits.only_in_log == ("u1",)
    assert fits.only_in_file == ("u4", "u5", "u6")
    assert fits.lines() == [
        "metadata <table>: 2 of 3 utterances of the log are in it, 2 of its 7 rows are in the log",
        "  only in the log, such as: u1",
        "  only in <table>, such as: u4, u5, u6",
    ]


def test_the_ids_that_do_not_match_are_told_on_standard_error_and_stored_nowhere(tmp_path, capsys):
    counts = pd.DataFrame({"utterance_id": [f"utt-{i:03}" for i in range(60)], "ref_words": 9, "errors": 1})
    who = pd.DataFrame(
        {"utterance_id": [f"utt-{i:03}" for i in range(61)], "speaker_id": [f"s{i % 30}" for i in range(61)]}
    )
    counts.assign(device=["x", "y"] * 30).to_csv(tmp_path / "log.csv", index=False)
    who.to_csv(tmp_path / "who.csv", index=False)
    out = tmp_path / "out"
    options = ["--metadata", str(tmp_path / "who.csv"), "--permutations", "0"]
    assert main(["audit", str(tmp_path / "log.csv"), "-o", str(out), *options]) == 0
    said = capsys.readouterr()
    assert "60 of 60 utterances of the log are in it, 60 of its 61 rows are in the log" in said.err
    assert "only in who.csv, such as: utt-060" in said.err
    assert "utt-060" not in said.out
    for file in out.iterdir():
        assert "utt-0" not in file.read_text("utf-8"), file.name
    joined = (out / "audit.json").read_text("utf-8")
    assert '"rows_matched":60' in joined.replace(" ", "")
    assert "What was joined" in (out / "report.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("ids", "way"),
    [
        (["U1", "U2", "U3"], "case"),
        (["/data/x/u1.wav", "/data/y/u2.flac", "z/u3.mp3"], "file name"),
        (["C:\\a\\U1.WAV", "C:\\a\\U2.WAV", "C:\\b\\U3.WAV"], "file name and case"),
    ],
)
def test_ids_of_another_spelling_are_matched_and_that_is_said(ids, way):
    log = read_log(WHO.assign(ref_words=5, errors=1), metadata=pd.DataFrame({"utterance_id": ids, "x": "1"}))
    (fits,) = log.coverage
    assert (fits.record.matched_by, fits.record.utterances_matched) == (way, 3)
    assert log.warnings == (f"ids of the log and of <table> are not the same; they were matched by {way}",)
    assert {row["x"] for row in rows(log).values()} == {"1"}


def test_ids_are_folded_only_where_more_match_then():
    def matched(ids):
        log = read_log(
            WHO.assign(ref_words=5, errors=1), metadata=pd.DataFrame({"utterance_id": ids, "x": "1"})
        )
        return log.coverage[0].record.matched_by, log.coverage[0].record.utterances_matched

    assert matched(["u1", "u2", "u9"]) == ("exact", 2)
    assert matched(["u1", "U2", "U3"]) == ("case", 3)


def test_ids_that_become_one_when_they_are_folded_are_refused():
    log = pd.DataFrame({"utterance_id": ["x/1.wav", "y/1.wav"], "hypothesis": ["a", "b"], "speaker_id": "s"})
    with pytest.raises(LogError, match="utterance_id '1' is there 2 times, as ids are compared by file name"):
        read_log(log, references=pd.DataFrame({"utterance_id": ["1"], "reference": ["a"]}))


def test_what_is_joined_by_speaker_leaves_utterance_ids_alone():
    table = SPEAKERS.assign(utterance_id=["zz", "yy"])
    log = read_log(WHO.assign(ref_words=5, errors=1), metadata=table)
    assert {i: row["accent"] for i, row in rows(log).items()} == {"u1": "north", "u2": "north", "u3": "south"}


def test_an_empty_value_does_not_replace_a_known_one(tmp_path):
    (tmp_path / "meta.csv").write_text("utterance_id,accent\nu1,\nu2,new\n")
    log = read_log(WHO.assign(ref_words=5, errors=1, accent="old"), metadata=tmp_path / "meta.csv")
    assert [rows(log)[i]["accent"] for i in ("u1", "u2", "u3")] == ["old", "new", "old"]


def test_files_of_metadata_may_come_in_any_order_and_speakers_from_ids_in_between():
    for order in ([SPEAKERS, WHO], [WHO, SPEAKERS]):
        log = read_log(HYPOTHESES, references=REFERENCES, metadata=order, normalizer="none")
        assert {row["accent"] for row in rows(log).values()} == {"north", "south"}
    ids = pd.DataFrame({"utterance_id": ["ann-1", "bob-1"], "hypothesis": ["a", "b"]})
    log = read_log(
        ids,
        references=ids.rename(columns={"hypothesis": "reference"}),
        metadata=SPEAKERS,
        speaker_from_id="^([a-z]+)-",
    )
    assert {row["speaker_id"]: row["accent"] for row in rows(log).values()} == {
        "ann": "north",
        "bob": "south",
    }


def test_a_selection_does_not_drop_utterances_without_a_hypothesis_unseen():
    hypotheses = HYPOTHESES[:2].assign(device="phone")
    given = {"references": REFERENCES, "metadata": WHO, "normalizer": "none"}
    for how in (None, "delete", "exclude"):
        with pytest.raises(LogError, match="1 utterance has no hypothesis and no device"):
            read_log(hypotheses, where={"device": ["phone"]}, missing_hypothesis=how, **given)
    # What the references know of every utterance can be selected by.
    known = {**given, "references": REFERENCES.assign(device="phone")}
    log = read_log(HYPOTHESES[:2], where={"device": ["phone"]}, missing_hypothesis="delete", **known)
    assert len(rows(log)) == 3
    lacking = read_log(
        HYPOTHESES.assign(utterance_id=["u1", "u2", "zz"]),
        where={"device": ["phone"]},
        missing_hypothesis="delete",
        **known,
    )
    assert "left out by --where device: 1 utterances without a reference and a device" in lacking.warnings


def test_a_log_of_counts_is_held_against_its_references():
    counts = WHO[:2].assign(ref_words=5, errors=1)
    given = {"references": REFERENCES, "metadata": WHO}
    with pytest.raises(LogError, match="1 utterance has no hypothesis, such as utterance_id 'u3'"):
        read_log(counts, **given)
    with pytest.raises(OptionError, match="the words to be counted as deleted are not known"):
        read_log(counts, missing_hypothesis="delete", **given)
    log = read_log(counts, missing_hypothesis="exclude", **given)
    assert log.excluded == {"missing_hypothesis": 1}
    assert (log.rows, len(rows(log))) == (3, 2)
    with pytest.raises(OptionError, match="no hypothesis can be missing"):
        read_log(counts, missing_hypothesis="exclude")


def test_one_column_can_be_two_sides_in_two_files():
    log = read_log(
        HYPOTHESES.rename(columns={"hypothesis": "text"}),
        references=REFERENCES.rename(columns={"reference": "text"}),
        metadata=WHO,
        columns={"hypothesis": "text", "reference": "text"},
        normalizer="none",
    )
    assert aggregate(log, ()).errors.tolist() == [1, 2]
    with pytest.raises(OptionError, match="the column 'errors' is mapped to ref_words and errors"):
        read_log(WHO.assign(errors=1), columns={"ref_words": "errors", "errors": "errors"})


def test_columns_of_two_files_that_differ_by_case_are_refused():
    with pytest.raises(LogError, match="the columns 'accent' and 'Accent' have one name"):
        read_log(
            WHO.assign(ref_words=5, errors=1, accent="x"),
            metadata=SPEAKERS.rename(columns={"accent": "Accent"}),
        )


def test_texts_in_lists_are_refused():
    table = WHO.assign(reference="a b", hypothesis=[["a", "b"]] * 3)
    with pytest.raises(LogError, match="hypothesis is of type"):
        read_log(table, normalizer="none")


def test_references_and_metadata_have_formats_of_their_own(tmp_path):
    for name, text in (("10.txt", "u1 a b\nu2 c\nu3\n"), ("filt.txt", "u1 a b\nu2 c d\nu3 x y\n")):
        (tmp_path / name).write_text(text)
    (tmp_path / "who.list").write_text("utterance_id\tspeaker_id\nu1\tann\nu2\tann\nu3\tbob\n")
    log = read_log(
        tmp_path / "10.txt",
        format="kaldi",
        references=tmp_path / "filt.txt",
        references_format="kaldi",
        metadata=tmp_path / "who.list",
        metadata_format="tsv",
        normalizer="none",
    )
    assert aggregate(log, ()).errors.tolist() == [1, 2]


def test_speakers_that_were_selected_are_not_named_in_a_result():
    table = pd.DataFrame(
        {"speaker_id": [f"s{i:02}" for i in range(60)], "ref_words": 9, "errors": 1, "d": ["x", "y"] * 30}
    )
    log = read_log(table, where={"speaker_id": [f"s{i:02}" for i in range(50)]})
    result = audit(log, by=["d"], permutations=0, splits=1)
    assert result.log.where == {"speaker_id": ("50 withheld",)}
    assert "s01" not in result.to_json()


def test_numbers_and_texts_are_one_id():
    log = read_log(
        pd.DataFrame({"utterance_id": [1, 2], "speaker_id": [7.0, 8.0], "ref_words": 5, "errors": 1}),
        metadata=pd.DataFrame({"speaker_id": ["7", "8"], "x": ["p", "q"]}),
    )
    assert {row["speaker_id"]: row["x"] for row in rows(log).values()} == {"7": "p", "8": "q"}


def test_the_file_that_was_given_for_a_column_is_believed_and_that_is_said():
    log = read_log(
        WHO.assign(ref_words=5, errors=1, accent="old"),
        metadata=pd.DataFrame({"utterance_id": ["u1"], "accent": ["new"]}),
    )
    assert [rows(log)[i]["accent"] for i in ("u1", "u2")] == ["new", "old"]
    assert log.warnings == ("where both have accent, what <table> says is used",)


def test_a_file_of_metadata_changes_neither_counts_nor_texts():
    other = WHO.assign(ref_words=99, errors=99, hypothesis="z", reference="z", device="x")
    log = read_log(WHO.assign(ref_words=5, errors=1), metadata=other)
    assert aggregate(log, ()).ref_words.sum() == 15
    assert log.labels == ("device",)


def test_repeated_rows_of_a_speaker_are_one_and_contradictions_are_refused():
    log = read_log(WHO.assign(ref_words=5, errors=1), metadata=pd.concat([SPEAKERS, SPEAKERS]))
    assert len(rows(log)) == 3
    with pytest.raises(LogError, match="speaker_id 'ann' is there 2 times, with different values"):
        read_log(
            WHO.assign(ref_words=5, errors=1),
            metadata=pd.concat([SPEAKERS, SPEAKERS.assign(accent="west")]),
        )


@pytest.mark.parametrize(
    ("options", "what", "right"),
    [
        (
            {"references": pd.concat([REFERENCES, REFERENCES[:1]])},
            "utterance_id 'u3' is there 2 times",
            "one row for each utterance",
        ),
        (
            {"references": REFERENCES.assign(utterance_id=["p", "q", "r"])},
            "no utterance_id of the log is in the references",
            "'u1' in the log",
        ),
        ({"references": REFERENCES[["reference"]]}, "share no utterance_id", "--column utterance_id=ACTUAL"),
        ({"references": WHO}, "the references have no text", "--column reference=ACTUAL"),
        ({"metadata": SPEAKERS.rename(columns={"speaker_id": "who"})}, "cannot be joined", "speaker_id"),
        ({"references": "none.trn"}, "no such file: none.trn", "check the path"),
        ({"references": REFERENCES, "columns": {"speaker_id": "spk"}}, "no column 'spk'", "Known: "),
    ],
)
def test_files_that_cannot_be_joined_are_refused(options, what, right):
    with pytest.raises(LogError) as refused:
        read_log(HYPOTHESES, **options)
    assert what in refused.value.what
    assert right in str(refused.value)
    assert refused.value.where


def test_a_mapped_column_may_be_in_any_of_the_files():
    log = read_log(
        HYPOTHESES.rename(columns={"utterance_id": "utt"}),
        references=REFERENCES.rename(columns={"utterance_id": "utt", "reference": "said"}),
        metadata=WHO.rename(columns={"speaker_id": "client"}),
        columns={"utterance_id": "utt", "reference": "said", "speaker_id": "client"},
    )
    assert aggregate(log, ()).speakers.tolist() == ["ann", "bob"]


def test_a_missing_hypothesis_is_refused_until_it_is_said_how_it_counts():
    given = {"references": REFERENCES, "metadata": WHO, "normalizer": "none"}
    with pytest.raises(LogError) as refused:
        read_log(HYPOTHESES[:2], **given)
    assert refused.value.what == "1 utterance has no hypothesis, such as utterance_id 'u3'"
    assert "--missing-hypothesis delete" in refused.value.fix
    deleted = read_log(HYPOTHESES[:2], missing_hypothesis="delete", **given)
    assert {n: rows(deleted)["u3"][n] for n in ("ref_words", "deletions", "missing_hypothesis")} == {
        "ref_words": 2,
        "deletions": 2,
        "missing_hypothesis": 1,
    }
    assert deleted.excluded == {}
    left_out = read_log(HYPOTHESES[:2], missing_hypothesis="exclude", **given)
    assert set(rows(left_out)) == {"u1", "u2"}
    # However many they are: the user asked for it, and their share is reported.
    assert left_out.excluded == {"missing_hypothesis": 1}
    with pytest.raises(OptionError, match="missing_hypothesis is 'drop'"):
        read_log(HYPOTHESES[:2], missing_hypothesis="drop", **given)


def test_a_hypothesis_without_a_reference_is_left_out_and_counted():
    log = read_log(HYPOTHESES, references=REFERENCES[1:], metadata=WHO, max_excluded=0.5)
    assert log.excluded == {"missing_reference": 1}


def test_the_share_without_hypothesis_is_reported_for_every_cohort(tmp_path):
    speakers = [f"s{i:03}" for i in range(120)]
    references = pd.DataFrame(
        {
            "utterance_id": [f"{s}-{n}" for s in speakers for n in range(5)],
            "speaker_id": [s for s in speakers for _ in range(5)],
            "device": [("far" if i % 2 else "near") for i in range(120) for _ in range(5)],
            "reference": "one two three four",
        }
    )
    lost = (references.device == "far") & (references.index % 5 == 0)
    hypotheses = references[~lost][["utterance_id"]].assign(hypothesis="one two three")
    for how, excluded in (("delete", 0), ("exclude", 60)):
        log = read_log(hypotheses, references=references, missing_hypothesis=how)
        result = audit(log, by=["device"], permutations=0, splits=1)
        text = {c.cohort: c.text for c in result.partition("device").cohorts}
        assert (text["far"].utterances, text["far"].missing) == (300, 60)
        assert (text["near"].utterances, text["near"].missing) == (300, 0)
        assert result.log.text.missing == 60
        assert sum(result.log.excluded.values()) == excluded
        wer = {c.cohort: c.wer for c in result.partition("device").cohorts}
        assert wer["near"] == 0.25
        assert wer["far"] == pytest.approx(0.25 if how == "exclude" else 0.4)
        file = tmp_path / how
        from fairaudit.outputs import write_audit

        write_audit(result, file)
        report = (file / "report.md").read_text("utf-8")
        assert "texts out of the ordinary" in report
        assert ("left out" if how == "exclude" else "counted as deleted") in report


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("^([a-z", "not a regular expression"),
        ("^[a-z]+", "has 0 groups"),
        ("(a)(b)", "has 2 groups"),
        ("^(.+?)(?=-)", "the engine does not know this expression"),
    ],
)
def test_an_expression_that_names_no_speaker_is_refused(pattern, what):
    with pytest.raises(OptionError, match=what) as refused:
        read_log(HYPOTHESES, references=REFERENCES, speaker_from_id=pattern)
    assert refused.value.where == f"--speaker-from-id '{pattern}'"


def test_speakers_can_be_taken_out_of_ids():
    ids = ["1089-134686-0000", "1089-134686-0001", "121-1-0", "nobody"]
    table = pd.DataFrame({"utterance_id": ids, "ref_words": 5, "errors": 1})
    log = read_log(table, speaker_from_id="^([^-]+)-", max_excluded=0.5)
    assert aggregate(log, ()).speakers.tolist() == ["1089", "121"]
    assert log.excluded == {"missing_speaker_id": 1}
    assert log.selection.speaker_from_id == "^([^-]+)-"
    for wrong in (table.drop(columns="utterance_id"), table.assign(speaker_id="a")):
        with pytest.raises(InputError, match="the log has"):
            read_log(wrong, speaker_from_id="^([^-]+)-")
