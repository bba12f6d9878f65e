"""NeMo's pickles: dicts of arrays of every protocol, and nothing else; nothing in a file is ever run."""

import builtins
import contextlib
import copyreg
import io
import os
import pickle
import struct
import tracemalloc
import warnings

import numpy as np
import pytest

from fairaudit.embeddings import read_vectors
from fairaudit.exceptions import LogError

IDS = ["007", "wavs@é@a.wav", "b"]
VECTORS = np.array([[1.0, 2.0], [3.0, -4.0], [0.0, 5.0]])


def written(tmp_path, content):
    file = tmp_path / "dev_embeddings.pkl"
    file.write_bytes(content)
    return file


def refusal(tmp_path, content):
    with pytest.raises(LogError) as refused:
        read_vectors(written(tmp_path, content))
    error = refused.value
    assert error.where
    assert error.where.startswith("dev_embeddings.pkl")
    assert error.allowed
    assert error.fix
    return error


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8", ">f4", "<i4", "<u8", "i1"])
def test_every_protocol_and_kind_of_number_is_read(protocol, kind, tmp_path):
    of = {name: np.abs(vector).astype(kind) for name, vector in zip(IDS, VECTORS, strict=True)}
    ids, vectors = read_vectors(written(tmp_path, pickle.dumps(of, protocol)))
    assert ids.tolist() == IDS
    assert vectors.dtype == np.float64
    assert vectors.tolist() == np.abs(VECTORS).tolist()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "shaped",
    [
        lambda v: v.reshape(1, -1),
        lambda v: np.asfortranarray(v.reshape(1, -1)),
        lambda v: v.reshape(1, 1, -1),
        lambda v: np.repeat(v, 2)[::2],
    ],
    ids=["a row", "a row as Fortran keeps it", "a batch of a row", "a view with gaps"],
)
def test_one_vector_is_read_in_any_shape(shaped, protocol, tmp_path):
    of = {name: shaped(vector) for name, vector in zip(IDS, VECTORS, strict=True)}
    assert read_vectors(written(tmp_path, pickle.dumps(of, protocol)))[1].tolist() == VECTORS.tolist()


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_what_numpy_1_has_written_is_read(protocol, tmp_path):
    content = pickle.dumps(dict(zip(IDS, VECTORS, strict=True)), protocol)
    # The names differ by one letter, and protocols 4 and 5 write their lengths before them.
    for name in (b"numpy._core.multiarray", b"numpy._core.numeric"):
        old = name.replace(b"_core", b"core")
        content = content.replace(bytes([0x8C, len(name)]) + name, bytes([0x8C, len(old)]) + old)
        content = content.replace(b"c" + name, b"c" + old)
    assert b"_core" not in content
    if protocol >= 4:
        # The frame is one byte shorter as well.
        content = content[:3] + struct.pack("<Q", struct.unpack("<Q", content[3:11])[0] - 1) + content[11:]
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        assert pickle.loads(content).keys() == set(IDS)
    ids, vectors = read_vectors(written(tmp_path, content))
    assert (ids.tolist(), vectors.tolist()) == (IDS, VECTORS.tolist())


def test_more_vectors_than_one_batch_are_read_as_pickle_reads_them(tmp_path):
    rng = np.random.default_rng(2)
    of = {f"s{i}": vector for i, vector in enumerate(rng.normal(size=(2500, 3)).astype(np.float32))}
    ids, vectors = read_vectors(written(tmp_path, pickle.dumps(of)))
    assert ids.tolist() == list(of)
    assert np.array_equal(vectors, np.array(list(of.values()), dtype=np.float64))


class Calls:
    """Is unpickled by a call."""

    def __init__(self, function, *arguments, state=None):
        self.call = function, arguments, state

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "hidden",
    [
        lambda evil: evil,
        lambda evil: {"a": evil},
        lambda evil: {evil: np.ones(2)},
        lambda evil: {"a": [evil]},
    ],
    ids=["alone", "as a value", "as an id", "in a list"],
)
@pytest.mark.parametrize("how", ["os.system", "os.mkdir", "builtins.eval", "builtins.exec", "os.makedirs"])
def test_nothing_in_a_pickle_is_run(how, hidden, protocol, tmp_path):
    mark = tmp_path / "run"
    evil = {
        "os.system": Calls(os.system, f"mkdir {mark}"),
        "os.mkdir": Calls(os.mkdir, str(mark)),
        "builtins.eval": Calls(builtins.eval, f"__import__('os').mkdir({str(mark)!r})"),
        "builtins.exec": Calls(builtins.exec, f"import os; os.mkdir({str(mark)!r})"),
        "os.makedirs": Calls(os.makedirs, str(mark)),
    }[how]
    content = pickle.dumps(hidden(evil), protocol)
    refusal(tmp_path, content)
    assert not mark.exists()
    # The mark is what unpickling would have left, before it misses a hash of what came back.
    with contextlib.suppress(TypeError):
        pickle.loads(content)
    assert mark.exists()


