"""Files and tables to a log: every format gives the same bits, ids are never re-typed, faults are told."""

import gc
import gzip
import hashlib

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from logs import IDS, assert_same, counted, frame, rows, text_of, write

from fairaudit.aggregate import aggregate
from fairaudit.exceptions import LogError
from fairaudit.readers import read_log

KINDS = ("parquet", "csv", "tsv", "jsonl")


@pytest.fixture(scope="module")
def expected():
    return counted(read_log(frame()))


def test_the_log_of_these_tests_has_travellers_missing_values_and_every_awkward_id(expected):
    assert expected[0].speakers.tolist() == sorted(IDS)
    assert expected[0].utterances.sum() == 60
    assert all(counts.rows > len(IDS) for counts in expected[1:])
    assert (expected[1].labels("accent").codes == -1).any()
    assert np.isnan(expected[4].numbers("latitude")).any()


@pytest.mark.parametrize("packed", ["", ".gz", ".zst"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_bits(kind, packed, tmp_path, expected):
    file = write(tmp_path, rows(), kind, packed)
    log = read_log(file)
    assert_same(counted(log), expected)
    (source,) = log.inputs
    assert (source.role, source.name, source.rows) == ("log", file.name, 60)
    assert source.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def tables():
    table = frame()
    arrow = pa.Table.from_pylist(rows())
    connection = duckdb.connect()
    return {
        "pandas": table,
        "pandas with pyarrow types": arrow.to_pandas(types_mapper=pd.ArrowDtype),
        "pandas with categories": table.astype({"accent": "category", "speaker_id": "category"}),
        "pandas with an index of text": table.set_index(pd.Index([f"i{n}" for n in range(60)])),
        "pandas out of order": table.sample(frac=1, random_state=1),
        "Polars": pl.DataFrame(rows()),
        "Polars, lazy": pl.DataFrame(rows()).lazy(),
        "Polars with categories": pl.DataFrame(rows()).with_columns(pl.col("accent").cast(pl.Categorical)),
        "Arrow": arrow,
        "Arrow in chunks, with dictionaries": pa.concat_tables([arrow[:17], arrow[17:]]).set_column(
            1, "speaker_id", arrow["speaker_id"].dictionary_encode()
        ),
        "DuckDB": connection.from_arrow(arrow),
        "counts as float": table.astype({"ref_words": float, "errors": float}),
        "counts as text": table.astype({"ref_words": str, "errors": str}),
    }


@pytest.mark.parametrize("name", tables())
def test_every_kind_of_table_gives_the_same_bits(name, expected):
    log = read_log(tables()[name])
    assert_same(counted(log), expected)
    assert log.labels == ("accent", "day")
    assert [(s.name, s.rows) for s in log.inputs] == [("<table>", 60)]


@pytest.mark.parametrize("kind", KINDS)
def test_several_files_with_columns_in_another_order_are_one_log(kind, tmp_path, expected):
    table = rows()
    columns = list(table[0])
    first = write(tmp_path, table[:20], kind, name="a", columns=columns[::-1])
    second = write(tmp_path, table[20:21], kind, ".gz" if kind != "parquet" else "", name="b")
    third = write(tmp_path, table[21:], kind, name="c", columns=columns[3:] + columns[:3])
    for source in ([first, second, third], [str(third), first, second], str(tmp_path / f"*.{kind}*")):
        log = read_log(source)
        assert_same(counted(log), expected)
        assert {s.name: s.rows for s in log.inputs} == {first.name: 20, second.name: 1, third.name: 39}


def test_a_column_that_a_shard_lacks_is_missing_there(tmp_path):
    table = rows()
    bare = [name for name in table[0] if name != "accent"]
    log = read_log(
        [
            write(tmp_path, table[:20], "csv", name="a"),
            write(tmp_path, table[20:], "csv", name="b", columns=bare),
        ]
    )
    only = [row | {"accent": row["accent"] if number < 20 else None} for number, row in enumerate(table)]
    assert_same(counted(log), counted(read_log(frame(only))))


def test_shards_with_ids_as_whole_numbers_and_as_text_are_one_log(tmp_path):
    pq.write_table(
        pa.table({"speaker_id": [7, 8], "ref_words": [1, 1], "errors": [0, 0]}), tmp_path / "a.parquet"
    )
    pq.write_table(pa.table({"errors": [1], "ref_words": [1], "speaker_id": ["7"]}), tmp_path / "b.parquet")
    counts = aggregate(read_log(tmp_path / "*.parquet"), ())
    assert dict(zip(counts.speakers, counts.utterances.tolist(), strict=True)) == {"7": 2, "8": 1}


@pytest.mark.parametrize(
    ("other", "families"),
    [
        ({"speaker_id": [7.0]}, "text in a.parquet, floating-point numbers in b.parquet"),
        ({"speaker_id": ["a"], "embedding": ["0.1 0.2"]}, "a list in a.parquet, text in b.parquet"),
    ],
)
def test_shards_whose_types_do_not_go_together_are_refused(other, families, tmp_path):
    counts = {"ref_words": [1], "errors": [0]}
    first = pa.table({"speaker_id": ["7"], "embedding": [[0.1, 0.2]], **counts})
    pq.write_table(first, tmp_path / "a.parquet")
    pq.write_table(pa.table(other | counts), tmp_path / "b.parquet")
    with pytest.raises(LogError) as refused:
        read_log(tmp_path / "*.parquet")
    assert families in refused.value.what
    assert refused.value.fix


def small(**columns):
    return pd.DataFrame({"speaker_id": ["a", "b"], "ref_words": [10, 5], "errors": [1, 0]} | columns)


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ([12.0, 13.5], ["12", "13.5"]),
        ([12, -3], ["-3", "12"]),
        ([1e20, 7.0], ["1e+20", "7"]),
        ([b"x", b"y"], ["x", "y"]),
        (["12.0", "12"], ["12", "12.0"]),
        ([" a", "a"], [" a", "a"]),
        (["A", "a"], ["A", "a"]),
        (pd.to_datetime(["2024-01-02", "2024-01-01"]).date, ["2024-01-01", "2024-01-02"]),
    ],
)
def test_an_id_is_the_text_that_is_written_there(given, ids):
    assert aggregate(read_log(small(speaker_id=given)), ()).speakers.tolist() == ids


