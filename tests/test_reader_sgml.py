"""sclite sgml: alignments, as sclite writes them."""

import pytest
from sctk import needs_sclite, sclite_sgml

from fairaudit.exceptions import LogError
from fairaudit.readers.document import Document
from fairaudit.readers.sgml import Sgml
from fairaudit.testing import check_reader

WRITTEN = """\
<SYSTEM title="h.ctm" ref_fname="r.stm" hyp_fname="h.ctm" creation_date="today" format="2.4" opt_del="FALSE">
<LABEL id="O" title="Overall" desc="Overall">
</LABEL>
<LABEL id="F" title="Female" desc="say \\\\ more">
</LABEL>
<CATEGORY id="0" title="" desc="">
</CATEGORY>
<CATEGORY id="1" title="Sex" desc="x">
</CATEGORY>
<SPEAKER id="ann-1">
<PATH id="(ann-1-000)" word_cnt="5" labels="<o,f>" file="f1" R_T1="0.100" R_T2="2.030" word_aux="h_t1+t2">
C,"uh","uh",0.200+0.300:D,"huh",,:S,"yes","yet",0.400+0.500:I,,"i",0.600+0.700:D,"thought",,
</PATH>
<PATH id="(ann-1-001)" word_cnt="0" sequence="1">

</PATH>
</SPEAKER>
<SPEAKER id="s"p">
<PATH id="(x.y_z)" word_cnt="4" sequence="2" case_sense="1">
C,""quoted"",""quoted"":S,"a:b","c,d":C,"(y)","":C,"&amp;;","&amp;;"
</PATH>
</SPEAKER>
</SYSTEM>
"""


def write(folder, text, name="h.sgml"):
    file = folder / name
    file.write_text(text, "utf-8")
    return Document(file, name)


def rows(folder, text):
    return list(Sgml().rows(write(folder, text)))


def sclite(folder, *options):
    return rows(folder, sclite_sgml(folder, *options))


def test_counts_texts_speakers_and_labels_are_read(tmp_path):
    first, silent, quoted = rows(tmp_path, WRITTEN)
    assert first == {
        "utterance_id": "ann-1-000",
        "speaker_id": "ann-1",
        "ref_words": 4,
        "substitutions": 1,
        "deletions": 2,
        "insertions": 1,
        "reference": "uh huh yes thought",
        "hypothesis": "uh yet i",
        "duration": "1.930",
        "label_0": "Overall",
        "Sex": "Female",
    }
    assert (silent["ref_words"], silent["reference"], silent["hypothesis"]) == (0, "", "")
    assert "duration" not in silent
    assert (quoted["utterance_id"], quoted["speaker_id"]) == ("x.y_z", 's"p')
    assert quoted["reference"] == '"quoted" a:b (y) &amp;'
    assert quoted["hypothesis"] == '"quoted" c,d &amp;'
    assert (quoted["ref_words"], quoted["substitutions"], quoted["insertions"]) == (4, 1, 0)


@needs_sclite
@pytest.mark.parametrize("case", [(), ("-s",)], ids=["lower case", "case kept"])
def test_what_sclite_writes_of_awkward_words_is_read_back(tmp_path, case):
    reference = {
        "Spk-1_Utt.1": "Hello there world",
        "Spk-1_Utt.2": "",
        "Spk-1_Utt.3": 'say "quoted" a:b c,d e&amp;f <g> it\'s 3: "x": end',
        "2-3_a": "x \u65e5\u672c back y;z w;",
    }
    hypothesis = {**reference, "Spk-1_Utt.2": "oh no", "Spk-1_Utt.1": "hello world you"}
    for name, texts in (("r.trn", reference), ("h.trn", hypothesis)):
        lines = [f"{words} ({utterance})\n" for utterance, words in texts.items()]
        (tmp_path / name).write_text("".join(lines), "utf-8")
    found = sclite(tmp_path, "-r", "r.trn", "trn", "-h", "h.trn", "trn", "-i", "spu_id", *case)
    fold = str if case else str.lower
    assert {row["utterance_id"]: row["reference"] for row in found} == {
        fold(utterance): fold(words) for utterance, words in reference.items()
    }
    assert {row["utterance_id"]: row["hypothesis"] for row in found} == {
        fold(utterance): fold(words) for utterance, words in hypothesis.items()
    }
    assert {row["speaker_id"] for row in found} == {fold("Spk"), "2"}
    kinds = ("ref_words", "substitutions", "deletions", "insertions")
    counts = {row["utterance_id"].lower(): tuple(row[kind] for kind in kinds) for row in found}
    assert counts["spk-1_utt.1"] == (3, len(case), 1, 1)
    assert counts["spk-1_utt.2"] == (0, 0, 0, 2)
    assert counts["spk-1_utt.3"] == (10, 0, 0, 0)


