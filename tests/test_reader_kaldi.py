"""Kaldi: data folders, their files, and alignments."""

import pytest

from fairaudit.exceptions import LogError
from fairaudit.readers.document import Document
from fairaudit.readers.kaldi import Kaldi
from fairaudit.testing import check_reader

DATA = {
    "text": "b-2 hello there\na-1\nc-3\tone two\n",
    "utt2spk": "a-1 a\nb-2 b\nd-4 b\n",
    "spk2utt": "a a-1\nb b-2 d-4\n",
    "spk2gender": "a f\n",
    "spk2accent": "b New Zealand\n",
    "utt2dur": "a-1 1.50\n",
    "utt2num_frames": "a-1 150\n",
    "wav.scp": "a-1 a.wav\n",
}
#: As wer_per_utt_details.pl writes it: words padded to columns, the last line in the order C S I D.
SCORED = """\
utt-a-1 ref  word-A   ***   word-B  word-C  word-D  word-E  ***
utt-a-1 hyp  word-A  word-A  word-B   ***   word-D  word-X  word
utt-a-1 op      C       I       C       D       C       S     I
utt-a-1 #csid 3 1 2 1
b ref
b hyp
b op
b #csid 0 0 0 0
c ref  <eps>  ***
c hyp  oh     ***
c op     I     C
c #csid 1 0 1 0
"""


def folder_of(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Document(folder, folder.name)


def file_of(folder, name, text):
    folder_of(folder, {name: text})
    return Document(folder / name, name)


def rows(document):
    return list(Kaldi().rows(document))


def test_a_data_folder_is_joined_by_utterance_and_speaker_in_any_order(tmp_path):
    second, first, third, fourth = rows(folder_of(tmp_path, DATA))
    assert first == {
        "utterance_id": "a-1",
        "speaker_id": "a",
        "text": "",
        "gender": "f",
        "accent": None,
        "duration": "1.50",
    }
    assert (second["text"], second["speaker_id"], second["gender"]) == ("hello there", "b", None)
    assert (second["accent"], second["duration"]) == ("New Zealand", None)
    assert (third["text"], third["speaker_id"], third["gender"]) == ("one two", None, None)
    assert (fourth["utterance_id"], fourth["text"], fourth["speaker_id"]) == ("d-4", None, "b")


def test_a_folder_with_text_alone_has_no_columns_that_nobody_wrote(tmp_path):
    assert rows(folder_of(tmp_path, {"text": "a hi\n"})) == [{"utterance_id": "a", "text": "hi"}]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("text", "a-1 hi there\n", {"utterance_id": "a-1", "text": "hi there"}),
        ("utt2spk", "a-1 a\n", {"utterance_id": "a-1", "speaker_id": "a"}),
        ("spk2gender", "a m\n", {"speaker_id": "a", "gender": "m"}),
        ("utt2lang", "a-1 en\n", {"utterance_id": "a-1", "lang": "en"}),
    ],
)
def test_a_file_alone_is_read_by_its_name(tmp_path, name, text, expected):
    document = file_of(tmp_path, name, text)
    assert Kaldi().recognises(document)
    assert rows(document) == [expected]


def test_a_text_of_another_name_is_read_where_the_format_is_given(tmp_path):
    document = file_of(tmp_path, "10.txt", "a-1 hi\n")
    assert not Kaldi().recognises(document)
    assert rows(document) == [{"utterance_id": "a-1", "text": "hi"}]


@pytest.mark.parametrize("place", ["per_utt", "wer_details/per_utt", "scoring_kaldi/wer_details/per_utt"])
def test_alignments_are_found_in_a_folder_of_scores(tmp_path, place):
    document = folder_of(tmp_path, {place: SCORED, "text": "unlike this\n"})
    assert Kaldi().recognises(document)
    assert [row["utterance_id"] for row in rows(document)] == ["utt-a-1", "b", "c"]


@pytest.mark.parametrize("name", ["per_utt", "details.txt"])
def test_counts_are_read_in_the_order_of_kaldi_and_gaps_are_no_words(tmp_path, name):
    first, silent, starred = rows(file_of(tmp_path, name, SCORED))
    assert first == {
        "utterance_id": "utt-a-1",
        "ref_words": 5,
        "substitutions": 1,
        "deletions": 1,
        "insertions": 2,
        "reference": "word-A word-B word-C word-D word-E",
        "hypothesis": "word-A word-A word-B word-D word-X word",
    }
    assert (silent["ref_words"], silent["reference"], silent["hypothesis"]) == (0, "", "")
    assert (starred["reference"], starred["hypothesis"]) == ("***", "oh ***")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("#csid 3 1 2 1", "#csid 3 1 1 2", 4, "'utt-a-1' do not agree: #csid is 3 1 1 2"),
        ("#csid 3 1 2 1", "#csid 3 1 2", 4, "do not agree"),
        ("word-E  ***", "word-E", 4, "do not agree"),
        ("C       I ", "C       X ", 4, "do not agree"),
        ("utt-a-1 hyp", "utt-a-2 hyp", 2, "the line 'hyp' of 'utt-a-1'"),
        ("b op\n", "", 7, "the line 'op' of 'b'"),
        ("c #csid 1 0 1 0\n", "", 11, "the lines of 'c' end early"),
        ("b ref\n", "b ref\nb\n", 6, "the line 'hyp' of 'b'"),
    ],
)
def test_lines_that_disagree_are_refused_by_number(tmp_path, old, new, line, says):
    assert old in SCORED
    with pytest.raises(LogError) as caught:
        rows(file_of(tmp_path, "per_utt", SCORED.replace(old, new, 1)))
    message = str(caught.value)
    assert f"per_utt, line {line}" in message
    assert says in message
    assert "word-A" not in message


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("text", "a hi\nb ho\na hi\n", "'a' is there twice"),
        ("utt2spk", "a s\nb s\nc\n", "'c' does not have one speaker_id"),
        ("utt2spk", "a s\nb s\nc s t\n", "'c' does not have one speaker_id"),
        ("spk2gender", "a f\nb f\nc \n", "'c' does not have one gender"),
    ],
)
def test_a_malformed_file_is_refused_by_its_line(tmp_path, name, text, says):
    with pytest.raises(LogError) as caught:
        rows(file_of(tmp_path, name, text))
    assert f"{name}, line 3" in str(caught.value)
    assert says in str(caught.value)
    with pytest.raises(LogError, match=f"{tmp_path.name}/{name}, line 3"):
        rows(
            Document(tmp_path, tmp_path.name)
            if name != "spk2gender"
            else folder_of(tmp_path, {"text": "a hi\n"})
        )


def test_an_empty_folder_is_refused(tmp_path):
    assert not Kaldi().recognises(Document(tmp_path, "data"))
    with pytest.raises(LogError, match="no utt2spk"):
        rows(Document(tmp_path, "data"))


@pytest.mark.parametrize(
    "name", ["text.txt", "utt2spk.csv", "spk2utt", "utt2errors", "spk2dur", "utt2num_frames"]
)
def test_other_files_are_not_taken_for_kaldi(tmp_path, name):
    assert not Kaldi().recognises(file_of(tmp_path, name, "a b\n"))


def test_the_contract_is_kept(tmp_path):
    check_reader(Kaldi(), folder_of(tmp_path / "good", DATA).path, file_of(tmp_path, "utt2spk", "a\n").path)
    per_utt = file_of(tmp_path, "per_utt", SCORED).path
    bad = file_of(tmp_path / "bad", "per_utt", SCORED[:40]).path
    check_reader(Kaldi(), per_utt, bad)
