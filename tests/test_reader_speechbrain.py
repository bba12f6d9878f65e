"""SpeechBrain's wer.txt: the legend, ids with commas, words that are semicolons, counts that do not fit."""

import pytest

from fairaudit.exceptions import LogError
from fairaudit.readers.document import Document
from fairaudit.readers.formats import choose
from fairaudit.readers.speechbrain import SpeechBrain
from fairaudit.testing import check_reader

RULE = "=" * 80


def aligned(*cells):
    """Print (operation, reference, hypothesis) below each other, as `_print_alignment` does."""
    wide = [max(map(len, cell)) for cell in cells]
    lines = [" ; ".join(cell[i].center(w) for cell, w in zip(cells, wide, strict=True)) for i in (1, 0, 2)]
    return "\n".join(lines) + "\n"


# What print_wer_summary and print_alignments of speechbrain/dataio/wer.py print.
TOP = f"""\
%WER 42.86 [ 3 / 7, 1 ins, 1 del, 1 sub ]
%SER 66.67 [ 2 / 3 ]
Scored 3 sentences, 0 not present in hyp.
{RULE}
ALIGNMENTS

Format:
<utterance-id>, WER DETAILS
""" + aligned(
    ("I", "<eps>", "and"),
    ("S", "reference", "hypothesis"),
    ("=", "on", "on"),
    ("=", "the", "the"),
    ("S", "first", "third"),
    ("D", "line", "<eps>"),
)
ONE = f"{RULE}\nrec,1, part 2, %WER 66.67 [ 2 / 3, 1 ins, 0 del, 1 sub ]\n" + aligned(
    ("I", "<eps>", "so"), ("=", "good", "good"), ("S", "day", "way"), ("=", "you", "you")
)
ALIGNMENT = aligned(("=", "yes", "yes"), ("=", ";", ";"), ("D", "no", "<eps>"))
TWO = f"{RULE}\nb-2, %WER 33.33 [ 1 / 3, 0 ins, 1 del, 0 sub ]\n{ALIGNMENT}"
EMPTY = f"""\
{RULE}
c, %WER 0.00 [ 0 / 0, 0 ins, 0 del, 0 sub ]



"""


def written(tmp_path, *parts, name="wer_test.txt"):
    path = tmp_path / name
    path.write_text("".join(parts), "utf-8")
    return Document(path, name)


def rows(tmp_path, *parts):
    return list(SpeechBrain().rows(written(tmp_path, *parts)))


def scored(number):
    return TOP.replace("Scored 3", f"Scored {number}")


def test_alignments_keep_the_contract_and_the_legend_is_no_utterance(tmp_path):
    document = written(tmp_path, TOP, ONE, TWO, EMPTY)
    check_reader(SpeechBrain(), document.path, written(tmp_path, TOP, ONE, name="bad.txt").path)
    assert choose(document, None) == "speechbrain"
    assert list(SpeechBrain().rows(document)) == [
        {
            "utterance_id": "rec,1, part 2",
            "errors": 2,
            "ref_words": 3,
            "insertions": 1,
            "deletions": 0,
            "substitutions": 1,
            "reference": "good day you",
            "hypothesis": "so good way you",
        },
        {
            "utterance_id": "b-2",
            "errors": 1,
            "ref_words": 3,
            "insertions": 0,
            "deletions": 1,
            "substitutions": 0,
            "reference": "yes ; no",
            "hypothesis": "yes ;",
        },
        {
            "utterance_id": "c",
            "errors": 0,
            "ref_words": 0,
            "insertions": 0,
            "deletions": 0,
            "substitutions": 0,
            "reference": "",
            "hypothesis": "",
        },
    ]


def test_spaces_at_the_ends_of_lines_may_be_lost(tmp_path):
    stripped = "\n".join(line.rstrip() for line in (TOP + ONE + TWO + EMPTY).splitlines()) + "\n"
    assert rows(tmp_path, stripped) == rows(tmp_path, TOP, ONE, TWO, EMPTY)


