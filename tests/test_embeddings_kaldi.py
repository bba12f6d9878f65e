"""Kaldi's ark and scp, as kaldiio and WeSpeaker write them; moved archives, pipes and what is no vector."""

import struct

import kaldiio
import numpy as np
import pytest

from fairaudit.embeddings import digest, read_vectors, vector_files
from fairaudit.exceptions import LogError

IDS = ["007", "é", "b"]
VECTORS = np.array([[1.0, 2.5], [3.0, -4.0], [1e-5, 5.25]])


def of(kind=np.float32, shape=(-1,)):
    return {name: vector.astype(kind).reshape(shape) for name, vector in zip(IDS, VECTORS, strict=True)}


def save(folder, arrays, name="xvector", **more):
    """Write NAME.ark and NAME.scp, whose paths are absolute, as WeSpeaker does."""
    ark, scp = folder / f"{name}.ark", folder / f"{name}.scp"
    kaldiio.save_ark(str(ark), arrays, scp=str(scp), **more)
    return ark, scp


def refusal(file, moved=None):
    with pytest.raises(LogError) as refused:
        read_vectors(file, moved)
    assert all((refused.value.where, refused.value.allowed, refused.value.fix))
    return refused.value


@pytest.mark.parametrize("text", [False, True], ids=["binary", "text"])
@pytest.mark.parametrize("shape", [(-1,), (1, -1)], ids=["vectors", "rows"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_what_kaldiio_writes_is_read_the_same(kind, shape, text, tmp_path):
    for file in save(tmp_path, of(kind, shape), text=text):
        ids, vectors = read_vectors(file)
        assert ids.tolist() == IDS
        # Text is of single precision to Kaldi.
        assert np.array_equal(vectors, VECTORS.astype(np.float32 if text else kind).astype(np.float64))


@pytest.mark.parametrize("method", [1, 2, 3, 5])
def test_compressed_rows_are_read_as_kaldiio_reads_them(method, tmp_path):
    for file in save(tmp_path, of(shape=(1, -1)), compression_method=method):
        ids, vectors = read_vectors(file)
        assert ids.tolist() == IDS
        expected = [array[0] for _, array in kaldiio.load_ark(str(tmp_path / "xvector.ark"))]
        assert np.array_equal(vectors, np.array(expected, dtype=np.float64))
        assert np.allclose(vectors, VECTORS, atol=0.05)


@pytest.mark.parametrize("first", ["1", "1e-05", "-0", "0.5"])
def test_a_text_vector_whose_first_number_is_whole_keeps_its_fractions(first, tmp_path):
    file = tmp_path / "v.ark"
    file.write_text(f"a  [ {first} 0.25 ]\nb  [ 1.5 2 ]\n")
    assert read_vectors(file)[1].tolist() == [[np.float32(first), 0.25], [1.5, 2]]


def test_shards_that_are_joined_are_read_as_one(tmp_path):
    # As WeSpeaker extracts: a shard for each process, and their lists joined.
    rng = np.random.default_rng(1)
    expected, lines = {}, []
    for shard in range(3):
        wrote = f"ark,scp:{tmp_path}/xvector_{shard:03}.ark,{tmp_path}/xvector_{shard:03}.scp"
        with kaldiio.WriteHelper(wrote) as write:
            for n in range(5):
                expected[f"u{shard}-{n}"] = rng.normal(size=4).astype(np.float32)
                write(f"u{shard}-{n}", expected[f"u{shard}-{n}"])
        lines += (tmp_path / f"xvector_{shard:03}.scp").read_text().splitlines(keepends=True)
    scp = tmp_path / "xvector.scp"
    order = rng.permutation(len(lines))
    scp.write_text("".join(lines[i] for i in order))
    ids, vectors = read_vectors(scp)
    assert ids.tolist() == [list(expected)[i] for i in order]
    assert {name: v.tolist() for name, v in zip(ids, vectors, strict=True)} == {
        name: v.astype(float).tolist() for name, v in expected.items()
    }
    assert set(vector_files(scp)) == {scp, *(tmp_path / f"xvector_{n:03}.ark" for n in range(3))}
    assert len(vector_files(scp)) == 4


def test_a_file_of_one_vector_needs_no_byte(tmp_path):
    kaldiio.save_mat(str(tmp_path / "a.vec"), VECTORS[0])
    scp = tmp_path / "v.scp"
    scp.write_text(f"a\t{tmp_path}/a.vec\n")
    assert read_vectors(scp)[1].tolist() == VECTORS[:1].tolist()


def test_moved_archives_are_found_by_the_option_that_the_error_names(tmp_path):
    old, new = tmp_path / "old exp", tmp_path / "new"
    old.mkdir()
    save(old, of())
    before = digest(old / "xvector.scp")
    old.rename(new)
    error = refusal(new / "xvector.scp")
    assert error.what == f"no such file: {old}/xvector.ark"
    assert error.where == "xvector.scp, line 1"
    assert error.fix == f"--embeddings-path '{old}'={new}"
    # Each part of the old path may be named, and the longest counts.
    for moved in ({str(old): str(new)}, {str(tmp_path): "nowhere", f"{old}/": str(new)}):
        assert read_vectors(new / "xvector.scp", moved)[0].tolist() == IDS
        assert vector_files(new / "xvector.scp", moved)[1] == new / "xvector.ark"
        assert digest(new / "xvector.scp", moved) == before
    elsewhere = refusal(new / "xvector.scp", {str(old): "nowhere"})
    assert elsewhere.what == f"no such file: nowhere/xvector.ark ({old}/xvector.ark in the scp)"


def test_an_option_that_fits_no_path_is_refused(tmp_path):
    _, scp = save(tmp_path, of())
    # The beginning of a name is no part of a path.
    error = refusal(scp, {f"{tmp_path}/xvec": "x"})
    assert error.what == f"no path in xvector.scp begins with {tmp_path}/xvec"
    assert error.where == "--embeddings-path"


@pytest.mark.parametrize(("written", "option"), [("exp/v.ark", "exp"), ("v.ark", ".")])
def test_relative_paths_begin_at_the_working_directory(written, option, tmp_path, monkeypatch):
    folder, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    (folder / "exp").mkdir(parents=True)
    elsewhere.mkdir()
    monkeypatch.chdir(folder)
    scp = tmp_path / "v.scp"
    kaldiio.save_ark(written, of(), scp=str(scp))
    assert read_vectors(scp)[0].tolist() == IDS
    (folder / written).rename(tmp_path / "v.ark")
    monkeypatch.chdir(elsewhere)
    error = refusal(scp)
    assert error.fix == f"--embeddings-path {option}={tmp_path}"
    assert read_vectors(scp, {option: str(tmp_path)})[0].tolist() == IDS


def test_an_archive_that_is_nowhere_is_said_to_be(tmp_path):
    ark, scp = save(tmp_path, of())
    ark.unlink()
    assert (
        refusal(scp).fix
        == f"--embeddings-path {tmp_path}=NEW, where NEW is the folder in which xvector.ark is now"
    )


def test_only_an_scp_takes_moved_paths(tmp_path):
    ark, _ = save(tmp_path, of())
    for call in (read_vectors, vector_files, digest):
        with pytest.raises(LogError, match=r"xvector\.ark names no other files"):
            call(ark, {"/old": "/new"})


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("mkdir {mark} |", "a pipe"),
        ("| mkdir {mark}", "a pipe"),
        ("copy-vector ark:v.ark ark:- && mkdir {mark}|", "a pipe"),
        ("-", "standard input"),
        ("v.ark:12[0:1]", "a range of a matrix"),
    ],
)
def test_pipes_are_refused_and_never_run(entry, what, tmp_path):
    mark = tmp_path / "run"
    _, scp = save(tmp_path, of())
    with scp.open("a") as stream:
        stream.write(f"evil {entry.format(mark=mark)}\n")
    error = refusal(scp)
    assert error.what.startswith(f"the entry of 'evil' is {what}: ")
    assert error.where == "xvector.scp, line 4"
    assert not mark.exists()


