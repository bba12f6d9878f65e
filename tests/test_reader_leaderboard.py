"""Results of the Open ASR Leaderboard: told from NeMo manifests, chunks put together, lattices refused."""

import json

import pytest

from fairaudit.exceptions import LogError
from fairaudit.readers.document import Document
from fairaudit.readers.formats import choose
from fairaudit.readers.leaderboard import Leaderboard
from fairaudit.testing import check_reader


def entry(number, **changes):
    """What `write_manifest` of the leaderboard's eval_utils.py writes for an utterance."""
    plain = {
        "audio_filepath": f"sample_{number}",
        "duration": 2.5,
        "time": 0.125,
        "text": "good day",
        "pred_text": "good way",
    }
    return plain | changes


def chunk(number, of="meeting", **changes):
    return entry(number, parent_id=of, chunk_index=number, pred_text=f" part {number}", **changes)


def written(tmp_path, *entries, name="MODEL_x_DATASET_y_test.jsonl"):
    path = tmp_path / name
    path.write_text("".join(json.dumps(e) + "\n" for e in entries), "utf-8")
    return Document(path, name)


def rows(tmp_path, *entries):
    return list(Leaderboard().rows(written(tmp_path, *entries)))


def test_results_keep_the_contract_and_are_told_from_manifests(tmp_path):
    document = written(tmp_path, entry(0), entry(1, duration=None, time=None, accent="scots"))
    bad = written(tmp_path, entry(0), {"audio_filepath": "sample_1"}, name="bad.jsonl")
    check_reader(Leaderboard(), document.path, bad.path)
    assert choose(document, None) == "leaderboard"
    assert list(Leaderboard().rows(document)) == [
        {
            "utterance_id": "sample_0",
            "duration": "2.5",
            "time": "0.125",
            "reference": "good day",
            "hypothesis": "good way",
        },
        {
            "utterance_id": "sample_1",
            "duration": None,
            "time": None,
            "reference": "good day",
            "hypothesis": "good way",
            "accent": "scots",
        },
    ]


def test_a_manifest_without_time_is_left_to_nemo(tmp_path):
    plain = entry(0)
    del plain["time"]
    assert choose(written(tmp_path, plain), None) == "nemo"


def test_chunks_of_a_session_are_one_row_against_its_reference(tmp_path):
    # Each chunk repeats the whole reference: read one by one, most words would count as deleted.
    found = rows(
        tmp_path,
        chunk(1, accent="a", noise="low"),
        chunk(0, accent="a", noise="high"),
        chunk(0, of="talk", duration=None) | {"pred_text": None},
    )
    assert found == [
        {
            "utterance_id": "meeting",
            "duration": "5.0",
            "time": "0.250",
            "reference": "good day",
            "hypothesis": "part 0 part 1",
            "accent": "a",
        },
        {
            "utterance_id": "talk",
            "duration": None,
            "time": "0.125",
            "reference": "good day",
            # A chunk that was not recognised: a missing hypothesis, not an empty one.
            "hypothesis": None,
        },
    ]


@pytest.mark.parametrize(
    ("entries", "what", "line"),
    [
        ([chunk(0), chunk(2)], "a chunk of session 'meeting' is missing", 1),
        ([chunk(0), chunk(0)], "a chunk of session 'meeting' is missing or there twice", 1),
        ([chunk(0), chunk(1) | {"chunk_index": None}], "without a whole chunk_index", 1),
        ([chunk(0), chunk(1, text="secret")], "different references", 1),
        ([chunk(0, duration="long")], "duration is no number", 1),
        ([chunk(0), entry(1)], "some lines have a parent_id", 2),
        ([entry(0), chunk(0)], "some lines have a parent_id", 2),
        ([entry(0), entry(1, text='[["secret"]]')], "lattice", 2),
        ([entry(0), entry(1, text=[["secret"]])], "lattice", 2),
        ([entry(0), {"audio_filepath": "sample_1", "text": "secret"}], "no duration, time, pred_text", 2),
        ([entry(0), entry(1, pred_text=["secret"])], "pred_text is no text", 2),
    ],
)
def test_what_is_malformed_is_refused_with_its_line_and_without_transcripts(tmp_path, entries, what, line):
    with pytest.raises(LogError, match=what) as refused:
        rows(tmp_path, *entries)
    assert refused.value.where == f"MODEL_x_DATASET_y_test.jsonl, line {line}"
    assert "secret" not in str(refused.value)
