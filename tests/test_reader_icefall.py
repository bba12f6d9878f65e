"""icefall's recogs: lists of words, ids with colons, timestamps, and what is no pair."""

import pytest

from fairaudit.exceptions import LogError
from fairaudit.readers.document import Document
from fairaudit.readers.formats import choose
from fairaudit.readers.icefall import Icefall
from fairaudit.testing import check_reader

NAME = "recogs-test-clean-greedy_search-epoch-30-avg-9.txt"


def stored(*texts):
    """What `store_transcripts` of icefall/utils.py prints."""
    return "".join(f"{name}:\tref={ref}\n{name}:\thyp={hyp}\n" for name, ref, hyp in texts)


def written(tmp_path, text, name=NAME):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return Document(path, name)


def rows(tmp_path, text):
    return list(Icefall().rows(written(tmp_path, text)))


def test_recogs_keep_the_contract(tmp_path):
    document = written(
        tmp_path,
        stored(
            ("1089-134686-0000-0", ["GOOD", "DAY"], ["GOOD"]),
            ("1089-134686-0001-1", ["IT'S", "Ö"], []),
        ),
    )
    check_reader(Icefall(), document.path, written(tmp_path, "a:\tref=['x']\n", "bad.txt").path)
    assert choose(document, None) == "icefall"
    assert list(Icefall().rows(document)) == [
        {"utterance_id": "1089-134686-0000-0", "reference": "GOOD DAY", "hypothesis": "GOOD"},
        {"utterance_id": "1089-134686-0001-1", "reference": "IT'S Ö", "hypothesis": ""},
    ]


def test_words_are_what_python_printed(tmp_path):
    words = ["it's", 'a"b', "back\\slash", "tab\\t", "don't\"", "]", "',", "hyp=['x']"]
    (row,) = rows(tmp_path, stored(("a", words, words)))
    assert row["reference"] == row["hypothesis"] == " ".join(words)


def test_ids_may_hold_colons_and_spaces(tmp_path):
    found = rows(tmp_path, stored(("rec:1:a", ["x"], ["y"]), ("b 2", ["x"], ["x"])))
    assert [row["utterance_id"] for row in found] == ["rec:1:a", "b 2"]


def test_timestamps_are_passed_over(tmp_path):
    text = (
        "a:\tref=['x']\na:\thyp=['x']\na:\ttimestamp_ref=[0.120]\na:\ttimestamp_hyp=[(0.160, 0.200)]\n"
        "b:\tref=['y']\nb:\thyp=[]\nb:\ttimestamp_hyp=[]\n"
    )
    assert [row["utterance_id"] for row in rows(tmp_path, text)] == ["a", "b"]


def test_error_statistics_are_not_taken_for_it(tmp_path):
    text = "%WER = 10.00\nErrors: 1 insertions, 0 deletions, 0 substitutions, over 10 reference words\n"
    assert not Icefall().recognises(written(tmp_path, text, "errs-test-clean.txt"))


def test_lines_without_ids_are_recognised_and_refused(tmp_path):
    document = written(tmp_path, "ref=['x']\nhyp=['y']\n")
    assert choose(document, None) == "icefall"
    with pytest.raises(LogError, match="no utterance id") as refused:
        list(Icefall().rows(document))
    assert refused.value.where == f"{NAME}, line 1"


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("b:\thyp=['secret']\n", "hyp of 'b' does not follow its ref", 3),
        ("b:\tref=['secret']\n", "'b' has no hyp", 3),
        ("b:\tref=['secret']\nc:\tref=['x']\n", "'b' has no hyp", 3),
        ("b:\tref=['secret']\nc:\thyp=['x']\n", "hyp of 'c' does not follow its ref", 4),
        ("b:\tref=['secret', \nb:\thyp=['x']\n", "no list of words", 3),
        ("b:\tref=secret\n", "no list of words", 3),
        ("b:\tref=['x', 3]\n", "no list of words", 3),
        ("b:\tref=[exit()]\n", "no list of words", 3),
        ("b:\tref=" + "[" * 5000 + "\n", "no list of words", 3),
        ("b:\tref=['the secret', 'of two']\n", "several words in one item", 3),
        ("b\tsecret\n", "neither ref nor hyp", 3),
    ],
)
def test_what_is_malformed_is_refused_with_its_line_and_without_transcripts(tmp_path, text, what, line):
    with pytest.raises(LogError, match=what) as refused:
        rows(tmp_path, stored(("a", ["x"], ["x"])) + text)
    assert refused.value.where == f"{NAME}, line {line}"
    assert "secret" not in str(refused.value)
