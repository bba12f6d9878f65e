"""Hugging Face data sets: folders and files, classes by name, audio left where it is, broken files."""

import json
import sys

import pyarrow as pa
import pytest

from fairaudit.exceptions import LogError
from fairaudit.readers.datasets import HfDatasets
from fairaudit.readers.document import Document
from fairaudit.readers.formats import choose
from fairaudit.testing import check_reader

GENDER = {"info": {"features": {"gender": {"names": ["female", "male"], "_type": "ClassLabel"}}}}


def table(gender=(0, 1, -1, None), **more):
    columns = {
        "id": ["a", "b", "c", "d"],
        "text": ["good day", "", None, "yes"],
        "speaker_id": pa.array([11, 12, 13, 13]),
        "gender": pa.array(gender),
        "audio": pa.array([{"bytes": b"RIFF", "path": "a.wav"}] * 4),
        "vector": pa.array([[0.5, 1.5]] * 4, pa.list_(pa.float32())),
        **more,
    }
    made = pa.table({name: column for name, column in columns.items() if column is not None})
    return made.replace_schema_metadata({"huggingface": json.dumps(GENDER)})


def written(tmp_path, made, name="data.arrow", stream=True):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    opened = pa.ipc.new_stream if stream else pa.ipc.new_file
    with opened(str(path), made.schema) as writer:
        writer.write_table(made, max_chunksize=3)
    return Document(path, name)


def folder(tmp_path, *tables):
    names = [f"data-{i:05}-of-{len(tables):05}.arrow" for i in range(len(tables))]
    for name, made in zip(names, tables, strict=True):
        written(tmp_path, made, f"saved/{name}")
    (tmp_path / "saved" / "dataset_info.json").write_text("{}")
    # Not in the order of their names: the list counts.
    state = {"_data_files": [{"filename": name} for name in names[::-1]]}
    (tmp_path / "saved" / "state.json").write_text(json.dumps(state))
    return Document(tmp_path / "saved", "saved")


def rows(document):
    return list(HfDatasets().rows(document))


def columns(tmp_path, **more):
    return rows(written(tmp_path, table(**more)))


def test_a_file_keeps_the_contract(tmp_path):
    document = written(tmp_path, table())
    bad = tmp_path / "bad.arrow"
    bad.write_bytes(document.path.read_bytes()[:-100])
    check_reader(HfDatasets(), document.path, bad)
    assert choose(document, None) == "datasets"
    assert rows(document) == [
        {"utterance_id": "a", "reference": "good day", "speaker_id": "11", "gender": "female"},
        {"utterance_id": "b", "reference": "", "speaker_id": "12", "gender": "male"},
        {"utterance_id": "c", "reference": None, "speaker_id": "13", "gender": None},
        {"utterance_id": "d", "reference": "yes", "speaker_id": "13", "gender": None},
    ]


def test_the_other_kind_of_arrow_file_is_read_alike(tmp_path):
    other = written(tmp_path, table(), "other.arrow", stream=False)
    assert choose(other, None) == "datasets"
    assert rows(other) == rows(written(tmp_path, table()))


def test_a_folder_gives_its_files_in_the_order_of_its_list(tmp_path):
    document = folder(tmp_path, table(), table(id=["e", "f", "g", "h"]))
    assert choose(document, None) == "datasets"
    assert [row["utterance_id"] for row in rows(document)] == list("efghabcd")


def test_the_digest_of_a_folder_is_that_of_its_files(tmp_path):
    digests = []
    for text in ("yes", "no"):
        document = folder(tmp_path, table(text=[text] * 4))
        rows(document)
        digests.append(document.sha256())
    assert digests[0] != digests[1]


def test_what_the_package_saves_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="Hugging Face's datasets is not installed")
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "sentence": datasets.Value("large_string"),
            "client_id": datasets.Value("string"),
            "accent": datasets.ClassLabel(names=["scots", "irish"]),
            "audio": {"bytes": datasets.Value("binary"), "path": datasets.Value("string")},
        }
    )
    audio = {"bytes": b"RIFF", "path": "a.wav"}
    made = datasets.Dataset.from_list(
        [
            {"id": str(i), "sentence": "good day", "client_id": f"s{i}", "accent": i % 2, "audio": audio}
            for i in range(5)
        ],
        features=features,
    )
    datasets.disable_progress_bars()
    made.save_to_disk(str(tmp_path / "saved"), num_shards=2)
    document = Document(tmp_path / "saved", "saved")
    assert choose(document, None) == "datasets"
    found = rows(document)
    assert [row["utterance_id"] for row in found] == ["0", "1", "2", "3", "4"]
    assert found[1] == {"utterance_id": "1", "reference": "good day", "speaker_id": "s1", "accent": "irish"}
    datasets.DatasetDict({"test": made}).save_to_disk(str(tmp_path / "splits"))
    several = Document(tmp_path / "splits", "splits")
    assert choose(several, None) == "datasets"
    with pytest.raises(LogError, match="several splits: test") as refused:
        rows(several)
    assert refused.value.fix == "give one of them: splits/test"