def test_json_numbers_of_any_length_are_ids_by_their_digits(tmp_path):
    ids = ["7", "12345678901234567890123", "9007199254740993", "0.1"]
    lines = "".join(f'{{"speaker_id": {i}, "ref_words": 1, "errors": 0}}\n' for i in ids)
    (tmp_path / "log.jsonl").write_text(lines)
    assert aggregate(read_log(tmp_path / "log.jsonl"), ()).speakers.tolist() == sorted(ids)


def labels_of(file, column="accent"):
    counts = aggregate(read_log(file), [column])
    return dict(zip(counts.speakers[counts.speaker], counts.labels(column).texts(), strict=True))


HEADER = "speaker_id,ref_words,errors,accent\n"


VALUES = {
    "a": '"2024-01-01"',
    "b": "true",
    "c": '{"k": [1, "x"]}',
    "d": "null",
    "e": r'"\u00e9\n"',
    "f": '""',
}


@pytest.mark.parametrize(
    ("name", "text", "accents"),
    [
        ("quoted.csv", HEADER + 'a,9,1,"x, y"\nb,9,1,"say ""hi"""\nc,9,1,"two\nlines"\n',
         {"a": "x, y", "b": 'say "hi"', "c": "two\nlines"}),
        ("quotes.tsv", HEADER.replace(",", "\t") + 'a\t9\t1\t"x\nb\t9\t1\ty"z"\n', {"a": '"x', "b": 'y"z"'}),
        ("backslash.tsv", HEADER.replace(",", "\t") + "a\t9\t1\tx\\ty\nb\t9\t1\t\\N\n",
         {"a": "x\\ty", "b": "\\N"}),
        ("mark.csv", "\ufeff" + HEADER + "a,9,1,ß\n", {"a": "ß"}),
        ("mark.jsonl", '\ufeff{"speaker_id":"a","ref_words":9,"errors":1,"accent":"ß"}\n', {"a": "ß"}),
        ("windows.csv", (HEADER + 'a,9,1,x\nb,9,1,"y"\n').replace("\n", "\r\n"), {"a": "x", "b": "y"}),
        ("windows.tsv", (HEADER.replace(",", "\t") + "a\t9\t1\tx\n").replace("\n", "\r\n"), {"a": "x"}),
        ("old mac.csv", (HEADER + "a,9,1,x\n").replace("\n", "\r"), {"a": "x"}),
        ("no last newline.csv", HEADER + "a,9,1,x\nb,9,1,y", {"a": "x", "b": "y"}),
        ("blank lines.csv", HEADER + "a,9,1,x\n\nb,9,1,y\n\n", {"a": "x", "b": "y"}),
        ("spaces.csv", HEADER.replace(",", ", ") + "a, 9, 1,x\n", {"a": "x"}),
        ("empty.csv", HEADER + 'a,9,1,\nb,9,1,""\n', {"a": None, "b": None}),
        ("null.csv", HEADER + "a,9,1,NULL\nb,9,1,NA\nc,9,1,nan\n", {"a": "NULL", "b": "NA", "c": "nan"}),
        ("typed.csv", HEADER + "a,9,1,1e5\nb,9,1,007\nc,9,1,2024-01-01\nd,9,1,TRUE\n",
         {"a": "1e5", "b": "007", "c": "2024-01-01", "d": "TRUE"}),
        ("keys.jsonl", '{"speaker_id":"a","errors":1,"ref_words":9}\n\n'
         '{"ref_words":9,"accent":"y","errors":1,"speaker_id":"b"}\n', {"a": None, "b": "y"}),
        ("values.jsonl", "".join(
            f'{{"speaker_id":"{s}","ref_words":9,"errors":1,"accent":{v}}}\n' for s, v in VALUES.items()),
         {"a": "2024-01-01", "b": "true", "c": '{"k":[1,"x"]}', "d": None, "e": "é\n", "f": None}),
    ],
)  # fmt: skip
def test_text_is_read_as_it_is_written(name, text, accents, tmp_path):
    (tmp_path / name).write_bytes(text.encode())
    assert labels_of(tmp_path / name) == accents


