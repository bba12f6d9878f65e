"""Whisper's JSON: texts as a whole or in segments, lists of segments, folders, and what is none of it."""

import json

import pytest

from fairaudit.exceptions import LogError
from fairaudit.readers.document import HEAD, Document
from fairaudit.readers.formats import choose
from fairaudit.readers.whisper import Whisper
from fairaudit.testing import check_reader


def segment(text, start=0.0):
    """A segment as openai-whisper writes it."""
    return {
        "id": 0,
        "seek": 0,
        "start": start,
        "end": start + 2.0,
        "text": text,
        "tokens": [50364, 50464],
        "temperature": 0.0,
        "avg_logprob": -0.25,
        "compression_ratio": 0.9,
        "no_speech_prob": 0.01,
    }


OPENAI = {
    "text": " Good day. How are you?",
    "segments": [segment(" Good day."), segment(" How are you?", 2.0)],
    "language": "en",
}


def written(tmp_path, value, name="ann-1.json"):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
    return Document(path, name)


def row(tmp_path, value):
    (found,) = Whisper().rows(written(tmp_path, value))
    return found


def test_a_transcript_keeps_the_contract(tmp_path):
    document = written(tmp_path, OPENAI)
    check_reader(Whisper(), document.path, written(tmp_path, '{"text": "a', "bad.json").path)
    assert choose(document, None) == "whisper"
    assert row(tmp_path, OPENAI) == {
        "utterance_id": "ann-1",
        "text": "Good day. How are you?",
        "language": "en",
    }


@pytest.mark.parametrize(
    "value",
    [
        {"segments": OPENAI["segments"], "language": "en"},
        {"segments": OPENAI["segments"], "word_segments": [], "text": None},
        OPENAI["segments"],
        [{"start": "0:00:00", "end": "0:00:02", "text": "Good day."}, segment("How are you?")],
    ],
    ids=["no text", "null text", "list", "stripped, times as strings"],
)
def test_segments_are_joined_where_there_is_no_text_as_a_whole(tmp_path, value):
    assert choose(written(tmp_path, value), None) == "whisper"
    assert row(tmp_path, value)["text"] == "Good day. How are you?"


def test_languages_without_spaces_get_none(tmp_path):
    value = {"segments": [segment("你好"), segment("世界")], "language": "zh"}
    assert row(tmp_path, value)["text"] == "你好世界"


@pytest.mark.parametrize(
    "value", [{"text": "", "segments": [], "language": "en"}, {"segments": [], "language": "en"}]
)
def test_silence_is_an_empty_hypothesis(tmp_path, value):
    assert choose(written(tmp_path, value), None) == "whisper"
    assert row(tmp_path, value)["text"] == ""


def test_an_empty_list_is_silence_to_who_names_the_format(tmp_path):
    assert choose(written(tmp_path, []), None) == "jsonl"
    assert row(tmp_path, []) == {"utterance_id": "ann-1", "text": ""}


def test_nan_is_read_as_python_writes_it(tmp_path):
    value = json.dumps(OPENAI).replace("-0.25", "NaN").replace("0.01", "-Infinity")
    assert choose(written(tmp_path, value), None) == "whisper"
    assert row(tmp_path, value)["text"] == "Good day. How are you?"


def test_the_duration_of_verbose_json_is_kept_as_it_is_written(tmp_path):
    value = '{"task": "transcribe", "language": "english", "duration": 8.470, "text": "Hi", "segments": []}'
    assert choose(written(tmp_path, value), None) == "whisper"
    assert row(tmp_path, value)["duration"] == "8.470"


@pytest.mark.parametrize("as_list", [False, True])
def test_a_transcript_that_is_longer_than_its_beginning_is_told_too(tmp_path, as_list):
    many = [segment(f" word {i}") for i in range(1000)]
    value = many if as_list else {"text": "", "segments": many, "language": "en"}
    document = written(tmp_path, json.dumps(value, indent=2))
    assert document.path.stat().st_size > HEAD
    assert choose(document, None) == "whisper"


def test_a_folder_gives_a_row_for_each_file_sorted_and_not_those_of_folders_in_it(tmp_path):
    for name in ("out/b.json", "out/a.json", "out/a.part.json"):
        written(tmp_path, OPENAI, name)
    (tmp_path / "out" / "more").mkdir()
    written(tmp_path, OPENAI, "out/more/c.json")
    written(tmp_path, "Good day.", "out/a.txt")
    folder = Document(tmp_path / "out", "out")
    assert choose(folder, None) == "whisper"
    assert [r["utterance_id"] for r in Whisper().rows(folder)] == ["a", "a.part", "b"]


def test_another_file_in_the_folder_is_refused_by_name(tmp_path):
    written(tmp_path, OPENAI, "out/a.json")
    written(tmp_path, {"model": "small"}, "out/b.json")
    with pytest.raises(LogError, match="no transcript of Whisper") as refused:
        list(Whisper().rows(Document(tmp_path / "out", "out")))
    assert refused.value.where == "out/b.json"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("one.jsonl", json.dumps(OPENAI) + "\n" + json.dumps(OPENAI) + "\n"),
        ("two.jsonl", '{"text": "a", "language": "en"}\n{"text": "b", "language": "de"}\n'),
        ("three.jsonl", '{"speaker_id": "a", "reference": "x", "hypothesis": "y", "text": "y"}\n'),
        ("four.json", '[{"speaker_id": "a", "text": "y"}]'),
    ],
)
def test_json_lines_and_other_lists_are_no_transcript(tmp_path, name, value):
    assert choose(written(tmp_path, value, name), None) == "jsonl"


@pytest.mark.parametrize(
    ("value", "what", "where"),
    [
        ('{\n "text": "secret",\n "segments": [\n', "malformed JSON at character", "ann-1.json, line 4"),
        ('{"text": "secret"}\n{"text": "secret"}', "Extra data", "ann-1.json, line 2"),
        ({"segments": [segment("secret"), {"start": 1}]}, "segment 2 has no text", "ann-1.json"),
        ({"segments": "secret"}, "no text and no segments", "ann-1.json"),
        ({"text": ["secret"]}, "text is no text", "ann-1.json"),
        ('"secret"', "no transcript of Whisper", "ann-1.json"),
    ],
)
def test_what_is_malformed_is_refused_with_its_place_and_without_transcripts(tmp_path, value, what, where):
    with pytest.raises(LogError, match=what) as refused:
        row(tmp_path, value)
    assert refused.value.where == where
    assert "secret" not in str(refused.value)


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path):
    document = written(tmp_path, "")
    document.path.write_bytes(b'{\n"text": "caf\xe9"}')
    with pytest.raises(LogError, match="not UTF-8") as refused:
        list(Whisper().rows(document))
    assert refused.value.where == "ann-1.json, line 2"