class Executed:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        import os

        return os.mkdir, (self.mark,)


def test_a_pickle_in_an_archive_is_refused_and_never_run(tmp_path):
    mark = tmp_path / "run"
    arrays = {"a": Executed(str(mark))}
    for file in save(tmp_path, arrays, write_function="pickle"):
        assert "it begins with b'PKL" in refusal(file).what
        assert not mark.exists()
    # The mark is what kaldiio would have left.
    dict(kaldiio.load_ark(str(tmp_path / "xvector.ark")))
    assert mark.exists()


OTHERS = {
    "numpy": ({"a": VECTORS[0]}, {"write_function": "numpy"}, "it begins with b'NPY"),
    "audio": ({"a": (8000, np.zeros(9, np.int16))}, {}, "it begins with b'RIFF"),
    "integers": ({"a": np.arange(3, dtype=np.int32)}, {}, "it is of the kind"),
    "a matrix": ({"a": np.ones((3, 2))}, {}, "it is a matrix of 3 x 2"),
    "a matrix in text": ({"a": np.ones((3, 2))}, {"text": True}, "it is a matrix of 3 rows"),
    "a compressed matrix": ({"a": VECTORS}, {"compression_method": 2}, "it is a matrix of 3 x 2"),
    "no numbers": ({"a": np.ones(0)}, {}, "it is a matrix of 1 x 0"),
    "no numbers in text": ({"a": np.ones(0)}, {"text": True}, "it is a matrix of 0 rows"),
}


@pytest.mark.parametrize(("arrays", "more", "what"), OTHERS.values(), ids=OTHERS.keys())
def test_an_entry_that_is_no_vector_is_named(arrays, more, what, tmp_path):
    ark, scp = save(tmp_path, {"good": VECTORS[0].astype(np.float32)})
    kaldiio.save_ark(str(ark), arrays, scp=str(scp), append=True, **more)
    for file, where in ((ark, "xvector.ark, entry 2"), (scp, "xvector.scp, line 2 (xvector.ark, byte ")):
        error = refusal(file)
        assert error.what.startswith("cannot read the embedding of 'a': "), error.what
        assert what in error.what
        assert error.where.startswith(where)


