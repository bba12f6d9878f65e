"""sclite stm: segments with speakers, times and subsets."""

import pytest

from fairaudit.exceptions import LogError
from fairaudit.readers.document import Document
from fairaudit.readers.stm import Stm
from fairaudit.testing import check_reader

LEGEND = """\
;; CATEGORY "0" "" ""
;; LABEL "O" "Overall" "Overall"
;;
;; CATEGORY "1" "Focus" "conditions"
;; LABEL "F0" "Baseline//Broadcast" ""
;; LABEL   "F1"  "Spontaneous" ""
;; CATEGORY "2" "Speaker Sex" ""
;; LABEL "female" "Female" ""
;; LABEL "male"   "Male" ""
"""
SEGMENTS = """\
show-1 A Ann-B 0.10 2.03 <o,f0,female> uh huh (%hes) yes
show-1 A bob\t2.10 3.040 <O,F1,male> no @ way
show-1 1 excluded_region 3.04 13.4 <o,,unknown> ignore_time_segment_in_scoring
show-1 A bob 14 15 <o,f9>
show-1 A bob 15 16 a <b> c
"""


def write(folder, text, name="ref.stm"):
    file = folder / name
    file.write_text(text, "utf-8")
    return Document(file, name)


def rows(folder, text):
    return list(Stm().rows(write(folder, text)))


@pytest.mark.parametrize("text", [LEGEND + SEGMENTS, SEGMENTS + LEGEND], ids=["legend first", "legend last"])
def test_segments_speakers_times_and_subsets_are_read(tmp_path, text):
    first, second, ignored, empty, plain = rows(tmp_path, text)
    assert first == {
        "utterance_id": "show-1-A-0.10-2.03",
        "speaker_id": "Ann-B",
        "duration": "1.93",
        "text": "uh huh (%hes) yes",
        "label_0": "Overall",
        "Focus": "Baseline//Broadcast",
        "Speaker Sex": "Female",
        "ignored": "no",
    }
    assert second["utterance_id"] == "show-1-A-2.10-3.040"
    assert (second["duration"], second["text"], second["Focus"]) == ("0.940", "no way", "Spontaneous")
    assert ignored["text"] is None
    assert (ignored["ignored"], ignored["speaker_id"], ignored["duration"]) == (
        "yes",
        "excluded_region",
        "10.36",
    )
    assert ignored["Focus"] is None
    assert ignored["Speaker Sex"] == "unknown"
    assert (empty["text"], empty["Focus"], empty["ignored"]) == ("", "f9", "no")
    assert "Speaker Sex" not in empty
    assert plain["text"] == "a <b> c"
    assert "label_0" not in plain


def test_without_a_legend_subsets_are_called_by_their_place(tmp_path):
    (row,) = rows(tmp_path, "f A s 0 1 <o,f0> hi\n")
    assert (row["label_0"], row["label_1"]) == ("o", "f0")


@pytest.mark.parametrize("title", ["duration", "Text", "IGNORED", "speaker_id"])
def test_a_category_does_not_take_the_name_of_another_column(tmp_path, title):
    (row,) = rows(tmp_path, f';; CATEGORY "0" "{title}" ""\nf A s 0 1 <x> hi\n')
    assert row["label_0"] == "x"
    assert (row["duration"], row["text"], row["ignored"], row["speaker_id"]) == ("1", "hi", "no", "s")


def test_subsets_of_one_title_stay_apart(tmp_path):
    legend = ';; LABEL "F" "Adult" ""\n;; LABEL "M" "Adult" ""\n;; LABEL "c" "" ""\n'
    found = rows(tmp_path, legend + "f A s 0 1 <F> hi\nf A s 1 2 <M> hi\nf A s 2 3 <c> hi\n")
    assert [row["label_0"] for row in found] == ["F", "M", "c"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("f A s 0", "has 4 fields"),
        ("f A s 0 x <o> secret", "fourth and fifth field"),
        ("f A s 2 1 secret", "fourth and fifth field"),
        ("f A s 0 nan secret", "fourth and fifth field"),
        ("f A s 0 1 <o, f0> secret", "does not end with '>'"),
        ("f A s 0 1 <o> { secret / @ }", "sclite -s -r REFERENCES stm -h HYPOTHESES ctm"),
    ],
)
def test_a_malformed_segment_is_refused_by_its_line(tmp_path, line, says):
    with pytest.raises(LogError) as caught:
        rows(tmp_path, f"{LEGEND}f A s 0 1 <o> hi\n{line}\n")
    message = str(caught.value)
    assert "ref.stm, line 11" in message
    assert says in message
    assert "allowed:" in message
    assert "fix:" in message
    assert "secret" not in message


def test_the_contract_is_kept(tmp_path):
    good, bad = write(tmp_path, LEGEND + SEGMENTS), write(tmp_path, "f A s 0\n", "bad.stm")
    check_reader(Stm(), good.path, bad.path)


@pytest.mark.parametrize(
    ("name", "known"), [("a.stm", True), ("stm", True), ("a.stm.zst", True), ("a.ctm", False)]
)
def test_it_is_known_by_its_name(tmp_path, name, known):
    assert Stm().recognises(write(tmp_path, SEGMENTS, name)) is known
