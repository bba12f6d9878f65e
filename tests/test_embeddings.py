"""Speaker vectors from files: three formats, keyed by speaker or utterance; what is no vector is refused."""

import os
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from logs import assert_same, frame, rows

from fairaudit.aggregate import aggregate
from fairaudit.counts import to_unit
from fairaudit.embeddings import read_vectors
from fairaudit.exceptions import LogError
from fairaudit.readers import read_log

IDS = ["007", "é", "b"]
VECTORS = np.array([[1.0, 2.0], [3.0, -4.0], [0.0, 5.0]])


def npz(file, ids=IDS, embeddings=VECTORS, **more):
    np.savez(file, **{"ids": ids, "embeddings": embeddings} | more)


def npy(file, ids=IDS, embeddings=VECTORS):
    with file.open("wb") as stream:
        np.save(stream, embeddings)
    file.with_suffix(".ids.txt").write_text("\n".join(map(str, ids)) + "\n", encoding="utf-8")


def parquet(file, ids=IDS, embeddings=VECTORS, key="speaker_id", **more):
    vectors = embeddings if isinstance(embeddings, list | pa.Array) else list(embeddings)
    pq.write_table(pa.table({key: ids, "embedding": vectors} | more), file)


WRITERS = {"v.npz": npz, "v.npy": npy, "v.parquet": parquet}


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int32])
@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_ids_as_text_and_the_same_vectors(name, kind, tmp_path):
    WRITERS[name](tmp_path / name, embeddings=VECTORS.astype(kind))
    ids, vectors = read_vectors(tmp_path / name)
    assert ids.tolist() == IDS
    assert vectors.dtype == np.float64
    assert vectors.tolist() == VECTORS.tolist()


@pytest.mark.parametrize(
    "ids", [[12, 7, 8], [12.0, 7.0, 8.0], np.array([b"12", b"7", b"8"]), np.array(["12", "7", "8"])]
)
def test_ids_are_the_text_that_a_log_would_read(ids, tmp_path):
    npz(tmp_path / "v.npz", ids=ids)
    assert read_vectors(tmp_path / "v.npz")[0].tolist() == ["12", "7", "8"]
    if not isinstance(ids, np.ndarray):
        parquet(tmp_path / "v.parquet", ids=ids)
        assert read_vectors(str(tmp_path / "v.parquet"))[0].tolist() == ["12", "7", "8"]


def test_lists_of_fixed_length_and_a_missing_vector_are_read(tmp_path):
    fixed = pa.array(VECTORS.tolist(), pa.list_(pa.float32(), 2))
    parquet(tmp_path / "v.parquet", embeddings=fixed, key="utterance_id", sex=["m", "f", "f"])
    assert read_vectors(tmp_path / "v.parquet")[1].tolist() == VECTORS.tolist()
    parquet(tmp_path / "v.parquet", embeddings=[[1.0, 2.0], None, [0.0, 5.0]])
    assert read_vectors(tmp_path / "v.parquet")[0].tolist() == ["007", "b"]


class Executed:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (self.mark,)


@pytest.mark.parametrize("name", ["v.npz", "ids.npz", "v.npy", "bare.npz", "bare.npy"])
def test_nothing_in_a_file_is_executed(name, tmp_path):
    mark = tmp_path / "executed"
    evil = np.array([Executed(str(mark))] * 3, dtype=object)
    file = tmp_path / name
    if name.startswith("bare"):
        file.write_bytes(pickle.dumps(evil))
        file.with_suffix(".ids.txt").write_text("a\nb\nc\n")
    elif name == "ids.npz":
        npz(file, ids=evil)
    else:
        WRITERS[name](file, embeddings=evil)
    with pytest.raises(LogError, match="cannot read embeddings: it holds Python objects") as refused:
        read_vectors(file)
    assert not mark.exists()
    assert "allow_pickle" not in str(refused.value)
    # The mark is what unpickling would have left.
    pickle.loads(pickle.dumps(evil))
    assert mark.exists()


def changed(**columns):
    return lambda file: WRITERS[f"v{file.suffix}"](file, **columns)


def cut(file):
    WRITERS[f"v{file.suffix}"](file, embeddings=np.ones((3, 999)))
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def written(content):
    def write(file):
        file.write_bytes(content)
        file.with_suffix(".ids.txt").write_text("a\n")

    return write