def test_a_word_that_looks_like_nothing_is_a_word_where_it_was_said(tmp_path):
    block = f"{RULE}\na, %WER 0.00 [ 0 / 1, 0 ins, 0 del, 0 sub ]\n<eps>\n  =  \n<eps>\n"
    (row,) = rows(tmp_path, scored(1), block)
    assert (row["reference"], row["hypothesis"], row["ref_words"]) == ("<eps>", "<eps>", 1)


def test_the_list_of_worst_utterances_is_passed_over(tmp_path):
    worst = (
        f"{RULE}\nUTTERANCES WITH HIGHEST WER\n"
        "Non-empty hypotheses -- utterances for which output was produced:\nb-2 %WER 33.33\n"
    )
    top = scored(1)
    (row,) = rows(tmp_path, top[: top.index(RULE)], worst, top[top.index(RULE) :], TWO)
    assert row["utterance_id"] == "b-2"


def test_the_summary_of_another_program_is_not_taken_for_it(tmp_path):
    kaldi = (
        "%WER 4.50 [ 2 / 44, 0 ins, 0 del, 2 sub ]\n%SER 20.00 [ 1 / 5 ]\nScored 5 sentences, 0 not present"
    )
    assert not SpeechBrain().recognises(written(tmp_path, kaldi, name="wer_10"))


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (TWO.replace("1 / 3", "1 / 4"), r"ref_words 4 \(aligned: 3\)"),
        (
            TWO.replace("1 / 3, 0 ins, 1 del", "2 / 3, 1 ins, 1 del"),
            r"errors 2 .*insertions 1 \(aligned: 0\)",
        ),
        (TWO.replace("D", "S"), r"deletions 1 \(aligned: 0\), substitutions 0 \(aligned: 1\)"),
        (TWO.replace("D", "X"), "incomplete or out of line"),
        (TWO.replace("yes ; ; ; <eps>\n", ""), "incomplete or out of line"),
        (TWO + "yes\n", "incomplete or out of line"),
        (TWO.replace("<eps>", "why  "), "incomplete or out of line"),
        (TWO.replace("yes ; ; ; <eps>", "yes, ; ; ; <eps>"), "incomplete or out of line"),
        (TWO.replace("yes ; ; ; <eps>", "yes ; ; ; <eps> ; and"), "incomplete or out of line"),
        (
            TWO.replace(ALIGNMENT, ""),
            r"ref_words 3 \(aligned: 0\)",
        ),
    ],
)
def test_counts_that_are_not_those_of_the_alignment_are_refused_with_their_line(tmp_path, changed, what):
    with pytest.raises(LogError, match=what) as refused:
        rows(tmp_path, scored(2), ONE, changed)
    header = (scored(2) + ONE).count("\n") + 2
    assert refused.value.where == f"wer_test.txt, line {header}"
    assert "yes" not in str(refused.value)


def test_a_header_that_is_none_is_refused_with_its_line(tmp_path):
    with pytest.raises(LogError, match="no header of an utterance") as refused:
        rows(tmp_path, scored(1), TWO.replace("[ 1 / 3,", "[ 1 / some,"))
    assert refused.value.where == f"wer_test.txt, line {TOP.count(chr(10)) + 2}"


def test_a_file_that_lost_utterances_is_refused(tmp_path):
    with pytest.raises(LogError, match="tells of 3 utterances, but has 2"):
        rows(tmp_path, TOP, ONE, TWO)
    with pytest.raises(LogError, match="does not say how many utterances, but has 1"):
        rows(tmp_path, TOP.replace("Scored", "Counted"), ONE)


def test_utterances_without_hypothesis_are_not_dropped_silently(tmp_path):
    with pytest.raises(LogError, match="2 utterances have no hypothesis") as refused:
        rows(tmp_path, scored(1).replace("0 not present", "2 not present"), ONE)
    assert refused.value.where == "wer_test.txt, line 3"