def array_bytes(
    shape=(2,), data=b"\0" * 8, code="f4", state=(3, "<", None, None, None, -1, -1, 0), extra=b""
):
    """Assemble the pickle of {'a': array} by hand, so that each part can lie."""
    parts = [
        b"\x80\x04}\x8c\x01a\x8c\x16numpy._core.multiarray\x8c\x0c_reconstruct\x93",
        b"\x8c\x05numpy\x8c\x07ndarray\x93",
        values((0,)) + values(b"b") + b"\x87R(" + values(1) + values(shape),
        b"\x8c\x05numpy\x8c\x05dtype\x93" + values(code) + b"\x89\x88\x87R" + values(state) + b"b",
        b"\x89" + values(data) + b"tb" + extra + b"s.",
    ]
    return b"".join(parts)


def values(value):
    """Return the instructions that push a value: its pickle without the version, a frame and the stop."""
    content = pickle.dumps(value, 4)[2:-1]
    return content[9:] if content[:1] == b"\x95" else content


def test_the_array_by_hand_is_one(tmp_path):
    content = array_bytes(data=np.array([1, 2], dtype="f4").tobytes())
    assert pickle.loads(content)["a"].tolist() == [1, 2]
    assert read_vectors(written(tmp_path, content))[1].tolist() == [[1, 2]]


