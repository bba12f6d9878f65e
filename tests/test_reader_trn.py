"""sclite trn: words, then the id in parentheses."""

import pytest
from sctk import needs_sclite, sclite_sgml

from fairaudit.exceptions import LogError
from fairaudit.readers.document import Document
from fairaudit.readers.trn import Trn
from fairaudit.testing import check_reader

PLAIN = """\
;; a comment (not-1)
she had your dark suit (cmh_sa01)
 (ann-b-2)

(Ann.C-3)
the (%hesitation) end (of) it\t(ann-4)
mail @ home (ann-5)\r
ok / no; yes (spk 1-6)
"""


def write(folder, text, name="hyp.trn"):
    file = folder / name
    file.write_text(text, "utf-8", newline="")
    return Document(file, name)


def rows(folder, text):
    return list(Trn().rows(write(folder, text)))


def test_words_and_ids_are_read_as_they_stand(tmp_path):
    assert rows(tmp_path, PLAIN) == [
        {"utterance_id": "cmh_sa01", "text": "she had your dark suit"},
        {"utterance_id": "ann-b-2", "text": ""},
        {"utterance_id": "Ann.C-3", "text": ""},
        {"utterance_id": "ann-4", "text": "the (%hesitation) end (of) it"},
        {"utterance_id": "ann-5", "text": "mail home"},
        {"utterance_id": "spk 1-6", "text": "ok / no; yes"},
    ]


@pytest.mark.parametrize("words", ["i { um / uh / @ } see", "{noise} hi", "a{b/c}", "hi { a / b"])
def test_no_alternative_is_taken_silently(tmp_path, words):
    with pytest.raises(LogError) as caught:
        rows(tmp_path, f"hi (a-1)\n{words} (a-2)\n")
    message = str(caught.value)
    assert "hyp.trn, line 2" in message
    assert "-o sgml" in message
    assert "see" not in message


@pytest.mark.parametrize("line", ["hello there", "hello (a-1) there", "hello ()", "hello ( )", "hi (a(1)-2)"])
def test_a_line_without_an_id_is_refused_by_its_number(tmp_path, line):
    with pytest.raises(LogError) as caught:
        rows(tmp_path, f"hi (a-1)\n\n{line}\n")
    message = str(caught.value)
    assert "hyp.trn, line 3" in message
    assert "allowed:" in message
    assert "fix:" in message
    assert "hello" not in message.replace("hello there (ann-1)", "")


def test_the_contract_is_kept(tmp_path):
    good, bad = write(tmp_path, PLAIN), write(tmp_path, "hello there\n", "bad.trn")
    check_reader(Trn(), good.path, bad.path)


@pytest.mark.parametrize(
    ("name", "known"), [("a.trn", True), ("a.trn.gz", True), ("trn", False), ("a.csv", False)]
)
def test_it_is_known_by_its_ending(tmp_path, name, known):
    assert Trn().recognises(write(tmp_path, "hi (a-1)\n", name)) is known


@needs_sclite
def test_sclite_reads_the_same_words_and_ids(tmp_path):
    from fairaudit.readers.sgml import Sgml

    text = PLAIN.replace("\r", "")
    write(tmp_path, text)
    written = sclite_sgml(tmp_path, "-s", "-r", "hyp.trn", "trn", "-h", "hyp.trn", "trn", "-i", "rm")
    (tmp_path / "out.sgml").write_text(written, "utf-8")
    ours = {row["utterance_id"]: row["text"] for row in rows(tmp_path, text)}
    aligned = list(Sgml().rows(Document(tmp_path / "out.sgml", "out.sgml")))
    assert {row["utterance_id"]: row["reference"] for row in aligned} == ours
    assert {row["utterance_id"]: row["ref_words"] for row in aligned} == {
        name: len(words.split()) for name, words in ours.items()
    }
