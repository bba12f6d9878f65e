"""Any log to canonical Parquet: nothing lost, nothing re-typed, and where it comes from in the file."""

import hashlib
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from logs import assert_same, counted, rows, write

from fairaudit.auditing import audit
from fairaudit.cli import main
from fairaudit.conversion import convert, write_counts
from fairaudit.exceptions import LogError, OptionError
from fairaudit.outputs import write_audit
from fairaudit.readers import read_log

TEXTS = pd.DataFrame(
    {
        "id": ["b", "a", "c", "d"],
        "spk": ["s1", "s1", "s2", "s2"],
        "reference": ["one two", "", "three", "four five"],
        "hypothesis": ["one", "oh", None, "four five"],
        "accent": ["x", "", "NA", "y"],
    }
)
NAMES = {"utterance_id": "id", "speaker_id": "spk"}


@pytest.mark.parametrize("kind", ["parquet", "csv", "tsv", "jsonl"])
def test_a_converted_log_gives_the_same_bits(kind, tmp_path):
    file = write(tmp_path, rows(), kind, "")
    told = convert(file, tmp_path / "log2.parquet")
    assert told.rows == 60
    assert_same(counted(read_log(tmp_path / "log2.parquet")), counted(read_log(file)))


def test_every_row_and_every_text_is_kept_as_it_is(tmp_path):
    told = convert(TEXTS, tmp_path / "log.parquet", columns=NAMES, missing={"accent": ["NA"]})
    table = pq.read_table(tmp_path / "log.parquet")
    assert told.columns == ("utterance_id", "speaker_id", "reference", "hypothesis", "accent")
    assert tuple(table.column_names) == told.columns
    assert table.to_pylist()[2] == {
        "utterance_id": "c", "speaker_id": "s2", "reference": "three", "hypothesis": None, "accent": None
    }  # fmt: skip
    assert table["reference"].to_pylist() == ["", "one two", "three", "four five"]


def test_columns_get_the_type_that_every_value_allows(tmp_path):
    table = pd.DataFrame(
        {
            "speaker_id": [1.0, 2.0],
            "ref_words": ["5", "6.0"],
            "errors": ["1", "x"],
            "insertions": ["0.5", "1"],
            "latitude": ["40", ""],
            "zip_code": ["02138", "00501"],
        }
    )
    told = convert(table, tmp_path / "log.parquet")
    schema = pq.read_schema(tmp_path / "log.parquet")
    assert {name: str(schema.field(name).type) for name in schema.names} == {
        "speaker_id": "string",
        "ref_words": "int64",
        "errors": "string",
        "insertions": "double",
        "latitude": "double",
        "zip_code": "string",
    }
    assert pq.read_table(tmp_path / "log.parquet")["speaker_id"].to_pylist() == ["1", "2"]
    assert told.warnings == ("errors holds 1 values that are no numbers: kept as text",)