@needs_sclite
def test_sclite_chooses_alternatives_and_writes_labels_and_times(tmp_path):
    (tmp_path / "r.stm").write_text(
        ';; CATEGORY "0" "" ""\n;; LABEL "O" "Overall" ""\n;; CATEGORY "1" "Sex" ""\n;; LABEL "M" "Male" ""\n'
        "f1 A Bob 0.10 2.03 <O,M> dog { walking / running a / @ } is\n"
        "f1 A gap 2.03 4 <O,> ignore_time_segment_in_scoring\n"
        "f1 A Bob 4.10 5.04 <O,M>\n"
    )
    words = [(0.2, "dog"), (0.4, "running"), (0.6, "is"), (3.0, "gap"), (4.2, "boo")]
    (tmp_path / "h.ctm").write_text("".join(f"f1 A {begin} 0.1 {word} 0.9\n" for begin, word in words))
    first, second = sclite(tmp_path, "-r", "r.stm", "stm", "-h", "h.ctm", "ctm")
    assert (first["utterance_id"], first["speaker_id"]) == ("bob-000", "bob")
    assert (first["Sex"], first["label_0"], first["duration"]) == ("Male", "Overall", "1.930")
    assert first["ref_words"] == 4 - first["reference"].count("walking")
    assert first["substitutions"] + first["deletions"] + first["insertions"] == 1
    assert (second["reference"], second["hypothesis"], second["insertions"]) == ("", "boo", 1)


@needs_sclite
def test_words_that_may_be_left_out_count_as_sclite_counts_them(tmp_path):
    (tmp_path / "r.trn").write_text("x (y) z (a-1)\n")
    (tmp_path / "h.trn").write_text("x z (a-1)\n")
    files = ("-r", "r.trn", "trn", "-h", "h.trn", "trn")
    (strict,) = sclite(tmp_path, *files, "-i", "rm")
    (lenient,) = sclite(tmp_path, *files, "-i", "rm", "-D")
    assert (strict["ref_words"], strict["deletions"], strict["hypothesis"]) == (3, 1, "x z")
    assert (lenient["ref_words"], lenient["deletions"], lenient["hypothesis"]) == (3, 0, "x z")


@needs_sclite
def test_the_other_sgml_of_sclite_is_refused(tmp_path):
    (tmp_path / "r.trn").write_text("x z (a-1)\n")
    written = sclite_sgml(tmp_path, "-r", "r.trn", "trn", "-h", "r.trn", "trn", "-i", "rm", kind="nl.sgml")
    with pytest.raises(LogError, match="sclite -o sgml"):
        rows(tmp_path, written)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('word_cnt="5"', 'word_cnt="6"', 11, "'ann-1-000' does not have its 6 words"),
        (':S,"yes"', ':T,"yes"', 11, "splits and merges"),
        ('D,"huh",,', 'D,"huh","hat",', 11, "'ann-1-000'"),
        ('C,"uh","uh"', 'C,"uh",', 11, "'ann-1-000'"),
        ('<PATH id="(x.y_z)" word_cnt="4"', '<PATH id="(x.y_z)"', 19, "a tag lacks 'word_cnt'"),
        ('id="(x.y_z)"', 'id="()"', 19, "an utterance has no id"),
        ("<SPEAKER id=", "<SPOKE id=", 10, "not a line of sclite's sgml"),
        ("</PATH>\n</SPEAKER>\n</SYSTEM>", "</SPEAKER>\n</SYSTEM>", 19, "no </PATH>"),
        ("</SYSTEM>\n", "", 22, "ends before </SYSTEM>"),
        ("</SYSTEM>\n", "</SYSTEM>\n" + WRITTEN, 24, "a second system"),
    ],
)
def test_a_malformed_file_is_refused_by_its_line(tmp_path, old, new, line, says):
    assert old in WRITTEN
    with pytest.raises(LogError) as caught:
        rows(tmp_path, WRITTEN.replace(old, new, 1))
    message = str(caught.value)
    assert f"h.sgml, line {line}" in message
    assert says in message
    assert "fix:" in message
    assert "thought" not in message


def test_a_file_that_is_cut_off_in_an_alignment_is_refused(tmp_path):
    with pytest.raises(LogError, match="ends before </SYSTEM>"):
        rows(tmp_path, WRITTEN[: WRITTEN.index(':D,"thought"')])


def test_the_contract_is_kept(tmp_path):
    good, bad = write(tmp_path, WRITTEN), write(tmp_path, "<SYSTEM title=\n", "bad.sgml")
    check_reader(Sgml(), good.path, bad.path)


def test_it_is_known_by_its_first_tag(tmp_path):
    assert Sgml().recognises(write(tmp_path, WRITTEN, "anything"))
    assert not Sgml().recognises(write(tmp_path, "<html>\n", "a.sgml"))
