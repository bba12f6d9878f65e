"""NeMo manifests: ids of segments, hypotheses of one or several models, and what is malformed."""

import json

import pytest

from fairaudit.exceptions import LogError
from fairaudit.readers.document import Document
from fairaudit.readers.formats import choose
from fairaudit.readers.nemo import NemoManifest
from fairaudit.testing import check_reader

# After NVIDIA NeMo's documentation of manifests; the last keys are what its transcribe_speech.py adds.
MANIFEST = """\
{"audio_filepath": "ann/1.wav", "duration": 3.50, "text": "hello there", "speaker": "ann", "pred_text": "hi"}
{"audio_filepath": "bob/1.wav", "duration": "2.1", "text": "", "speaker": 7, "pred_text": "", "wer": 0.0}
"""


def written(tmp_path, text, name="manifest.json"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return Document(path, name)


def lines(*entries):
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def rows(tmp_path, *entries):
    return list(NemoManifest().rows(written(tmp_path, lines(*entries))))


def test_a_manifest_keeps_the_contract_and_is_told_from_others(tmp_path):
    document = written(tmp_path, MANIFEST)
    check_reader(NemoManifest(), document.path, written(tmp_path, '{"text": "a"}\n', "bad.json").path)
    assert choose(document, None) == "nemo"
    assert list(NemoManifest().rows(document)) == [
        {
            "utterance_id": "ann/1.wav",
            "duration": "3.50",
            "reference": "hello there",
            "speaker_id": "ann",
            "hypothesis": "hi",
        },
        {
            "utterance_id": "bob/1.wav",
            "duration": "2.1",
            "reference": "",
            "speaker_id": "7",
            "hypothesis": "",
            "wer": "0.0",
        },
    ]


def test_segments_of_one_file_are_told_apart_by_where_they_start(tmp_path):
    found = rows(
        tmp_path,
        {"audio_filepath": "a.wav", "text": "x"},
        {"audio_filepath": "a.wav", "offset": 0, "text": "x"},
        {"audio_filepath": "a.wav", "offset": 0.0, "text": "x"},
        {"audio_filepath": "a.wav", "offset": "3.50", "text": "x"},
        {"audio_filepath": "a.wav", "offset": 12.0, "text": "x"},
    )
    assert [row["utterance_id"] for row in found] == ["a.wav"] * 3 + ["a.wav#3.5", "a.wav#12"]
    assert all("offset" not in row and "audio_filepath" not in row for row in found)


@pytest.mark.parametrize("key", ["id", "utt_id", "utterance_id"])
def test_an_id_of_its_own_is_taken_as_it_is_and_leaves_the_path_a_label(tmp_path, key):
    (row,) = rows(tmp_path, {"audio_filepath": "a.wav", "offset": 1, "text": "x", key: "0012"})
    assert row["utterance_id"] == "0012"
    assert (row["audio_filepath"], row["offset"]) == ("a.wav", "1")


def test_the_only_model_gives_the_hypothesis(tmp_path):
    (row,) = rows(tmp_path, {"audio_filepath": "a.wav", "text": "x", "pred_text_small": "y"})
    assert row["hypothesis"] == "y"
    assert "pred_text_small" not in row


def test_of_several_models_none_is_taken(tmp_path):
    entry = {"audio_filepath": "a.wav", "text": "x", "pred_text_small": "y", "pred_text_large": "x"}
    (row,) = rows(tmp_path, entry)
    assert "hypothesis" not in row
    assert (row["pred_text_small"], row["pred_text_large"]) == ("y", "x")


def test_pred_text_comes_before_those_of_named_models(tmp_path):
    (row,) = rows(tmp_path, {"audio_filepath": "a", "text": "x", "pred_text_small": "y", "pred_text": "z"})
    assert (row["hypothesis"], row["pred_text_small"]) == ("z", "y")


def test_a_hypothesis_that_is_not_there_is_missing_and_an_empty_one_is_empty(tmp_path):
    found = rows(
        tmp_path,
        {"audio_filepath": "a", "text": "x", "pred_text": "x"},
        {"audio_filepath": "b", "text": "x", "pred_text": None},
        {"audio_filepath": "c", "text": "x", "pred_text": ""},
        {"audio_filepath": "d", "text": "x"},
    )
    assert [row.get("hypothesis") for row in found] == ["x", None, "", None]


def test_a_model_that_appears_later_on_is_refused(tmp_path):
    with pytest.raises(LogError, match=r"pred_text_b is here(.|\n)*manifest\.json, line 2"):
        rows(
            tmp_path,
            {"audio_filepath": "a", "text": "x", "pred_text_a": "x"},
            {"audio_filepath": "b", "text": "x", "pred_text_b": "x"},
        )


def test_without_hypotheses_there_are_references(tmp_path):
    document = written(tmp_path, lines({"audio_filepath": "a.wav", "duration": 1, "text": "x y"}))
    assert choose(document, None) == "nemo"
    assert list(NemoManifest().rows(document)) == [
        {"utterance_id": "a.wav", "duration": "1", "reference": "x y"}
    ]


def test_vectors_and_nested_values_are_no_labels_and_nan_is_missing(tmp_path):
    text = (
        '{"audio_filepath": "a", "text": "x", "words": [{"w": "x"}], "more": {}, "snr": NaN, "noisy": true}\n'
    )
    (row,) = NemoManifest().rows(written(tmp_path, text))
    assert row == {"utterance_id": "a", "reference": "x", "snr": None, "noisy": "true"}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"audio_filepath": "b", "text": "secret', r"malformed JSON at character 33: Unterminated string"),
        ('{"audio_filepath": "b" "text": "secret"}', r"malformed JSON at character 24: Expecting ','"),
        ('["b"]', "not a JSON object"),
        ('{"audio_filepath": "b", "text": "x", "text": "secret"}', "'text' is there twice"),
        ('{"duration": 1, "text": "secret"}', "nothing names the utterance"),
        ('{"audio_filepath": "b", "text": ["secret"]}', "text is no text"),
        ('{"audio_filepath": "b", "offset": "later", "text": "secret"}', "offset is 'later'"),
        ('{"audio_filepath": "b", "offset": -1, "text": "secret"}', "offset is '-1'"),
        ('{"audio_filepath": "b", "text": "secret", "reference": "x"}', "both text and reference"),
        ('{"audio_filepath": "b", "text": "secret", "errors": 1.5}', "errors is '1.5'"),
    ],
)
def test_what_is_malformed_is_refused_with_its_line_and_without_transcripts(tmp_path, line, what):
    document = written(tmp_path, '{"audio_filepath": "a", "text": "x"}\n\n' + line + "\n")
    with pytest.raises(LogError, match=what) as refused:
        list(NemoManifest().rows(document))
    assert refused.value.where == "manifest.json, line 3"
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "entry",
    [
        {"speaker_id": "a", "ref_words": 3, "errors": 1},
        {"utterance_id": "a", "reference": "x", "hypothesis": "y", "audio_filepath": "a.wav", "text": "x"},
        {"audio_filepath": "a.wav", "speaker_id": "a", "accent": "b"},
    ],
)
def test_a_log_with_canonical_columns_is_no_manifest(tmp_path, entry):
    assert choose(written(tmp_path, lines(entry), "log.jsonl"), None) == "jsonl"
