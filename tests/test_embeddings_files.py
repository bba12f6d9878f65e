"""A folder of one .npy each, the files that vectors are read from, and their digest."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import kaldiio
import numpy as np
import pytest

from fairaudit.embeddings import KINDS, digest, read_vectors, vector_files
from fairaudit.exceptions import LogError
from fairaudit.log import file_sha256

PAGE = Path(__file__).parent.parent / "docs" / "embeddings.md"


@pytest.fixture
def folder(tmp_path):
    """What SpeechBrain's extract_speaker_embeddings.py leaves: UTTERANCE.npy each, squeezed."""
    made = tmp_path / "voices"
    made.mkdir()
    for name, vector in (("b.1", [3.0, -4.0]), ("007", [1.0, 2.5]), ("é", [0.0, 5.0])):
        np.save(made / f"{name}.npy", np.array(vector, dtype=np.float32))
    return made


def refusal(file):
    with pytest.raises(LogError) as refused:
        read_vectors(file)
    assert all((refused.value.where, refused.value.allowed, refused.value.fix))
    return refused.value


def test_each_npy_of_a_folder_is_the_vector_of_its_stem(folder):
    (folder / "hyperparams.yaml").write_text("not a vector")
    np.save(folder / "row.npy", np.array([[[7.0, 8.0]]]))
    ids, vectors = read_vectors(folder)
    assert dict(zip(ids, vectors.tolist(), strict=True)) == {
        "007": [1.0, 2.5],
        "b.1": [3.0, -4.0],
        "row": [7.0, 8.0],
        "é": [0.0, 5.0],
    }


class Executed:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        import os

        return os.mkdir, (self.mark,)


HUGE = b"\x93NUMPY\1\0\x76\0{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
BAD = {
    "a matrix": (lambda f: np.save(f, np.ones((2, 2))), "an array of shape (2, 2) is not one vector"),
    "one number": (lambda f: np.save(f, np.float32(1)), "an array of shape () is not one vector"),
    "no number": (lambda f: np.save(f, np.ones(0)), "an array of shape (0,) is not one vector"),
    "texts": (lambda f: np.save(f, np.array(["x"])), "embeddings of type <U1"),
    "another length": (lambda f: np.save(f, np.ones(3)), "'007' has 2 numbers, 'bad' has 3"),
    "not finite": (lambda f: np.save(f, np.array([1, np.nan])), "the embedding of 'bad' is not finite"),
    "zero": (lambda f: np.save(f, np.zeros(2)), "the embedding of 'bad' is zero"),
    "nothing": (lambda f: f.write_bytes(b""), "cannot read embeddings"),
    "an archive": (lambda f: f.write_bytes(b"PK\3\4"), "cannot read embeddings"),
    "a pickle": (lambda f: f.write_bytes(b"\x80\x04}."), "it holds Python objects, or is no .npy file"),
    "more than there is": (lambda f: f.write_bytes(HUGE.ljust(127) + b"\n"), "cannot read embeddings"),
}


@pytest.mark.parametrize(("write", "what"), BAD.values(), ids=BAD.keys())
def test_a_file_that_is_no_vector_is_named(write, what, folder):
    write(folder / "bad.npy")
    error = refusal(folder)
    assert what in error.what
    assert "bad" in str(error)


def test_objects_in_a_folder_are_never_unpickled(folder, tmp_path):
    mark = tmp_path / "run"
    np.save(folder / "bad.npy", np.array([Executed(str(mark))], dtype=object))
    error = refusal(folder)
    assert "it holds Python objects" in error.what
    assert error.where == "voices/bad.npy"
    assert not mark.exists()


def test_a_folder_without_vectors_is_refused(tmp_path):
    (tmp_path / "deeper").mkdir()
    np.save(tmp_path / "deeper" / "a.npy", np.ones(2))
    assert "holds no embeddings" in refusal(tmp_path).what


def test_the_digest_of_one_file_is_its_own(tmp_path):
    np.savez(tmp_path / "v.npz", ids=["a"], embeddings=np.ones((1, 2)))
    assert vector_files(tmp_path / "v.npz") == (tmp_path / "v.npz",)
    assert digest(str(tmp_path / "v.npz")) == file_sha256(tmp_path / "v.npz")


def test_the_digest_of_several_files_is_of_all_contents_and_of_no_place(folder, tmp_path):
    before = digest(folder)
    assert before == digest(shutil.copytree(folder, tmp_path / "elsewhere"))
    shutil.copy(folder / "007.npy", tmp_path / "swap")
    (folder / "b.1.npy").rename(folder / "007.npy")
    shutil.move(tmp_path / "swap", folder / "b.1.npy")
    # The same contents, but of other ids.
    assert digest(folder) != before
    lines = sorted(f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.name}\n" for f in folder.iterdir())
    assert digest(folder) == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_digest_is_what_sha256sum_makes_of_the_files(folder):
    if not shutil.which("sha256sum"):
        pytest.skip("sha256sum is not installed")
    command = "export LC_ALL=C; sha256sum * | sort | sha256sum"
    shown = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True)
    assert shown.stdout.split()[0] == digest(folder)


def test_ids_beside_a_matrix_and_the_archives_of_a_list_count_in_the_digest(tmp_path):
    np.save(tmp_path / "v.npy", np.ones((1, 2)))
    (tmp_path / "v.ids.txt").write_text("a\n")
    before = digest(tmp_path / "v.npy")
    (tmp_path / "v.ids.txt").write_text("b\n")
    assert digest(tmp_path / "v.npy") != before
    kaldiio.save_ark(str(tmp_path / "x.ark"), {"a": np.ones(2)}, scp=str(tmp_path / "x.scp"))
    before = digest(tmp_path / "x.scp")
    kaldiio.save_ark(str(tmp_path / "x.ark"), {"a": np.ones(2) * 2})
    assert digest(tmp_path / "x.scp") != before


@pytest.mark.parametrize("call", [read_vectors, vector_files, digest])
def test_what_is_not_there_or_of_no_known_kind_is_refused(call, tmp_path):
    with pytest.raises(LogError, match="no such file"):
        call(tmp_path / "v.npz")
    (tmp_path / "v.txt").write_text("a 1 2\n")
    with pytest.raises(LogError, match=r"unknown format of embeddings: v\.txt") as refused:
        call(tmp_path / "v.txt")
    assert all(kind in refused.value.allowed for kind in (*KINDS, "folder"))


def test_every_kind_of_file_is_on_the_page_and_its_examples_are_read(tmp_path, monkeypatch):
    page = PAGE.read_text("utf-8")
    for kind in KINDS:
        assert f"{kind}`" in page
    monkeypatch.chdir(tmp_path)
    Path("embeddings").mkdir()
    examples = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    namespace = {}
    for example in examples:
        exec(example, namespace)
    commands = re.findall(r"--embeddings ([\w./]+)", page)
    assert len(set(commands)) >= len(KINDS)
    for file in dict.fromkeys(commands):
        ids, vectors = read_vectors(file)
        assert ids.tolist() == ["ann", "bob"], file
        assert np.allclose(vectors, [[0.1, 0.9], [0.7, 0.2]]), file