REFUSED = {
    "a nested global": b"\x80\x04\x8c\x05numpy\x8c\x0ecore.os.system\x93.",
    "a global of an old protocol": b"cos\nsystem\n(S'true'\ntR.",
    "an instance of an old protocol": b"(S'true'\nios\nsystem\n.",
    "numpy's own loader": b"\x80\x02cnumpy\nload\n.",
    "numpy's scalar": pickle.dumps({"a": np.float32(1)}),
    "an array of objects": pickle.dumps({"a": np.array([{}, {}], dtype=object)}, 4),
    "an array of objects in protocol 5": pickle.dumps({"a": np.array([{}, {}], dtype=object)}, 5),
    "an array of fields": pickle.dumps({"a": np.zeros(2, dtype=[("x", "f4")])}, 4),
    "an array of texts": pickle.dumps({"a": np.array(["x"])}, 4),
    "an array of complex numbers": pickle.dumps({"a": np.ones(2) * 1j}, 4),
    "an array of dates": pickle.dumps({"a": np.array(["2020-01-01"], dtype="M8[D]")}, 4),
    "a matrix": pickle.dumps({"a": np.ones((2, 2))}),
    "a number": pickle.dumps({"a": 1.5}),
    "a list": pickle.dumps({"a": [0.5, 0.25]}),
    "a text": pickle.dumps("a"),
    "an array alone": pickle.dumps(np.ones(2)),
    "an id that is a number": pickle.dumps({7: np.ones(2)}),
    "a dict in a dict": pickle.dumps({"a": {"b": np.ones(2)}}),
    "a dict in itself": b"\x80\x04}\x94\x8c\x01ah\x00s.",
    "an extension code": b"\x80\x02\x82\x01.",
    "a persistent id": b"\x80\x02\x8c\x01xQ.",
    "a buffer out of band": b"\x80\x05\x97.",
    "two pickles": pickle.dumps({"a": np.ones(2)}) * 2,
    "nothing": b"",
    "an npz": b"PK\x03\x04 no pickle",
    "a huge shape": array_bytes(shape=(2**40,)),
    "a huge shape that wraps around": array_bytes(shape=(2**62, 2**3)),
    "a negative shape": array_bytes(shape=(-1, -2)),
    "a shape that is no number": array_bytes(shape=("2",)),
    "a shape of many numbers": array_bytes(shape=(1,) * 5000 + (2,)),
    "too few bytes": array_bytes(data=b"\0" * 7),
    "a type that calls itself an object": array_bytes(code="O"),
    "a type of a comma": array_bytes(code="f4,f4"),
    "a type with fields in its state": array_bytes(state=(3, "<", None, ("x",), {"x": 1}, -1, -1, 0)),
    "a state of flags": array_bytes(state=(3, "|", None, None, None, -1, -1, 63)),
    "an array that is built twice": array_bytes(extra=b"(" + values(1) + b"tb"),
    "bytes longer than the file": b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.",
    "a memo that was never written": b"\x80\x04h\x05.",
    "an empty stack": b"\x80\x04R.",
    "no mark": b"\x80\x04u.",
    "a name that is a mark": b"\x80\x04((\x93.",
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_dict_of_vectors_is_refused(content, tmp_path):
    error = refusal(tmp_path, content)
    assert error.what.startswith("cannot read embeddings: ")
    assert ", byte " in error.where


def test_a_refusal_names_what_it_met(tmp_path):
    called = refusal(tmp_path, pickle.dumps(Calls(os.mkdir, "x")))
    assert called.what == f"cannot read embeddings: it is no dict of arrays: {os.name}.mkdir is refused"
    assert called.where == "dev_embeddings.pkl, byte 27"
    objects = refusal(tmp_path, pickle.dumps({"a": np.array([{}], dtype=object)}))
    assert "an array holds Python objects" in objects.what


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_that_is_cut_short_anywhere_is_refused(protocol, tmp_path):
    content = pickle.dumps(dict(zip(IDS, VECTORS, strict=True)), protocol)
    for end in range(len(content)):
        refusal(tmp_path, content[:end])


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_damaged_pickle_is_read_or_refused_and_never_fails_otherwise(protocol, tmp_path):
    rng = np.random.default_rng(8)
    content = pickle.dumps(dict(zip(IDS, VECTORS, strict=True)), protocol)
    outcomes = set()
    for position in rng.integers(0, len(content), size=400):
        damaged = bytearray(content)
        damaged[position] = rng.integers(0, 256)
        try:
            read_vectors(written(tmp_path, bytes(damaged)))
            outcomes.add("read")
        except LogError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_an_extension_code_that_the_process_knows_is_refused_too(tmp_path):
    copyreg.add_extension("os", "mkdir", 240)
    try:
        mark = tmp_path / "run"
        content = pickle.dumps(Calls(os.mkdir, str(mark)), 2)
        content = b"\x80\x02\x82\xf0" + pickle.dumps((str(mark),), 2)[2:-1] + b"R."
        assert "EXT1 is refused" in refusal(tmp_path, content).what
        assert not mark.exists()
    finally:
        copyreg.remove_extension("os", "mkdir", 240)


def peak(act):
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


BOMBS = {
    # The same megabyte of text is made bytes again and again.
    "bytes": b"\x80\x02X"
    + struct.pack("<I", 10**6)
    + b"x" * 10**6
    + b"q\0"
    + (b"c_codecs\nencode\nh\0X\x06\0\0\0latin1\x86R") * 2000
    + b".",
    # A memo of two billion places.
    "memo": b"\x80\x02}r\xff\xff\xff\x7f.",
    # The same megabyte is the vector of ten thousand ids.
    "arrays": None,
}


@pytest.mark.parametrize("name", BOMBS)
def test_memory_stays_within_a_few_times_the_file(name, tmp_path):
    content = BOMBS[name]
    if name == "arrays":
        vector = np.ones(125_000)
        content = pickle.dumps({f"s{i}": vector for i in range(10_000)})
    used = peak(lambda: refusal(tmp_path, content))
    assert used < 8 * len(content) + 10**6


def test_tuples_in_tuples_take_no_time(tmp_path):
    # To hash or print this one would take years.
    content = b"\x80\x04})" + b"\x94h\x00h\x00\x86" * 60 + b"\x8c\x01as."
    refusal(tmp_path, content)
    nested = b"\x80\x04})\x94" + b"".join(
        b"h" + bytes([n]) + b"h" + bytes([n]) + b"\x86\x94" for n in range(60)
    )
    refusal(tmp_path, nested + b"h\x3c\x8c\x01as.")


@pytest.mark.parametrize(
    ("of", "what"),
    [
        ({}, "dev_embeddings.pkl holds no embeddings"),
        ({"": np.ones(2)}, "1 embeddings have no id"),
        ({"a": np.ones(2), "b": np.zeros(2)}, "the embedding of 'b' is zero"),
        ({"a": np.array([1, np.nan])}, "the embedding of 'a' is not finite"),
        ({"a": np.ones(2), "b": np.ones(3)}, "'a' has 2 numbers, 'b' has 3"),
    ],
)
def test_vectors_are_checked_as_those_of_every_format(of, what, tmp_path):
    assert what in refusal(tmp_path, pickle.dumps(of)).what


def test_an_id_that_a_pickle_names_twice_is_refused(tmp_path):
    one, two = (pickle.dumps(np.ones(2) * n, 2)[2:-1] for n in (1, 2))
    content = b"\x80\x02}(" + values("a") + one + values("a") + two + b"u."
    assert list(pickle.load(io.BytesIO(content))) == ["a"]
    error = refusal(tmp_path, content)
    assert error.what == "id 'a' has 2 vectors"
    assert error.where == "dev_embeddings.pkl, entry 1 and entry 2"