def as_npy(file):
    with file.open("wb") as stream:
        np.save(stream, VECTORS)


def as_npz(file):
    with file.open("wb") as stream:
        np.savez(stream, ids=IDS, embeddings=VECTORS)
    file.with_suffix(".ids.txt").write_text("a\n")


#: File name, how it is written, and what is wrong with it.
BAD_FILES = [
    (
        "v.npz",
        changed(embeddings=VECTORS * [[1], [np.nan], [1]]),
        "the embedding of 'é' is not finite (1 such)",
    ),
    (
        "v.npz",
        changed(embeddings=np.add(VECTORS, [[1], [np.inf], [np.inf]])),
        "the embedding of 'é' is not finite (2 such)",
    ),
    ("v.npy", changed(embeddings=VECTORS * [[1], [1], [0]]), "the embedding of 'b' is zero (1 such)"),
    ("v.parquet", changed(embeddings=[[1.0], [0.0], [2.0]]), "the embedding of 'é' is zero (1 such)"),
    ("v.npz", changed(ids=["a", "b", "a"]), "id 'a' has 2 vectors"),
    ("v.npz", changed(ids=["a", "b"]), "2 ids, and embeddings of shape (3, 2)"),
    ("v.npy", changed(ids=["a", "b", "c", "d"]), "4 ids, and embeddings of shape (3, 2)"),
    ("v.npz", changed(embeddings=np.ones(3)), "3 ids, and embeddings of shape (3,)"),
    ("v.npz", changed(embeddings=np.ones((3, 2, 2))), "3 ids, and embeddings of shape (3, 2, 2)"),
    ("v.npz", changed(embeddings=VECTORS * 1j), "embeddings of type complex128"),
    ("v.npz", changed(embeddings=VECTORS.astype(str)), "embeddings of type <U"),
    ("v.npz", changed(embeddings=VECTORS > 0), "embeddings of type bool"),
    ("v.npz", changed(ids=[], embeddings=np.ones((0, 2))), "v.npz holds no embeddings"),
    ("v.npz", changed(ids=["a", "", "c"]), "1 embeddings have no id"),
    ("v.parquet", changed(ids=["a", None, "c"]), "1 embeddings have no id"),
    ("v.parquet", changed(ids=[1.0, None, None]), "2 embeddings have no id"),
    ("v.parquet", changed(embeddings=[[1.0, 2.0], [1.0], [2.0, 1.0]]), "embeddings of several lengths: 1, 2"),
    ("v.parquet", changed(embeddings=[[1.0, 2.0], [1.0, None], [2.0, 1.0]]), "an embedding holds null"),
    ("v.parquet", changed(embeddings=[["1"], ["2"], ["x"]]), "values of type string"),
    ("v.parquet", changed(embeddings=["[1]", "[2]", "[3]"]), "embedding is of type string"),
    ("v.parquet", changed(utterance_id=IDS), "columns are speaker_id, embedding, utterance_id"),
    ("v.parquet", changed(key="name"), "columns are name, embedding"),
    ("v.npz", lambda file: np.savez(file, x=VECTORS), "arrays are x"),
    ("v.npz", cut, "it is no .npz file"),
    ("v.npy", cut, "cannot read embeddings"),
    ("v.parquet", cut, "cannot read embeddings"),
    ("v.npz", written(b""), "it is no .npz file"),
    ("v.npy", written(b""), "it is no .npy file"),
    ("v.npz", as_npy, "it is no .npz file"),
    ("v.npy", as_npz, "it is no .npy file"),
    ("v.npy", as_npy, "v.ids.txt is not there"),
    ("v.txt", written(b"1 2"), "unknown format of embeddings: v.txt"),
    ("v.npz", lambda file: None, "no such file"),
]


@pytest.mark.parametrize(("name", "write", "what"), BAD_FILES, ids=[w for *_, w in BAD_FILES])
def test_a_bad_file_is_told_what_is_wrong_and_where(name, write, what, tmp_path):
    write(tmp_path / name)
    with pytest.raises(LogError) as refused:
        read_vectors(tmp_path / name)
    assert what in refused.value.what
    assert "v." in str(refused.value)
    assert refused.value.where
    assert "Traceback" not in str(refused.value)