LINE = '{"speaker_id": "a", "ref_words": 9, "errors": 1, "hypothesis": "secret words"}\n'
CSV = "speaker_id,ref_words,errors,hypothesis\n"
PACKED = gzip.compress("".join(f"{i},9,1,x\n" for i in range(9999)).encode())

#: File name and bytes, what is wrong, and where. None of it quotes a line: it may hold a transcript.
MALFORMED = [
    ("short.csv", CSV + "a,9,1,x\nb,9,1\n", "3 fields where the header has 4", "short.csv, line 3"),
    ("long.csv", CSV + "a,9,1,secret words,x\n", "5 fields where the header has 4", "long.csv, line 2"),
    ("late.csv", CSV + "a,9,1,x\n" * 30_000 + "b,9\n", "2 fields where", "late.csv, line 30002"),
    ("open.csv", CSV + 'a,9,1,"secret words\nb,9,1,x\n', "a quoted field does not end", "open.csv, line 2"),
    ("latin.csv", (CSV + "a,9,1,é\n").encode("latin-1"), "not UTF-8 text", "latin.csv, line 2"),
    ("names.csv", "speaker_id,é\n".encode("latin-1"), "not UTF-8 text", "names.csv, line 1"),
    ("utf-16.csv", CSV.encode("utf-16"), "not UTF-8 text", "utf-16.csv, line 1"),
    ("comment.csv", "# 2024\n" + CSV, "2 fields where the header has 1", "comment.csv, line 2"),
    ("wide.tsv", CSV.replace(",", "\t") + "a\t9\t1\tx\ty\n", "5 fields where the header has 4", "line 2"),
    ("twice.csv", "speaker_id,errors,errors\n", "'errors' and 'errors' have one name", "twice.csv"),
    ("case.csv", "speaker_id,Errors,errors\n", "'Errors' and 'errors' have one name", "case.csv"),
    ("empty.csv", "", "empty.csv has no header", "empty.csv, line 1"),
    ("header.csv", CSV, "the log has no rows", "header.csv"),
    ("empty.jsonl", "", "the log has no rows", "empty.jsonl"),
    ("blank.jsonl", "\n\n", "the log has no rows", "blank.jsonl"),
    ("list.jsonl", LINE + "[1, 2]\n", "a line is not a JSON object", "list.jsonl, line 2"),
    ("number.jsonl", LINE + "5\n" + LINE, "a line is not a JSON object", "number.jsonl, line 2"),
    ("array.json", f"[{LINE.strip()}]", "a line is not a JSON object", "array.json, line 1"),
    ("cut.jsonl", LINE * 5 + LINE[:-20] + "\n", "malformed JSON at character 60", "cut.jsonl, line 6"),
    ("pretty.json", '{\n"speaker_id": "a"\n}\n', "cannot read pretty.json", "pretty.json, line 1"),
    ("key.jsonl", LINE.replace("hypo", 'errors": 2, "hypo'), "the key 'errors' is there twice", "line 1"),
    ("latin.jsonl", LINE.replace("words", "é").encode("latin-1"), "not UTF-8 text", "latin.jsonl, line 1"),
    ("log.parquet", CSV, "cannot read log.parquet", "log.parquet"),
    ("empty.parquet", "", "cannot read empty.parquet", "empty.parquet"),
    ("cut.csv.gz", PACKED[: len(PACKED) // 2], "Truncated compressed stream", "cut.csv.gz"),
    ("tail.csv.gz", PACKED[:-4], "Truncated compressed stream", "tail.csv.gz"),
    ("cut.tsv.zst", pa.compress(b"a\tb\n" * 999, "zstd", asbytes=True)[:-3], "Truncated", "cut.tsv.zst"),
    ("plain.csv.gz", CSV, "cannot read plain.csv.gz", "plain.csv.gz"),
    ("plain.csv.zst", CSV, "cannot read plain.csv.zst", "plain.csv.zst"),
    ("log.txt", CSV, "unknown format of log.txt", "log.txt"),
    ("log", CSV, "unknown format of log", "log"),
    ("log.gz", gzip.compress(b"a,b"), "unknown format of log.gz", "log.gz"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "what", "where"), MALFORMED, ids=[m[0] for m in MALFORMED])
def test_a_malformed_file_is_refused_with_its_place(name, content, what, where, tmp_path):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LogError) as refused:
        read_log(tmp_path / name)
    error = refused.value
    assert what in error.what
    assert error.where.endswith(where)
    assert error.fix or error.allowed or "save it as UTF-8" in error.what
    assert "secret" not in str(error)
    assert len(str(error).splitlines()) <= 4


def test_damage_inside_a_parquet_file_is_told_with_its_name(tmp_path):
    ids = [f"s{number:08}" for number in range(20_000)]
    table = pa.table({"speaker_id": ids, "ref_words": [1] * len(ids), "errors": [0] * len(ids)})
    pq.write_table(table, tmp_path / "log.parquet", compression="none", use_dictionary=False)
    content = bytearray((tmp_path / "log.parquet").read_bytes())
    content[2000:2400] = b"\xff" * 400
    (tmp_path / "log.parquet").write_bytes(content)
    with pytest.raises(LogError, match=r"cannot read log\.parquet"):
        read_log(tmp_path / "log.parquet")


def test_paths_that_are_no_log_are_told_apart(tmp_path):
    file = write(tmp_path, rows(), "csv")
    other = write(tmp_path, rows(), "jsonl")
    for source, what in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.csv", "no such file"),
        (str(tmp_path / "none*.csv"), "no such file"),
        ([file, other], "files of different formats: csv, jsonl"),
        ([file, tmp_path / "." / "log.csv"], "a file is given twice"),
        ([file, str(tmp_path / "*.csv")], "a file is given twice"),
        ([], "no log was given"),
        ([str(file), 3], "cannot read a log from list"),
        ({"speaker_id": ["a"]}, "cannot read a log from dict"),
        (None, "cannot read a log from NoneType"),
        (frame()["accent"], "cannot read a log from Series"),
    ):
        with pytest.raises(LogError, match=what):
            read_log(source)


