"""Common Voice tables: who read what, quotation marks as plain characters, and lines that do not fit."""

import pytest

from fairaudit.exceptions import LogError
from fairaudit.readers.common_voice import CommonVoice
from fairaudit.readers.document import Document
from fairaudit.readers.formats import choose
from fairaudit.testing import check_reader

# Columns of release 17, then those of release 4.
NEW = (
    "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\t"
    "variant\tlocale\tsegment"
)
OLD = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent\tlocale\tsegment"


def written(tmp_path, *lines, name="test.tsv", end="\n"):
    path = tmp_path / name
    path.write_bytes("".join(line + end for line in lines).encode())
    return Document(path, name)


def row(tmp_path, *lines):
    (found,) = CommonVoice().rows(written(tmp_path, *lines))
    return found


def test_a_table_keeps_the_contract(tmp_path):
    good = "ab12\tcommon_voice_en_1.mp3\ts1\tGood day.\t\t2\t0\tforties\tfemale\tScots|Irish, mostly\t\ten\t"
    document = written(tmp_path, NEW, good)
    check_reader(CommonVoice(), document.path, written(tmp_path, NEW, "ab12\tx.mp3", name="bad.tsv").path)
    assert choose(document, None) == "common_voice"
    assert list(CommonVoice().rows(document)) == [
        {
            "speaker_id": "ab12",
            "utterance_id": "common_voice_en_1.mp3",
            "sentence_id": "s1",
            "reference": "Good day.",
            "sentence_domain": None,
            "up_votes": "2",
            "down_votes": "0",
            "age": "forties",
            "gender": "female",
            "accents": "Scots|Irish, mostly",
            "variant": None,
            "locale": "en",
            "segment": None,
        }
    ]


def test_an_older_release_has_an_accent(tmp_path):
    line = "ab12\tx.mp3\tGood day.\t2\t0\t\t\tscotland\ten\t"
    assert choose(written(tmp_path, OLD, line), None) == "common_voice"
    assert row(tmp_path, OLD, line)["accent"] == "scotland"


@pytest.mark.parametrize("sentence", ['"Good day', 'He said: "Good day."', '"', 'a ""b"" c'])
def test_a_quotation_mark_is_a_plain_character(tmp_path, sentence):
    lines = [OLD, f"a\tx.mp3\t{sentence}\t2\t0\t\t\t\ten\t", "b\ty.mp3\tNext.\t2\t0\t\t\t\ten\t"]
    found = list(CommonVoice().rows(written(tmp_path, *lines)))
    assert [r["reference"] for r in found] == [sentence, "Next."]


def test_lines_may_end_as_on_windows_and_the_file_begin_with_a_mark(tmp_path):
    lines = ["\ufeffclient_id\tpath\tsentence", "a\tx.mp3\tGood day."]
    document = written(tmp_path, *lines, end="\r\n")
    assert choose(document, None) == "common_voice"
    (found,) = CommonVoice().rows(document)
    assert found == {"speaker_id": "a", "utterance_id": "x.mp3", "reference": "Good day."}


def test_nobody_is_no_speaker_and_nothing_said_is_no_missing_reference(tmp_path):
    found = row(tmp_path, "path\tclient_id\tsentence", "x.mp3\t\t")
    assert found == {"utterance_id": "x.mp3", "speaker_id": None, "reference": ""}


def test_a_column_of_hypotheses_makes_it_a_log(tmp_path):
    lines = [
        f"{OLD}\thypothesis",
        'a\tx.mp3\t"Good day\t2\t0\t\t\t\ten\t\tgood',
        "a\ty.mp3\tYes.\t2\t0\t\t\t\ten\t\t",
    ]
    found = list(CommonVoice().rows(written(tmp_path, *lines)))
    assert [(r["reference"], r["hypothesis"]) for r in found] == [('"Good day', "good"), ("Yes.", "")]


@pytest.mark.parametrize(
    ("lines", "what", "line"),
    [
        ([NEW, "a\tx.mp3\tsecret"], "3 fields", 2),
        (["client_id\tpath\tsentence", "a\tx\ty", "", "a\tx.mp3\tsecret\tlife"], "4 fields", 4),
        (["client_id\tpath\tsentence", "a\t\tsecret"], "a clip without a path", 2),
        (["client_id\tpath\ttext", "a\tx.mp3\tsecret"], "the header has no sentence", 1),
        (["client_id\tpath\tsentence\tpath", "a\tx.mp3\tsecret\ty"], "utterance_id twice", 1),
        (["client_id\tpath\tsentence\terrors", "a\tx.mp3\tsecret\tmany"], "errors is 'many'", 2),
    ],
)
def test_what_is_malformed_is_refused_with_its_line_and_without_transcripts(tmp_path, lines, what, line):
    with pytest.raises(LogError, match=what) as refused:
        row(tmp_path, *lines)
    assert refused.value.where == f"test.tsv, line {line}"
    assert "secret" not in str(refused.value)


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(LogError, match="the file is empty"):
        list(CommonVoice().rows(written(tmp_path)))


@pytest.mark.parametrize(
    "header",
    [
        "speaker_id\tutterance_id\treference\thypothesis",
        "client_id\tpath\tsentence\tref_words\terrors",
        "client_id\tpath\tsentence\thypothesis",
        "client_id\tpath\taccents",
    ],
)
def test_a_log_with_canonical_columns_is_left_to_be_read_as_it_is(tmp_path, header):
    assert choose(written(tmp_path, header, name="log.tsv"), None) == "tsv"
