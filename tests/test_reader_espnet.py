"""ESPnet2 scores: ref.trn and hyp.trn of one folder."""

import pytest

from fairaudit.exceptions import LogError
from fairaudit.readers.document import Document
from fairaudit.readers.espnet import Espnet, speaker_and_utterance
from fairaudit.testing import check_reader

REFERENCES = "hello there\t(ann-b-ann-b-1)\n\t(ann-b-ann-b-2)\nonly ref\t(bob-bob_3.wav)\n"
HYPOTHESES = "hello\t(ann-b-ann-b-1)\noh\t(ann-b-ann-b-2)\nonly hyp\t(x-x)\n"


def write(folder, references=REFERENCES, hypotheses=HYPOTHESES, name="score_wer"):
    (folder / name).mkdir()
    (folder / name / "ref.trn").write_text(references)
    (folder / name / "hyp.trn").write_text(hypotheses)
    return Document(folder / name, name)


def rows(folder, *texts):
    return [tuple(row.values()) for row in Espnet().rows(write(folder, *texts))]


def test_both_sides_are_joined_and_speakers_are_taken_from_the_ids(tmp_path):
    assert rows(tmp_path) == [
        ("ann-b-1", "ann-b", "hello there", "hello"),
        ("ann-b-2", "ann-b", "", "oh"),
        ("bob_3.wav", "bob", "only ref", None),
        ("x", "x", None, "only hyp"),
    ]


def test_where_one_id_does_not_tell_its_speaker_all_stay_whole(tmp_path):
    document = write(tmp_path, REFERENCES, HYPOTHESES + "hm\t(cat-take-4)\n")
    found = list(Espnet().rows(document))
    assert [row["utterance_id"] for row in found] == [
        "ann-b-ann-b-1",
        "ann-b-ann-b-2",
        "bob-bob_3.wav",
        "x-x",
        "cat-take-4",
    ]
    # A column without any value would stand in the way of --speaker-from-id.
    assert not any("speaker_id" in row for row in found)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a-a", ("a", "a")),
        ("1089-134686-1089-134686-0001", ("1089-134686", "1089-134686-0001")),
        ("011-011c0201", ("011", "011c0201")),
        ("a-a-a-a-x", ("a-a", "a-a-x")),
        ("a-b-1", None),
        ("ann", None),
        ("-x", None),
        ("a-", None),
    ],
)
def test_the_joining_dash_is_the_last_after_which_the_speaker_begins_again(name, parts):
    assert speaker_and_utterance(name) == parts


def test_characters_are_words_of_their_own(tmp_path):
    ((_, _, reference, hypothesis),) = rows(tmp_path, "h i <space> u\t(a-a1)\n", "h <space> u\t(a-a1)\n")
    assert (reference, hypothesis) == ("h i <space> u", "h <space> u")


@pytest.mark.parametrize(
    ("hypotheses", "says"),
    [
        ("hello\t(a-a1)\nagain\t(a-a1)\n", "'a-a1' is there twice"),
        ("hello\t(a-a1)\nhello\n", "no utterance id"),
        ("hello\t(a-a1)\n{ um / uh }\t(a-a2)\n", "alternatives"),
    ],
)
def test_a_malformed_file_is_refused_by_its_name_and_line(tmp_path, hypotheses, says):
    with pytest.raises(LogError) as caught:
        rows(tmp_path, REFERENCES, hypotheses)
    assert "score_wer/hyp.trn, line 2" in str(caught.value)
    assert says in str(caught.value)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(LogError, match=r"ref\.trn and hyp\.trn"):
        list(Espnet().rows(Document(tmp_path, "exp")))


def test_the_contract_is_kept(tmp_path):
    check_reader(Espnet(), write(tmp_path).path, write(tmp_path, hypotheses="hello\n", name="bad").path)


def test_both_files_are_part_of_its_digest(tmp_path):
    first, second = write(tmp_path), write(tmp_path, REFERENCES, HYPOTHESES.replace("oh", "no"), "other")
    for document in (first, second):
        list(Espnet().rows(document))
    assert first.sha256() != second.sha256()