def test_a_table_that_cannot_be_read_is_told_why():
    for table, what in (
        (small()[:0], "the log has no rows"),
        (pd.DataFrame(), "at least one column"),
        (pd.concat([small(), small()[["errors"]]], axis=1), "'errors' and 'errors' have one name"),
        (small(Errors=[1, 2]), "'errors' and 'Errors' have one name"),
        (small(speaker_id=[7, "a"]), "a column mixes types.*speaker_id"),
        (pa.table({"speaker_id": ["a"], "": ["x"]}), "a column has no name"),
    ):
        with pytest.raises(LogError, match=what) as refused:
            read_log(table)
        assert refused.value.where == "<table>"
    closed = duckdb.connect()
    relation = closed.sql("SELECT 'a' AS speaker_id")
    closed.close()
    with pytest.raises(LogError, match="closed"):
        read_log(relation)


def test_characters_of_a_pattern_in_a_file_name_are_no_pattern(tmp_path):
    for name, accent in (
        ("log[1].csv", "one"),
        ("log1.csv", "other"),
        ("log*.csv", "star"),
        ("l'og.csv", "q"),
    ):
        (tmp_path / name).write_text(HEADER + f"a,9,1,{accent}\n")
        pq.write_table(
            pa.table({"speaker_id": ["a"], "ref_words": [9], "errors": [1], "accent": [accent]}),
            (tmp_path / name).with_suffix(".parquet"),
        )
        (tmp_path / name).with_suffix(".jsonl").write_text(LINE[:-2] + f', "accent": "{accent}"}}\n')
    for name, accent in (("log[1]", "one"), ("log*", "star"), ("l'og", "q")):
        for kind in ("csv", "parquet", "jsonl"):
            assert labels_of(tmp_path / f"{name}.{kind}") == {"a": accent}


