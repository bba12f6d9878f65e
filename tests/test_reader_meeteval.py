"""meeteval's errors by recording: as the real one writes them, and what does not add up."""

import dataclasses
import json

import pytest

from fairaudit.exceptions import LogError
from fairaudit.readers.document import Document
from fairaudit.readers.formats import choose
from fairaudit.readers.meeteval import Meeteval
from fairaudit.testing import check_reader

REFERENCE = """\
meet1 1 Anna 0 2 hello there good morning
meet1 1 Bob 2 4 good day to you
meet2 1 Cleo 0 2 yes
"""
HYPOTHESIS = """\
meet1 1 spk1 0 2 hello their good morning
meet1 1 spk2 2 4 good day you all now
meet2 1 spk1 0 2 yes
"""


def rate(**changes):
    plain = {
        "error_rate": 0.5,
        "errors": 4,
        "length": 8,
        "insertions": 2,
        "deletions": 1,
        "substitutions": 1,
        "reference_self_overlap": None,
        "hypothesis_self_overlap": None,
        "missed_speaker": 0,
        "falarm_speaker": 0,
        "scored_speaker": 2,
        "assignment": [["Anna", "spk1"], ["Bob", "spk2"]],
    }
    return {name: value for name, value in (plain | changes).items() if value != "left out"}


def written(tmp_path, value, name="hyp_cpwer_per_reco.json"):
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=2), "utf-8")
    return Document(path, name)


def test_recordings_keep_the_contract(tmp_path):
    document = written(tmp_path, {"meet1": rate(), "meet2": rate(errors=3, deletions=0)})
    bad = written(tmp_path, {"meet1": rate(errors=9)}, "bad.json")
    check_reader(Meeteval(), document.path, bad.path)
    assert choose(document, None) == "meeteval"
    assert next(Meeteval().rows(document)) == {
        "utterance_id": "meet1",
        "ref_words": 8,
        "errors": 4,
        "substitutions": 1,
        "deletions": 1,
        "insertions": 2,
        "scored_speaker": "2",
    }


@pytest.mark.parametrize(
    ("score", "labels"),
    [
        ("cpwer", {"scored_speaker": ["2", "1"]}),
        ("orcwer", {}),
        ("mimower", {}),
        ("tcpwer", {"scored_speaker": ["2", "1"]}),
    ],
)
def test_what_meeteval_writes_is_read(tmp_path, score, labels):
    meeteval = pytest.importorskip("meeteval", reason="meeteval is not installed")
    paths = []
    for name, text in (("ref", REFERENCE), ("hyp", HYPOTHESIS)):
        paths.append(tmp_path / f"{name}.stm")
        paths[-1].write_text(text)
    options = {"collar": 5} if score == "tcpwer" else {}
    rates = getattr(meeteval.wer, score)(*map(meeteval.io.load, paths), **options)
    # As `_save_results` of meeteval/wer/__main__.py does it; it writes decimals as numbers.
    plain = {name: dataclasses.asdict(rate) for name, rate in rates.items()}
    document = written(tmp_path, json.dumps(plain, indent=2, default=float))
    assert choose(document, None) == "meeteval"
    rows = list(Meeteval().rows(document))
    assert [row["utterance_id"] for row in rows] == ["meet1", "meet2"]
    # "there" for "their"; "to" left out; "all now" put in.
    assert [(row["ref_words"], row["errors"], row["insertions"]) for row in rows] == [(8, 4, 2), (1, 0, 0)]
    assert {name: [row[name] for row in rows] for name in rows[0] if name == "scored_speaker"} == labels


def test_nobody_is_named_the_speaker_and_errors_about_speakers_are_no_labels(tmp_path):
    (row,) = Meeteval().rows(written(tmp_path, {"meet1": rate(missed_speaker=1)}))
    assert {"speaker_id", "missed_speaker", "falarm_speaker", "assignment"}.isdisjoint(row)


def test_a_recording_without_words_has_none(tmp_path):
    value = {"silence": rate(error_rate=None, length=0, errors=2, deletions=0, substitutions=0)}
    document = written(tmp_path, value)
    assert choose(document, None) == "meeteval"
    assert next(Meeteval().rows(document))["ref_words"] == 0


def test_the_average_and_the_errors_of_a_diarisation_are_not_taken_for_recordings(tmp_path):
    average = written(tmp_path, rate(), "hyp_cpwer.json")
    assert choose(average, None) == "jsonl"
    with pytest.raises(LogError, match="average over all recordings"):
        list(Meeteval().rows(average))
    seconds = {"meet1": {"error_rate": 0.1, "scored_speaker_time": 12.5, "missed_speaker_time": 1.2}}
    diarisation = written(tmp_path, seconds, "hyp_dscore_per_reco.json")
    assert choose(diarisation, None) == "jsonl"
    with pytest.raises(LogError, match="'meet1' has no length"):
        list(Meeteval().rows(diarisation))


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (rate(errors=5), "has 5 errors, but its insertions, deletions and substitutions are 4"),
        (rate(length=8.5), "length of recording 'zwölf' is '8.5'"),
        (rate(length=-8), "length of recording 'zwölf' is '-8'"),
        (rate(length=None), "length of recording 'zwölf' is None"),
        (rate(insertions="left out"), "'zwölf' has no insertions"),
        (7, "'zwölf' has no word errors"),
    ],
)
@pytest.mark.parametrize("ascii_alone", [True, False])
def test_what_is_malformed_is_refused_with_the_line_of_the_recording(tmp_path, second, what, ascii_alone):
    text = json.dumps({"a": rate(), "zwölf": second}, indent=2, ensure_ascii=ascii_alone)
    begins = json.dumps("zwölf", ensure_ascii=ascii_alone)
    (line,) = [n for n, found in enumerate(text.splitlines(), 1) if found.startswith(f"  {begins}")]
    with pytest.raises(LogError, match=what) as refused:
        list(Meeteval().rows(written(tmp_path, text)))
    assert refused.value.where == f"hyp_cpwer_per_reco.json, line {line}"


def test_a_recording_that_is_there_twice_is_refused(tmp_path):
    one = json.dumps(rate())
    with pytest.raises(LogError, match="'a' is there twice"):
        list(Meeteval().rows(written(tmp_path, f'{{"a": {one}, "a": {one}}}')))


def test_half_a_file_is_refused_with_its_line(tmp_path):
    text = json.dumps({"a": rate()}, indent=2)[:-40]
    with pytest.raises(LogError, match="malformed JSON") as refused:
        list(Meeteval().rows(written(tmp_path, text)))
    assert f"line {text.count(chr(10)) + 1}" in refused.value.where