FV = b"a \0BFV \4" + struct.pack("<i", 2)
MALFORMED = {
    "longer than the file": (
        b"a \0BFV \4" + struct.pack("<i", 2**31 - 1) + b"\0" * 8,
        "the file ends within them",
    ),
    "a negative length": (b"a \0BFV \4" + struct.pack("<i", -1) + b"\0" * 8, "it is a matrix of 1 x -1"),
    "half a header": (b"a \0BFV \4\1", "the file ends within its header"),
    "no 4 in the header": (b"a \0BFV \5" + struct.pack("<iff", 2, 1, 1), "its header is damaged"),
    "an unknown kind": (b"a \0BXX \4" + struct.pack("<iff", 2, 1, 1), "it is of the kind b'XX'"),
    "no id": (b" [ 1 2 ]\n", "1 embeddings have no id"),
    "an id that is no text": (b"\xff\xfe [ 1 2 ]\n", "'utf-8' codec can't decode"),
    "an id alone": (b"a [ 1 2 ]\nb", "the file ends within an id"),
    "an id without a vector": (b"a [ 1 2 ]\nb ", "the file ends before it"),
    "no closing bracket": (b"a [ 1 2\n", "there is no ] to its ["),
    "more behind the bracket": (b"a [ 1 2 ] 3\n", "stands behind its ]"),
    "a word in a vector": (b"a [ 1 x ]\n", "could not convert string to float"),
    "a number that is too large": (b"a [ 1 1e300 ]\n", "the embedding of 'a' is not finite"),
    "not a number": (b"a [ 1 nan ]\n", "the embedding of 'a' is not finite"),
    "zero": (b"a [ 0 0 ]\n", "the embedding of 'a' is zero"),
    "no bracket": (b"a 1 2\n", "it begins with b'1 2"),
    "several lengths": (b"a [ 1 2 ]\nb [ 1 ]\n", "'a' has 2 numbers, 'b' has 1"),
    "an id twice": (b"a [ 1 2 ]\nb [ 1 2 ]\na [ 1 3 ]\n", "id 'a' has 2 vectors"),
    "nothing": (b"", "v.ark holds no embeddings"),
    "something else": (b"PK\3\4 not an ark", "it begins with"),
}


@pytest.mark.parametrize(("content", "what"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_archive_is_told_what_is_wrong_and_where(content, what, tmp_path):
    (tmp_path / "v.ark").write_bytes(content)
    error = refusal(tmp_path / "v.ark")
    assert what in error.what
    assert error.where.startswith("v.ark")


@pytest.mark.parametrize("more", [{}, {"text": True}], ids=["binary", "text"])
def test_an_archive_that_is_cut_short_is_refused_or_ends_with_an_entry(more, tmp_path):
    ark, _ = save(tmp_path, of(), **more)
    content = ark.read_bytes()
    whole = set()
    for end in range(len(content)):
        ark.write_bytes(content[:end])
        try:
            ids, vectors = read_vectors(ark)
        except LogError:
            continue
        assert vectors.tolist() == VECTORS.astype(np.float32)[: len(ids)].astype(float).tolist()
        whole.add(len(ids))
    assert {1, 2} <= whole <= {1, 2, 3}


@pytest.mark.parametrize("more", [{}, {"compression_method": 2}], ids=["plain", "compressed"])
def test_a_damaged_archive_is_read_or_refused_and_never_fails_otherwise(more, tmp_path):
    rng = np.random.default_rng(5)
    ark, scp = save(tmp_path, of(shape=(1, -1)), **more)
    content = ark.read_bytes()
    outcomes = set()
    for position in rng.integers(0, len(content), size=200):
        damaged = bytearray(content)
        damaged[position] = rng.integers(0, 256)
        ark.write_bytes(damaged)
        for file in (ark, scp):
            try:
                read_vectors(file)
                outcomes.add("read")
            except LogError:
                outcomes.add("refused")
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("alone", "'alone' is no line of an scp"),
        ("", "'' is no line of an scp"),
        ("b xvector.ark:x", "no such file: xvector.ark:x"),
        ("b {ark}:99999", "the file ends before it"),
        ("b {ark}:99999999999999999999999", "no such file"),
        ("b {ark}:1", "it begins with"),
        ("007 {ark}:4", "id '007' has 2 vectors"),
    ],
)
def test_a_malformed_line_is_named(line, what, tmp_path):
    ark, scp = save(tmp_path, of())
    with scp.open("a") as stream:
        stream.write(line.format(ark=ark) + "\n")
    error = refusal(scp)
    assert what in error.what
    assert "line 4" in error.where


def test_an_scp_that_is_empty_or_no_text_is_refused(tmp_path):
    scp = tmp_path / "v.scp"
    scp.write_bytes(b"")
    assert refusal(scp).what == "v.scp holds no embeddings"
    assert "no path in v.scp begins with /old" in refusal(scp, {"/old": "/new"}).what
    scp.write_bytes(b"\xff\xfe")
    assert refusal(scp).where == "v.scp"