def test_the_name_of_a_folder_adds_no_column(tmp_path):
    for device in ("phone", "007"):
        (tmp_path / f"device={device}").mkdir()
        write(tmp_path / f"device={device}", [row | {"utterance_id": None} for row in rows()], "parquet")
    for pattern in ("*", "device=007"):
        assert read_log(str(tmp_path / pattern / "log.parquet")).labels == ("accent", "day")


AWKWARD = ["reason", "utterances", "speaker", "zip_repair", "ref_words:bad", "select", "Count", "filename"]
AWKWARD += ["a b", "a'b", "ü", "(x)", "x[0]", "$1", "__index_level_0__"]


def test_a_label_may_be_called_like_anything(tmp_path):
    table = small(**{name: ["x", None] for name in AWKWARD})
    log = read_log(table)
    assert log.labels == tuple(AWKWARD)
    for name in AWKWARD:
        assert aggregate(log, [name]).labels(name).texts().tolist() == ["x", None]


def test_names_that_an_engine_would_misread_are_changed_and_said(tmp_path):
    (tmp_path / "log.jsonl").write_text(
        '{"meta.speaker":"a","ref_words":9,"errors":1,"a.b":"x","*":"y","c\\"":"z"}\n'
    )
    log = read_log(tmp_path / "log.jsonl", columns={"speaker_id": "meta.speaker"}, where={"a_b": ["x"]})
    assert log.labels == ("a_b", "_", "c_")
    assert "the column 'a.b' is called 'a_b' here" in log.warnings
    assert aggregate(log, ["a_b"]).labels("a_b").values == ("x",)
    with pytest.raises(LogError, match="'a_b' and 'a_b' have one name"):
        read_log(small(**{"a.b": ["x", "y"], "a_b": ["x", "y"]}))


def test_names_of_a_frame_may_be_numbers_and_its_index_is_no_column():
    table = small().set_index(pd.Index([5, 3])).assign(**{"x": 1}).rename(columns={"x": 0})
    assert read_log(table).labels == ("0",)
    assert aggregate(read_log(small().set_index("speaker_id")), ()).speakers.tolist() == ["a", "b"]


def test_the_digest_of_a_table_is_of_its_rows_whatever_their_order():
    table = small(accent=["x", None])
    (first,), (second,) = read_log(table).inputs, read_log(table[::-1]).inputs
    assert first == second
    changed = [small(accent=["x", "y"]), small(accent=[None, "x"]), small(region=["x", None])]
    assert first.sha256 not in {read_log(t).inputs[0].sha256 for t in changed}


def test_embeddings_in_a_column_are_the_same_from_every_source(tmp_path):
    rng = np.random.default_rng(1)
    table = [row | {"embedding": rng.normal(size=4).astype(np.float32).tolist()} for row in rows()]
    table[3]["embedding"] = None
    write(tmp_path, table, "parquet")
    write(tmp_path, table, "jsonl", ".zst")
    log = read_log(tmp_path / "log.parquet")
    want = aggregate(log, ["embedding", "accent"])
    assert want.embedding_sum.any(axis=1).all()
    assert "embedding" in log.columns
    assert "embedding" not in log.labels
    fixed = pl.DataFrame(rows()).with_columns(
        embedding=pl.Series([row["embedding"] for row in table], dtype=pl.Array(pl.Float32, 4))
    )
    arrays = frame().assign(
        embedding=[None if r["embedding"] is None else np.array(r["embedding"]) for r in table]
    )
    for source in (tmp_path / "log.jsonl.zst", fixed, arrays, frame(table), arrays[::-1]):
        assert_same(aggregate(read_log(source), ["embedding", "accent"]), want)


def test_temporary_files_go_with_the_log(tmp_path):
    log = read_log(write(tmp_path, rows(), "csv", ".gz"))
    folder = log.engine.folder
    assert [file.suffix for file in folder.iterdir()] == [".parquet", ".parquet"]
    del log
    gc.collect()
    assert not folder.exists()


def test_a_table_is_not_changed():
    table = frame()
    before = table.copy(deep=True)
    read_log(table, where={"day": ["2024-01-01"]}, missing={"accent": ["NA"]})
    pd.testing.assert_frame_equal(table, before)


def test_a_log_is_read_with_few_rows_in_many_files(tmp_path, expected):
    for number, row in enumerate(rows()):
        (tmp_path / f"{number:03}.tsv").write_text(text_of([row], "tsv"))
    assert_same(counted(read_log(str(tmp_path / "*.tsv"))), expected)