def test_the_file_names_its_source_and_the_digest_of_it(tmp_path):
    file = write(tmp_path, rows(), "csv", "")
    convert(file, tmp_path / "log.parquet", where={"accent": ["NA"]})
    origin = json.loads(pq.read_schema(tmp_path / "log.parquet").metadata[b"fairaudit"])
    (source,) = origin["inputs"]
    assert (source["name"], source["format"], source["rows"]) == ("log.csv", "csv", 60)
    assert source["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert origin["selection"]["where"] == {"accent": ["NA"]}
    (read,) = read_log(tmp_path / "log.parquet").inputs
    assert read.origin.inputs[0].sha256 == source["sha256"]


def test_equal_logs_give_equal_bytes_whatever_the_order_of_their_rows(tmp_path):
    table = pd.DataFrame(rows())
    for name, order in (("a", table), ("b", table[::-1])):
        convert(order, tmp_path / f"{name}.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_scored_counts_hold_no_text_and_say_how_they_were_made(tmp_path):
    log = read_log(TEXTS, columns=NAMES, normalizer="basic", missing_hypothesis="exclude")
    told = write_counts(log, tmp_path / "counts.parquet")
    table = pq.read_table(tmp_path / "counts.parquet")
    assert "left out for missing_hypothesis: 1 rows" in told.warnings
    assert {"reference", "hypothesis"} & set(table.column_names) == set()
    assert [(r["utterance_id"], r["ref_words"], r["errors"]) for r in table.to_pylist()] == [
        ("a", 0, 1),
        ("b", 2, 1),
        ("d", 2, 0),
    ]
    again = read_log(tmp_path / "counts.parquet")
    assert again.scoring == log.scoring
    assert again.metric == log.metric
    assert again.warnings[0] == "left out when counts.parquet was scored: 1 missing_hypothesis"
    assert_same(counted(again, ((), ("accent",))), counted(log, ((), ("accent",))))


def test_counts_of_characters_stay_counts_of_characters(tmp_path):
    log = read_log(TEXTS, columns=NAMES, metric="CER", missing_hypothesis="delete")
    write_counts(log, tmp_path / "counts.parquet")
    again = read_log(tmp_path / "counts.parquet")
    assert (again.metric.name, again.metric.denominator) == ("CER", "ref_characters")
    with pytest.raises(OptionError, match="the counts of the log are of CER, not of WER"):
        read_log(tmp_path / "counts.parquet", metric="WER")
    with pytest.raises(OptionError, match="text cannot be scored as 'RTF'"):
        read_log(TEXTS, columns=NAMES, metric="RTF", missing_hypothesis="delete")


def test_a_converted_log_is_no_other_log_to_a_saved_partition(tmp_path):
    table = pd.DataFrame(
        {
            "speaker_id": [f"s{i:03}" for i in range(240)],
            "ref_words": 50,
            "errors": [i % 17 for i in range(240)],
            "device": ["x", "y", "z"] * 80,
        }
    )
    table.to_csv(tmp_path / "log.csv", index=False)
    result = write_audit(
        audit(read_log(tmp_path / "log.csv"), by=["device"], permutations=0, splits=1), tmp_path / "out"
    )
    assert result.partitions
    convert(tmp_path / "log.csv", tmp_path / "part.parquet", where={"device": ["x", "y"]})
    found = audit(
        read_log(tmp_path / "part.parquet"),
        partitions=tmp_path / "out" / "partitions.json",
        permutations=0,
        splits=1,
    )
    assert found.partition("device").exploratory


def test_a_foreign_or_edited_record_is_not_believed(tmp_path):
    table = pa.table({"speaker_id": ["a"], "ref_words": [1], "errors": [0]})
    pq.write_table(table.replace_schema_metadata({b"fairaudit": b"{}"}), tmp_path / "log.parquet")
    (source,) = read_log(tmp_path / "log.parquet").inputs
    assert source.origin is None


def test_an_older_file_stays_where_the_new_one_cannot_be_written(tmp_path, monkeypatch):
    convert(TEXTS, tmp_path / "log.parquet", columns=NAMES)
    before = (tmp_path / "log.parquet").read_bytes()

    def full(self, batch):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", full)
    with pytest.raises(OptionError, match="No space left on device"):
        convert(TEXTS, tmp_path / "log.parquet", columns=NAMES)
    assert [file.name for file in tmp_path.iterdir()] == ["log.parquet"]
    assert (tmp_path / "log.parquet").read_bytes() == before


def test_a_log_without_rows_is_not_written(tmp_path):
    (tmp_path / "log.csv").write_text("speaker_id,errors\n")
    with pytest.raises(LogError, match="the log has no rows"):
        convert(tmp_path / "log.csv", tmp_path / "log.parquet")
    assert not (tmp_path / "log.parquet").exists()


def test_both_commands_say_what_they_wrote(tmp_path, capsys):
    TEXTS.dropna().to_csv(tmp_path / "log.csv", index=False)
    columns = ["--column", "utterance_id=id", "--column", "speaker_id=spk"]
    for command in ("convert", "score"):
        out = str(tmp_path / f"{command}.parquet")
        assert main([command, str(tmp_path / "log.csv"), "-o", out, *columns]) == 0
        said = capsys.readouterr()
        assert said.out == ""
        assert f"{out}: 3 utterances, columns utterance_id, speaker_id, " in said.err
    assert main(["convert", str(tmp_path / "log.csv"), "-o", str(tmp_path / "log.txt"), *columns]) == 2
    assert "allowed: a .parquet file" in capsys.readouterr().err
    nowhere = str(tmp_path / "none" / "log.parquet")
    assert main(["convert", str(tmp_path / "log.csv"), "-o", nowhere, *columns]) == 2
    assert "cannot write" in capsys.readouterr().err