def in_column(ids, vectors, key):
    """Put vectors into a column of the log: each at the first utterance of its id."""
    table = frame()
    first = table.drop_duplicates(key).set_index(key).index
    own = dict(zip(ids, vectors, strict=True))
    column = [None] * len(table)
    for position, (number, value) in enumerate(table[key].items()):
        if value in own and value in first and number == table.index[table[key] == value][0]:
            column[position] = own[value]
    return read_log(table.assign(embedding=column))


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("key", ["speaker_id", "utterance_id"])
def test_a_file_counts_like_a_column_of_the_log(key, name, tmp_path):
    rng = np.random.default_rng(3)
    ids = list(dict.fromkeys(row[key] for row in rows()))[:-5]
    vectors = rng.normal(size=(len(ids), 6))
    more = {"key": key} if name == "v.parquet" else {}
    shuffled = rng.permutation(len(ids))
    WRITERS[name](tmp_path / name, ids=[ids[i] for i in shuffled], embeddings=vectors[shuffled], **more)
    log = read_log(frame(), embeddings=tmp_path / name)
    assert_same(aggregate(log, ["embedding"]), aggregate(in_column(ids, vectors, key), ["embedding"]))
    assert "embedding" in log.columns
    assert [(s.role, s.name, s.rows) for s in log.inputs[1:]] == [("embeddings", name, len(ids))]


def test_speakers_without_a_vector_and_vectors_without_a_speaker_are_counted(tmp_path):
    npz(tmp_path / "v.npz", ids=["007", "7", "nobody"])
    log = read_log(frame(), embeddings=tmp_path / "v.npz")
    assert log.warnings[-2:] == (
        "10 of 12 speakers have no embedding",
        "1 of 3 embeddings belong to nobody in the log",
    )
    counts = aggregate(log, ["embedding"])
    assert dict(zip(counts.speakers, counts.has_embedding(), strict=True))["7"]
    assert counts.has_embedding().sum() == 2
    assert counts.embedding_sum[counts.speakers == "007"].tolist() == to_unit(VECTORS[:1]).tolist()


def test_vectors_of_nobody_are_refused(tmp_path):
    npz(tmp_path / "v.npz", ids=["x", "y", "z"])
    with pytest.raises(LogError) as refused:
        read_log(frame(), embeddings=tmp_path / "v.npz")
    assert refused.value.what == (
        "of 3 ids of embeddings 0 are speakers and 0 are utterances of the log; the first id is 'x'"
    )
    assert refused.value.where == "v.npz"


def test_ids_that_are_speakers_as_well_as_utterances_are_refused_unless_they_are_the_same(tmp_path):
    table = pd.DataFrame({"speaker_id": ["a", "b"], "utterance_id": ["b", "a"], "ref_words": 1, "errors": 0})
    npz(tmp_path / "v.npz", ids=["a", "b"], embeddings=VECTORS[:2])
    with pytest.raises(LogError, match="2 are speakers and 2 are utterances"):
        read_log(table, embeddings=tmp_path / "v.npz")
    alike = table.assign(utterance_id=["a", "b"])
    counts = aggregate(read_log(alike, embeddings=tmp_path / "v.npz"), ["embedding"])
    assert counts.embedding_sum.tolist() == to_unit(VECTORS[:2]).tolist()


def test_a_column_and_a_file_are_one_too_many(tmp_path):
    npz(tmp_path / "v.npz")
    table = frame().assign(embedding=[[1.0, 2.0]] * 60)
    with pytest.raises(LogError, match="a column embedding, and a file") as refused:
        read_log(table, embeddings=tmp_path / "v.npz")
    assert refused.value.where == "--embeddings"


def test_utterances_that_are_left_out_do_not_bring_their_vectors(tmp_path):
    table = frame()
    table.loc[0, "errors"] = -1
    npz(tmp_path / "v.npz", ids=["0000", "0012", "0001"])
    log = read_log(table, embeddings=tmp_path / "v.npz", max_excluded=0.1)
    counts = aggregate(log, ["embedding"])
    # 0000 and 0012 are of one speaker, and only 0012 is left.
    assert table["speaker_id"][0] == table["speaker_id"][12]
    own = counts.embedding_sum[counts.speakers == table["speaker_id"][0]]
    assert own.tolist() == to_unit(VECTORS[1:2]).tolist()