def test_audio_is_not_brought_into_memory(tmp_path):
    audio = pa.array([{"bytes": b"x" * 5_000_000, "path": "a.wav"}] * 4)
    document = written(tmp_path, table(audio=audio))
    del audio
    before = pa.total_allocated_bytes()
    most = max(pa.total_allocated_bytes() - before for _ in HfDatasets().rows(document))
    assert most < 1_000_000


def test_numbers_dates_and_dictionaries_become_text_and_nan_is_missing(tmp_path):
    import datetime

    found = columns(
        tmp_path,
        duration=pa.array([3.1, 2.0, float("nan"), None], pa.float32()),
        noisy=[True, False, None, True],
        day=[datetime.date(2024, 2, 29)] * 4,
        device=pa.array(["phone", "car", None, "phone"]).dictionary_encode(),
        level=pa.array([1, 2, None, 1]).dictionary_encode(),
        nothing=pa.nulls(4),
        errors=pa.array([1.0, 2.0, None, 0.0]),
        ref_words=pa.array([2, 0, None, 1], pa.uint8()),
    )
    assert [row["duration"] for row in found] == ["3.1", "2", None, None]
    assert [row["noisy"] for row in found] == ["true", "false", None, "true"]
    assert found[0]["day"] == "2024-02-29"
    assert [row["device"] for row in found] == ["phone", "car", None, "phone"]
    assert [row["level"] for row in found] == ["1", "2", None, "1"]
    assert found[0]["nothing"] is None
    assert [row["errors"] for row in found] == [1, 2, None, 0]
    assert [row["ref_words"] for row in found] == [2, 0, None, 1]


def test_canonical_names_come_before_those_of_data_sets(tmp_path):
    found = columns(tmp_path, utterance_id=["u1", "u2", "u3", "u4"], reference=["x"] * 4, speaker=["s"] * 4)
    assert found[0] == {
        "id": "a",
        "speaker_id": "11",
        "gender": "female",
        "utterance_id": "u1",
        "reference": "x",
        "speaker": "s",
    }


def test_the_text_stays_the_reference_beside_a_hypothesis(tmp_path):
    found = columns(tmp_path, hypothesis=["x"] * 4)
    assert (found[0]["reference"], found[0]["hypothesis"]) == ("good day", "x")


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"sentence": ["secret"] * 4}, "text and sentence could each be the reference"),
        ({"id": None, "speaker_id": None}, "no column names the utterances or the speakers"),
        ({"gender": [0, 2, 0, 0]}, "gender is 2"),
        ({"errors": [0.5, 1.0, 1.0, 1.0]}, "errors cannot be read from double"),
        ({"errors": ["many"] * 4}, "errors cannot be read from string"),
    ],
)
def test_what_does_not_fit_is_refused_without_transcripts(tmp_path, more, what):
    with pytest.raises(LogError, match=what) as refused:
        columns(tmp_path, **more)
    assert refused.value.where == "data.arrow"
    assert "secret" not in str(refused.value)


def test_two_columns_of_one_name_are_refused(tmp_path):
    made = pa.table([pa.array(["a"]), pa.array(["b"])], names=["id", "id"])
    with pytest.raises(LogError, match="several columns are called id"):
        rows(written(tmp_path, made))


def test_a_file_without_its_end_is_refused_wherever_it_was_cut(tmp_path):
    document = written(tmp_path, table())
    whole = document.path.read_bytes()
    cuts = sorted({*range(0, len(whole), 97), len(whole) - 8, len(whole) - 1})
    for cut in cuts:
        document.path.write_bytes(whole[:cut])
        with pytest.raises(LogError, match="incomplete"):
            rows(document)


def test_a_damaged_file_is_refused(tmp_path):
    document = written(tmp_path, table(), stream=False)
    document.path.write_bytes(document.path.read_bytes()[:-300])
    with pytest.raises(LogError, match="malformed or incomplete"):
        rows(document)


def test_a_folder_that_lost_a_file_is_refused(tmp_path):
    document = folder(tmp_path, table(), table())
    (tmp_path / "saved" / "data-00001-of-00002.arrow").unlink()
    with pytest.raises(LogError, match=r"data-00001-of-00002\.arrow is not there") as refused:
        rows(document)
    assert refused.value.where == "saved/state.json"
    (tmp_path / "saved" / "state.json").write_text("{}")
    with pytest.raises(LogError, match="no list of Arrow files"):
        rows(document)


def test_other_files_and_folders_are_not_taken_for_it(tmp_path):
    (tmp_path / "log.arrow").write_text("speaker_id,errors\n")
    (tmp_path / "state.json").write_text("{}")
    assert not HfDatasets().recognises(Document(tmp_path / "log.arrow", "log.arrow"))
    assert not HfDatasets().recognises(Document(tmp_path, "folder"))


def test_looking_at_a_file_loads_no_engine():
    import subprocess

    code = "import sys, fairaudit.readers.datasets; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
